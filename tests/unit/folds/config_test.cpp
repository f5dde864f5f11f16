// ConfigState: the fold of configs over one ledger's facts.
#include "z0/folds/config.hpp"

#include <nlohmann/json.hpp>

#include "src/folds/config_data.hpp"
#include "unit/catch.hpp"
#include "unit/folds/cached_facts.hpp"
#include "unit/folds/config_facts.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::Budget;
using z0::CachedState;
using z0::ConfigScope;
using z0::ConfigState;
using z0::Fact;
using z0::FactType;
using z0::FoldError;
using z0::Period;
using z0::Status;
using z0::test::budget_data;
using z0::test::enforced;
using z0::test::naming;
using z0::test::noon_ms;
using z0::test::OwnedConfig;

void fold(ConfigState& state, const OwnedConfig& config) {
  REQUIRE(state.apply(config.fact()) == FoldError::none);
}

CachedState spent(std::int64_t amount, std::string_view currency = "USD") {
  CachedState state;
  const auto charge = z0::test::money(1, FactType::charge, amount, currency);
  REQUIRE(state.apply(charge.fact()) == FoldError::none);
  return state;
}

// Encodes, decodes into a state that held something else, and compares.
void check_code(const ConfigState& state) {
  const std::string bytes = state.encode();
  ConfigState read;
  read.apply(OwnedConfig{"cfg_other", 7, 1, "{}"}.fact());
  REQUIRE(read.decode(bytes));
  CHECK(read == state);
  CHECK(read.encode() == bytes);
}

}  // namespace

TEST_CASE("A ledger knows the newest version of each config", "[config]") {
  ConfigState state;
  CHECK(state.find("cfg_a") == nullptr);
  fold(state, {"cfg_b", 3, 1, budget_data(50, "tenant", enforced)});
  fold(state, {"cfg_a", 1, 2, budget_data(10)});
  fold(state, {"cfg_a", 2, 3, budget_data(20, "entity", R"(,"currency":"EUR","period":"day")")});
  REQUIRE(state.known().size() == 2);
  const auto* a = state.find("cfg_a");
  REQUIRE(a == &state.known()[0]);
  CHECK(a->first_version == 1);
  CHECK(a->version == 2);
  CHECK(a->scope == ConfigScope::entity);
  CHECK(a->applies_to == "acct_a");
  CHECK(a->effective_at == noon_ms);
  CHECK(a->is_budget);
  CHECK(a->budget == Budget{20, "EUR", Period::day, false});
  const auto* b = state.find("cfg_b");
  REQUIRE(b != nullptr);
  CHECK(b->first_version == 3);
  CHECK(b->budget == Budget{50, "USD", Period::total, true});
  CHECK(state.gaps() == 0);
  CHECK(state.last_seq() == 3);
  check_code(state);
}

TEST_CASE("An older version that arrives late changes nothing", "[config]") {
  ConfigState state;
  fold(state, {"cfg_a", 2, 1, budget_data(20)});
  const ConfigState before = state;
  fold(state, {"cfg_a", 1, 2, budget_data(10)});
  fold(state, {"cfg_a", 2, 3, budget_data(30)});
  CHECK(state == before);
}

TEST_CASE("The content hash tells one data from another", "[config]") {
  ConfigState state;
  fold(state, {"cfg_a", 1, 1, budget_data(10)});
  CHECK(state.find("cfg_a")->content_hash == z0::config_content_hash(budget_data(10)));
  CHECK(state.find("cfg_a")->content_hash != z0::config_content_hash(budget_data(11)));
}

TEST_CASE("A config that cannot be read is known and binds nobody", "[config]") {
  const std::string unreadable[] = {
      "",
      "{}",
      "[]",
      R"({"type":"budget"})",
      R"({"type":"budget","category":"policy","scope":"galaxy","settings":{"limit":1}})",
      R"({"type":"budget","category":"policy","scope":"tenant","settings":[]})",
      R"({"type":"budget","category":"policy","scope":"tenant","settings":{"limit":-1}})",
      R"({"type":"budget","category":"policy","scope":"tenant","settings":{}})",
      R"({"type":"budget","category":"policy","scope":"tenant","settings":{"limit":1},"more":1})",
      R"({"type":"routing","category":"logic","scope":"tenant","settings":{"limit":1}})"};
  for (const auto& data : unreadable) {
    INFO(data);
    ConfigState state;
    fold(state, {"cfg_a", 1, 1, data});
    REQUIRE(state.known().size() == 1);
    CHECK_FALSE(state.known()[0].is_budget);
    CHECK(state.known()[0].budget == Budget{});
    CHECK(state.budget_of("USD") == nullptr);
    CHECK(state.exceeded_by(spent(100), "USD", 1, noon_ms) == nullptr);
    check_code(state);
  }
}

