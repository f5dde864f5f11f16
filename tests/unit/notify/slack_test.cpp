#include <algorithm>

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

json slack(const Notification& notification) { return body_of(notification, ChannelType::slack); }

std::vector<std::string> types_of(const json& message) {
  std::vector<std::string> types;
  for (const json& block : message["blocks"]) types.push_back(block["type"]);
  return types;
}

}  // namespace

TEST_CASE("Slack shows the money first, then the alert with its links", "[notify]") {
  const auto request = z0::test::rendered(sample(), ChannelType::slack);
  CHECK(request.url == z0::test::slack_address);
  const json message = json::parse(request.body);
  CHECK(types_of(message) ==
        std::vector<std::string>{"header", "section", "section", "actions", "context"});
  const json& blocks = message["blocks"];
  CHECK(blocks[0]["text"]["text"] ==
        "\xf0\x9f\x94\xb4 firing: FactWriteFailures of acct_north, charge, timeout");
  CHECK(blocks[1]["text"]["text"] ==
        "*USD 1,234.50 lost so far, USD 500.00 an hour at risk* 30 charges of USD 41.15, as their "
        "tries say");
  CHECK(blocks[2]["text"]["text"] ==
        "*FactWriteFailures* critical, level 1, for on_call\nFacts of &lt;north&gt; &amp; others "
        "fail to be "
        "written");
  CHECK(blocks[2]["text"]["verbatim"] == true);
  std::vector<std::string> fields;
  for (const json& field : blocks[2]["fields"]) fields.push_back(field["text"]);
  CHECK(fields == std::vector<std::string>{"*Tenant*\nacct_north",
                                           "*Value*\n2.5 % (30 of 1,200), fires above 1 %",
                                           "*Since*\n2026-03-31T10:15:00.000Z", "*Owner*\nplatform",
                                           "*fact_type*\ncharge", "*error_code*\ntimeout"});
  std::vector<std::string> buttons;
  for (const json& button : blocks[3]["elements"]) {
    buttons.push_back(button["text"]["text"]);
    CHECK(button["url"].get<std::string>().starts_with("https://z0.example/"));
  }
  CHECK(buttons == std::vector<std::string>{"Dashboard", "Facts", "Trace", "Runbook"});
  CHECK(message["text"].get<std::string>().starts_with("[FIRING:1] USD 1,234.50 lost so far"));
  CHECK(message["text"].get<std::string>().ends_with(
      "&lt;north&gt; &amp; others fail to be written"));
}

TEST_CASE("Slack says who acknowledged, and what is over", "[notify]") {
  const json acknowledged = slack(sample(NotificationStatus::acknowledged));
  CHECK(acknowledged["blocks"][2]["text"]["text"] ==
        "Acknowledged by ada: the ledger is being sharded");
  const json resolved = slack(sample(NotificationStatus::resolved));
  CHECK(resolved["blocks"][0]["text"]["text"] ==
        "\xe2\x9c\x85 resolved: FactWriteFailures of acct_north, charge, timeout");
  CHECK(resolved["blocks"][2]["fields"][3]["text"] ==
        "*Over*\n2026-03-31T11:45:00.000Z after 1h30m");
}

TEST_CASE("Many alerts are shortened to the worst and a count of the rest", "[notify]") {
  Notification group = sample();
  while (group.alerts.size() < z0::limits::slack_alerts_max) group.alerts.push_back(sample_alert());
  std::vector<std::string> types = types_of(slack(group));
  CHECK(types.size() == 2 + 2 * z0::limits::slack_alerts_max + 1);
  group.alerts.push_back(sample_alert());
  group.alerts.back().ended_ms = group.at_ms;
  group.alerts.push_back(sample_alert());
  group.left_out = 3;
  const json message = slack(group);
  const json& blocks = message["blocks"];
  CHECK(blocks.size() == 2 + 2 * z0::limits::slack_alerts_max + 2);
  CHECK(blocks[blocks.size() - 2]["elements"][0]["text"] == "and 5 more: 4 firing, 1 over");
}

TEST_CASE("Slack's header is cut at its limit", "[notify]") {
  Notification group = sample();
  group.alerts[0].tenant_id.clear();
  group.alerts[0].labels.clear();
  const std::string before = "\xf0\x9f\x94\xb4 firing: ";
  group.alerts[0].rule = std::string(z0::limits::slack_header_bytes_max - before.size(), 'r');
  CHECK(slack(group)["blocks"][0]["text"]["text"] == before + group.alerts[0].rule);
  group.alerts[0].rule += 'r';
  const std::string cut = slack(group)["blocks"][0]["text"]["text"];
  CHECK(cut.size() == z0::limits::slack_header_bytes_max);
  CHECK(cut.ends_with("rrr..."));
}

TEST_CASE("An escape is never cut in two", "[notify]") {
  for (std::size_t length = 980; length <= 1'000; ++length) {
    Notification group = sample();
    group.alerts[0].summary = std::string(length, 's') + "&&&&&&&&";
    const std::string text = slack(group)["blocks"][2]["text"]["text"];
    for (std::size_t at = text.find('&'); at != std::string::npos; at = text.find('&', at + 1))
      CHECK(text.compare(at, 5, "&amp;") == 0);
    CHECK(text.ends_with("..."));
  }
}

TEST_CASE("An alert shows as many fields as Slack takes", "[notify]") {
  Notification group = sample();
  group.alerts[0].labels.clear();
  for (int i = 0; i < 6; ++i) group.alerts[0].labels.emplace_back("l" + std::to_string(i), "v");
  CHECK(slack(group)["blocks"][2]["fields"].size() == z0::limits::slack_fields_max);
  group.alerts[0].labels.emplace_back("one_more", "v");
  CHECK(slack(group)["blocks"][2]["fields"].size() == z0::limits::slack_fields_max);
}

TEST_CASE("Links that are not https are links in a text", "[notify]") {
  Notification group = sample();
  group.links.trace = "http://localhost:8787/trace?a=1&id={trace_id}";
  const json blocks = slack(group)["blocks"];
  CHECK(blocks[3]["elements"].size() == 3);
  CHECK(blocks[4]["elements"][0]["text"] ==
        "<http://localhost:8787/trace?a=1&amp;id=4bf92f3577b34da6a3ce929d0e0e4736|Trace>");
  group.links = {};
  CHECK(types_of(slack(group)) ==
        std::vector<std::string>{"header", "section", "section", "context"});
}

TEST_CASE("Slack's address is the secret, and only an address is one", "[notify]") {
  for (const char* secret : {"", "hooks.slack.com/services/x", "http://hooks.slack.com/services/x",
                             "https://a:b@hooks.slack.com/", "https://hooks.slack.com/a b"}) {
    z0::ReceiverRequest request;
    std::string why;
    CHECK_FALSE(
        render(sample(), z0::test::channel_of(ChannelType::slack), secret, 0, request, why));
    CHECK(why == "the secret is no address of an incoming webhook");
  }
}
