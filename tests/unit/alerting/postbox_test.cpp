// From what was decided to what receivers have, over a whole world.
#include <set>
#include <string>

#include "unit/alerting/receivers.hpp"
#include "unit/catch.hpp"
#include "z0/notify/limits.hpp"
#include "z0/notify/signature.hpp"

namespace {

using z0::test::alert_tick;
using z0::test::am_url;
using z0::test::hook;
using z0::test::hook_url;
using z0::test::Json;
using z0::test::pager;
using z0::test::pager_url;
using z0::test::Receivers;
using z0::test::Reply;
using z0::test::slack_url;

constexpr std::int64_t minute = 60'000;

std::string all_four() {
  return std::string(pager) + ',' + z0::test::slack + ',' + z0::test::am + ',' + hook;
}

// The actions of PagerDuty's events about a rule, in order.
std::string actions(const Receivers& w, const std::string& rule) {
  std::string text;
  const auto found = w.took.find(pager_url);
  if (found == w.took.end()) return text;
  for (const auto& got : found->second)
    if (got.json.at("dedup_key").get<std::string>().find(rule) != std::string::npos ||
        got.body.find(rule) != std::string::npos)
      text += got.json.at("event_action").get<std::string>() + ' ';
  return text;
}

}  // namespace

TEST_CASE("A page is with each of four receivers within two ticks", "[postbox]") {
  Receivers w;
  REQUIRE(w.channels(all_four()).status == 201);
  w.fail_writes(5);
  w.pass(2 * alert_tick);
  REQUIRE(w.took[pager_url].size() >= 1);
  const Json& event = w.took[pager_url][0].json;
  CHECK(event.at("routing_key") == std::string(32, 'k'));
  CHECK(event.at("event_action") == "trigger");
  CHECK(event.at("payload").at("severity") == "critical");
  CHECK(w.took[slack_url].size() >= 1);
  CHECK(w.took[am_url].size() >= 1);
  REQUIRE(w.took[hook_url].size() >= 1);
  const auto& got = w.took[hook_url][0];
  CHECK(z0::check_webhook(w.named_secrets["HOOK_KEY"], got.headers.at("webhook-id"),
                          got.headers.at("webhook-timestamp"), got.headers.at("webhook-signature"),
                          got.body, w.now_ms) == z0::WebhookCheck::good);
}

TEST_CASE("No secret is in a row, in a span or in an answer of z0", "[postbox]") {
  Receivers w;
  std::string spans;
  w.span = [&](std::string_view json) { spans += json; };
  REQUIRE(w.channels(all_four()).status == 201);
  w.answers.insert_or_assign(slack_url, 500);
  w.fail_writes(5);
  w.pass(minute);
  std::string rows;
  for (const char* table : {"alert_rows", "alert_lanes", "alert_letters", "alert_facts"})
    rows += z0::test::rows_of(w.storage_of("alerts"), "SELECT * FROM " + std::string(table))
                .dump(-1, ' ', false, Json::error_handler_t::replace);
  CHECK(rows.find("cfg_channels/slack") != std::string::npos);
  const std::string told = w.get("/v1/alerts", "").body;
  for (const auto& [name, secret] : w.named_secrets) {
    INFO(name);
    CHECK(rows.find(secret) == std::string::npos);
    CHECK(spans.find(secret) == std::string::npos);
    CHECK(told.find(secret) == std::string::npos);
  }
}

TEST_CASE(
    "A receiver that was away for an hour hears how things stand, once, and others hear in time",
    "[postbox]") {
  Receivers w;
  REQUIRE(w.channels(all_four()).status == 201);
  w.answers.insert_or_assign(pager_url, 503);
  w.answers.insert_or_assign(hook_url, 0);
  // It fires and ends while they are away.
  w.fail_writes(5);
  w.pass(30 * minute);
  CHECK(w.took[slack_url].size() >= 2);
  CHECK(w.took[pager_url].empty());
  CHECK(w.channel("pager").at("state") == "failing");
  CHECK(w.channel("pager").at("why") == "it failed");
  CHECK(w.alert("NotificationsLate").at("state") == "firing");
  w.pass(30 * minute);
  // Full jitter from a second to five minutes: an hour is some thirty tries, and no storm.
  CHECK(w.asked[pager_url] > 10);
  CHECK(w.asked[pager_url] < 80);
  w.answers.clear();
  w.pass(10 * minute);
  CHECK(w.channel("pager").at("waiting") == 0);
  CHECK(w.channel("pager").at("lost") == 0);
  CHECK(actions(w, "TenantWriteFailures") == "trigger resolve ");
  std::map<std::string, std::vector<std::string>> by_key;
  for (const auto& got : w.took[hook_url])
    by_key[got.json.at("data").at("dedup_key")].push_back(got.json.at("type"));
  bool over_once = false;
  for (const auto& [key, said] : by_key) {
    CHECK(said.size() <= 2);
    over_once = over_once || said == std::vector<std::string>{"alert.resolved"};
  }
  CHECK(over_once);
}

