#include "z0/alerts/playback.hpp"

#include <algorithm>
#include <cmath>

namespace z0 {

Playback::Playback(std::vector<Rule> rules, std::int64_t step_ms)
    : evaluator_(std::move(rules)), step_ms_(std::max<std::int64_t>(step_ms, 1)) {
  std::int64_t longest_ms = step_ms_;
  for (const Evaluator::Operand& operand : evaluator_.operands()) {
    const auto same = [&operand](const Window& one) { return one.ms == operand.window_ms; };
    if (std::none_of(windows_.begin(), windows_.end(), same))
      windows_.push_back({operand.window_ms, 0});
    longest_ms = std::max(longest_ms, operand.window_ms);
  }
  // The window, the step that is open, and the one whose sample lies before it.
  ring_.resize(static_cast<std::size_t>(longest_ms / step_ms_) + 2);
}

std::uint32_t Playback::series(Metric metric, std::string_view tenant_id,
                               std::span<const std::string_view> labels) {
  std::vector<Evaluator::Target> targets;
  evaluator_.targets(metric, tenant_id, labels, targets);
  // By window, one after the other.
  for (const Window& window : windows_) {
    first_.push_back(static_cast<std::uint32_t>(targets_.size()));
    for (const Evaluator::Target target : targets)
      if (evaluator_.operands()[target.operand].window_ms == window.ms) targets_.push_back(target);
  }
  return series_++;
}

void Playback::gauge(std::uint32_t series, double value, std::int64_t at_ms) {
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    for (const Evaluator::Target target : places(series, i)) {
      if (evaluator_.operands()[target.operand].is_gauge)
        evaluator_.set_gauge(target, value, std::isnan(value) ? 0 : at_ms);
    }
  }
}

std::vector<Playback::Rise>& Playback::bucket_of(std::int64_t step) {
  return ring_[static_cast<std::size_t>(step) % ring_.size()];
}

// What rose since a sample that the window no longer holds.
void Playback::leave(std::size_t number, std::int64_t now_ms) {
  Window& window = windows_[number];
  const std::int64_t first = (now_ms - window.ms + step_ms_ - 1) / step_ms_;
  // The ring has no step twice, so one way around takes out all there is.
  const std::int64_t end =
      std::min(first, window.left_step + static_cast<std::int64_t>(ring_.size()));
  for (std::int64_t step = window.left_step; step < end; ++step) {
    for (const Rise& rise : bucket_of(step)) {
      if (!same_step(rise.since_ms, step)) continue;
      for (const Evaluator::Target target : places(rise.series, number))
        evaluator_.take_out(target, rise.amount, rise.bucket);
    }
  }
  window.left_step = std::max(window.left_step, first);
}

void Playback::advance(std::int64_t now_ms, std::span<const Rise> rises) {
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    if (!began_)
      windows_[i].left_step = std::max<std::int64_t>(0, now_ms - windows_[i].ms) / step_ms_;
    leave(i, now_ms);
  }
  began_ = true;
  // Most rises of a step have its beginning in common, and a division takes as long as all else.
  std::int64_t since_ms = -1;
  std::int64_t step = 0;
  std::vector<Rise>* bucket = nullptr;
  for (const Rise& rise : rises) {
    if (bucket == nullptr || rise.since_ms != since_ms) {
      since_ms = rise.since_ms;
      step = since_ms / step_ms_;
      bucket = &bucket_of(step);
    }
    bool held = false;
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      if (step < windows_[i].left_step) continue;
      held = true;
      for (const Evaluator::Target target : places(rise.series, i))
        evaluator_.add(target, rise.amount, rise.bucket);
    }
    if (!held) continue;
    // What lay there left every window before.
    if (!bucket->empty() && !same_step(bucket->front().since_ms, step)) bucket->clear();
    bucket->push_back(rise);
  }
}

void Playback::tick(std::int64_t now_ms, std::span<const Rise> rises) {
  advance(now_ms, rises);
  evaluator_.tick(now_ms);
}

}  // namespace z0
