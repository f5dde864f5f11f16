// What is written of heads: a bounded piece at a time, which ends with every ledger's head where
// its facts end.
#include "z0/reporting/projection.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::Projection;
using z0::test::Json;

// A fact's record. Its bytes are never read again, only hashed.
std::string record(std::int64_t seq) {
  z0::Fact fact;
  fact.type = z0::FactType::deposit;
  fact.id = "f";
  fact.amount = seq;
  fact.currency = "USD";
  fact.fields = z0::field_amount;
  z0::Buffer submission;
  z0::append_submission(submission, fact);
  z0::Buffer bytes;
  z0::append_record(bytes, seq, 1'774'915'200'000, submission.view());
  return std::string(bytes.view());
}

// D1's two tables, as far as a projection sees them.
struct Tables {
  struct Head {
    std::int64_t seq = 0;
    std::string tree, root;
  };
  std::map<std::string, Head> heads;
  std::map<std::pair<std::string, std::int64_t>, std::pair<std::int64_t, std::string>> runs;

  void take(const Projection::Changes& changes) {
    for (const auto& h : Json::parse(changes.heads)) {
      Head& head = heads[h.at(0)];
      CHECK(head.seq < h.at(2).get<std::int64_t>());
      head = {h.at(2), h.at(3), h.at(4)};
    }
    for (const auto& r : Json::parse(changes.runs)) runs[{r.at(0), r.at(1)}] = {r.at(2), r.at(3)};
    std::erase_if(runs, [&](const auto& run) {
      const auto head = heads.find(run.first.first);
      return head != heads.end() && run.second.first <= head->second.seq;
    });
  }

  // As select_arrived gives them, without what it leaves out for its limit.
  std::string rows() const {
    std::vector<std::vector<z0::Value>> cells;
    for (const auto& [id, head] : heads)
      cells.push_back({z0::Value::text(id), z0::Value::of(0), z0::Value::of(head.seq),
                       z0::Value::text(head.tree), z0::Value::text(head.root)});
    for (const auto& [key, run] : runs)
      cells.push_back({z0::Value::text(key.first), z0::Value::of(key.second),
                       z0::Value::of(run.first), z0::Value::text(run.second), z0::Value::null()});
    std::stable_sort(cells.begin(), cells.end(), [](const auto& a, const auto& b) {
      return a[0].bytes != b[0].bytes ? a[0].bytes < b[0].bytes : a[1].integer < b[1].integer;
    });
    z0::Rows rows;
    rows.failed = false;
    rows.columns = 5;
    for (const auto& row : cells) rows.cells.insert(rows.cells.end(), row.begin(), row.end());
    std::string bytes;
    z0::append_rows(bytes, rows);
    return bytes;
  }
};

// The largest names there can be.
std::string entity(int n) {
  std::string id = "acct_" + std::to_string(100'000 + n);
  return id + std::string(z0::limits::id_bytes_max - id.size(), 'e');
}

}  // namespace

TEST_CASE("What is written of heads and runs at once is bounded, and all of it is written",
          "[projection]") {
  constexpr int ledgers = 6'000;
  const std::string tenant(z0::limits::id_bytes_max, 't');
  const std::string first = record(1);
  const std::string third = record(3);
  std::vector<std::string> ids;
  for (int i = 0; i < ledgers; ++i) ids.push_back(entity(i));
  // Of each ledger a fact that comes next, and one that waits for another.
  std::vector<z0::Run> runs;
  for (const auto& id : ids) {
    runs.push_back({tenant, id, 1, 1, first});
    runs.push_back({tenant, id, 3, 1, third});
  }
  const Projection projection(runs);
  // What the largest ledger may still add is small beside what D1 takes.
  constexpr std::size_t over = 4'096;
  Tables tables;
  int rounds = 0;
  for (;; ++rounds) {
    REQUIRE(rounds < 20);
    const std::string bytes = tables.rows();
    const auto changes = projection.plan(z0::parse_rows(bytes));
    CHECK(changes.heads.size() + changes.runs.size() < z0::limits::d1_json_bytes_max + over);
    if (!changes.any()) break;
    tables.take(changes);
  }
  CHECK(rounds > 1);
  CHECK(tables.heads.size() == ids.size());
  CHECK(tables.runs.size() == ids.size());
  for (const auto& [id, head] : tables.heads) CHECK(head.seq == 1);
  // The facts between close every gap.
  const std::string second = record(2);
  for (auto& run : runs) run = {tenant, run.entity_id, 2, 1, second};
  runs.erase(std::unique(runs.begin(), runs.end(),
                         [](const auto& a, const auto& b) { return a.entity_id == b.entity_id; }),
             runs.end());
  const Projection closing(runs);
  for (rounds = 0;; ++rounds) {
    REQUIRE(rounds < 20);
    const std::string bytes = tables.rows();
    const auto changes = closing.plan(z0::parse_rows(bytes));
    if (!changes.any()) break;
    tables.take(changes);
  }
  CHECK(tables.runs.empty());
  for (const auto& [id, head] : tables.heads) CHECK(head.seq == 3);
}
