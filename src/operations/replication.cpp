// Replication as operators see it: how far each ledger is in D1, and the two commands that mend it.
#include <algorithm>

#include "operations/operations.hpp"
#include "operations/value.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/ledger_repairs.hpp"
#include "z0/json/write.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

constexpr std::string_view select_heads =
    R"(SELECT entity_id, tenant_id, contiguous_seq, root
      FROM ledger_heads
      WHERE entity_id > ?1 AND (?2 IS NULL OR tenant_id = ?2) AND (?4 IS NULL OR entity_id <=
      ?4)
      ORDER BY entity_id
      LIMIT ?3)";
namespace of_heads {
enum Column : std::size_t { entity_id, tenant_id, contiguous_seq, root };
}

// A page of one database, and where the next one begins. Databases come one after the other.
struct Page {
  std::int64_t database = 0;
  std::int64_t limit = limits::page_ledgers_max;
  std::string after;  // the entity before the page
  std::string tenant_id;
  std::string heads;  // D1's answer, once it is there

  std::string encode(const Context& context, std::uint8_t step) const {
    std::string bytes;
    ByteWriter out(bytes);
    write_context(out, context, step);
    out.varint(static_cast<std::uint64_t>(database));
    out.varint(static_cast<std::uint64_t>(limit));
    out.short_bytes(tenant_id);
    out.bytes(heads);
    return bytes;
  }
  void decode(ByteReader& in) {
    database = static_cast<std::int64_t>(in.varint());
    limit = static_cast<std::int64_t>(in.varint());
    tenant_id = in.short_bytes();
    heads = in.bytes();
  }
};

std::string encode_cursor(std::int64_t database, std::string_view after) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(database));
  out.raw(after);
  return bytes;
}

bool decode_cursor(std::string_view text, Page& page) {
  std::string bytes;
  if (!base64url_decode(text, bytes)) return false;
  ByteReader in(bytes);
  page.database = static_cast<std::int64_t>(in.varint());
  page.after = in.raw(in.left());
  return in.ok() && (page.after.empty() || valid_id(page.after));
}

// The databases that may hold what was asked for.
std::vector<std::string_view> databases_of(const Page& page, std::string_view settings) {
  if (page.tenant_id.empty()) return settings_databases(settings);
  return {settings_database(settings, page.tenant_id)};
}

// A ledger's own word on itself.
struct LedgerHead {
  Status status = Status::storage_error;
  std::int64_t seq = 0;
  std::string root;  // in hex; empty where there is none
};

LedgerHead read_head(const CallAnswer& answer) {
  HeadReply head;
  LedgerHead out;
  out.status = value_in(answer, head);
  if (out.status != Status::ok) return out;
  out.seq = head.seq;
  append_hex(out.root, bytes_of(head.root));
  return out;
}

// Proven is what the same root proves; the same size without a root proves nothing.
std::string_view verdict(const LedgerHead& ledger, std::int64_t seq, std::string_view root) {
  if (ledger.status != Status::ok || seq > ledger.seq) return "broken";
  if (seq < ledger.seq || ledger.root.empty()) return "behind";
  return root == ledger.root ? "proven" : "broken";
}

struct Totals {
  std::int64_t proven = 0, behind = 0, broken = 0, seq = 0, replicated_seq = 0;
};

void write_ledger(JsonWriter& json, const Rows& heads, std::size_t row, const LedgerHead& ledger,
                  Totals& totals) {
  const std::int64_t seq = heads.at(row, of_heads::contiguous_seq).integer;
  const std::string_view root = heads.at(row, of_heads::root).bytes;
  const std::string_view status = verdict(ledger, seq, root);
  json.object().text_or_null("entity_id", heads.at(row, of_heads::entity_id).bytes);
  json.text_or_null("tenant_id", heads.at(row, of_heads::tenant_id).bytes);
  json.integer("seq", ledger.seq).text_or_null("root", ledger.root);
  json.integer("replicated_seq", seq).text_or_null("replicated_root", root);
  json.plain("status", status).end();
  ++(status == "proven" ? totals.proven : status == "behind" ? totals.behind : totals.broken);
  totals.seq += ledger.seq;
  totals.replicated_seq += seq;
}

void answer_page(const Page& page, const Rows& heads, const Context& context, const Frame& frame,
                 Effects& effects) {
  std::vector<LedgerHead> ledgers;
  for (std::size_t row = 0; row < heads.size(); ++row) {
    ledgers.push_back(read_head(parse_call(row < frame.answers.size() ? frame.answers[row] : "")));
    if (transient(ledgers.back().status))
      return reply_error(effects, context, ledgers.back().status, {});
  }
  Totals totals;
  std::string out;
  JsonWriter json(out);
  json.object().array("ledgers");
  for (std::size_t row = 0; row < heads.size(); ++row)
    write_ledger(json, heads, row, ledgers[row], totals);
  json.end();
  const auto databases = static_cast<std::int64_t>(databases_of(page, frame.settings).size());
  if (static_cast<std::int64_t>(heads.size()) == page.limit)
    write_cursor(json, true, encode_cursor(page.database, heads.at(heads.size() - 1, 0).bytes));
  else
    write_cursor(json, page.database + 1 < databases, encode_cursor(page.database + 1, {}));
  json.object("totals").integer("ledgers", static_cast<std::int64_t>(heads.size()));
  json.integer("proven", totals.proven).integer("behind", totals.behind);
  json.integer("broken", totals.broken).integer("seq", totals.seq);
  json.integer("replicated_seq", totals.replicated_seq).end().end();
  reply_json(effects, context, 200, out);
}

