// Batches: the order of answers, the code of a mixed reply, limits of a body, NDJSON, atomic
// batches.
#include <set>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* atomic_url = "/v1/facts?atomic=true";

std::int64_t seq_of(TestWorld& w, const char* entity_id, std::string_view who = "north") {
  const Reply r = w.get(std::string("/v1/entities/") + entity_id, who);
  return r.status == 200 ? r.json.at("seq").get<std::int64_t>() : 0;
}

}  // namespace

TEST_CASE("One object is answered by its item, a list by a list", "[edge]") {
  TestWorld w;
  const Reply recorded = w.post(deposit("f_1"));
  CHECK(recorded.status == 201);
  z0::test::Json receipt = recorded.json;
  CHECK(receipt.at("tree").at("size") == 1);
  CHECK(receipt.at("tree").at("root") ==
        w.get("/v1/entities/acct_a").json.at("root").get<std::string>());
  receipt.erase("tree");
  CHECK(
      receipt.dump() ==
      R"({"entity_id":"acct_a","id":"f_1","recorded_at":1774915200000,"seq":1,"status":"recorded"})");
  w.now_ms += 5;
  const Reply again = w.post(deposit("f_1"));
  CHECK(again.status == 200);
  CHECK(again.text("status") == "duplicate");
  CHECK(again.json.at("recorded_at") == recorded.json.at("recorded_at"));
  CHECK(again.json.at("seq") == 1);
  const Reply refused = w.post(deposit("f_1", "acct_a", 6));
  CHECK(refused.status == 409);
  CHECK(refused.text("id") == "f_1");
  CHECK(refused.text("entity_id") == "acct_a");
  const Reply one = w.post(list({deposit("f_2")}));
  CHECK(one.status == 200);
  CHECK(one.json.at("results").size() == 1);
  CHECK(w.post_lines(deposit("f_3")).json.at("results").size() == 1);
}

TEST_CASE("A list's code tells how much of it was accepted", "[edge]") {
  TestWorld w;
  w.post(deposit("f_0"));
  struct Row {
    std::vector<std::string> facts;
    int http;
    const char* statuses;
  };
  const std::string conflict = deposit("f_0", "acct_a", 6);
  const std::string malformed = "5";
  const Row rows[] = {
      {{deposit("f_0"), deposit("f_1")}, 200, "duplicate recorded"},
      {{deposit("f_0")}, 200, "duplicate"},
      {{deposit("f_0"), conflict}, 207, "duplicate conflict"},
      {{conflict, deposit("f_2")}, 207, "conflict recorded"},
      {{conflict, malformed}, 409, "conflict not_an_object"},
      {{malformed, conflict}, 400, "not_an_object conflict"},
      {{"{}", malformed, conflict}, 422, "missing_member not_an_object conflict"},
  };
  for (const auto& row : rows) {
    const Reply r = w.post(list(row.facts));
    INFO(r.body);
    CHECK(r.status == row.http);
    CHECK(r.statuses() == row.statuses);
    const auto& j = r.json;
    CHECK(j.at("recorded").get<int>() + j.at("duplicate").get<int>() + j.at("refused").get<int>() ==
          static_cast<int>(row.facts.size()));
    CHECK(j.at("trace_id") == r.header("traceparent").substr(3, 32));
  }
}

TEST_CASE("Answers stand in the order of the facts, across ledgers and refusals", "[edge]") {
  TestWorld w;
  std::vector<std::string> facts;
  for (int i = 0; i < 60; ++i) {
    if (i % 7 == 3)
      facts.push_back(R"({"id":"f_)" + std::to_string(i) + "\"}");
    else
      facts.push_back(deposit("f_" + std::to_string(i), "acct_" + std::to_string(i % 5)));
  }
  const Reply r = w.post(list(facts));
  REQUIRE(r.status == 207);
  std::int64_t seqs[5] = {};
  for (int i = 0; i < 60; ++i) {
    const auto& item = r.item(static_cast<std::size_t>(i));
    CHECK(item.at("id") == "f_" + std::to_string(i));
    CHECK((item.at("status") == "recorded") == (i % 7 != 3));
    if (i % 7 != 3) CHECK(item.at("seq") == ++seqs[i % 5]);
  }
}

TEST_CASE("Ids are made where there is none, each once, in ascending order", "[edge]") {
  TestWorld w;
  std::set<std::string> ids;
  std::string last;
  const std::string nameless = R"({"type":"note","entity_id":"acct_a"})";
  for (int round = 0; round < 3; ++round) {
    w.now_ms += 1;
    const Reply r = w.post(list(std::vector<std::string>(40, nameless)));
    REQUIRE(r.status == 200);
    for (const auto& item : r.json.at("results")) {
      const std::string id = item.at("id");
      CHECK(id.size() == 31);
      CHECK(id.compare(0, 5, "fact_") == 0);
      CHECK(ids.insert(id).second);
      CHECK(last < id);
      last = id;
    }
  }
  CHECK(w.post(nameless).text("id").compare(0, 5, "fact_") == 0);
}

