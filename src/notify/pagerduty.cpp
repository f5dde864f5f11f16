// PagerDuty, Events API v2 (developer.pagerduty.com/docs/events-api-v2/trigger-events).
#include <algorithm>
#include <span>

#include "notify/parts.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/sha256.hpp"
#include "z0/base/time.hpp"

namespace z0 {
namespace {

constexpr std::string_view events_url = "https://events.pagerduty.com/v2/enqueue";

std::string_view action_of(NotificationStatus status) {
  switch (status) {
    case NotificationStatus::acknowledged:
      return "acknowledge";
    case NotificationStatus::resolved:
      return "resolve";
    default:
      return "trigger";
  }
}

// An incident is as severe as the worst of its alerts. PagerDuty has `error` and `info`, too, which no
// rule of z0 says.
std::string_view severity_of(const std::vector<const NotifiedAlert*>& alerts) {
  return severity_name(alerts.empty() ? Severity::warning : alerts.front()->severity);
}

using AlertTexts = std::span<const std::string>;

void write_details(JsonWriter& json, const Notification& notification, AlertTexts shown) {
  const std::int64_t firing = count_firing(notification);
  const auto all = static_cast<std::int64_t>(notification.alerts.size());
  json.object("custom_details");
  write_money(json, notification);
  json.integer("num_firing", firing).integer("num_resolved", all - firing);
  json.text_if_any("acknowledged_by", fit_text(notification.by));
  json.text_if_any("reason", fit_text(notification.reason));
  json.array("alerts");
  for (const std::string& alert : shown) json.raw(alert);
  json.end();
  const std::int64_t left_out =
      notification.left_out + all - static_cast<std::int64_t>(shown.size());
  if (left_out > 0) json.integer("alerts_left_out", left_out);
  json.end();
}

void write_payload(JsonWriter& json, const Notification& notification,
                   const std::vector<const NotifiedAlert*>& alerts, AlertTexts shown) {
  json.object("payload");
  json.text("summary", fit_text(headline(notification), limits::pagerduty_summary_bytes_max));
  json.plain("severity", severity_of(alerts));
  if (alerts.empty()) {
    json.plain("source", "z0").end();
    return;
  }
  const NotifiedAlert& worst = *alerts.front();
  // What is affected: the tenant; what of the product is responsible: the rule's owner.
  json.text("source", worst.tenant_id.empty() ? "z0" : fit_text(worst.tenant_id));
  const auto* first =
      *std::min_element(alerts.begin(), alerts.end(),
                        [](const auto* a, const auto* b) { return a->started_ms < b->started_ms; });
  json.plain("timestamp", rfc3339_text(first->started_ms));
  json.text_if_any("component", fit_text(worst.owner));
  json.text_if_any("group", fit_text(worst.tenant_id));
  json.text_if_any("class", fit_text(worst.rule));
  write_details(json, notification, shown);
  json.end();
}

// The links of the worst alert; those of the others stand in the details.
void write_links(JsonWriter& json, const Notification& notification, const NotifiedAlert& worst) {
  json.array("links");
  for (std::size_t i = 0; i < static_cast<std::size_t>(Link::count_); ++i) {
    const auto which = static_cast<Link>(i);
    const std::string address = link_of(notification, worst, which);
    if (!address.empty()) json.object().text("href", address).plain("text", link_name(which)).end();
  }
  json.end();
}

bool is_routing_key(std::string_view key) {
  return key.size() == limits::pagerduty_routing_key_bytes &&
         std::all_of(key.begin(), key.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

}  // namespace

std::string pagerduty_dedup_key(std::string_view dedup_key) {
  if (dedup_key.size() <= limits::pagerduty_dedup_key_bytes_max) return std::string(dedup_key);
  // Two keys that begin alike stay two.
  std::string hash = "-";
  append_hex(hash, bytes_of(sha256(dedup_key)));
  return fit_text(dedup_key, limits::pagerduty_dedup_key_bytes_max - hash.size()) + hash;
}

bool render_pagerduty(const RenderInput& in, ReceiverRequest& out, std::string& why) {
  if (!is_routing_key(in.secret)) {
    why = "the secret is no routing key of 32 letters and digits";
    return false;
  }
  if (out.url.empty()) out.url = events_url;
  const Notification& notification = in.notification;
  const std::vector<const NotifiedAlert*> alerts = worst_first(notification);
  constexpr std::size_t bytes_max = limits::pagerduty_event_bytes_max;
  const std::vector<std::string> texts = alert_texts(notification, alerts, bytes_max);
  out.body = longest_within(bytes_max, texts.size(), [&](std::size_t shown) {
    std::string body;
    JsonWriter json(body);
    json.object().plain("routing_key", in.secret);
    json.plain("event_action", action_of(notification.status));
    json.text("dedup_key", pagerduty_dedup_key(notification.dedup_key)).plain("client", "z0");
    if (!alerts.empty()) {
      json.text_if_any("client_url", link_of(notification, *alerts[0], Link::dashboard));
      write_links(json, notification, *alerts[0]);
    }
    write_payload(json, notification, alerts, AlertTexts(texts).first(shown));
    json.end();
    return body;
  });
  return true;
}

}  // namespace z0
