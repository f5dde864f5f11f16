#include "ledger/write.hpp"

#include <algorithm>
#include <cstring>

#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"

namespace z0 {

LedgerWriter::LedgerWriter(LedgerState& state, const Frame& frame, Effects& effects)
    : state_(state),
      frame_(frame),
      effects_(effects),
      before_seq_(state.seq),
      hashed_bytes_(state.tail.body.size()),
      written_seq_(state.seq) {}

void LedgerWriter::expect(std::size_t record_bytes) {
  Segment& tail = state_.tail;
  if (record_bytes > 0 && tail.count > 0 &&
      tail.body.size() + record_bytes > limits::tail_bytes_max) {
    tail.begin(state_.seq + 1);
    hashed_bytes_ = 0;
  }
}

void LedgerWriter::record(std::string_view submission, const Fact& fact, std::uint64_t id_hash,
                          std::int64_t recorded_at) {
  Segment& tail = state_.tail;
  const std::int64_t seq = state_.seq + 1;
  if (tail.count > 0 &&
      tail.body.size() + record_bytes_max(submission.size()) > limits::segment_bytes_max) {
    if (written_seq_ < state_.seq) write_tail();
    tail.begin(seq);
    hashed_bytes_ = 0;
  }
  if (tail.count == 0) tail.first_recorded_at = recorded_at;
  append_record(tail.body, seq, recorded_at, submission);
  char* p = tail.ids.room(sizeof id_hash);
  std::memcpy(p, &id_hash, sizeof id_hash);
  tail.ids.end_at(p + sizeof id_hash);
  tail.last_seq = state_.seq = seq;
  tail.last_recorded_at = state_.recorded_at = recorded_at;
  ++tail.count;
  tail.types |= type_bit(fact.type, fact.custom_type);
  state_.summary.counts.add(fact.type, fact.custom_type);
  state_.ids.add(seq, id_hash);
  if (!Folds::feeds_any(fact.type, fact.fields) && fact.type != FactType::lifecycle) return;
  Fact whole;
  if (!parse_submission(submission, state_.entity_id, whole)) trap("what was admitted can be read");
  whole.seq = seq;
  whole.recorded_at = recorded_at;
  state_.folds.apply(whole);
  corrected_.add(whole);
  if (whole.type == FactType::lifecycle)
    next_lifecycle(state_.summary.lifecycle, whole.subtype, state_.summary.lifecycle);
}

void LedgerWriter::record_own(Fact& fact) {
  const std::int64_t now = state_.now(frame_.now_ms);
  const std::string id = "fact_" + ulid(now, frame_.entropy.ulid(), own_count_++);
  fact.id = id;
  fact.timestamp = now;
  Buffer submission;
  append_submission(submission, fact);
  record(submission.view(), fact, z0::id_hash(id, state_.hash_seed), now);
  append_record(own_, state_.seq, now, submission.view());
}

// Hashes wait for each other, so that four can be made at a time.
void LedgerWriter::hash_leaves() {
  std::vector<std::string_view> leaves;
  RecordBytes record;
  for (ByteReader in(state_.tail.body.view().substr(hashed_bytes_)); next_record_bytes(in, record);)
    leaves.push_back(record.leaf);
  std::vector<Digest> hashes(leaves.size());
  merkle_leaves(leaves, hashes.data());
  state_.summary.tree.append(hashes, &nodes_);
  hashed_bytes_ = state_.tail.body.size();
}

void LedgerWriter::write_tail() {
  hash_leaves();
  const Segment& tail = state_.tail;
  effects_.write(
      ledger_sql::put_segment,
      {Value::of(tail.first_seq), Value::of(tail.last_seq), Value::of(tail.first_recorded_at),
       Value::of(tail.last_recorded_at), Value::of(tail.count), Value::of(tail.types),
       Value::blob(state_.summary.encode()), Value::blob(state_.folds.encode_all(state_.seq)),
       Value::blob(tail.ids.view()), Value::blob(tail.body.view())});
  written_seq_ = state_.seq;
}

void LedgerWriter::finish() {
  if (!recorded()) return;
  if (written_seq_ < state_.seq) write_tail();
  corrected_.write(effects_);
  for (const MerkleNode& node : nodes_) {
    effects_.write(ledger_sql::put_tree_node,
                   {Value::of(node.level * ledger_sql::tree_level_keys + node.index),
                    Value::blob(bytes_of(node.hash))});
  }
  if (state_.ids.open_count() > limits::open_ids_hard_max) seal_ids(state_, effects_);
  // An alarm that is as late as this is lost: the platform gives up after some failures.
  if (state_.alarm_at + limits::confirm_pause_ms_max < frame_.now_ms) {
    state_.alarm_at = frame_.now_ms + limits::confirm_after_ms;
    effects_.alarm(state_.alarm_at);
  }
}

}  // namespace z0
