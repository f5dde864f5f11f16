// The monitor's root asks the shards when it is asked, and merges what they answer: groups of one name
// add up, exactly. It keeps nothing of metrics itself.
#include <algorithm>
#include <map>

#include "monitor/step.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/metrics.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

using MergedKey = std::pair<std::int64_t, std::vector<std::string_view>>;
using Merged = std::map<MergedKey, SeriesGroup>;

MergedKey merged_key(const SeriesGroup& group) {
  MergedKey key{group.metric, {group.tenant_id}};
  key.second.insert(key.second.end(), group.labels.begin(), group.labels.end());
  return key;
}

// Both are in order.
void add_amounts(std::vector<SeriesAmount>& sum, const std::vector<SeriesAmount>& more) {
  for (const SeriesAmount& amount : more) {
    const auto at = std::lower_bound(
        sum.begin(), sum.end(), amount, [](const SeriesAmount& a, const SeriesAmount& b) {
          return a.at_ms != b.at_ms ? a.at_ms < b.at_ms : a.bucket < b.bucket;
        });
    if (at != sum.end() && at->at_ms == amount.at_ms && at->bucket == amount.bucket)
      at->amount += amount.amount;
    else
      sum.insert(at, amount);
  }
}

void add_group(SeriesGroup&& more, Merged& groups) {
  MergedKey key = merged_key(more);
  const auto found = groups.find(key);
  if (found == groups.end()) {
    groups.emplace(std::move(key), std::move(more));
    return;
  }
  SeriesGroup& group = found->second;
  add_amounts(group.amounts, more.amounts);
  const bool worst = info(static_cast<Metric>(group.metric)).together == Together::max;
  group.value = worst ? std::max(group.value, more.value) : group.value + more.value;
  group.value_at_ms = std::max(group.value_at_ms, more.value_at_ms);
  if (more.trace_at_ms <= group.trace_at_ms) return;
  group.trace = more.trace;
  group.trace_value = more.trace_value;
  group.trace_at_ms = more.trace_at_ms;
}

// alone: no other shard was asked, so there is nothing to merge with.
void add_reply(SeriesReply&& more, bool alone, SeriesReply& all, Merged& groups) {
  // Another version of z0 may know more metrics.
  std::erase_if(more.groups, [](const SeriesGroup& group) {
    return group.metric >= static_cast<std::int64_t>(Metric::count_);
  });
  if (alone) std::swap(all.groups, more.groups);
  for (SeriesGroup& group : more.groups) add_group(std::move(group), groups);
  for (auto member : {&SeriesReply::left_off, &SeriesReply::missing, &SeriesReply::told,
                      &SeriesReply::lost, &SeriesReply::series, &SeriesReply::memory_bytes,
                      &SeriesReply::exported, &SeriesReply::export_lost})
    all.*member += more.*member;
  // What counting that began at several moments says of all of it, it says from the last one on.
  for (auto member : {&SeriesReply::since_ms, &SeriesReply::reaches_ms})
    all.*member = std::max(all.*member, more.*member);
  all.from_ms = more.from_ms;
  all.folded.insert(all.folded.end(), more.folded.begin(), more.folded.end());
}

}  // namespace

void ask_shards(const Frame& frame, Effects& effects) {
  const std::int64_t shards = settings_monitor_shards(frame.settings);
  for (std::int64_t i = 0; i < shards; ++i) {
    effects.need_call(MonitorMethod::series, monitor_shard_name(i), limits::read_timeout_ms,
                      frame.part(1));
  }
  effects.resume(encode(MonitorCourse{MonitorStage::shards, frame.part(1)}),
                 limits::steps_per_frame_max, "metrics of the shards");
}

void merge_shards(const Monitor& monitor, const Frame& frame, Effects& effects) {
  MonitorCourse course;
  SeriesRequest request;
  if (!decode(frame.part(0), course) || !decode(course.course, request))
    trap("a question to the shards goes round as it was written");
  SeriesReply all;
  Merged groups;
  for (const std::string_view bytes : frame.answers) {
    const CallAnswer answer = parse_call(bytes);
    SeriesReply reply;
    if (answer.outcome == Z0_OK && decode(answer.reply, reply))
      add_reply(std::move(reply), frame.answers.size() == 1, all, groups);
    else
      ++all.unanswered;
  }
  for (auto& [key, group] : groups) {
    if (request.totals || all.groups.size() < limits::metric_groups_max)
      all.groups.push_back(std::move(group));
    else
      ++all.left_off;
  }
  if (request.all_tenants) monitor.put_gauges(request, frame.now_ms, all);
  effects.reply(200, {}, encode(all));
}

// How far replication is is known here as of now, and not only as it was told.
void Monitor::put_gauges(const SeriesRequest& request, std::int64_t now_ms,
                         SeriesReply& reply) const {
  if (since_ms_ == 0) return;
  const Backlog behind = backlog(now_ms);
  const std::pair<Metric, std::int64_t> known[] = {
      {Metric::replication_lag, std::max(last_lag_ms(now_ms), behind.oldest_age_ms)},
      {Metric::replication_queue_depth, behind.depth}};
  for (const auto& [metric, value] : known) {
    const auto number = static_cast<std::int64_t>(metric);
    if (!request.totals && request.metric != number) continue;
    const auto found =
        std::find_if(reply.groups.begin(), reply.groups.end(), [&](const SeriesGroup& group) {
          return group.metric == number && group.tenant_id.empty();
        });
    SeriesGroup& group = found != reply.groups.end() ? *found : reply.groups.emplace_back();
    group.metric = number;
    group.value = value * 1'000;
    group.value_at_ms = now_ms;
  }
}

}  // namespace z0
