// Which call of a ledger or directory object a frame belongs to. A call takes several steps, and
// another one may begin and end while it waits for D1 or for an object that it calls itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0::laws {

// One call from its first frame to its last effects.
struct CallSeen {
  std::uint16_t kind = 0;
  std::string object;
  std::string request;
  // What D1 and other objects answered since the host last asked for its state.
  std::vector<std::string> answers_from_outside;
  // Of the last step.
  std::int64_t now_ms = 0;
  std::string entropy;
  std::string effects;
  bool committed = false;
};

class Calls {
 public:
  // Takes one step. True when it was the last of an object's call, which last() then tells.
  bool step(const Frame& frame, const std::vector<Effect>& effects, std::string_view effect_bytes);
  CallSeen& last() { return last_; }
  // The kind of the call that a frame begins or goes on with; 0 when it is neither's.
  std::uint16_t kind_of(const Frame& frame) const;

 private:
  struct Open {
    CallSeen call;
    // Needs of the step before that are answered from outside, which then are its only ones.
    std::size_t asked = 0;
  };
  std::vector<Open> open_;
  CallSeen last_;
};

// Needs that something other than the object's own rows answers.
inline bool from_outside(std::uint8_t effect_kind) {
  return effect_kind == Z0_NEED_QUERY || effect_kind == Z0_NEED_CALL;
}

inline bool ledger_frame(std::uint16_t kind) {
  return kind >= Z0_FRAME_LEDGER_APPEND && kind <= Z0_FRAME_LEDGER_IMPORT;
}
inline bool directory_frame(std::uint16_t kind) {
  return kind >= Z0_FRAME_DIRECTORY_REGISTER && kind <= Z0_FRAME_DIRECTORY_RESUME;
}

}  // namespace z0::laws
