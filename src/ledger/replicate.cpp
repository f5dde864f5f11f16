// A ledger writes to D1 what D1 lacks: for its alarm, and when an operator asks for it.
//
// A round looks at D1's head, writes the chunk that follows it with the head that it makes, one
// transaction, and goes on from what D1 then says, up to limits::chunks_per_round_max. Memory holds
// one chunk at a time.
#include <algorithm>

#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger_repairs.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/trace/context.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

constexpr std::string_view drop_head = "DELETE FROM ledger_heads WHERE entity_id = ?1";
constexpr std::string_view drop_runs = "DELETE FROM ledger_runs WHERE entity_id = ?1";

// What travels from one stage to the next.
struct Course {
  std::uint8_t chunks = 0;
  std::int64_t inserted = 0;  // facts that D1 did not have
  bool wrote = false;         // the answer that comes is to a chunk
  bool remade = false;
  bool failed = false;
  std::int64_t written_at = 0;  // the commit time of the last fact that was written
  std::string_view d1;          // D1's last answer

  std::string encode() const {
    std::string bytes;
    ByteWriter out(bytes);
    out.u8(chunks);
    out.u8(static_cast<std::uint8_t>((remade ? 1 : 0) | (failed ? 2 : 0) | (wrote ? 4 : 0)));
    out.varint(static_cast<std::uint64_t>(written_at));
    out.varint(static_cast<std::uint64_t>(inserted));
    out.raw(d1);
    return bytes;
  }
  void decode(std::string_view bytes) {
    ByteReader in(bytes);
    chunks = in.u8();
    const std::uint8_t flags = in.u8();
    remade = (flags & 1) != 0;
    failed = (flags & 2) != 0;
    wrote = (flags & 4) != 0;
    written_at = static_cast<std::int64_t>(in.varint());
    inserted = static_cast<std::int64_t>(in.varint());
    d1 = in.raw(in.left());
  }
};

class Replication {
 public:
  Replication(LedgerState& state, const LedgerCall& call, const Frame& frame, Effects& effects,
              const ReplicationTask& task, ReplicationRound& out)
      : state_(state), call_(call), frame_(frame), effects_(effects), task_(task), out_(out) {}

  bool run() {
    const auto at = call_.at<RoundStage>();
    if (at == RoundStage::begin) return ask(task_.from_start);
    course_.decode(call_.extra);
    const std::string_view answer = frame_.answers.empty() ? std::string_view{} : frame_.answers[0];
    return at == RoundStage::head ? look(answer) : write(parse_rows(answer));
  }

 private:
  std::string_view database() const { return settings_database(frame_.settings, state_.tenant_id); }

  std::string key() const {
    std::string keys;
    JsonWriter json(keys);
    json.array();
    write_arrival(json, state_.entity_id, 1, 1);
    json.end();
    return keys;
  }

  // Asks for D1's head, dropped before where it is to be made anew.
  bool ask(bool drop) {
    course_.remade = course_.remade || drop;
    course_.d1 = {};
    const std::string keys = key();
    const Value entity = Value::text(state_.entity_id);
    std::vector<Statement> statements;
    if (drop) statements = {{drop_head, {entity}}, {drop_runs, {entity}}};
    statements.push_back(
        {d1_sql::select_arrived, {Value::text(keys), Value::of(limits::waiting_runs_max)}});
    effects_.need_query("z0.d1.projection.read_heads", database(), statements);
    resume_ledger(effects_, call_, RoundStage::head, course_.encode());
    return false;
  }

  bool need_segments(std::int64_t from, std::int64_t segments) {
    effects_.need_rows(ledger_sql::select_range, {Value::of(from), Value::of(limits::version_max),
                                                  Value::of(~0u), Value::of(segments)});
    resume_ledger(effects_, call_, RoundStage::segments, course_.encode());
    return false;
  }

  bool end() {
    out_.remade = course_.remade;
    out_.failed = course_.failed;
    out_.chunks = course_.chunks;
    out_.inserted = course_.inserted;
    if (out_.oldest == 0) out_.oldest = course_.written_at;
    return true;
  }

  bool look(std::string_view answer) {
    const std::vector<Rows> rows = parse_query(answer);
    course_.failed = std::any_of(rows.begin(), rows.end(), [](const Rows& r) { return r.failed; });
    if (course_.failed) {
      const bool ask_age = task_.wants_oldest && state_.confirmed_seq < state_.seq;
      return ask_age ? need_segments(state_.confirmed_seq + 1, 1) : end();
    }
    if (course_.wrote) course_.inserted += rows.front().changes;
    course_.wrote = false;
    out_.head = head_in_d1(rows.back());
    const bool comparable = out_.head.seq == state_.seq;
    const bool same_root = comparable && out_.head.root == state_.summary.tree.root();
    out_.proven = out_.head.readable && same_root;
    out_.differs = !out_.head.readable || out_.head.seq > state_.seq || (comparable && !same_root);
    if (out_.differs && task_.heals && !course_.remade) {
      return ask(true);
    }
    const bool more = out_.head.seq < state_.seq && course_.chunks < limits::chunks_per_round_max;
    if (out_.differs || !more) return end();
    course_.d1 = answer;
    return need_segments(out_.head.seq + 1, limits::segments_per_chunk);
  }

