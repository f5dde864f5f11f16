// Which call of a ledger object a frame belongs to. A call takes several steps, and another one may
// begin and end while it waits for D1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/effects.hpp"
#include "z0/frame.hpp"

namespace z0::laws {

// One call from its first frame to its last effects.
struct LedgerCallSeen {
  std::uint16_t kind = 0;
  std::string object;
  std::string request;
  // What D1 answered since the host last asked for its state.
  std::vector<std::string> query_answers;
  // Of the last step.
  std::int64_t now_ms = 0;
  std::string entropy;
  std::string effects;
  bool committed = false;
};

class Calls {
 public:
  // Takes one step. True when it was the last of a ledger's call, which last() then tells.
  bool step(const Frame& frame, const std::vector<Effect>& effects, std::string_view effect_bytes);
  LedgerCallSeen& last() { return last_; }
  // The kind of the call that a frame begins or goes on with; 0 when it is no ledger's.
  std::uint16_t kind_of(const Frame& frame) const;

 private:
  struct Open {
    LedgerCallSeen call;
    std::size_t queries =
        0;  // needs of the step before that D1 answers, which then are its only ones
  };
  std::vector<Open> open_;
  LedgerCallSeen last_;
};

inline bool ledger_frame(std::uint16_t kind) {
  return kind >= Z0_FRAME_LEDGER_APPEND && kind <= Z0_FRAME_LEDGER_RESUME;
}

}  // namespace z0::laws
