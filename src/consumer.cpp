#include "z0/consumer.hpp"

#include <algorithm>

#include "z0/ids.hpp"
#include "z0/json.hpp"
#include "z0/limits.hpp"
#include "z0/message.hpp"
#include "z0/monitor.hpp"
#include "z0/settings.hpp"

namespace z0 {
namespace {

constexpr std::string_view insert_facts =
    "INSERT OR IGNORE INTO ledger_facts (tenant_id, type, timestamp, entity_id, seq, id, subtype, "
    "source_id, asset_id, campaign_id, tool_id, user_id, config_id, config_version, amount, "
    "currency, "
    "trace_id, recorded_at, data) SELECT value->>0, value->>1, value->>2, value->>3, value->>4, "
    "value->>5, value->>6, value->>7, value->>8, value->>9, value->>10, value->>11, value->>12, "
    "value->>13, value->>14, value->>15, value->>16, value->>17, value->18 FROM json_each(?1)";
constexpr std::string_view insert_attempts =
    "INSERT OR IGNORE INTO failed_facts (tenant_id, type, timestamp, entity_id, attempted_at, id, "
    "subtype, source_id, asset_id, campaign_id, tool_id, user_id, config_id, config_version, "
    "amount, "
    "currency, trace_id, data) SELECT value->>0, value->>1, value->>2, value->>3, value->>4, "
    "value->>5, value->>6, value->>7, value->>8, value->>9, value->>10, value->>11, value->>12, "
    "value->>13, value->>14, value->>15, value->>16, value->18 FROM json_each(?1)";

// ?1: [[entity, tenant, first, last], ...], runs that meet joined. Runs ahead of a gap wait.
constexpr std::string_view keep_runs_ahead =
    "INSERT INTO ledger_runs (entity_id, first_seq, last_seq) SELECT value->>0, value->>2, "
    "value->>3 "
    "FROM json_each(?1) WHERE value->>2 > 1 + coalesce((SELECT contiguous_seq FROM ledger_heads "
    "WHERE "
    "entity_id = value->>0), 0) ON CONFLICT (entity_id, first_seq) DO UPDATE SET last_seq = "
    "excluded.last_seq WHERE excluded.last_seq > last_seq";
// The others move their head, when they bring anything new.
constexpr std::string_view move_heads =
    "INSERT INTO ledger_heads (entity_id, tenant_id, contiguous_seq, trace_id) SELECT value->>0, "
    "value->>1, max(value->>3), ?2 FROM json_each(?1) WHERE value->>2 <= 1 + coalesce((SELECT "
    "contiguous_seq FROM ledger_heads WHERE entity_id = value->>0), 0) GROUP BY value->>0 ON "
    "CONFLICT "
    "(entity_id) DO UPDATE SET contiguous_seq = excluded.contiguous_seq, trace_id = "
    "excluded.trace_id "
    "WHERE excluded.contiguous_seq > contiguous_seq";
// Heads take in the waiting runs that they have reached.
constexpr std::string_view join_runs =
    "UPDATE ledger_heads SET contiguous_seq = (WITH RECURSIVE reach(seq) AS (SELECT "
    "ledger_heads.contiguous_seq UNION SELECT r.last_seq FROM ledger_runs r JOIN reach ON "
    "r.first_seq "
    "<= reach.seq + 1 AND r.last_seq > reach.seq WHERE r.entity_id = ledger_heads.entity_id) "
    "SELECT "
    "max(seq) FROM reach) WHERE entity_id IN (SELECT value->>0 FROM json_each(?1)) AND EXISTS "
    "(SELECT 1 "
    "FROM ledger_runs r WHERE r.entity_id = ledger_heads.entity_id AND r.first_seq <= "
    "ledger_heads.contiguous_seq + 1)";
constexpr std::string_view drop_joined_runs =
    "DELETE FROM ledger_runs WHERE entity_id IN (SELECT value->>0 FROM json_each(?1)) AND last_seq "
    "<= "
    "coalesce((SELECT contiguous_seq FROM ledger_heads h WHERE h.entity_id = "
    "ledger_runs.entity_id), 0)";
constexpr std::string_view select_heads =
    "SELECT entity_id, contiguous_seq FROM ledger_heads WHERE entity_id IN (SELECT value->>0 FROM "
    "json_each(?1))";

constexpr std::string_view keep_dead_letter =
    "INSERT OR IGNORE INTO dead_letters (id, received_at, body) VALUES (?1, ?2, ?3)";

// Seconds until a message is delivered again after D1 failed. 20 deliveries make three minutes;
// after that the dead-letter queue takes over, and the ledger sends again by itself.
constexpr std::string_view retry_after_seconds = "10";

void append_cell(std::string& row, std::string_view text) {
  row += ',';
  if (text.empty())
    row += "null";
  else
    append_json_string(row, text);
}

void append_number(std::string& row, bool present, std::int64_t value) {
  row += ',';
  row += present ? std::to_string(value) : "null";
}

// A row for insert_facts, or for insert_attempts where `number` is the time of the attempt.
void append_row(std::string& rows, const Fact& f, std::string_view tenant_id, std::int64_t number,
                std::string_view trace_hex, std::string_view data) {
  rows += rows.size() > 1 ? ",[" : "[";
  append_json_string(rows, tenant_id);
  append_cell(rows, f.name());
  append_number(rows, true, f.timestamp);
  append_cell(rows, f.entity_id);
  append_number(rows, true, number);
  append_cell(rows, f.id);
  append_cell(rows, f.subtype);
  append_cell(rows, f.source_id);
  append_cell(rows, f.asset_id);
  append_cell(rows, f.campaign_id);
  append_cell(rows, f.tool_id);
  append_cell(rows, f.user_id);
  append_cell(rows, f.config_id);
  append_number(rows, f.has(field_config), f.config_version);
  append_number(rows, f.has(field_amount), f.amount);
  append_cell(rows, f.currency);
  append_cell(rows, trace_hex);
  append_number(rows, true, f.recorded_at);
  rows += ',';
  rows += data;
  rows += ']';
}

std::string fact_rows(const Message& message) {
  std::string rows = "[";
  std::string trace;
  std::string data;
  Fact fact;
  for (const Run& run : message.runs) {
    for (ByteReader in(run.records); next_record(in, run.entity_id, fact);) {
      trace.clear();
      data.clear();
      append_hex(trace, fact.trace);
      append_data_json(data, fact);
      append_row(rows, fact, run.tenant_id, fact.seq, trace, data);
    }
  }
  return rows + ']';
}

// data of an attempt: the trace and the error, then what the caller gave, whose own members of
// these names give way.
std::string attempt_data(const Attempt& a, const Fact& fact, std::string_view trace_hex) {
  std::string data = "{\"trace_id\":\"";
  data += trace_hex;
  data += "\",\"error\":{\"code\":";
  append_json_string(data, a.code);
  data += ",\"message\":";
  append_json_string(data, a.message);
  data += ",\"span\":";
  append_json_string(data, a.span);
  data += '}';
  if (!fact.has(field_data)) return data + '}';
  JsonReader in(fact.data, limits::data_depth_max);
  in.enter_object();
  std::string_view key;
  while (in.next_member(key)) {
    if (key == "trace_id" || key == "error") {
      in.skip();
      continue;
    }
    data += ',';
    append_json_string(data, key);
    data += ':';
    bool out_of_range = false;
    if (!in.minify(data, limits::data_depth_max, out_of_range)) break;
  }
  return data + '}';
}

std::string attempt_rows(const Message& message) {
  std::string rows = "[";
  std::string trace;
  Fact fact;
  for (const Attempt& a : message.attempts) {
    if (!parse_submission(a.submission, a.entity_id, fact)) continue;
    trace.clear();
    append_hex(trace, a.trace);
    append_row(rows, fact, a.tenant_id, a.attempted_at, trace, attempt_data(a, fact, trace));
  }
  return rows + ']';
}

// The runs in order of ledger and number, those that meet joined: a message that was collected from
// many requests brings a ledger's facts in several pieces, and each piece apart would cost a row.
std::string run_rows(const Message& message) {
  struct Span {
    std::string_view entity_id, tenant_id;
    std::int64_t first, last;
  };
  std::vector<Span> spans;
  for (const Run& run : message.runs) {
    spans.push_back({run.entity_id, run.tenant_id, run.first_seq, run.first_seq + run.count - 1});
  }
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return a.entity_id != b.entity_id ? a.entity_id < b.entity_id : a.first < b.first;
  });
  std::string rows = "[";
  for (std::size_t i = 0; i < spans.size();) {
    const Span& span = spans[i];
    std::int64_t last = span.last;
    for (++i;
         i < spans.size() && spans[i].entity_id == span.entity_id && spans[i].first <= last + 1;
         ++i) {
      last = std::max(last, spans[i].last);
    }
    rows += rows.size() > 1 ? ",[" : "[";
    append_json_string(rows, span.entity_id);
    append_cell(rows, span.tenant_id);
    append_number(rows, true, span.first);
    append_number(rows, true, last);
    rows += ']';
  }
  return rows + ']';
}

