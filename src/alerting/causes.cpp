#include "z0/alerting/causes.hpp"

namespace z0 {
namespace {

constexpr Cause table[] = {
    // D1 takes nothing: so what it lacks grows older, and waits in the queue.
    {"replication_failures", "replication_lag"},
    {"replication_failures", "replication_depth"},
    // Too much is on its way, so it is late.
    {"replication_depth", "replication_lag"},
    // Facts that are not recorded use up what a month allows.
    {"fact_write_failures", "fact_write_budget"},
};

}  // namespace

std::span<const Cause> causes() { return table; }

}  // namespace z0
