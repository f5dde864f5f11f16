// What an operator can ask for: how far each ledger is in D1, D1 made anew from a ledger, and a
// comparison that finds what was altered.
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/sha256.hpp"
#include "z0/facts/fact.hpp"
#include "z0/wire/frame.hpp"

namespace {

using z0::test::carried;
using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

Reply command(TestWorld& w, const std::string& path, std::string_view who = "") {
  return w.ask("POST", "/v1/ledgers/" + path, who, {}, {});
}

// RFC 6962, section 2.1, by halves.
std::string plain_tree(const std::vector<std::string>& leaves, std::size_t begin, std::size_t end) {
  std::size_t half = 1;
  while (half * 2 < end - begin) half *= 2;
  const z0::Digest hash = end - begin == 1
                              ? z0::sha256(std::string(1, '\0') + leaves[begin])
                              : z0::sha256('\1' + plain_tree(leaves, begin, begin + half) +
                                           plain_tree(leaves, begin + half, end));
  return std::string(hash.begin(), hash.end());
}

std::string root_of_ledger(TestWorld& w, const char* entity_id) {
  std::vector<std::string> leaves;
  for (const auto& row : w.ledger_rows(entity_id, "SELECT body FROM segments ORDER BY first_seq")) {
    const std::string body = row.at(0);
    for (z0::ByteReader in(body); !in.done();) leaves.emplace_back(in.short_bytes());
  }
  std::string hex;
  z0::append_hex(hex, plain_tree(leaves, 0, leaves.size()));
  return hex;
}

// A ledger with something in every column.
void record_rich(TestWorld& w) {
  w.post(list(
      {deposit("f_0"),
       R"({"id":"f_1","type":"charge","subtype":"lead","entity_id":"acct_a","source_id":"o",)"
       R"("asset_id":"ast_1","campaign_id":"cmp_1","tool_id":"t_1","user_id":"usr_1",)"
       R"("config_id":"c_1","config_version":3,"amount":120,"currency":"EUR","timestamp":1700000000009,)"
       R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","data":{"n":1.50}})",
       deposit("f_2")}));
  w.deliver_all();
}

}  // namespace

TEST_CASE("A head's root is the tree of the facts as the ledger recorded them", "[replication]") {
  TestWorld w;
  for (int i = 0; i < 20; ++i) w.post(deposits("f_" + std::to_string(i) + '_', 0, 1 + i % 7));
  // The last message first.
  while (!w.queue.empty()) CHECK(w.deliver(w.queue.size() - 1));
  const Json head = w.d1_rows("SELECT contiguous_seq, root FROM ledger_heads").at(0);
  CHECK(head.at(0) == w.get("/v1/entities/acct_a").json.at("seq"));
  CHECK(head.at(1) == root_of_ledger(w, "acct_a"));
}

TEST_CASE("Ranges of ledgers asked for side by side are the whole list, each ledger once",
          "[replication]") {
  TestWorld w;
  std::vector<std::string> facts;
  std::vector<std::string> names;
  for (int i = 10; i < 40; ++i) {
    names.push_back("acct_" + std::to_string(i));
    facts.push_back(deposit("f_1", names.back()));
  }
  w.post(list(facts));
  w.deliver_all();
  const auto listed = [&](const std::string& range) {
    std::vector<std::string> found;
    for (std::string cursor = "/v1/replication?limit=4" + range, next = cursor; !next.empty();) {
      const Json page = w.get(next, "").json;
      for (const auto& ledger : page.at("ledgers")) found.push_back(ledger.at("entity_id"));
      next = page.at("cursor").is_null()
                 ? ""
                 : cursor + "&cursor=" + page.at("cursor").get<std::string>();
    }
    return found;
  };
  CHECK(listed("") == names);
  std::vector<std::string> together;
  // The second bound is no ledger's name.
  for (const char* range : {"&until=acct_15", "&after=acct_15&until=acct_27x", "&after=acct_27x"}) {
    for (auto& name : listed(range)) together.push_back(std::move(name));
  }
  CHECK(together == names);
  CHECK(listed("&after=acct_39").empty());
  for (const char* wrong : {"&after=a%20b", "&until=a%20b"}) {
    const Reply refused = w.get(std::string("/v1/replication?limit=4") + wrong, "");
    CHECK(refused.status == 400);
    CHECK(refused.text("field") == std::string(wrong).substr(1, 5));
  }
}

