// The Tail Worker's side: invocations that ended, of z0 and of any other Worker, become spans.
//
// Its frame carries a JSON array, an object an invocation, made of the platform's trace events:
//   script, entrypoint   names; may be missing, as the first is where Workers run locally
//   durable              true for an invocation of a Durable Object
//   event                what it was: fetch, queue, scheduled, alarm, rpc, ...
//   at, wall_ms, cpu_ms  when it began, ms since 1970, and how long it took; 0: not measured
//   outcome              "ok", or what the platform calls it
//   status               of its response, where it was a fetch
//   traceparent          of its request
//   exceptions           [{"name","message","stack"}]
//   lines                its log lines that begin with {"z0":"spans"
// Spans of the lines are joined with what the platform measured; an invocation without lines becomes a
// span of its own where it has a traceparent, or where it failed. What settings.hpp calls `redact` is
// applied before anything goes on.
#pragma once

#include <string_view>
#include <vector>

#include "z0/trace/span.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {

struct TailSpans {
  std::vector<Span> spans;     // bounded and redacted
  std::size_t unreadable = 0;  // invocations, lines and spans that are none
  std::size_t cut = 0;         // attributes and links that did not fit
};
// random: of the ids of spans that z0 makes itself. unnamed: what stands for a script without a name.
TailSpans read_tail(std::string_view json, const Redaction& redaction, std::string_view random,
                    std::string_view unnamed = {});

// Takes away what a redaction names.
void redact(Span& span, const Redaction& redaction);

// Frames to Z0_TARGET_TAIL.
void step_tail(const Frame& frame, Effects& effects);

}  // namespace z0
