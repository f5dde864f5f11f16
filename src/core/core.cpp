#include "z0/core/core.hpp"

#include <unordered_map>

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

constexpr std::uint16_t flag_debug = 1;
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
  if (!parse_frame(bytes, frame)) __builtin_trap();
  Effects& effects = state_->effects;
  effects.begin_step();
  switch (frame.kind) {
    case Z0_FRAME_REQUEST:
    case Z0_FRAME_RESUME:
      step_edge(state_->tokens, frame, effects);
      break;
    case Z0_FRAME_MESSAGE:
    case Z0_FRAME_DEAD_LETTER:
    case Z0_FRAME_MESSAGE_RESUME:
      step_consumer(frame, effects);
      break;
    case Z0_FRAME_LEDGER_APPEND:
    case Z0_FRAME_LEDGER_READ:
    case Z0_FRAME_LEDGER_HEAD:
    case Z0_FRAME_LEDGER_STATE:
    case Z0_FRAME_LEDGER_PROOF:
    case Z0_FRAME_LEDGER_RECONCILE:
    case Z0_FRAME_LEDGER_REPLICATE:
    case Z0_FRAME_LEDGER_IMPORT:
    case Z0_FRAME_LEDGER_VERIFY:
    case Z0_FRAME_LEDGER_ALARM:
    case Z0_FRAME_LEDGER_RESUME:
      step_ledger(state_->ledgers, frame, effects);
      break;
    case Z0_FRAME_MONITOR_TELL:
    case Z0_FRAME_MONITOR_LIVE:
      step_monitor(monitor_of(state_->monitors, frame.incarnation), frame, effects);
      break;
    case Z0_FRAME_DIRECTORY_REGISTER:
    case Z0_FRAME_DIRECTORY_POLICIES:
    case Z0_FRAME_DIRECTORY_PUBLISH:
    case Z0_FRAME_DIRECTORY_LIST:
    case Z0_FRAME_DIRECTORY_ALARM:
    case Z0_FRAME_DIRECTORY_RESUME:
      step_directory(frame, effects);
      break;
    case Z0_FRAME_DEBUG_TRAP:
      if (frame.flags & flag_debug) __builtin_trap();
      effects.reply(403, {}, {});
      break;
    default:
      __builtin_trap();
  }
  return effects.finish();
}

}  // namespace z0
