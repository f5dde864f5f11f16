#include "z0/notify/notification.hpp"

#include "unit/notify/samples.hpp"
#include "z0/notify/limits.hpp"

using nlohmann::json;
using z0::AlertMoney;
using z0::ChannelType;
using z0::Link;
using z0::Notification;
using z0::NotificationStatus;
using z0::test::body_of;
using z0::test::sample;
using z0::test::sample_alert;

TEST_CASE("Money is said with the digits of its currency", "[notify]") {
  struct Row {
    const char* currency;
    std::int64_t minor;
    const char* text;
  };
  for (const Row& row : {Row{"USD", 0, "USD 0.00"},
                         {"USD", 5, "USD 0.05"},
                         {"USD", -5, "USD -0.05"},
                         {"USD", 100, "USD 1.00"},
                         {"USD", 99'999, "USD 999.99"},
                         {"USD", 100'000, "USD 1,000.00"},
                         {"EUR", 123'456'789, "EUR 1,234,567.89"},
                         {"JPY", -1'234, "JPY -1,234"},
                         {"KWD", 1'234, "KWD 1.234"},
                         {"QQQ", 1'234, "QQQ 1,234"},
                         {"USD", INT64_MIN, "USD -92,233,720,368,547,758.08"},
                         {"USD", INT64_MAX, "USD 92,233,720,368,547,758.07"}}) {
    CHECK(z0::money_text(row.currency, row.minor) == row.text);
  }
}

TEST_CASE("What an alert costs is said in words, without what is nothing", "[notify]") {
  CHECK(z0::money_words({"USD", 1'200, 300, ""}) ==
        "USD 12.00 lost so far, USD 3.00 an hour at risk");
  CHECK(z0::money_words({"USD", 0, 300, ""}) == "USD 3.00 an hour at risk");
  CHECK(z0::money_words({"USD", 1'200, 0, ""}) == "USD 12.00 lost so far");
  CHECK(z0::money_words({"USD", 0, 0, ""}) == "no USD lost so far");
}

TEST_CASE("Money of a group is added up by currency and never over its end", "[notify]") {
  Notification group = sample();
  for (const AlertMoney& money :
       {AlertMoney{"JPY", 7, 0, "a"}, AlertMoney{"USD", 50, INT64_MAX, "b"},
        AlertMoney{"JPY", 1, 1, "a"}}) {
    group.alerts.push_back(sample_alert());
    group.alerts.back().money = money;
  }
  group.alerts.push_back(sample_alert());
  group.alerts.back().money.reset();
  const auto sums = z0::money_of(group);
  REQUIRE(sums.size() == 2);
  CHECK(sums[0].currency == "USD");
  CHECK(sums[0].lost == 123'500);
  CHECK(sums[0].at_risk_per_hour == INT64_MAX);
  CHECK(sums[0].reckoning == "a sum over alerts");
  CHECK(sums[1].currency == "JPY");
  CHECK(sums[1].lost == 8);
  CHECK(sums[1].reckoning == "a");
}

TEST_CASE("What is not known yet of money is said to every receiver, with the reason", "[notify]") {
  Notification told = sample();
  const std::string why = "No whole hour of facts has been seen.";
  told.alerts[0].money = AlertMoney{"", 0, 0, why};
  told.alerts.push_back(told.alerts[0]);
  told.alerts[1].money->reckoning = "No whole hour with a charge has been seen.";
  REQUIRE(z0::money_of(told).size() == 1);
  CHECK(z0::money_of(told)[0].reckoning == why);
  CHECK(z0::headline(told).starts_with("[FIRING:2] what it costs is not known yet: FactWrite"));

  const json unknown = {{"in_words", "what it costs is not known yet"}, {"reckoning", why}};
  const json page = body_of(told, ChannelType::pagerduty)["payload"];
  CHECK(page["summary"].get<std::string>().find("not known yet") != std::string::npos);
  CHECK(page["custom_details"]["money"] == json::array({unknown}));
  CHECK(page["custom_details"]["alerts"][0]["money"] == unknown);
  const json hook = body_of(told, ChannelType::webhook)["data"];
  CHECK(hook["money"] == json::array({unknown}));
  CHECK(hook["alerts"][0]["money"] == unknown);
  CHECK(body_of(told, ChannelType::slack)["blocks"][1]["text"]["text"] ==
        "*what it costs is not known yet* " + why);
  const json annotations = body_of(told, ChannelType::alertmanager)[0]["annotations"];
  CHECK(annotations["money"] == unknown["in_words"]);
  CHECK(annotations["money_reckoning"] == why);
}

TEST_CASE("The headline says money, rule, tenant, labels and how many more", "[notify]") {
  Notification group = sample();
  CHECK(z0::headline(group) ==
        "[FIRING:1] USD 1,234.50 lost so far, USD 500.00 an hour at risk: FactWriteFailures of "
        "acct_north, charge, timeout: Facts of <north> & others fail to be written");
  group.alerts[0].money.reset();
  group.alerts[0].tenant_id.clear();
  group.left_out = 2;
  CHECK(z0::headline(group) ==
        "[FIRING:3] FactWriteFailures of charge, timeout and 2 more: Facts of <north> & others "
        "fail to be written");
  CHECK(z0::headline(sample(NotificationStatus::resolved)).substr(0, 18) == "[RESOLVED] USD 1,2");
  CHECK(z0::headline(sample(NotificationStatus::acknowledged)).substr(0, 19) ==
        "[ACKNOWLEDGED:1] US");
  CHECK(z0::headline(Notification{}) == "[FIRING:0] no alert");
}

TEST_CASE("The headline is of the worst alert that fires", "[notify]") {
  Notification group = sample();
  group.alerts[0].ended_ms = group.at_ms;
  group.alerts.push_back(sample_alert());
  group.alerts[1].rule = "Slow";
  group.alerts[1].severity = z0::Severity::warning;
  CHECK(z0::headline(group).find(": Slow of acct_north, charge, timeout and 1 more: ") !=
        std::string::npos);
  group.alerts.push_back(sample_alert());
  group.alerts[2].rule = "NoCharges";
  group.alerts[2].level = 3;
  group.alerts.push_back(sample_alert());
  CHECK(z0::headline(group).find(": NoCharges of acct_north, charge, timeout and 3 more: ") !=
        std::string::npos);
}

TEST_CASE("Links lead to the tenant, the time, the trace and the runbook", "[notify]") {
  Notification group = sample();
  z0::NotifiedAlert& alert = group.alerts[0];
  CHECK(link_of(group, alert, Link::dashboard) ==
        "https://z0.example/?tenant_id=acct_north&from=1774951800000&to=1774952220000");
  CHECK(link_of(group, alert, Link::facts) ==
        "https://z0.example/facts?tenant_id=acct_north&from=1774951800000&to=1774952220000");
  CHECK(link_of(group, alert, Link::trace) ==
        "https://z0.example/trace?id=4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(link_of(group, alert, Link::runbook) ==
        "https://z0.example/runbooks/fact_write_failures?tenant_id=acct_north&tool_id=");
  // What is over ends there, however much later that is said.
  alert.ended_ms = alert.started_ms + 1;
  CHECK(link_of(group, alert, Link::facts).substr(45) == "&from=1774951800000&to=1774952100001");
}

TEST_CASE("A link that lacks something is none, and what stands in one is encoded", "[notify]") {
  Notification group = sample();
  z0::NotifiedAlert& alert = group.alerts[0];
  alert.trace_id.clear();
  CHECK(link_of(group, alert, Link::trace).empty());
  alert.tenant_id = "a&b=\"<\xc3\xa9>|~";
  group.links.dashboard = "https://x/{tenant_id}";
  CHECK(link_of(group, alert, Link::dashboard) == "https://x/a%26b%3D%22%3C%C3%A9%3E%7C~");
  alert.tenant_id.clear();
  CHECK(link_of(group, alert, Link::dashboard).empty());
  group.links.dashboard = "https://x/{tenant_id?}/{fact_type}/{error_code?}/{wibble?}";
  CHECK(link_of(group, alert, Link::dashboard) == "https://x//charge/timeout/");
  for (const char* wrong : {"", "https://x/{wibble}", "https://x/{rule", "https://x/{}"}) {
    group.links.dashboard = wrong;
    CHECK(link_of(group, alert, Link::dashboard).empty());
  }
  group.links.dashboard = "https://x/{rule}";
  alert.rule = std::string(z0::limits::notified_link_bytes_max - 10, 'r');
  CHECK(link_of(group, alert, Link::dashboard).size() == z0::limits::notified_link_bytes_max);
  alert.rule += 'r';
  CHECK(link_of(group, alert, Link::dashboard).empty());
}