// What the second half needs to know of the first.
struct Pending {
  bool dead = false;
  std::int64_t facts = 0;
  std::int64_t oldest_recorded_at = 0;

  std::string encode() const {
    std::string bytes;
    ByteWriter out(bytes);
    out.u8(dead ? 1 : 0);
    out.varint(static_cast<std::uint64_t>(facts));
    out.varint(static_cast<std::uint64_t>(oldest_recorded_at));
    return bytes;
  }
  void decode(std::string_view bytes) {
    ByteReader in(bytes);
    dead = in.u8() != 0;
    facts = static_cast<std::int64_t>(in.varint());
    oldest_recorded_at = static_cast<std::int64_t>(in.varint());
  }
};

Pending measure(const Message& message) {
  Pending p;
  for (const Run& run : message.runs) {
    p.facts += run.count;
    RecordBytes first;
    ByteReader in(run.records);
    if (!next_record_bytes(in, first)) continue;
    if (p.oldest_recorded_at == 0 || first.recorded_at < p.oldest_recorded_at)
      p.oldest_recorded_at = first.recorded_at;
  }
  return p;
}

void need_d1(const Message& message, Effects& effects) {
  const std::string facts = fact_rows(message);
  const std::string runs = run_rows(message);
  const std::string attempts = attempt_rows(message);
  const Value all = Value::text(runs);
  const std::string_view trace_id =
      message.traceparent.size() > 35 ? message.traceparent.substr(3, 32) : std::string_view{};
  std::vector<Statement> statements;
  if (!message.runs.empty()) {
    statements = {{insert_facts, {Value::text(facts)}},
                  {keep_runs_ahead, {all}},
                  {move_heads, {all, Value::text(trace_id)}},
                  {join_runs, {all}},
                  {drop_joined_runs, {all}},
                  {select_heads, {all}}};
  }
  if (!message.attempts.empty()) statements.push_back({insert_attempts, {Value::text(attempts)}});
  effects.need_query(default_database, statements);
  effects.resume(Z0_FRAME_MESSAGE_RESUME, measure(message).encode());
}

