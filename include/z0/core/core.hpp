// The core: one object that takes frames and returns effects.
//
// It holds the resident state of every ledger and monitor that this instance serves; all of it is a
// cache that is rebuilt from rows. Not thread-safe, not re-entrant: one step at a time.
#pragma once

#include <memory>
#include <string_view>

#include "z0/ledger/ledger.hpp"
#include "z0/monitor/monitor.hpp"
#include "z0/wire/effects.hpp"

namespace z0 {

class Core {
 public:
  Core();
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Takes one step. The effects are valid until the next step. Traps on bytes that are no frame:
  // they come from the host, never from a caller.
  std::string_view step(std::string_view frame);

 private:
  struct State;
  void step_monitors(const Frame& frame, Effects& effects);
  std::unique_ptr<State> state_;
};

}  // namespace z0
