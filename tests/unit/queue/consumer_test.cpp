// The consumer: whatever the queue does, D1 ends with each fact once and with heads that tell the
// truth.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/calls/message.hpp"
#include "z0/wire/frame.hpp"

namespace {

using z0::test::carried;
using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::TestWorld;

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Random {
  std::uint64_t state;
  std::uint64_t below(std::uint64_t n) {
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % n;
  }
};

// Two ledgers, many requests, so that there are many messages with one or two runs each.
void record(TestWorld& w, int requests) {
  for (int i = 0; i < requests; ++i) {
    const std::string id = "f_" + std::to_string(i) + '_';
    if (i % 3 == 0)
      w.post(list({deposit(id + "0"), deposit(id + "1", "acct_b"), deposit(id + "2")}));
    else
      w.post(deposits(id, 0, 1 + i % 4, i % 2 == 0 ? "acct_a" : "acct_b"));
  }
}

Json content(TestWorld& w) {
  return {w.d1_rows("SELECT * FROM ledger_facts ORDER BY entity_id, seq"),
          w.d1_rows("SELECT entity_id, tenant_id, contiguous_seq, tree, root FROM ledger_heads "
                    "ORDER BY 1")};
}

// Heads and waiting runs agree with the rows that are there.
void check_heads(TestWorld& w) {
  std::map<std::string, std::int64_t> heads;
  for (const auto& row : w.d1_rows("SELECT entity_id, contiguous_seq FROM ledger_heads"))
    heads[row[0]] = row[1];
  std::map<std::string, std::int64_t> expected;
  for (const auto& row :
       w.d1_rows("SELECT entity_id, seq FROM ledger_facts ORDER BY entity_id, seq")) {
    auto& head = expected[row[0]];
    if (row[1] == head + 1) ++head;
  }
  for (const auto& [entity_id, head] : expected) CHECK(heads[entity_id] == head);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_runs r JOIN ledger_heads h USING (entity_id) WHERE "
                   "r.first_seq <= "
                   "h.contiguous_seq + 1") == 0);
}

// All that a ledger recorded as messages of random length.
std::vector<std::string> cut_anew(TestWorld& w, const char* entity_id, Random& random) {
  std::vector<std::string> messages;
  z0::MessagePacker packer(z0::MessageKind::facts, "");
  const auto take = [&] {
    for (auto& message : packer.take()) messages.push_back(std::move(message));
  };
  for (const auto& row : w.ledger_rows(entity_id, "SELECT body FROM segments ORDER BY first_seq")) {
    const std::string body = row.at(0);
    z0::RecordBytes record;
    for (z0::ByteReader in(body); z0::next_record_bytes(in, record);) {
      packer.add_record("north", entity_id, record.seq, record.recorded_at, record.submission);
      if (random.below(5) == 0) take();
    }
  }
  take();
  return messages;
}

struct Counted {
  std::size_t statements = 0;
  std::size_t parameters_max = 0;
};

Counted queries_of(TestWorld& w, const std::string& message) {
  Counted counted;
  w.seen = [&](std::string_view, std::string_view bytes) {
    for (const auto& need : carried<z0::QueryNeed>(bytes)) {
      counted.statements += need.statements.size();
      for (const auto& statement : need.statements)
        counted.parameters_max = std::max(counted.parameters_max, statement.values.size());
    }
  };
  CHECK(w.deliver_copy(message));
  w.seen = nullptr;
  return counted;
}

}  // namespace

TEST_CASE("A message takes a constant number of statements, whatever its size", "[consumer]") {
  TestWorld w;
  w.post(deposit("f_0"));
  w.post(deposits("f_", 1, 999));
  std::vector<std::string> facts;
  for (int i = 0; i < 250; ++i) facts.push_back(deposit("f_0", "acct_" + std::to_string(i)));
  w.post(list(facts));
  REQUIRE(w.queue.size() >= 3);
  std::size_t statements = 0;
  for (const auto& message : w.queue) {
    const Counted c = queries_of(w, message);
    if (statements == 0) statements = c.statements;
    CHECK(c.statements == statements);
    CHECK(c.parameters_max <= 3);
  }
  CHECK(statements == 6);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 1250);
  CHECK(w.d1_count("SELECT count(*) FROM ledger_heads") == 251);
  check_heads(w);
}

