#include "z0/base/trace_headers.hpp"

#include "z0/base/ids.hpp"

namespace z0 {

std::string traceparent_of(std::string_view trace_id, std::string_view span_id,
                           std::uint8_t flags) {
  std::string out;
  out.reserve(55);
  out.append("00-").append(trace_id).append("-").append(span_id).append("-");
  const char bits = static_cast<char>(flags);
  append_hex(out, {&bits, 1});
  return out;
}

std::string tracestate_of(std::string_view span_id, std::string_view others) {
  std::string list(tracestate_key);
  list.append("=").append(span_id);
  return others.empty() ? list : list.append(",").append(others);
}

}  // namespace z0
