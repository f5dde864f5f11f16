// POST /v1/dead-letters/{id}/redrive, and of all: dead letters that this version of z0 reads are
// written to D1, then deleted.
//
// They do not go through the queue again. A send has no answer: whoever deletes before it may lose
// the message, and attempts are nowhere else (a ledger knows only what it recorded); whoever
// deletes after it may delete what was never sent. And a message that still cannot be read would
// come back as another dead letter, or spoil the messages that it is joined with on its way. So the
// edge takes the consumer's steps itself, and deletes when they have ended well. A request that
// dies in between leaves the letter where it is, and writing it twice changes nothing.
//
// A letter that cannot be read stays, marked with the version that could not: a redrive of all
// looks at each letter once a version, and comes to an end.
#include "operations/operations.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/base/version.hpp"
#include "z0/queue/consumer.hpp"
#include "z0/wire/read_effects.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

constexpr std::string_view letter_sql = "SELECT id, body FROM dead_letters WHERE id = ?1";
// What this and the page below give.
namespace of_letter {
enum Column : std::size_t { id, body };
}
// The oldest that no step of this version has looked at, as many as one message holds.
constexpr std::string_view oldest_sql =
    R"(WITH page AS (SELECT id AS page_id, received_at AS at, length(body) AS bytes FROM
      dead_letters WHERE unreadable_by IS NOT ?1 ORDER BY received_at, id LIMIT ?2)
      SELECT id, body
      FROM (SELECT page_id, sum(bytes) OVER (ORDER BY at, page_id) - bytes AS before FROM
      page)
      JOIN dead_letters ON id = page_id
      WHERE before < ?3
      ORDER BY received_at, id)";
constexpr std::string_view delete_sql =
    "DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?1))";
constexpr std::string_view mark_sql =
    "UPDATE dead_letters SET unreadable_by = ?2 WHERE id IN (SELECT value FROM json_each(?1))";
constexpr std::string_view left_sql =
    "SELECT count(*) AS n FROM dead_letters WHERE unreadable_by IS NOT ?1";

enum class Stage : std::uint8_t { chosen, written, deleted };

// What a redrive knows from step to step.
struct Redrive {
  Stage stage = Stage::chosen;
  std::string id;        // the one letter that was asked for; empty for all
  std::string readable;  // ids as a JSON array, and how many
  std::uint64_t count = 0;
  std::string unreadable;
  std::string reason;  // of the last of those
  std::string rest;    // the consumer's continuation; then what it has to tell

  void resume(const Context& context, Effects& effects) const {
    std::string bytes;
    ByteWriter out(bytes);
    write_context(out, context);
    out.u8(static_cast<std::uint8_t>(stage));
    out.varint(count);
    for (const auto* text : {&id, &readable, &unreadable, &reason, &rest}) out.bytes(*text);
    effects.resume(bytes);
  }
  void decode(ByteReader& in) {
    stage = static_cast<Stage>(in.u8());
    count = in.varint();
    for (auto* text : {&id, &readable, &unreadable, &reason, &rest}) *text = in.bytes();
  }
};

// Sorts the letters into readable ones, whose bytes joined are a message, and others. A message has
// a largest size, in bytes and facts; letters that it would pass wait for the next request.
std::string choose(const Rows& rows, Redrive& redrive) {
  std::string joined;
  std::size_t facts = 0;
  JsonWriter readable(redrive.readable);
  JsonWriter unreadable(redrive.unreadable);
  readable.array();
  unreadable.array();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string_view id = rows.at(row, of_letter::id).bytes;
    const std::string_view body = rows.at(row, of_letter::body).bytes;
    Message message;
    if (!parse_message(body, message)) {
      unreadable.text(id);
      redrive.reason = reason_of(message);
      continue;
    }
    facts += message.attempts.size();
    for (const Run& run : message.runs) facts += static_cast<std::size_t>(run.count);
    if (!joined.empty() && (joined.size() + body.size() > limits::message_bytes_max ||
                            facts > limits::facts_per_message_max))
      break;
    joined += body;
    readable.text(id);
    ++redrive.count;
  }
  readable.end();
  unreadable.end();
  return joined;
}

