#include "unit/notify/samples.hpp"
#include "z0/notify/limits.hpp"

using nlohmann::json;
using z0::ChannelType;
using z0::Notification;
using z0::NotificationStatus;
using z0::test::body_of;
using z0::test::sample;
using z0::test::sample_alert;

namespace {

json pagerduty(const Notification& notification) {
  return body_of(notification, ChannelType::pagerduty);
}

}  // namespace

TEST_CASE("PagerDuty gets an event with all that an alert says", "[notify]") {
  const auto request = z0::test::rendered(sample(), ChannelType::pagerduty);
  CHECK(request.method == "POST");
  CHECK(request.url == "https://events.pagerduty.com/v2/enqueue");
  const json event = json::parse(request.body);
  CHECK(event["routing_key"] == z0::test::routing_key);
  CHECK(event["event_action"] == "trigger");
  CHECK(event["dedup_key"] == "acct_z0/FactWriteFailures/acct_north");
  CHECK(event["client"] == "z0");
  CHECK(event["links"].size() == 4);
  CHECK(event["links"][3] ==
        json{{"href",
              "https://z0.example/runbooks/fact_write_failures?tenant_id=acct_north&tool_id="},
             {"text", "runbook"}});
  const json& payload = event["payload"];
  CHECK(payload["summary"] == z0::headline(sample()));
  CHECK(payload["severity"] == "critical");
  CHECK(payload["source"] == "acct_north");
  CHECK(payload["timestamp"] == "2026-03-31T10:15:00.000Z");
  CHECK(payload["component"] == "platform");
  CHECK(payload["class"] == "FactWriteFailures");
  const json& details = payload["custom_details"];
  CHECK(details["num_firing"] == 1);
  CHECK(details["num_resolved"] == 0);
  CHECK(details["money"][0]["lost_minor"] == 123'450);
  CHECK(details["alerts"][0]["labels"] == json{{"fact_type", "charge"}, {"error_code", "timeout"}});
  CHECK_FALSE(details.contains("alerts_left_out"));
}

TEST_CASE("PagerDuty's actions are one incident's, by one key", "[notify]") {
  const json trigger = pagerduty(sample());
  const json acknowledge = pagerduty(sample(NotificationStatus::acknowledged));
  const json resolve = pagerduty(sample(NotificationStatus::resolved));
  CHECK(acknowledge["event_action"] == "acknowledge");
  CHECK(acknowledge["payload"]["custom_details"]["acknowledged_by"] == "ada");
  CHECK(resolve["event_action"] == "resolve");
  CHECK(resolve["payload"]["custom_details"]["num_resolved"] == 1);
  CHECK(trigger["dedup_key"] == acknowledge["dedup_key"]);
  CHECK(trigger["dedup_key"] == resolve["dedup_key"]);
}

TEST_CASE("A key of PagerDuty's length stays, and a longer one stays itself", "[notify]") {
  const std::string longest(z0::limits::pagerduty_dedup_key_bytes_max, 'k');
  CHECK(z0::pagerduty_dedup_key(longest) == longest);
  const std::string one = z0::pagerduty_dedup_key(longest + 'a');
  CHECK(one.size() == z0::limits::pagerduty_dedup_key_bytes_max);
  CHECK(one == z0::pagerduty_dedup_key(longest + 'a'));
  CHECK(one != z0::pagerduty_dedup_key(longest + 'b'));
}

TEST_CASE("PagerDuty's summary is cut at its limit, between two characters", "[notify]") {
  Notification group = sample();
  group.alerts[0].money.reset();
  group.alerts[0].summary.clear();
  group.alerts[0].tenant_id.clear();
  group.alerts[0].labels.clear();
  // "[FIRING:1] " and the rule; each of them is cut at a thousand bytes.
  const std::size_t room =
      z0::limits::pagerduty_summary_bytes_max - std::string("[FIRING:1] : ").size();
  group.alerts[0].rule = std::string(500, 'r');
  group.alerts[0].summary = std::string(room - 500, 's');
  CHECK(pagerduty(group)["payload"]["summary"] ==
        "[FIRING:1] " + group.alerts[0].rule + ": " + group.alerts[0].summary);
  group.alerts[0].summary += 's';
  const std::string cut = pagerduty(group)["payload"]["summary"];
  CHECK(cut.size() == z0::limits::pagerduty_summary_bytes_max);
  CHECK(cut.ends_with("s..."));
  group.alerts[0].summary.replace(room - 500 - 4, 5, "\xf0\x9f\x94\xa5!");
  const std::string between = pagerduty(group)["payload"]["summary"];
  CHECK(between.size() == z0::limits::pagerduty_summary_bytes_max - 1);
  CHECK(between.ends_with("s..."));
}

TEST_CASE("An event is no longer than PagerDuty takes, and counts what it leaves out", "[notify]") {
  Notification group = sample();
  group.alerts[0].rule = "Worst";
  group.alerts[0].level = 3;
  group.alerts.insert(group.alerts.begin(), 1'000, sample_alert());
  const auto request = z0::test::rendered(group, ChannelType::pagerduty);
  CHECK(request.body.size() <= z0::limits::pagerduty_event_bytes_max);
  const json details = json::parse(request.body)["payload"]["custom_details"];
  const std::size_t shown = details["alerts"].size();
  CHECK(details["alerts"][0]["rule"] == "Worst");
  CHECK(details["alerts_left_out"] == 1'001 - shown);
  CHECK(details["num_firing"] == 1'001);
  // One more would not have fitted.
  CHECK(request.body.size() + details["alerts"][1].dump().size() + 1 >
        z0::limits::pagerduty_event_bytes_max);
}

TEST_CASE("A group whose event is just as long as it may be is whole", "[notify]") {
  Notification group = sample();
  const auto size = [&] { return z0::test::rendered(group, ChannelType::pagerduty).body.size(); };
  group.alerts.insert(group.alerts.end(), 99, sample_alert());
  const std::size_t hundred = size();
  group.alerts.push_back(sample_alert());
  const std::size_t each = size() - hundred;
  const std::size_t more = (z0::limits::pagerduty_event_bytes_max - size()) / each - 2;
  group.alerts.insert(group.alerts.end(), more, sample_alert());
  // An alert has room for 800 bytes more in its value, another in its threshold.
  std::string* texts[] = {&group.alerts[1].value,     &group.alerts[2].value,
                          &group.alerts[1].threshold, &group.alerts[2].threshold,
                          &group.alerts[1].owner,     &group.alerts[2].owner};
  for (std::string* text : texts) {
    const std::size_t left = z0::limits::pagerduty_event_bytes_max - size();
    text->append(std::min<std::size_t>(left, 800), 'x');
  }
  REQUIRE(size() == z0::limits::pagerduty_event_bytes_max);
  CHECK_FALSE(pagerduty(group)["payload"]["custom_details"].contains("alerts_left_out"));
  group.alerts[3].owner += 'x';
  CHECK(size() <= z0::limits::pagerduty_event_bytes_max);
  CHECK(pagerduty(group)["payload"]["custom_details"]["alerts_left_out"] == 1);
}

TEST_CASE("A secret that is no routing key is refused without being repeated", "[notify]") {
  for (const char* secret :
       {"", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
        "0123456789abcdef0123456789abcde\"", "0123456789abcdef\n123456789abcdef"}) {
    z0::ReceiverRequest request;
    std::string why;
    CHECK_FALSE(
        render(sample(), z0::test::channel_of(ChannelType::pagerduty), secret, 0, request, why));
    CHECK(why == "the secret is no routing key of 32 letters and digits");
  }
  z0::ReceiverRequest request;
  std::string why;
  const std::string from_file = std::string(z0::test::routing_key) + "\n";
  CHECK(render(sample(), z0::test::channel_of(ChannelType::pagerduty), from_file, 0, request, why));
  CHECK(json::parse(request.body)["routing_key"] == z0::test::routing_key);
}

TEST_CASE("A notification without an id that fits a header is not sent", "[notify]") {
  for (const char* id : {"", "a.b", "a\nb", "a b", "\xc3\xa9"}) {
    Notification group = sample();
    group.id = id;
    z0::ReceiverRequest request;
    std::string why;
    CHECK_FALSE(render(group, z0::test::channel_of(ChannelType::webhook), z0::test::webhook_key, 0,
                       request, why));
    CHECK(why == "the notification's id holds more than letters, digits, _ and -");
  }
}
