#include "auditor.hpp"

#include <algorithm>

#include "bounds.hpp"
#include "src/ledger/sql.hpp"
#include "z0/base/ids.hpp"
#include "z0/calls/directory.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/reply.hpp"
#include "z0/ledger/ledger.hpp"

namespace z0::laws {
namespace {

// A continuation of the edge begins with its row in the table of routes.
constexpr char route_post_facts = 1;

bool only_needs(const std::vector<Effect>& effects) {
  return !effects.empty() && effects[0].phase == Phase::need;
}

Bound bound_of_asking(const Frame& frame, CallKind call) {
  if (call.is(LedgerMethod::alarm)) return alarm_asks;
  if (call.of_ledger()) return ledger_asks;
  if (call.of_directory()) return directory_asks;
  return frame.target == Z0_TARGET_QUEUE ? consumer_asks : edge_asks;
}

Bound bound_of_answering(const Frame& frame, CallKind call) {
  if (frame.target == Z0_TARGET_QUEUE) return consumer_answers;
  if (frame.target == Z0_TARGET_MONITOR) return monitor_answers;
  if (call.is(LedgerMethod::append)) return append_answers;
  if (call.is(LedgerMethod::alarm)) return alarm_answers;
  if (call.of_directory()) return directory_answers;
  if (call.of_ledger()) return read_answers;
  const bool read = frame.kind == Z0_FRAME_RESUME && frame.part(0).front() != route_post_facts;
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
                   const std::vector<Effect>& effects, CallKind call) {
  check_phases(frame, effects, call);
  check_bounds(frame, effect_bytes, effects, call);
  const bool answers = frame.target == Z0_TARGET_EDGE && !only_needs(effects);
  if (frame.kind == Z0_FRAME_REQUEST || answers) check_sent(effects);
}

void Auditor::check_phases(const Frame& frame, const std::vector<Effect>& effects, CallKind call) {
  const std::string where = "frame kind " + std::to_string(frame.kind);
  std::size_t replies = 0;
  std::size_t needs = 0;
  std::size_t resumes = 0;
  for (const Effect& effect : effects) {
    needs += effect.phase == Phase::need ? 1 : 0;
    resumes += effect.kind == Z0_NEED_RESUME ? 1 : 0;
    replies += effect.kind == Z0_REPLY ? 1 : 0;
    if (effect.phase == Phase::commit && !call.of_object())
      fail("only objects with rows commit", where);
  }
  if (needs > 0) {
    if (needs != effects.size()) fail("needs stand alone", where);
    if (resumes != 1 || effects.back().kind != Z0_NEED_RESUME)
      fail("needs end with one resume", where);
    return;
  }
  const bool alarm = call.is(LedgerMethod::alarm) || call.is(DirectoryMethod::alarm);
  const std::size_t expected = alarm ? 0 : 1;
  if (replies != expected) fail("exactly one reply, and none to an alarm", where);
}

void Auditor::check_bounds(const Frame& frame, std::string_view effect_bytes,
                           const std::vector<Effect>& effects, CallKind call) {
  const Bound bound =
      only_needs(effects) ? bound_of_asking(frame, call) : bound_of_answering(frame, call);
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
    if (!parse_message(carried_by<QueueMessage>(effect).bytes, message))
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

void Auditor::finished(const CallSeen& call) {
  std::vector<Effect> effects;
  if (!parse_effects(call.effects, effects)) return fail("effects can be read", call.object);
  if (call.kind.of_directory()) return check_directory(call, effects);
  if (call.kind.is(LedgerMethod::append)) return check_append(call, effects);
  for (const Effect& effect : effects) {
    if (!call.kind.is(LedgerMethod::alarm) && effect.kind != Z0_REPLY)
      fail("a read changes nothing", call.object);
    if (effect.kind == Z0_SEND) fail("an alarm leaves the queue alone", call.object);
    if (effect.kind != Z0_WRITE) continue;
    const std::string_view sql = carried_by<Write>(effect).statement.sql;
    if (sql.find("INTO segments") != std::string_view::npos)
      fail("an alarm writes no fact", call.object);
    if (sql.find("UPDATE segments") != std::string_view::npos)
      fail("what is kept of the facts is right, and stays", call.object);
  }
}

// Without configs a directory only ever hears of ledgers.
void Auditor::check_directory(const CallSeen& call, const std::vector<Effect>& effects) {
  RegisterRequest request;
  if (!call.kind.is(DirectoryMethod::register_ledger) || !decode(call.request, request))
    return fail("a directory hears of ledgers alone", call.object);
  for (const LedgerName& ledger : request.ledgers) {
    if (call.object != directory_object_name(ledger.entity_id))
      fail("a ledger is known to its own directory", call.object);
  }
  RegisterReply reply;
  Status status = Status::storage_error;
  for (const Effect& effect : effects) {
    if (effect.kind != Z0_REPLY) continue;
    status = decode_reply(carried_by<HttpAnswer>(effect).body, reply);
    if (status != Status::ok && !transient(status))
      fail("a directory's reply can be read", call.object);
    for (const auto& policies : reply.policies) {
      if (!policies.submissions.empty()) fail("there are no policies", call.object);
    }
  }
  if (!call.committed || status != Status::ok) return;
  for (const LedgerName& ledger : request.ledgers) registered_.emplace(ledger.entity_id);
}

void Auditor::check_append(const CallSeen& call, const std::vector<Effect>& effects) {
  Append append;
  if (!decode(call.request, append.request))
    return fail("the edge sends batches that can be read", call.object);
  append.entity_id = append.request.entity_id;
  Book& book = books_[append.entity_id];
  append.before = book.records.size();
  const std::size_t nodes_before = book.nodes.size();
  read_append(effects, book, append);
  const std::size_t grown = book.records.size() - append.before;
  const bool begins = append.before == 0 && grown > 0;
  const bool is_new = append.request.registers() && append.before == 0 && grown == 0;
  if (is_new && append.reply.results.empty()) return;
  if (append.reply.results.size() != append.request.submissions.size())
    return fail("each submission gets a result", append.entity_id);
  if (begins && registered_.find(append.entity_id) == registered_.end())
    fail("a ledger is registered before its first fact", append.entity_id);
  if (append.owners != (begins ? 1u : 0u))
    fail("the owner is written with the first fact", append.entity_id);
  if (append.alarms > (grown > 0 ? 1u : 0u)) fail("nothing recorded, no alarm", append.entity_id);
  if (book.nodes.size() - nodes_before != append.nodes)
    fail("each complete subtree is kept once", append.entity_id);
  if (append.reply.size != static_cast<std::int64_t>(book.records.size()) ||
      append.reply.root != book.root())
    fail("a reply's root is that of all records", append.entity_id);
  check_own(book, append);
  check_receipts(book, append);
  if (call.committed && grown > 0) book.tenant_id = append.request.tenant_id;
  if (call.committed) return;
  book.take_back(append.before);
  book.nodes.resize(nodes_before);
}

void Auditor::read_append(const std::vector<Effect>& effects, Book& book, Append& out) {
  for (const Effect& effect : effects) {
    if (effect.kind == Z0_SEND || effect.kind == Z0_TELL)
      fail("a ledger tells nobody of an append", out.entity_id);
    if (effect.kind == Z0_ALARM) ++out.alarms;
    if (effect.kind == Z0_WRITE) {
      const Statement statement = carried_by<Write>(effect).statement;
      const auto into = [&](std::string_view table) {
        return statement.sql.find(table) != std::string_view::npos;
      };
      if (into("INTO segments")) check_segment(book, statement, out.entity_id);
      if (into("INTO meta")) ++out.owners;
      if (!into("INTO tree_nodes")) continue;
      ++out.nodes;
      check_node(book, statement, out.entity_id);
    }
    if (effect.kind == Z0_REPLY) {
      if (!decode(carried_by<HttpAnswer>(effect).body, out.reply))
        fail("a ledger's reply can be read", out.entity_id);
    }
  }
}

void Auditor::check_node(const Book& book, const Statement& statement,
                         const std::string& entity_id) {
  const std::int64_t key =
      statement.values[0].integer - merkle_level_step * ledger_sql::tree_level_keys;
  const auto node = static_cast<std::size_t>(key);
  const bool known = key >= 0 && node < book.nodes.size();
  const std::string_view kept = statement.values[1].bytes;
  if (!known ||
      !std::equal(kept.begin(), kept.end(), book.nodes[node].begin(), book.nodes[node].end(),
                  [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }))
    fail("a node that is kept is the root of its leaves", entity_id);
}

// The ledger's own facts stand in front of the batch's, and in the reply for the queue.
void Auditor::check_own(const Book& book, Append& append) {
  RecordBytes record;
  for (ByteReader in(append.reply.extra); next_record_bytes(in, record); ++append.own) {
    const std::size_t at = append.before + append.own;
    if (record.seq != static_cast<std::int64_t>(at) + 1 || at >= book.records.size() ||
        book.records[at] != record.whole)
      return fail("a ledger's own facts are facts", append.entity_id);
  }
}

void Auditor::check_receipts(const Book& book, const Append& append) {
  std::size_t recorded = 0;
  for (std::size_t i = 0; i < append.reply.results.size(); ++i) {
    const AppendResult& result = append.reply.results[i];
    if (!accepted(result.status)) continue;
    const bool fresh = result.status == Status::recorded;
    const auto at = static_cast<std::size_t>(result.seq) - 1;
    if (at >= book.records.size()) return fail("a receipt names a fact", append.entity_id);
    if (fresh && at != append.before + append.own + recorded)
      fail("facts are numbered in the order of their batch", append.entity_id);
    recorded += fresh ? 1 : 0;
    RecordBytes record;
    ByteReader in(book.records[at]);
    if (!next_record_bytes(in, record)) return fail("a record can be read", append.entity_id);
    const std::string_view sent =
        result.stamped.empty() ? append.request.submissions[i] : result.stamped;
    const bool same =
        fresh ? record.submission == sent : submission_id(record.submission) == submission_id(sent);
    if (!same || record.recorded_at != result.recorded_at)
      fail("a receipt names its own fact", append.entity_id);
  }
  if (append.before + append.own + recorded != book.records.size())
    fail("rows and receipts count the same", append.entity_id);
}

// A segment as it is written: it repeats what the book has, byte for byte, and goes on.
void Auditor::check_segment(Book& book, const Statement& statement, const std::string& entity_id) {
  const auto& v = statement.values;
  const std::size_t before = book.records.size();
  std::int64_t seq = v[0].integer;
  std::uint32_t types = 0;
  Fact fact;
  RecordBytes record;
  for (ByteReader in(v[9].bytes); next_record_bytes(in, record); ++seq) {
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
    if (book.ids.find(fact.id) != book.ids.end())
      fail("an id is recorded once", entity_id + " " + std::string(fact.id));
    if (at > 0) {
      RecordBytes last;
      ByteReader previous(book.records[at - 1]);
      if (!next_record_bytes(previous, last)) fail("a record can be read", entity_id);
      if (last.recorded_at > record.recorded_at) fail("commit time never runs back", entity_id);
    }
    book.add(record, fact.id);
  }
  const std::int64_t count = seq - v[0].integer;
  if (v[1].integer != seq - 1 || v[4].integer != count || v[5].integer != types ||
      v[8].bytes.size() != static_cast<std::size_t>(count) * sizeof(std::uint64_t)) {
    fail("a segment says what it holds", entity_id);
  }
  Summary summary;
  if (!summary.decode(v[6].bytes) || summary.tree.end() != book.leaves ||
      summary.tree.root() != book.root())
    fail("a segment's tree is that of all records up to its last", entity_id);
  if (book.records.size() == before) fail("a row that says nothing new is not written", entity_id);
}

}  // namespace z0::laws
