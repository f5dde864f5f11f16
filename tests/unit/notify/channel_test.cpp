#include "z0/notify/channel.hpp"

#include "unit/catch.hpp"
#include "z0/notify/limits.hpp"
#include "z0/notify/policy.hpp"

using z0::Channel;
using z0::ChannelType;
using z0::RuleError;

namespace {

std::string channels(const std::string& list) { return R"({"channels": [)" + list + "]}"; }

std::string slack(const std::string& more = "") {
  return R"({"name": "s", "type": "slack", "secret": "SLACK_URL")" + more + "}";
}
std::string webhook(const std::string& url) {
  return R"({"name": "w", "type": "webhook", "secret": "KEY", "url": ")" + url + "\"}";
}
std::string hours(const std::string& more) {
  return slack(R"(, "business_hours": {"time_zone": "Europe/Berlin")" + more + "}");
}

struct Fault {
  std::string settings;
  std::string where;
  std::string why;  // how it begins
};

// Each is refused, at its place and for its reason.
void check_faults(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    INFO(fault.settings);
    std::vector<Channel> read;
    RuleError error;
    CHECK_FALSE(read_channels(fault.settings, read, error));
    CHECK(read.empty());
    CHECK(error.where == fault.where);
    CHECK(error.why.substr(0, fault.why.size()) == fault.why);
  }
}

}  // namespace

TEST_CASE("Channels say where, to whom and when", "[notify]") {
  std::vector<Channel> read;
  RuleError error;
  REQUIRE(
      read_channels(channels(R"({"name": "on-call", "type": "pagerduty", "secret": "PAGERDUTY_KEY",
                   "url": "https://events.eu.pagerduty.com/v2/enqueue", "severities": ["critical"]},
                  {"name": "leads", "type": "slack", "secret": "SLACK_URL_2",
                   "audience": ["engineering_lead", "tenant_success"],
                   "business_hours": {"time_zone": "America/Argentina/Buenos_Aires", "from": "09:30",
                                      "to": "24:00", "days": ["mon", "sun"]}},
                  {"name": "am", "type": "alertmanager", "url": "http://alertmanager:9093"},
                  {"name": "crm", "type": "webhook", "url": "https://crm.example/z0?x=1",
                   "secret": "CRM"})"),
                    read, error));
  REQUIRE(read.size() == 4);
  CHECK(read[0] == Channel{"on-call",
                           ChannelType::pagerduty,
                           "https://events.eu.pagerduty.com/v2/enqueue",
                           "PAGERDUTY_KEY",
                           0xff,
                           2,
                           {}});
  CHECK(read[1].audience == 6);
  CHECK(read[1].severities == 0xff);
  REQUIRE(read[1].business_hours);
  CHECK(*read[1].business_hours ==
        z0::BusinessHours{"America/Argentina/Buenos_Aires", 570, 1440, 0x41});
  CHECK(read[2].secret.empty());
  CHECK(read[3].type == ChannelType::webhook);
  REQUIRE(read_channels(channels(hours(R"(, "from": "00:00", "to": "00:01")")), read, error));
  CHECK(read[0].business_hours->days == 0x1f);
  REQUIRE(read_channels(channels(""), read, error));
  CHECK(read.empty());
}

