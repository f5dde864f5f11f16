#include "z0/core/core.hpp"

#include <unordered_map>

#include "z0/base/trap.hpp"
#include "z0/directory/directory.hpp"
#include "z0/edge/routes.hpp"
#include "z0/queue/consumer.hpp"

namespace z0 {

struct Core::State {
  KnownTokens tokens;
  Ledgers ledgers;
  std::unordered_map<std::uint64_t, std::unique_ptr<Monitor>> monitors;
  Effects effects;
};

namespace {

// Objects that died leave their state behind; only the living one is ever asked for again.
constexpr std::size_t resident_monitors_max = 8;

Monitor& monitor_of(std::unordered_map<std::uint64_t, std::unique_ptr<Monitor>>& monitors,
                    std::uint64_t incarnation) {
  if (monitors.size() >= resident_monitors_max && !monitors.contains(incarnation)) monitors.clear();
  auto& monitor = monitors[incarnation];
  if (!monitor) monitor = std::make_unique<Monitor>();
  return *monitor;
}

}  // namespace

Core::Core() : state_(std::make_unique<State>()) {}
Core::~Core() = default;

std::string_view Core::step(std::string_view bytes) {
  Frame frame;
  if (!parse_frame(bytes, frame)) trap("a host writes frames that can be read");
  Effects& effects = state_->effects;
  effects.begin_step();
  if (frame.kind == Z0_FRAME_CALL && frame.method == Z0_METHOD_TRAP) {
    if (frame.flags & flag_debug) trap("a debug call asked for it");
    effects.reply(403, {}, {});
    return effects.finish();
  }
  switch (frame.target) {
    case Z0_TARGET_LEDGER:
      step_ledger(state_->ledgers, frame, effects);
      break;
    case Z0_TARGET_MONITOR:
      step_monitor(monitor_of(state_->monitors, frame.incarnation), frame, effects);
      break;
    case Z0_TARGET_DIRECTORY:
      step_directory(frame, effects);
      break;
    case Z0_TARGET_EDGE:
      step_edge(state_->tokens, frame, effects);
      break;
    case Z0_TARGET_QUEUE:
      step_consumer(frame, effects);
      break;
    default:
      trap("each target of a frame is known");
  }
  return effects.finish();
}

}  // namespace z0
