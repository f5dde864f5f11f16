#include "monitor/watch.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "z0/base/limits.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/reply.hpp"

namespace z0 {
namespace {

// As many as there is room for, and how many there are beside: what fires first, and of that what was told
// already, which would count as over.
std::int64_t keep_worst(std::vector<Evaluator::Alert>& alerts, std::size_t room) {
  if (alerts.size() <= room) return 0;
  const std::size_t beside = alerts.size() - room;
  std::stable_sort(alerts.begin(), alerts.end(),
                   [](const Evaluator::Alert& a, const Evaluator::Alert& b) {
                     if (a.state->phase != b.state->phase) return a.state->phase > b.state->phase;
                     return a.state->fired_at_ms < b.state->fired_at_ms;
                   });
  alerts.erase(alerts.begin() + static_cast<std::ptrdiff_t>(room), alerts.end());
  return static_cast<std::int64_t>(beside);
}

}  // namespace

Watch::Watch() : feed_(std::make_unique<Feed>(book_)) {}

void Watch::set_book(RuleBook book) {
  const std::string states = encode_states(true);
  std::vector<std::string> habits;
  for_chunks([&](std::int64_t, Feed::Set& set, std::size_t chunk) {
    habits.push_back(encode_habits(set, chunk));
  });
  book_ = std::move(book);
  feed_ = std::make_unique<Feed>(book_);
  saved_turns_ = UINT64_MAX;
  // Alerts of rules that are still there go on as they are, and so does what was learned for them.
  static_cast<void>(decode_states(states));
  for (const std::string& bytes : habits) static_cast<void>(decode_habits(bytes));
}

std::uint64_t Watch::turns() const {
  std::uint64_t all = 0;
  for (const Feed::Set& set : std::as_const(*feed_).sets()) all += set.evaluator.turns();
  return all;
}

void Watch::tick(const SeriesTable& table, const Windows& windows, std::int64_t now_ms) {
  feed_->tick(table, windows, now_ms);
  rests_ = feed_->rests();
  if (!rests_) said_rest_ = false;
}

std::string Watch::report(std::string_view shard, std::int64_t now_ms) {
  ShardReport report;
  report.shard = shard;
  report.at_ms = now_ms;
  report.rules_hash = book_.hash();
  report.rests = rests_;
  report.left_out = feed_->left_out();
  report.sums = feed_->sums_of_all();
  std::deque<std::string> words;
  for (Feed::Set& set : feed_->sets()) {
    std::size_t room = limits::alerts_per_report_max - report.alerts.size();
    if (!set.tenant_id.empty()) room = std::min(room, limits::alerts_of_tenant_per_report_max);
    std::vector<Evaluator::Alert> alerts = set.evaluator.alerts();
    report.left_out += keep_worst(alerts, room);
    for (Evaluator::Alert& alert : alerts) {
      AlertReport& one = report.alerts.emplace_back();
      one.rules_of = set.tenant_id;
      one.rule = alert.rule->name;
      one.tenant_id = alert.tenant_id;
      one.labels = alert.labels;
      one.phase = static_cast<std::int64_t>(alert.state->phase);
      one.active_at_ms = alert.state->active_at_ms;
      one.fired_at_ms = alert.state->fired_at_ms;
      one.resolved_at_ms = alert.state->resolved_at_ms;
      one.value_millionths = millionths(alert.state->value);
      words.push_back(std::move(alert.words));
      one.words = words.back();
    }
  }
  return encode(report);
}

void Watch::heard(std::string_view bytes) {
  ShardReportReply reply;
  if (decode_reply(bytes, reply) != Status::ok) return;
  const bool same = reply.rules_hash.empty() || reply.rules_hash == book_.hash();
  // What was judged by other rules was not looked at: it is said again by these.
  said_rest_ = rests_ && same;
  if (same) return;
  std::vector<RuleBook::Source> sources;
  for (const RulesSource& source : reply.rules)
    sources.push_back({std::string(source.config_id), std::string(source.tenant_id),
                       std::string(source.settings)});
  set_book(RuleBook(std::move(sources)));
  sources_changed_ = true;
}

std::int64_t Watch::next_ms(std::int64_t told_ms, std::int64_t now_ms) const {
  if (!has_to_say()) return 0;
  const bool busy = now_ms - told_ms < limits::alert_quiet_ms;
  return now_ms + (busy ? limits::alert_tick_ms : limits::alert_quiet_ms);
}

std::string Watch::encode_sources() const {
  ShardReportReply kept;
  std::size_t bytes = 0;
  for (const RuleBook::Source& source : book_.sources()) {
    bytes += source.config_id.size() + source.tenant_id.size() + source.settings.size() + 32;
    kept.rules.push_back({source.config_id, source.tenant_id, source.settings});
  }
  // The object of alerts tells them after the first report. Until then those that ship are judged.
  if (bytes > limits::alert_row_bytes_max) kept.rules.clear();
  return encode(kept);
}

std::string Watch::encode_states(bool all) const {
  std::string bytes;
  for (const Feed::Set& set : std::as_const(*feed_).sets()) {
    if (set.evaluator.at_rest()) continue;
    std::string of_set;
    ByteWriter writer(of_set);
    writer.short_bytes(set.tenant_id);
    set.evaluator.encode_states(writer);
    const std::size_t bytes_max =
        set.tenant_id.empty() ? limits::alert_row_bytes_max : limits::alert_row_bytes_of_tenant_max;
    // What is left out begins anew after a restart.
    const bool fits =
        of_set.size() <= bytes_max && bytes.size() + of_set.size() <= limits::alert_row_bytes_max;
    if (all || fits) bytes += of_set;
  }
  return bytes;
}

bool Watch::decode_states(std::string_view bytes) {
  ByteReader in(bytes);
  while (in.ok() && !in.done()) {
    const std::string_view tenant_id = in.short_bytes();
    Evaluator nobodys;
    Evaluator* of = &nobodys;
    for (Feed::Set& set : feed_->sets())
      if (set.tenant_id == tenant_id) of = &set.evaluator;
    if (!of->decode_states(in)) return false;
  }
  return in.ok();
}

bool Watch::load(std::int64_t id, std::string_view bytes) {
  if (id == states_row) {
    saved_states_ = bytes;
    rests_ = said_rest_ = false;
    return decode_states(bytes);
  }
  if (id >= habits_row) {
    habit_rows_.insert(id);
    return decode_habits(bytes);
  }
  ShardReportReply kept;
  if (id != sources_row || !decode(bytes, kept)) return false;
  std::vector<RuleBook::Source> sources;
  for (const RulesSource& source : kept.rules)
    sources.push_back({std::string(source.config_id), std::string(source.tenant_id),
                       std::string(source.settings)});
  book_ = RuleBook(std::move(sources));
  feed_ = std::make_unique<Feed>(book_);
  return true;
}

}  // namespace z0
