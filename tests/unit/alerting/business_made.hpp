// Tenants that are made for the tests of business rules: with days, nights, weekends, lunch, growth, slow
// days, bursts, days off and clocks that are changed; and a D1 of what they do, which answers looks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "unit/alerts/baseline_made.hpp"
#include "z0/alerting/business.hpp"

namespace z0::made {

struct TenantPlan {
  std::string id;
  double busiest = 60;      // invocations an hour
  std::int64_t open = 8;    // local hours
  std::int64_t close = 18;  // above 24: over midnight
  double night = 0.02;      // of the busiest hour
  double weekend = 0.1;
  double charged = 0.3;    // of the invocations
  double slow_days = 0.2;  // how much days differ, as a standard deviation of the logarithm
  double burst = 1;        // events that come together
  double growth = 0;       // a week
  double heavy = 0;        // of amounts
  bool summer_time = false;
  std::set<std::int64_t> days_off;  // since the first Monday
  // What goes wrong: a factor on invocations and one on charges.
  std::function<double(std::int64_t at_ms)> invoked = [](std::int64_t) { return 1.0; };
  std::function<double(std::int64_t at_ms)> paid = [](std::int64_t) { return 1.0; };
};

// One tenant's events, step by step.
class MadeTenant {
 public:
  MadeTenant(TenantPlan plan, std::uint64_t seed) : plan(std::move(plan)), random_{seed} {}

  TenantPlan plan;

  // The share of the busiest hour that is usual then, without what is by chance.
  double usual(std::int64_t at_ms) const {
    const std::int64_t local = at_ms + (plan.summer_time && is_summer(at_ms) ? hour_ms : 0);
    const std::int64_t day = (local - monday_ms) / day_ms;
    if (plan.days_off.contains(day)) return plan.night * 0.2;
    const std::int64_t hour = local % day_ms / hour_ms;
    const bool is_open = (hour >= plan.open && hour < plan.close) || hour + 24 < plan.close;
    double share = is_open ? 1 : plan.night;
    // Mornings and evenings are half, and lunch is quiet.
    if (is_open && (hour == plan.open || hour + 1 == plan.close)) share *= 0.5;
    if (is_open && hour == 12) share *= 0.7;
    if (day % 7 >= 5) share *= plan.weekend;
    return share;
  }

  struct Step {
    std::uint32_t invoked = 0;  // minutes, as bits
    std::uint32_t charged = 0;
    std::int64_t invocations = 0, charges = 0, taken = 0;
  };
  // What comes in so many minutes from then on, 30 at most.
  Step come(std::int64_t at_ms, std::int64_t minutes) {
    const std::int64_t day = (at_ms - monday_ms) / day_ms;
    if (day != day_) {
      day_ = day;
      // Days follow each other: half of what one differs by, the next one does, too.
      differs_ = 0.5 * differs_ + 0.87 * plan.slow_days * random_.normal();
    }
    const double weeks = static_cast<double>(at_ms - monday_ms) / static_cast<double>(7 * day_ms);
    const double rate = plan.busiest * usual(at_ms) * std::exp(differs_) *
                        std::pow(1 + plan.growth, weeks) * plan.invoked(at_ms) / 60;
    Step step;
    for (std::int64_t minute = 0; minute < minutes; ++minute) {
      auto events = static_cast<std::int64_t>(random_.poisson(rate / plan.burst));
      if (plan.burst > 1)
        events = static_cast<std::int64_t>(static_cast<double>(events) * plan.burst *
                                           (0.5 + random_.unit()));
      if (events > 0) step.invoked |= 1u << minute;
      step.invocations += events;
      const double paid = plan.charged * plan.paid(at_ms);
      const auto charges = static_cast<std::int64_t>(std::min(
          static_cast<double>(events), random_.poisson(static_cast<double>(events) * paid)));
      if (charges > 0) step.charged |= 1u << minute;
      step.charges += charges;
      for (std::int64_t i = 0; i < charges; ++i)
        step.taken += static_cast<std::int64_t>(500 + 500 * plan.heavy / (0.02 + random_.unit()));
    }
    return step;
  }

 private:
  static bool is_summer(std::int64_t at_ms) {
    // From the end of March to the end of October.
    const std::int64_t day = (at_ms - monday_ms) / day_ms % 365;
    return day >= 83 && day < 293;
  }
  Random random_;
  std::int64_t day_ = -1;
  double differs_ = 0;
};

// Many tenants under watch. Time goes on in steps of some minutes, and each is looked at.
class Made {
 public:
  explicit Made(std::int64_t step_minutes = 5) : step_minutes_(step_minutes) {}

