// GET /v1/traces and GET /v1/traces/{id}: how something was executed, and what it did to the money.
#include "z0/calls/traces.hpp"

#include <algorithm>
#include <map>

#include "edge/handlers.hpp"
#include "edge/trace_tree.hpp"
#include "reporting/money.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/reply.hpp"
#include "z0/json/write.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

// ?1: trace id, ?2: tenant, or empty for all.
constexpr std::string_view recorded_of_trace =
    R"(SELECT id, type, subtype, tenant_id, entity_id, amount, currency, seq, recorded_at,
      NULL AS error_code
      FROM ledger_facts
      WHERE trace_id = ?1 AND (?2 = '' OR tenant_id = ?2)
      ORDER BY recorded_at, entity_id, seq
      LIMIT ?3)";
constexpr std::string_view failed_of_trace =
    R"(SELECT id, type, subtype, tenant_id, entity_id, amount, currency, NULL AS seq,
      attempted_at AS recorded_at, data->>'$.error.code' AS error_code
      FROM failed_facts
      WHERE trace_id = ?1 AND (?2 = '' OR tenant_id = ?2)
      ORDER BY attempted_at, entity_id, id
      LIMIT ?3)";
constexpr std::string_view moved_by_trace =
    R"(SELECT type, currency, count(*), CAST(sum(amount / 1000000) AS TEXT),
      CAST(sum(amount % 1000000) AS TEXT)
      FROM ledger_facts
      WHERE trace_id = ?1 AND (?2 = '' OR tenant_id = ?2) AND amount IS NOT NULL
      GROUP BY type, currency
      ORDER BY type, currency)";
constexpr std::string_view failed_by_trace =
    R"(SELECT type, currency, count(*), CAST(sum(amount / 1000000) AS TEXT),
      CAST(sum(amount % 1000000) AS TEXT)
      FROM failed_facts
      WHERE trace_id = ?1 AND (?2 = '' OR tenant_id = ?2) AND amount IS NOT NULL
      GROUP BY type, currency
      ORDER BY type, currency)";
constexpr JsonName fact_columns[] = {"id",     "type",     "subtype", "tenant_id",   "entity_id",
                                     "amount", "currency", "seq",     "recorded_at", "error_code"};
constexpr std::int64_t facts_of_trace_max = 200;

void write_facts(JsonWriter& json, const Rows& rows, std::string_view status) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    json.object();
    for (std::size_t c = 0; c < std::size(fact_columns); ++c) {
      if (rows.at(i, c).kind != Value::Kind::null) write_cell(json, fact_columns[c], rows.at(i, c));
    }
    json.plain("status", status).end();
  }
}

void write_sums(JsonWriter& json, const Rows& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    json.object();
    write_cell(json, "type", rows.at(i, 0));
    write_cell(json, "currency", rows.at(i, 1));
    write_cell(json, "count", rows.at(i, 2));
    Money amount;
    amount.add(rows.at(i, 3), rows.at(i, 4));
    json.raw("amount", amount.decimal()).end();
  }
}

void write_summary(JsonWriter& json, const TraceSummary& trace, std::string_view tenant_id) {
  json.object().hex("trace_id", trace.trace_id).text("operation", trace.operation);
  json.text_if_any("service", trace.service).array("tenants");
  for (const std::string& tenant : trace.tenants) {
    if (tenant_id.empty() || tenant == tenant_id) json.text(tenant);
  }
  json.end().integer("start_us", trace.start_us);
  if (trace.clock == Clock::stood)
    json.null("duration_us");
  else
    json.integer("duration_us", trace.end_us - trace.start_us);
  json.integer("spans", trace.spans).integer("errors", trace.errors);
  json.text_if_any("error_code", trace.error_code).plain("money", money_name(trace.money));
  json.integer("one_in", trace.one_in).end();
}

// The place in each shard from which a search goes on.
using Places = std::vector<std::pair<std::int64_t, std::int64_t>>;

std::string encode_places(const Places& places) {
  std::string bytes;
  ByteWriter out(bytes);
  for (const auto& [segment, index] : places) {
    out.varint(static_cast<std::uint64_t>(segment));
    out.varint(static_cast<std::uint64_t>(index));
  }
  return bytes;
}

bool read_places(std::string_view cursor, std::size_t shards, Places& places) {
  places.assign(shards, {0, 0});
  if (cursor.empty()) return true;
  std::string bytes;
  if (!base64url_decode(cursor, bytes)) return false;
  ByteReader in(bytes);
  for (auto& [segment, index] : places) {
    segment = static_cast<std::int64_t>(in.varint());
    index = static_cast<std::int64_t>(in.varint());
    if (segment < 0 || segment > limits::version_max || index < 0 || index > limits::version_max)
      return false;
  }
  return in.ok() && in.done();
}

