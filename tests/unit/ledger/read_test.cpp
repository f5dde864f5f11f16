// Reading a ledger: every range, every filter, and only the segments that are needed.
#include <algorithm>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/wire/frame.hpp"

namespace {

using z0::test::deposit;
using z0::test::Json;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

// Ninety facts in some nine segments: mostly deposits, a stretch of notes, few custom types.
class Filled : public TestWorld {
 public:
  static constexpr std::int64_t count = 90;

  Filled() {
    for (int i = 0; i < count; i += 10) {
      std::vector<std::string> facts;
      for (int seq = i + 1; seq <= i + 10; ++seq) facts.push_back(fact(seq));
      REQUIRE(post(list(facts)).status == 200);
    }
    for (const auto& row : ledger_rows("acct_a", "SELECT first_seq FROM segments ORDER BY 1")) {
      firsts.push_back(row.at(0));
    }
    REQUIRE(firsts.size() > 7);
  }

  static std::string type_of(std::int64_t seq) {
    if (seq > 30 && seq <= 50) return "note";
    if (seq == 7 || seq == 89) return "lead_scored";
    return "deposit";
  }

  // Segments that the last read was given.
  std::size_t segments_of(const std::string& url) {
    std::size_t given = 0;
    seen = [&](std::string_view bytes, std::string_view) {
      z0::Frame frame;
      REQUIRE(z0::parse_frame(bytes, frame));
      if (frame.kind == Z0_FRAME_RESUME && frame.target == Z0_TARGET_LEDGER)
        given = z0::parse_rows(frame.answers.at(2)).size();
    };
    REQUIRE(get(url).status == 200);
    seen = nullptr;
    return given;
  }

  std::vector<std::int64_t> firsts;

 private:
  static std::string fact(std::int64_t seq) {
    return R"({"id":"f_)" + std::to_string(seq) + R"(","entity_id":"acct_a","amount":)" +
           std::to_string(seq) + R"(,"type":")" + type_of(seq) + R"(","data":{"a":")" +
           std::string(3'000, 'x') + "\"}}";
  }
};

std::string url_of(std::int64_t from, std::int64_t limit, const std::string& types = {}) {
  return "/v1/facts/acct_a?from_seq=" + std::to_string(from) + "&limit=" + std::to_string(limit) +
         (types.empty() ? "" : "&types=" + types);
}

bool named(const std::string& types, const std::string& type) {
  return types.empty() || (',' + types + ',').find(',' + type + ',') != std::string::npos;
}

}  // namespace

