#include "bindings/cli/sending/traffic.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "unit/catch.hpp"

namespace z0::cli {
namespace {

constexpr std::int64_t start_ms = 1'774'915'200'000;

std::vector<std::string> a_day(std::uint64_t seed, std::int64_t minutes) {
  Traffic traffic(seed, start_ms, 50);
  std::vector<std::string> lines;
  for (std::int64_t ms = start_ms; ms <= start_ms + minutes * 60'000; ms += 200) {
    for (std::string& line : traffic.until(ms)) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

TEST_CASE("cli: the made-up day is the same for the same seed, and other ids for another") {
  const auto first = a_day(1, 1);
  CHECK(first == a_day(1, 1));
  CHECK(first != a_day(2, 1));
}

TEST_CASE("cli: the made-up day closes its loops and makes the mistakes it should") {
  const auto lines = a_day(3, 4);
  // 50 facts a second on average, and this hour is a busy one.
  CHECK(lines.size() > 12'000);
  CHECK(lines.size() < 20'000);
  std::map<std::string, std::string> by_id;
  std::map<std::string, int> types;
  std::set<std::string> tenants;
  std::int64_t last_ms = 0;
  int again = 0, other = 0, errors = 0, orphans = 0, backwards = 0;
  for (const std::string& line : lines) {
    const auto fact = nlohmann::json::parse(line);
    const auto [at, is_new] = by_id.emplace(fact.at("id").get<std::string>(), line);
    if (!is_new) {
      ++(at->second == line ? again : other);
      continue;
    }
    backwards += fact.at("timestamp").get<std::int64_t>() < last_ms;
    last_ms = fact.at("timestamp").get<std::int64_t>();
    tenants.insert(fact.at("tenant_id").get<std::string>());
    ++types[fact.at("type").get<std::string>()];
    errors += fact.contains("data") && fact["data"].contains("error");
    const std::string source = fact.value("source_id", std::string());
    orphans += !source.empty() && source != "fact_unknown" && by_id.count(source) == 0;
  }
  CHECK(orphans == 0);
  CHECK(backwards == 0);
  CHECK(again > 100);
  CHECK(other > 3);
  CHECK(errors > 200);
  CHECK(tenants.size() == 8);
  for (const char* type : {"invocation", "cost", "outcome", "charge", "payout", "deposit"}) {
    INFO(type);
    CHECK(types[type] > 20);
  }
}

}  // namespace z0::cli
