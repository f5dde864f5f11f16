#include "z0/alerting/dead_man.hpp"

#include <algorithm>

#include "z0/json/write.hpp"
#include "z0/notify/limits.hpp"

namespace z0 {

std::int64_t DeadMan::next_ms(std::int64_t now_ms) const {
  if (!is_wanted()) return 0;
  // A clock that ran back makes nobody wait for longer.
  if (turn_ms_ == 0 || turn_ms_ > now_ms) return now_ms;
  return std::max(now_ms, turn_ms_ + settings_.interval_ms);
}

void DeadMan::send(std::int64_t judged_ms, Effects& effects) {
  std::string body;
  JsonWriter(body).object().plain("z0", "alerts are judged").integer("judged_at", judged_ms).end();
  FetchRequest request{"POST", settings_.url, {{"content-type", "application/json"}}, body};
  request.timeout_ms = limits::letter_timeout_ms;
  effects.need_fetch("z0.external.deadman.beat", request);
}

void DeadMan::settle(const FetchAnswer& answer, std::int64_t now_ms) {
  if (answer.outcome == Z0_OK && answer.http >= 200 && answer.http < 300) {
    heard_ms_ = now_ms;
    why_.clear();
  } else {
    why_ =
        answer.outcome == Z0_OK ? "it answered " + std::to_string(answer.http) : "no answer came";
  }
}

}  // namespace z0
