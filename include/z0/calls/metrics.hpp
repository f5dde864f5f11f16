// What the monitor is asked about metrics: by the edge of its root, and by the root of its shards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/base/fields.hpp"

namespace z0 {

// The shard of a number below the setting `monitor_shards`.
std::string monitor_shard_name(std::int64_t shard);

// Either what a metric came to in a window, or what all series came to since they are counted.
struct SeriesRequest {
  bool totals = false;
  std::string_view tenant_id;  // empty: of all, where all_tenants
  bool all_tenants = false;
  // Of a window.
  std::int64_t metric = 0;  // a Metric
  std::int64_t by = 0;      // bit 0: the tenant; bit i + 1: label i of its row
  std::int64_t window_ms = 0;
  std::int64_t step_ms = 0;  // 0: the window as one

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.flag(self.totals);
    f.text(self.tenant_id);
    f.flag(self.all_tenants);
    f.number(self.metric);
    f.number(self.by);
    f.number(self.window_ms);
    f.number(self.step_ms);
  }
};

// What one cell came to.
struct SeriesAmount {
  std::int64_t at_ms = 0;   // where the step begins
  std::int64_t bucket = 0;  // of a histogram
  std::int64_t amount = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.at_ms);
    f.number(self.bucket);
    f.number(self.amount);
  }
};

// Series that have the same values for what was asked by; others are empty.
struct SeriesGroup {
  std::int64_t metric = 0;
  std::string_view tenant_id;
  std::vector<std::string_view> labels;
  std::vector<SeriesAmount> amounts;  // in order of step and bucket
  std::int64_t value = 0;             // of a gauge, in thousandths
  std::int64_t value_at_ms = 0;       // 0: none
  std::string_view trace;             // 16 bytes, or empty: of the newest event that has one
  std::int64_t trace_value = 0;
  std::int64_t trace_at_ms = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.metric);
    f.text(self.tenant_id);
    f.list(self.labels);
    f.list(self.amounts);
    f.number(self.value);
    f.number(self.value_at_ms);
    f.text(self.trace);
    f.number(self.trace_value);
    f.number(self.trace_at_ms);
  }
};

// What the guard against too many series did to a metric of a tenant.
struct SeriesFolded {
  std::string_view tenant_id;
  std::int64_t metric = 0;
  std::int64_t label = 0;   // its place in the metric's row
  std::int64_t events = 0;  // that count under other_value

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.number(self.metric);
    f.number(self.label);
    f.number(self.events);
  }
};

struct SeriesReply {
  std::vector<SeriesGroup> groups;
  std::int64_t left_off = 0;    // groups that were too many
  std::int64_t since_ms = 0;    // when counting began; 0: nothing was counted
  std::int64_t from_ms = 0;     // where the first slot of the window begins
  std::int64_t reaches_ms = 0;  // where the window is cut short for want of room; 0: it is not
  std::int64_t missing = 0;     // events of the window that never arrived, at most
  std::int64_t told = 0;        // events that were told of, ever
  std::int64_t lost = 0;        // events that there was no room to count, ever
  std::int64_t series = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t unanswered = 0;  // shards
  // Data points that somebody else was sent and took, and that nobody took, ever.
  std::int64_t exported = 0;
  std::int64_t export_lost = 0;
  std::vector<SeriesFolded> folded;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.groups);
    for (auto* n : {&self.left_off, &self.since_ms, &self.from_ms, &self.reaches_ms, &self.missing,
                    &self.told, &self.lost, &self.series, &self.memory_bytes, &self.unanswered,
                    &self.exported, &self.export_lost})
      f.number(*n);
    f.list(self.folded);
  }
};

}  // namespace z0
