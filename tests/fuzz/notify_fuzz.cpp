// Any bytes as what channels and notifications are made of: what is read is of use, what is sent is
// JSON within its receiver's limits, and nobody signs without a key.
//
// The first byte says which: 0 the settings of channels, 1 the headers of a webhook, 2 the texts of a
// notification; parts are parted by line feeds.
#include <algorithm>

#include "step_law.hpp"
#include "z0/notify/limits.hpp"
#include "z0/notify/request.hpp"
#include "z0/notify/signature.hpp"

namespace {

using namespace z0;
using step_law::broken;

constexpr std::int64_t now_ms = 1'774'915'200'000;
constexpr std::string_view webhook_key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

void read_settings(std::string_view settings) {
  std::vector<Channel> channels;
  RuleError error;
  if (!read_channels(settings, channels, error)) {
    if (!channels.empty() || error.where.empty() || error.why.empty())
      broken("a fault has a place and a reason, and nothing is half read");
    return;
  }
  if (channels.size() > limits::channels_max) broken("channels have a limit");
  for (const Channel& channel : channels) {
    if (channel.name.empty()) broken("a channel has a name");
    const bool own_url = channel.url.empty();
    if (own_url && channel.type != ChannelType::slack && channel.type != ChannelType::pagerduty)
      broken("a channel leads somewhere");
    if (!own_url && !receiver_url(channel.type, channel.url)) broken("a channel leads out");
    const auto& hours = channel.business_hours;
    if (hours && (hours->from_min < 0 || hours->from_min >= hours->to_min || hours->to_min > 1440 ||
                  hours->days == 0))
      broken("business hours begin before they end, on some day");
  }
}

// The next line.
std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

void check_headers(std::string_view bytes) {
  const std::string_view id = take_line(bytes);
  const std::string_view timestamp = take_line(bytes);
  const std::string_view signatures = take_line(bytes);
  if (check_webhook(webhook_key, id, timestamp, signatures, bytes, now_ms) == WebhookCheck::good)
    broken("nobody signs without the key");
  for (const std::string& key : webhook_keys(bytes)) {
    if (key.size() < limits::webhook_key_bytes_min) broken("a key has its length");
  }
}

void send(std::string_view bytes) {
  if (!valid_utf8(bytes)) return;
  Notification notification;
  notification.id = "n";
  notification.at_ms = now_ms;
  notification.links = {"https://z0.example/?t={tenant_id?}", "https://z0.example/{rule}", "", ""};
  for (std::string* part : {&notification.dedup_key, &notification.by, &notification.reason,
                            &notification.links.trace, &notification.links.runbook})
    *part = take_line(bytes);
  do {
    NotifiedAlert& alert = notification.alerts.emplace_back();
    for (std::string* part : {&alert.rule, &alert.summary, &alert.tenant_id, &alert.value,
                              &alert.threshold, &alert.owner, &alert.runbook, &alert.trace_id})
      *part = take_line(bytes);
    alert.labels.emplace_back(take_line(bytes), take_line(bytes));
    alert.money = AlertMoney{std::string(take_line(bytes)), now_ms, -now_ms, alert.summary};
  } while (!bytes.empty());
  for (const auto type : {ChannelType::pagerduty, ChannelType::slack, ChannelType::alertmanager,
                          ChannelType::webhook}) {
    constexpr std::string_view secrets[] = {"0123456789abcdef0123456789abcdef",
                                            "https://x.example/", "", webhook_key};
    Channel channel;
    channel.type = type;
    ReceiverRequest request;
    std::string why;
    if (!render(notification, channel, secrets[static_cast<std::size_t>(type)], now_ms, request,
                why))
      broken("a notification can be sent");
    JsonReader reader(request.body, 16);
    if (!reader.skip() || !reader.at_end()) broken("what is sent is JSON");
    if (type == ChannelType::pagerduty && request.body.size() > limits::pagerduty_event_bytes_max)
      broken("an event keeps PagerDuty's limit");
    if (type == ChannelType::webhook && request.body.size() > limits::webhook_body_bytes_max)
      broken("a webhook keeps its limit");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      read_settings(bytes);
      break;
    case 1:
      check_headers(bytes);
      break;
    default:
      send(bytes);
      break;
  }
  return 0;
}
