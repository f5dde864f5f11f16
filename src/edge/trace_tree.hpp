// The spans of a trace, in the order in which a person reads them.
#pragma once

#include <string_view>

#include "z0/calls/traces.hpp"
#include "z0/json/write.hpp"

namespace z0 {

// Members of the answer: the summary of its root, `spans` in the order of a tree, each with its `depth`,
// `linked` (spans of other traces that link to this one), and what is missing.
void write_trace(JsonWriter& json, std::string_view trace_id, const TraceReply& reply);

}  // namespace z0
