// W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context-2/): read or made at the edge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace z0 {

inline constexpr std::size_t trace_id_bytes = 16;
inline constexpr std::size_t span_id_bytes = 8;

struct TraceContext {
  std::string trace_id;   // 32 lower-case hex
  std::string span_id;    // 16 lower-case hex: this hop's own
  std::string parent_id;  // 16 lower-case hex of the caller's span; empty when the trace began here
  std::uint8_t flags = 0;  // bit 0 sampled, bit 1 random
  std::string tracestate;  // what others wrote into it, while the trace is the caller's; else empty

  // That of this span, for what follows from it. What a request to somebody outside carries names
  // the span of that request instead: wire/effects.hpp writes it.
  std::string traceparent() const;
};

// Takes the caller's headers when `traceparent` is valid, else begins a trace. Version ff, zero
// ids, upper case and wrong lengths are invalid; a higher version is read by its first 55 bytes
// when a dash or nothing follows. tracestate.hpp says what becomes of tracestate. random: 24 bytes,
// of which the last 8 make the span id and the first 16 a new trace's id (then flags = sampled |
// random).
TraceContext trace_context(std::string_view traceparent, std::string_view tracestate,
                           std::string_view random);

}  // namespace z0