TEST_CASE("Messages in any order, twice and overlapping end in the same rows", "[consumer]") {
  TestWorld in_order;
  record(in_order, 24);
  in_order.deliver_all();
  const Json expected = content(in_order);
  REQUIRE(expected[0].size() > 50);
  check_heads(in_order);
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    INFO("seed " << seed);
    Random random{seed};
    TestWorld w;
    record(w, 24);
    // Overlapping: the same facts once more, in runs cut elsewhere.
    std::vector<std::string> messages(w.queue.begin(), w.queue.end());
    for (const char* entity_id : {"acct_a", "acct_b"}) {
      for (auto& message : cut_anew(w, entity_id, random)) messages.push_back(std::move(message));
    }
    w.queue.clear();
    for (std::size_t left = messages.size(); left > 0;) {
      const std::size_t place = random.below(left);
      CHECK(w.deliver_copy(messages[place]));
      if (random.below(4) == 0) CHECK(w.deliver_copy(messages[random.below(messages.size())]));
      std::swap(messages[place], messages[--left]);
      check_heads(w);
    }
    CHECK(content(w) == expected);
    CHECK(w.d1_count("SELECT count(*) FROM ledger_runs") == 0);
  }
}

TEST_CASE("A head never moves past a gap", "[consumer]") {
  TestWorld w;
  for (int i = 0; i < 6; ++i) w.post(deposit("f_" + std::to_string(i)));
  const auto head = [&] {
    const Json rows = w.d1_rows("SELECT contiguous_seq FROM ledger_heads");
    return rows.empty() ? 0 : rows.at(0).at(0).get<int>();
  };
  struct Row {
    std::size_t message;
    int head;
    int waiting;
  };
  for (const auto& [message, expected, waiting] :
       {Row{1, 0, 1}, Row{3, 0, 2}, Row{2, 0, 3}, Row{1, 0, 3}, Row{0, 4, 0}, Row{5, 4, 1},
        Row{0, 4, 1}, Row{4, 6, 0}}) {
    CHECK(w.deliver_copy(w.queue[message]));
    CHECK(head() == expected);
    CHECK(w.d1_count("SELECT count(*) FROM ledger_runs") == waiting);
  }
  // A redelivery writes no row.
  const std::int64_t before = w.d1().rows_written();
  for (const auto& message : w.queue) CHECK(w.deliver_copy(message));
  CHECK(w.d1().rows_written() == before);
}

TEST_CASE("Consumers that come between each other's looks leave nothing behind", "[consumer]") {
  TestWorld in_order;
  record(in_order, 16);
  in_order.deliver_all();
  const Json expected = content(in_order);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Random random{seed};
    TestWorld w;
    record(w, 16);
    std::vector<std::string> messages(w.queue.begin(), w.queue.end());
    for (int i = 0; i < 8; ++i) messages.push_back(messages[random.below(messages.size())]);
    w.queue.clear();
    // Before any look or write of one consumer, another one may take a message from end to end; up
    // to three deep.
    int depth = 0;
    const auto next = [&] {
      const std::size_t place = random.below(messages.size());
      const std::string message = messages[place];
      messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(place));
      CHECK(w.deliver_copy(message));
    };
    w.faults.query = [&] {
      if (depth < 3 && !messages.empty() && random.below(2) == 0) {
        ++depth;
        next();
        --depth;
      }
      return false;
    };
    while (!messages.empty()) next();
    CHECK(content(w) == expected);
    CHECK(w.d1_count("SELECT count(*) FROM ledger_runs") == 0);
  }
}

TEST_CASE("Each ordinary message writes one row for its head, and one for each fact",
          "[consumer]") {
  TestWorld w;
  for (int i = 0; i < 5; ++i) {
    w.post(deposits("f_" + std::to_string(i) + '_', 0, 20));
    const std::int64_t before = w.d1().rows_written();
    CHECK(w.deliver());
    CHECK(w.d1().rows_written() - before == 21);
  }
}