TEST_CASE("Skipped versions and unknown ones are gaps", "[config]") {
  struct Row {
    const char* what;
    std::vector<Fact> facts;
    std::int64_t gaps;
  };
  const std::string data = budget_data(1);
  const OwnedConfig first{"cfg_a", 1, 1, data}, third{"cfg_a", 3, 2, data};
  const OwnedConfig own1{"cfg_a", 1, 1, data, "cfg_a"}, own3{"cfg_a", 3, 2, data, "cfg_a"};
  const Row rows[] = {
      {"nothing", {}, 0},
      {"the first version", {first.fact()}, 0},
      {"a ledger may hear of a config at any version", {third.fact()}, 0},
      {"but its own ledger has all", {own3.fact()}, 2},
      {"a copy may go past one", {first.fact(), third.fact()}, 0},
      {"which its own ledger may not", {own1.fact(), own3.fact()}, 1},
      {"a known version is named", {first.fact(), naming("cfg_a", 1, 2)}, 0},
      {"an earlier one that was known", {first.fact(), third.fact(), naming("cfg_a", 1, 3)}, 0},
      {"a later one", {first.fact(), naming("cfg_a", 2, 2)}, 1},
      {"one from before the ledger heard of it", {third.fact(), naming("cfg_a", 2, 3)}, 1},
      {"another config", {first.fact(), naming("cfg_b", 1, 2), naming("cfg_b", 1, 3)}, 2},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    ConfigState state;
    for (const auto& fact : row.facts) CHECK(state.apply(fact) == FoldError::none);
    CHECK(state.gaps() == row.gaps);
    check_code(state);
  }
}

TEST_CASE("A fact without a config leaves the fold as it is", "[config]") {
  ConfigState state;
  Fact fact;
  fact.type = FactType::charge;
  fact.seq = 9;
  CHECK(state.apply(fact) == FoldError::none);
  CHECK(state == ConfigState{});
}

