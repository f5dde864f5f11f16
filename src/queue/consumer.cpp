#include "z0/queue/consumer.hpp"

#include <algorithm>

#include "base/hex_bytes.hpp"
#include "queue/tenant_shares.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/message.hpp"
#include "z0/calls/reports.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/events.hpp"
#include "z0/reporting/projection.hpp"
#include "z0/trace/span.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

constexpr std::string_view insert_attempts =
    R"(INSERT OR IGNORE INTO failed_facts (tenant_id, type, timestamp, entity_id, attempted_at,
      id, subtype, source_id, asset_id, campaign_id, tool_id, user_id, config_id,
      config_version, amount, currency, trace_id, data) WITH f AS MATERIALIZED (SELECT value
      AS v FROM json_each(?1))
      SELECT v->>0, v->>1, v->>2, v->>3, v->>4, v->>5, v->>6, v->>7, v->>8, v->>9, v->>10,
      v->>11, v->>12, v->>13, v->>14, v->>15, v->>16, v->18
      FROM f)";

constexpr std::string_view keep_dead_letter =
    "INSERT OR IGNORE INTO dead_letters (id, received_at, body) VALUES (?1, ?2, ?3)";

// Seconds until a message is delivered again after D1 failed. 20 deliveries make three minutes;
// after that the dead-letter queue takes over. The ledgers write their facts again by themselves,
// but an attempt lies nowhere else: so a dead letter comes back a hundred times, for eight hours.
constexpr std::string_view retry_after_seconds = "10";
constexpr std::string_view retry_dead_after_seconds = "300";

// data of an attempt: the trace and the error, then what the caller gave, whose own members of
// these names give way.
std::string attempt_data(const Attempt& a, const Fact& fact, std::string_view trace_hex) {
  std::string data;
  JsonWriter json(data);
  json.object().plain("trace_id", trace_hex);
  json.object("error").text("code", a.code).text("message", a.message).text("span", a.span).end();
  if (!fact.has(field_data)) {
    json.end();
    return data;
  }
  JsonReader in(fact.data, limits::data_depth_max);
  in.enter_object();
  std::string_view key;
  std::string value;
  while (in.next_member(key)) {
    if (key == "trace_id" || key == "error") {
      in.skip();
      continue;
    }
    value.clear();
    bool out_of_range = false;
    if (!in.minify(value, limits::data_depth_max, out_of_range)) break;
    json.any_key(key).raw(value);
  }
  json.end();
  return data;
}

std::string attempt_rows(const std::vector<Attempt>& attempts) {
  std::string rows;
  JsonWriter json(rows);
  json.array();
  std::string trace;
  Fact fact;
  for (const Attempt& a : attempts) {
    if (!parse_submission(a.submission, a.entity_id, fact)) continue;
    trace.clear();
    append_hex(trace, a.trace);
    write_fact_row(json, fact, a.tenant_id, a.attempted_at, trace, attempt_data(a, fact, trace));
  }
  json.end();
  return rows;
}

// What a message brings for one D1 database.
struct Share {
  std::string_view database;
  std::vector<Run> runs;
  std::vector<Attempt> attempts;
};

// A message may mix tenants, and tenants may have databases of their own.
std::vector<Share> shares_of(const Message& message, std::string_view settings) {
  std::vector<Share> shares;
  // The settings are read once for runs of one tenant that follow each other.
  std::string_view tenant;
  std::string_view database;
  const auto share_of = [&](std::string_view tenant_id) -> Share& {
    if (database.empty() || tenant_id != tenant) database = settings_database(settings, tenant_id);
    tenant = tenant_id;
    for (Share& share : shares) {
      if (share.database == database) return share;
    }
    return shares.emplace_back(Share{database, {}, {}});
  };
  for (const Run& run : message.runs) share_of(run.tenant_id).runs.push_back(run);
  for (const Attempt& a : message.attempts) share_of(a.tenant_id).attempts.push_back(a);
  return shares;
}

// What a later round needs to know of the earlier ones.
struct Pending {
  bool from_dead_letters = false;
  bool unreadable = false;  // kept as a dead letter, nothing else
  std::int64_t facts = 0;
  std::int64_t inserted = 0;
  std::int64_t oldest_recorded_at = 0;
  std::uint8_t rounds = 0;
  // Its span: in the trace of the message, or in one of its own that has links where the message was
  // joined of several.
  TraceContext trace;
  std::int64_t started_ms = 0;
  std::vector<std::string_view> links;  // traceparents
  TenantShares tenants;
  // For each database that takes facts, in the order of the answers.
  std::vector<std::pair<std::string_view, Projection>> databases;