TEST_CASE("A body may have 4 MiB and 1,000 facts and not one more", "[edge]") {
  TestWorld w;
  std::string body = deposit("f_1");
  body.resize(z0::limits::body_bytes_max, ' ');
  CHECK(w.post(body).status == 201);
  const Reply large = w.post(body + ' ');
  CHECK(large.status == 413);
  CHECK(large.text("status") == "too_large");

  CHECK(w.post(deposits("g_", 0, 1000)).json.at("recorded") == 1000);
  CHECK(w.post(deposits("h_", 0, 1001)).text("status") == "too_many_facts");
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += deposit("i_" + std::to_string(i)) + "\n\n";
  CHECK(w.post_lines(lines).json.at("recorded") == 1000);
  CHECK(w.post_lines(lines + deposit("i_x")).text("status") == "too_many_facts");
  CHECK(seq_of(w, "acct_a") == 2001);
  CHECK(w.get("/v1/facts/acct_a").json.at("facts").size() == z0::limits::page_facts_default);
  CHECK(w.largest_frame <= z0::limits::frame_bytes_max);
}

TEST_CASE("A line of NDJSON that is broken spoils no other", "[edge]") {
  TestWorld w;
  const std::string lines =
      deposit("f_1") + "\r\n" +                             // 0 a line of another system
      "\n \t\n" +                                           //   empty ones do not count
      "{\"id\":\n" +                                        // 1 cut
      deposit("f_2") + " x\n" +                             // 2 something behind the fact
      deposit("f_3") + "{}\n" +                             // 3
      "[" + deposit("f_4") + "]\n" +                        // 4 a list is no fact
      "{\"a\xff\":1}\n" +                                   // 5
      std::string(30, '[') + std::string(30, ']') + "\n" +  // 6
      R"({"id":"f_5","type":"note","entity_id":"acct_b","data":{"a":1,"a":2}})" + "\n" +  // 7
      "{} {}\n" +                        // 8 refused as a fact, and then as a line
      deposit("f_6", "acct_b") + "\n" +  // 9
      deposit("f_7");                    // 10 without a newline
  const Reply r = w.post_lines(lines);
  CHECK(r.status == 207);
  CHECK(r.statuses() ==
        "recorded not_json not_json not_json not_an_object not_utf8 too_deep duplicate_key "
        "not_json recorded recorded");
  CHECK(r.item(2).at("field") == "byte 62");
  CHECK(r.item(2).at("id") == "f_2");
  CHECK(r.item(7).at("id") == "f_5");
  CHECK(r.item(7).at("entity_id") == "acct_b");
  for (std::size_t i = 1; i < 9; ++i) {
    CHECK(r.item(i).at("index") == i);
    CHECK(r.item(i).at("line") == i + 3);  // empty lines count as lines
  }
  CHECK_FALSE(r.item(9).contains("index"));
  CHECK(r.item(9).at("seq") == 1);
  CHECK(r.item(10).at("seq") == 2);
  CHECK(w.get("/v1/facts/acct_a").json.at("facts").size() == 2);
  CHECK(w.post_lines("\n\n").text("status") == "no_facts");
  CHECK(w.post_lines(" x\n").item(0).at("status") == "not_json");
}

TEST_CASE("NDJSON is told by its content type", "[edge]") {
  TestWorld w;
  const std::string lines = deposit("f_1") + "\n" + deposit("f_2");
  for (const char* type : {"application/x-ndjson", "application/x-ndjson; charset=utf-8",
                           "application/ndjson", "application/jsonl"}) {
    CHECK(w.post(lines, "north", "/v1/facts", {{"content-type", type}}).status == 200);
  }
  for (const char* type : {"application/json", "text/plain", ""}) {
    CHECK(w.post(lines, "north", "/v1/facts", {{"content-type", type}}).text("status") ==
          "not_json");
  }
  CHECK(w.post(deposit("f_1"), "north", "/v1/facts", {{"content-encoding", "identity"}}).status ==
        200);
}

