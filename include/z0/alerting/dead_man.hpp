// Says to somebody outside that alerts are judged, for as long as they are. Whoever hears nothing any more
// tells people: what stands still cannot say so itself.
#pragma once

#include <cstdint>
#include <string>

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {

class DeadMan {
 public:
  void heed(const DeadManSettings& settings) { settings_ = settings; }
  bool is_wanted() const { return !settings_.url.empty(); }

  // When it is to speak next; 0: never. In memory alone: after a restart it speaks at once.
  std::int64_t next_ms(std::int64_t now_ms) const;
  bool due(std::int64_t now_ms) const { return is_wanted() && now_ms >= next_ms(now_ms); }
  // It had its turn, whether it spoke or not.
  void had_turn(std::int64_t now_ms) { turn_ms_ = now_ms; }

  void send(std::int64_t judged_ms, Effects& effects);
  void settle(const FetchAnswer& answer, std::int64_t now_ms);

  std::int64_t heard_ms() const { return heard_ms_; }  // when it was heard last; 0: never
  const std::string& why() const { return why_; }      // what became of the last word; empty: heard

 private:
  DeadManSettings settings_;
  std::int64_t turn_ms_ = 0;
  std::int64_t heard_ms_ = 0;
  std::string why_;
};

}  // namespace z0
