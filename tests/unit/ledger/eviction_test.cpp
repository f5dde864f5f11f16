// A state may leave memory after any step that asks for something, whatever is asked of the ledger:
// the answer and the rows are those of a state that stayed, and no step begins again.
#include <functional>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/limits.hpp"
#include "z0/wire/frame.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* object_a = "account_acct_a";

// Whether a step of a ledger asks for something, and is not about to read facts for folds that are
// damaged: hosts answer rows at once, and a pass over many segments counts on what it has read.
bool may_lose_state(std::string_view bytes, std::string_view effects) {
  z0::Frame frame;
  std::vector<z0::Effect> asked;
  REQUIRE(z0::parse_frame(bytes, frame));
  REQUIRE(z0::parse_effects(effects, asked));
  const bool needs = !asked.empty() && asked[0].phase == z0::Phase::need;
  if (!needs || asked.back().kind != Z0_NEED_RESUME) return false;
  const std::string_view where = z0::carried_by<z0::ResumeNeed>(asked.back()).where;
  return frame.target == Z0_TARGET_LEDGER && where.find(" at refold") == std::string_view::npos;
}

// Counts the steps that ask for something, and drops the state after one of them.
struct Eviction {
  Eviction(TestWorld& w, std::size_t place) {
    w.seen = [this, &w, place](std::string_view bytes, std::string_view effects) {
      if (may_lose_state(bytes, effects) && needs++ == place) w.evict(object_a);
    };
  }
  std::size_t needs = 0;
};

struct Story {
  const char* name;
  std::function<void(TestWorld&)> before;
  std::function<Json(TestWorld&)> act;
};

// Without what is drawn anew each time.
Json told(const Reply& reply) {
  Json json = reply.json;
  if (json.is_object()) json.erase("trace_id");
  return {reply.status, json.is_discarded() ? Json(reply.body) : json};
}

Json post(TestWorld& w, const std::string& url, const std::string& body = {}) {
  return told(w.ask("POST", url, "", body, {}));
}

const std::string large = R"(,"data":{"a":")" + std::string(9'000, 'x') + "\"}";

// More segments than the tail, and nothing of it in D1.
void fill(TestWorld& w) {
  for (int i = 0; i < 6; ++i) w.post(deposits("f_", i * 4, 4, "acct_a", large));
  w.queue.clear();
  w.now_ms += 20'000;
}

std::string exported() {
  TestWorld from(7);
  from.post(deposits("f_", 0, 5));
  const Reply page = from.get("/v1/facts/acct_a?records=true");
  std::string lines;
  for (const auto& fact : page.json.at("facts"))
    lines += Json{{"record", fact.at("record")}}.dump() + "\n";
  return lines;
}

void nothing(TestWorld&) {}

std::vector<Story> stories() {
  return {
      {"a first append", nothing,
       [](TestWorld& w) {
         return told(w.post(list({deposit("f_1"), deposit("f_2")})));
       }},
      {"an append with retries from long ago", fill,
       [](TestWorld& w) {
         return told(w.post(list(
             {deposit("f_1", "acct_a", 5, large), deposit("f_2", "acct_a", 6), deposit("f_99")})));
       }},
      {"an import", nothing,
       [](TestWorld& w) { return post(w, "/v1/ledgers/acct_a/import?tenant=north", exported()); }},
      {"an import that goes on",
       [](TestWorld& w) {
         const std::string lines = exported();
         post(w, "/v1/ledgers/acct_a/import?tenant=north", lines.substr(0, lines.find('\n') + 1));
         w.evict(object_a);
       },
       [](TestWorld& w) { return post(w, "/v1/ledgers/acct_a/import?tenant=north", exported()); }},
      {"a reconciliation", fill,
       [](TestWorld& w) { return post(w, "/v1/ledgers/acct_a/reconcile"); }},
      {"a reconciliation of all, of a cache that is wrong",
       [](TestWorld& w) {
         fill(w);
         w.ledger("acct_a").run({"UPDATE segments SET cache = x'00' WHERE first_seq = 1", {}});
       },
       [](TestWorld& w) { return post(w, "/v1/ledgers/acct_a/reconcile?from=start"); }},
      {"a read of a state whose row is damaged",
       [](TestWorld& w) {
         fill(w);
         w.ledger("acct_a").run({"UPDATE segments SET cache = x'00'", {}});
         w.evict(object_a);
       },
       [](TestWorld& w) { return told(w.get("/v1/entities/acct_a/state?cache=BudgetState")); }},
      {"a replication", fill,
       [](TestWorld& w) { return post(w, "/v1/ledgers/acct_a/replicate?from=start"); }},
      {"a verification that repairs",
       [](TestWorld& w) {
         fill(w);
         post(w, "/v1/ledgers/acct_a/replicate");
         w.d1().script("UPDATE ledger_facts SET amount = 7 WHERE seq = 3");
       },
       [](TestWorld& w) { return post(w, "/v1/ledgers/acct_a/verify"); }},
      {"an alarm", fill, [](TestWorld& w) { return Json(w.ring(object_a)); }},
      {"a proof", fill,
       [](TestWorld& w) { return told(w.get("/v1/ledgers/acct_a/proof?seq=3&size=20")); }},
      {"a page", fill, [](TestWorld& w) { return told(w.get("/v1/facts/acct_a")); }}};
}

// What is kept, without what is drawn anew each time: the ids of the ledger's own facts.
Json kept(TestWorld& w) {
  Json facts = w.get("/v1/facts/acct_a?limit=1000").json.at("facts");
  for (auto& fact : facts) {
    if (fact.at("type") == "reconciliation") fact.erase("id");
  }
  return {facts,
          w.d1_rows("SELECT type, timestamp, seq, amount, data FROM ledger_facts ORDER BY seq"),
          w.d1_rows("SELECT contiguous_seq FROM ledger_heads"),
          w.d1_rows("SELECT count(*) FROM ledger_runs")};
}

}  // namespace

TEST_CASE("Whatever is asked of a ledger, its state may leave memory after any step",
          "[progress]") {
  for (const Story& story : stories()) {
    INFO(story.name);
    TestWorld quiet;
    story.before(quiet);
    Eviction none(quiet, ~std::size_t{0});
    const Json told = story.act(quiet);
    const std::size_t steps = none.needs;
    REQUIRE(steps > 0);
    const Json rows = kept(quiet);
    for (std::size_t place = 0; place < steps; ++place) {
      INFO("dropped after step " << place);
      TestWorld w;
      story.before(w);
      Eviction eviction(w, place);
      const bool same = story.act(w) == told;
      const std::size_t needs = eviction.needs;
      CHECK(same);
      CHECK((kept(w) == rows));
      // The state's rows are read again, and nothing else is.
      CHECK(needs <= steps + 1);
    }
  }
}