TEST_CASE("An atomic batch is recorded whole or not at all", "[edge]") {
  struct Row {
    const char* why;
    std::vector<std::string> facts;
    const char* statuses;
  };
  const std::string other = deposit("f_0", "acct_a", 6);
  const Row rows[] = {
      {"nothing is wrong", {deposit("f_1"), deposit("f_2")}, "recorded recorded"},
      {"a retry is not wrong", {deposit("f_0"), deposit("f_1")}, "duplicate recorded"},
      {"a retry within is not wrong", {deposit("f_1"), deposit("f_1")}, "recorded duplicate"},
      {"a conflict",
       {deposit("f_1"), other, deposit("f_2")},
       "batch_refused conflict batch_refused"},
      {"a conflict among retries", {deposit("f_0"), other}, "duplicate conflict"},
      {"a conflict within",
       {deposit("f_1"), deposit("f_1", "acct_a", 6)},
       "batch_refused conflict"},
      {"retries within, beside a conflict",
       {deposit("f_1"), deposit("f_1"), other},
       "batch_refused batch_refused conflict"},
      {"one is refused before the ledger is asked",
       {deposit("f_1"), deposit("f_2", "acct_a", 0)},
       "batch_refused number_out_of_range"},
      {"one names no ledger",
       {deposit("f_1"), R"({"type":"note"})"},
       "batch_refused missing_member"},
      {"one names something without a ledger",
       {deposit("f_1"), deposit("f_2", "cmp_1")},
       "batch_refused unknown_ledger"},
      {"one is no object", {"5", deposit("f_1")}, "not_an_object batch_refused"},
  };
  for (const auto& row : rows) {
    TestWorld w;
    w.post(deposit("f_0"));
    const Reply r = w.post(list(row.facts), "north", atomic_url);
    INFO(row.why << ": " << r.body);
    CHECK(r.statuses() == row.statuses);
    const bool refused = std::string(row.statuses).find("refused") != std::string::npos;
    if (refused) CHECK(seq_of(w, "acct_a") == 1);
    // Without atomic the same batch records what it can.
    TestWorld free;
    free.post(deposit("f_0"));
    CHECK(free.post(list(row.facts)).statuses().find("batch_refused") == std::string::npos);
  }
}

TEST_CASE("An atomic batch over several ledgers is whole in each of them", "[edge]") {
  TestWorld w;
  w.post(deposit("f_0", "acct_b"));
  const Reply r = w.post(
      list({deposit("f_1"), deposit("f_2", "acct_b"), deposit("f_0", "acct_b", 6), deposit("f_3")}),
      "north", atomic_url);
  CHECK(r.statuses() == "recorded batch_refused conflict recorded");
  const Reply at_edge =
      w.post(list({deposit("f_4"), deposit("f_5", "acct_b"), deposit("f_6", "acct_b", 0)}), "north",
             atomic_url);
  CHECK(at_edge.statuses() == "recorded batch_refused number_out_of_range");
  CHECK(seq_of(w, "acct_b") == 1);
  const Reply nowhere =
      w.post(list({deposit("f_7"), deposit("f_8", "acct_b"), "{}"}), "north", atomic_url);
  CHECK(nowhere.statuses() == "batch_refused batch_refused missing_member");
}

TEST_CASE("An atomic batch for a ledger that cannot be read or written leaves nothing", "[edge]") {
  TestWorld w;
  w.post(deposit("f_0"));
  w.faults.commit = [](std::string_view) { return true; };
  const Reply failed = w.post(list({deposit("f_1"), deposit("f_2")}), "north", atomic_url);
  CHECK(failed.statuses() == "storage_error storage_error");
  CHECK(failed.status == 503);
  w.faults.commit = nullptr;
  CHECK(seq_of(w, "acct_a") == 1);

  const auto meta =
      w.ledger_rows("acct_a", "SELECT hex(value) FROM meta").at(0).at(0).get<std::string>();
  w.ledger("acct_a").script("UPDATE meta SET value = x'00'");
  w.evict("account_acct_a");
  const Reply unreadable = w.post(list({deposit("f_1"), deposit("f_2")}), "north", atomic_url);
  CHECK(unreadable.statuses() == "storage_error storage_error");
  CHECK(unreadable.status == 503);
  w.ledger("acct_a").script("UPDATE meta SET value = x'" + meta + "'");
  CHECK(w.post(list({deposit("f_1"), deposit("f_2")}), "north", atomic_url).statuses() ==
        "recorded recorded");
}

TEST_CASE("An operator's batch goes to the ledgers of many tenants", "[edge]") {
  TestWorld w;
  const auto of = [](const char* id, const char* entity, const char* tenant) {
    return deposit(id, entity, 5, std::string(R"(,"tenant_id":")") + tenant + '"');
  };
  const Reply r =
      w.post(list({of("f_1", "acct_a", "north"), of("f_1", "acct_b", "south"),
                   of("f_2", "acct_a", "south"), deposit("f_3"), of("f_2", "acct_a", "north")}),
             "");
  CHECK(r.statuses() == "recorded recorded forbidden missing_member recorded");
  CHECK(r.item(4).at("seq") == 2);
  CHECK(w.get("/v1/entities/acct_a").text("tenant_id") == "north");
  CHECK(w.get("/v1/entities/acct_b", "south").text("tenant_id") == "south");
}
