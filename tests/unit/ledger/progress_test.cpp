// Progress does not hang on memory: a state may leave it whenever its step waits for somebody else,
// and the step goes on where it was.
#include <map>
#include <string>
#include <vector>

#include "unit/carried.hpp"
#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "unit/traps.hpp"
#include "z0/base/bytes.hpp"
#include "z0/core/core.hpp"
#include "z0/ledger/ledger.hpp"
#include "z0/wire/frame.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* object_a = "account_acct_a";

// Every answer from outside finds that the ledger's state is gone.
struct Forgetful {
  explicit Forgetful(TestWorld& w) {
    w.faults.call = [this, &w](std::string_view object, z0_outcome&, std::string&) {
      if (object.starts_with("directory_")) ++directory_calls;
      if (object.starts_with("directory_")) w.evict(object_a);
      return false;
    };
    w.faults.query = [this, &w] {
      ++queries;
      w.evict(object_a);
      return false;
    };
    w.seen = [this](std::string_view bytes, std::string_view) {
      z0::Frame frame;
      REQUIRE(z0::parse_frame(bytes, frame));
      if (frame.target == Z0_TARGET_LEDGER) ++steps[frame.kind];
    };
  }
  int directory_calls = 0;
  int queries = 0;
  std::map<std::uint8_t, int> steps;  // of the ledger, by kind
};

}  // namespace

TEST_CASE("A new ledger asks the directory once, though its state left memory meanwhile",
          "[progress]") {
  TestWorld w;
  Forgetful seen(w);
  CHECK(w.post(deposit("f_1")).status == 201);
  CHECK(seen.directory_calls == 1);
  // It says that it is new; registered, it is asked again. Its state is made for each.
  CHECK(seen.steps[Z0_FRAME_CALL] == 2);
  CHECK(seen.steps[Z0_FRAME_RESUME] == 2);
}

TEST_CASE("An alarm puts each question to D1 once, though its state left memory meanwhile",
          "[progress]") {
  int questions[2] = {};
  for (const bool forgetful : {false, true}) {
    TestWorld w;
    for (int i = 0; i < 40; ++i)
      w.post(deposits("f_", i * 10, 10, "acct_a",
                      R"(,"data":{"a":")" + std::string(900, 'x') + "\"}"));
    w.queue.clear();
    w.now_ms += 10'000;
    Forgetful seen(w);
    if (!forgetful) w.faults.query = [&] { return ++questions[0] == 0; };
    REQUIRE(w.ring(object_a));
    if (forgetful) questions[1] = seen.queries;
    w.faults = {};
    CHECK(w.d1_count("SELECT count(*) FROM ledger_facts") == 400);
    CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == 400);
  }
  CHECK(questions[1] == questions[0]);
}

TEST_CASE("What was verified, replicated and imported does not begin again either", "[progress]") {
  TestWorld w;
  w.post(deposits("f_", 0, 5));
  w.queue.clear();
  Forgetful seen(w);
  const Reply replicated = w.ask("POST", "/v1/ledgers/acct_a/replicate", "", "", {});
  CHECK(replicated.json.at("replicated_seq") == 5);
  CHECK(seen.queries == 2);
  const Reply verified = w.ask("POST", "/v1/ledgers/acct_a/verify", "", "", {});
  CHECK(verified.json.at("checked") == 5);
  CHECK(seen.queries == 3);
}

TEST_CASE("Damaged folds do not make a call ask the directory again", "[progress]") {
  TestWorld w;
  w.post(deposits("f_", 0, 5));
  w.ledger("acct_a").run({"UPDATE segments SET cache = x'00'", {}});
  w.evict(object_a);
  w.queue.clear();
  w.now_ms += 10'000;
  Forgetful seen(w);
  REQUIRE(w.ring(object_a));
  // The head, and what follows of the chunk that was written.
  CHECK(seen.queries == 2);
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == 5);
}

TEST_CASE("A frame may take so many steps, and says where it stands", "[progress]") {
  TestWorld w;
  std::map<std::string, std::size_t> allowed;
  w.seen = [&](std::string_view, std::string_view bytes) {
    for (const auto& next : z0::test::carried<z0::ResumeNeed>(bytes))
      allowed[std::string(next.where)] = next.steps_max;
  };
  w.post(deposit("f_1"));
  w.evict(object_a);
  w.now_ms += 10'000;
  w.run_alarms();
  w.get("/v1/facts/acct_a");
  const std::size_t chunks = z0::limits::chunks_per_round_max;
  CHECK(allowed.at("append at hydrate") == 7);
  CHECK(allowed.at("alarm at hydrate") == 2 + 2 * (chunks + 2) + chunks + 2);
  CHECK(allowed.at("alarm at head") == allowed.at("alarm at hydrate"));
  CHECK(allowed.at("read at rows") == 3);
}

TEST_CASE("A ledger traps on a command, a stage and a continuation that are not its own",
          "[progress]") {
  // It once appended whatever it did not know.
  for (const std::uint8_t method : {std::uint8_t{0}, std::uint8_t{31}}) {
    CHECK(z0::test::traps([method] {
      z0::Ledgers ledgers;
      z0::Effects effects;
      z0::Frame frame;
      frame.kind = Z0_FRAME_CALL;
      frame.method = method;
      z0::step_ledger(ledgers, frame, effects);
    }));
  }
  TestWorld w;
  std::string bytes;
  w.seen = [&](std::string_view seen, std::string_view) {
    z0::Frame frame;
    REQUIRE(z0::parse_frame(seen, frame));
    if (frame.kind == Z0_FRAME_RESUME && frame.target == Z0_TARGET_LEDGER) bytes = seen;
  };
  w.post(deposit("f_1"));
  w.get("/v1/facts/acct_a");
  CHECK_FALSE(z0::test::traps_on_changed(bytes, [](std::string&) {}));
  CHECK(z0::test::traps_on_changed(bytes, [](std::string& c) { c[0] = 31; }));
  CHECK(z0::test::traps_on_changed(bytes, [](std::string& c) { c += 'x'; }));
  CHECK(z0::test::traps_on_changed(bytes, [](std::string& c) { c.pop_back(); }));
}