void need_deletion(Redrive& redrive, const Context& context, Effects& effects) {
  redrive.stage = Stage::deleted;
  const Value by = Value::text(version);
  effects.need_query("z0.d1.query.redrive_letters", default_database,
                     {{delete_sql, {Value::text(redrive.readable)}},
                      {mark_sql, {Value::text(redrive.unreadable), by}},
                      {left_sql, {by}}});
  redrive.resume(context, effects);
}

// What the consumer told the monitor and the log, after the reply.
void pass_on_tells(std::string_view tells, Effects& effects) {
  for (ByteReader in(tells); !in.done();) {
    const auto kind = static_cast<z0_effect_kind>(in.u8());
    effects.pass_on(kind, Phase::tell, in.bytes());
  }
}

// One step of the consumer. Its needs become the edge's, with a continuation around its own.
void consume(const Frame& frame, Redrive& redrive, const Context& context, Effects& effects) {
  Effects decided;
  step_consumer(frame, decided);
  std::vector<Effect> list;
  if (!parse_effects(decided.finish(), list)) trap("the consumer's effects can be read");
  redrive.stage = Stage::written;
  std::uint16_t http = 0;
  std::string tells;
  ByteWriter out(tells);
  for (const Effect& effect : list) {
    if (effect.kind == Z0_NEED_RESUME) {
      redrive.rest = carried_by<ResumeNeed>(effect).continuation;
      return redrive.resume(context, effects);
    }
    if (effect.phase == Phase::need) effects.pass_on(effect.kind, effect.phase, effect.payload);
    if (effect.phase == Phase::reply) http = carried_by<HttpAnswer>(effect).http;
    if (effect.phase != Phase::tell) continue;
    out.u8(static_cast<std::uint8_t>(effect.kind));
    out.bytes(effect.payload);
  }
  if (http != 200) {
    reply_error(effects, context, Status::storage_error, {});
    return pass_on_tells(tells, effects);
  }
  redrive.rest = std::move(tells);
  need_deletion(redrive, context, effects);
}

void reply(const Redrive& redrive, std::int64_t left, const Context& context, Effects& effects) {
  std::string out;
  JsonWriter json(out);
  json.object();
  if (redrive.id.empty()) {
    json.integer("redriven", static_cast<std::int64_t>(redrive.count)).integer("left", left);
  } else {
    json.text("id", redrive.id).boolean("redriven", redrive.count > 0);
    if (redrive.count == 0) json.text("reason", redrive.reason);
  }
  json.end();
  reply_json(effects, context, 200, out);
  pass_on_tells(redrive.rest, effects);
}

}  // namespace

void post_redrive(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  Redrive redrive;
  redrive.id = id;
  if (id.empty()) {
    effects.need_query("z0.d1.query.oldest_letters", default_database, oldest_sql,
                       {Value::text(version), Value::of(limits::letters_per_redrive_max),
                        Value::of(static_cast<std::int64_t>(limits::message_bytes_max))});
  } else {
    effects.need_query("z0.d1.query.dead_letter", default_database, letter_sql, {Value::text(id)});
  }
  redrive.resume(context, effects);
}

void resume_redrive(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  Redrive redrive;
  redrive.decode(in);
  Frame inner = frame;
  if (redrive.stage == Stage::written) {
    inner.kind = Z0_FRAME_RESUME;
    inner.parts = {redrive.rest};
    return consume(inner, redrive, context, effects);
  }
  const auto answers = d1_answer(frame);
  const Rows& rows = answers.back();
  if (rows.failed) return reply_error(effects, context, Status::storage_error, {});
  if (redrive.stage == Stage::deleted)
    return reply(redrive, rows.at(0, 0).integer, context, effects);
  if (rows.size() == 0 && !redrive.id.empty())
    return reply_error(effects, context, Status::not_found, {});
  const std::string joined = choose(rows, redrive);
  if (joined.empty()) return need_deletion(redrive, context, effects);
  inner.kind = Z0_FRAME_MESSAGE;
  inner.parts = {joined};
  inner.answers.clear();
  consume(inner, redrive, context, effects);
}

}  // namespace z0
