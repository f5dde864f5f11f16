// Alerts that are driven, once nothing fails any more but that memory is lost: each word has its time.
#include <algorithm>
#include <iterator>

#include "final_checks.hpp"
#include "pages.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/reply.hpp"

namespace z0::sim {
namespace {

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60'000;
// Where nothing is told any more rules are judged once a minute.
constexpr std::int64_t quiet_tick_ms = 70 * second_ms;
// Between two times that memory is lost: turns that it ends come again.
constexpr std::int64_t memory_ms = 2 * minute_ms;
constexpr const char* tenants[] = {"tenant_a", "tenant_b"};
// Until clocks that were ahead are past, receivers are asked again, and the run's own alerts are over.
constexpr std::int64_t settling_ms = 22 * minute_ms;
// A stretch in which alerts are driven: the longest window, and until its end was told.
constexpr std::int64_t stretch_ms = 10 * minute_ms;
constexpr std::int64_t poll_ms = 10 * second_ms;
// From an event to its page: a flush, a tick, the object's turns, and a turn that was lost.
constexpr std::int64_t page_ms = minute_ms;

const char* const critical_rules[] = {"Rush", "RushAll", "OwnRush", "Never"};
const char* const warning_rules[] = {"RushLong", "Routes", "Facts", "Share"};

template <class List>
bool is_in(const List& list, const std::string& rule) {
  return std::find(std::begin(list), std::end(list), rule) != std::end(list);
}

}  // namespace

void Pages::drive(const Pass& pass) {
  if (!on_) return;
  driving_ = true;
  pass(settling_ms);
  took_for_over_ = false;
  driven_from_ms_ = world_.now_ms;
  drive_once(pass);
  if (random_.percent(25)) drive_once(pass);
  check_channels(pass);
  driving_ = false;
  driven_ = true;
}

bool Pages::may_lose_memory() {
  if (world_.now_ms - forgot_ms_ < memory_ms) return false;
  forgot_ms_ = world_.now_ms;
  return true;
}

void Pages::lose_memory() {
  if (may_lose_memory()) forget();
}

void Pages::drive_once(const Pass& pass) {
  const std::int64_t from_ms = world_.now_ms;
  polled_.clear();
  const char* const rules[] = {"Rush", "Never", "Rush*", "RushLong", "Routes", "OwnRush", "Ru*"};
  if (random_.percent(70)) {
    Quieted wanted;
    wanted.rule = random_.pick(rules);
    if (random_.percent(40)) wanted.tenant_id = random_.pick(tenants);
    if (random_.percent(15)) wanted.label = random_.percent(50) ? "won" : "none";
    if (random_.percent(25)) wanted.made_for = random_.pick(tenants);
    const std::int64_t lengths[] = {minute_ms / 2, stretch_ms + minute_ms};
    static_cast<void>(ask_silence(wanted, random_.pick(lengths)));
  }
  const std::int64_t a = random_.percent(80) ? random_.between(41, 90) : 0;
  const std::int64_t b = a == 0 || random_.percent(60) ? random_.between(41, 90) : 0;
  if (a > 0) burst(tenants[0], a);
  if (b > 0) burst(tenants[1], b);
  const std::vector<Expected> all = expected(from_ms, a, b);
  while (world_.now_ms < from_ms + stretch_ms) {
    pass(poll_ms);
    if (random_.percent(15)) lose_memory();
    if (random_.percent(10) && may_lose_memory()) look();
    poll();
  }
  const bool cramped = std::any_of(all.begin(), all.end(), [&](const Expected& one) {
    return one.by_ms != 0 && !one.name.tenant_id.empty() && !began(one.name, from_ms);
  });
  for (const Expected& one : all) {
    const bool whole = !cramped || (one.by_ms == 0 && one.name.rule != "Share");
    if (whole || began(one.name, from_ms)) check_expected(one, from_ms);
  }
  // Until no silence holds any more.
  pass(2 * minute_ms);
}

// By what the rules say of so many events, and by which silence there is.
std::vector<Pages::Expected> Pages::expected(std::int64_t from_ms, std::int64_t a,
                                             std::int64_t b) const {
  std::vector<Expected> all;
  const auto expect = [&](const char* rule, const char* tenant, const char* label, bool holds,
                          std::int64_t after_ms, std::int64_t by_ms) {
    Expected& one = all.emplace_back();
    one.name = {rule, tenant, {}};
    if (*label != 0) one.name.labels = {label};
    one.not_before_ms = from_ms + after_ms;
    const bool always = quieted_.known(one.name, from_ms + stretch_ms, order_ + 1) != nullptr;
    const Quieted* const first = quieted_.known(one.name, from_ms, order_ + 1);
    if (!holds || always) return;
    one.by_ms = from_ms + by_ms + receivers_->group_interval_ms() + group_wait_ms;
    if (first == nullptr) return;
    one.not_before_ms = std::max(one.not_before_ms, first->ends_ms);
    one.by_ms += minute_ms + quiet_tick_ms;
  };
  for (const char* tenant : tenants) {
    const std::int64_t events = tenant == tenants[0] ? a : b;
    expect("Rush", tenant, "", events > 50, 0, page_ms);
    // Where the worse one stands for it, that one is over first.
    expect("RushLong", tenant, "", events > 50, 2 * minute_ms, 5 * minute_ms + quiet_tick_ms);
    expect("Routes", tenant, "won", events / 2 > 20, 0, page_ms);
    expect("Routes", tenant, "none", events - events / 2 > 20, 0, page_ms);
  }
  expect("OwnRush", tenants[0], "", a > 30, 0, page_ms);
  expect("RushAll", "", "", a + b > 100, 30 * second_ms, 30 * second_ms + page_ms);
  expect("Never", "", "", false, 0, 0);
  expect("Share", "", "", false, 0, 0);
  return all;
}

// Whether a shard says that it began since then. Where it has no room for more series, tenants count as one.
bool Pages::began(const AlertName& name, std::int64_t from_ms) const {
  return std::any_of(begins_.begin(), begins_.end(), [&](const Begin& begin) {
    return begin.name == name && begin.active_ms >= from_ms;
  });
}

void Pages::check_expected(const Expected& one, std::int64_t from_ms) {
  for (const Receiver& receiver : receivers_->all()) {
    if (!receiver.shows() || !receiver.wants(is_in(critical_rules, one.name.rule))) continue;
    std::int64_t told_ms = 0;
    for (const Notice& word : receiver.words()) {
      for (const ShownAlert& alert : word.alerts)
        if (told_ms == 0 && alert.name == one.name && alert.started_ms >= from_ms)
          told_ms = word.taken_ms;
    }
    const std::string where = receiver.name() + ' ' + one.name.text() + ' ' +
                              std::to_string(told_ms - from_ms) + " ms after the burst";
    if (one.by_ms == 0) {
      hold(told_ms == 0, "what a silence is about, or what does not hold, is not told", where);
      continue;
    }
    hold(told_ms != 0 && told_ms <= one.by_ms, "what held for as long as its rule asks is told",
         where);
    hold(told_ms >= one.not_before_ms, "nothing is told before its time", where);
  }
}

// Each receiver shows what fires and nothing else, some seconds later.
void Pages::poll() {
  const std::string bytes = listed();
  AlertsReply reply;
  hold(decode_reply(bytes, reply) == Status::ok, "alerts are listed", "");
  std::set<AlertName> firing;
  for (const AlertsReply::Alert& alert : reply.alerts) {
    const AlertName name = name_of(alert.alert);
    const bool quiet = quieted_.possible(name, world_.now_ms, world_.now_ms);
    Polled& polled = polled_[name];
    if (!fires(alert)) continue;
    firing.insert(name);
    if (quiet || !alert.inhibited_by.empty())
      polled.clear_ms = 0;
    else if (polled.clear_ms == 0)
      polled.clear_ms = world_.now_ms;
  }
  for (auto& [name, polled] : polled_) {
    if (firing.contains(name)) {
      polled.gone_ms = 0;
    } else {
      polled.clear_ms = 0;
      if (polled.gone_ms == 0) polled.gone_ms = world_.now_ms;
    }
    poll_alert(name, polled);
  }
}

void Pages::poll_alert(const AlertName& name, const Polled& polled) {
  const std::int64_t lag_ms = receivers_->group_interval_ms() + group_wait_ms + page_ms;
  const bool critical = is_in(critical_rules, name.rule);
  // Of rules that ship it is not known here how bad they are.
  const bool known = critical || is_in(warning_rules, name.rule);
  for (const Receiver& receiver : receivers_->all()) {
    if (!receiver.shows()) continue;
    const bool shown = receiver.shown_in(name) != nullptr;
    const bool wanted = receiver.wants(false) || (known && critical);
    const std::string where = receiver.name() + ' ' + name.text();
    if (wanted && polled.clear_ms != 0 && world_.now_ms - polled.clear_ms >= lag_ms)
      hold(shown, "what fires is shown", where);
    if (polled.gone_ms != 0 && world_.now_ms - polled.gone_ms >= lag_ms + memory_ms)
      hold(!shown, "what is over is not shown any more", where);
  }
}

void Pages::check_channels(const Pass& pass) {
  AlertsReply reply;
  std::string bytes;
  bool waits = true;
  for (int i = 0; i < 20 && waits; ++i) {
    pass(quiet_tick_ms / 7);
    bytes = listed();
    hold(decode_reply(bytes, reply) == Status::ok, "alerts are listed", "");
    waits = std::any_of(reply.channels.begin(), reply.channels.end(),
                        [](const AlertsReply::ChannelView& one) { return one.waiting > 0; });
  }
  hold(!waits, "nothing waits for receivers that are well", "");
  hold(reply.channels.size() == receivers_->all().size(), "each channel is listed", "");
  for (const AlertsReply::ChannelView& one : reply.channels)
    hold(one.off.empty() && one.given_up == 0 && one.lost == 0,
         "no word is lost that a receiver may take", std::string(one.channel));
  // What is on its way to the ledger.
  pass(2 * minute_ms);
  for (const char* table : {"alert_letters", "alert_facts"}) {
    const std::string sql = std::string("SELECT count(*) FROM ") + table;
    const auto rows = world_.storage_of(alerts_object).run({sql, {}});
    const std::int64_t left = rows->rows.at(0, 0).integer;
    hold(left == 0, "no row stays of what was sent", std::to_string(left) + " of " + table);
  }
}

}  // namespace z0::sim
