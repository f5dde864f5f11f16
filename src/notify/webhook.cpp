// Webhooks: our own form of a notification, in the envelope of Standard Webhooks.
#include <span>

#include "notify/parts.hpp"
#include "z0/base/time.hpp"
#include "z0/notify/signature.hpp"

namespace z0 {
namespace {

std::string webhook_body(const Notification& notification, std::span<const std::string> shown) {
  std::string body;
  JsonWriter json(body);
  json.object();
  json.plain("type", "alert." + std::string(notification_status_name(notification.status)));
  json.plain("timestamp", rfc3339_text(notification.at_ms));
  json.object("data").plain("id", notification.id);
  json.text("dedup_key", fit_text(notification.dedup_key));
  json.plain("status", notification_status_name(notification.status));
  json.text("headline", fit_text(headline(notification)));
  json.text_if_any("acknowledged_by", fit_text(notification.by));
  json.text_if_any("reason", fit_text(notification.reason));
  write_money(json, notification);
  json.array("alerts");
  for (const std::string& alert : shown) json.raw(alert);
  json.end();
  json.integer(
      "alerts_left_out",
      notification.left_out + static_cast<std::int64_t>(notification.alerts.size() - shown.size()));
  json.end().end();
  return body;
}

}  // namespace

bool render_webhook(const RenderInput& in, ReceiverRequest& out, std::string& why) {
  const std::vector<std::string> keys = webhook_keys(in.secret);
  if (keys.empty()) {
    why =
        "the secret is no key: whsec_ and 24 to 64 bytes in base 64, at most four, blanks between "
        "them";
    return false;
  }
  const Notification& notification = in.notification;
  constexpr std::size_t bytes_max = limits::webhook_body_bytes_max;
  const std::vector<std::string> texts =
      alert_texts(notification, worst_first(notification), bytes_max);
  out.body = longest_within(bytes_max, texts.size(), [&](std::size_t shown) {
    return webhook_body(notification, std::span<const std::string>(texts).first(shown));
  });
  const std::int64_t now_s = in.now_ms / 1'000;
  out.headers.emplace_back("webhook-id", notification.id);
  out.headers.emplace_back("webhook-timestamp", std::to_string(now_s));
  out.headers.emplace_back("webhook-signature",
                           webhook_signature(keys, notification.id, now_s, out.body));
  return true;
}

}  // namespace z0
