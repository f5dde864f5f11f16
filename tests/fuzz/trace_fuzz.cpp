// Any bytes as the two headers of a trace context, with a line end between them: what goes on is valid,
// within the limits, and the next hop reads the same of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "step_law.hpp"
#include "z0/base/trace_headers.hpp"
#include "z0/trace/context.hpp"
#include "z0/trace/tracestate.hpp"

namespace {

using namespace z0;
using step_law::broken;

const std::string entropy = "0123456789abcdef01234567";

bool fits_header(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void check_tracestate(std::string_view header) {
  const std::string kept = others_tracestate(header);
  if (others_tracestate(kept) != kept) broken("what was kept is kept again");
  if (!fits_header(kept)) broken("what goes on fits into a header");
  if (static_cast<std::size_t>(std::count(kept.begin(), kept.end(), ',')) + 2 >
      tracestate_members_max)
    broken("our member has a place");
}

void check_context(std::string_view traceparent, std::string_view tracestate) {
  const TraceContext context = trace_context(traceparent, tracestate, entropy);
  const bool ours = context.parent_id.empty();
  if (ours && !context.tracestate.empty()) broken("a new trace has nobody's state");
  if (!ours && traceparent.substr(3, 32) != context.trace_id) broken("a trace keeps its id");
  const std::string list = tracestate_of(context.span_id, context.tracestate);
  if (list.size() > tracestate_bytes_max) broken("a list has at most 512 bytes");
  const TraceContext next = trace_context(context.traceparent(), list, entropy);
  if (next.trace_id != context.trace_id || next.parent_id != context.span_id ||
      next.flags != context.flags || next.tracestate != context.tracestate)
    broken("the next hop reads what was sent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view tracestate = bytes.substr(std::min(end + 1, bytes.size()));
  check_tracestate(tracestate);
  check_context(bytes.substr(0, end), tracestate);
  return 0;
}
