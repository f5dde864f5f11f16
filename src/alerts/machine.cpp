#include "z0/alerts/machine.hpp"

#include <algorithm>

namespace z0 {
namespace {

void hold(AlertState& state, double value, std::int64_t now_ms) {
  if (state.phase == AlertPhase::inactive) {
    // A new alert, also where an old one is still told of as resolved. What was told of that one
    // stands: this one is told of when it fires, whatever the delay between repeats is.
    state = AlertState{};
    state.phase = AlertPhase::pending;
    state.active_at_ms = now_ms;
  }
  state.quiet_since_ms = 0;
  state.value = value;
}

void let_go(AlertState& state, const Patience& patience, std::int64_t now_ms) {
  if (state.phase == AlertPhase::firing && patience.keep_firing_ms > 0) {
    if (state.quiet_since_ms == 0) state.quiet_since_ms = now_ms;
    if (now_ms - state.quiet_since_ms < patience.keep_firing_ms) return;
  }
  if (state.phase == AlertPhase::firing) {
    state.phase = AlertPhase::inactive;
    state.resolved_at_ms = now_ms;
    state.quiet_since_ms = 0;
    return;
  }
  const bool told = state.resolved_at_ms != 0 && now_ms - state.resolved_at_ms > resolved_told_ms;
  if (state.phase == AlertPhase::pending || told) state = AlertState{};
}

}  // namespace

void step(AlertState& state, const Patience& patience, bool condition, double value,
          std::int64_t now_ms) {
  now_ms = std::max({now_ms, state.active_at_ms, state.quiet_since_ms, state.resolved_at_ms});
  if (!condition) return let_go(state, patience, now_ms);
  hold(state, value, now_ms);
  if (state.phase == AlertPhase::pending && now_ms - state.active_at_ms >= patience.for_ms) {
    state.phase = AlertPhase::firing;
    state.fired_at_ms = now_ms;
  }
}

bool to_be_told(const AlertState& state, std::int64_t resend_ms, std::int64_t now_ms) {
  if (state.phase == AlertPhase::pending || state.idle()) return false;
  // What changed since the last word. In one tick an alert changes once.
  const std::int64_t changed_ms =
      state.phase == AlertPhase::firing ? state.fired_at_ms : state.resolved_at_ms;
  if (state.sent_at_ms == 0 || changed_ms > state.sent_at_ms) return true;
  return now_ms - state.sent_at_ms > resend_ms;
}

std::int64_t ends_at_ms(const AlertState& state, std::int64_t interval_ms, std::int64_t resend_ms,
                        std::int64_t now_ms) {
  if (state.resolved_at_ms != 0) return state.resolved_at_ms;
  return now_ms + 4 * std::max(interval_ms, resend_ms);
}

}  // namespace z0