void refuse(Effects& effects, std::string_view retry_after, std::string_view why) {
  effects.reply(503, {{"retry-after", retry_after}}, {});
  MessageReport report;
  report.failed = true;
  effects.tell(encode_report(report));
  std::string line =
      "{\"level\":\"error\",\"event\":\"z0.replication.message_failed\",\"message\":";
  append_json_string(line, why);
  effects.log(true, line + '}');
}

void resume(const Frame& frame, Effects& effects) {
  Pending pending;
  pending.decode(frame.part(0));
  const auto answers = parse_query(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  for (const Rows& rows : answers) {
    if (rows.failed) return refuse(effects, retry_after_seconds, rows.message);
  }
  effects.reply(200, {}, {});
  MessageReport report;
  report.dead = pending.dead;
  report.facts = pending.facts;
  if (pending.facts > 0 && answers.size() > 5) {
    report.inserted = answers[0].changes;
    // Redelivered facts have been readable since they first came; they say nothing about lag.
    if (report.inserted > 0)
      report.lag_ms_max = std::max<std::int64_t>(0, frame.now_ms - pending.oldest_recorded_at);
    const Rows& heads = answers[5];
    for (std::size_t i = 0; i < heads.size(); ++i)
      report.heads.push_back({heads.at(i, 0).bytes, heads.at(i, 1).integer});
  }
  effects.tell(encode_report(report));
}

}  // namespace

void step_consumer(const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_MESSAGE_RESUME) return resume(frame, effects);
  const bool from_dead_letters = frame.kind == Z0_FRAME_DEAD_LETTER;
  const std::string_view body = frame.part(from_dead_letters ? 1 : 0);
  Message message;
  if (parse_message(body, message)) return need_d1(message, effects);
  // At once: waiting makes no message readable.
  if (!from_dead_letters) return refuse(effects, "0", "the message is not readable");
  effects.need_query(default_database,
                     {{keep_dead_letter,
                       {Value::text(frame.part(0)), Value::of(frame.now_ms), Value::blob(body)}}});
  Pending pending;
  pending.dead = true;
  effects.resume(Z0_FRAME_MESSAGE_RESUME, pending.encode());
}

}  // namespace z0
