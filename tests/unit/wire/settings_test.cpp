#include "z0/wire/settings.hpp"

#include <string>

#include "unit/catch.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::settings_database;
using z0::settings_databases;
using z0::settings_origin;
using z0::settings_reconciliation_alert_cents;

constexpr std::string_view two =
    R"({"origin":"z0.example","databases":{"DB_2":["big","huge"],"DB_3":[]},"other":[1]})";

TEST_CASE("Without settings there is one database, a local origin and an alert at 100 dollars") {
  for (const std::string_view none : {"", "{}", "[]", "nonsense", "{\"databases\":7}"}) {
    CAPTURE(none);
    CHECK(settings_origin(none) == "z0.local");
    CHECK(settings_database(none, "big") == "DB");
    CHECK(settings_databases(none) == std::vector<std::string_view>{"DB"});
    CHECK(settings_reconciliation_alert_cents(none) == 10'000);
  }
}

TEST_CASE("A tenant's database is the one that names it, and DB is everybody else's") {
  CHECK(settings_database(two, "big") == "DB_2");
  CHECK(settings_database(two, "huge") == "DB_2");
  CHECK(settings_database(two, "small") == "DB");
  CHECK(settings_databases(two) == std::vector<std::string_view>{"DB", "DB_2", "DB_3"});
  CHECK(settings_origin(two) == "z0.example");
}

TEST_CASE("The size of a mismatch that raises an alert is a whole number of cents") {
  CHECK(settings_reconciliation_alert_cents(R"({"reconciliation_alert_cents":0})") == 0);
  CHECK(settings_reconciliation_alert_cents(R"({"reconciliation_alert_cents":25})") == 25);
  for (const std::string_view odd : {"-1", "1.5", "\"7\"", "null", "99999999999999999999"}) {
    CAPTURE(odd);
    const std::string settings = "{\"reconciliation_alert_cents\":" + std::string(odd) + "}";
    CHECK(settings_reconciliation_alert_cents(settings) == 10'000);
  }
}

TEST_CASE("The shards of the monitor are a whole number from 1 to the most there may be") {
  const auto shards = [](const std::string& text) {
    return z0::settings_monitor_shards("{\"monitor_shards\":" + text + "}");
  };
  CHECK(z0::settings_monitor_shards("") == 1);
  CHECK(shards("4") == 4);
  CHECK(shards("32") == z0::limits::monitor_shards_max);
  for (const char* odd : {"0", "33", "-1", "1.5", "\"4\"", "null"}) CHECK(shards(odd) == 1);
}

}  // namespace

TEST_CASE("Links lead to the public address, or where the settings say", "[settings]") {
  CHECK(z0::settings_links("") == z0::LinkSettings{});
  const z0::LinkSettings made = z0::settings_links(R"({"public_url": "https://z0.example/"})");
  CHECK(made.dashboard == "https://z0.example/?tenant_id={tenant_id?}&from={from_ms}&to={to_ms}");
  CHECK(made.runbook ==
        "https://z0.example/runbooks/{runbook}?tenant_id={tenant_id?}&tool_id={tool_id?}");
  CHECK(made.trace == "https://z0.example/v1/traces/{trace_id}");
  const z0::LinkSettings said = z0::settings_links(
      R"({"public_url": "https://z0.example",
          "links": {"trace": "https://t.example/{trace_id}", "facts": "gopher://f.example"}})");
  CHECK(said.trace == "https://t.example/{trace_id}");
  // What is no address of the web is none.
  CHECK(said.facts.empty());
  CHECK(said.dashboard == made.dashboard);
}

TEST_CASE("A dead man's address hears once a minute, or as often as is said", "[settings]") {
  CHECK(z0::settings_deadman("").url.empty());
  const z0::DeadManSettings plain =
      z0::settings_deadman(R"({"deadman": {"url": "https://d.example"}})");
  CHECK(plain.url == "https://d.example");
  CHECK(plain.interval_ms == 60'000);
  CHECK(z0::settings_deadman(R"({"deadman": {"url": "https://d.example", "interval_s": 300}})")
            .interval_ms == 300'000);
  // Each would be an alarm.
  CHECK(z0::settings_deadman(R"({"deadman": {"url": "https://d.example", "interval_s": 1}})")
            .interval_ms == 60'000);
}