  // The facts that follow D1's head, as far as they are due and fit one message.
  Run next_chunk(const Rows& segments, std::string& records) {
    Run run{state_.tenant_id, state_.entity_id, out_.head.seq + 1, 0, {}};
    for (std::size_t i = 0; i < segments.size(); ++i) {
      RecordBytes record;
      for (ByteReader body(segments.at(i, ledger_sql::segment::body).bytes);
           next_record_bytes(body, record);) {
        if (record.seq < run.first_seq + run.count) continue;
        if (out_.oldest == 0) out_.oldest = record.recorded_at;
        const bool fits =
            records.empty() || records.size() + record.whole.size() <= limits::message_bytes_max;
        const bool next = record.seq == run.first_seq + run.count &&
                          run.count < static_cast<std::int64_t>(limits::facts_per_message_max);
        if (!fits || !next || record.recorded_at > task_.due_before) return run;
        records += record.whole;
        course_.written_at = record.recorded_at;
        ++run.count;
      }
    }
    return run;
  }

  bool write(const Rows& segments) {
    std::string records;
    std::vector<Rows> d1 = parse_query(course_.d1);
    if (course_.failed)
      out_.head.seq = state_.confirmed_seq;
    else
      out_.head = head_in_d1(d1.back());
    Run run = next_chunk(segments, records);
    if (course_.failed || run.count == 0) return end();
    run.records = records;
    std::string facts;
    JsonWriter json(facts);
    json.array();
    write_fact_rows(json, run);
    json.end();
    const std::string trace_id = trace_context({}, {}, frame_.entropy.trace()).trace_id;
    const std::string keys = key();
    Projection::Changes changes = Projection({run}).plan(d1.back());
    std::vector<Statement> statements{{d1_sql::insert_facts, {Value::text(facts)}}};
    append_changes(statements, changes, keys, trace_id, frame_.now_ms);
    effects_.need_query("z0.d1.projection.write_facts", database(), statements);
    ++course_.chunks;
    course_.wrote = true;
    course_.d1 = {};
    resume_ledger(effects_, call_, RoundStage::head, course_.encode());
    return false;
  }

  LedgerState& state_;
  const LedgerCall& call_;
  const Frame& frame_;
  Effects& effects_;
  const ReplicationTask& task_;
  ReplicationRound& out_;
  Course course_;
};

void replicate(LedgerState& state, const LedgerCall& call, bool from_start, const Frame& frame,
               Effects& effects) {
  ReplicationRound round;
  ReplicationTask task;
  task.from_start = from_start;
  // All of it, also where the clock went back since.
  task.due_before = state.now(frame.now_ms);
  if (!replicate_round(state, call, frame, effects, task, round)) return;
  confirm_replicated(state, round, effects);
  // What this call did not come to is left to the alarm, should nobody ask again.
  if (state.alarm_at == 0 && state.confirmed_seq < state.seq) {
    state.alarm_at = frame.now_ms + limits::confirm_after_ms;
    effects.alarm(state.alarm_at);
  }
  if (round.failed) {
    reply_status(effects, Status::storage_error);
    return count_round(state, round, effects);
  }
  ReplicateReply reply;
  reply.entity_id = state.entity_id;
  reply.tenant_id = state.tenant_id;
  reply.seq = state.seq;
  reply.root = state.summary.tree.root();
  reply.replicated_seq = round.head.seq;
  reply.replicated_root = round.head.root;
  reply_value(effects, reply);
  count_round(state, round, effects);
}

}  // namespace

bool replicate_round(LedgerState& state, const LedgerCall& call, const Frame& frame,
                     Effects& effects, const ReplicationTask& task, ReplicationRound& out) {
  return Replication(state, call, frame, effects, task, out).run();
}

void confirm_replicated(LedgerState& state, const ReplicationRound& round, Effects& effects) {
  if (round.failed) return;
  if (round.remade) state.head_remade = true;
  if (round.proven) state.head_remade = false;
  const std::int64_t reached = std::min(round.head.seq, state.seq);
  if (!round.head.readable || reached == state.confirmed_seq) return;
  state.confirmed_seq = reached;
  state.write_meta(effects);
}

void count_round(const LedgerState& state, const ReplicationRound& round, Effects& effects) {
  const auto retries = static_cast<std::int64_t>(round.chunks);
  if (retries > 0) count(effects, Metric::replication_retries, state.tenant_id, {}, retries, {});
  if (round.inserted > 0)
    count(effects, Metric::replication_facts, state.tenant_id, {}, round.inserted, {});
  if (!round.failed) return;
  count(effects, Metric::replication_failures, state.tenant_id, {}, 1, {});
  count_error(effects, state.tenant_id, "d1", "replication", "d1_failed", {});
}

void replicate_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                      Effects& effects) {
  ReplicateRequest request;
  if (!decode(call.request, request)) return reply_status(effects, Status::bad_parameter);
  const bool visible = request.tenant_id.empty() || request.tenant_id == state.tenant_id;
  if (state.seq == 0 || !visible) return reply_status(effects, Status::not_found);
  replicate(state, call, request.from_start, frame, effects);
}

}  // namespace z0
