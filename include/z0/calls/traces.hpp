// What others ask of a store of traces, and what it answers: the bytes of each call. ledger.hpp says how
// calls are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0.h"
#include "z0/base/fields.hpp"
#include "z0/base/span_name.hpp"
#include "z0/trace/span.hpp"

namespace z0 {

// What an object of traces is asked; its alarm takes its place among them, but nobody calls it.
enum class TracesMethod : std::uint8_t { alarm = 0, store = 1, get = 2, search = 3, count_ = 4 };
constexpr z0_target target_of(TracesMethod) { return Z0_TARGET_TRACES; }
inline constexpr std::string_view traces_method_names[] = {"alarm", "store", "get", "search"};
constexpr SpanName span_of(TracesMethod method) {
  constexpr SpanName names[] = {"z0.do.traces.alarm", "z0.do.traces.store", "z0.do.traces.get",
                                "z0.do.traces.search"};
  return names[static_cast<std::size_t>(method)];
}

// Which of so many objects a trace lies in. trace_id: 16 bytes.
std::size_t traces_shard(std::string_view trace_id, std::size_t shards);
// "traces_" and the number.
std::string traces_object_name(std::size_t shard);

// Spans to keep, each as encode() writes it. They are collected by trace until it has been quiet for
// limits::trace_quiet_ms. A span that is linked to other traces is stored with those, too.
struct StoreRequest {
  struct Item {
    std::string_view trace_id;  // where it is filed: its own trace, or one that it links to
    std::string_view span;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.trace_id);
      f.text(self.span);
    }
    bool valid() const { return trace_id.size() == trace_id_bytes; }
  };
  std::vector<Item> items;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.items);
  }
};
// The requests of a step's spans, by shard: each of at most limits::traces_delivery_bytes_max.
struct Delivery {
  std::size_t shard = 0;
  std::string request;
  std::size_t spans = 0;
};
std::vector<Delivery> deliveries_of(const std::vector<Span>& spans, std::size_t shards);

struct StoreReply {
  std::int64_t stored = 0;
  std::int64_t known = 0;    // they had come before
  std::int64_t refused = 0;  // no room, or no spans

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.stored);
    f.number(self.known);
    f.number(self.refused);
  }
};

struct TraceRequest {
  std::string_view trace_id;   // 16 bytes
  std::string_view tenant_id;  // whose spans are shown; empty: all

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.trace_id);
    f.text(self.tenant_id);
  }
  bool valid() const { return trace_id.size() == trace_id_bytes; }
};
struct TraceReply {
  std::vector<std::string_view> spans;  // each as encode() writes it, each once, in no order
  bool open = false;                    // spans may still come
  bool cut = false;                     // there are more than limits::trace_spans_max

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.spans);
    f.flag(self.open);
    f.flag(self.cut);
  }
};

// Which of the traces that were kept; what is empty or 0 does not matter.
struct SearchRequest {
  std::string_view tenant_id;
  std::string_view operation;  // name of its root
  std::int64_t min_us = 0;
  bool error = false;
  MoneyEffect money = MoneyEffect::none;
  bool any_money = false;  // moved or failed
  std::int64_t from_us = 0;
  std::int64_t to_us = 0;
  std::int64_t limit = 0;
  // Older than this place; 0: from the newest on.
  std::int64_t segment = 0;
  std::int64_t index = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.operation);
    f.number(self.min_us);
    f.flag(self.error);
    f.code(self.money);
    f.flag(self.any_money);
    f.number(self.from_us);
    f.number(self.to_us);
    f.number(self.limit);
    f.number(self.segment);
    f.number(self.index);
  }
};

// A trace in a list.
struct TraceSummary {
  std::string trace_id;
  std::string operation;  // name of its root: the span that none of the others is the parent of
  std::string service;
  std::vector<std::string> tenants;
  std::int64_t start_us = 0;
  std::int64_t end_us = 0;
  Clock clock = Clock::seen;  // of its root
  std::int64_t spans = 0;
  std::int64_t errors = 0;
  MoneyEffect money = MoneyEffect::none;  // failed where both
  // So many traces were like this one, of which it was kept: 1 where every one is.
  std::int64_t one_in = 1;
  std::string error_code;  // the first

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.trace_id);
    f.text(self.operation);
    f.text(self.service);
    f.list(self.tenants);
    f.number(self.start_us);
    f.number(self.end_us);
    f.code(self.clock);
    f.number(self.spans);
    f.number(self.errors);
    f.code(self.money);
    f.number(self.one_in);
    f.text(self.error_code);
  }
};
struct SearchReply {
  struct Found {
    TraceSummary trace;
    std::int64_t segment = 0;  // where it lies, to go on behind it
    std::int64_t index = 0;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.part(self.trace);
      f.number(self.segment);
      f.number(self.index);
    }
  };
  std::vector<Found> found;  // newest first
  bool more = false;         // older ones may be found from this place on
  std::int64_t segment = 0;
  std::int64_t index = 0;
  // Of all traces that this object decided on.
  std::int64_t kept = 0;
  std::int64_t dropped = 0;
  std::int64_t spans_refused = 0;
  std::int64_t exported = 0;
  std::int64_t export_lost = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.found);
    f.flag(self.more);
    f.number(self.segment);
    f.number(self.index);
    f.number(self.kept);
    f.number(self.dropped);
    f.number(self.spans_refused);
    f.number(self.exported);
    f.number(self.export_lost);
  }
};

}  // namespace z0
