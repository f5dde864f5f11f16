// What the object of alerts asks before it judges: what clocks show, and what shards know.
#include <string>
#include <vector>

#include "alerting/turn.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/reports.hpp"

namespace z0 {

bool has_shards_to_ask(const Alerting& alerting) {
  return !alerting.desk.asked() && !alerting.desk.unheard().empty();
}

// Whoever listens by business hours needs to know what clocks show there: some days a year they change.
// And shards that were awake before a restart are to say again what they know. They report by a call of
// their own: what they answer here is not looked at.
bool asks_first(Alerting& alerting, const Frame& frame, Effects& effects) {
  const std::vector<std::string> unknown =
      zones_to_ask(alerting.channels.listeners(), alerting.desk.zones(), frame.now_ms);
  AlertsCourse course;
  for (const std::string& zone : unknown) {
    effects.need_zone(zone, frame.now_ms);
    course.zones.push_back(zone);
  }
  if (has_shards_to_ask(alerting)) {
    alerting.desk.ask();
    for (const std::string& shard : alerting.desk.unheard())
      effects.need_call(MonitorMethod::report, shard, limits::alert_report_timeout_ms, {});
  }
  if (!effects.needs()) return false;
  resume_alerts(course, effects);
  return true;
}

// One that the host does not know is taken for UTC, for a day: it was known when its config was said.
void hear_zones(Alerting& alerting, const AlertsCourse& course, const Frame& frame) {
  for (std::size_t i = 0; i < course.zones.size() && i < frame.answers.size(); ++i) {
    ZoneOffset zone{std::string(course.zones[i]), 0, 0};
    if (!parse_zone(frame.answers[i], zone.offset_min, zone.until_ms)) {
      zone.offset_min = 0;
      zone.until_ms = frame.now_ms + std::int64_t{86'400'000};
    }
    alerting.desk.set_zone(std::move(zone));
  }
}

}  // namespace z0
