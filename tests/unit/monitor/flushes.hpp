// Flushes as an isolate writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "z0/base/bytes.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/wire/read_effects.hpp"

namespace z0::test {

inline std::string encode_point(const DataPoint& point) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(point.kind));
  out.bytes(point.index);
  out.u16(static_cast<std::uint16_t>(point.blobs.size()));
  for (const auto blob : point.blobs) out.bytes(blob);
  out.f64(point.how_much);
  out.f64(point.value);
  out.bytes(point.trace_id);
  return bytes;
}

inline std::string point(Metric metric, std::string_view tenant,
                         const std::vector<std::string>& labels, double how_much, double value = 0,
                         std::string_view trace = {}) {
  DataPoint one{static_cast<z0_point_kind>(info(metric).kind),
                tenant,
                {info(metric).name},
                how_much,
                value,
                trace};
  one.blobs.insert(one.blobs.end(), labels.begin(), labels.end());
  return encode_point(one);
}

// An isolate that tells one shard.
struct Isolate {
  std::uint64_t stream = 1;
  std::int64_t began_ms = 1;
  std::int64_t number = 0;
  std::int64_t told = 0;

  // The next flush; events: what its points come to.
  std::string flush(const std::vector<std::string>& points, std::int64_t events) {
    std::string bytes;
    ByteWriter out(bytes);
    out.u64(stream);
    for (const std::int64_t n : {began_ms, ++number, told, events})
      out.u64(static_cast<std::uint64_t>(n));
    told += events;
    out.u32(static_cast<std::uint32_t>(points.size()));
    for (const auto& one : points) out.bytes(one);
    return bytes;
  }
};

}  // namespace z0::test
