// The append: which submissions are new, which are retries, and the rows that make them facts.
#include <algorithm>
#include <optional>

#include "base/shorten.hpp"
#include "ledger/admit.hpp"
#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "ledger/write.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

struct Item {
  std::string_view submission;
  Fact fact;
  std::uint64_t hash = 0;
  AppendResult result{Status::recorded, 0, 0, {}, {}, {}};
  std::string detail;    // that the result views
  bool decided = false;  // a duplicate, a conflict or a failure; else it is new
};

// An item that may be a retry of the fact with this sequence number.
struct Suspect {
  std::uint32_t item;
  std::int64_t seq;
};

class Append {
 public:
  Append(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects)
      : state_(state),
        call_(call),
        at_(call.at<AppendStage>()),
        frame_(frame),
        effects_(effects),
        writer_(state, frame, effects) {}

  void run() {
    if (!request_.decode(call_.request) || request_.submissions.empty())
      return reply_all(Status::storage_error);
    const bool other_owner = !state_.tenant_id.empty() && state_.tenant_id != request_.tenant_id;
    if (other_owner) return reply_all(Status::forbidden);
    if (state_.seq == 0 && at_ != AppendStage::registered)
      return ask_directory(call_, request_.tenant_id, request_.entity_id, frame_, effects_);
    if (state_.seq == 0 && !take_policies()) return;
    if (!make_items()) return reply_all(Status::storage_error);
    if (!settle_suspects()) return;  // rows are needed first
    settle_within_batch();
    settle_atomic();
    commit();
    reply();
  }

 private:
  // The seed is drawn with the first fact; before it there is nothing to find.
  std::uint64_t seed() const {
    if (!state_.tenant_id.empty()) return state_.hash_seed;
    return ByteReader(frame_.entropy.substr(40, 8)).u64();
  }

  // False when the directory did not answer, and the caller was told so.
  bool take_policies() {
    PoliciesReply reply;
    const Status status = directory_word(frame_, reply);
    if (status != Status::recorded) reply_all(status);
    policies_ = reply.submissions;
    return status == Status::recorded;
  }

  // The ledger's own facts come first; nobody gets a result for them.
  bool make_items() {
    std::vector<std::string_view> submissions = policies_;
    submissions.insert(submissions.end(), request_.submissions.begin(), request_.submissions.end());
    items_.resize(submissions.size());
    const std::uint64_t key = seed();
    for (std::size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      item.submission = submissions[i];
      if (!parse_submission(item.submission, request_.entity_id, item.fact)) return false;
      item.hash = id_hash(item.fact.id, key);
    }
    return true;
  }