TEST_CASE("A tenant's facts and attempts go to its own database", "[consumer]") {
  TestWorld w;
  w.settings = R"({"databases":{"DB_2":["south"]}})";
  const auto fail = [&](bool failing) {
    w.faults.call = nullptr;
    if (!failing) return;
    w.faults.call = [](std::string_view, z0_outcome& how, std::string&) {
      how = Z0_TIMEOUT;
      return true;
    };
  };
  w.post(deposits("f_", 0, 3, "acct_n"));
  w.post(deposits("f_", 0, 4, "acct_s"), "south");
  fail(true);
  w.post(deposit("g", "acct_n"));
  w.post(deposit("g", "acct_s"), "south");
  fail(false);
  std::string joined;
  for (const auto& message : w.queue) joined += message;
  w.queue.clear();
  // Where one database fails, the message comes again, and the other one keeps what it took.
  w.d1("DB_2").script("ALTER TABLE ledger_facts RENAME TO away");
  CHECK_FALSE(w.deliver_copy(joined));
  w.d1("DB_2").script("ALTER TABLE away RENAME TO ledger_facts");
  CHECK(w.deliver_copy(joined));
  const std::int64_t before = w.d1().rows_written() + w.d1("DB_2").rows_written();
  CHECK(w.deliver_copy(joined));
  CHECK(w.d1().rows_written() + w.d1("DB_2").rows_written() == before);
  const char* const facts =
      "SELECT tenant_id, status, count(*) FROM facts GROUP BY 1, 2 ORDER BY 1, 2";
  CHECK(w.d1_rows(facts).dump() == R"([["north","failed",1],["north","recorded",3]])");
  CHECK(z0::test::rows_of(w.d1("DB_2"), facts).dump() ==
        R"([["south","failed",1],["south","recorded",4]])");
  const char* const heads = "SELECT entity_id, contiguous_seq FROM ledger_heads";
  CHECK(w.d1_rows(heads).dump() == R"([["acct_n",3]])");
  CHECK(z0::test::rows_of(w.d1("DB_2"), heads).dump() == R"([["acct_s",4]])");
  // The ledger asks the same database.
  w.now_ms += z0::limits::confirm_after_ms;
  CHECK(w.run_alarms() == 2);
  CHECK(w.get("/v1/entities/acct_s", "south").json.at("replicated_seq") == 4);
}

TEST_CASE("A message is delivered again when D1 fails, and writes nothing twice", "[consumer]") {
  for (const bool after_commit : {false, true}) {
    TestWorld w;
    record(w, 6);
    int left = 4;
    const auto fault = [&] { return left-- > 0; };
    if (after_commit)
      w.faults.query_after_commit = fault;
    else
      w.faults.query = fault;
    int refused = 0;
    for (int i = 0; i < 40 && !w.queue.empty(); ++i) refused += w.deliver() ? 0 : 1;
    CHECK(refused == 4);
    CHECK(w.queue.empty());
    TestWorld calm;
    record(calm, 6);
    calm.deliver_all();
    CHECK(content(w) == content(calm));
    const Json live = w.get("/v1/live", "").json.at("replication");
    CHECK(live.at("failures") == 4);
    CHECK(live.at("depth") == 0);
  }
}

TEST_CASE("A refused message says when to come back", "[consumer]") {
  TestWorld w;
  w.post(deposit("f_1"));
  std::string words;
  w.seen = [&](std::string_view, std::string_view bytes) {
    for (const auto& answer : carried<z0::HttpAnswer>(bytes)) {
      words += std::to_string(answer.http);
      for (const auto& [name, value] : answer.headers)
        words += ' ' + std::string(name) + '=' + std::string(value);
      words += ';';
    }
  };
  const auto reply_to = [&](auto&& deliver) {
    words.clear();
    deliver();
    return words.substr(0, words.find(';'));
  };
  w.faults.query = [] { return true; };
  CHECK(reply_to([&] { w.deliver(); }) == "503 retry-after=10");
  // A dead letter's attempts lie nowhere else: it has to last for hours.
  CHECK(reply_to([&] { w.dead_letter("m_1", w.queue.front()); }) == "503 retry-after=300");
  w.faults.query = nullptr;
  CHECK(reply_to([&] { w.deliver_copy("not a message"); }) == "503 retry-after=0");
  CHECK(reply_to([&] { w.deliver(); }) == "200");
}

TEST_CASE("Bytes that are no message end among the dead letters, and are listed", "[consumer]") {
  TestWorld w;
  w.post(deposit("f_1"));
  CHECK_FALSE(w.deliver_copy("not a message"));
  CHECK(w.d1_count("SELECT count(*) FROM dead_letters") == 0);
  CHECK(w.dead_letter("m_1", "not a message"));
  CHECK(w.dead_letter("m_1", "not a message"));
  CHECK(w.d1_rows("SELECT id, received_at, CAST(body AS TEXT) FROM dead_letters").dump() ==
        R"([["m_1",1774915200000,"not a message"]])");
  // One that can be read after all is taken as a message.
  CHECK(w.dead_letter("m_2", w.queue.front()));
  CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 1);
  CHECK(w.d1_count("SELECT count(*) FROM dead_letters") == 1);
  w.faults.query = [] { return true; };
  CHECK_FALSE(w.dead_letter("m_3", "not a message"));
  w.faults.query = nullptr;
  CHECK(w.get("/v1/live", "").json.at("replication").at("dead_letters") == 2);
}

