// Bounds that a caller can meet, each at its last value and one beyond.
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::test::carried;
using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

// Where a parameter takes a number, and the largest that it takes.
struct Number {
  const char* method;
  std::string url;  // up to the number
  const char* field;
  std::int64_t max;
};

constexpr std::int64_t count_max = z0::limits::version_max;
constexpr std::int64_t digits_max = 9'999'999'999'999'999;
constexpr std::int64_t time_max = z0::limits::timestamp_ms_max;
constexpr std::int64_t page_max = z0::limits::page_facts_max;

const std::vector<Number> numbers = {
    {"GET", "/v1/facts?limit=", "limit", page_max},
    {"GET", "/v1/facts?from=", "from", time_max},
    {"GET", "/v1/facts?to=", "to", time_max},
    {"GET", "/v1/facts/acct_a?limit=", "limit", page_max},
    {"GET", "/v1/facts/acct_a?from_seq=", "from_seq", count_max},
    {"GET", "/v1/entities/acct_a/state?cache=BudgetState&as_of=", "as_of", time_max},
    {"GET", "/v1/entities/acct_a/state?cache=BudgetState&as_of=seq:", "as_of", count_max},
    {"GET", "/v1/ledgers/acct_a/proof?seq=1&size=", "size", 1},
    {"GET", "/v1/ledgers/acct_a/proof?seq=", "seq", 1},
    {"GET", "/v1/ledgers/acct_a/consistency?from=1&size=", "size", 1},
    {"GET", "/v1/ledgers/acct_a/consistency?from=", "from", 1},
    {"POST", "/v1/ledgers/acct_a/verify?from_seq=", "from_seq", count_max},
    {"GET", "/v1/replication?limit=", "limit", z0::limits::page_ledgers_max},
    {"GET", "/v1/ledgers?limit=", "limit", page_max},
    {"GET", "/v1/closure?limit=", "limit", page_max},
    {"GET", "/v1/closure?from=0&to=", "to", time_max},
    {"GET", "/v1/closure?from=", "from", time_max},
    {"GET", "/v1/dead-letters?limit=", "limit", page_max},
    {"GET", "/v1/configs/cfg_a?as_of=", "as_of", time_max},
    {"GET", "/v1/configs/cfg_a?version=", "version", digits_max},
    {"GET", "/v1/configs/cfg_a/versions?from_version=", "from_version", digits_max}};

}  // namespace

TEST_CASE("A parameter that is a number takes what it counts, and nothing larger", "[edge]") {
  TestWorld w;
  w.post(deposit("f_1"));
  w.ask("PUT", "/v1/configs/cfg_a", "north",
        R"({"type":"budget","scope":"tenant","settings":{"limit":7}})", {});
  w.deliver_all();
  for (const auto& number : numbers) {
    const auto ask = [&](const std::string& value) {
      const std::string tenant = std::string(number.url).find("/v1/configs/") == 0 ? "north" : "";
      return w.ask(number.method, number.url + value, tenant, {}, {});
    };
    INFO(number.method << ' ' << number.url);
    // Sound, though nothing may be there.
    const Reply last = ask(std::to_string(number.max));
    CHECK((last.status == 200 || last.status == 404));
    std::vector<std::string> wrong = {"99999999999999999",
                                      "12345678901234567",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "18446744073709551617",
                                      "-1",
                                      "+1",
                                      "1.0",
                                      "1e3",
                                      "0x1",
                                      " 1",
                                      "1/",
                                      "1:",
                                      "one"};
    if (number.max < digits_max) wrong.push_back(std::to_string(number.max + 1));
    for (const auto& value : wrong) {
      INFO(value);
      const Reply refused = ask(value);
      CHECK(refused.status == 400);
      CHECK(refused.text("status") == "bad_parameter");
    }
  }
}

TEST_CASE("What writes may take half a minute and what reads ten seconds", "[edge]") {
  TestWorld w;
  std::uint32_t longest = 0;
  std::size_t calls = 0;
  w.seen = [&](std::string_view, std::string_view bytes) {
    for (const auto& call : carried<z0::CallNeed>(bytes)) {
      longest = std::max(longest, call.timeout_ms);
      ++calls;
    }
  };
  const auto longest_of = [&](const char* method, const std::string& url, const std::string& body) {
    longest = 0;
    calls = 0;
    w.ask(method, url, "north", body, {});
    CHECK(calls > 0);
    return longest;
  };
  // 30 s and 10 s are promised, so they stand here as numbers.
  CHECK(z0::limits::append_timeout_ms == 30'000);
  CHECK(z0::limits::read_timeout_ms == 10'000);
  CHECK(longest_of("POST", "/v1/facts", deposit("f_1")) == 30'000);
  CHECK(longest_of("PUT", "/v1/configs/cfg_a",
                   R"({"type":"budget","scope":"tenant","settings":{"limit":7}})") == 30'000);
  for (const char* url :
       {"/v1/facts/acct_a", "/v1/entities/acct_a", "/v1/entities/acct_a/state?cache=BudgetState",
        "/v1/ledgers/acct_a/checkpoint", "/v1/ledgers/acct_a/proof?seq=1",
        "/v1/ledgers/acct_a/consistency?from=1", "/v1/configs/cfg_a", "/v1/ledgers"}) {
    INFO(url);
    CHECK(longest_of("GET", url, {}) == 10'000);
  }
}

TEST_CASE("A request writes so many data points, and they count every fact", "[edge]") {
  for (const std::size_t types :
       {z0::limits::points_per_request_max - 1, z0::limits::points_per_request_max,
        z0::limits::points_per_request_max + 1, std::size_t{90}}) {
    TestWorld w;
    std::vector<std::string> facts;
    for (std::size_t i = 0; i < types; ++i) {
      const std::string n = std::to_string(i);
      facts.push_back(R"({"type":"type_)" + n + R"(","id":"f_)" + n + R"(","entity_id":"acct_a"})");
      facts.push_back(R"({"type":"type_)" + n + R"(","id":"g_)" + n + R"(","entity_id":"acct_a"})");
    }
    std::size_t points = 0;
    double counted = 0;
    w.seen = [&](std::string_view, std::string_view bytes) {
      for (const auto& point : carried<z0::DataPoint>(bytes)) {
        if (point.blobs.at(0) != "z0_facts_written_total") continue;
        ++points;
        counted += point.how_much;
      }
    };
    REQUIRE(w.post(list(facts)).status == 200);
    // Those that are too many count together.
    CHECK(points == std::min(types, z0::limits::points_per_request_max + 1));
    CHECK(counted == static_cast<double>(2 * types));
  }
}