  std::string encode() const {
    std::string bytes;
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>((from_dead_letters ? 1 : 0) | (unreadable ? 2 : 0)));
    for (const auto n : {facts, inserted, oldest_recorded_at})
      out.varint(static_cast<std::uint64_t>(n));
    out.u8(rounds);
    out.short_bytes(trace.trace_id);
    out.short_bytes(trace.span_id);
    out.short_bytes(trace.parent_id);
    out.varint(static_cast<std::uint64_t>(started_ms));
    out.varint(links.size());
    for (const std::string_view link : links) out.short_bytes(link);
    tenants.encode(out);
    for (const auto& [database, projection] : databases) {
      out.short_bytes(database);
      out.bytes(projection.encode());
    }
    return bytes;
  }
  void decode(std::string_view bytes) {
    ByteReader in(bytes);
    const std::uint8_t flags = in.u8();
    from_dead_letters = (flags & 1) != 0;
    unreadable = (flags & 2) != 0;
    for (auto* n : {&facts, &inserted, &oldest_recorded_at})
      *n = static_cast<std::int64_t>(in.varint());
    rounds = in.u8();
    trace.trace_id = in.short_bytes();
    trace.span_id = in.short_bytes();
    trace.parent_id = in.short_bytes();
    started_ms = static_cast<std::int64_t>(in.varint());
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) links.push_back(in.short_bytes());
    tenants.decode(in);
    while (in.ok() && !in.done()) {
      const std::string_view database = in.short_bytes();
      auto& added = databases.emplace_back(database, Projection());
      if (!added.second.decode(in.bytes())) trap("a projection goes round as it was written");
    }
    if (!in.ok()) trap("a continuation of the consumer is read to its end");
  }
};

void measure(const Message& message, Pending& p) {
  for (const Run& run : message.runs) {
    p.facts += run.count;
    RecordBytes first;
    ByteReader in(run.records);
    const bool readable = next_record_bytes(in, first);
    p.tenants.add(run.tenant_id, run.count, readable ? first.recorded_at : 0);
  }
  p.oldest_recorded_at = p.tenants.oldest_recorded_at();
}

void begin_trace(const std::vector<std::string_view>& traceparents, const Frame& frame,
                 Pending& p) {
  const bool one = traceparents.size() == 1;
  p.trace = trace_context(one ? traceparents[0] : std::string_view{}, {}, frame.entropy.trace());
  if (!one) p.links = traceparents;
  p.started_ms = frame.now_ms;
}

// What D1 is asked in this step is under the consumer's span.
void name_needs(const Pending& p, const Frame& frame, Effects& effects) {
  ByteReader random(frame.entropy.trace().substr(trace_id_bytes));
  effects.spans_under(
      {p.trace.trace_id, p.trace.span_id, {}, random.u64(), p.trace.flags, p.trace.tracestate});
}

// failure: why the message comes again; empty when it does not.
void end_span(const Pending& p, std::string_view failure, const Frame& frame, Effects& effects) {
  Span span = request_span(p.trace, "z0.queue.facts.consume", SpanKind::consumer, p.started_ms,
                           frame.now_ms);
  span.clock = frame.kind == Z0_FRAME_RESUME ? Clock::seen : Clock::stood;
  if (!failure.empty()) {
    span.status = SpanStatus::error;
    span.error_code = info(Status::storage_error).name;
    span.message = failure;
  }
  for (const std::string_view link : p.links) {
    const TraceContext other = trace_context(link, {}, frame.entropy.trace());
    if (other.parent_id.empty()) continue;  // it could not be read
    SpanLink& added = span.links.emplace_back();
    added.trace_id = bytes_of_hex(other.trace_id);
    added.span_id = bytes_of_hex(other.parent_id);
  }
  span.attributes.push_back({"z0.facts", std::to_string(p.facts)});
  std::size_t dropped = 0;
  bound(span, dropped);
  effects.span(span_json(span));
}

// The first round writes the facts and looks at their heads. They come before what says that they
// are there, and the rounds that follow need no more of the message than the hashes of its leaves.
void need_facts(const Message& message, const Frame& frame, Effects& effects) {
  Pending pending;
  pending.from_dead_letters = frame.kind == Z0_FRAME_DEAD_LETTER;
  begin_trace(message.traceparents, frame, pending);
  name_needs(pending, frame, effects);
  measure(message, pending);
  for (Share& share : shares_of(message, frame.settings)) {
    std::string facts;
    JsonWriter json(facts);
    json.array();
    for (const Run& run : share.runs) write_fact_rows(json, run);
    json.end();
    const std::string attempts = attempt_rows(share.attempts);
    const Projection& projection =
        pending.databases.emplace_back(share.database, Projection(std::move(share.runs))).second;
    const std::string keys = projection.keys();
    std::vector<Statement> statements;
    if (!share.attempts.empty()) statements.push_back({insert_attempts, {Value::text(attempts)}});
    if (!projection.empty()) {
      statements.push_back({d1_sql::insert_facts, {Value::text(facts)}});
      statements.push_back(
          {d1_sql::select_arrived, {Value::text(keys), Value::of(limits::waiting_runs_max)}});
    }
    effects.need_query("z0.d1.projection.write_facts", share.database, statements);
  }
  effects.resume(pending.encode());
}

