#include "z0/traces/tail.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/reply.hpp"
#include "z0/calls/traces.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/events.hpp"
#include "z0/trace/context.hpp"

namespace z0 {
namespace {

constexpr std::string_view spans_line = "spans";
constexpr std::size_t exceptions_max = 4;
constexpr std::size_t tail_depth_max = limits::data_depth_max + 4;

struct Thrown {
  std::string name, message, stack;
};

struct Invocation {
  std::string script, entrypoint, event, outcome, traceparent;
  bool durable = false;
  std::int64_t at = 0, wall_ms = 0, cpu_ms = 0, status = 0;
  std::vector<Thrown> exceptions;
  std::vector<std::string> lines;

  bool failed() const {
    return !exceptions.empty() || (!outcome.empty() && outcome != "ok" && outcome != "canceled" &&
                                   outcome != "responseStreamDisconnected");
  }
};

bool take_text(JsonReader& in, std::string& out) {
  std::string scratch;
  std::string_view text;
  if (in.peek() != JsonKind::string) return in.skip();
  if (!in.string(text, scratch)) return false;
  out = text;
  return true;
}

bool take_number(JsonReader& in, std::int64_t& out) {
  JsonReader::Fit fit{};
  std::int64_t value = 0;
  if (in.peek() != JsonKind::number) return in.skip();
  if (in.integer(value, fit) && fit == JsonReader::Fit::exact && value >= 0)
    out = std::min(value, limits::timestamp_ms_max);
  return in.error() == JsonError::none;
}

bool take_exception(JsonReader& in, Thrown& out) {
  if (in.peek() != JsonKind::object || !in.enter_object()) return false;
  std::string_view name;
  while (in.next_member(name)) {
    std::string* const to = name == "name"      ? &out.name
                            : name == "message" ? &out.message
                            : name == "stack"   ? &out.stack
                                                : nullptr;
    if (to == nullptr ? !in.skip() : !take_text(in, *to)) return false;
  }
  return in.error() == JsonError::none;
}

bool take_exceptions(JsonReader& in, std::vector<Thrown>& out) {
  if (in.peek() != JsonKind::array || !in.enter_array()) return false;
  while (in.next_element()) {
    Thrown thrown;
    if (!take_exception(in, thrown)) return false;
    if (out.size() < exceptions_max) out.push_back(std::move(thrown));
  }
  return in.error() == JsonError::none;
}

bool take_lines(JsonReader& in, std::vector<std::string>& out) {
  if (in.peek() != JsonKind::array || !in.enter_array()) return false;
  while (in.next_element()) {
    if (!take_text(in, out.emplace_back())) return false;
  }
  return in.error() == JsonError::none;
}

bool take_member(JsonReader& in, std::string_view name, Invocation& out) {
  if (name == "script") return take_text(in, out.script);
  if (name == "entrypoint") return take_text(in, out.entrypoint);
  if (name == "event") return take_text(in, out.event);
  if (name == "outcome") return take_text(in, out.outcome);
  if (name == "traceparent") return take_text(in, out.traceparent);
  if (name == "at") return take_number(in, out.at);
  if (name == "wall_ms") return take_number(in, out.wall_ms);
  if (name == "cpu_ms") return take_number(in, out.cpu_ms);
  if (name == "status") return take_number(in, out.status);
  if (name == "exceptions") return take_exceptions(in, out.exceptions);
  if (name == "lines") return take_lines(in, out.lines);
  if (name == "durable" && in.peek() == JsonKind::boolean) return in.boolean(out.durable);
  return in.skip();
}

bool take_invocation(JsonReader& in, Invocation& out) {
  if (in.peek() != JsonKind::object || !in.enter_object()) return false;
  std::string_view name;
  std::string key;
  while (in.next_member(name)) {
    key = name;
    if (!take_member(in, key, out)) return false;
  }
  return in.error() == JsonError::none;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// A script's or an event's name as a part of a span's: "call-router" is call_router.
std::string as_word(std::string_view text, std::string_view otherwise) {
  std::string word;
  for (const char c : text) {
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool fits = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9');
    word += fits ? small : '_';
    if (word.size() == 40) break;
  }
  const bool letter = !word.empty() && word[0] >= 'a' && word[0] <= 'z';
  return letter ? word : std::string(otherwise);
}

class Tail {
 public:
  Tail(const Redaction& redaction, std::string_view random)
      : redaction_(redaction), random_(random) {}

  void take(const Invocation& invocation) {
    const std::size_t first = out_.spans.size();
    for (const std::string& line : invocation.lines) read_line(line, invocation);
    if (out_.spans.size() == first && !make_span(invocation)) return;
    join(invocation, root_from(first));
    for (std::size_t i = first; i < out_.spans.size(); ++i) {
      redact(out_.spans[i], redaction_);
      bound(out_.spans[i], out_.cut);
    }
  }
  void unreadable() { ++out_.unreadable; }
  TailSpans take_all() { return std::move(out_); }

 private:
  void read_line(const std::string& line, const Invocation& invocation) {
    JsonReader in(line, tail_depth_max);
    std::string service = invocation.script;
    std::string kind;
    std::vector<Span> spans;
    if (in.peek() != JsonKind::object || !in.enter_object()) return unreadable();
    std::string_view name;
    while (in.next_member(name)) {
      if (name == "spans" && in.peek() == JsonKind::array) {
        in.enter_array();
        while (in.next_element()) {
          if (!read_span(in, spans.emplace_back())) return unreadable();
        }
      } else if (name == "service") {
        if (!take_text(in, service)) break;
      } else if (name == "z0") {
        if (!take_text(in, kind)) break;
      } else if (!in.skip()) {
        break;
      }
    }
    if (in.error() != JsonError::none || kind != spans_line) return unreadable();
    for (Span& span : spans) {
      if (span.service.empty()) span.service = service;
      out_.spans.push_back(std::move(span));
    }
  }

  // The span of the invocation itself: of a caller's request, or the one whose parent is not among them.
  Span& root_from(std::size_t first) {
    auto& spans = out_.spans;
    for (std::size_t i = first; i < spans.size(); ++i) {
      if (spans[i].kind == SpanKind::server || spans[i].kind == SpanKind::consumer) return spans[i];
    }
    for (std::size_t i = first; i < spans.size(); ++i) {
      const bool inner =
          std::any_of(spans.begin() + static_cast<std::ptrdiff_t>(first), spans.end(),
                      [&](const Span& other) { return other.span_id == spans[i].parent_id; });
      if (!inner) return spans[i];
    }
    return spans[first];
  }

  // An invocation that said nothing. False where nobody would look for it.
  bool make_span(const Invocation& invocation) {
    const TraceContext context = trace_context(invocation.traceparent, {}, next_random());
    if (context.parent_id.empty() && !invocation.failed()) return false;
    const std::string name =
        std::string(invocation.durable ? "z0.do." : "z0.worker.") +
        as_word(invocation.durable ? invocation.entrypoint : invocation.script, "unnamed") + '.' +
        as_word(invocation.event, "invoke");
    SpanName valid;
    if (!SpanName::read(name, valid)) trap("a name that is made of words is a span's");
    Span span = request_span(context, valid, SpanKind::server, invocation.at, invocation.at);
    span.service = invocation.script;
    span.clock = Clock::stood;
    if (invocation.status >= 500) span.status = SpanStatus::error;
    if (invocation.status != 0)
      span.attributes.push_back({"http.response.status_code", std::to_string(invocation.status)});
    out_.spans.push_back(std::move(span));
    return true;
  }

  // What the platform saw of it.
  static void join(const Invocation& invocation, Span& root) {
    const auto add = [&root](std::string_view key, std::string value) {
      root.attributes.push_back({std::string(key), std::move(value)});
    };
    if (root.clock == Clock::stood && invocation.wall_ms > 0) {
      root.clock = Clock::seen;
      root.end_us = root.start_us + invocation.wall_ms * 1'000;
    }
    if (invocation.cpu_ms > 0) add("z0.cpu_ms", std::to_string(invocation.cpu_ms));
    if (invocation.wall_ms > 0) add("z0.wall_ms", std::to_string(invocation.wall_ms));
    if (!invocation.failed()) return;
    root.status = SpanStatus::error;
    add("cloudflare.outcome", quoted(invocation.outcome));
    if (root.error_code.empty()) root.error_code = invocation.outcome;
    if (invocation.exceptions.empty()) return;
    // By the names of OpenTelemetry; of several the first one, which the others follow from.
    const Thrown& thrown = invocation.exceptions[0];
    add("exception.type", quoted(thrown.name));
    add("exception.message", quoted(thrown.message));
    if (!thrown.stack.empty()) add("exception.stacktrace", quoted(thrown.stack));
    if (root.message.empty()) root.message = thrown.message;
  }

  std::string next_random() {
    std::string seed(random_);
    ByteWriter(seed).u64(made_++);
    const Digest digest = sha256(seed);
    return std::string(bytes_of(digest).substr(0, trace_id_bytes + span_id_bytes));
  }

  const Redaction& redaction_;
  std::string_view random_;
  std::uint64_t made_ = 0;
  TailSpans out_;
};

}  // namespace

TailSpans read_tail(std::string_view json, const Redaction& redaction, std::string_view random,
                    std::string_view unnamed) {
  Tail tail(redaction, random);
  JsonReader in(json, tail_depth_max);
  bool whole = in.peek() == JsonKind::array && in.enter_array();
  while (whole && in.next_element()) {
    Invocation invocation;
    whole = take_invocation(in, invocation);
    if (invocation.script.empty()) invocation.script = unnamed;
    if (whole) tail.take(invocation);
  }
  if (!whole || in.error() != JsonError::none || !in.at_end()) tail.unreadable();
  return tail.take_all();
}

void step_tail(const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_RESUME) {
    std::int64_t lost = 0;
    for (const std::string_view bytes : frame.answers) {
      const CallAnswer answer = parse_call(bytes);
      StoreRequest sent;
      StoreReply reply;
      if (answer.outcome == Z0_OK && decode_reply(answer.reply, reply) == Status::ok)
        lost += reply.refused;
      else if (decode(answer.request, sent))
        lost += static_cast<std::int64_t>(sent.items.size());
    }
    effects.reply(200, {}, {});
    if (lost > 0) log_event(effects, Event::spans_lost, {lost});
    return;
  }
  if (frame.kind != Z0_FRAME_TAIL) trap("trace events and continuations alone come to the tail");
  const TailSpans tail = read_tail(frame.part(0), settings_redaction(frame.settings),
                                   frame.entropy.bytes(), settings_unnamed(frame.settings));
  const auto deliveries = deliveries_of(tail.spans, settings_trace_shards(frame.settings));
  if (deliveries.empty()) {
    effects.reply(200, {}, {});
    if (tail.unreadable > 0)
      log_event(effects, Event::spans_lost, {static_cast<std::int64_t>(tail.unreadable)});
    return;
  }
  for (const Delivery& delivery : deliveries)
    effects.need_call(TracesMethod::store, traces_object_name(delivery.shard),
                      limits::read_timeout_ms, delivery.request);
  effects.resume("tail");
}

}  // namespace z0
