#include "z0/metrics/events.hpp"

#include <string>

#include "z0/base/trap.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

constexpr std::string_view of_message[] = {"message"};
constexpr std::string_view of_spans[] = {"count"};
constexpr std::string_view of_export[] = {"signal", "http", "count"};
constexpr std::string_view of_ledger[] = {"entity_id", "tenant_id", "seq", "resolution"};
constexpr std::string_view of_refusals[] = {"refusals"};

// In the order of Event.
constexpr EventInfo events[] = {
    {"z0.replication.message_failed", true, of_message},
    {"z0.replication.root_differs", true, of_ledger},
    {"z0.config_refused", true, of_refusals},
    {"z0.traces.spans_lost", true, of_spans},
    {"z0.otlp.export_refused", true, of_export},
};
static_assert(std::size(events) == static_cast<std::size_t>(Event::count_));

void write_value(JsonWriter& json, const EventValue& value) {
  if (value.is_number) {
    json.integer(value.number);
  } else if (value.is_list) {
    json.array();
    for (const std::string& text : value.list) json.text(text);
    json.end();
  } else {
    json.text(value.text);
  }
}

}  // namespace

const EventInfo& info(Event event) {
  if (event >= Event::count_) trap("each event has a row");
  return events[static_cast<std::size_t>(event)];
}

void log_event(Effects& effects, Event event, std::initializer_list<EventValue> values) {
  const EventInfo& row = info(event);
  if (values.size() != row.members.size()) trap("an event has the members of its row");
  std::string line;
  JsonWriter json(line);
  json.object().plain("level", row.error ? "error" : "info").text("event", row.name);
  const auto* value = values.begin();
  for (const std::string_view member : row.members) write_value(json.any_key(member), *value++);
  json.end();
  effects.log(row.error, line);
}

}  // namespace z0