void refuse(const Pending& pending, const Frame& frame, Effects& effects,
            std::string_view retry_after, std::string_view why) {
  effects.reply(503, {{"retry-after", retry_after}}, {});
  MessageReport report;
  report.failed = true;
  effects.tell(encode_report(report));
  log_event(effects, Event::message_failed, {why});
  end_span(pending, why, frame, effects);
  pending.tenants.count_refused(pending.databases.empty() && !pending.unreadable,
                                pending.trace.trace_id, effects);
}

void acknowledge(const Pending& pending, const std::vector<std::vector<Rows>>& answers,
                 const Frame& frame, Effects& effects) {
  effects.reply(200, {}, {});
  MessageReport report;
  report.dead = pending.unreadable;
  report.facts = pending.facts;
  report.inserted = pending.inserted;
  // Redelivered facts have been readable since they first came; they say nothing about lag.
  if (report.inserted > 0)
    report.lag_ms_max = std::max<std::int64_t>(0, frame.now_ms - pending.oldest_recorded_at);
  for (std::size_t d = 0; d < pending.databases.size(); ++d) {
    const Rows& heads = answers[d].back();
    if (pending.databases[d].second.empty()) continue;
    for (std::size_t i = 0; i < heads.size(); ++i) {
      if (heads.at(i, arrived::first_seq).integer == 0) {
        report.heads.push_back(
            {heads.at(i, arrived::entity_id).bytes, heads.at(i, arrived::last_seq).integer});
      }
    }
  }
  effects.tell(encode_report(report));
  end_span(pending, {}, frame, effects);
  pending.tenants.count_arrived(pending.facts, pending.inserted, frame.now_ms,
                                pending.trace.trace_id, effects);
}

// What D1 holds is known now: what follows from it is written, until nothing does.
void resume(const Frame& frame, Effects& effects) {
  Pending pending;
  pending.decode(frame.part(0));
  const std::string_view retry =
      pending.from_dead_letters ? retry_dead_after_seconds : retry_after_seconds;
  name_needs(pending, frame, effects);
  std::vector<std::vector<Rows>> answers;
  for (const auto answer : frame.answers) {
    answers.push_back(parse_query(answer));
    for (const Rows& rows : answers.back()) {
      // Where one database fails and another one does not, the other is written to twice.
      if (rows.failed) return refuse(pending, frame, effects, retry, rows.message);
    }
  }
  if (pending.unreadable) return acknowledge(pending, answers, frame, effects);
  if (answers.size() != pending.databases.size()) trap("each database answers once");
  bool any = false;
  std::vector<Projection::Changes> changes;
  for (std::size_t d = 0; d < answers.size(); ++d) {
    const std::vector<Rows>& answer = answers[d];
    const Projection& projection = pending.databases[d].second;
    if (answer.size() < 2 && !projection.empty())
      return refuse(pending, frame, effects, retry, "D1 left out an answer");
    if (pending.rounds == 0 && !projection.empty())
      pending.inserted += answer[answer.size() - 2].changes;
    changes.push_back(projection.plan(answer.empty() ? Rows{} : answer.back()));
    any = any || changes.back().any();
  }
  if (!any) return acknowledge(pending, answers, frame, effects);
  if (++pending.rounds > limits::projection_rounds_max)
    return refuse(pending, frame, effects, retry,
                  "other writers kept moving the heads of this message");
  for (std::size_t d = 0; d < answers.size(); ++d) {
    const auto& [database, projection] = pending.databases[d];
    const std::string keys = projection.keys();
    std::vector<Statement> statements;
    append_changes(statements, changes[d], keys, pending.trace.trace_id, frame.now_ms);
    effects.need_query("z0.d1.projection.move_heads", database, statements);
  }
  effects.resume(pending.encode());
}

}  // namespace

void step_consumer(const Frame& frame, Effects& effects) {
  if (frame.kind == Z0_FRAME_RESUME) return resume(frame, effects);
  const bool from_dead_letters = frame.kind == Z0_FRAME_DEAD_LETTER;
  if (!from_dead_letters && frame.kind != Z0_FRAME_MESSAGE)
    trap("messages, dead letters and continuations alone come to the consumer");
  const std::string_view body = frame.part(from_dead_letters ? 1 : 0);
  Message message;
  if (parse_message(body, message)) return need_facts(message, frame, effects);
  Pending pending;
  begin_trace({}, frame, pending);
  // At once: waiting makes no message readable.
  if (!from_dead_letters)
    return refuse(pending, frame, effects, "0", "the message is not readable");
  name_needs(pending, frame, effects);
  effects.need_query("z0.d1.projection.keep_dead_letter", default_database,
                     {{keep_dead_letter,
                       {Value::text(frame.part(0)), Value::of(frame.now_ms), Value::blob(body)}}});
  pending.from_dead_letters = pending.unreadable = true;
  effects.resume(pending.encode());
}

}  // namespace z0