TEST_CASE("What a receiver asks for is waited for, whatever happens to the memory meanwhile",
          "[postbox]") {
  Receivers w;
  REQUIRE(w.channels(hook).status == 201);
  w.answers.insert_or_assign(hook_url, Receivers::Fetched(429, 120));
  w.fail_writes(5);
  w.pass(2 * alert_tick);
  REQUIRE(w.asked[hook_url] == 1);
  w.answers.clear();
  w.crash();
  w.fail_writes(5);
  w.pass(minute);
  CHECK(w.asked[hook_url] == 1);
  w.pass(2 * minute);
  CHECK(w.took[hook_url].size() >= 1);
}

TEST_CASE("A receiver that is gone is asked no more, and others are told of it", "[postbox]") {
  Receivers w;
  REQUIRE(w.channels(all_four()).status == 201);
  w.answers.insert_or_assign(hook_url, 410);
  w.fail_writes(5);
  w.pass(minute);
  CHECK(w.asked[hook_url] == 1);
  CHECK(w.channel("hook").at("state") == "off");
  CHECK(w.channel("hook").at("why") == "it is gone for good");
  CHECK(w.alert("NotificationsLost").at("state") == "firing");
  CHECK(actions(w, "NotificationsLost") == "trigger ");
  // The config says it anew: it may be another one by now.
  w.answers.clear();
  REQUIRE(w.channels(all_four() + R"(,{"name": "more", "type": "slack", "secret": "SLACK_URL"})")
              .status == 201);
  CHECK(w.channel("hook").at("state") == "good");
  w.fail_writes(5, "south");
  w.pass(6 * minute);
  CHECK(w.took[hook_url].size() >= 1);
}

TEST_CASE("A secret that is not there yet holds up its channel alone", "[postbox]") {
  Receivers w;
  const std::string secret = w.named_secrets["PAGER_KEY"];
  w.named_secrets.erase("PAGER_KEY");
  REQUIRE(w.channels(all_four()).status == 201);
  w.fail_writes(5);
  w.pass(minute);
  CHECK(w.asked[pager_url] == 0);
  CHECK(w.channel("pager").at("why") == "the Worker has no secret PAGER_KEY");
  CHECK(w.took[slack_url].size() >= 1);
  w.named_secrets["PAGER_KEY"] = secret;
  w.pass(6 * minute);
  CHECK(actions(w, "TenantWriteFailures").starts_with("trigger"));
}

TEST_CASE("Crashes at any moment lose no page, and no other is made of it", "[postbox]") {
  for (const auto moment : {z0::world::Moment::before_commit, z0::world::Moment::before_reply,
                            z0::world::Moment::before_send, z0::world::Moment::before_tell}) {
    Receivers w;
    REQUIRE(w.channels(hook).status == 201);
    w.fail_writes(5);
    int deaths = 0;
    w.faults.death = [&](z0::world::Moment at, std::string_view object) {
      if (at != moment || object != "alerts" || deaths >= 6) return z0::world::Death::none;
      ++deaths;
      return z0::world::Death::one;
    };
    w.pass(3 * minute);
    CHECK(deaths > 0);
    std::map<std::string, std::set<std::string>> ids;
    for (const auto& got : w.took[hook_url])
      ids[got.json.at("data").at("dedup_key").get<std::string>() +
          got.json.at("type").get<std::string>()]
          .insert(got.headers.at("webhook-id"));
    CHECK_FALSE(ids.empty());
    for (const auto& [key, said] : ids) {
      INFO(key);
      CHECK(said.size() == 1);
    }
  }
}

