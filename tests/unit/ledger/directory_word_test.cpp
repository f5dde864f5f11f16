// A ledger's first facts wait for the directory's word: without it nothing begins, and what began
// meanwhile is a history like any other.
#include <iterator>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/calls/directory.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* import_url = "/v1/ledgers/acct_a/import?tenant=north";

std::string exported(TestWorld& w) {
  std::string lines;
  const Reply page = w.get("/v1/facts/acct_a?records=true");
  for (const auto& fact : page.json.at("facts"))
    lines += Json{{"record", fact.at("record")}}.dump() + "\n";
  return lines;
}

std::string word_of(z0::Status status) {
  std::string reply;
  z0::ByteWriter(reply).u8(static_cast<std::uint8_t>(status));
  return reply;
}

// What the directory may answer that is not its word.
struct Silence {
  z0_outcome outcome;
  std::string reply;
  const char* status;  // what the caller hears
};

std::vector<Silence> silences() {
  return {{Z0_OVERLOADED, "busy", "overloaded"},
          {Z0_TIMEOUT, "no reply in time", "timeout"},
          {Z0_FAILED, "it broke", "storage_error"},
          {Z0_OK, "", "storage_error"},
          {Z0_OK, word_of(z0::Status::storage_error), "storage_error"},
          {Z0_OK, word_of(z0::Status::bad_parameter), "storage_error"}};
}

bool is_directory(std::string_view object) { return object.starts_with("directory_"); }

}  // namespace

TEST_CASE("A ledger that the directory does not know is begun by nobody", "[directory]") {
  TestWorld from(1);
  from.post(deposits("f_", 0, 5));
  const std::string lines = exported(from);
  for (const Silence& silence : silences()) {
    for (const bool imports : {true, false}) {
      INFO(silence.outcome << ' ' << silence.reply << (imports ? " import" : " append"));
      TestWorld w(2);
      w.faults.call = [&](std::string_view object, z0_outcome& outcome, std::string& reply) {
        outcome = silence.outcome;
        reply = silence.reply;
        return is_directory(object);
      };
      const Reply refused =
          imports ? w.ask("POST", import_url, "", lines, {}) : w.post(deposit("f_1"));
      CHECK(refused.text("status") == silence.status);
      CHECK(refused.header("retry-after") != "");
      CHECK(w.ledger_rows("acct_a", "SELECT * FROM sqlite_master").empty());
      CHECK(w.alarm_of("account_acct_a") == 0);
      w.faults = {};
      const Reply again =
          imports ? w.ask("POST", import_url, "", lines, {}) : w.post(deposit("f_1"));
      CHECK(again.status / 100 == 2);
      CHECK(w.get("/v1/ledgers").json.at("ledgers").size() == 1);
    }
  }
}

TEST_CASE("Tables that were made before a first fact that never came hold up nobody",
          "[directory]") {
  // Earlier versions made all of them before they asked, in four statements.
  constexpr std::string_view tables[] = {
      "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL)",
      "CREATE TABLE segments (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, "
      "first_recorded_at INTEGER NOT NULL, last_recorded_at INTEGER NOT NULL, count INTEGER NOT "
      "NULL, types INTEGER NOT NULL, summary BLOB NOT NULL, cache BLOB, ids BLOB NOT NULL, body "
      "BLOB NOT NULL)",
      "CREATE TABLE id_runs (key INTEGER PRIMARY KEY, count INTEGER NOT NULL, body BLOB NOT NULL)",
      "CREATE TABLE tree_nodes (key INTEGER PRIMARY KEY, hash BLOB NOT NULL)"};
  for (std::size_t made = 1; made <= std::size(tables); ++made) {
    TestWorld w;
    for (std::size_t i = 0; i < made; ++i) w.ledger_rows("acct_a", tables[i]);
    CHECK(w.get("/v1/facts/acct_a").status == 404);
    CHECK(w.post(deposit("f_1")).status == 201);
    CHECK(w.post(deposit("f_1")).text("status") == "duplicate");
    CHECK(w.ledger_rows("acct_a", "SELECT name FROM sqlite_master").size() == 4);
  }
}

TEST_CASE("A ledger that another batch began meanwhile is judged by its history", "[directory]") {
  TestWorld w;
  // The second batch goes through while the first waits for the directory, and fills more than the
  // tail: the fact of both lies in a segment that has to be read.
  const std::string data = R"(,"data":{"a":")" + std::string(9'000, 'x') + "\"}";
  Reply second;
  bool inside = false;
  w.faults.call = [&](std::string_view object, z0_outcome&, std::string&) {
    if (!is_directory(object) || inside) return false;
    inside = true;
    for (int i = 0; i < 4; ++i) second = w.post(deposits("f_", i * 4, 4, "acct_a", data));
    return false;
  };
  const Reply first = w.post(list({deposit("f_1", "acct_a", 5, data), deposit("f_2", "acct_a", 6),
                                   deposit("f_15", "acct_a", 5, data), deposit("f_99")}));
  REQUIRE(second.status == 200);
  CHECK(first.statuses() == "duplicate conflict duplicate recorded");
  CHECK(first.item(0).at("seq") == 2);
  CHECK(first.item(2).at("seq") == 16);
  CHECK(first.item(3).at("seq") == 17);
}

TEST_CASE("An import into a ledger that an append began meanwhile is judged by its history",
          "[directory]") {
  TestWorld from(1);
  from.post(deposits("f_", 0, 5));
  const std::string lines = exported(from);
  TestWorld w(2);
  bool inside = false;
  w.faults.call = [&](std::string_view object, z0_outcome&, std::string&) {
    if (!is_directory(object) || inside) return false;
    inside = true;
    CHECK(w.post(deposits("g_", 0, 7)).status == 200);
    return false;
  };
  // Five facts are there already, which is what an import goes by.
  const Reply imported = w.ask("POST", import_url, "", lines, {});
  CHECK(imported.status == 200);
  CHECK(imported.json.at("size") == 7);
  CHECK(w.get("/v1/facts/acct_a").json.at("facts").at(0).at("id") == "g_0");
}
