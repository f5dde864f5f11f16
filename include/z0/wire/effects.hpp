// Effects: what a step wants done, accumulated in one value. The grammar is in z0.h.
//
// Use it as the tail of a decision: needs (and nothing else), or commits, then the reply, then
// sends, then tells. An effect out of order is a broken invariant and traps.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/base/bytes.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/span_name.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

enum class Phase : std::uint8_t { need = 0, commit = 1, reply = 2, send = 3, tell = 4 };

using Header = std::pair<std::string_view, std::string_view>;

// One statement with its parameters.
struct Statement {
  std::string_view sql;
  std::vector<Value> values;
};

// The span under which stands what a step asks others for. Borrowed until the step ends.
struct SpanParent {
  std::string_view trace_id;  // hexadecimal, as in a traceparent
  std::string_view span_id;
  std::string_view tenant_id;  // may be empty
  std::uint64_t seed = 0;      // of the ids of the spans below it: random, new for each step
  // Of what goes on to somebody outside, as in a traceparent, and what others wrote into the tracestate.
  std::uint8_t flags = 0;
  std::string_view tracestate;
};

// What a step learns of the operation that it belongs to, for whoever writes that one's span.
struct SpanNotes {
  std::uint16_t http = 0;       // of the reply
  std::string_view error_code;  // a name of status.hpp; empty: nothing was refused
  std::string tenant_id;
  std::string entity_id;
  std::int64_t facts = 0;  // that were recorded
  bool failed = false;     // something that was to be written could not be
  bool money_moved = false;
  bool money_failed = false;
};

// An HTTP request to somebody outside.
struct FetchRequest {
  std::string_view method;
  std::string_view url;
  std::vector<Header> headers;
  std::string_view body;
  std::uint32_t timeout_ms = 0;
  // The answer's body is brought when it has no more bytes than this.
  std::uint32_t answer_bytes_max = 0;
};

class Effects {
 public:
  Effects();
  // Forgets everything; the room stays, unless it is large. What finish() gave dies.
  void begin_step();
  // From here on, what is asked for is a span of this one's trace.
  void spans_under(const SpanParent& parent) { parent_ = parent; }
  SpanNotes notes;

  // -- phase 0
  void need_rows(std::string_view sql, std::initializer_list<Value> values);
  // database: a binding's name, see settings.hpp.
  void need_query(SpanName span, std::string_view database,
                  const std::vector<Statement>& statements);
  // Of one statement.
  void need_query(SpanName span, std::string_view database, std::string_view sql,
                  std::initializer_list<Value> values);
  // method: of an enum of calls/, which says whose it is and what its span is called. What is sent is
  // request and rest, as one.
  template <class Method>
  void need_call(Method method, std::string_view object, std::uint32_t timeout_ms,
                 std::string_view request, std::string_view rest = {}) {
    need_call(span_of(method), target_of(method), static_cast<std::uint8_t>(method), object,
              timeout_ms, request, rest);
  }
  void need_sign(std::string_view text);
  void need_secret(std::string_view name);
  void need_zone(std::string_view zone, std::int64_t at_ms);
  // Under a span it carries the trace on, as W3C Trace Context has it: whoever is asked has the span of
  // this need as its parent.
  void need_fetch(SpanName span, const FetchRequest& request);
  // steps_max: how many steps the frame may take in all. where: the stage that it is at, for the
  // words of a host that ends it; made of the continuation's first byte when empty.
  void resume(std::string_view continuation, std::size_t steps_max = limits::steps_per_frame_max,
              std::string_view where = {});
  bool needs() const { return phase_ == Phase::need && count_ > 0; }
  // Whether one of them is answered by somebody else, so that other steps come in between.
  bool waits_outside() const { return waits_outside_; }

  // -- phase 1
  void write(std::string_view sql, std::initializer_list<Value> values);
  void alarm(std::int64_t at_ms);

  // -- phase 2
  void reply(std::uint16_t http, std::initializer_list<Header> headers, std::string_view body);

  // -- phase 3
  void send(std::string_view message);

  // -- phase 4
  void tell(std::string_view report);
  // By metrics/registry.hpp alone, which knows the names. The name is the first blob.
  void point(z0_point_kind kind, std::string_view index, std::string_view name,
             std::span<const std::string_view> labels, double how_much, double value,
             std::string_view trace_id);
  void log(bool error, std::string_view json);
  // JSON of trace/span.hpp.
  void span(std::string_view json);

  // An effect as another step decided it, in its phase.
  void pass_on(z0_effect_kind kind, Phase phase, std::string_view payload);

  // The bytes for the host; valid until this object changes or dies.
  std::string_view finish();

 private:
  void need_call(SpanName span, z0_target target, std::uint8_t method, std::string_view object,
                 std::uint32_t timeout_ms, std::string_view request, std::string_view rest);
  std::string need_id() const;
  void name_span(SpanName span, std::string_view object);
  std::size_t begin(z0_effect_kind kind, Phase phase);
  void end(std::size_t mark);

  std::string bytes_;
  ByteWriter out_;
  std::uint32_t count_ = 0;
  Phase phase_ = Phase::need;
  bool waits_outside_ = false;
  SpanParent parent_;
};

}  // namespace z0
