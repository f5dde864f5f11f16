#include "calls.hpp"

namespace z0::laws {
CallKind Calls::kind_of(const Frame& frame) const {
  const CallKind begun{frame.target, frame.method};
  const bool resumes = begun.of_object() && frame.kind == Z0_FRAME_RESUME && !open_.empty();
  return resumes ? open_.back().call.kind : begun;
}

bool Calls::step(const Frame& frame, const std::vector<Effect>& effects,
                 std::string_view effect_bytes) {
  const CallKind begun{frame.target, frame.method};
  if (!begun.of_object()) return false;
  if (frame.kind != Z0_FRAME_RESUME) {
    Open open;
    open.call.kind = begun;
    open.call.object = frame.part(0);
    open.call.request = frame.part(1);
    open_.push_back(open);
  }
  Open& open = open_.back();
  for (std::size_t i = 0; i < open.asked && i < frame.answers.size(); ++i) {
    open.call.answers_from_outside.emplace_back(frame.answers[i]);
  }
  open.asked = 0;
  for (const Effect& effect : effects) open.asked += from_outside(effect.kind) ? 1 : 0;
  if (!effects.empty() && effects[0].phase == Phase::need) return false;
  last_ = open.call;
  last_.now_ms = frame.now_ms;
  last_.entropy = frame.entropy.bytes();
  last_.effects = effect_bytes;
  last_.committed = true;
  open_.pop_back();
  return true;
}

}  // namespace z0::laws
