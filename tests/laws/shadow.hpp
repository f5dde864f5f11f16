// A second host of the same ledgers that forgets everything before every call: its core has nothing
// but rows to go by. Whatever it answers and writes must be what the first one, which remembers,
// did.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "calls.hpp"
#include "world.hpp"
#include "z0/core/core.hpp"

namespace z0::laws {

class Shadow {
 public:
  // Makes a ledger's call again, with the time and entropy of its last step and what D1 and the
  // directory answered. The directory itself remembers nothing, so it has no shadow.
  void finished(const CallSeen& call);
  // Every row of every ledger is the same in both.
  void settle(world::World& world);

  const std::string& broken() const { return broken_; }

 private:
  std::string run(const CallSeen& call, world::Database& storage);
  std::string answer(const Effect& need, const CallSeen& call, world::Database& storage);
  void compare(const CallSeen& call, std::string_view mine);
  void fail(std::string_view what, std::string_view where);

  Core core_;
  std::size_t asked_ = 0;  // of the answers from outside
  std::uint64_t incarnation_ = 0;
  std::map<std::string, std::unique_ptr<world::Database>> storages_;
  std::string broken_;
};

}  // namespace z0::laws