  void add(TenantPlan plan) {
    const std::uint64_t seed = 7 * (tenants_.size() + 1);
    tenants_.emplace_back(std::move(plan), seed);
  }
  void set_step(std::int64_t minutes) { step_minutes_ = minutes; }
  MadeTenant& tenant(std::size_t i) { return tenants_[i]; }

  std::int64_t now_ms = monday_ms;
  BusinessWatch watch;
  RuleBook book;
  bool d1_answers = true;

  struct Fired {
    std::string rule;
    std::string tenant_id;
    std::int64_t at_ms = 0;
  };
  std::vector<Fired> fired;

  void pass(std::int64_t ms) {
    for (const std::int64_t until = now_ms + ms; now_ms < until;) {
      for (MadeTenant& one : tenants_) {
        const auto step = one.come(now_ms, step_minutes_);
        if (step.invoked != 0) history_.push_back({one.plan.id, now_ms, step});
      }
      now_ms += step_minutes_ * minute_ms;
      look();
    }
  }
  // Looks until nothing is left to be learned.
  void look() {
    for (int i = 0; i < 1'000; ++i) {
      const LookRequest request = watch.begin_look(now_ms + 40'000);
      if (!d1_answers) return watch.missed(now_ms + 40'000);
      const bool learns = request.until_ms - request.from_ms >= hour_ms;
      watch.take(request, answer(request), book, now_ms + 40'000);
      if (learns) forget(request.until_ms);
      if (watch.next_ms(now_ms + 40'000) > now_ms + 60'000) break;
    }
    note();
  }
  const BusinessWatch::Alert* alert(std::string_view rule, std::string_view tenant_id) const {
    for (const auto& [key, one] : watch.alerts())
      if (one.rule == rule && one.tenant_id == tenant_id) return &one;
    return nullptr;
  }
  bool fires(std::string_view rule, std::string_view tenant_id) const {
    const auto* found = alert(rule, tenant_id);
    return found != nullptr && found->state.phase == AlertPhase::firing;
  }
  // Goes on until it fires; minutes, or -1 where it does not within that time.
  std::int64_t minutes_until(std::string_view rule, std::string_view tenant_id, std::int64_t ms) {
    const std::int64_t began = now_ms;
    while (now_ms < began + ms) {
      pass(step_minutes_ * minute_ms);
      if (fires(rule, tenant_id)) return (now_ms - began) / minute_ms;
    }
    return -1;
  }

 private:
  struct Event {
    std::string tenant_id;
    std::int64_t at_ms = 0;
    MadeTenant::Step step;
  };

  LookReply answer(const LookRequest& request) {
    LookReply reply;
    for (const Event& event : history_) {
      if (event.at_ms < request.from_ms || event.at_ms >= request.until_ms) continue;
      const auto minute = static_cast<unsigned>(event.at_ms % hour_ms / minute_ms);
      LookReply::Hour hour;
      hour.tenant_id = event.tenant_id;
      hour.hour = event.at_ms / hour_ms;
      hour.facts = event.step.invocations;
      hour.minutes = static_cast<std::int64_t>(std::uint64_t{event.step.invoked} << minute);
      hour.newest_ms = newest(event.at_ms, event.step.invoked);
      reply.hours.push_back(hour);
      if (event.step.charges == 0) continue;
      hour.kind = LookKind::charge;
      hour.currency = "USD";
      hour.facts = event.step.charges;
      hour.minutes = static_cast<std::int64_t>(std::uint64_t{event.step.charged} << minute);
      hour.amount = event.step.taken;
      hour.newest_ms = newest(event.at_ms, event.step.charged);
      reply.hours.push_back(hour);
    }
    return reply;
  }
  static std::int64_t newest(std::int64_t at_ms, std::uint32_t minutes) {
    return at_ms + static_cast<std::int64_t>(31 - __builtin_clz(minutes)) * minute_ms + 30'000;
  }
  void forget(std::int64_t until_ms) {
    std::erase_if(history_, [until_ms](const Event& one) { return one.at_ms < until_ms; });
  }
  void note() {
    std::set<std::string> now;
    for (const auto& [key, one] : watch.alerts()) {
      if (one.state.phase != AlertPhase::firing) continue;
      now.insert(key);
      if (!firing_.contains(key)) fired.push_back({one.rule, one.tenant_id, now_ms});
    }
    firing_ = std::move(now);
  }

  std::int64_t step_minutes_;
  std::vector<MadeTenant> tenants_;
  std::vector<Event> history_;
  std::set<std::string> firing_;
};

}  // namespace z0::made
