#include "ledger/pass.hpp"

#include "ledger/sql.hpp"

namespace z0 {
namespace {

// Where in a segment a kept part began to differ from its facts. If the kept value is the fold of
// some prefix of the segment, the part missed the next fact that feeds it. Otherwise the first fact
// that feeds it is named, since the part was right before this segment.
struct FirstDifference {
  std::int64_t seq = 0;
  std::string trace;
};

FirstDifference origin_of(std::size_t part, std::string_view kept, Folds folds,
                          std::int64_t from_seq, std::string_view body,
                          std::string_view entity_id) {
  FirstDifference first;
  FirstDifference after_match;
  bool matches = folds.encode(part) == kept;
  Fact fact;
  for (ByteReader in(body); next_record(in, entity_id, fact);) {
    if (fact.seq <= from_seq) continue;
    const bool feeds = Folds::feeds(fact, part);
    if (feeds && first.seq == 0) first = {fact.seq, std::string(fact.trace)};
    if (feeds && matches && after_match.seq == 0) after_match = {fact.seq, std::string(fact.trace)};
    folds.apply(fact);
    if (feeds) {
      matches = folds.encode(part) == kept;
      if (matches) after_match = {};
    }
  }
  return after_match.seq != 0 ? after_match : first;
}

}  // namespace

bool Pass::read(const Rows& segments) {
  if (segments.failed || segments.size() == 0) return false;
  PassState& c = state_.checkpoint;
  Fact fact;
  for (std::size_t row = 0; row < segments.size(); ++row) {
    const Folds before = c.folds;
    const std::int64_t before_seq = c.seq;
    std::vector<std::string_view> leaves;
    RecordBytes record;
    ByteReader in(segments.at(row, ledger_sql::pass::body).bytes);
    while (next_record_bytes(in, record)) {
      if (record.seq <= c.seq) continue;
      ByteReader again(record.whole);
      if (record.seq != c.seq + 1 || !next_record(again, state_.entity_id, fact)) return false;
      c.folds.apply(fact);
      c.left_over.take(fact);
      c.seq = record.seq;
      ++facts_;
      if (c.whole) leaves.push_back(record.leaf);
    }
    if (!in.ok() || c.seq < segments.at(row, ledger_sql::pass::last_seq).integer) return false;
    if (c.whole) {
      std::vector<Digest> hashes(leaves.size());
      merkle_leaves(leaves, hashes.data());
      c.tree.append(hashes);
      Summary kept;
      ++comparisons_;
      const bool same = kept.decode(segments.at(row, ledger_sql::pass::summary).bytes) &&
                        kept.tree.root() == c.tree.root();
      if (!same && c.tree_diverged_seq == 0)
        c.tree_diverged_seq = segments.at(row, ledger_sql::pass::first_seq).integer;
    }
    compare_snapshot(segments, row, before, before_seq);
  }
  return true;
}

void Pass::compare_snapshot(const Rows& segments, std::size_t row, const Folds& before,
                            std::int64_t before_seq) {
  const PassState& c = state_.checkpoint;
  const std::string_view cache = segments.at(row, ledger_sql::pass::cache).bytes;
  const std::string right = c.folds.encode_all(c.seq);
  comparisons_ += static_cast<std::int64_t>(Folds::parts);
  if (cache == right) return;
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    std::int64_t of_seq = 0;
    const std::string_view kept = Folds::part_in(cache, part, of_seq);
    if (kept == c.folds.encode(part) && of_seq == c.seq) continue;
    const std::string_view body = segments.at(row, ledger_sql::pass::body).bytes;
    const std::int64_t first_seq = segments.at(row, ledger_sql::pass::first_seq).integer;
    // Where the checkpoint lies inside of the segment, the snapshot before the segment is the place
    // to look from; it was right when the pass came by.
    Folds at_start;
    if (first_seq > 1)
      at_start.decode_all(segments.at(row, ledger_sql::pass::cache_before).bytes, first_seq - 1);
    const bool inside = before_seq >= first_seq && at_start.valid(part);
    FirstDifference origin =
        inside ? origin_of(part, kept, at_start, first_seq - 1, body, state_.entity_id)
               : origin_of(part, kept, before, before_seq, body, state_.entity_id);
    if (origin.seq == 0) origin.seq = first_seq;
    found(part, origin.seq, origin.trace, kept);
  }
  mended_.push_back({segments.at(row, ledger_sql::pass::first_seq).integer, right});
}

void Pass::settle() {
  PassState& c = state_.checkpoint;
  comparisons_ += static_cast<std::int64_t>(Folds::parts);
  for (std::size_t part = 0; part < Folds::parts; ++part) {
    const std::string right = c.folds.encode(part);
    const std::string kept = state_.folds.encode(part);
    if (kept == right) continue;
    // A part that was dropped when the state was rebuilt is made good here; the row it came from
    // was compared already.
    if (!kept.empty()) found(part, std::max<std::int64_t>(c.folds.last_seq(part), 1), {}, kept);
    if (right.empty())
      state_.folds.drop(part);
    else
      state_.folds.decode(part, right);
  }
  for (std::size_t part = 0; part < Folds::parts; ++part) c.manual[part] = !c.folds.valid(part);
}

void Pass::found(std::size_t part, std::int64_t first_seq, std::string_view trace,
                 std::string_view cached) {
  PassState::Divergence& d = state_.checkpoint.found[part];
  if (d.first_seq != 0) return;
  d.first_seq = first_seq;
  d.trace = trace;
  d.cached = cached;
  d.calculated = state_.checkpoint.folds.encode(part);
}

}  // namespace z0
