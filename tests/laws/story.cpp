// What happens, and what goes wrong.
#include "story.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/http/token.hpp"

namespace z0::laws {
namespace {

constexpr std::size_t kept_messages = 20;
// No wait is longer than limits::confirm_pause_ms_max.
constexpr std::int64_t long_pause_ms = limits::confirm_pause_ms_max + 100'000;
// A ledger writes limits::chunks_per_round_max at a time; no run needs so many.
constexpr int rounds_max = 200;

constexpr std::string_view outages[] = {"", "Durable Object is overloaded",
                                        "Network connection lost \xe2\x80\x94 \"again\"\n"};

}  // namespace

Story::Story(std::uint64_t seed, const std::string& d1_schema)
    : random_(seed), world_(seed, d1_schema), traffic_(seed ^ 0x7a30) {
  world_.watch = [this](std::string_view frame, std::string_view effects) {
    watch(frame, effects);
  };
  install_faults();
}

void Story::watch(std::string_view frame_bytes, std::string_view effect_bytes) {
  tape_.add(frame_bytes, effect_bytes);
  Frame frame;
  std::vector<Effect> effects;
  if (!parse_frame(frame_bytes, frame) || !parse_effects(effect_bytes, effects))
    return fail("effects can be read", "frame kind " + std::to_string(frame.kind));
  auditor_.step(frame, effect_bytes, effects, calls_.kind_of(frame));
  if (!calls_.step(frame, effects, effect_bytes)) return;
  const bool commits = !effects.empty() && effects[0].phase == Phase::commit;
  if (!commits) finished(true);  // else when it is known whether the commit held
}

void Story::finished(bool committed) {
  calls_.last().committed = committed;
  auditor_.finished(calls_.last());
  shadow_.finished(calls_.last());
}

void Story::install_faults() {
  auto& faults = world_.faults;
  faults.commit = [this](std::string_view) {
    const bool fails = random_.permille(rates_.commit);
    finished(!fails);
    return fails;
  };
  faults.call = [this](std::string_view object, z0_outcome& outcome, std::string& message) {
    if (random_.permille(rates_.crash)) disturb();
    // Two batches may begin one ledger.
    const bool intrudes = object.starts_with("directory_") && random_.permille(rates_.intrusion);
    if (depth_ < 2 && intrudes) post();
    if (!random_.permille(rates_.call)) return false;
    outcome = static_cast<z0_outcome>(1 + random_.below(3));
    message = random_.pick(outages);
    // Longer than what an attempt keeps, in characters of three bytes.
    if (random_.percent(20)) {
      while (message.size() < 250) message += "\xe2\x82\xac";
    }
    return true;
  };
  const auto loses = [this](unsigned rate) {
    const bool lost = random_.permille(rate);
    something_lost_ = something_lost_ || lost;
    return lost;
  };
  faults.lose_reply = [this, loses](std::string_view) { return loses(rates_.lose_reply); };
  faults.query = [this] {
    if (random_.permille(rates_.crash)) disturb();
    if (depth_ < 2 && random_.permille(rates_.intrusion)) post();
    return random_.permille(rates_.query);
  };
  faults.query_after_commit = [this] { return random_.permille(rates_.query_after_commit); };
  faults.send = [this, loses] { return loses(rates_.send); };
}

void Story::disturb() {
  world_.crash();
  tape_.fresh_core();
}

std::string Story::run(std::size_t operations) {
  for (std::size_t i = 0; i < operations && auditor_.broken().empty(); ++i) operate();
  if (auditor_.broken().empty()) settle();
  if (!auditor_.broken().empty()) return auditor_.broken();
  if (!shadow_.broken().empty()) return shadow_.broken();
  return tape_.replay();
}

void Story::operate() {
  const std::size_t dice = random_.below(100);
  latest_ms_ = std::max(latest_ms_, world_.now_ms);
  if (dice < 50) return post();
  if (dice < 60) return read();
  if (dice < 62) return refuse();
  if (dice < 76) return deliver();
  if (dice < 82) {
    world_.run_alarms();
    return;
  }
  if (dice < 91) return move_clock();
  if (dice < 96)
    return world_.evict(
        ledger_object_name(traffic_.entity_of(std::string(random_.pick(Traffic::tenants)))));
  if (dice < 97) return disturb();
  change_faults();
}

void Story::move_clock() {
  const std::size_t dice = random_.below(10);
  if (dice < 3) return;
  if (dice < 7)
    world_.now_ms += random_.between(1, 2'000);
  else if (dice == 7)
    world_.now_ms += random_.between(5'000, 30'000);
  else if (dice == 8)
    world_.now_ms += random_.between(60'000, 86'400'000);
  else
    world_.now_ms -= random_.between(1, 3'600'000);
}

void Story::change_faults() {
  rates_ = {};
  if (random_.percent(40)) return;
  constexpr unsigned levels[] = {0, 0, 20, 100, 500};
  for (unsigned* rate : {&rates_.call, &rates_.lose_reply, &rates_.commit, &rates_.query,
                         &rates_.query_after_commit, &rates_.send, &rates_.intrusion}) {
    *rate = random_.pick(levels);
  }
  rates_.crash = random_.percent(30) ? 20 : 0;
}

void Story::deliver() {
  if (!delivered_.empty() && random_.percent(25)) {
    const std::string again = random_.pick(delivered_);
    if (world_.deliver_copy(again)) auditor_.landed(again);
    return;
  }
  if (random_.percent(3)) {
    if (world_.deliver_copy("no message")) fail("what is no message is refused", "the queue");
    if (!world_.dead_letter("m" + std::to_string(random_.below(5)), "no message") &&
        rates_.query == 0 && rates_.query_after_commit == 0) {
      fail("a dead letter is kept", "the dead-letter queue");
    }
    return;
  }
  const bool all = random_.percent(20);
  for (std::size_t n = all ? world_.queue.size() : std::min<std::size_t>(1, world_.queue.size());
       n > 0; --n) {
    const std::size_t place = random_.below(world_.queue.size());
    const std::string message = world_.queue[place];
    if (!world_.deliver(place)) continue;
    auditor_.landed(message);
    delivered_.push_back(message);
    if (delivered_.size() > kept_messages) delivered_.pop_front();
  }
}

// Nothing fails any more, and time goes on: then everything has to arrive.
void Story::settle() {
  rates_ = {};
  world_.now_ms = std::max(latest_ms_, world_.now_ms);
  int round = 0;
  for (; round < rounds_max; ++round) {
    while (!world_.queue.empty()) {
      const std::size_t place = random_.below(world_.queue.size());
      const std::string message = world_.queue[place];
      if (!world_.deliver(place)) return fail("without faults every message is taken", "the queue");
      auditor_.landed(message);
    }
    // What was not lost arrives without anything being sent again, in whatever order.
    if (round == 0 && !something_lost_) auditor_.settle_heads(world_);
    world_.now_ms += long_pause_ms;
    if (world_.run_alarms() == 0 && world_.queue.empty()) break;
  }
  if (round == rounds_max) return fail("replication comes to rest", "alarms go on");
  auditor_.settle(world_);
  shadow_.settle(world_);
  if (random_.percent(20)) walk_pages();
}

}  // namespace z0::laws
