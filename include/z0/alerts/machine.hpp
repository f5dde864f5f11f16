// The states of one alert over time, as Prometheus's alerting rules have them
// (prometheus/rules/alerting.go): inactive, pending until the condition has held for the rule's `for`,
// firing, and inactive again with the moment at which it was resolved. A resolved alert is told of for
// a quarter of an hour, so that a receiver that missed it hears of it.
//
// Whoever evaluates calls step() once a tick for each alert of which the condition holds or that is not
// idle. Time is an argument: a tick that is late, doubled or missing changes no more than what was not
// looked at.
#pragma once

#include <cstdint>

namespace z0 {

enum class AlertPhase : std::uint8_t { inactive, pending, firing };

// How long what a rule is patient for, in ms.
struct Patience {
  std::int64_t for_ms = 0;
  std::int64_t keep_firing_ms = 0;
};

// All zero: nothing is known of it, and nothing is kept.
struct AlertState {
  AlertPhase phase = AlertPhase::inactive;
  std::int64_t active_at_ms = 0;    // when the condition began to hold
  std::int64_t fired_at_ms = 0;     // when it last began to fire
  std::int64_t resolved_at_ms = 0;  // when it last ended; 0 while it fires or before
  std::int64_t quiet_since_ms = 0;  // fires on, though the condition no longer holds since then
  std::int64_t sent_at_ms = 0;      // when it was told of last
  double value = 0;                 // the newest that held

  bool idle() const { return phase == AlertPhase::inactive && resolved_at_ms == 0; }
  friend bool operator==(const AlertState&, const AlertState&) = default;
};

// How long a resolved alert is told of.
inline constexpr std::int64_t resolved_told_ms = std::int64_t{15} * 60'000;

// One evaluation. A clock that goes back is taken for one that stands still.
void step(AlertState& state, const Patience& patience, bool condition, double value,
          std::int64_t now_ms);

// Whether it is to be told of now: firing or resolved, and a state that was not told of yet or was
// `resend_ms` ago.
bool to_be_told(const AlertState& state, std::int64_t resend_ms, std::int64_t now_ms);
// When a receiver that hears no more may take it for resolved: four times the longer of both.
std::int64_t ends_at_ms(const AlertState& state, std::int64_t interval_ms, std::int64_t resend_ms,
                        std::int64_t now_ms);

}  // namespace z0
