// Whether it is time for what can wait, where a listener is.
#include <algorithm>

#include "z0/alerting/dispatch.hpp"

namespace z0 {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t day_min = 1'440;

const ZoneOffset* zone_named(std::span<const ZoneOffset> zones, std::string_view name) {
  const auto found = std::find_if(zones.begin(), zones.end(),
                                  [&name](const ZoneOffset& zone) { return zone.zone == name; });
  return found == zones.end() ? nullptr : &*found;
}

std::int64_t floor_of(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

// Day 0 of the epoch was a Thursday.
bool is_working_day(const BusinessHours& hours, std::int64_t day) {
  const std::int64_t weekday = ((day + 3) % 7 + 7) % 7;
  return (hours.days >> weekday & 1) != 0;
}

}  // namespace

std::vector<std::string> zones_to_ask(std::span<const Listener> listeners,
                                      std::span<const ZoneOffset> zones, std::int64_t now_ms) {
  std::vector<std::string> ask;
  for (const Listener& listener : listeners) {
    if (!listener.channel.business_hours) continue;
    const std::string& name = listener.channel.business_hours->time_zone;
    const ZoneOffset* zone = zone_named(zones, name);
    if ((zone == nullptr || now_ms >= zone->until_ms) &&
        std::find(ask.begin(), ask.end(), name) == ask.end())
      ask.push_back(name);
  }
  return ask;
}

bool within_hours(const Channel& channel, std::span<const ZoneOffset> zones, std::int64_t now_ms,
                  std::int64_t& opens_ms) {
  opens_ms = 0;
  if (!channel.business_hours) return true;
  const BusinessHours& hours = *channel.business_hours;
  const ZoneOffset* zone = zone_named(zones, hours.time_zone);
  if (zone == nullptr) return true;
  const std::int64_t local_min = floor_of(now_ms, minute_ms) + zone->offset_min;
  const std::int64_t today = floor_of(local_min, day_min);
  const std::int64_t of_day = local_min - today * day_min;
  if (is_working_day(hours, today) && of_day >= hours.from_min && of_day < hours.to_min)
    return true;
  std::int64_t day = of_day < hours.from_min ? today : today + 1;
  for (int i = 0; i < 7 && !is_working_day(hours, day); ++i) ++day;
  const std::int64_t opens_min = day * day_min + hours.from_min - zone->offset_min;
  opens_ms = opens_min * minute_ms;
  // Past a change of the zone's clocks it is another moment.
  if (now_ms < zone->until_ms) opens_ms = std::min(opens_ms, zone->until_ms);
  return false;
}

}  // namespace z0