TEST_CASE("A row that was altered in any column is named and repaired", "[replication]") {
  for (const char* column :
       {"id", "subtype", "source_id", "asset_id", "campaign_id", "tool_id", "user_id", "config_id",
        "config_version", "amount", "currency", "trace_id", "recorded_at", "data"}) {
    for (const bool cleared : {false, true}) {
      const std::string name = column;
      const bool required = name == "id" || name == "recorded_at" || name == "data";
      if (cleared && required) continue;
      INFO(column);
      TestWorld w;
      record_rich(w);
      const Json whole = w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq");
      w.d1().script("UPDATE ledger_facts SET " + name + " = " + (cleared ? "NULL" : "'77'") +
                    " WHERE seq = 2");
      REQUIRE(w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq") != whole);
      const Reply found = command(w, "acct_a/verify");
      CHECK(found.status == 200);
      CHECK(found.json == Json::parse(R"({"entity_id":"acct_a","checked":3,"next_seq":null,)"
                                      R"("missing":[],"differing":[{"seq":2,"fields":[")" +
                                      name + R"("]}],"surplus":[],"repaired":1})"));
      CHECK(w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq") == whole);
      CHECK(command(w, "acct_a/verify").json.at("repaired") == 0);
    }
  }
}

TEST_CASE("A row under another key is missing where it belongs, and goes where it was put",
          "[replication]") {
  for (const char* damage :
       {"tenant_id = 'south'", "type = 'payout'", "timestamp = 8", "seq = 50"}) {
    INFO(damage);
    TestWorld w;
    record_rich(w);
    const Json whole = w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq");
    w.d1().script("UPDATE ledger_facts SET " + std::string(damage) + " WHERE seq = 2");
    const Reply found = command(w, "acct_a/verify");
    CHECK(found.json.at("missing") == Json({2}));
    CHECK(found.json.at("differing").empty());
    CHECK(w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq") == whole);
  }
}

TEST_CASE("Rows that no ledger has are found beside the facts whose key they share",
          "[replication]") {
  TestWorld w;
  record_rich(w);
  const Json whole = w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq");
  w.d1().script(
      "INSERT INTO ledger_facts (tenant_id, type, timestamp, entity_id, seq, id, recorded_at, "
      "data) "
      "SELECT tenant_id, type, timestamp, entity_id, seq + 40, id, recorded_at, data FROM "
      "ledger_facts WHERE type = 'charge'");
  const Reply found = command(w, "acct_a/verify");
  CHECK(found.json.at("surplus") == Json({42}));
  CHECK(found.json.at("repaired") == 1);
  CHECK(w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq") == whole);
}

TEST_CASE("A long ledger is compared in pages, and what is on its way is not missing",
          "[replication]") {
  TestWorld w;
  for (int i = 0; i < 5'000; i += 1'000) w.post(deposits("f_", i, 1'000));
  w.deliver_all();
  w.d1().script("DELETE FROM ledger_facts WHERE seq IN (1, 2500, 5000)");
  w.post(deposits("g_", 0, 10));  // not delivered
  std::vector<std::int64_t> missing;
  std::int64_t checked = 0;
  int pages = 0;
  for (std::string from = "1"; !from.empty(); ++pages) {
    const Reply page = command(w, "acct_a/verify?from_seq=" + from);
    REQUIRE(page.status == 200);
    for (const auto& seq : page.json.at("missing")) missing.push_back(seq);
    checked += page.json.at("checked").get<std::int64_t>();
    const Json& next = page.json.at("next_seq");
    from = next.is_null() ? "" : std::to_string(next.get<std::int64_t>());
  }
  CHECK(pages == 3);
  CHECK(checked == 5'010);
  CHECK(missing == std::vector<std::int64_t>{1, 2'500, 5'000});
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 5'000);
  CHECK(w.largest_frame < 4'000'000);
}

TEST_CASE("A D1 that was emptied is made anew from the ledgers, with equal roots",
          "[replication]") {
  TestWorld w;
  for (int i = 0; i < 24'000; i += 1'000) w.post(deposits("f_", i, 1'000));
  w.post(deposits("f_", 0, 50, "acct_b"));
  w.deliver_all();
  w.now_ms += z0::limits::confirm_after_ms;
  w.run_alarms();
  const char* const all = "SELECT * FROM ledger_facts ORDER BY entity_id, seq";
  const char* const heads =
      "SELECT entity_id, tenant_id, contiguous_seq, tree, root FROM ledger_heads ORDER BY 1";
  const Json facts_before = w.d1_rows(all);
  const Json heads_before = w.d1_rows(heads);
  w.d1().script("DELETE FROM ledger_facts; DELETE FROM ledger_heads");
  int calls = 0;
  for (const char* entity_id : {"acct_a", "acct_b"}) {
    for (bool done = false; !done; ++calls) {
      REQUIRE(calls < 20);
      const Reply reply = command(w, std::string(entity_id) + "/replicate");
      REQUIRE(reply.status == 200);
      done = reply.json.at("done");
      if (done) CHECK(reply.json.at("replicated_root") == reply.json.at("root"));
      CHECK(reply.json.at("replicated_seq") <= reply.json.at("seq"));
    }
  }
  CHECK(calls > 2);
  CHECK(w.d1_rows(all) == facts_before);
  CHECK(w.d1_rows(heads) == heads_before);
  CHECK(heads_before.at(0).at(4) == root_of_ledger(w, "acct_a"));
  // From the start over rows that are there: the head alone is made anew.
  w.d1().script("UPDATE ledger_heads SET tree = 'x', root = 'x', contiguous_seq = 77000");
  const Reply first = command(w, "acct_b/replicate?from=start");
  CHECK(first.json.at("done") == true);
  CHECK(first.json.at("replicated_root") == heads_before.at(1).at(4));
  CHECK(w.d1_rows(all) == facts_before);
}

TEST_CASE("Facts that nobody asked to replicate any further still arrive", "[replication]") {
  TestWorld w;
  for (int i = 0; i < 24'000; i += 1'000) w.post(deposits("f_", i, 1'000));
  w.deliver_all();
  w.now_ms += z0::limits::confirm_after_ms;
  w.run_alarms();
  REQUIRE(w.alarm_of("account_acct_a") == 0);
  CHECK(command(w, "acct_a/replicate?from=start").json.at("done") == false);
  for (int i = 0; i < 10 && w.alarm_of("account_acct_a") != 0; ++i) {
    w.now_ms = w.alarm_of("account_acct_a");
    w.run_alarms();
  }
  CHECK(w.d1_rows("SELECT contiguous_seq FROM ledger_heads").at(0).at(0) == 24'000);
  CHECK(w.alarm_of("account_acct_a") == 0);
}

TEST_CASE("The page of replication says of each ledger how far it is", "[replication]") {
  TestWorld w;
  w.settings = R"({"databases":{"DB_2":["south"]}})";
  for (const char* id : {"acct_1", "acct_2", "acct_3"}) w.post(deposits("f_", 0, 3, id));
  w.post(deposits("f_", 0, 2, "acct_4"), "south");
  w.deliver_all();
  w.post(deposit("g", "acct_1"));  // not delivered
  w.d1().script("UPDATE ledger_heads SET contiguous_seq = 9 WHERE entity_id = 'acct_2'");
  std::string seen;
  std::string cursor;
  int pages = 0;
  do {
    const Reply page = w.get("/v1/replication?limit=2" + cursor, "");
    REQUIRE(page.status == 200);
    std::int64_t counted = 0;
    for (const auto& ledger : page.json.at("ledgers")) {
      seen += ledger.at("entity_id").get<std::string>() + ' ' +
              std::to_string(ledger.at("replicated_seq").get<int>()) + '/' +
              std::to_string(ledger.at("seq").get<int>()) + ' ' +
              (ledger.at("status") == "broken" ? "broken " : "");
      ++counted;
    }
    const Json& totals = page.json.at("totals");
    CHECK(totals.at("ledgers") == counted);
    CHECK(totals.at("proven").get<int>() + totals.at("behind").get<int>() +
              totals.at("broken").get<int>() ==
          counted);
    const Json& next = page.json.at("cursor");
    cursor = next.is_null() ? "" : "&cursor=" + next.get<std::string>();
  } while (!cursor.empty() && ++pages < 9);
  CHECK(seen == "acct_1 3/4 acct_2 9/3 broken acct_3 3/3 acct_4 2/2 ");
  CHECK(w.get("/v1/replication?tenant=south", "").json.at("ledgers").size() == 1);
  CHECK(w.get("/v1/replication?tenant=north", "").json.at("totals").at("ledgers") == 3);
  // A head of a ledger that does not exist.
  w.d1().script("UPDATE ledger_heads SET entity_id = 'acct_9' WHERE entity_id = 'acct_3'");
  CHECK(w.get("/v1/replication", "").json.at("totals").at("broken") == 2);
}

TEST_CASE("Replication is for operators, and for what exists", "[replication]") {
  TestWorld w;
  w.post(deposit("f_1"));
  CHECK(command(w, "acct_a/replicate", "north").status == 403);
  CHECK(command(w, "acct_a/verify", "north").status == 403);
  CHECK(w.get("/v1/replication", "north").status == 403);
  CHECK(w.get("/v1/ledgers/acct_a/verify", "").status == 405);
  for (const char* path : {"acct_b/replicate", "acct_b/verify", "cmp_1/verify", "acct_a/other",
                           "acct_a", "acct_a/", "/verify", "acct_a/verify/"}) {
    INFO(path);
    CHECK(command(w, path).status == 404);
  }
  for (const char* path :
       {"acct_a/replicate?from=end", "acct_a/replicate?from_seq=1", "acct_a/verify?from_seq=0",
        "acct_a/verify?from=start", "acct_a/verify?from_seq=x"}) {
    INFO(path);
    CHECK(command(w, path).status == 400);
  }
  for (const char* query : {"limit=0", "limit=101", "cursor=%2B", "cursor=BWFjY3RfYQ", "x=1"}) {
    INFO(query);
    CHECK(w.get("/v1/replication?" + std::string(query), "").status == 400);
  }
  w.faults.query = [] { return true; };
  CHECK(command(w, "acct_a/replicate").status == 503);
  CHECK(command(w, "acct_a/verify").status == 503);
  CHECK(w.get("/v1/replication", "").status == 503);
  CHECK(command(w, "acct_a/verify?from_seq=2").json.at("checked") == 0);
}

TEST_CASE("A head that is ahead of its ledger is taken back", "[replication]") {
  TestWorld w;
  w.post(deposits("f_", 0, 5));
  w.deliver_all();
  const char* const heads = "SELECT contiguous_seq, tree, root FROM ledger_heads";
  const Json five = w.d1_rows(heads);
  w.post(deposit("g"));
  w.deliver_all();
  const Json six = w.d1_rows(heads);
  REQUIRE(six != five);
  // D1 keeps a sound head of six facts, while the ledger came back with five of them.
  TestWorld back;
  back.post(deposits("f_", 0, 5));
  back.deliver_all();
  const Json& head = six.at(0);
  back.d1().script("UPDATE ledger_heads SET contiguous_seq = 6, tree = '" +
                   head.at(1).get<std::string>() + "', root = '" + head.at(2).get<std::string>() +
                   "'");
  back.now_ms += z0::limits::confirm_after_ms;
  back.run_alarms();
  CHECK(back.d1_rows(heads) == five);
  CHECK(back.get("/v1/entities/acct_a").json.at("replicated_seq") == 5);
}

TEST_CASE("Rows that were lost do not make a verification read the whole table", "[replication]") {
  for (const std::size_t lost : {z0::limits::strays_max, z0::limits::strays_max + 1}) {
    INFO(lost);
    TestWorld w;
    w.post(deposits("f_", 0, 40));
    w.deliver_all();
    const Json whole = w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq");
    w.d1().script("DELETE FROM ledger_facts WHERE seq <= " + std::to_string(lost));
    std::size_t by_entity_alone = 0;
    w.seen = [&](std::string_view, std::string_view bytes) {
      for (const auto& need : carried<z0::QueryNeed>(bytes)) {
        for (const auto& statement : need.statements) {
          if (statement.sql.starts_with("DELETE FROM ledger_facts WHERE entity_id"))
            ++by_entity_alone;
        }
      }
    };
    const Reply found = command(w, "acct_a/verify");
    CHECK(found.json.at("missing").size() == lost);
    CHECK(by_entity_alone == (lost > z0::limits::strays_max ? 0 : 1));
    w.seen = nullptr;
    CHECK(w.d1_rows("SELECT * FROM ledger_facts ORDER BY seq") == whole);
  }
}
