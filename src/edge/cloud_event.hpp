// CloudEvents 1.0 as facts: an event becomes the JSON text of a fact, which is then read as any other.
//
//   source, id   together the event's identity: the fact's id is `ce_` and a hash of both
//   type         its last segment, a version behind it left out: com.example.charge.v2 is a charge
//   time         timestamp
//   subject      entity_id, unless the event names one otherwise
//   data         an object; members that are named as fields of a fact become these fields, all
//                others are the fact's data
//   extensions   named as a field without its underscores (`tenantid`) they become that field;
//                traceparent gives trace_id
//
// What an event says of itself and what is left of its attributes stays in `data.cloudevent`.
#pragma once

#include <string>
#include <string_view>

#include "http/http.hpp"

namespace z0 {

enum class EventMode : std::uint8_t { none, structured, batch, binary, unknown };
// How a request carries events; unknown is a format of events that z0 does not read.
EventMode event_mode(const Request& request);

struct EventFact {
  Status status = Status::recorded;  // of the event itself; recorded: nothing is wrong so far
  std::string field;                 // the attribute at fault
  std::string id;                    // the fact's, once source and id are known
  std::string text;                  // the fact
  bool entity_is_subject = false;
  std::string lifted;  // fields that stand in data, each between commas
};

// Reads the next value of `in`, which reads `whole`. When the reader fails nothing else is set.
void read_event(JsonReader& in, std::string_view whole, EventFact& out);
// Reads attributes from headers and data from the body, as above.
void read_binary_event(const Request& request, JsonReader& in, EventFact& out);

// What of the event a field of its fact was made of.
std::string event_field(const EventFact& event, std::string_view field);

}  // namespace z0
