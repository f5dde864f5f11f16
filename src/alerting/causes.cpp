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
    // Of a tenant to whom nothing comes all numbers are far from their past, and its revenue is low.
    {"zero_invocations", "revenue_low"},
    {"zero_invocations", "unusual"},
    {"no_charges", "revenue_low"},
    {"no_charges", "unusual"},
};

}  // namespace

std::span<const Cause> causes() { return table; }

}  // namespace z0
