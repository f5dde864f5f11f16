// The store of traces: what spans came, by trace, and for a week those that are worth keeping.
//
// It lives in Durable Objects, traces_0 and on, over which trace ids are spread. Spans come in
// deliveries; each is one row (`inbox`) until its traces have been quiet for some seconds. Then a trace
// is judged as a whole: one with an error, a slow root or a fact that moved or failed to move money is
// kept, of the rest one in so many. Kept traces go, many in one row, into segments, which carry the hashes of their trace
// ids and summaries of what they hold; a week later a segment is dropped as a whole. So a span costs a
// small part of a row, and a look-up reads hashes and one or two segments.
//
// What is held in memory is a cache of rows. A delivery that was acknowledged is never lost.
#pragma once

#include <memory>

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

class TraceStore;
struct EndTraceStore {
  void operator()(TraceStore* store) const;
};
using OwnedTraceStore = std::unique_ptr<TraceStore, EndTraceStore>;
OwnedTraceStore new_trace_store();

// Frames to Z0_TARGET_TRACES: calls of calls/traces.hpp, and the alarm.
void step_traces(TraceStore& store, const Frame& frame, Effects& effects);

// What a step asked for before it went on so: rows, or a request to somebody outside.
z0_effect_kind traces_asked(std::string_view continuation);

}  // namespace z0
