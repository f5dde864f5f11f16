// What must be true of metrics and traces, at any time and at the end.
#include <algorithm>
#include <iterator>

#include "final_checks.hpp"
#include "telemetry.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/metrics.hpp"
#include "z0/calls/reports.hpp"
#include "z0/calls/traces.hpp"
#include "z0/http/token.hpp"
#include "z0/metrics/registry.hpp"

namespace z0::sim {
namespace {

// Of a shard with small limits: windows of 936 slots and 3,000 entries, 400 cells, 60 series.
constexpr std::int64_t shard_bytes_max = 256 << 10;

std::int64_t number_in(world::Database& storage, std::string_view sql) {
  const auto answer = storage.run({sql, {}});
  return answer->rows.failed || answer->rows.size() == 0 ? 0 : answer->rows.at(0, 0).integer;
}

std::int64_t sum_of(const SeriesGroup& group) {
  std::int64_t sum = 0;
  for (const SeriesAmount& amount : group.amounts) sum += amount.amount;
  return sum;
}

}  // namespace

void Telemetry::look() {
  if (!on()) return;
  const auto names = objects();
  const std::string& name = names[random_.below(names.size())];
  if (name.starts_with("metrics_"))
    look_at_shard(name);
  else
    look_at_store(name);
  if (traces_.empty()) return;
  auto trace = traces_.begin();
  std::advance(trace, static_cast<std::ptrdiff_t>(random_.below(traces_.size())));
  look_at_trace(trace->first, trace->second);
}

SeriesReply Telemetry::look_at_shard(const std::string& name) {
  SeriesRequest request;
  request.totals = request.all_tenants = true;
  series_ = world_.call(static_cast<std::uint8_t>(MonitorMethod::series), name, encode(request));
  SeriesReply reply;
  hold(decode(series_, reply), "a shard answers", name);
  const laws::FlushBook& book = shards_[name].book;
  const std::string broken = book.broken_by(reply);
  hold(broken.empty(), broken, name);
  hold(reply.memory_bytes <= shard_bytes_max, "a shard's memory is bounded",
       name + " " + std::to_string(reply.memory_bytes));
  hold(!book.unsaved() || world_.alarm_of(name) != 0, "what is not saved has an alarm", name);
  return reply;
}

// The facts that were written in the last two days, which are longer than a run.
SeriesReply Telemetry::last_days(const std::string& name) {
  SeriesRequest request;
  request.all_tenants = true;
  request.metric = static_cast<std::int64_t>(Metric::facts_written);
  request.window_ms = 2 * std::int64_t{86'400'000};
  series_ = world_.call(static_cast<std::uint8_t>(MonitorMethod::series), name, encode(request));
  SeriesReply reply;
  hold(decode(series_, reply), "a shard answers", name);
  return reply;
}

void Telemetry::look_at_store(const std::string& name) {
  world::Database& storage = world_.storage_of(name);
  const auto inbox = storage.run({"SELECT body FROM inbox", {}});
  if (inbox->rows.failed) return;  // nobody called it yet
  std::set<std::pair<std::string, std::string>> waiting;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < inbox->rows.size(); ++i) {
    StoreRequest request;
    hold(decode(inbox->rows.at(i, 0).bytes, request), "what waits can be read", name);
    for (const auto& item : request.items) {
      ByteReader in(item.span);
      in.short_bytes();
      const bool once =
          waiting.emplace(std::string(item.trace_id), std::string(in.short_bytes())).second;
      hold(once, "a span waits once", name);
      bytes += item.span.size();
    }
  }
  hold(bytes <= limits::traces_open_bytes_max, "what waits is bounded", name);
  const std::int64_t batches = number_in(storage, "SELECT count(*) FROM export_batches");
  hold(batches <= limits::exports_waiting_max, "what is to be sent on is bounded", name);
  hold((waiting.empty() && batches == 0) || world_.alarm_of(name) != 0, "what waits has an alarm",
       name);
}

// It may be dropped, but for what moved money or failed.
void Telemetry::look_at_trace(const std::string& trace_id, const Trace& trace) {
  const auto reply = world_.request("GET", "/v1/traces/" + trace_id,
                                    world_.authorization({}, scope_facts_read | scope_ops), {});
  if (reply.status == 404 && trace.important.empty()) return;
  hold(reply.status == 200,
       trace.money ? "a trace that has to do with money is kept" : "a trace that failed is kept",
       trace_id + " " + reply.body);
  std::multiset<std::string> shown;
  const Json body = Json::parse(reply.body);
  for (const char* const list : {"spans", "linked"}) {
    for (const Json& span : body.at(list)) shown.insert(span.at("span_id").get<std::string>());
  }
  for (const std::string& id : trace.important)
    hold(shown.contains(id), "what moved money or failed is shown", trace_id + " " + id);
  for (const std::string& id : shown) {
    hold(shown.count(id) == 1, "a span is shown once", trace_id + " " + id);
    hold(trace.spans.contains(id), "no span is shown that did not come", trace_id + " " + id);
  }
}

void Telemetry::check(bool lossless) {
  if (!on()) return;
  for (const std::string& name : objects()) {
    if (name.starts_with("traces_")) look_at_store(name);
  }
  for (const auto& [trace_id, trace] : traces_) look_at_trace(trace_id, trace);
  check_list();
  check_measurements(lossless);
  if (!lossless) return;
  // Those of the clients say which of their own traces they belong to.
  const auto rows = world_.d1().run(
      {"SELECT DISTINCT trace_id FROM ledger_facts WHERE amount IS NOT NULL AND trace_id NOT LIKE "
       "'a00000000000000%'",
       {}});
  for (std::size_t i = 0; i < rows->rows.size(); ++i) {
    const std::string trace_id(rows->rows.at(i, 0).bytes);
    hold(moved_.contains(trace_id), "money that moved has a span that says so", trace_id);
  }
}

