#include "z0/monitor/monitor.hpp"

#include <algorithm>
#include <cmath>

#include "monitor/step.hpp"
#include "z0/base/trap.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

// Seconds shown as the curve.
constexpr std::int64_t curve_seconds = 120;
// Lag and failure rate are judged over the last minute; older trouble is history.
constexpr std::int64_t judged_seconds = 60;
// Gauges are told with the reports, no more often than this.
constexpr std::int64_t gauges_every_ms = 10'000;

// A number between 0 and 1 with four digits behind the point.
std::string share_text(std::int64_t ten_thousandths) {
  if (ten_thousandths == 10'000) return "1";
  return "0." + std::to_string(10'000 + ten_thousandths).substr(1);
}

void write_bands(JsonWriter& json) {
  const auto share = [](double value) { return share_text(std::lround(value * 10'000)); };
  const auto write = [&json](JsonName name, const SignalBands& bands) {
    json.object(name).integer("healthy_max", static_cast<std::int64_t>(bands.healthy_max));
    json.integer("critical_above", static_cast<std::int64_t>(bands.critical_above)).end();
  };
  json.object("bands");
  write("lag_ms", lag_bands);
  write("depth", depth_bands);
  json.object("failure_rate").raw("healthy_max", share(failure_rate_bands.healthy_max));
  json.raw("critical_above", share(failure_rate_bands.critical_above)).end();
  json.end();
}

}  // namespace

std::string_view band_name(Band band) {
  switch (band) {
    case Band::healthy:
      return "healthy";
    case Band::degraded:
      return "degraded";
    case Band::critical:
      break;
  }
  return "critical";
}

Band band_of(double value, const SignalBands& bands) {
  if (value > bands.critical_above) return Band::critical;
  return value > bands.healthy_max ? Band::degraded : Band::healthy;
}

Band replication_band(std::int64_t lag_ms, std::int64_t depth, double failure_rate) {
  // Both numbers are counts, which a double holds exactly far beyond the bands.
  return std::max({band_of(static_cast<double>(lag_ms), lag_bands),
                   band_of(static_cast<double>(depth), depth_bands),
                   band_of(failure_rate, failure_rate_bands)});
}

Monitor::Second& Monitor::second(std::int64_t now_ms) {
  const std::int64_t at = now_ms / 1'000;
  Second& slot = seconds_[static_cast<std::size_t>(at) % limits::live_seconds];
  if (slot.at != at) {
    slot = Second{};
    slot.at = at;
  }
  return slot;
}

Monitor::Minute& Monitor::minute(std::int64_t now_ms) {
  const std::int64_t at = now_ms / 60'000;
  Minute& slot = minutes_[static_cast<std::size_t>(at) % std::size(minutes_)];
  if (slot.at != at) {
    slot = Minute{};
    slot.at = at;
  }
  return slot;
}

void Monitor::grew(std::string_view entity_id, std::int64_t seq, std::int64_t recorded_at) {
  auto found = lagging_.find(std::string(entity_id));
  if (found == lagging_.end()) {
    if (lagging_.size() >= limits::lagging_ledgers_max) return;
    found = lagging_.emplace(entity_id, Lagging{}).first;
  }
  Lagging& l = found->second;
  l.seq = std::max(l.seq, seq);
  if (l.oldest_at == 0 && l.contiguous_seq < l.seq) l.oldest_at = recorded_at;
}

// A ledger whose facts have all arrived stays known for as long as it is likely to grow, so that a
// message that overtakes the edge's report does not leave it lagging for ever.
void Monitor::landed(std::string_view entity_id, std::int64_t contiguous_seq, std::int64_t now_ms) {
  auto found = lagging_.find(std::string(entity_id));
  if (found == lagging_.end()) {
    if (lagging_.size() >= limits::lagging_ledgers_max) {
      std::erase_if(lagging_,
                    [](const auto& l) { return l.second.contiguous_seq >= l.second.seq; });
    }
    if (lagging_.size() >= limits::lagging_ledgers_max) return;
    found = lagging_.emplace(entity_id, Lagging{}).first;
  }
  Lagging& l = found->second;
  if (contiguous_seq <= l.contiguous_seq) return;
  l.contiguous_seq = contiguous_seq;
  // What is still on its way was recorded after what has just arrived: it is no older than this.
  l.oldest_at = l.contiguous_seq >= l.seq ? 0 : now_ms;
}

bool Monitor::take(std::string_view report, std::int64_t now_ms) {
  if (since_ms_ == 0) since_ms_ = now_ms;
  if (report.empty()) return false;
  const std::string_view bytes = report.substr(1);
  switch (static_cast<Report>(report[0])) {
    case Report::request: {
      RequestReport request;
      if (!decode(bytes, request)) return false;
      take_request(request, now_ms);
      return true;
    }
    case Report::ledger: {
      LedgerReport ledger;
      if (!decode(bytes, ledger)) return false;
      take_ledger(ledger, now_ms);
      return true;
    }
    case Report::message: {
      MessageReport message;
      if (!decode(bytes, message)) return false;
      take_message(message, now_ms);
      return true;
    }
  }
  return false;
}

void Monitor::take_request(const RequestReport& report, std::int64_t now_ms) {
  Second& s = second(now_ms);
  s.recorded += report.recorded;
  s.duplicate += report.duplicate;
  s.conflict += report.conflict;
  s.refused += report.refused;
  s.failed += report.failed;
  const TypeCounts& counts = report.recorded_by_type;
  Minute& m = minute(now_ms);
  for (std::size_t i = 0; i < std::size(counts.known); ++i) m.by_type.known[i] += counts.known[i];
  for (const auto& [name, count] : counts.custom) {
    for (std::int64_t i = 0; i < count; ++i) m.by_type.add(FactType::custom, name);
  }
  for (const auto& head : report.heads) grew(head.entity_id, head.seq, head.recorded_at);
  for (const auto& fact : report.latest) {
    latest_.emplace_front(fact);
    if (latest_.size() > limits::latest_facts) latest_.pop_back();
  }
}

void Monitor::take_ledger(const LedgerReport& report, std::int64_t now_ms) {
  second(now_ms).resent += report.resent;
  landed(report.entity_id, report.confirmed_seq, now_ms);
  grew(report.entity_id, report.seq, report.oldest_at);
  const auto found = lagging_.find(std::string(report.entity_id));
  // The ledger knows the age of its oldest fact better than we do.
  if (found != lagging_.end() && found->second.contiguous_seq < report.seq && report.oldest_at != 0)
    found->second.oldest_at = report.oldest_at;
}

void Monitor::take_message(const MessageReport& report, std::int64_t now_ms) {
  Second& s = second(now_ms);
  ++s.messages;
  if (report.failed) ++s.message_failures;
  if (report.dead) ++s.dead;
  // What was there already says nothing about lag.
  if (report.inserted > 0) s.lags_ms.add(report.lag_ms_max);
  for (const auto& head : report.heads) landed(head.entity_id, head.contiguous_seq, now_ms);
}

void Monitor::write_by_type(JsonWriter& json, std::int64_t now_ms) const {
  TypeCounts sum;
  const std::int64_t oldest = now_ms / 60'000 - static_cast<std::int64_t>(std::size(minutes_)) + 1;
  for (const Minute& m : minutes_) {
    if (m.at < oldest) continue;
    for (std::size_t i = 0; i < std::size(sum.known); ++i) sum.known[i] += m.by_type.known[i];
    for (const auto& custom : m.by_type.custom) {
      const auto same = std::find_if(sum.custom.begin(), sum.custom.end(),
                                     [&](const auto& c) { return c.first == custom.first; });
      if (same != sum.custom.end())
        same->second += custom.second;
      else
        sum.custom.push_back(custom);
    }
  }
  sum.write_json(json.key("by_type"));
}

Monitor::Backlog Monitor::backlog(std::int64_t now_ms) const {
  Backlog found;
  std::int64_t oldest_at = 0;
  for (const auto& [entity_id, l] : lagging_) {
    if (l.contiguous_seq >= l.seq) continue;
    found.depth += l.seq - l.contiguous_seq;
    if (l.oldest_at != 0 && (oldest_at == 0 || l.oldest_at < oldest_at)) oldest_at = l.oldest_at;
  }
  if (oldest_at != 0) found.oldest_age_ms = std::max<std::int64_t>(0, now_ms - oldest_at);
  return found;
}

ReplicationReply Monitor::replication(std::int64_t now_ms) const {
  const Backlog behind = backlog(now_ms);
  return {since_ms_, std::max(last_lag_ms(now_ms), behind.oldest_age_ms), behind.depth};
}

// Of the newest second in which a message landed something.
std::int64_t Monitor::last_lag_ms(std::int64_t now_ms) const {
  const Second* newest = nullptr;
  for (const Second& s : seconds_) {
    if (s.at <= now_ms / 1'000 - judged_seconds || s.lags_ms.count() == 0) continue;
    if (newest == nullptr || s.at > newest->at) newest = &s;
  }
  return newest == nullptr ? 0 : newest->lags_ms.max();
}

void Monitor::tell_gauges(std::int64_t now_ms, Effects& effects) {
  if (now_ms < gauges_at_ms_ + gauges_every_ms) return;
  gauges_at_ms_ = now_ms;
  const Backlog behind = backlog(now_ms);
  // A stalled pipeline lands nothing: then the age of the oldest fact is the lag.
  gauge(effects, Metric::replication_lag, {}, std::max(last_lag_ms(now_ms), behind.oldest_age_ms));
  gauge(effects, Metric::replication_queue_depth, {}, behind.depth);
}

void Monitor::write_replication(JsonWriter& json, std::int64_t now_ms) const {
  const auto [depth, oldest_age] = backlog(now_ms);
  Histogram lags;
  std::int64_t messages = 0, failures = 0, all_failures = 0, resent = 0, dead = 0;
  const std::int64_t now_s = now_ms / 1'000;
  for (const Second& s : seconds_) {
    if (s.at < 0 || s.at <= now_s - static_cast<std::int64_t>(limits::live_seconds)) continue;
    all_failures += s.message_failures;
    resent += s.resent;
    dead += s.dead;
    if (s.at <= now_s - judged_seconds) continue;
    messages += s.messages;
    failures += s.message_failures;
    lags.merge(s.lags_ms);
  }
  const std::int64_t lag_ms = std::max(last_lag_ms(now_ms), oldest_age);
  const double failure_rate =
      messages == 0 ? 0 : static_cast<double>(failures) / static_cast<double>(messages);
  json.object("replication");
  json.plain("band", band_name(replication_band(lag_ms, depth, failure_rate)));
  json.integer("lag_ms", lag_ms);
  json.integer("lag_p99_ms", std::max(lags.percentile(99), oldest_age));
  json.integer("depth", depth).integer("oldest_age_ms", oldest_age);
  // Parts per ten thousand are fine enough for bands at 1 %, and need no printing of doubles.
  const std::int64_t parts = messages == 0 ? 0 : (failures * 10'000 + messages / 2) / messages;
  json.raw("failure_rate", share_text(parts));
  json.integer("failures", all_failures).integer("retries", resent + all_failures);
  json.integer("dead_letters", dead);
  write_bands(json);
  json.end();
}

std::string Monitor::live(std::int64_t now_ms) {
  const std::int64_t now_s = now_ms / 1'000;
  std::int64_t curve[curve_seconds] = {};
  Second sum;
  for (const Second& s : seconds_) {
    if (s.at < 0 || s.at <= now_s - static_cast<std::int64_t>(limits::live_seconds)) continue;
    sum.recorded += s.recorded;
    sum.duplicate += s.duplicate;
    sum.conflict += s.conflict;
    sum.refused += s.refused;
    sum.failed += s.failed;
    // The current second is not over: the curve ends with the last whole one.
    const std::int64_t back = now_s - 1 - s.at;
    if (back >= 0 && back < curve_seconds) curve[curve_seconds - 1 - back] = s.recorded;
  }
  std::string out;
  JsonWriter json(out);
  json.object().integer("now", now_ms).integer("since", since_ms_ == 0 ? now_ms : since_ms_);
  json.array("facts_per_second");
  for (const std::int64_t facts : curve) json.integer(facts);
  json.end();
  json.integer("recorded", sum.recorded).integer("duplicate", sum.duplicate);
  json.integer("conflict", sum.conflict).integer("refused", sum.refused);
  json.integer("failed", sum.failed);
  write_by_type(json, now_ms);
  write_replication(json, now_ms);
  json.array("latest");
  for (const auto& fact : latest_) json.raw(fact);
  json.end().end();
  return out;
}

z0_effect_kind monitor_asked(std::string_view continuation) {
  switch (static_cast<MonitorStage>(ByteReader(continuation).u8())) {
    case MonitorStage::outgoing:
      return Z0_NEED_ROWS;
    case MonitorStage::sent:
      return Z0_NEED_FETCH;
    default:
      return Z0_NEED_CALL;
  }
}

bool asked_by_root(std::string_view continuation) {
  return static_cast<MonitorStage>(ByteReader(continuation).u8()) == MonitorStage::shards;
}

void step_monitor(Monitor& monitor, const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_TELL) {
    for (ByteReader in(frame.part(1)); in.ok() && !in.done();) {
      // One that another version of z0 wrote may not be readable: the next ones make it good.
      static_cast<void>(monitor.take(in.bytes(), frame.now_ms));
    }
    effects.reply(200, {}, {});
    return monitor.tell_gauges(frame.now_ms, effects);
  }
  if (frame.kind == Z0_FRAME_RESUME) return merge_shards(monitor, frame, effects);
  const auto method = static_cast<MonitorMethod>(frame.method);
  const bool called = frame.kind == Z0_FRAME_CALL;
  if (called && method == MonitorMethod::metrics) return ask_shards(frame, effects);
  if (called && method == MonitorMethod::replication)
    return effects.reply(200, {}, encode(monitor.replication(frame.now_ms)));
  if (!called || method != MonitorMethod::live)
    trap("the monitor is told reports and asked for what MonitorMethod lists");
  effects.reply(200, {}, monitor.live(frame.now_ms));
}

}  // namespace z0
