#include "auditor.hpp"

#include <algorithm>

#include "bounds.hpp"
#include "z0/ids.hpp"
#include "z0/ledger.hpp"

namespace z0::laws {
namespace {

// Of a continuation of the edge: edge_http.hpp.
constexpr char operation_post_facts = 1;

bool only_needs(const std::vector<Effect>& effects) {
  return !effects.empty() && effects[0].phase == Phase::need;
}

bool of_consumer(std::uint16_t kind) {
  return kind == Z0_FRAME_MESSAGE || kind == Z0_FRAME_DEAD_LETTER ||
         kind == Z0_FRAME_MESSAGE_RESUME;
}

Bound bound_of_asking(std::uint16_t kind, std::uint16_t ledger_kind) {
  if (ledger_kind == Z0_FRAME_LEDGER_ALARM) return alarm_asks;
  if (ledger_frame(kind)) return ledger_asks;
  return of_consumer(kind) ? consumer_asks : edge_asks;
}

Bound bound_of_answering(const Frame& frame, std::uint16_t ledger_kind) {
  if (of_consumer(frame.kind)) return consumer_answers;
  if (frame.kind == Z0_FRAME_MONITOR_TELL || frame.kind == Z0_FRAME_MONITOR_LIVE)
    return monitor_answers;
  if (ledger_kind == Z0_FRAME_LEDGER_APPEND) return append_answers;
  if (ledger_kind == Z0_FRAME_LEDGER_ALARM) return alarm_answers;
  if (ledger_kind != 0) return read_answers;
  const bool read = frame.kind == Z0_FRAME_RESUME && frame.part(0).front() != operation_post_facts;
  return read ? from_answers(frame) : edge_answers;
}

}  // namespace

void Auditor::fail(std::string_view law, std::string_view where) {
  if (broken_.empty()) broken_ = std::string(law) + ": " + std::string(where);
}

std::string_view Auditor::recorded(const std::string& entity_id, std::int64_t seq) const {
  const auto book = books_.find(entity_id);
  if (book == books_.end() || seq < 1 ||
      seq > static_cast<std::int64_t>(book->second.records.size()))
    return {};
  ByteReader in(book->second.records[static_cast<std::size_t>(seq) - 1]);
  RecordBytes record;
  return next_record_bytes(in, record) ? submission_id(record.submission) : std::string_view{};
}

std::size_t Auditor::facts() const {
  std::size_t count = 0;
  for (const auto& [entity_id, book] : books_) count += book.records.size();
  return count;
}

void Auditor::step(const Frame& frame, std::string_view effect_bytes,
                   const std::vector<Effect>& effects, std::uint16_t ledger_kind) {
  check_phases(frame, effects, ledger_kind);
  check_bounds(frame, effect_bytes, effects, ledger_kind);
  const bool answers_post = frame.kind == Z0_FRAME_RESUME && !only_needs(effects);
  if (frame.kind == Z0_FRAME_REQUEST || answers_post) check_sent(effects);
}

void Auditor::check_phases(const Frame& frame, const std::vector<Effect>& effects,
                           std::uint16_t ledger_kind) {
  const std::string where = "frame kind " + std::to_string(frame.kind);
  std::size_t replies = 0;
  std::size_t needs = 0;
  std::size_t resumes = 0;
  for (const Effect& effect : effects) {
    needs += effect.phase == Phase::need ? 1 : 0;
    resumes += effect.kind == Z0_NEED_RESUME ? 1 : 0;
    replies += effect.kind == Z0_REPLY ? 1 : 0;
    if (effect.phase == Phase::commit && ledger_kind == 0) fail("only ledgers commit", where);
  }
  if (needs > 0) {
    if (needs != effects.size()) fail("needs stand alone", where);
    if (resumes != 1 || effects.back().kind != Z0_NEED_RESUME)
      fail("needs end with one resume", where);
    return;
  }
  const std::size_t expected = ledger_kind == Z0_FRAME_LEDGER_ALARM ? 0 : 1;
  if (replies != expected) fail("exactly one reply, and none to an alarm", where);
}

void Auditor::check_bounds(const Frame& frame, std::string_view effect_bytes,
                           const std::vector<Effect>& effects, std::uint16_t ledger_kind) {
  const Bound bound = only_needs(effects) ? bound_of_asking(frame.kind, ledger_kind)
                                          : bound_of_answering(frame, ledger_kind);
  if (effects.size() <= bound.effects && effect_bytes.size() <= bound.bytes) return;
  fail("effects are bounded", std::to_string(effects.size()) + " effects of " +
                                  std::to_string(effect_bytes.size()) + " bytes after frame kind " +
                                  std::to_string(frame.kind));
}

// What the edge sends are the ledgers' own bytes, and how many they are is known when the reply is
// read.
void Auditor::check_sent(const std::vector<Effect>& effects) {
  facts_sent_ = 0;
  attempts_sent_ = 0;
  for (const Effect& effect : effects) {
    if (effect.kind != Z0_SEND) continue;
    Message message;
    ByteReader in(effect.payload);
    if (!parse_message(in.bytes(), message))
      return fail("a message can be read", "sent by the edge");
    attempts_sent_ += message.attempts.size();
    for (const Run& run : message.runs) {
      facts_sent_ += static_cast<std::size_t>(run.count);
      const auto book = books_.find(run.entity_id);
      RecordBytes record;
      for (ByteReader records(run.records); next_record_bytes(records, record);) {
        const bool same =
            book != books_.end() &&
            record.seq <= static_cast<std::int64_t>(book->second.records.size()) &&
            book->second.records[static_cast<std::size_t>(record.seq) - 1] == record.whole;
        if (!same) fail("the edge sends what the ledger recorded", run.entity_id);
      }
    }
  }
}

void Auditor::finished(const LedgerCallSeen& call) {
  std::vector<Effect> effects;
  parse_effects(call.effects, effects);
  if (call.kind == Z0_FRAME_LEDGER_APPEND) return check_append(call, effects);
  for (const Effect& effect : effects) {
    if (call.kind != Z0_FRAME_LEDGER_ALARM && effect.kind != Z0_REPLY)
      fail("a read changes nothing", call.object);
    ByteReader in(effect.payload);
    if (effect.kind == Z0_SEND) fail("an alarm leaves the queue alone", call.object);
    if (effect.kind == Z0_WRITE && in.bytes().find("INTO segments") != std::string_view::npos) {
      fail("an alarm writes no fact", call.object);
    }
  }
}

void Auditor::check_append(const LedgerCallSeen& call, const std::vector<Effect>& effects) {
  AppendRequest request;
  std::vector<AppendResult> results;
  std::size_t owners = 0;
  std::size_t alarms = 0;
  if (!request.decode(call.request))
    return fail("the edge sends batches that can be read", call.object);
  const std::string entity_id(request.entity_id);
  Book& after = books_[entity_id];
  const std::size_t before = after.records.size();
  for (const Effect& effect : effects) {
    ByteReader in(effect.payload);
    if (effect.kind == Z0_SEND || effect.kind == Z0_TELL)
      fail("a ledger tells nobody of an append", entity_id);
    if (effect.kind == Z0_ALARM) ++alarms;
    if (effect.kind == Z0_WRITE) {
      const Statement statement = parse_statement(in);
      if (statement.sql.find("INTO segments") != std::string_view::npos)
        check_segment(after, statement, entity_id);
      else if (statement.sql.find("INTO meta") != std::string_view::npos)
        ++owners;
    }
    if (effect.kind == Z0_REPLY) {
      in.u16();
      in.u16();
      AppendReply reply;
      reply.decode(in.bytes());
      results = reply.results;
    }
  }
  const std::size_t grown = after.records.size() - before;
  if (results.size() != request.submissions.size())
    return fail("each submission gets a result", entity_id);
  if (owners != (before == 0 && grown > 0 ? 1u : 0u))
    fail("the owner is written with the first fact", entity_id);
  if (alarms > (grown > 0 ? 1u : 0u)) fail("nothing recorded, no alarm", entity_id);
  std::size_t recorded = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const AppendResult& result = results[i];
    if (!accepted(result.status)) continue;
    recorded += result.status == Status::recorded ? 1 : 0;
    const auto at = static_cast<std::size_t>(result.seq) - 1;
    if (at >= after.records.size()) return fail("a receipt names a fact", entity_id);
    if ((at >= before) && result.status == Status::recorded && at - before != recorded - 1) {
      fail("facts are numbered in the order of their batch", entity_id);
    }
    RecordBytes record;
    ByteReader in(after.records[at]);
    next_record_bytes(in, record);
    const bool same =
        result.status == Status::recorded
            ? record.submission == request.submissions[i]
            : submission_id(record.submission) == submission_id(request.submissions[i]);
    if (!same || record.recorded_at != result.recorded_at)
      fail("a receipt names its own fact", entity_id);
  }
  if (recorded != grown) fail("rows and receipts count the same", entity_id);
  if (call.committed && grown > 0) after.tenant_id = request.tenant_id;
  if (!call.committed) take_back(after, before);
}

