#include "ledger/id_search.hpp"

#include "ledger/sql.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

bool IdSearch::run(std::size_t answer) {
  std::vector<std::int64_t> chunk_keys;
  std::vector<std::int64_t> open;
  std::vector<SealedCandidate> sealed;
  for (std::uint32_t i = 0; i < keys_.size(); ++i) {
    open.clear();
    sealed.clear();
    state_.ids.find(keys_[i].hash, open, sealed);
    for (const auto seq : open) suspects_.push_back({i, seq});
    for (const auto candidate : sealed) {
      chunk_keys.push_back(candidate.key);
      chunks_.push_back({i, candidate.key});
    }
  }
  const bool located = at_ == AppendStage::originals || at_ == AppendStage::corrected;
  if (!chunk_keys.empty()) {
    if (at_ == AppendStage::chunks) {
      look_into_chunks();
    } else if (located) {
      read_located();
    } else {
      need(ledger_sql::select_chunks, chunk_keys);
      resume_ledger(effects_, call_, AppendStage::chunks, {});
      return false;
    }
  }
  for (const Suspect& s : suspects_) {
    if (s.seq >= state_.tail.first_seq)
      find_in(state_.tail.body.view(), s);
    else if (s.seq > 0)
      far_.push_back(s.seq);
    else
      unknown_.push_back(s.key);
  }
  if (far_.empty()) return true;
  if (!located) {
    ask_again(AppendStage::originals);
    return false;
  }
  find_in_segments(answer);
  return true;
}

void IdSearch::ask_again(AppendStage stage) {
  if (!far_.empty()) need(ledger_sql::select_segments_of, far_);
  resume_ledger(effects_, call_, stage, located_);
}

void IdSearch::need(std::string_view sql, const std::vector<std::int64_t>& numbers) {
  effects_.need_rows(sql, {Value::text(ledger_sql::json_list(numbers)),
                           Value::of(limits::originals_per_append_max)});
}

// Chunks become suspects; `located_` carries them to the next stage. A key whose chunk was not
// answered cannot be judged now.
void IdSearch::look_into_chunks() {
  const Rows rows = parse_rows(frame_.answers.empty() ? std::string_view{} : frame_.answers[0]);
  ByteWriter out(located_);
  std::vector<std::int64_t> seqs;
  for (const auto& [key, chunk] : chunks_) {
    std::size_t row = 0;
    while (row < rows.size() && rows.at(row, ledger_sql::id_run::key).integer != chunk) ++row;
    seqs.clear();
    if (row < rows.size())
      IdIndex::find_in_chunk(chunk, rows.at(row, ledger_sql::id_run::body).bytes, keys_[key].hash,
                             seqs);
    else
      seqs.push_back(0);
    for (const auto seq : seqs) {
      out.varint(key);
      out.varint(static_cast<std::uint64_t>(seq));
      suspects_.push_back({key, seq});
    }
  }
}

void IdSearch::read_located() {
  located_ = call_.extra;
  for (ByteReader in(call_.extra); !in.done();) {
    const auto key = static_cast<std::uint32_t>(in.varint());
    const auto seq = static_cast<std::int64_t>(in.varint());
    if (!in.ok() || key >= keys_.size()) return;
    suspects_.push_back({key, seq});
  }
}

void IdSearch::find_in_segments(std::size_t answer) {
  const Rows rows =
      parse_rows(answer < frame_.answers.size() ? frame_.answers[answer] : std::string_view{});
  for (const Suspect& s : suspects_) {
    if (s.seq == 0 || s.seq >= state_.tail.first_seq) continue;
    std::size_t row = 0;
    while (row < rows.size() && rows.at(row, ledger_sql::segment::last_seq).integer < s.seq) ++row;
    const bool held =
        row < rows.size() && rows.at(row, ledger_sql::segment::first_seq).integer <= s.seq;
    if (held)
      find_in(rows.at(row, ledger_sql::segment::body).bytes, s);
    else
      unknown_.push_back(s.key);
  }
}

// The fact of this sequence number; with another id it says nothing.
void IdSearch::find_in(std::string_view body, const Suspect& s) {
  RecordBytes record;
  for (ByteReader in(body); next_record_bytes(in, record);) {
    if (record.seq < s.seq) continue;
    if (record.seq == s.seq && submission_id(record.submission) == keys_[s.key].id)
      matches_.push_back({s.key, record.seq, record.recorded_at, record.submission});
    return;
  }
}

}  // namespace z0
