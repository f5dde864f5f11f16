#include "z0/calls/metrics.hpp"

namespace z0 {

std::string monitor_shard_name(std::int64_t shard) { return "metrics_" + std::to_string(shard); }

}  // namespace z0
