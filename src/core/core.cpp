#include "z0/core/core.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "z0/alerting/alerting.hpp"
#include "z0/alerting/lookout.hpp"
#include "z0/base/trap.hpp"
#include "z0/directory/directory.hpp"
#include "z0/edge/routes.hpp"
#include "z0/monitor/shard.hpp"
#include "z0/queue/consumer.hpp"
#include "z0/traces/tail.hpp"
#include "z0/traces/traces.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {

// A shard of the monitor, and which life of which object it belongs to.
struct ResidentShard {
  std::uint64_t incarnation = 0;
  std::string name;
  std::unique_ptr<Shard> shard;
};

struct Core::State {
  KnownTokens tokens;
  Ledgers ledgers;
  std::unordered_map<std::uint64_t, std::unique_ptr<Monitor>> monitors;
  std::vector<ResidentShard> shards;  // oldest first
  std::unordered_map<std::uint64_t, OwnedTraceStore> trace_stores;
  std::unordered_map<std::uint64_t, std::unique_ptr<Alerting>> desks;
  Effects effects;
};

namespace {

// Objects that died leave their state behind; only the living one is ever asked for again. A live
// window is some 100 KB.
constexpr std::size_t resident_monitors_max = 8;
// A full shard is some 60 MB, so one that died must not stay beside the one that follows it: a name has
// one. The root is never a shard.
constexpr std::size_t resident_shards_max = 8;

// A store holds at most limits::traces_open_bytes_max and a segment: 36 MB.
constexpr std::size_t resident_trace_stores_max = 4;
// There is one, and where it died the one that follows it.
constexpr std::size_t resident_desks_max = 2;

// The state of an object, which is made where there is none. Of more than `max` all are dropped: rows
// bring them back.
template <class Owned, class Make>
typename Owned::element_type& state_of(std::unordered_map<std::uint64_t, Owned>& states,
                                       std::uint64_t incarnation, std::size_t max, Make make) {
  if (states.size() >= max && !states.contains(incarnation)) states.clear();
  Owned& state = states[incarnation];
  if (!state) state = make();
  return *state;
}

// Of the objects of this target the root alone has no alarm.
bool to_root(const Frame& frame) {
  if (frame.kind == Z0_FRAME_RESUME) return asked_by_root(frame.part(0));
  return frame.kind != Z0_FRAME_ALARM && frame.part(0) == monitor_object;
}

}  // namespace

void Core::step_monitors(const Frame& frame, Effects& effects) {
  if (to_root(frame))
    return step_monitor(state_of(state_->monitors, frame.incarnation, resident_monitors_max,
                                 std::make_unique<Monitor>),
                        frame, effects);
  // A continuation goes by its incarnation, and an alarm may not know the name.
  const std::string name(frame.kind == Z0_FRAME_RESUME ? std::string_view{} : frame.part(0));
  auto& shards = state_->shards;
  const auto found = std::find_if(shards.begin(), shards.end(), [&](const ResidentShard& shard) {
    return shard.incarnation == frame.incarnation;
  });
  if (found != shards.end()) {
    if (found->name.empty()) found->name = name;
    return step_shard(*found->shard, frame, effects);
  }
  if (frame.kind == Z0_FRAME_RESUME) {
    // Its state left memory meanwhile; what is on its way is known without it.
    Shard none;
    return step_shard(none, frame, effects);
  }
  std::erase_if(shards,
                [&](const ResidentShard& shard) { return !name.empty() && shard.name == name; });
  if (shards.size() >= resident_shards_max) shards.erase(shards.begin());
  shards.push_back({frame.incarnation, name, std::make_unique<Shard>()});
  step_shard(*shards.back().shard, frame, effects);
}

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
      step_monitors(frame, effects);
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
    case Z0_TARGET_TRACES:
      step_traces(state_of(state_->trace_stores, frame.incarnation, resident_trace_stores_max,
                           new_trace_store),
                  frame, effects);
      break;
    case Z0_TARGET_ALERTS:
      if (to_lookout(frame)) {
        step_lookout(frame, effects);
        break;
      }
      step_alerts(state_of(state_->desks, frame.incarnation, resident_desks_max,
                           std::make_unique<Alerting>),
                  frame, effects);
      break;
    case Z0_TARGET_TAIL:
      step_tail(frame, effects);
      break;
    default:
      trap("each target of a frame is known");
  }
  return effects.finish();
}

}  // namespace z0
