// Whatever receivers answer and whenever memory is lost: in the end each knows how things stand, and what it
// heard more than once has one id.
#include <map>
#include <random>
#include <set>
#include <string>

#include "unit/alerting/receivers.hpp"
#include "unit/catch.hpp"

namespace {

using z0::test::hook_url;
using z0::test::Json;
using z0::test::pager_url;
using z0::test::Received;
using z0::test::Receivers;

constexpr std::int64_t minute = 60'000;

// A receiver takes, refuses for now, is busy, is silent, or takes and does not say so.
void trouble(Receivers& w, std::mt19937& random) {
  const auto honest = w.fetch;
  w.fetch = [&random, honest](const z0::FetchNeed& need) -> Receivers::Fetched {
    switch (random() % 10) {
      case 0:
        return 503;
      case 1:
        return {429, 1 + static_cast<std::uint32_t>(random() % 30)};
      case 2:
        return 0;
      case 3:
        static_cast<void>(honest(need));
        return 0;
      default:
        return honest(need);
    }
  };
}

void live(Receivers& w, std::mt19937& random, std::int64_t ms) {
  const char* const tenants[] = {"north", "south", "east"};
  for (const std::int64_t until = w.now_ms + ms; w.now_ms < until;) {
    if (random() % 60 == 0) w.fail_writes(5, tenants[random() % 3]);
    if (random() % 30 == 0) w.crash();
    w.pass(z0::test::alert_tick);
  }
}

}  // namespace

TEST_CASE("After any trouble each receiver knows how things stand, and shows each word once",
          "[postbox]") {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    Receivers w;
    REQUIRE(w.channels(std::string(z0::test::pager) + ',' + z0::test::hook).status == 201);
    const auto honest = w.fetch;
    trouble(w, random);
    live(w, random, 40 * minute);
    w.fetch = honest;
    w.pass(60 * minute);

    for (const char* name : {"pager", "hook"}) {
      const Json channel = w.channel(name);
      CHECK(channel.at("waiting") == 0);
      CHECK(channel.at("lost") == 0);
      CHECK(channel.at("given_up") == 0);
      CHECK(channel.at("delivered") > 2);
    }
    // An incident begins before it ends, and each ends.
    std::map<std::string, std::string> first;
    std::map<std::string, std::string> last;
    for (const Received& got : w.took[pager_url]) {
      const std::string key = got.json.at("dedup_key");
      last[key] = got.json.at("event_action");
      first.emplace(key, last[key]);
    }
    CHECK_FALSE(first.empty());
    for (const auto& [key, action] : first) {
      INFO(key);
      CHECK(action == "trigger");
      CHECK(last[key] == "resolve");
    }
    // One id is one word, and one word has one id.
    std::map<std::string, std::set<std::string>> words;
    std::map<std::string, std::set<std::string>> ids;
    std::map<std::string, std::string> stands;
    for (const Received& got : w.took[hook_url]) {
      const std::string id = got.headers.at("webhook-id");
      const std::string key = got.json.at("data").at("dedup_key");
      const std::string word = key + ' ' + got.json.at("type").get<std::string>() + ' ' +
                               got.json.at("timestamp").get<std::string>();
      words[id].insert(got.json.at("data").dump());
      ids[word].insert(id);
      stands[key] = got.json.at("type");
    }
    for (const auto& [id, said] : words) CHECK(said.size() == 1);
    for (const auto& [word, said] : ids) CHECK(said.size() == 1);
    for (const auto& [key, type] : stands) CHECK(type == "alert.resolved");
  }
}
