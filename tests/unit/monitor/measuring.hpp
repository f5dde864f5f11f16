// What a world's steps measure, told to the first of its monitor's shards, each point in a flush of its own.
#pragma once

#include <memory>
#include <string>

#include "unit/monitor/flushes.hpp"
#include "world.hpp"
#include "z0/calls/metrics.hpp"

namespace z0::test {

inline void measure(world::World& world) {
  world.measured = [&world, isolate = std::make_shared<Isolate>()](const DataPoint& point) {
    std::string told;
    ByteWriter(told).bytes(
        isolate->flush({encode_point(point)}, static_cast<std::int64_t>(point.how_much)));
    world.tell(monitor_shard_name(0), std::move(told));
  };
}

}  // namespace z0::test
