// What a run's core was given and what it answered, in order: enough to ask any other core the
// same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace z0::laws {

class Tape {
 public:
  void add(std::string_view frame, std::string_view effects);
  // From here on a new core answers.
  void fresh_core();

  // Gives every frame to cores of its own. Empty when each answered with the same bytes, else what
  // differed first.
  std::string replay() const;

  // The file that tests/wasm reads: "z0tape1\n", then for each step u32 size, the frame, and the
  // SHA-256 of the effects. A size of 0 stands alone and means a fresh core. False when it cannot
  // be written.
  bool write(const std::string& path) const;

  std::size_t size() const { return steps_.size(); }

 private:
  struct Step {
    std::string frame;  // empty: a fresh core
    std::string effects;
  };
  std::vector<Step> steps_;
};

}  // namespace z0::laws
