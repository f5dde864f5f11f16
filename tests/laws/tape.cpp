#include "tape.hpp"

#include <fstream>
#include <memory>

#include "z0/base/bytes.hpp"
#include "z0/base/sha256.hpp"
#include "z0/core/core.hpp"
#include "z0/core/words.hpp"

namespace z0::laws {

void Tape::add(std::string_view frame, std::string_view effects) {
  steps_.push_back({std::string(frame), std::string(effects)});
}

void Tape::fresh_core() { steps_.emplace_back(); }

std::string Tape::replay() const {
  auto core = std::make_unique<Core>();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.frame.empty()) {
      core = std::make_unique<Core>();
      continue;
    }
    const std::string_view effects = core->step(step.frame);
    if (effects == step.effects) continue;
    return "step " + std::to_string(i) + " is answered differently the second time\n" +
           describe_frame(step.frame) + "first:\n" + describe_effects(step.effects) + "then:\n" +
           describe_effects(effects);
  }
  return {};
}

bool Tape::write(const std::string& path) const {
  std::string bytes = "z0tape1\n";
  ByteWriter out(bytes);
  for (const Step& step : steps_) {
    out.bytes(step.frame);
    if (step.frame.empty()) continue;
    const Digest digest = sha256(step.effects);
    out.raw({reinterpret_cast<const char*>(digest.data()), digest.size()});
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return file.good();
}

}  // namespace z0::laws
