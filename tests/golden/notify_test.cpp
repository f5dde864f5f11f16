// Golden requests: what receivers get for notifications that stand here, a file each. The tests of
// tests/notify read them: real receivers are asked whether they take them, and what they would have
// said themselves.
//
// With Z0_GOLDEN=write the requests are written anew; scripts/golden does that.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "unit/notify/samples.hpp"

namespace {

using nlohmann::ordered_json;
using z0::ChannelType;
using z0::Notification;
using z0::NotificationStatus;

// Three alerts of two tenants, one of them over, in two currencies.
Notification group() {
  Notification notification = z0::test::sample();
  notification.alerts.push_back(z0::test::sample_alert());
  z0::NotifiedAlert& silent = notification.alerts.back();
  silent.rule = "NoCharges";
  silent.level = 3;
  silent.audience = 7;
  silent.summary = "No charges of acct_south in an hour in which 40 are due";
  silent.tenant_id = "acct_south";
  silent.labels.clear();
  silent.value = "0 charges; by chance once in 10^17 hours";
  silent.threshold = "in an hour in which charges are due";
  silent.window_ms = 3'600'000;
  silent.owner = "billing";
  silent.runbook = "no_charges";
  silent.trace_id.clear();
  silent.money =
      z0::AlertMoney{"EUR", 98'000, 98'000, "40 charges of EUR 24.50, its usual Tuesday 10:00"};
  notification.alerts.push_back(z0::test::sample_alert());
  z0::NotifiedAlert& slow = notification.alerts.back();
  slow.rule = "ReplicationLag";
  slow.severity = z0::Severity::warning;
  slow.tenant_id.clear();
  slow.labels.clear();
  slow.summary = "The reporting copy is behind";
  slow.value = "12 s";
  slow.threshold = "above 10 s";
  slow.ended_ms = slow.started_ms + 60'000;
  slow.money.reset();
  return notification;
}

struct Golden {
  const char* name;
  Notification notification;
  ChannelType type;
  std::string secret;
};

std::string secret(ChannelType type) { return std::string(z0::test::secret_of(type)); }

std::vector<Golden> requests() {
  const auto of = [](const char* name, const Notification& notification, ChannelType type) {
    return Golden{name, notification, type, secret(type)};
  };
  const Notification firing = z0::test::sample();
  const Notification resolved = z0::test::sample(NotificationStatus::resolved);
  const Notification acknowledged = z0::test::sample(NotificationStatus::acknowledged);
  return {
      of("pagerduty_firing", firing, ChannelType::pagerduty),
      of("pagerduty_acknowledged", acknowledged, ChannelType::pagerduty),
      of("pagerduty_resolved", resolved, ChannelType::pagerduty),
      of("pagerduty_group", group(), ChannelType::pagerduty),
      of("slack_firing", firing, ChannelType::slack),
      of("slack_acknowledged", acknowledged, ChannelType::slack),
      of("slack_resolved", resolved, ChannelType::slack),
      of("slack_group", group(), ChannelType::slack),
      of("alertmanager_firing", firing, ChannelType::alertmanager),
      of("alertmanager_resolved", resolved, ChannelType::alertmanager),
      of("alertmanager_group", group(), ChannelType::alertmanager),
      {"webhook_group", group(), ChannelType::webhook,
       std::string(z0::test::webhook_key) + ' ' + std::string(z0::test::other_webhook_key)},
  };
}

// A signature is of the bytes of its body, so a webhook's stays a text.
std::string text_of(const Golden& golden) {
  z0::ReceiverRequest request;
  std::string why;
  if (!render(golden.notification, z0::test::channel_of(golden.type), golden.secret,
              golden.notification.at_ms, request, why))
    FAIL(why);
  ordered_json json;
  json["method"] = request.method;
  json["url"] = request.url;
  for (const auto& [name, value] : request.headers) json["headers"][name] = value;
  if (golden.type == ChannelType::webhook)
    json["body_text"] = request.body;
  else
    json["body"] = ordered_json::parse(request.body);
  return json.dump(2) + "\n";
}

}  // namespace

TEST_CASE("Receivers get the requests that are written down", "[golden][notify]") {
  const char* wish = std::getenv("Z0_GOLDEN");
  const bool write = wish != nullptr && std::string(wish) == "write";
  const auto directory = std::filesystem::path(Z0_SOURCE_DIR) / "tests" / "golden" / "notify";
  if (write) std::filesystem::create_directories(directory);
  for (const Golden& golden : requests()) {
    INFO(golden.name);
    const auto path = directory / (std::string(golden.name) + ".json");
    const std::string text = text_of(golden);
    if (write) std::ofstream(path) << text;
    std::ifstream in(path);
    CHECK(text == std::string(std::istreambuf_iterator<char>(in), {}));
  }
}
