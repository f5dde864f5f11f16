// Inside the monitor: where its steps go on.
#pragma once

#include <cstdint>
#include <string_view>

#include "z0/base/fields.hpp"
#include "z0/monitor/monitor.hpp"
#include "z0/monitor/shard.hpp"

namespace z0 {

// Whose answers come next: of the shards, to the root; of the rows of an export, of whom it was sent to,
// and of the object of alerts, to a shard.
enum class MonitorStage : std::uint8_t { shards, outgoing, sent, reported, count_ };

struct MonitorCourse {
  MonitorStage stage = MonitorStage::shards;
  std::string_view course;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.code(self.stage);
    f.bytes(self.course);
  }
};

// Asks every shard the question of a call.
void ask_shards(const Frame& frame, Effects& effects);
// Merges what they answered, and replies.
void merge_shards(const Monitor& monitor, const Frame& frame, Effects& effects);

// An alarm of a shard: it judges the rules, saves, makes batches of what is to be sent, or sends one.
void alarm_of_shard(Shard& shard, const Frame& frame, Effects& effects);
// Goes on with what was found, or with the sending.
void resume_shard(Shard& shard, const Frame& frame, Effects& effects);

}  // namespace z0