TEST_CASE("A range of a ledger is read exactly, wherever segments end", "[ledger]") {
  Filled w;
  std::vector<std::int64_t> froms = {1,      2, Filled::count - 1, Filled::count, Filled::count + 1,
                                     100'000};
  for (const auto first : w.firsts) {
    for (const std::int64_t from : {first - 1, first, first + 1}) {
      if (from >= 1) froms.push_back(from);
    }
  }
  for (const auto from : froms) {
    const std::int64_t all = from % 3 == 0 ? 1'000 : 3;
    for (const std::int64_t limit :
         {std::int64_t{1}, std::int64_t{2}, w.firsts[1] - 1, w.firsts[1], all}) {
      const Reply r = w.get(url_of(from, limit));
      INFO(url_of(from, limit));
      REQUIRE(r.status == 200);
      CHECK(r.json.at("entity_id") == "acct_a");
      const Json& facts = r.json.at("facts");
      const std::int64_t last = std::min(from + limit - 1, Filled::count);
      REQUIRE(static_cast<std::int64_t>(facts.size()) ==
              std::max<std::int64_t>(0, last - from + 1));
      for (std::size_t i = 0; i < facts.size(); ++i) {
        const std::int64_t seq = from + static_cast<std::int64_t>(i);
        CHECK(facts[i].at("seq") == seq);
        CHECK(facts[i].at("id") == "f_" + std::to_string(seq));
        CHECK(facts[i].at("tenant_id") == "north");
        CHECK(facts[i].at("status") == "recorded");
      }
      if (last >= Filled::count)
        CHECK(r.json.at("next_seq").is_null());
      else
        CHECK(r.json.at("next_seq") == last + 1);
    }
  }
}

TEST_CASE("Pages with a filter bring every fact of the types and no other", "[ledger]") {
  Filled w;
  for (const std::string types : {"deposit", "note", "lead_scored", "note,lead_scored",
                                  "deposit,note,lead_scored", "memo", "charge", "deposit,memo"}) {
    for (const std::int64_t limit : {1, 7, 19, 20, 21, 1000}) {
      std::int64_t from = 1;
      std::int64_t pages = 0;
      std::vector<std::int64_t> seqs;
      for (; pages < 400; ++pages) {
        const Reply r = w.get(url_of(from, limit, types));
        REQUIRE(r.status == 200);
        for (const auto& fact : r.json.at("facts")) {
          CHECK(named(types, fact.at("type")));
          seqs.push_back(fact.at("seq"));
        }
        if (r.json.at("next_seq").is_null()) break;
        CHECK(r.json.at("next_seq") > from);
        from = r.json.at("next_seq");
      }
      std::vector<std::int64_t> expected;
      for (std::int64_t seq = 1; seq <= Filled::count; ++seq) {
        if (named(types, Filled::type_of(seq))) expected.push_back(seq);
      }
      INFO(types << " by " << limit);
      CHECK(seqs == expected);
    }
  }
}

TEST_CASE("A read asks for the segments that hold its range and types", "[ledger]") {
  Filled w;
  const auto per_segment = w.firsts[2] - w.firsts[1];
  CHECK(w.segments_of(url_of(1, 1)) == 1);
  CHECK(w.segments_of(url_of(w.firsts[3], 1)) == 1);
  CHECK(w.segments_of(url_of(w.firsts[3], per_segment)) == 1);
  CHECK(w.segments_of(url_of(w.firsts[3] - 1, 2)) == 2);
  CHECK(w.segments_of(url_of(w.firsts[3], per_segment + 1)) == 2);
  CHECK(w.segments_of(url_of(Filled::count, 1000)) == 1);
  CHECK(w.segments_of(url_of(1, 1000)) == w.firsts.size());
  CHECK(w.segments_of(url_of(1, 1000, "note")) < w.firsts.size() / 2);
  CHECK(w.segments_of(url_of(1, 1000, "lead_scored")) == 2);
  CHECK(w.segments_of(url_of(1, 1000, "charge")) == 0);
}

TEST_CASE("A filter that looks through many segments ends its page and says where to go on",
          "[ledger]") {
  TestWorld w;
  const std::string padding = R"(,"data":{"a":")" + std::string(40'000, 'x') + "\"}";
  for (int i = 0; i < 150; i += 50) {
    std::vector<std::string> facts;
    for (int j = i; j < i + 50; ++j) {
      const std::string type = j == 149 ? "rare" : j % 2 == 0 ? "note" : "memo";
      facts.push_back(R"({"id":"f_)" + std::to_string(j) + R"(","entity_id":"acct_a","type":")" +
                      type + '"' + padding + '}');
    }
    w.post(list(facts));
  }
  std::vector<std::int64_t> seqs;
  std::int64_t from = 1;
  int pages = 0;
  for (; from != 0 && pages < 10; ++pages) {
    const Reply r = w.get(url_of(from, 1000, "note,rare"));
    for (const auto& fact : r.json.at("facts")) seqs.push_back(fact.at("seq"));
    from = r.json.at("next_seq").is_null() ? 0 : r.json.at("next_seq").get<std::int64_t>();
  }
  CHECK(pages > 1);
  REQUIRE(seqs.size() == 76);
  CHECK(seqs.back() == 150);
  CHECK(std::is_sorted(seqs.begin(), seqs.end()));
}

TEST_CASE("A read needs no state and leaves none", "[ledger]") {
  Filled w;
  w.evict("account_acct_a");
  std::string frames;
  w.seen = [&](std::string_view bytes, std::string_view) {
    z0::Frame frame;
    REQUIRE(z0::parse_frame(bytes, frame));
    const bool resumes = frame.kind == Z0_FRAME_RESUME;
    const bool reads = frame.target == Z0_TARGET_LEDGER && !resumes;
    frames += frame.target == Z0_TARGET_EDGE ? "edge" : "ledger";
    frames += resumes ? " goes on, "
              : reads ? " " + std::string(z0::ledger_method_names[frame.method]) + ", "
                      : " begins, ";
  };
  w.get(url_of(5, 5));
  CHECK(frames == "edge begins, ledger read, ledger goes on, edge goes on, ");
  frames.clear();
  w.get("/v1/entities/acct_a");
  CHECK(frames == "edge begins, ledger head, ledger goes on, edge goes on, ");
  // And makes no tables where there are none.
  w.get("/v1/facts/acct_z");
  CHECK(w.ledger_rows("acct_z", "SELECT name FROM sqlite_master").empty());
}

TEST_CASE("Rows that cannot be read are a failure, never wrong facts", "[ledger]") {
  Filled w;
  w.ledger("acct_a").script(
      "UPDATE segments SET body = substr(body, 1, length(body) - 1) WHERE first_seq = 1");
  CHECK(w.get(url_of(1, 1000)).text("status") == "storage_error");
  CHECK(w.get(url_of(w.firsts[1], 1000)).status == 200);
  w.ledger("acct_a").script("UPDATE segments SET summary = x'07'");
  CHECK(w.get("/v1/entities/acct_a").text("status") == "storage_error");
  w.ledger("acct_a").script("UPDATE meta SET value = x'07'");
  CHECK(w.get(url_of(w.firsts[1], 1000)).text("status") == "storage_error");
}
