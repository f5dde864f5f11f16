// Effects as those read them who carry them out: native hosts, the tests, and the edge where it takes
// the consumer's steps. Everything here borrows the bytes of the effects.
//
// A host asks each effect for what it carries and visits that; what it does not care for is one overload:
//
//   struct Handler {
//     void operator()(const Write& write) { storage.run(write.statement); }
//     template <class Other>
//     void operator()(const Other&) {}
//   };
//   std::visit(Handler{}, carried_by(effect));
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "z0/base/trap.hpp"
#include "z0/wire/effects.hpp"

namespace z0 {

struct Effect {
  z0_effect_kind kind{};
  Phase phase{};
  std::string_view payload;
};

// False for bytes that are no effects, or whose phases decrease.
[[nodiscard]] bool parse_effects(std::string_view bytes, std::vector<Effect>& out);

// What an effect carries, by the kinds of z0.h and in their order.
struct RowsNeed {
  Statement statement;
};
// The span that a need is: its name, and its members as JSON, see name_span in effects.cpp.
struct NeedSpan {
  std::string_view name;
  std::string_view members;
};
struct QueryNeed {
  std::vector<Statement> statements;
  std::string_view database;
  NeedSpan span;
};
struct CallNeed {
  std::uint8_t target = 0;
  std::uint8_t method = 0;
  std::string_view object;
  std::uint32_t timeout_ms = 0;
  std::string_view request;
  NeedSpan span;
};
struct SignNeed {
  std::string_view text;
};
struct FetchNeed {
  std::string_view method;
  std::string_view url;
  std::vector<Header> headers;
  std::uint32_t timeout_ms = 0;
  std::string_view body;
  std::uint32_t answer_bytes_max = 0;
  NeedSpan span;
};
struct SecretNeed {
  std::string_view name;
};
struct ZoneNeed {
  std::string_view zone;
  std::int64_t at_ms = 0;
};
struct ResumeNeed {
  std::string_view continuation;
  std::size_t steps_max = 0;
  std::string_view where;
};
struct Write {
  Statement statement;
};
struct AlarmAt {
  std::int64_t at_ms = 0;
};
struct HttpAnswer {
  std::uint16_t http = 0;
  std::vector<Header> headers;
  std::string_view body;
};
struct QueueMessage {
  std::string_view bytes;
};
struct ToldReport {
  std::string_view report;
};
struct DataPoint {
  z0_point_kind kind = Z0_POINT_COUNTER;
  std::string_view index;
  std::vector<std::string_view> blobs;
  double how_much = 0;
  double value = 0;
  std::string_view trace_id;
};
struct LogLine {
  bool error = false;
  std::string_view json;
};
struct SpanLine {
  std::string_view json;
};
using Carried = std::variant<RowsNeed, QueryNeed, CallNeed, SignNeed, FetchNeed, SecretNeed,
                             ZoneNeed, ResumeNeed, Write, AlarmAt, HttpAnswer, QueueMessage,
                             ToldReport, DataPoint, LogLine, SpanLine>;

// Traps on an effect that no core writes.
[[nodiscard]] Carried carried_by(const Effect& effect);
// The same where the kind is known already; traps on another.
template <class T>
[[nodiscard]] T carried_by(const Effect& effect) {
  Carried carried = carried_by(effect);
  T* const found = std::get_if<T>(&carried);
  if (found == nullptr) trap("an effect is of the kind that was asked for");
  return std::move(*found);
}

}  // namespace z0
