// The store of traces under whatever callers, faults and clocks do: deliveries that come twice, late and in
// any order, transactions that fail, replies that are lost, evictions and crashes in between. What was
// acknowledged of a trace that failed or touched money is there, once; what was dropped was counted; what
// waits is bounded.
#include <map>
#include <random>
#include <set>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/ids.hpp"
#include "z0/trace/span.hpp"

namespace {

using z0::Span;
using z0::test::Json;
using z0::test::TestWorld;

constexpr int seeds = 60;
constexpr int rounds = 80;
constexpr int traces = 12;

class Story {
 public:
  explicit Story(std::uint64_t seed) : world_(seed), random_(seed) {
    world_.settings = R"({"traces":{"one_in":1000000007,"slow_ms":100000}})";
    world_.faults.commit = [this](std::string_view) { return chance(10); };
    world_.faults.lose_reply = [this](std::string_view) { return chance(10); };
    world_.seen = [this](std::string_view, std::string_view effects) {
      lost_ = lost_ || effects.find("spans_lost") != std::string_view::npos;
    };
  }

  void run() {
    for (int i = 0; i < rounds; ++i) {
      deliver();
      if (chance(3)) deliver_again();
      if (chance(6)) world_.evict("traces_0");
      if (chance(12)) world_.crash();
      world_.now_ms += static_cast<std::int64_t>(random_() % 4'000);
      // A clock that jumps, back as well.
      if (chance(20)) world_.now_ms += static_cast<std::int64_t>(random_() % 200'000) - 100'000;
      if (chance(2)) world_.run_alarms();
    }
    world_.faults = {};
    for (int i = 0; i < 20; ++i) {
      world_.now_ms += z0::limits::trace_open_ms_max;
      world_.run_alarms();
    }
  }

  void check() {
    std::int64_t expected = 0;
    for (const auto& [id, spans] : acknowledged_) {
      std::string hex;
      z0::append_hex(hex, id);
      const auto reply = world_.get("/v1/traces/" + hex, "");
      const bool kept = important_.contains(id);
      expected += kept ? 1 : 0;
      INFO(hex);
      if (!kept) continue;
      REQUIRE(reply.status == 200);
      std::multiset<std::string> found;
      for (const auto& span : reply.json["spans"]) found.insert(span["span_id"]);
      for (const std::string& span : spans) {
        // Spans that came before or after the one that made the trace worth keeping may be gone.
        if (important_spans_.contains(span)) CHECK(found.count(span) == 1);
        CHECK(found.count(span) <= 1);
      }
    }
    const auto sampling = world_.get("/v1/traces", "").json["sampling"];
    CHECK(sampling["kept"].get<std::int64_t>() >= expected);
    CHECK(z0::test::rows_of(world_.storage_of("traces_0"), "SELECT count(*) FROM inbox")[0][0] ==
          0);
  }

 private:
  bool chance(unsigned one_in) { return random_() % one_in == 0; }

  Span new_span() {
    Span span;
    span.trace_id = std::string(15, 't') + static_cast<char>('a' + random_() % traces);
    span.span_id.resize(z0::span_id_bytes);
    const std::uint64_t number = ++made_;
    std::memcpy(span.span_id.data(), &number, sizeof number);
    span.name = "z0.worker.test.part";
    span.start_us = world_.now_ms * 1'000;
    span.end_us = span.start_us;
    if (chance(5)) span.money = chance(2) ? z0::MoneyEffect::moved : z0::MoneyEffect::failed;
    if (chance(8)) span.status = z0::SpanStatus::error;
    return span;
  }

  void deliver() {
    std::vector<Span> spans;
    for (std::uint64_t n = 1 + random_() % 6; n > 0; --n) spans.push_back(new_span());
    send(spans);
    sent_.push_back(std::move(spans));
  }
  void deliver_again() { send(sent_[random_() % sent_.size()]); }

  void send(const std::vector<Span>& spans) {
    std::string line = R"({"z0":"spans","service":"test","spans":[)";
    for (std::size_t i = 0; i < spans.size(); ++i)
      line += (i == 0 ? "" : ",") + z0::span_json(spans[i]);
    lost_ = false;
    const bool done = world_.tail(
        Json::array(
            {{{"script", "test"}, {"outcome", "ok"}, {"lines", Json::array({line + "]}"})}}})
            .dump());
    if (!done || lost_) return;
    for (const Span& span : spans) {
      std::string hex;
      z0::append_hex(hex, span.span_id);
      acknowledged_[span.trace_id].insert(hex);
      if (span.money == z0::MoneyEffect::none && span.status != z0::SpanStatus::error) continue;
      important_.insert(span.trace_id);
      important_spans_.insert(hex);
    }
  }

  TestWorld world_;
  std::mt19937_64 random_;
  std::uint64_t made_ = 0;
  bool lost_ = false;
  std::vector<std::vector<Span>> sent_;
  std::map<std::string, std::set<std::string>> acknowledged_;
  std::set<std::string> important_;
  std::set<std::string> important_spans_;
};

}  // namespace

TEST_CASE("Whatever comes in between, a trace that failed or touched money is kept, once",
          "[laws][traces]") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Story story(seed);
    story.run();
    story.check();
  }
}