// The facts that the ledgers hold, against those that were measured, that were counted, and that are
// said to be missing.
void Telemetry::check_measurements(bool lossless) {
  // No clock was so far ahead that a slot of a window lies in the future still.
  world_.now_ms += 15 * 60'000;
  std::map<std::string, std::int64_t> held;
  std::int64_t all_held = 0;
  const auto rows = world_.d1().run(
      {"SELECT tenant_id, count(*) FROM ledger_facts WHERE type != 'reconciliation' AND "
       "subtype IS NOT 'config_updated' AND entity_id != 'acct_z0' GROUP BY tenant_id",
       {}});
  for (std::size_t i = 0; i < rows->rows.size(); ++i) {
    held[std::string(rows->rows.at(i, 0).bytes)] = rows->rows.at(i, 1).integer;
    all_held += rows->rows.at(i, 1).integer;
  }
  for (const auto& [tenant_id, facts] : written_) {
    const std::string where =
        tenant_id + ": " + std::to_string(facts) + " of " + std::to_string(held[tenant_id]);
    hold(facts <= held[tenant_id], "no fact is measured that no ledger holds, and none twice",
         where);
    hold(!lossless || facts == held[tenant_id], "each fact is measured whose caller was answered",
         where);
  }
  std::int64_t counted = 0;
  std::int64_t unknown = 0;
  for (const std::string& name : objects()) {
    if (!name.starts_with("metrics_")) continue;
    const SeriesReply reply = look_at_shard(name);
    unknown += reply.missing + reply.lost;
    std::int64_t of_shard = 0;
    for (const SeriesGroup& group : reply.groups) {
      const bool written = group.metric == static_cast<std::int64_t>(Metric::facts_written);
      of_shard += written ? sum_of(group) : 0;
    }
    counted += of_shard;
    const SeriesReply window = last_days(name);
    std::int64_t of_window = 0;
    for (const SeriesGroup& group : window.groups) of_window += sum_of(group);
    hold(window.reaches_ms != 0 || of_window == of_shard, "a window holds all that came in it",
         name + ": " + std::to_string(of_window) + " of " + std::to_string(of_shard));
  }
  hold(counted <= all_held, "no more facts are counted than ledgers hold",
       std::to_string(counted) + " of " + std::to_string(all_held));
  const bool whole = parts_->isolates.whole();
  hold(!whole || !lossless || all_held - counted <= unknown,
       "what is not counted of the ledgers' facts is said to be missing",
       std::to_string(counted) + " of " + std::to_string(all_held) + ", " +
           std::to_string(unknown) + " missing");
  const Json answer =
      get(world_, "/v1/metrics/query?metric=z0_facts_written_total&by=tenant_id&window=2d");
  for (const Json& group : answer.at("groups")) {
    const std::string tenant_id = group.at("labels").at("tenant_id");
    if (!whole || !group.at("exact").get<bool>()) continue;
    hold(group.at("value") == written_[tenant_id], "what is said to be exact is so",
         group.dump() + " instead of " + std::to_string(written_[tenant_id]));
  }
}

// Each trace that has to do with money is in the list, and what was dropped was counted.
void Telemetry::check_list() {
  std::set<std::string> listed;
  Json last;
  for (std::string url = "/v1/traces?money=any&limit=7"; !url.empty();) {
    last = get(world_, url);
    for (const Json& trace : last.at("traces")) listed.insert(trace.at("trace_id"));
    const Json& cursor = last.at("cursor");
    url =
        cursor.is_null() ? "" : "/v1/traces?money=any&limit=7&cursor=" + cursor.get<std::string>();
  }
  // A decision is remembered by a hash, of which few bits count here.
  std::set<std::uint64_t> all;
  std::set<std::uint64_t> important;
  for (const auto& [trace_id, trace] : traces_) {
    all.insert(trace.hash);
    if (!trace.important.empty()) important.insert(trace.hash);
    hold(!trace.money || listed.contains(trace_id), "a trace that has to do with money is listed",
         trace_id);
  }
  const std::int64_t kept = last.at("sampling").at("kept");
  const std::int64_t dropped = last.at("sampling").at("dropped");
  hold(kept >= static_cast<std::int64_t>(important.size()) &&
           kept + dropped >= static_cast<std::int64_t>(all.size()),
       "each trace is counted as kept or dropped",
       last.at("sampling").dump() + " of " + std::to_string(all.size()));
  check_export(last.at("export"));
}

void Telemetry::check_export(const Json& counts) {
  const std::int64_t lost = counts.at("lost");
  hold(counts.at("spans") <= parts_->tail.taken(), "no more is sent on than is taken",
       counts.dump());
  hold(outbox_full_ || lost <= parts_->tail.refused(),
       "nothing is given up that may be taken later", counts.dump());
  if (!exports_) return;
  std::int64_t absent = 0;
  for (const auto& [trace_id, trace] : traces_) {
    for (const std::string& id : trace.important) absent += parts_->tail.received(id) ? 0 : 1;
  }
  hold(absent <= lost, "what is kept is sent on, or said to be lost",
       std::to_string(absent) + " absent, " + counts.dump());
}

}  // namespace z0::sim
