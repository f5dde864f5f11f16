// What a shard answers: groups of its series, in order of their names.
#include <algorithm>
#include <cmath>
#include <map>

#include "z0/base/limits.hpp"
#include "z0/monitor/shard.hpp"

namespace z0 {
namespace {

// Where a group stands: what was asked by.
using GroupKey = std::vector<std::string_view>;
// What it came to, by step and bucket.
using Amounts = std::map<std::pair<std::int64_t, std::uint32_t>, std::uint64_t>;

std::int64_t number_of(double v) { return static_cast<std::int64_t>(std::llround(v)); }

bool asked_for(const SeriesRequest& request, const SeriesTable::Name& name) {
  return request.all_tenants || name.tenant_id == request.tenant_id;
}

void take_trace(SeriesGroup& group, const SeriesTable::Series& series) {
  if (series.trace_at_ms <= group.trace_at_ms) return;
  group.trace = {series.trace, sizeof series.trace};
  group.trace_value = number_of(series.trace_value);
  group.trace_at_ms = series.trace_at_ms;
}

// The name with what was not asked by left empty.
GroupKey group_key(const SeriesTable::Name& name, std::int64_t by) {
  GroupKey key{(by & 1) != 0 ? name.tenant_id : std::string_view{}};
  for (std::size_t i = 0; i < name.labels.size(); ++i)
    key.push_back((by >> (i + 1) & 1) != 0 ? name.labels[i] : std::string_view{});
  return key;
}

SeriesGroup group_of(const GroupKey& key, std::int64_t metric) {
  SeriesGroup group;
  group.metric = metric;
  group.tenant_id = key[0];
  group.labels.assign(key.begin() + 1, key.end());
  return group;
}

void write_amounts(const Amounts& amounts, SeriesGroup& group) {
  for (const auto& [place, amount] : amounts) {
    group.amounts.push_back(
        {place.first, static_cast<std::int64_t>(place.second), static_cast<std::int64_t>(amount)});
  }
}

}  // namespace

void Shard::add_totals(const SeriesRequest& request, SeriesReply& reply) const {
  for (const SeriesTable::Series& series : table_.series()) {
    if (series.key.empty()) continue;
    const SeriesTable::Name name = SeriesTable::name_of(series);
    if (!asked_for(request, name)) continue;
    if (reply.groups.size() >= limits::exposed_series_max) {
      ++reply.left_off;
      continue;
    }
    SeriesGroup& group = reply.groups.emplace_back();
    group.metric = static_cast<std::int64_t>(name.metric);
    group.tenant_id = name.tenant_id;
    group.labels = name.labels;
    group.value = number_of(series.value * 1'000);
    group.value_at_ms = series.heard_ms;
    take_trace(group, series);
    Amounts amounts;
    for (std::uint32_t at = series.first_cell; at != SeriesTable::none;
         at = table_.cells()[at].next)
      amounts[{0, table_.cells()[at].bucket}] = table_.cells()[at].total;
    write_amounts(amounts, group);
  }
}

void Shard::add_gauges(const SeriesRequest& request, std::int64_t from_ms,
                       SeriesReply& reply) const {
  const auto metric = static_cast<Metric>(request.metric);
  std::map<GroupKey, SeriesGroup> groups;
  for (const SeriesTable::Series& series : table_.series()) {
    if (series.key.empty() || series.heard_ms < from_ms) continue;
    const SeriesTable::Name name = SeriesTable::name_of(series);
    if (name.metric != metric || !asked_for(request, name)) continue;
    const GroupKey key = group_key(name, request.by);
    const auto found = groups.try_emplace(key, group_of(key, request.metric)).first;
    SeriesGroup& group = found->second;
    const std::int64_t value = number_of(series.value * 1'000);
    group.value =
        info(metric).together == Together::max ? std::max(group.value, value) : group.value + value;
    group.value_at_ms = std::max(group.value_at_ms, series.heard_ms);
  }
  for (auto& [key, group] : groups) reply.groups.push_back(std::move(group));
}

void Shard::add_window(const SeriesRequest& request, std::int64_t now_ms,
                       SeriesReply& reply) const {
  const auto metric = static_cast<Metric>(request.metric);
  struct Group {
    SeriesGroup of;
    Amounts amounts;
  };
  std::map<GroupKey, Group> groups;
  // A name is read once a series, however many slots it stands in.
  std::vector<Group*> by_series(table_.series().size());
  for (std::size_t i = 0; i < by_series.size(); ++i) {
    const SeriesTable::Series& series = table_.series()[i];
    if (series.key.empty()) continue;
    const SeriesTable::Name name = SeriesTable::name_of(series);
    if (name.metric != metric || !asked_for(request, name)) continue;
    const GroupKey key = group_key(name, request.by);
    const auto found = groups.try_emplace(key, Group{group_of(key, request.metric), {}}).first;
    by_series[i] = &found->second;
    if (series.trace_at_ms >= reply.from_ms) take_trace(found->second.of, series);
  }
  const std::size_t level = Windows::level_for(request.window_ms);
  windows_.each(level, reply.from_ms, now_ms,
                [&](std::int64_t begin, std::uint32_t cell, std::uint32_t amount) {
                  if (cell >= table_.cells().size()) return;
                  const SeriesTable::Cell& of = table_.cells()[cell];
                  Group* group = of.series < by_series.size() ? by_series[of.series] : nullptr;
                  if (group == nullptr) return;
                  const std::int64_t step =
                      request.step_ms == 0 ? 0 : (begin - reply.from_ms) / request.step_ms;
                  group->amounts[{reply.from_ms + step * request.step_ms, of.bucket}] += amount;
                });
  for (auto& [key, group] : groups) {
    if (group.amounts.empty()) continue;
    if (reply.groups.size() >= limits::metric_groups_max) {
      ++reply.left_off;
      continue;
    }
    write_amounts(group.amounts, group.of);
    reply.groups.push_back(std::move(group.of));
  }
}

SeriesReply Shard::answer(const SeriesRequest& request, std::int64_t now_ms) const {
  SeriesReply reply;
  reply.since_ms = since_ms_;
  reply.told = streams_.told();
  reply.lost = table_.lost();
  reply.series = static_cast<std::int64_t>(table_.size());
  reply.memory_bytes = static_cast<std::int64_t>(memory_bytes());
  reply.exported = outbox_.taken();
  reply.export_lost = outbox_.lost();
  for (const auto& [family, folded] : table_.folded()) {
    SeriesFolded one;
    Metric metric{};
    SeriesTable::read_family(family, one.tenant_id, metric);
    if (!request.all_tenants && one.tenant_id != request.tenant_id) continue;
    one.metric = static_cast<std::int64_t>(metric);
    one.label = folded.label;
    one.events = folded.events;
    if (request.totals || one.metric == request.metric) reply.folded.push_back(one);
  }
  if (request.totals) {
    reply.missing = streams_.missing();
    add_totals(request, reply);
    return reply;
  }
  const std::size_t level = Windows::level_for(request.window_ms);
  const std::int64_t slot_ms = Windows::levels[level].slot_ms;
  // Whole slots, the one that is open included.
  reply.from_ms = std::max<std::int64_t>(0, (now_ms - request.window_ms) / slot_ms + 1) * slot_ms;
  if (windows_.reaches_ms(level) > reply.from_ms) reply.reaches_ms = windows_.reaches_ms(level);
  // What streams that were forgotten miss is older than an hour.
  reply.missing = level == 0 ? streams_.missing_since(reply.from_ms) : streams_.missing();
  if (static_cast<Metric>(request.metric) < Metric::count_) {
    if (info(static_cast<Metric>(request.metric)).kind == MetricKind::gauge)
      add_gauges(request, reply.from_ms, reply);
    else
      add_window(request, now_ms, reply);
  }
  return reply;
}

}  // namespace z0