// What a commit that failed would have added.
void Auditor::take_back(Book& book, std::size_t size) {
  while (book.records.size() > size) {
    RecordBytes record;
    ByteReader in(book.records.back());
    next_record_bytes(in, record);
    book.ids.erase(std::string(submission_id(record.submission)));
    book.records.pop_back();
  }
}

// A segment as it is written: it repeats what the book has, byte for byte, and goes on.
void Auditor::check_segment(Book& book, const Statement& statement, const std::string& entity_id) {
  const auto& v = statement.values;
  const std::size_t before = book.records.size();
  std::int64_t seq = v[0].integer;
  std::uint32_t types = 0;
  Fact fact;
  RecordBytes record;
  for (ByteReader in(v[8].bytes); next_record_bytes(in, record); ++seq) {
    ByteReader again(record.whole);
    if (record.seq != seq || !next_record(again, entity_id, fact))
      return fail("sequence numbers are dense", entity_id);
    types |= type_bit(fact.type, fact.custom_type);
    const auto at = static_cast<std::size_t>(seq) - 1;
    if (at < book.records.size()) {
      if (book.records[at] != record.whole) fail("recorded bytes never change", entity_id);
      continue;
    }
    if (at > book.records.size()) return fail("sequence numbers are dense", entity_id);
    if (!book.ids.emplace(fact.id).second)
      fail("an id is recorded once", entity_id + " " + std::string(fact.id));
    if (at > 0) {
      RecordBytes last;
      ByteReader previous(book.records[at - 1]);
      next_record_bytes(previous, last);
      if (last.recorded_at > record.recorded_at) fail("commit time never runs back", entity_id);
    }
    book.records.emplace_back(record.whole);
  }
  const std::int64_t count = seq - v[0].integer;
  if (v[1].integer != seq - 1 || v[4].integer != count || v[5].integer != types ||
      v[7].bytes.size() != static_cast<std::size_t>(count) * sizeof(std::uint64_t)) {
    fail("a segment says what it holds", entity_id);
  }
  if (book.records.size() == before) fail("a row that says nothing new is not written", entity_id);
}

}  // namespace z0::laws