void ask_ledger(const RouteCall& call, LedgerMethod method, std::string_view request) {
  call.effects.need_call(method, ledger_object_name(call.id), limits::append_timeout_ms, request);
  resume_with(call.context, call.effects);
}

}  // namespace

void post_replicate(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  const std::string_view from = request.parameter("from");
  if (!from.empty() && from != "start") return reply_bad_value(effects, context, "from", "start");
  const ReplicateRequest round{from == "start", {}};
  ask_ledger(call, LedgerMethod::replicate, encode(round));
}

void resume_replicate(const RouteResume& resumed) {
  ReplicateReply round;
  if (!value_or_refuse(resumed, round)) return;
  std::string out;
  JsonWriter json(out);
  json.object().text("entity_id", round.entity_id).text("tenant_id", round.tenant_id);
  json.integer("seq", round.seq).hex("root", round.root);
  json.integer("replicated_seq", round.replicated_seq);
  json.hex("replicated_root", round.replicated_root);
  json.boolean("done", round.replicated_seq >= round.seq).end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

void post_verify(const RouteCall& call) {
  const auto& [request, claims, context, frame, entity_id, effects] = call;
  if (!names_ledger(entity_id)) return reply_error(effects, context, Status::not_found, {});
  VerifyRequest verify;
  const std::string_view seq = request.parameter("from_seq");
  if (!seq.empty() && (!parse_number(seq, verify.from_seq) || verify.from_seq < 1 ||
                       verify.from_seq > limits::version_max)) {
    return reply_error(effects, context, Status::bad_parameter, "from_seq");
  }
  ask_ledger(call, LedgerMethod::verify, encode(verify));
}

void resume_verify(const RouteResume& resumed) {
  VerifyReply chunk;
  if (!value_or_refuse(resumed, chunk)) return;
  std::string out;
  JsonWriter json(out);
  json.object().text("entity_id", chunk.entity_id).integer("checked", chunk.checked);
  write_integer_or_null(json, "next_seq", chunk.next_seq);
  json.array("missing");
  for (const std::int64_t seq : chunk.found.missing) json.integer(seq);
  json.end().array("differing");
  for (const Differences::Row& row : chunk.found.differing) {
    json.object().integer("seq", row.seq).array("fields");
    for (std::string_view rest = row.columns; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size() - 1);
      json.plain(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    json.end().end();
  }
  json.end().array("surplus");
  for (const std::int64_t seq : chunk.found.surplus) json.integer(seq);
  json.end().integer("repaired", chunk.repaired).end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

void get_replication(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  Page page;
  page.tenant_id = request.parameter("tenant");
  const std::string_view limit = request.parameter("limit");
  if (!limit.empty() && (!parse_number(limit, page.limit) || page.limit < 1 ||
                         page.limit > limits::page_ledgers_max)) {
    return reply_error(effects, context, Status::bad_parameter, "limit");
  }
  // A caller that knows names of ledgers asks for ranges between them, several at a time.
  const std::string_view after = request.parameter("after");
  const std::string_view until = request.parameter("until");
  for (const auto& [name, entity_id] : {std::pair{"after", after}, std::pair{"until", until}}) {
    if (!entity_id.empty() && !valid_id(entity_id))
      return reply_error(effects, context, Status::bad_parameter, name);
  }
  const std::string_view cursor = request.parameter("cursor");
  const bool readable = cursor.empty() || decode_cursor(cursor, page);
  const auto databases = databases_of(page, frame.settings);
  if (!readable || page.database >= static_cast<std::int64_t>(databases.size()))
    return reply_error(effects, context, Status::bad_parameter, "cursor");
  effects.need_query(
      "z0.d1.query.replication_heads", databases[static_cast<std::size_t>(page.database)],
      {{select_heads,
        {Value::text(std::max<std::string_view>(page.after, after)),
         Value::text_or_null(page.tenant_id), Value::of(page.limit), Value::text_or_null(until)}}});
  effects.resume(page.encode(context, 0));
}

void resume_replication_heads(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  Page page;
  page.decode(in);
  if (!frame.answers.empty()) page.heads = frame.answers[0];
  const Rows heads = parse_query(page.heads).back();
  if (heads.failed) return reply_error(effects, context, Status::storage_error, {});
  if (heads.size() == 0) return answer_page(page, heads, context, frame, effects);
  for (std::size_t row = 0; row < heads.size(); ++row) {
    const std::string_view entity_id = heads.at(row, of_heads::entity_id).bytes;
    ReadRequest read;
    read.entity_id = entity_id;
    read.limit = 1;
    effects.need_call(LedgerMethod::head, ledger_object_name(entity_id), limits::read_timeout_ms,
                      encode(read));
  }
  effects.resume(page.encode(context, 1));
}

void resume_replication(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  Page page;
  page.decode(in);
  answer_page(page, parse_query(page.heads).back(), context, frame, effects);
}

}  // namespace z0
