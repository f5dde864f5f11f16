// Why a point is unusual, as it is read at three in the morning: how far from what, and the numbers.
#include <cstdio>
#include <cstdlib>

#include "z0/alerts/baseline.hpp"
#include "z0/alerts/prometheus.hpp"

namespace z0 {
namespace {

// So many digits count; a large number is written out, as 123500 and not 1.235e+05.
std::string number_in_words(double value, int digits = 4) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return number_text(std::strtod(text, nullptr));
}

std::string hour_in_words(const Reading& reading) {
  static constexpr const char* weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                             "Thursday", "Friday", "Saturday"};
  char text[24];
  const char* day = reading.unusual == Unusual::time_of_week ? weekdays[reading.weekday % 7] : "";
  std::snprintf(text, sizeof text, "%s%s%02u:00", day, *day == 0 ? "" : " ",
                static_cast<unsigned>(reading.hour));
  return text;
}

std::string movement_in_words(const Reading& reading) {
  const std::string over = " over the last " + std::to_string(reading.points) + " points";
  if (reading.points == 1 && reading.above)
    return "a step of " + number_in_words(reading.seen) + ", usual are " +
           number_in_words(reading.usual);
  if (reading.seen <= 0)
    return "no movement" + over + ", usual are steps of " + number_in_words(reading.usual);
  if (reading.usual <= 0)
    return "steps of " + number_in_words(reading.seen) + over + ", usual are none";
  return number_in_words(reading.seen / reading.usual, 2) + " times the usual movement" + over;
}

}  // namespace

std::string words_of(const Reading& reading) {
  if (reading.unusual == Unusual::nothing) return {};
  if (reading.unusual == Unusual::movement) return movement_in_words(reading);
  std::string text = number_in_words(reading.deviations, 2) + " deviations " +
                     (reading.above ? "over" : "under") + " the usual ";
  text += reading.unusual == Unusual::level ? "level" : hour_in_words(reading);
  text += ": " + number_in_words(reading.seen) + " for " + number_in_words(reading.usual);
  if (reading.points > 1) text += ", on average over " + std::to_string(reading.points) + " points";
  return text;
}

}  // namespace z0
