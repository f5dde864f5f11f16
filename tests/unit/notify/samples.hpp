// Notifications as tests say them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "unit/catch.hpp"
#include "z0/notify/request.hpp"

namespace z0::test {

inline constexpr std::int64_t alert_began_ms = 1'774'952'100'000;  // 2026-03-31T10:15:00Z
inline constexpr std::string_view routing_key = "0123456789abcdefABCDEF0123456789";
inline constexpr std::string_view slack_address =
    "https://hooks.slack.com/services/T0001/B0001/abcdefgh";
inline constexpr std::string_view webhook_key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
inline constexpr std::string_view other_webhook_key = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

inline LinkTemplates sample_links() {
  return {"https://z0.example/?tenant_id={tenant_id?}&from={from_ms}&to={to_ms}",
          "https://z0.example/facts?tenant_id={tenant_id?}&from={from_ms}&to={to_ms}",
          "https://z0.example/trace?id={trace_id}",
          "https://z0.example/runbooks/{runbook}?tenant_id={tenant_id?}&tool_id={tool_id?}"};
}

inline NotifiedAlert sample_alert() {
  NotifiedAlert alert;
  alert.rule = "FactWriteFailures";
  alert.severity = Severity::critical;
  alert.summary = "Facts of <north> & others fail to be written";
  alert.tenant_id = "acct_north";
  alert.labels = {{"fact_type", "charge"}, {"error_code", "timeout"}};
  alert.value = "2.5 % (30 of 1,200)";
  alert.threshold = "above 1 %";
  alert.window_ms = 300'000;
  alert.started_ms = alert_began_ms;
  alert.owner = "platform";
  alert.runbook = "fact_write_failures";
  alert.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  alert.money = AlertMoney{"USD", 123'450, 50'000, "30 charges of USD 41.15, as their tries say"};
  return alert;
}

inline Notification sample(NotificationStatus status = NotificationStatus::firing) {
  Notification notification;
  notification.id = "ntf_01JQ8Z";
  notification.dedup_key = "acct_z0/FactWriteFailures/acct_north";
  notification.status = status;
  notification.at_ms = alert_began_ms + 120'000;
  notification.links = sample_links();
  notification.alerts.push_back(sample_alert());
  if (status == NotificationStatus::acknowledged) {
    notification.by = "ada";
    notification.reason = "the ledger is being sharded";
  }
  if (status == NotificationStatus::resolved)
    notification.alerts[0].ended_ms = notification.at_ms = alert_began_ms + 5'400'000;
  return notification;
}

inline Channel channel_of(ChannelType type) {
  Channel channel;
  channel.name = "c";
  channel.type = type;
  if (type == ChannelType::alertmanager) channel.url = "http://alertmanager:9093/";
  if (type == ChannelType::webhook) channel.url = "https://receiver.example/z0";
  return channel;
}

inline std::string_view secret_of(ChannelType type) {
  switch (type) {
    case ChannelType::pagerduty:
      return routing_key;
    case ChannelType::slack:
      return slack_address;
    case ChannelType::webhook:
      return webhook_key;
    default:
      return {};
  }
}

inline ReceiverRequest rendered(const Notification& notification, ChannelType type) {
  ReceiverRequest request;
  std::string why;
  if (!render(notification, channel_of(type), secret_of(type), notification.at_ms, request, why))
    FAIL(why);
  return request;
}

// Throws, which fails the test, when the body is no JSON.
inline nlohmann::json body_of(const Notification& notification, ChannelType type) {
  return nlohmann::json::parse(rendered(notification, type).body);
}

}  // namespace z0::test
