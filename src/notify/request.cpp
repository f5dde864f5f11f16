#include "z0/notify/request.hpp"

#include <algorithm>

#include "notify/parts.hpp"

namespace z0 {
namespace {

// It goes into a header, and in front of a full stop into what is signed.
bool is_notification_id(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
}

}  // namespace

bool render(const Notification& notification, const Channel& channel, std::string_view secret,
            std::int64_t now_ms, ReceiverRequest& out, std::string& why) {
  // A secret that was put into a file ends with a line feed, which is no part of it.
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = secret.find_first_not_of(blank);
  secret = first == std::string_view::npos
               ? std::string_view()
               : secret.substr(first, secret.find_last_not_of(blank) - first + 1);
  why.clear();
  if (!is_notification_id(notification.id)) {
    why = "the notification's id holds more than letters, digits, _ and -";
    return false;
  }
  out = ReceiverRequest{"POST", channel.url, {{"content-type", "application/json"}}, {}};
  const RenderInput in{notification, channel, secret, now_ms};
  switch (channel.type) {
    case ChannelType::pagerduty:
      return render_pagerduty(in, out, why);
    case ChannelType::slack:
      return render_slack(in, out, why);
    case ChannelType::alertmanager:
      return render_alertmanager(in, out, why);
    default:
      return render_webhook(in, out, why);
  }
}

}  // namespace z0
