// Where the world asks whether something fails, and what an onlooker must see at any time.
#include <algorithm>

#include "final_checks.hpp"
#include "simulation.hpp"
#include "z0/base/ids.hpp"
#include "z0/calls/message.hpp"
#include "z0/http/token.hpp"

namespace z0::sim {
namespace {

constexpr std::string_view monitor = "root";
constexpr std::int64_t call_late_ms_max = 5 * 60'000;
// What shards say is told from an older word for so long.
constexpr std::int64_t told_late_ms_max = 3 * 60'000;
constexpr int depth_max = 2;
// Each may bring requests that are tried again, and so opportunities for more.
constexpr std::size_t interleaved_max = 15;

}  // namespace

void Simulation::install_faults() {
  auto& faults = world_.faults;
  world_.sends = [this](std::string_view body) {
    check_sent(body);
    mail_.send(body);
  };
  // What is ready comes in any order, as in a real event loop; for those who only look, in their
  // own.
  faults.next = [this](std::size_t ready) {
    return trouble_.calm() ? ready - 1 : random_.below(ready);
  };
  faults.death = [this](world::Moment moment, std::string_view object) {
    return death(moment, object);
  };
  faults.clock = [this](std::string_view object) {
    const auto found = clocks_.find(object);
    return found == clocks_.end() ? 0 : found->second;
  };
  faults.delay = [this](std::uint8_t method, std::string_view object, std::string_view request) {
    return call_comes_late(method, object, request);
  };
  faults.call = [this](std::string_view, z0_outcome& outcome, std::string& message) {
    maybe_interleave();
    if (!trouble_.strikes(Fault::overload)) return false;
    outcome = random_.percent(70) ? Z0_OVERLOADED : Z0_FAILED;
    message = "Durable Object is overloaded";
    return true;
  };
  faults.commit = [this](std::string_view object) {
    const bool fails = trouble_.strikes(Fault::commit);
    // The directory sends what ledgers recorded for it: that is lost with its own transaction.
    lossless_ = lossless_ && !(fails && object.starts_with("directory_"));
    return fails;
  };
  faults.lose_reply = [this](std::string_view object) {
    const bool lost = trouble_.strikes(Fault::lost_reply);
    lossless_ = lossless_ && (!lost || Telemetry::owns(object));
    return lost;
  };
  faults.query = [this] {
    maybe_interleave();
    const bool down = !trouble_.calm() && world_.now_ms < d1_down_until_;
    const bool refused = down || trouble_.strikes(Fault::d1);
    if (refused) trouble_.still();
    return refused;
  };
  faults.query_statement = [this](std::size_t) { return trouble_.strikes(Fault::d1_middle); };
  faults.query_after_commit = [this] { return trouble_.strikes(Fault::d1_timeout); };
}

world::Death Simulation::death(world::Moment moment, std::string_view object) {
  if (object == monitor || !trouble_.strikes(Fault::death)) return world::Death::none;
  const bool all = random_.percent(30);
  say((all              ? std::string("everything")
       : object.empty() ? "the edge"
                        : std::string(object)) +
      " dies at moment " + std::to_string(static_cast<int>(moment)));
  if (all) {
    process_died();
    return world::Death::all;
  }
  if (object.empty()) telemetry_.edge_died();
  const bool told = Telemetry::owns(object);
  sends_lost_ = sends_lost_ || !told;
  lossless_ = lossless_ && told;
  return world::Death::one;
}

void Simulation::process_died() {
  mail_.process_died();
  telemetry_.process_died();
  sends_lost_ = true;
  lossless_ = false;
}

bool Simulation::call_comes_late(std::uint8_t method, std::string_view object,
                                 std::string_view request) {
  if (!trouble_.strikes(Fault::late_call)) return false;
  lossless_ = lossless_ && Telemetry::owns(object);
  const std::string to(object);
  const std::string what(request);
  const auto arrive = [this, method, to, what] {
    --late_calls_;
    trouble_.still();
    say("a late call arrives at " + to);
    ++depth_;
    world_.call(method, to, what);
    --depth_;
  };
  ++late_calls_;
  // Now, without a reply; later; or never.
  const std::size_t dice = random_.below(4);
  if (dice == 0)
    arrive();
  else if (dice < 3)
    agenda_.at(world_.now_ms + random_.between(1, Telemetry::owns(object) ? told_late_ms_max
                                                                          : call_late_ms_max),
               arrive);
  else
    --late_calls_;
  return true;
}

// While somebody waits for a call or for D1.
void Simulation::maybe_interleave() {
  if (depth_ >= depth_max || interleaved_ >= interleaved_max) return;
  if (!trouble_.strikes(Fault::interleave)) return;
  ++interleaved_;
  const std::size_t dice = random_.below(10);
  if (dice < 5) return post(clients_.request(world_.now_ms), 0);
  if (dice < 8) {
    watch_alarms();
    return ring_due();
  }
  if (dice < 9) {
    for (const auto& [entity_id, ledger] : model_.ledgers())
      world_.evict(ledger_object_name(entity_id));
    return;
  }
  say("the process dies");
  process_died();
  world_.kill();
}

// -- looking --------------------------------------------------------------------------------------

void Simulation::look() {
  const Trouble::Calm calm(trouble_);
  if (pages_.on() && random_.percent(12)) return pages_.look();
  // Most of what happens beside the ledgers concerns them not.
  if (telemetry_.on() && random_.percent(70)) return telemetry_.look();
  look_at_d1();
  for (const auto& [entity_id, ledger] : model_.ledgers()) look_at_ledger(entity_id);
}

// What was acknowledged can be read, and what D1 lacks has an alarm.
void Simulation::look_at_ledger(const std::string& entity_id) {
  const LedgerModel& ledger = model_.ledgers().at(entity_id);
  if (ledger.by_seq.empty()) return;
  const Json head = get(world_, "/v1/entities/" + entity_id);
  const std::int64_t seq = head.value("seq", std::int64_t{0});
  const std::int64_t replicated = head.value("replicated_seq", std::int64_t{-1});
  hold(seq >= ledger.last_seq(), "the head is no older than a receipt", entity_id);
  hold(replicated <= reached_in_d1(entity_id), "the cursor is never ahead of D1", entity_id);
  const std::string object = ledger_object_name(entity_id);
  hold(replicated == seq || world_.alarm_of(object) != 0 || alarms_[object].lost,
       "what D1 lacks has an alarm", entity_id);
  auto fact = ledger.by_seq.begin();
  std::advance(fact, static_cast<std::ptrdiff_t>(random_.below(ledger.by_seq.size())));
  const Json page =
      get(world_, "/v1/facts/" + entity_id + "?limit=1&from_seq=" + std::to_string(fact->first));
  const Json& facts = page.at("facts");
  hold(facts.size() == 1, "what was acknowledged can be read", entity_id + " " + fact->second);
  check_fact(ledger, fact->second, facts[0]);
}

// What was not lost arrives without being sent again, in whatever order it comes.
void Simulation::look_at_arrival() {
  arrival_seen_ = true;
  if (!lossless_) return;
  const Trouble::Calm calm(trouble_);
  for (const auto& [entity_id, ledger] : model_.ledgers()) {
    if (ledger.by_seq.empty()) continue;
    const Json head = get(world_, "/v1/entities/" + entity_id);
    hold(head.at("seq") == reached_in_d1(entity_id),
         "what was not lost arrives without being sent again", entity_id);
  }
}

std::int64_t Simulation::reached_in_d1(const std::string& entity_id) {
  const auto head = world_.d1().run(
      {"SELECT contiguous_seq FROM ledger_heads WHERE entity_id = ?1", {Value::text(entity_id)}});
  return head->rows.size() > 0 ? head->rows.at(0, 0).integer : 0;
}

// An alarm writes what D1 lacks itself; it sends what it recorded just now, and nothing else.
void Simulation::check_sent(std::string_view body) {
  const std::string object(world_.acting());
  const auto of_object = [&](const Ringing& r) { return r.object == object; };
  const auto ringing = std::find_if(ringing_.begin(), ringing_.end(), of_object);
  if (ringing == ringing_.end()) return;
  Message message;
  hold(parse_message(body, message), "what is sent can be read", object);
  for (const Run& run : message.runs) {
    hold(ledger_object_name(run.entity_id) != object || run.first_seq > ringing->seq_before,
         "an alarm sends only what is new", object + " " + std::to_string(run.first_seq));
  }
}

// A head says that everything up to it is there.
void Simulation::look_at_d1() {
  const auto gaps = world_.d1().run(
      {"SELECT h.entity_id FROM ledger_heads h WHERE h.contiguous_seq > (SELECT count(*) FROM "
       "ledger_facts f WHERE f.entity_id = h.entity_id AND f.seq <= h.contiguous_seq) LIMIT 1",
       {}});
  hold(gaps->rows.size() == 0, "a head never moves over a gap",
       gaps->rows.size() == 0 ? "" : std::string(gaps->rows.at(0, 0).bytes));
  const auto heads = world_.d1().run({"SELECT entity_id, contiguous_seq FROM ledger_heads", {}});
  for (std::size_t i = 0; i < heads->rows.size(); ++i) {
    std::int64_t& highest = heads_[std::string(heads->rows.at(i, 0).bytes)];
    const std::int64_t seq = heads->rows.at(i, 1).integer;
    hold(seq >= highest, "a head never moves back", std::string(heads->rows.at(i, 0).bytes));
    highest = seq;
  }
}

}  // namespace z0::sim
