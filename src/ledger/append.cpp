// The append: which submissions are new, which are retries, and the rows that make them facts.
#include <algorithm>
#include <optional>

#include "base/shorten.hpp"
#include "ledger/admit.hpp"
#include "ledger/id_search.hpp"
#include "ledger/step.hpp"
#include "ledger/write.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/metrics/registry.hpp"

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

// What a correction of the batch names.
struct Naming {
  std::uint32_t item = 0;
  std::uint64_t hash = 0;
  std::optional<Fact> source = {};  // in the history, or recorded before it in the batch
  bool unknown = false;             // it cannot be told now
};

class Append {
 public:
  Append(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects)
      : state_(state),
        call_(call),
        at_(call.at<AppendStage>()),
        frame_(frame),
        effects_(effects),
        search_(state, call, frame, effects),
        writer_(state, frame, effects) {}

  void run() {
    if (!decode(call_.request, request_) || request_.submissions.empty())
      return reply_all(Status::storage_error);
    const bool other_owner = !state_.tenant_id.empty() && state_.tenant_id != request_.tenant_id;
    if (other_owner) return reply_all(Status::forbidden);
    if (state_.seq == 0 && !begins()) return;
    if (!make_items()) return reply_all(Status::storage_error);
    // Where rows are needed first nothing can be settled yet.
    if (!search_.run(at_ == AppendStage::corrected ? answers_of_corrected : 0)) return;
    settle_history();
    admission_.emplace(state_);
    if (!know_corrected()) return;
    settle_within_batch();
    settle_atomic();
    commit();
    reply();
  }

 private:
  // The seed is drawn with the first fact; before it there is nothing to find.
  std::uint64_t seed() const {
    if (!state_.tenant_id.empty()) return state_.hash_seed;
    return frame_.entropy.seed();
  }