  // Decides every item that has an original in the history. False when rows were asked for.
  bool settle_suspects() {
    std::vector<Suspect> suspects;
    std::vector<std::int64_t> chunk_keys;
    std::vector<std::int64_t> open;
    std::vector<SealedCandidate> sealed;
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      open.clear();
      sealed.clear();
      state_.ids.find(items_[i].hash, open, sealed);
      for (const auto seq : open) suspects.push_back({i, seq});
      for (const auto candidate : sealed) {
        chunk_keys.push_back(candidate.key);
        chunk_items_.push_back({i, candidate.key});
      }
    }
    if (!chunk_keys.empty()) {
      if (at_ == AppendStage::chunks)
        look_into_chunks(suspects);
      else if (at_ == AppendStage::originals)
        read_located(suspects);
      else
        return need(ledger_sql::select_chunks, chunk_keys, AppendStage::chunks, {});
    }
    std::vector<std::int64_t> far;
    for (const auto& s : suspects) {
      if (s.seq >= state_.tail.first_seq)
        compare_in(state_.tail.body.view(), s);
      else
        far.push_back(s.seq);
    }
    if (far.empty()) return true;
    if (at_ != AppendStage::originals)
      return need(ledger_sql::select_segments_of, far, AppendStage::originals, located_);
    compare_with_originals(suspects);
    return true;
  }

  bool need(std::string_view sql, const std::vector<std::int64_t>& numbers, AppendStage stage,
            std::string_view extra) {
    std::string list = "[";
    for (const auto n : numbers) {
      if (list.size() > 1) list += ',';
      list += std::to_string(n);
    }
    list += ']';
    effects_.need_rows(sql, {Value::text(list), Value::of(limits::originals_per_append_max)});
    resume_ledger(effects_, call_, stage, extra);
    return false;
  }

  // Chunks became suspects; `located_` carries them to the next stage. An item whose chunk was not
  // answered cannot be judged now.
  void look_into_chunks(std::vector<Suspect>& suspects) {
    const Rows rows = parse_rows(frame_.answers.empty() ? std::string_view{} : frame_.answers[0]);
    ByteWriter out(located_);
    std::vector<std::int64_t> seqs;
    for (const auto& [item, key] : chunk_items_) {
      std::size_t row = 0;
      while (row < rows.size() && rows.at(row, 0).integer != key) ++row;
      seqs.clear();
      if (row < rows.size())
        IdIndex::find_in_chunk(key, rows.at(row, 1).bytes, items_[item].hash, seqs);
      else
        seqs.push_back(0);  // sequence 0: not to be judged
      for (const auto seq : seqs) {
        out.varint(item);
        out.varint(static_cast<std::uint64_t>(seq));
        add_located(item, seq, suspects);
      }
    }
  }

  void read_located(std::vector<Suspect>& suspects) {
    for (ByteReader in(call_.extra); !in.done();) {
      const auto item = static_cast<std::uint32_t>(in.varint());
      const auto seq = static_cast<std::int64_t>(in.varint());
      if (!in.ok() || item >= items_.size()) return;
      add_located(item, seq, suspects);
    }
  }

  void add_located(std::uint32_t item, std::int64_t seq, std::vector<Suspect>& suspects) {
    if (seq == 0)
      decide(item, Status::overloaded);
    else
      suspects.push_back({item, seq});
  }

  void compare_with_originals(const std::vector<Suspect>& suspects) {
    const Rows rows = parse_rows(frame_.answers.empty() ? std::string_view{} : frame_.answers[0]);
    for (const auto& s : suspects) {
      if (s.seq >= state_.tail.first_seq) continue;
      std::size_t row = 0;
      while (row < rows.size() && rows.at(row, 1).integer < s.seq) ++row;
      const bool held = row < rows.size() && rows.at(row, 0).integer <= s.seq;
      if (held)
        compare_in(rows.at(row, 2).bytes, s);
      else
        decide(s.item, Status::overloaded);
    }
  }

  // Compares an item with the fact of this sequence number in a segment's body.
  void compare_in(std::string_view body, const Suspect& s) {
    RecordBytes record;
    for (ByteReader in(body); next_record_bytes(in, record);) {
      if (record.seq < s.seq) continue;
      if (record.seq == s.seq) compare(s.item, record.submission, record.seq, record.recorded_at);
      return;
    }
  }

  // Decides an item against a fact that may have its id; another id says nothing.
  void compare(std::uint32_t i, std::string_view original, std::int64_t seq,
               std::int64_t recorded_at) {
    Item& item = items_[i];
    if (item.decided || submission_id(original) != item.fact.id) return;
    Fact a;
    std::string_view field = "data";
    const bool same =
        original == item.submission ||
        (parse_submission(original, request_.entity_id, a) && same_content(a, item.fact, field));
    item.decided = true;
    if (same) {
      item.result = {Status::duplicate, seq, recorded_at, {}, {}, {}};
    } else {
      // Which member of data it is makes a retry through another JSON library understood.
      if (field == "data") {
        item.detail = shorten(data_difference(a, item.fact), limits::id_bytes_max);
        field = item.detail;
      }
      item.result = {Status::conflict, 0, 0, field, {}, {}};
    }
  }

  void decide(std::uint32_t i, Status status, std::string_view field = {}) {
    if (items_[i].decided) return;
    items_[i].decided = true;
    items_[i].result = {status, 0, 0, field, {}, {}};
  }

  // Gives new items their sequence numbers; a second item of one id is judged against the first.
  void settle_within_batch() {
    std::size_t slots = 8;
    while (slots < 2 * items_.size()) slots *= 2;
    std::vector<std::uint32_t> table(slots, 0);
    std::int64_t seq = state_.seq;
    admission_.emplace(state_);
    const std::int64_t now = std::max(frame_.now_ms, state_.recorded_at);
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      std::size_t slot = static_cast<std::size_t>(item.hash) & (slots - 1);
      for (; table[slot] != 0 && !item.decided; slot = (slot + 1) & (slots - 1)) {
        const Item& first = items_[table[slot] - 1];
        if (first.hash == item.hash) compare(i, first.submission, first.result.seq, now);
      }
      if (item.decided) continue;
      const bool system = request_.system || i < policies_.size();
      const Status status = admission_->admit(item.fact, item.submission, system, seq + 1, now);
      if (status != Status::recorded) {
        decide(i, status, admission_->field());
        item.detail = admission_->detail();
        item.result.detail = item.detail;
        continue;
      }
      // Only what is recorded can have a duplicate.
      table[slot] = i + 1;
      item.result = {Status::recorded, ++seq, now, {}, {}, {}};
    }
  }

  // All or none: one refusal takes the new ones with it, and retries inside the batch too.
  void settle_atomic() {
    if (!request_.atomic) return;
    const bool refused = std::any_of(items_.begin(), items_.end(), [](const Item& item) {
      return !accepted(item.result.status);
    });
    if (!refused) return;
    for (auto& item : items_) {
      const bool would_write = item.result.seq > state_.seq;
      if (would_write) item.result = {Status::batch_refused, 0, 0, {}, {}, {}};
    }
  }

  void commit() {
    std::size_t bytes = 0;
    bool any = false;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].result.status != Status::recorded) continue;
      bytes += record_bytes_max(items_[i].submission.size());
      any = any || i >= policies_.size();
    }
    if (!any) return;
    if (state_.seq == 0) {
      state_.hash_seed = seed();
      state_.tenant_id = request_.tenant_id;
      state_.entity_id = request_.entity_id;
      state_.created_at = std::max(frame_.now_ms, state_.recorded_at);
      state_.write_meta(effects_);
    }
    writer_.expect(bytes);
    for (const auto& item : items_) {
      if (item.result.status == Status::recorded)
        writer_.record(item.submission, item.fact, item.hash, item.result.recorded_at);
    }
    writer_.finish();
    // What was found to differ must not be forgotten before a fact says so.
    if (state_.checkpoint.pending()) state_.write_meta(effects_);
  }

  void reply() {
    AppendReply answer;
    answer.results.reserve(items_.size());
    Buffer own;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      const bool recorded = item.result.status == Status::recorded;
      if (i < policies_.size()) {
        if (recorded && state_.seq > 0)
          append_record(own, item.result.seq, item.result.recorded_at, item.submission);
        continue;
      }
      if (recorded && item.fact.has(field_config_stamped)) item.result.stamped = item.submission;
      answer.results.push_back(item.result);
    }
    answer.size = state_.seq;
    answer.root = state_.summary.tree.root();
    answer.extra = own.view();
    std::string bytes;
    answer.encode(bytes);
    effects_.reply(200, {}, bytes);
  }

  void reply_all(Status status) {
    AppendReply answer;
    answer.results.assign(request_.submissions.size(), {status, 0, 0, {}, {}, {}});
    answer.size = state_.seq;
    answer.root = state_.summary.tree.root();
    std::string bytes;
    answer.encode(bytes);
    effects_.reply(200, {}, bytes);
  }

  LedgerState& state_;
  const LedgerCall& call_;
  const AppendStage at_;
  const Frame& frame_;
  Effects& effects_;
  AppendRequest request_;
  std::vector<Item> items_;
  std::vector<std::pair<std::uint32_t, std::int64_t>> chunk_items_;
  std::string located_;
  std::vector<std::string_view> policies_;  // of a ledger's first batch
  std::optional<Admission> admission_;
  LedgerWriter writer_;
};

}  // namespace

void append_to_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects) {
  Append(state, call, frame, effects).run();
}

}  // namespace z0