TEST_CASE("An attempt that failed is kept once, with its error and its trace", "[consumer]") {
  TestWorld w;
  const std::string charge =
      R"({"id":"f_1","type":"charge","entity_id":"acct_a","source_id":"o_1","amount":120,"timestamp":1700000000007,)"
      R"("data":{"note":"\u00e9","n":1.50}})";
  w.faults.call = [](std::string_view, z0_outcome& how, std::string& message) {
    how = Z0_TIMEOUT;
    message = "no answer in 30 s";
    return true;
  };
  const auto failed = w.post(charge);
  CHECK(failed.status == 504);
  REQUIRE(w.queue.size() == 1);
  for (int i = 0; i < 3; ++i) CHECK(w.deliver_copy(w.queue[0]));
  w.deliver_all();
  CHECK(w.d1_count("SELECT count(*) FROM failed_facts") == 1);
  const Json rows = w.d1_rows(
      "SELECT id, amount, currency, seq, recorded_at, status, trace_id, "
      "json_extract(data,'$.trace_id'), "
      "json_extract(data,'$.error.code'), json_extract(data,'$.error.message'), "
      "json_extract(data,'$.error.span'), "
      "json_extract(data,'$.note') FROM facts WHERE type = 'charge' AND status = 'failed'");
  REQUIRE(rows.size() == 1);
  const std::string trace = failed.text("trace_id");
  CHECK(rows[0] == Json({"f_1", 120, "USD", nullptr, 1774915200000, "failed", trace, trace,
                         "timeout", "no answer in 30 s", "z0.do.ledger.append_fact", "\xc3\xa9"}));
  CHECK(w.d1_rows("SELECT data FROM failed_facts")
            .at(0)
            .at(0)
            .get<std::string>()
            .find("\"n\":1.50") != std::string::npos);
  // A later success leaves it in place.
  w.faults.call = nullptr;
  w.now_ms += 10;
  CHECK(w.post(charge).status == 201);
  w.deliver_all();
  CHECK(w.d1_rows("SELECT status FROM facts WHERE id = 'f_1' ORDER BY 1").dump() ==
        R"([["failed"],["recorded"]])");
  CHECK(w.d1_rows("SELECT * FROM facts WHERE type = 'charge' AND status = 'failed'").size() == 1);
}

TEST_CASE("A failed fact's own trace and error give way to the attempt's", "[consumer]") {
  TestWorld w;
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  w.faults.call = [](std::string_view, z0_outcome& how, std::string&) {
    how = Z0_OVERLOADED;
    return true;
  };
  w.post(R"({"id":"f_1","type":"note","entity_id":"acct_a","data":{"trace_id":")" + trace +
         R"(","error":"the caller's","code":404}})");
  w.deliver_all();
  const Json data =
      Json::parse(w.d1_rows("SELECT data FROM failed_facts").at(0).at(0).get<std::string>());
  CHECK(data.at("trace_id") == trace);
  CHECK(data.at("error").at("code") == "overloaded");
  CHECK(data.at("code") == 404);
  CHECK(data.size() == 3);
}

TEST_CASE("Only failures of z0 leave an attempt, refusals of a caller do not", "[consumer]") {
  TestWorld w;
  w.post(deposit("f_1"));
  w.queue.clear();
  w.post(list({"{}", deposit("f_1", "acct_a", 6), deposit("f_2", "acct_a", 0),
               R"({"type":"alert","entity_id":"acct_a"})"}));
  w.post(deposit("f_3"), "south");
  w.post(list({deposit("f_4"), "{}"}), "north", "/v1/facts?atomic=true");
  CHECK(w.queue.empty());
}

TEST_CASE("The trace of a fact is found by column and inside data", "[consumer]") {
  TestWorld w;
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  w.post(list(
      {R"({"id":"f_1","type":"invocation","entity_id":"ast_1","tool_id":"t","trace_id":")" + trace +
           "\"}",
       R"({"id":"f_2","type":"invocation","entity_id":"ast_1","tool_id":"t","data":{"trace_id":")" +
           trace + "\"}}",
       R"({"id":"f_3","type":"invocation","entity_id":"ast_1","tool_id":"t","data":{"x":1},"trace_id":")" +
           trace + "\"}"}));
  w.deliver_all();
  CHECK(w.d1_rows("SELECT count(*) FROM facts WHERE trace_id = '" + trace + "'").at(0).at(0) == 3);
  CHECK(w.d1_rows("SELECT count(*) FROM facts WHERE json_extract(data,'$.trace_id') = '" + trace +
                  "'")
            .at(0)
            .at(0) == 3);
}
