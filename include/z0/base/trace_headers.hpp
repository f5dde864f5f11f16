// The two headers of W3C Trace Context as they go out; trace/context.hpp reads those that come in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace z0 {

// Whose member in tracestate is ours.
inline constexpr std::string_view tracestate_key = "z0";

// "00-{trace_id}-{span_id}-{flags}", the ids in hexadecimal.
std::string traceparent_of(std::string_view trace_id, std::string_view span_id, std::uint8_t flags);
// Our member, which names the same span, in front of those of others.
std::string tracestate_of(std::string_view span_id, std::string_view others);

}  // namespace z0
