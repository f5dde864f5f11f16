#include "z0/trace/context.hpp"

#include <cstddef>

#include "z0/base/ids.hpp"
#include "z0/base/trace_headers.hpp"
#include "z0/base/trap.hpp"
#include "z0/trace/tracestate.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t sampled_flag = 1;
constexpr std::uint8_t random_flag = 2;

// version "-" trace-id "-" parent-id "-" trace-flags
constexpr std::size_t version_at = 0;
constexpr std::size_t trace_id_at = 3;
constexpr std::size_t span_id_at = 36;
constexpr std::size_t flags_at = 53;
constexpr std::size_t traceparent_bytes = 55;

bool lower_hex(std::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool valid_span_id(std::string_view hex) {
  return hex.size() == 2 * span_id_bytes && lower_hex(hex) &&
         hex.find_first_not_of('0') != std::string_view::npos;
}

// Whether the header is long enough for its version, and no longer. Version 0 is exactly as long as
// its fields; a later one may go on after a dash, and what follows is not ours to read.
bool length_fits_version(std::string_view header, std::string_view version) {
  if (header.size() == traceparent_bytes) return true;
  return version != "00" && header[traceparent_bytes] == '-';
}

bool read_traceparent(std::string_view header, TraceContext& context) {
  if (header.size() < traceparent_bytes) return false;
  const std::string_view version = header.substr(version_at, 2);
  const std::string_view trace_id = header.substr(trace_id_at, 2 * trace_id_bytes);
  const std::string_view span_id = header.substr(span_id_at, 2 * span_id_bytes);
  const std::string_view flags = header.substr(flags_at, 2);
  if (!lower_hex(version) || version == "ff" || !length_fits_version(header, version)) return false;
  if (header[trace_id_at - 1] != '-' || header[span_id_at - 1] != '-' ||
      header[flags_at - 1] != '-') {
    return false;
  }
  if (!valid_trace_id(trace_id) || !valid_span_id(span_id) || !lower_hex(flags)) return false;
  char bits = 0;
  if (!from_hex(flags, &bits, 1)) return false;
  context.trace_id = trace_id;
  context.parent_id = span_id;
  // The other six bits have no meaning yet, and the specification wants them zero on the way out.
  context.flags = static_cast<std::uint8_t>(bits) & (sampled_flag | random_flag);
  return true;
}

// Random bytes as an id. All zero is the one value that means "no id", so it becomes 1: a host
// whose entropy is zero (a test) still gets valid contexts.
std::string id_from(std::string_view random) {
  std::string hex;
  append_hex(hex, random);
  if (hex.find_first_not_of('0') == std::string::npos) hex.back() = '1';
  return hex;
}

}  // namespace

std::string TraceContext::traceparent() const { return traceparent_of(trace_id, span_id, flags); }

TraceContext trace_context(std::string_view traceparent, std::string_view tracestate,
                           std::string_view random) {
  if (random.size() != trace_id_bytes + span_id_bytes)
    trap("a trace context is made of 24 random bytes");
  TraceContext context;
  context.span_id = id_from(random.substr(trace_id_bytes));
  if (!read_traceparent(traceparent, context)) {
    context.trace_id = id_from(random.substr(0, trace_id_bytes));
    context.flags = sampled_flag | random_flag;
  } else {
    context.tracestate = others_tracestate(tracestate);
  }
  return context;
}

}  // namespace z0