TEST_CASE("What becomes of alerts and of notifications are facts of acct_z0", "[postbox]") {
  Receivers w;
  REQUIRE(w.channels(hook).status == 201);
  w.fail_writes(5);
  w.pass(minute);
  const std::string id = w.alert("TenantWriteFailures").at("id");
  REQUIRE(w.ask("POST", "/v1/alerts/" + id + "/acknowledge", "",
                R"({"author": "ann", "reason": "looking"})", {})
              .status == 200);
  w.crash();
  w.pass(30 * minute);
  const Reply reply = w.get("/v1/facts/acct_z0?limit=100", "");
  REQUIRE(reply.status == 200);
  std::map<std::string, int> counts;
  std::set<std::string> ids;
  for (const Json& fact : reply.json.at("facts")) {
    CHECK(fact.at("tenant_id") == "platform");
    ids.insert(fact.at("id").get<std::string>());
    const Json& data = fact.at("data");
    if (data.value("alert_id", "") == id || fact.at("type") == "notification")
      ++counts[fact.at("type").get<std::string>() + '.' + fact.at("subtype").get<std::string>()];
  }
  CHECK(ids.size() == reply.json.at("facts").size());
  CHECK(counts["alert.fired"] == 1);
  CHECK(counts["alert.acknowledged"] == 1);
  CHECK(counts["alert.resolved"] == 1);
  CHECK(counts["notification.delivered"] >= 2);
  // They go to D1 as others do.
  w.deliver_all();
  CHECK(w.d1_count("SELECT count(*) FROM facts WHERE entity_id = 'acct_z0'") ==
        static_cast<std::int64_t>(ids.size()));
}

TEST_CASE("Facts wait for a ledger that is away", "[postbox]") {
  Receivers w;
  REQUIRE(w.channels(hook).status == 201);
  w.fail_writes(5);
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string&) {
    outcome = Z0_TIMEOUT;
    return object == "account_acct_z0";
  };
  w.pass(3 * minute);
  CHECK(w.took[hook_url].size() >= 1);
  CHECK(w.get("/v1/facts/acct_z0", "").status != 200);
  // What waits after a restart is what waited before.
  const auto waiting = [&w] {
    return w.storage_of("alerts")
        .run({"SELECT count(*) FROM alert_facts", {}})
        ->rows.at(0, 0)
        .integer;
  };
  const std::int64_t before = waiting();
  REQUIRE(before > 0);
  for (int i = 0; i < 3; ++i) {
    w.crash();
    w.pass(minute / 2);
  }
  CHECK(waiting() == before);
  w.faults.call = nullptr;
  w.pass(6 * minute);
  CHECK(w.get("/v1/facts/acct_z0", "").json.at("facts").size() >= 2);
}

TEST_CASE("Channels are said by who operates z0, and in order", "[postbox]") {
  Receivers w;
  const Reply of_tenant = w.channels(hook, "cfg_mine", "tenant", "north");
  CHECK(of_tenant.status == 422);
  CHECK(of_tenant.text("field") == "scope");
  const Reply bad = w.channels(R"({"name": "a", "type": "pigeon"})");
  CHECK(bad.status == 422);
  CHECK(bad.text("field") == "settings.channels[0].type");
  // What signs tokens is no receiver's.
  const Reply own = w.channels(
      R"({"name": "a", "type": "alertmanager", "url": "http://am.example", "secret": "Z0_TOKEN_SECRET"})");
  CHECK(own.status == 422);
  CHECK(own.text("field") == "settings.channels[0].secret");
}

TEST_CASE("A sign of life is given for as long as alerts are judged", "[postbox]") {
  Receivers w;
  const char* const url = "https://dead.example/man";
  w.settings = R"({"deadman": {"url": "https://dead.example/man", "interval_s": 60}})";
  w.post(z0::test::deposit("d_1"));
  w.pass(10 * minute);
  CHECK(w.took[url].size() >= 9);
  CHECK(w.took[url].size() <= 11);
  CHECK(w.get("/v1/alerts", "").json.at("dead_man").at("heard_at").get<std::int64_t>() >=
        w.now_ms - minute);
  // A shard that has to speak and does not.
  w.fail_writes(5);
  w.pass(minute);
  w.faults.call = [](std::string_view object, z0_outcome& outcome, std::string&) {
    outcome = Z0_TIMEOUT;
    return object == "alerts";
  };
  const std::int64_t heard = w.took[url].back().at_ms;
  w.pass(10 * minute);
  w.faults.call = nullptr;
  CHECK(w.took[url].back().at_ms <= heard + z0::limits::shard_silent_ms + minute);
  CHECK(w.alert("EvaluationLate").at("state") == "firing");
}