// False with the parameter at fault.
bool read_search(const Request& request, SearchRequest& search, std::string_view& wrong) {
  std::int64_t number = 0;
  const std::string_view min_ms = request.parameter("min_ms");
  wrong = "min_ms";
  if (!min_ms.empty() && !parse_number(min_ms, number)) return false;
  if (number > limits::timestamp_ms_max) return false;
  search.min_us = number * 1'000;
  const std::string_view error = request.parameter("error");
  wrong = "error";
  if (!error.empty() && error != "true" && error != "false") return false;
  search.error = error == "true";
  const std::string_view money = request.parameter("money");
  wrong = "money";
  if (money == "moved")
    search.money = MoneyEffect::moved;
  else if (money == "failed")
    search.money = MoneyEffect::failed;
  else if (!money.empty() && money != "any")
    return false;
  search.any_money = money == "any";
  search.operation = request.parameter("operation");
  for (const auto& [name, us] : {std::pair{"from", &search.from_us}, {"to", &search.to_us}}) {
    const std::string_view text = request.parameter(name);
    std::int64_t ms = 0;
    wrong = name;
    if (!text.empty() && !parse_time(text, ms)) return false;
    *us = ms * 1'000;
  }
  wrong = "limit";
  search.limit = static_cast<std::int64_t>(limits::page_traces_default);
  const std::string_view limit = request.parameter("limit");
  if (limit.empty()) return true;
  return parse_number(limit, search.limit) && search.limit >= 1 &&
         search.limit <= static_cast<std::int64_t>(limits::page_traces_max);
}

void refuse_search(const RouteCall& call, std::string_view wrong) {
  if (wrong == "from" || wrong == "to") return reply_bad_time(call.effects, call.context, wrong);
  if (wrong == "error") return reply_bad_value(call.effects, call.context, wrong, "true or false");
  if (wrong == "money")
    return reply_bad_value(call.effects, call.context, wrong, "moved, failed or any");
  reply_error(call.effects, call.context, Status::bad_parameter, wrong);
}

struct ShardFound {
  SearchReply reply;
  std::size_t at = 0;
};

// The newest of all shards, and how far each was gone through. A trace of which spans came late lies in
// two places; it is shown once.
class SearchMerge {
 public:
  SearchMerge(std::vector<ShardFound> shards, std::int64_t limit)
      : shards_(std::move(shards)), limit_(limit) {}

  std::string json(std::string_view tenant_id) {
    std::vector<TraceSummary> page;
    std::map<std::string, std::size_t> known;
    while (static_cast<std::int64_t>(page.size()) < limit_) {
      ShardFound* const next = newest();
      if (next == nullptr) break;
      TraceSummary& trace = next->reply.found[next->at++].trace;
      const auto [place, is_new] = known.emplace(trace.trace_id, page.size());
      if (is_new) {
        page.push_back(std::move(trace));
        continue;
      }
      TraceSummary& first = page[place->second];
      first.spans += trace.spans;
      first.errors += trace.errors;
      first.money = std::max(first.money, trace.money);
    }
    return write(page, tenant_id);
  }

 private:
  ShardFound* newest() {
    ShardFound* found = nullptr;
    for (ShardFound& shard : shards_) {
      if (shard.at == shard.reply.found.size()) continue;
      const auto start = [](const ShardFound& s) { return s.reply.found[s.at].trace.start_us; };
      if (found == nullptr || start(shard) > start(*found)) found = &shard;
    }
    return found;
  }

  std::string write(const std::vector<TraceSummary>& page, std::string_view tenant_id) const {
    std::string out;
    JsonWriter json(out);
    json.object().array("traces");
    for (const TraceSummary& trace : page) write_summary(json, trace, tenant_id);
    json.end();
    Places places;
    bool more = false;
    std::int64_t kept = 0, dropped = 0, refused = 0, exported = 0, lost = 0;
    for (const auto& [reply, at] : shards_) {
      const bool all = at == reply.found.size();
      more = more || !all || reply.more;
      if (!all)
        // Its next one was not shown; a place is the one behind which a search goes on.
        places.emplace_back(reply.found[at].segment, reply.found[at].index + 1);
      else
        places.emplace_back(std::max<std::int64_t>(reply.segment, 1), reply.more ? reply.index : 0);
      kept += reply.kept;
      dropped += reply.dropped;
      refused += reply.spans_refused;
      exported += reply.exported;
      lost += reply.export_lost;
    }
    write_cursor(json, more, encode_places(places));
    json.object("sampling").integer("kept", kept).integer("dropped", dropped);
    json.integer("spans_refused", refused).end();
    json.object("export").integer("spans", exported).integer("lost", lost).end().end();
    return out;
  }

