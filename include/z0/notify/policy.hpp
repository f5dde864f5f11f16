// How often and how patiently people are told: the part `policy` of the settings of a config of type
// `alert_channels`.
//
//   {"channels": [...],
//    "policy": {"group_wait": "10s", "group_interval": "5m", "repeat": "4h",
//               "escalate_after": "15m", "escalate_to": ["engineering_lead"],
//               "flap_changes": 6, "flap_window": "30m"}}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/notify/channel.hpp"

namespace z0 {

struct TellingPolicy {
  // What fires together is told together. A page does not wait for company.
  std::int64_t group_wait_ms = 10'000;
  // Between two words about a group that is known, when something of it changed.
  std::int64_t group_interval_ms = 300'000;
  // While nothing changes.
  std::int64_t repeat_ms = std::int64_t{4} * 3'600'000;
  // How long a page may stay without somebody's word. 0: it never goes further.
  std::int64_t escalate_ms = std::int64_t{15} * 60'000;
  std::vector<Audience> escalate_to = {Audience::engineering_lead};
  // An alert that began or ended more often within the window is told as flapping, and then held.
  std::int64_t flap_changes = 6;
  std::int64_t flap_window_ms = std::int64_t{30} * 60'000;

  friend bool operator==(const TellingPolicy&, const TellingPolicy&) = default;
};

// All that stands in such settings.
struct ChannelSettings {
  std::vector<Channel> channels;
  TellingPolicy policy;

  friend bool operator==(const ChannelSettings&, const ChannelSettings&) = default;
};
// False at the first fault, which is said with its place.
[[nodiscard]] bool read_channel_settings(std::string_view settings, ChannelSettings& out,
                                         RuleError& error);

}  // namespace z0
