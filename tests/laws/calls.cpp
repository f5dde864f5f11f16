#include "calls.hpp"

namespace z0::laws {
namespace {

bool resumes(std::uint16_t kind) {
  return kind == Z0_FRAME_LEDGER_RESUME || kind == Z0_FRAME_DIRECTORY_RESUME;
}

}  // namespace

std::uint16_t Calls::kind_of(const Frame& frame) const {
  if (!ledger_frame(frame.kind) && !directory_frame(frame.kind)) return 0;
  return resumes(frame.kind) && !open_.empty() ? open_.back().call.kind : frame.kind;
}

bool Calls::step(const Frame& frame, const std::vector<Effect>& effects,
                 std::string_view effect_bytes) {
  if (!ledger_frame(frame.kind) && !directory_frame(frame.kind)) return false;
  if (!resumes(frame.kind)) {
    Open open;
    open.call.kind = frame.kind;
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
  last_.entropy = frame.entropy;
  last_.effects = effect_bytes;
  last_.committed = true;
  open_.pop_back();
  return true;
}

}  // namespace z0::laws
