#include <sstream>

#include "unit/notify/samples.hpp"
#include "z0/alerts/prometheus.hpp"

using nlohmann::json;
using z0::ChannelType;
using z0::Notification;
using z0::NotificationStatus;
using z0::test::body_of;
using z0::test::sample;
using z0::test::sample_alert;

TEST_CASE("Alertmanager gets each alert with labels, annotations and times", "[notify]") {
  const auto request = z0::test::rendered(sample(), ChannelType::alertmanager);
  CHECK(request.url == "http://alertmanager:9093/api/v2/alerts");
  CHECK(request.headers.size() == 1);
  const json alerts = json::parse(request.body);
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0]["labels"] == json{{"alertname", "FactWriteFailures"},
                                    {"fact_type", "charge"},
                                    {"error_code", "timeout"},
                                    {"tenant_id", "acct_north"},
                                    {"severity", "critical"},
                                    {"level", "1"},
                                    {"audience", "on_call"},
                                    {"owner", "platform"}});
  CHECK(alerts[0]["annotations"]["summary"] == "Facts of <north> & others fail to be written");
  CHECK(alerts[0]["annotations"]["runbook"] == "fact_write_failures");
  CHECK(alerts[0]["annotations"]["money"] ==
        "USD 1,234.50 lost so far, USD 500.00 an hour at risk");
  CHECK(alerts[0]["startsAt"] == "2026-03-31T10:15:00.000Z");
  CHECK_FALSE(alerts[0].contains("endsAt"));
  CHECK(alerts[0]["generatorURL"] ==
        "https://z0.example/?tenant_id=acct_north&from=1774951800000&to=1774952220000");
}

TEST_CASE("An alert's labels stay while it goes on, whatever else is said", "[notify]") {
  Notification later = sample(NotificationStatus::resolved);
  later.alerts[0].value = "3 %";
  later.alerts[0].money.reset();
  later.alerts[0].summary = "otherwise";
  CHECK(body_of(later, ChannelType::alertmanager)[0]["labels"] ==
        body_of(sample(), ChannelType::alertmanager)[0]["labels"]);
}

TEST_CASE("An alert ends when it ended, or when nothing is heard of it", "[notify]") {
  Notification group = sample();
  group.alerts[0].expires_ms = group.at_ms + 240'000;
  CHECK(body_of(group, ChannelType::alertmanager)[0]["endsAt"] == "2026-03-31T10:21:00.000Z");
  group.alerts[0].ended_ms = group.at_ms;
  CHECK(body_of(group, ChannelType::alertmanager)[0]["endsAt"] == "2026-03-31T10:17:00.000Z");
  // Alertmanager refuses an end before the beginning.
  group.alerts[0].ended_ms = group.alerts[0].started_ms - 1;
  CHECK(body_of(group, ChannelType::alertmanager)[0]["endsAt"] == "2026-03-31T10:15:00.000Z");
  group.alerts[0].ended_ms = 0;
  group.status = NotificationStatus::resolved;
  CHECK(body_of(group, ChannelType::alertmanager)[0]["endsAt"] == "2026-03-31T10:17:00.000Z");
}

TEST_CASE("Labels that Alertmanager would refuse, or that are ours, do not go along", "[notify]") {
  Notification group = sample();
  group.alerts[0].labels = {{"9x", "v"},   {"a-b", "v"},         {"", "v"},        {"empty", ""},
                            {"ok_1", "v"}, {"severity", "none"}, {"\xc3\xa9", "v"}};
  const json labels = body_of(group, ChannelType::alertmanager)[0]["labels"];
  CHECK(labels["ok_1"] == "v");
  CHECK(labels["severity"] == "critical");
  CHECK(labels.size() == 7);
}

TEST_CASE("All alerts of a group go to Alertmanager, which groups by itself", "[notify]") {
  Notification group = sample();
  group.alerts.insert(group.alerts.end(), 99, sample_alert());
  CHECK(body_of(group, ChannelType::alertmanager).size() == 100);
}

TEST_CASE("Alertmanager's secret is a header, and nothing that would be another one", "[notify]") {
  z0::ReceiverRequest request;
  std::string why;
  const z0::Channel channel = z0::test::channel_of(ChannelType::alertmanager);
  REQUIRE(render(sample(), channel, "Bearer abc\n", 0, request, why));
  CHECK(request.headers.back() ==
        std::pair<std::string, std::string>{"authorization", "Bearer abc"});
  CHECK_FALSE(render(sample(), channel, "Bearer a\r\nx: y", 0, request, why));
  CHECK(why == "the secret holds what no header may hold");
}

TEST_CASE("A Prometheus with exported rules labels an alert as z0 does", "[notify]") {
  std::vector<z0::Rule> rules;
  z0::RuleError error;
  REQUIRE(read_rules(z0::default_rules_json(), rules, error));
  std::istringstream exported(z0::prometheus_rules({rules[0]}));
  json labels;
  json* block = nullptr;
  json annotations;
  for (std::string line; std::getline(exported, line);) {
    const std::size_t colon = line.find(": '");
    if (line == "        labels:") block = &labels;
    if (line == "        annotations:") block = &annotations;
    if (block != nullptr && colon != std::string::npos)
      (*block)[line.substr(10, colon - 10)] = line.substr(colon + 3, line.size() - colon - 4);
  }
  REQUIRE(labels.size() == 4);

  Notification group = sample();
  z0::NotifiedAlert& alert = group.alerts[0];
  alert.rule = rules[0].name;
  alert.severity = rules[0].severity;
  alert.level = rules[0].level;
  alert.audience = rules[0].audience;
  alert.owner = rules[0].owner;
  alert.runbook = rules[0].runbook;
  alert.summary = rules[0].summary;
  alert.labels.clear();
  json sent = body_of(group, ChannelType::alertmanager)[0];
  // Of the series and of the rule's name, which Prometheus adds by itself.
  CHECK(sent["labels"].erase("tenant_id") == 1);
  CHECK(sent["labels"].erase("alertname") == 1);
  CHECK(sent["labels"] == labels);
  for (const auto& [name, value] : annotations.items()) CHECK(sent["annotations"][name] == value);
}
