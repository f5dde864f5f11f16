// What is going to happen, in order of simulated time; what was put down first goes first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace z0::sim {

class Agenda {
 public:
  using Event = std::function<void()>;

  void at(std::int64_t ms, Event event) { events_.emplace(ms, std::move(event)); }
  bool empty() const { return events_.empty(); }
  std::int64_t next_at() const { return events_.begin()->first; }
  Event take() {
    Event event = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    return event;
  }

 private:
  std::multimap<std::int64_t, Event> events_;  // equal keys keep the order of insertion
};

}  // namespace z0::sim