  // Whether the directory knows this new ledger. False when it was asked, when it failed, or when
  // the caller is to ask; the caller was told so.
  bool begins() {
    if (request_.registered()) {
      policies_ = request_.policies;
      return true;
    }
    if (at_ == AppendStage::registered) {
      const Status status = directory_word(frame_, policies_);
      if (status != Status::recorded) reply_all(status);
      return status == Status::recorded;
    }
    if (request_.registers())
      reply_results({});
    else
      ask_directory(call_, request_.tenant_id, request_.entity_id, frame_, effects_);
    return false;
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
      search_.add({item.fact.id, item.hash});
      if (item.fact.type == FactType::correction)
        namings_.push_back({static_cast<std::uint32_t>(i), id_hash(item.fact.source_id, key)});
    }
    for (const Naming& naming : namings_)
      search_.add({items_[naming.item].fact.source_id, naming.hash});
    return true;
  }

  // Decides every item that has an original in the history, and finds there what corrections name.
  void settle_history() {
    for (const IdSearch::Match& match : search_.matches()) {
      if (match.key < items_.size()) {
        compare(match.key, match.submission, match.seq, match.recorded_at);
        continue;
      }
      Fact& source = namings_[match.key - items_.size()].source.emplace();
      if (!parse_submission(match.submission, request_.entity_id, source))
        trap("what a ledger stored can be read");
      source.seq = match.seq;
      source.recorded_at = match.recorded_at;
    }
    for (const std::uint32_t key : search_.unknown()) {
      if (key < items_.size())
        decide(key, Status::overloaded);
      else
        namings_[key - items_.size()].unknown = true;
    }
  }

  // Finds out what is left of the facts that are corrected. False when rows were asked for, or when
  // they cannot be read, which was answered. Where there was no correction yet, all is left.
  bool know_corrected() {
    constexpr auto correction = static_cast<std::size_t>(FactType::correction);
    if (state_.summary.counts.known[correction] == 0) return true;
    std::vector<std::int64_t> seqs;
    for (const Naming& naming : namings_) {
      if (naming.source && !items_[naming.item].decided)
        seqs.push_back(corrected_seq(*naming.source));
    }
    if (seqs.empty()) return true;
    if (at_ != AppendStage::corrected) {
      need_corrected(seqs, effects_);
      search_.ask_again(AppendStage::corrected);
      return false;
    }
    const bool answered = frame_.answers.size() >= answers_of_corrected;
    if (answered && admission_->corrections().know(parse_rows(frame_.answers[1]))) return true;
    reply_all(Status::storage_error);
    return false;
  }

  // Decides an item against the fact that has its id.
  void compare(std::uint32_t i, std::string_view original, std::int64_t seq,
               std::int64_t recorded_at) {
    Item& item = items_[i];
    if (item.decided) return;
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
    table_.assign(slots, 0);
    std::int64_t seq = state_.seq;
    auto naming = namings_.begin();
    const std::int64_t now = state_.now(frame_.now_ms);
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      Naming* const names = naming != namings_.end() && naming->item == i ? &*naming++ : nullptr;
      const Item* const first = item.decided ? nullptr : recorded_as(item.fact.id, item.hash);
      if (first != nullptr) compare(i, first->submission, first->result.seq, now);
      if (item.decided || (names != nullptr && !settle_source(i, *names))) continue;
      const bool system = request_.system() || i < policies_.size();
      const Fact* const source = names != nullptr && names->source ? &*names->source : nullptr;
      const Status status =
          admission_->admit(item.fact, item.submission, system, seq + 1, now, source);
      if (status != Status::recorded) {
        decide(i, status, admission_->field());
        item.detail = admission_->detail();
        item.result.detail = item.detail;
        continue;
      }
      // Only what is recorded can have a duplicate.
      std::size_t slot = static_cast<std::size_t>(item.hash) & (slots - 1);
      while (table_[slot] != 0) slot = (slot + 1) & (slots - 1);
      table_[slot] = i + 1;
      item.result = {Status::recorded, ++seq, now, {}, {}, {}};
    }
  }

  // The item of this id that the batch records so far; null when there is none.
  const Item* recorded_as(std::string_view id, std::uint64_t hash) const {
    const std::size_t mask = table_.size() - 1;
    for (std::size_t slot = static_cast<std::size_t>(hash) & mask; table_[slot] != 0;
         slot = (slot + 1) & mask) {
      const Item& item = items_[table_[slot] - 1];
      if (item.hash == hash && item.fact.id == id) return &item;
    }
    return nullptr;
  }

  // Looks in the batch for what a correction names. False when it cannot be told now whether that
  // is going to be a fact: then the correction cannot be judged either.
  bool settle_source(std::uint32_t i, Naming& naming) {
    const std::string_view id = items_[i].fact.source_id;
    if (const Item* item = recorded_as(id, naming.hash)) {
      naming.source = item->fact;
      naming.source->seq = item->result.seq;
      naming.source->recorded_at = item->result.recorded_at;
    }
    for (std::uint32_t before = 0; before < i && !naming.source; ++before) {
      const Item& item = items_[before];
      const bool named = item.hash == naming.hash && item.fact.id == id;
      naming.unknown = naming.unknown || (named && transient(item.result.status));
    }
    if (naming.source || !naming.unknown) return true;
    decide(i, Status::overloaded);
    return false;
  }

  // All or none: one refusal takes the new ones with it, and retries inside the batch too.
  void settle_atomic() {
    if (!request_.atomic()) return;
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
      // Policies alone begin a ledger only where one of them is pushed to it: a batch that was
      // registered before the push may still be on its way, and brings what was known then.
      any = any || i >= policies_.size() || request_.system();
    }
    if (!any) return;
    gaps_before_ = state_.folds.configs().gaps();
    if (state_.seq == 0) {
      state_.hash_seed = seed();
      state_.tenant_id = request_.tenant_id;
      state_.entity_id = request_.entity_id;
      state_.created_at = state_.now(frame_.now_ms);
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
      if (recorded && stamped(item.fact)) item.result.stamped = item.submission;
      answer.results.push_back(item.result);
    }
    answer.size = state_.seq;
    answer.root = state_.summary.tree.root();
    answer.extra = own.view();
    effects_.reply(200, {}, encode(answer));
    count_gaps();
  }

  // What was recorded just now names a version that this ledger does not know, or skips one.
  void count_gaps() {
    const std::int64_t gaps = state_.folds.configs().gaps() - gaps_before_.value_or(0);
    if (!gaps_before_ || gaps <= 0) return;
    std::string_view type;
    for (const Item& item : items_) {
      const KnownConfig* config = state_.folds.configs().find(item.fact.config_id);
      if (config != nullptr && item.fact.has(field_config)) type = config->type;
    }
    count(effects_, Metric::config_version_gaps, state_.tenant_id, {type}, gaps, {});
  }

  void reply_all(Status status) {
    reply_results({request_.submissions.size(), {status, 0, 0, {}, {}, {}}});
  }

  void reply_results(std::vector<AppendResult> results) {
    AppendReply answer;
    answer.results = std::move(results);
    answer.size = state_.seq;
    answer.root = state_.summary.tree.root();
    effects_.reply(200, {}, encode(answer));
  }

  LedgerState& state_;
  const LedgerCall& call_;
  const AppendStage at_;
  const Frame& frame_;
  Effects& effects_;
  AppendRequest request_;
  std::vector<Item> items_;
  std::vector<Naming> namings_;             // in order of items
  std::vector<std::uint32_t> table_;        // of items to be recorded, by hash; 0 is free
  std::vector<std::string_view> policies_;  // of a ledger's first batch
  IdSearch search_;
  std::optional<Admission> admission_;
  LedgerWriter writer_;
  std::optional<std::int64_t> gaps_before_;  // of configs, where anything is recorded
};

}  // namespace

void append_to_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects) {
  Append(state, call, frame, effects).run();
}

}  // namespace z0
