// Rules over recorded measurements: what a monitor does with what it is told, with the time as it was.
//
// Steps are of one length, and a tick ends each. A rise lies between two samples, and counts in the
// windows that hold both: so a counter with a gap counts as Prometheus counts it, and an event of a
// step has the step's ends as its samples.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "z0/alerts/evaluator.hpp"

namespace z0 {

class Playback {
 public:
  struct Rise {
    std::uint32_t series = 0;
    std::uint32_t bucket = 0;   // of a histogram
    std::int64_t since_ms = 0;  // the sample before; after it, and by the tick, the counter rose
    std::uint64_t amount = 0;
  };

  // step_ms: above 0. The first tick is at begin_ms + step_ms, or whenever the caller wants.
  Playback(std::vector<Rule> rules, std::int64_t step_ms);

  // A number for series that are played.
  std::uint32_t series(Metric metric, std::string_view tenant_id,
                       std::span<const std::string_view> labels);
  // A gauge; NaN: it is gone.
  void gauge(std::uint32_t series, double value, std::int64_t at_ms);
  // What rose since the last tick, then a tick. now_ms: later than before.
  void tick(std::int64_t now_ms, std::span<const Rise> rises);
  // The same, but nobody judges: windows are filled before the first tick.
  void advance(std::int64_t now_ms, std::span<const Rise> rises);

  Evaluator& evaluator() { return evaluator_; }
  const Evaluator& evaluator() const { return evaluator_; }

 private:
  struct Window {
    std::int64_t ms = 0;
    std::int64_t left_step = 0;  // rises since an earlier step have left it
  };
  // Where a series counts in a window.
  std::span<const Evaluator::Target> places(std::uint32_t series, std::size_t window) const {
    const std::size_t at = series * windows_.size() + window;
    const std::size_t end = at + 1 < first_.size() ? first_[at + 1] : targets_.size();
    return {targets_.data() + first_[at], end - first_[at]};
  }
  bool same_step(std::int64_t since_ms, std::int64_t step) const {
    return since_ms >= step * step_ms_ && since_ms - step * step_ms_ < step_ms_;
  }
  std::vector<Rise>& bucket_of(std::int64_t step);
  void leave(std::size_t window, std::int64_t now_ms);

  Evaluator evaluator_;
  std::int64_t step_ms_;
  std::vector<Window> windows_;
  std::uint32_t series_ = 0;          // how many there are
  std::vector<std::uint32_t> first_;  // of targets_, by series and window
  std::vector<Evaluator::Target> targets_;
  std::vector<std::vector<Rise>> ring_;  // by the step of their earlier sample
  bool began_ = false;
};

}  // namespace z0