  std::vector<ShardFound> shards_;
  std::int64_t limit_;
};

}  // namespace

void get_traces(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  SearchRequest search;
  std::string_view wrong;
  if (!tenant_for(request, claims, search.tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  if (!read_search(request, search, wrong)) return refuse_search(call, wrong);
  const std::size_t shards = settings_trace_shards(frame.settings);
  Places places;
  if (!read_places(request.parameter("cursor"), shards, places))
    return reply_error(effects, context, Status::bad_parameter, "cursor");
  for (std::size_t shard = 0; shard < shards; ++shard) {
    std::tie(search.segment, search.index) = places[shard];
    effects.need_call(TracesMethod::search, traces_object_name(shard), limits::read_timeout_ms,
                      encode(search));
  }
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, context);
  out.varint(static_cast<std::uint64_t>(search.limit));
  out.short_bytes(search.tenant_id);
  effects.resume(continuation);
}

void resume_traces(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const auto limit = static_cast<std::int64_t>(in.varint());
  const std::string_view tenant_id = in.short_bytes();
  std::vector<ShardFound> shards;
  for (const std::string_view bytes : frame.answers) {
    const CallAnswer answer = parse_call(bytes);
    const Status status = answer.outcome == Z0_OK
                              ? decode_reply(answer.reply, shards.emplace_back().reply)
                              : status_of(answer.outcome);
    if (status != Status::ok) return reply_error(effects, context, status, {});
  }
  reply_json(effects, context, 200, SearchMerge(std::move(shards), limit).json(tenant_id));
}

void get_trace(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  std::string trace_id(trace_id_bytes, '\0');
  if (!valid_trace_id(id) || !from_hex(id, trace_id.data(), trace_id.size()))
    return reply_bad_value(effects, context, "trace_id", "32 hexadecimal digits in small letters");
  const std::size_t shard = traces_shard(trace_id, settings_trace_shards(frame.settings));
  effects.need_call(TracesMethod::get, traces_object_name(shard), limits::read_timeout_ms,
                    encode(TraceRequest{trace_id, claims.tenant_id}));
  resume_with(context, effects);
}

// The spans are known: D1 says which facts name the trace.
void resume_trace(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const CallAnswer answer = first_call(frame);
  TraceRequest request;
  TraceReply reply;
  if (!decode(answer.request, request)) trap("a call comes back with the request that was sent");
  const Status status =
      answer.outcome == Z0_OK ? decode_reply(answer.reply, reply) : status_of(answer.outcome);
  if (status != Status::ok) return reply_error(effects, context, status, {});
  std::string hex;
  append_hex(hex, request.trace_id);
  const Value id = Value::text(hex);
  const Value tenant = Value::text(request.tenant_id);
  const Value limit = Value::of(facts_of_trace_max);
  for (const auto database : databases_for(frame, request.tenant_id)) {
    effects.need_query("z0.d1.query.facts_by_trace", database,
                       {{recorded_of_trace, {id, tenant, limit}},
                        {failed_of_trace, {id, tenant, limit}},
                        {moved_by_trace, {id, tenant}},
                        {failed_by_trace, {id, tenant}}});
  }
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, context, 1);
  out.short_bytes(request.trace_id);
  out.bytes(encode(reply));
  effects.resume(continuation);
}

void resume_trace_facts(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const std::string_view trace_id = in.short_bytes();
  TraceReply reply;
  if (!decode(in.bytes(), reply)) trap("a look-up goes round as it was written");
  std::vector<std::vector<Rows>> databases;
  bool facts = false;
  for (const auto answer : frame.answers) {
    auto& rows = databases.emplace_back(parse_query(answer));
    for (const Rows& one : rows) {
      if (one.failed) return reply_error(effects, context, Status::storage_error, {});
      facts = facts || one.size() > 0;
    }
    if (rows.size() != 4) return reply_error(effects, context, Status::storage_error, {});
  }
  if (reply.spans.empty() && !facts) return reply_error(effects, context, Status::not_found, {});
  std::string out;
  JsonWriter json(out);
  json.object().hex("trace_id", trace_id);
  write_trace(json, trace_id, reply);
  json.array("facts");
  for (const auto& rows : databases) {
    write_facts(json, rows[0], "recorded");
    write_facts(json, rows[1], "failed");
  }
  json.end().object("money").array("moved");
  for (const auto& rows : databases) write_sums(json, rows[2]);
  json.end().array("failed");
  for (const auto& rows : databases) write_sums(json, rows[3]);
  json.end().end().end();
  reply_json(effects, context, 200, out);
}

}  // namespace z0