TEST_CASE("A channel that is wrong says where and why", "[notify]") {
  const std::string secret = "the name of a secret of the Worker";
  check_faults({
      {"[]", "settings", "an object"},
      {"{}", "channels", "a list of channels"},
      {R"({"channel": []})", "channel", "a member"},
      {R"({"channels": {}})", "channels", "a list"},
      {R"({"channels": [)", "settings", "JSON in order"},
      {channels("") + "x", "settings", "JSON in order"},
      {channels("1"), "channels[0]", "a channel"},
      {channels(slack() + "," + slack()), "channels[1].name", "a name of its own"},
      {channels(R"({"type": "slack", "secret": "S"})"), "channels[0].name", "a value"},
      {channels(R"({"name": "a b"})"), "channels[0].name", "letters"},
      {channels(R"({"name": "a", "secret": "S"})"), "channels[0].type", "pagerduty, slack"},
      {channels(R"({"name": "a", "type": "pager"})"), "channels[0].type", "pagerduty, slack"},
      {channels(R"({"name": "a", "type": "slack"})"), "channels[0].secret", secret},
      {channels(R"({"name": "a", "type": "pagerduty"})"), "channels[0].secret", secret},
      {channels(R"({"name": "a", "type": "webhook", "url": "https://x/"})"), "channels[0].secret",
       secret},
      {channels(R"({"name": "a", "type": "webhook", "secret": "S"})"), "channels[0].url",
       "an address with https"},
      {channels(R"({"name": "a", "type": "alertmanager"})"), "channels[0].url",
       "an address with http or https"},
      {channels(slack(R"(, "url": "https://hooks.slack.com/x")")), "channels[0].url", "none"},
      {channels(slack(R"(, "routing_key": "x")")), "channels[0].routing_key",
       "a member of a channel, and this is none: name"},
      {channels(slack(R"(, "wibble": "x")")), "channels[0].wibble",
       "a member of a channel, and this is none"},
      {channels(slack(R"(, "audience": [])")), "channels[0].audience", "one at least"},
      {channels(slack(R"(, "audience": ["cook"])")), "channels[0].audience", "on_call"},
      {channels(slack(R"(, "audience": "on_call")")), "channels[0].audience", "a list of on_call"},
      {channels(slack(R"(, "severities": ["info"])")), "channels[0].severities",
       "warning or critical"},
  });
}

TEST_CASE("Business hours that are wrong say where and why", "[notify]") {
  check_faults({
      {channels(slack(R"(, "business_hours": 1)")), "channels[0].business_hours", "an object"},
      {channels(slack(R"(, "business_hours": {})")), "channels[0].business_hours.time_zone",
       "a time zone"},
      {channels(hours("")), "channels[0].business_hours.from", "a time of day"},
      {channels(hours(R"(, "from": "09:00")")), "channels[0].business_hours.to", "a time of day"},
      {channels(hours(R"(, "from": "9:00", "to": "17:00")")), "channels[0].business_hours.from",
       "a time of day"},
      {channels(hours(R"(, "from": "09:60", "to": "17:00")")), "channels[0].business_hours.from",
       "a time of day"},
      {channels(hours(R"(, "from": "09:00", "to": "24:01")")), "channels[0].business_hours.to",
       "a time of day"},
      {channels(hours(R"(, "from": "09:00", "to": "09:00")")), "channels[0].business_hours.to",
       "later than from"},
      {channels(hours(R"(, "from": "09:00", "to": "17:00", "days": ["monday"])")),
       "channels[0].business_hours.days", "mon, tue"},
      {channels(hours(R"(, "zone": "x")")), "channels[0].business_hours.zone", "a member"},
      {channels(slack(R"(, "business_hours": {"time_zone": "Berlin; DROP"})")),
       "channels[0].business_hours.time_zone", "a time zone"},
  });
}

TEST_CASE("A secret that is put where its name belongs is refused and not repeated", "[notify]") {
  for (const std::string secret :
       {"0123456789abcdef0123456789abcdef", "https://hooks.slack.com/services/T/B/x",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "12AB", ""}) {
    std::vector<Channel> read;
    RuleError error;
    CHECK_FALSE(read_channels(
        channels(R"({"name": "a", "type": "slack", "secret": ")" + secret + "\"}"), read, error));
    CHECK(error.where == "channels[0].secret");
    CHECK((secret.empty() || error.why.find(secret) == std::string::npos));
  }
}

TEST_CASE("A config holds no more channels than are told at once", "[notify]") {
  std::string list;
  for (std::size_t i = 0; i < z0::limits::channels_max; ++i)
    list += R"({"type": "slack", "secret": "S", "name": "c)" + std::to_string(i) + "\"},";
  std::vector<Channel> read;
  RuleError error;
  CHECK(read_channels(channels(list.substr(0, list.size() - 1)), read, error));
  CHECK_FALSE(read_channels(channels(list + slack()), read, error));
  CHECK(error.where == "channels[" + std::to_string(z0::limits::channels_max) + "]");
}

TEST_CASE("Notifications leave over https, but to this machine and to Alertmanager", "[notify]") {
  struct Row {
    const char* url;
    bool good;
    bool for_alertmanager;
  };
  for (const Row& row : {Row{"https://x.example", true, true},
                         {"https://x.example:8443/a?b#c", true, false},
                         {"https://x.example:8443/a?b", true, false},
                         {"https://x.example#c", true, false},
                         {"https://x.example:65535/a", true, true},
                         {"https://x.example:65536/a", false, false},
                         {"https://x.example:0/", false, false},
                         {"https://x.example:/", false, false},
                         {"https://x.example:abc/", false, false},
                         {"https://x.example:99999999999999999999/", false, false},
                         {"https://[::1/", false, false},
                         {"https://x]/", false, false},
                         {"https://[2001:db8::1]:443/", true, true},
                         {"https://x.example/a@b", true, true},
                         {"http://x.example/", false, true},
                         {"http://localhost:8080/a", true, true},
                         {"http://127.0.0.1/", true, true},
                         {"http://[::1]:9093", true, true},
                         {"http://localhost.x.example/", false, true},
                         {"http://127.0.0.1.x.example/", false, true},
                         {"http://[::1].x.example/", false, false},
                         {"https://user:word@x.example/", false, false},
                         {"http://localhost@x.example/", false, false},
                         {"http://localhost\\@x.example/", false, false},
                         {"https://", false, false},
                         {"https:///a", false, false},
                         {"https://:80/", false, false},
                         {"https://x.example/a b", false, false},
                         {"https://x.example/\n", false, false},
                         {"ftp://x.example/", false, false},
                         {"x.example", false, false},
                         {"", false, false}}) {
    INFO(row.url);
    CHECK(receiver_url(ChannelType::webhook, row.url) == row.good);
    CHECK(receiver_url(ChannelType::alertmanager, row.url) == row.for_alertmanager);
    std::vector<Channel> read;
    RuleError error;
    const std::string url = row.url;
    if (url.find_first_of("\\\n") == std::string::npos)
      CHECK(read_channels(channels(webhook(url)), read, error) == row.good);
  }
}

TEST_CASE("A channel wants its audience and its severities", "[notify]") {
  Channel channel;
  CHECK(wants(channel, z0::Severity::warning, 1));
  channel.severities = 2;
  channel.audience = 4;
  CHECK(wants(channel, z0::Severity::critical, 5));
  CHECK_FALSE(wants(channel, z0::Severity::warning, 5));
  CHECK_FALSE(wants(channel, z0::Severity::critical, 3));
}

TEST_CASE("A policy says how often and how patiently people are told", "[notify]") {
  z0::ChannelSettings read;
  RuleError error;
  REQUIRE(read_channel_settings(R"({"channels": [], "policy": {}})", read, error));
  CHECK(read.policy == z0::TellingPolicy());
  REQUIRE(read_channel_settings(
      R"({"policy": {"group_wait": "0s", "group_interval": "1m", "repeat": "1h",
          "escalate_after": "0s", "escalate_to": ["tenant_success", "engineering_lead"],
          "flap_changes": 2, "flap_window": "1h"}, "channels": []})",
      read, error));
  z0::TellingPolicy wanted;
  wanted.group_wait_ms = 0;
  wanted.group_interval_ms = 60'000;
  wanted.repeat_ms = 3'600'000;
  wanted.escalate_ms = 0;
  wanted.escalate_to = {z0::Audience::tenant_success, z0::Audience::engineering_lead};
  wanted.flap_changes = 2;
  wanted.flap_window_ms = 3'600'000;
  CHECK(read.policy == wanted);
  const auto policy = [](const std::string& members) {
    return R"({"channels": [], "policy": {)" + members + "}}";
  };
  check_faults({
      {R"({"channels": [], "policy": 1})", "policy", "an object"},
      {R"({"policy": {}})", "channels", "a list of channels"},
      {policy(R"("wait": "1s")"), "policy.wait", "a member of policy"},
      {policy(R"("group_wait": "11m")"), "policy.group_wait", "from"},
      {policy(R"("group_wait": 7)"), "policy.group_wait", "a duration"},
      {policy(R"("group_interval": "0s")"), "policy.group_interval", "from"},
      {policy(R"("repeat": "59s")"), "policy.repeat", "from"},
      {policy(R"("escalate_to": ["cook"])"), "policy.escalate_to", "on_call"},
      {policy(R"("escalate_to": "on_call")"), "policy.escalate_to", "a list of on_call"},
      {policy(R"("flap_changes": 1)"), "policy.flap_changes", "a number of changes"},
      {policy(R"("flap_changes": 2.5)"), "policy.flap_changes", "a number of changes"},
      {policy(R"("flap_changes": 51)"), "policy.flap_changes", "a number of changes"},
      {policy(R"("flap_window": "25h")"), "policy.flap_window", "from"},
  });
}
