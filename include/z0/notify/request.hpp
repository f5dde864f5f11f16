// A notification in the form of a receiver: one HTTP request.
//
// The request is a function of what is passed in. Only a webhook's depends on when it is sent: each
// attempt is signed with its own time. Bodies are JSON, within the receiver's limits whatever the
// notification holds (limits.hpp).
//
//   pagerduty     Events API v2: trigger, acknowledge, resolve, by dedup_key
//   slack         an incoming webhook with blocks: money first, then each alert with its links
//   alertmanager  POST /api/v2/alerts: all alerts, labelled as `z0 rules export` labels them, so that
//                 z0 and a Prometheus with exported rules speak of the same alert. It has no
//                 acknowledgements: an alert fires until it is over
//   webhook       {"type": "alert.firing", "timestamp", "data": {...}}, signed (signature.hpp)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/notify/channel.hpp"
#include "z0/notify/notification.hpp"

namespace z0 {

struct ReceiverRequest {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// `secret` is what stands behind the channel's name of one. False when it is not what the channel's
// type needs, or the notification's id is none; `why` says so in words that do not repeat the secret.
[[nodiscard]] bool render(const Notification& notification, const Channel& channel,
                          std::string_view secret, std::int64_t now_ms, ReceiverRequest& out,
                          std::string& why);

// The key under which PagerDuty keeps an incident: the notification's, or one made of it where it is
// longer than PagerDuty takes.
std::string pagerduty_dedup_key(std::string_view dedup_key);

}  // namespace z0
