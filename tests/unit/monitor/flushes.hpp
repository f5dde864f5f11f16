// Flushes as an isolate writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "z0/base/bytes.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/monitor/shard.hpp"

namespace z0::test {

inline std::string point(Metric metric, std::string_view tenant,
                         const std::vector<std::string>& labels, double how_much, double value = 0,
                         std::string_view trace = {}) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(info(metric).kind));
  out.bytes(tenant);
  out.u16(static_cast<std::uint16_t>(labels.size() + 1));
  out.bytes(info(metric).name);
  for (const auto& label : labels) out.bytes(label);
  out.f64(how_much);
  out.f64(value);
  out.bytes(trace);
  return bytes;
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
