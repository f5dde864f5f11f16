// All that the object of alerts holds: what is known and decided, who is told, and what is on its way.
#pragma once

#include <cstdint>

#include "z0/alerting/alert_facts.hpp"
#include "z0/alerting/channel_book.hpp"
#include "z0/alerting/dead_man.hpp"
#include "z0/alerting/desk.hpp"
#include "z0/alerting/postbox.hpp"

namespace z0 {

struct Alerting {
  Desk desk;
  ChannelBook channels;
  Postbox postbox;
  AlertFacts facts;
  DeadMan dead_man;
  bool loaded = false;
  std::int64_t alarm_ms = 0;     // as far as it is known; 0: none
  std::int64_t judge_at_ms = 0;  // 0: when a shard speaks
  std::int64_t late_ms = 0;      // how late its alarm was since it judged last
  // What was on its way had its turn last: what is to be judged comes first.
  bool carried_last = false;
};

// Frames to Z0_TARGET_ALERTS: calls of calls/alerts.hpp, and the alarm.
void step_alerts(Alerting& alerting, const Frame& frame, Effects& effects);

}  // namespace z0
