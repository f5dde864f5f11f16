// Where notifications go: receivers as data, read from the settings of a config of type
// `alert_channels`.
//
//   {"channels": [{"name": "on-call", "type": "pagerduty", "secret": "PAGERDUTY_ROUTING_KEY",
//                  "severities": ["critical"]},
//                 {"name": "engineering", "type": "slack", "secret": "SLACK_WEBHOOK_URL",
//                  "audience": ["on_call", "engineering_lead"],
//                  "business_hours": {"time_zone": "Europe/Berlin", "from": "09:00", "to": "17:30",
//                                     "days": ["mon", "tue", "wed", "thu", "fri"]}},
//                 {"name": "am", "type": "alertmanager", "url": "http://alertmanager:9093"},
//                 {"name": "crm", "type": "webhook", "url": "https://crm.example/z0",
//                  "secret": "CRM_WEBHOOK_KEYS", "audience": ["tenant_success"]}]}
//
// `secret` names a secret of the Worker and never holds one. A version of a config is a fact: it is
// kept for ever, goes to D1 and into exports, and everybody who may read configs reads it, so a key
// that once stood there could not be taken back. A name can, and the key behind it changes without a
// new version. What the secret holds depends on the type:
//
//   pagerduty     the routing key of an integration with the Events API v2
//   slack         the whole address of an incoming webhook: whoever has it may write
//   alertmanager  the value of the header `authorization`; may be left out
//   webhook       one key, or several while they are changed: "whsec_..." each, blanks between them
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "z0/alerts/rule.hpp"

namespace z0 {

enum class ChannelType : std::uint8_t { pagerduty, slack, alertmanager, webhook, count_ };
std::string_view channel_type_name(ChannelType type);

// When a channel wants to be told of what can wait. What the time is in a zone is not decided here.
struct BusinessHours {
  std::string time_zone;      // of the IANA database; whether it exists only its reader knows
  std::int32_t from_min = 0;  // minutes after midnight
  std::int32_t to_min = 0;    // later than from_min; 1440 is midnight
  std::uint8_t days = 0;      // bit 0: Monday
  friend bool operator==(const BusinessHours&, const BusinessHours&) = default;
};

struct Channel {
  std::string name;
  ChannelType type = ChannelType::webhook;
  std::string url;                 // empty: the type's own
  std::string secret;              // the name of one
  std::uint8_t audience = 0xff;    // bit i: Audience i
  std::uint8_t severities = 0xff;  // bit i: Severity i
  std::optional<BusinessHours> business_hours;
  friend bool operator==(const Channel&, const Channel&) = default;
};
// Whether an alert of this severity and audience is for the channel.
bool wants(const Channel& channel, Severity severity, std::uint8_t audience);

// All channels of a config's settings; false at the first fault, which is said with its place. Names
// are unique. At most limits::channels_max.
[[nodiscard]] bool read_channels(std::string_view settings, std::vector<Channel>& out,
                                 RuleError& error);

// Whether a request may go there: https, or http to Alertmanager and to this machine; without user
// and password, which would be a secret.
bool receiver_url(ChannelType type, std::string_view url);

}  // namespace z0
