// Which call of a ledger or directory object a frame belongs to. A call takes several steps, and
// another one may begin and end while it waits for D1 or for an object that it calls itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/calls/directory.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/wire/frame.hpp"
#include "z0/wire/read_effects.hpp"

namespace z0::laws {

// Whose call it is and which: its target and method, or its alarm.
struct CallKind {
  std::uint8_t target = Z0_TARGET_EDGE;
  std::uint8_t method = 0;

  bool is(LedgerMethod m) const {
    return target == Z0_TARGET_LEDGER && method == static_cast<std::uint8_t>(m);
  }
  bool is(DirectoryMethod m) const {
    return target == Z0_TARGET_DIRECTORY && method == static_cast<std::uint8_t>(m);
  }
  bool of_ledger() const { return target == Z0_TARGET_LEDGER; }
  bool of_directory() const { return target == Z0_TARGET_DIRECTORY; }
  bool of_object() const { return of_ledger() || of_directory(); }
};

// One call from its first frame to its last effects.
struct CallSeen {
  CallKind kind;
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
  // The call that a frame begins or goes on with; not of an object when it is none's.
  CallKind kind_of(const Frame& frame) const;

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

}  // namespace z0::laws
