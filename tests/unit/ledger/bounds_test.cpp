// What a ledger holds and does at once is bounded: memory, rows, segments of a read, chunks of an
// alarm.
#include <memory>
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"
#include "z0/ledger/state.hpp"

namespace {

using z0::Ledgers;
using z0::LedgerState;
using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::list;
using z0::test::TestWorld;

constexpr const char* object_a = "account_acct_a";
constexpr std::int64_t now = 1'774'915'200'000;

std::unique_ptr<LedgerState> state_of(std::size_t bytes) {
  auto state = std::make_unique<LedgerState>();
  const std::string body(bytes, 'x');
  state->tail.body.end_at(z0::put::text(state->tail.body.room(body.size()), body));
  return state;
}

std::string padded(std::size_t bytes) {
  return R"(,"data":{"a":")" + std::string(bytes, 'x') + "\"}";
}

}  // namespace

TEST_CASE("States in memory are bounded by their bytes, and the least recently used goes first",
          "[ledger]") {
  constexpr std::size_t megabyte = 1u << 20;
  constexpr std::uint64_t fit = z0::limits::resident_bytes_max / megabyte - 1;
  Ledgers ledgers;
  for (std::uint64_t i = 1; i <= fit; ++i) ledgers.put(i, state_of(megabyte), now);
  for (std::uint64_t i = 1; i <= fit; ++i) CHECK(ledgers.find(i) != nullptr);
  ledgers.find(1);
  ledgers.put(100, state_of(2 * megabyte), now);
  CHECK(ledgers.find(2) == nullptr);
  CHECK(ledgers.find(1) != nullptr);
  CHECK(ledgers.find(100) != nullptr);
  // One that fills it alone is kept alone.
  ledgers.put(101, state_of(z0::limits::resident_bytes_max), now);
  CHECK(ledgers.find(101) != nullptr);
  CHECK(ledgers.find(100) == nullptr);
}

TEST_CASE("A state whose step waits goes after all others, for as long as a wait lasts",
          "[ledger]") {
  for (const bool late : {false, true}) {
    Ledgers ledgers;
    ledgers.put(1, state_of(1), now).pin(now);
    for (std::uint64_t i = 2; i <= z0::limits::resident_ledgers_max; ++i)
      ledgers.put(i, state_of(1), now);
    const std::int64_t then = now + z0::limits::pin_ms - (late ? 0 : 1);
    ledgers.put(1'000, state_of(1), then);
    CHECK((ledgers.find(1) == nullptr) == late);
    CHECK((ledgers.find(2) == nullptr) == !late);
  }
}

TEST_CASE("A tail grows to its size and a batch to that of a segment", "[ledger]") {
  TestWorld w;
  for (int i = 0; i < 120; ++i) w.post(deposit("f_" + std::to_string(i), "acct_a", 5, padded(400)));
  const Json tails =
      w.ledger_rows("acct_a", "SELECT length(body) FROM segments ORDER BY first_seq");
  REQUIRE(tails.size() > 2);
  for (std::size_t i = 0; i < tails.size(); ++i) {
    CHECK(tails[i][0] <= z0::limits::tail_bytes_max);
    // One fact more would not have fitted.
    if (i + 1 < tails.size()) CHECK(tails[i][0] > z0::limits::tail_bytes_max - 600);
  }
  w.post(deposits("g_", 0, 400, "acct_b", padded(400)));
  const Json batches =
      w.ledger_rows("acct_b", "SELECT length(body) FROM segments ORDER BY first_seq");
  REQUIRE(batches.size() > 2);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    CHECK(batches[i][0] <= z0::limits::segment_bytes_max);
    if (i + 1 < batches.size()) CHECK(batches[i][0] > z0::limits::segment_bytes_max - 600);
  }
}

TEST_CASE("A read with a filter looks through so many segments, and goes on behind them",
          "[ledger]") {
  TestWorld w;
  const auto most = static_cast<int>(z0::limits::segments_per_read_max);
  // Each of these fills a segment.
  for (int i = 0; i < most + 6; ++i) {
    const std::string n = std::to_string(i);
    w.post(
        list({deposit("d_" + n, "acct_a", 5, padded(17'000)),
              R"({"type":"note","id":"n_)" + n + R"(","entity_id":"acct_a")" + padded(10) + '}'}));
  }
  // A type with the bit of the notes, so that no segment can be passed over.
  std::string type = "other";
  while (z0::type_bit(z0::FactType::custom, type) != z0::type_bit(z0::FactType::custom, "note"))
    type += 'r';
  const std::string url = "/v1/facts/acct_a?types=" + type + "&from_seq=";
  const Json first = w.get(url + "1").json;
  CHECK(first.at("facts").empty());
  w.post(R"({"type":")" + type + R"(","id":"o_1","entity_id":"acct_a"})");
  std::int64_t from = 1;
  int pages = 0;
  Json found = Json::array();
  while (from > 0 && pages < 10) {
    const Json page = w.get(url + std::to_string(from)).json;
    ++pages;
    for (const auto& fact : page.at("facts")) found.push_back(fact.at("id"));
    const Json& next = page.at("next_seq");
    // Two facts a segment.
    if (pages == 1) CHECK(next == 1 + 2 * most);
    from = next.is_null() ? 0 : next.get<std::int64_t>();
  }
  CHECK(pages == 2);
  CHECK(found == Json{"o_1"});
}

TEST_CASE("A chunk is made of so many segments, however small they are", "[ledger]") {
  const auto segments = static_cast<int>(z0::limits::chunks_per_round_max) *
                        static_cast<int>(z0::limits::segments_per_chunk);
  for (const int more : {0, 1}) {
    TestWorld w;
    // Two of these facts do not fit one tail, and a chunk of them is half a message.
    const std::string half = padded(z0::limits::tail_bytes_max / 2);
    for (int i = 0; i < segments + more; ++i)
      w.post(deposit("f_" + std::to_string(i), "acct_a", 5, half));
    REQUIRE(w.ledger_rows("acct_a", "SELECT count(*) FROM segments").at(0).at(0) ==
            segments + more);
    w.queue.clear();
    w.now_ms += 60'000;
    REQUIRE(w.ring(object_a));
    CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == segments);
    CHECK((w.alarm_of(object_a) == 0) == (more == 0));
  }
}

TEST_CASE("An alarm writes so many chunks to D1, and the next one goes on a second later",
          "[ledger]") {
  TestWorld w;
  const auto chunks = static_cast<int>(z0::limits::chunks_per_round_max);
  // Three of these facts are a chunk.
  for (int i = 0; i < chunks + 2; ++i) w.post(deposits("f_", 3 * i, 3, "acct_a", padded(36'000)));
  w.queue.clear();
  w.now_ms += 60'000;
  REQUIRE(w.ring(object_a));
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == 3 * chunks);
  CHECK(w.alarm_of(object_a) == w.now_ms + z0::limits::catch_up_pause_ms);
  w.now_ms += z0::limits::catch_up_pause_ms;
  REQUIRE(w.ring(object_a));
  CHECK(w.d1_count("SELECT contiguous_seq FROM ledger_heads") == 3 * (chunks + 2));
  CHECK(w.alarm_of(object_a) == 0);
}
