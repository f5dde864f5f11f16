// A span: one operation of an execution, when it ran, how it ended, whose it was and what it did to
// the money.
//
// It is a value. z0 emits it as JSON (a member of the log line of its invocation), the Tail Worker and
// OTLP bring it in, TraceStore keeps its bytes. Times are microseconds since 1970: Workers see
// milliseconds, what OpenTelemetry brings is finer.
//
// The clock of a Worker stands still between I/O. A span during which it did not move says so with
// `Clock::stood`: its duration is not known, and is never shown as 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/base/fields.hpp"
#include "z0/base/span_name.hpp"
#include "z0/json/json.hpp"
#include "z0/trace/context.hpp"

namespace z0 {

// OpenTelemetry's SpanKind and StatusCode, with its numbers.
enum class SpanKind : std::uint8_t {
  unspecified,
  internal,
  server,
  client,
  producer,
  consumer,
  count_
};
enum class SpanStatus : std::uint8_t { unset, ok, error, count_ };
enum class Clock : std::uint8_t { seen, stood, count_ };
// What a span did to money: a fact with an amount was recorded, or could not be.
enum class MoneyEffect : std::uint8_t { none, moved, failed, count_ };

std::string_view kind_name(SpanKind kind);
std::string_view status_name(SpanStatus status);
std::string_view money_name(MoneyEffect money);

struct Attribute {
  std::string key;
  std::string value;  // JSON: a text, a number, true or false, or a list of these

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.key);
    f.text(self.value);
  }
  bool operator==(const Attribute&) const = default;
};

// Another span that this one has to do with, as each trace whose facts a joined message carries.
struct SpanLink {
  std::string trace_id;  // 16 bytes
  std::string span_id;   // 8 bytes

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.trace_id);
    f.text(self.span_id);
  }
  bool valid() const {
    return trace_id.size() == trace_id_bytes && span_id.size() == span_id_bytes;
  }
  bool operator==(const SpanLink&) const = default;
};

struct Span {
  std::string trace_id;   // 16 bytes
  std::string span_id;    // 8 bytes
  std::string parent_id;  // 8 bytes, or empty where the trace begins
  std::string name;
  std::string service;  // who ran it
  SpanKind kind = SpanKind::internal;
  SpanStatus status = SpanStatus::unset;
  Clock clock = Clock::seen;
  MoneyEffect money = MoneyEffect::none;
  std::int64_t start_us = 0;
  std::int64_t end_us = 0;
  std::string tenant_id;   // empty: the platform's own
  std::string entity_id;   // empty: of none, or of several
  std::string error_code;  // of status.hpp, or whatever the sender calls it
  std::string message;     // what went wrong, in words
  std::vector<Attribute> attributes;
  std::vector<SpanLink> links;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.trace_id);
    f.text(self.span_id);
    f.text(self.parent_id);
    f.text(self.name);
    f.text(self.service);
    f.code(self.kind);
    f.code(self.status);
    f.code(self.clock);
    f.code(self.money);
    f.number(self.start_us);
    f.number(self.end_us);
    f.text(self.tenant_id);
    f.text(self.entity_id);
    f.text(self.error_code);
    f.text(self.message);
    f.list(self.attributes);
    f.list(self.links);
  }
  bool valid() const {
    return trace_id.size() == trace_id_bytes && span_id.size() == span_id_bytes &&
           (parent_id.empty() || parent_id.size() == span_id_bytes);
  }
  bool operator==(const Span&) const = default;
};

// The span of a hop, from its context. Who writes the line that it stands in says whose service it is.
Span request_span(const TraceContext& context, SpanName name, SpanKind kind, std::int64_t start_ms,
                  std::int64_t end_ms);

// Cuts what is longer than limits.hpp lets a span be: attributes and links behind the last that fit are
// left out and counted in `dropped`, texts end in "...". A name that is empty becomes "unnamed", an end
// before the start becomes the start. After it the bytes are at most limits::span_bytes_max.
void bound(Span& span, std::size_t& dropped);

// The members of the span as JSON, as they stand in a log line; ids are hexadecimal, what is empty or
// usual is left out:
//   {"name","trace_id","span_id","parent_id","service","kind","start_us","end_us","status","clock","money",
//    "tenant_id","entity_id","error_code","message","attributes":{},"links":[{"trace_id","span_id"}]}
std::string span_json(const Span& span);

// Reads one such object; members that it does not know are skipped. False when it is no span: the
// reader's error says where the JSON is wrong, or an id, a name or a time is missing or none.
[[nodiscard]] bool read_span(JsonReader& in, Span& out);

}  // namespace z0
