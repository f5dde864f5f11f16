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
