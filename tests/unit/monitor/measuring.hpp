// What a world's steps measure, told to the first of its monitor's shards, each point in a flush of its own.
// After a silence the isolate begins a new stream, as one does in bindings/worker/streams.js.
#pragma once

#include <memory>
#include <string>

#include "unit/monitor/flushes.hpp"
#include "world.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/metrics.hpp"

namespace z0::test {

inline void measure(world::World& world) {
  struct Telling {
    Isolate isolate;
    std::int64_t told_ms = 0;
  };
  world.measured = [&world, telling = std::make_shared<Telling>()](const DataPoint& point) {
    Isolate& isolate = telling->isolate;
    if (world.now_ms - telling->told_ms >= limits::stream_silence_ms / 2)
      isolate = Isolate{isolate.stream + 1, world.now_ms, 0, 0};
    telling->told_ms = world.now_ms;
    std::string told;
    ByteWriter(told).bytes(
        isolate.flush({encode_point(point)}, static_cast<std::int64_t>(point.how_much)));
    world.tell(monitor_shard_name(0), std::move(told));
  };
}

}  // namespace z0::test
