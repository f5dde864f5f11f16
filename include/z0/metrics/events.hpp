// Every log event of z0, in one table: what has no row cannot be logged.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "z0/wire/effects.hpp"

namespace z0 {

// What a log line tells a person; one line of JSON, whose first members are its level and its event.
enum class Event : std::uint8_t {
  message_failed,
  root_differs,
  config_refused,
  spans_lost,
  export_refused,
  count_,
};

struct EventInfo {
  std::string_view name;
  bool error = false;                         // else information
  std::span<const std::string_view> members;  // after level and event
};
const EventInfo& info(Event event);

// What a member of an event holds; borrows its text.
struct EventValue {
  EventValue(std::string_view value) : text(value) {}
  EventValue(const std::string& value) : text(value) {}
  EventValue(const char* value) : text(value) {}
  EventValue(std::int64_t value) : number(value), is_number(true) {}
  EventValue(std::span<const std::string> values) : list(values), is_list(true) {}

  std::string_view text;
  std::int64_t number = 0;
  std::span<const std::string> list;
  bool is_number = false;
  bool is_list = false;
};

// One line. As many values as the event's row has members, in their order; traps on others.
void log_event(Effects& effects, Event event, std::initializer_list<EventValue> values);

}  // namespace z0