TEST_CASE("A ledger knows so many configs and no more", "[config]") {
  ConfigState state;
  const std::string data = budget_data(1);
  const auto id = [](std::size_t i) { return "cfg_" + std::to_string(1'000 + i); };
  for (std::size_t i = 0; i < z0::limits::configs_per_ledger_max; ++i)
    fold(state, {id(i), 1, static_cast<std::int64_t>(i) + 1, data});
  const ConfigState full = state;
  const OwnedConfig one_more{"cfg_more", 1, 999, data};
  CHECK(state.check(one_more.fact()) == FoldError::full);
  CHECK(state.apply(one_more.fact()) == FoldError::full);
  CHECK(state == full);
  fold(state, {id(3), 2, 999, data});
  CHECK(state.find(id(3))->version == 2);
  CHECK(state.apply(naming("cfg_more", 1, 1'000)) == FoldError::none);
  check_code(state);
}

TEST_CASE("Every enforced budget of a currency binds, the narrowest is told", "[config]") {
  ConfigState state;
  fold(state, {"cfg_p", 1, 1, budget_data(1'000, "platform", enforced)});
  fold(state, {"cfg_t", 1, 2, budget_data(500, "tenant", enforced)});
  fold(state, {"cfg_e", 1, 3, budget_data(100, "entity")});
  CHECK(state.budget_of("USD")->config_id == "cfg_e");
  CHECK(state.budget_of("EUR") == nullptr);
  struct Row {
    std::int64_t spent, amount;
    std::string_view exceeded;
  };
  const Row rows[] = {{0, 500, ""},          {0, 501, "cfg_t"},
                      {400, 100, ""},        {400, 101, "cfg_t"},
                      {500, 0, ""},          {600, 0, ""},
                      {600, 1, "cfg_t"},     {600, -1, ""},
                      {499, 9'000, "cfg_t"}, {0, z0::limits::amount_max, "cfg_t"}};
  for (const auto& row : rows) {
    INFO(row.spent << " + " << row.amount);
    const auto* exceeded = state.exceeded_by(spent(row.spent), "USD", row.amount, noon_ms);
    CHECK((exceeded == nullptr ? std::string_view{} : exceeded->config_id) == row.exceeded);
    CHECK(state.exceeded_by(spent(row.spent), "EUR", row.amount, noon_ms) == nullptr);
  }
  // The wider one binds where the narrower one has grown past it.
  fold(state, {"cfg_t", 2, 4, budget_data(5'000, "tenant", enforced)});
  CHECK(state.exceeded_by(spent(900), "USD", 101, noon_ms)->config_id == "cfg_p");
}

TEST_CASE("A budget of a period begins anew with each", "[config]") {
  ConfigState state;
  fold(state, {"cfg_e", 1, 1, budget_data(100, "entity", R"(,"period":"day","enforce":true)")});
  const CachedState cached = spent(90);
  CHECK(state.exceeded_by(cached, "USD", 11, noon_ms) != nullptr);
  CHECK(state.exceeded_by(cached, "USD", 100, noon_ms + 86'400'000) == nullptr);
}

TEST_CASE("Budgets are shown with what is used of them, narrowest first", "[config]") {
  ConfigState state;
  fold(state, {"cfg_t", 4, 1, budget_data(500, "tenant", enforced)});
  fold(state, {"cfg_e", 1, 2, budget_data(100, "entity", R"(,"period":"month")")});
  fold(state,
       {"cfg_r", 1, 3, R"({"type":"routing","category":"logic","scope":"tenant","settings":{}})"});
  std::string out;
  z0::JsonWriter json(out);
  json.object().integer("x", 0);
  state.write_budgets(json, spent(120), noon_ms);
  json.end();
  const auto read = nlohmann::json::parse(out);
  CHECK(read["budgets"] == nlohmann::json::parse(R"([
    {"config_id":"cfg_e","config_version":1,"scope":"entity","currency":"USD","limit":100,
     "used":120,"remaining":-20,"period":"month","enforce":false},
    {"config_id":"cfg_t","config_version":4,"scope":"tenant","currency":"USD","limit":500,
     "used":120,"remaining":380,"period":"total","enforce":true}])"));
}

TEST_CASE("Bytes that no state encodes to are refused, and leave it empty", "[config]") {
  ConfigState state;
  fold(state, {"cfg_a", 2, 1, budget_data(20, "entity", enforced)});
  fold(state, {"cfg_b", 300, 200, "{}"});
  const std::string bytes = state.encode();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    ConfigState read;
    CHECK_FALSE(read.decode(std::string_view(bytes).substr(0, i)));
    CHECK(read == ConfigState{});
    // Whatever one changed byte still reads as is a state of its own, with these very bytes.
    for (const int flip : {1, 0x80}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      if (read.decode(changed)) {
        CHECK(read.encode() == changed);
        CHECK_FALSE(read == state);
      } else {
        CHECK(read == ConfigState{});
      }
    }
  }
  CHECK_FALSE(state.decode(bytes + '\0'));
  CHECK_FALSE(state.decode({}));
}

TEST_CASE("A budget's settings are judged member by member", "[config]") {
  struct Row {
    std::string_view settings;
    Status status;
    std::string_view field;
  };
  const Row rows[] = {
      {R"({"limit":0})", Status::recorded, ""},
      {R"({"limit":9007199254740991})", Status::recorded, ""},
      {R"({"limit":5,"currency":"EUR","period":"week","enforce":true})", Status::recorded, ""},
      {R"({})", Status::missing_member, "limit"},
      {R"({"enforce":true})", Status::missing_member, "limit"},
      {R"({"limit":-1})", Status::number_out_of_range, "limit"},
      {R"({"limit":9007199254740992})", Status::number_out_of_range, "limit"},
      {R"({"limit":99999999999999999999})", Status::number_out_of_range, "limit"},
      {R"({"limit":1.5})", Status::wrong_type, "limit"},
      {R"({"limit":"5"})", Status::wrong_type, "limit"},
      {R"({"limit":null})", Status::wrong_type, "limit"},
      {R"({"limit":5,"currency":"eur"})", Status::invalid_value, "currency"},
      {R"({"limit":5,"currency":"UDS"})", Status::invalid_value, "currency"},
      {R"({"limit":5,"currency":"EURO"})", Status::invalid_value, "currency"},
      {R"({"limit":5,"currency":5})", Status::wrong_type, "currency"},
      {R"({"limit":5,"period":"year"})", Status::invalid_value, "period"},
      {R"({"limit":5,"period":1})", Status::wrong_type, "period"},
      {R"({"limit":5,"enforce":1})", Status::wrong_type, "enforce"},
      {R"({"limit":5,"soft":true})", Status::unknown_member, "soft"},
      {R"([])", Status::wrong_type, "settings"},
  };
  for (const auto& row : rows) {
    INFO(row.settings);
    Budget budget;
    std::string field;
    CHECK(z0::read_budget(row.settings, budget, field) == row.status);
    if (row.status != Status::recorded) CHECK(field == row.field);
  }
}
