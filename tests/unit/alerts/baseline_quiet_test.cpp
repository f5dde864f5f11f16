// The budget for false alarms: a simulated year of twelve tenants to whom nothing happens. From it
// come the scores at which somebody is told (anomaly_alert_score).
#include <array>
#include <cmath>

#include "unit/alerts/baseline_made.hpp"
#include "unit/catch.hpp"
#include "z0/alerts/baseline.hpp"

namespace {

using namespace z0::made;

constexpr std::int64_t tenants = 12;
constexpr std::size_t series = 5;

// A tenant's facts, revenue, share of errors, slowest hundredth and lag, each with its noise.
class Tenant {
 public:
  explicit Tenant(std::uint64_t seed) : random_{seed} {
    events_an_hour_ = 5 * std::exp(6 * random_.unit());
    hours_.open = 7 + static_cast<std::int64_t>(4 * random_.unit());
    hours_.close = 16 + static_cast<std::int64_t>(5 * random_.unit());
    hours_.weekend = random_.unit() < 0.3 ? 0.7 : 0.1;
  }

  std::array<double, series> values(std::int64_t at, std::int64_t step_ms) {
    const double busy = hours_.busy(at);
    const double share = static_cast<double>(step_ms) / static_cast<double>(hour_ms);
    const double facts = random_.poisson(events_an_hour_ * busy * share);
    double revenue = 0;
    const double priced = std::min(facts, 20.0);
    for (int i = 0; i < static_cast<int>(priced); ++i) revenue += 100 / (0.1 + random_.unit());
    if (priced > 0) revenue *= facts / priced;
    const double errors = facts > 0 ? random_.poisson(0.01 * facts) / facts : 0;
    const double slowest = 120 * (1 + 0.15 * busy) * (1 + 0.15 * random_.normal());
    const double stall = random_.unit() < 0.02 ? 1500 * random_.unit() : 0;
    return {facts, revenue, errors, slowest, 500 + 200 * random_.unit() + stall};
  }

 private:
  Random random_;
  Hours hours_;
  double events_an_hour_;
};

// Alarms of all tenants and series once they are settled, for each month that a tenant is watched.
double alarms_a_tenant_month(std::int64_t step_ms, std::int64_t days, double alert_score) {
  std::int64_t alarms = 0;
  for (std::int64_t i = 0; i < tenants; ++i) {
    Tenant tenant(static_cast<std::uint64_t>(i) + 1);
    std::array<z0::Baseline, series> baselines;
    for (std::int64_t at = monday_ms; at < monday_ms + days * day_ms; at += step_ms) {
      const auto values = tenant.values(at, step_ms);
      for (std::size_t k = 0; k < series; ++k) {
        const z0::Reading reading = baselines[k].add(at, values[k]);
        alarms += reading.settled && reading.score >= alert_score ? 1 : 0;
      }
    }
  }
  const double months = static_cast<double>(days - 14) * 12 / 365;
  return static_cast<double>(alarms) / (months * tenants);
}

}  // namespace

TEST_CASE("A quiet year of twelve tenants has less than one alarm a tenant and month", "[alerts]") {
  const double alarms = alarms_a_tenant_month(hour_ms, 365, z0::anomaly_alert_score);
  INFO(alarms << " alarms");
  CHECK(alarms < 1);
  // A budget that nothing can use up would say nothing.
  CHECK(alarms > 0);
}

TEST_CASE("Points every five minutes have less than one alarm a tenant and month", "[alerts]") {
  const double alarms = alarms_a_tenant_month(5 * minute_ms, 60, z0::anomaly_alert_score_5_min);
  INFO(alarms << " alarms");
  CHECK(alarms < 1);
}
