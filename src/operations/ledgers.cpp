// GET /v1/ledgers: all ledgers in order of tenant and entity, whichever shard knows them.
//
// Every shard is asked for a page, and the pages are merged: one round of calls, in parallel.
#include <algorithm>

#include "base/sort.hpp"
#include "operations/operations.hpp"
#include "operations/value.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/directory.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

bool read_cursor(std::string_view text, std::string& bytes, ListRequest& list) {
  if (!base64url_decode(text, bytes)) return false;
  ByteReader in(bytes);
  list.after_tenant = in.short_bytes();
  list.after_entity = in.short_bytes();
  return in.ok() && in.done() && valid_id(list.after_tenant) && valid_id(list.after_entity);
}

std::string cursor_of(const ListReply::Row& ledger) {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(ledger.tenant_id);
  out.short_bytes(ledger.entity_id);
  return bytes;
}

bool before(const ListReply::Row& a, const ListReply::Row& b) {
  return a.tenant_id != b.tenant_id ? a.tenant_id < b.tenant_id : a.entity_id < b.entity_id;
}

}  // namespace

void get_ledgers(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  ListRequest list;
  std::string bytes;
  if (!tenant_for(request, claims, list.tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  std::int64_t limit = 0;
  if (!read_limit(request, limit))
    return reply_error(effects, context, Status::bad_parameter, "limit");
  const std::string_view cursor = request.parameter("cursor");
  if (!cursor.empty() && !read_cursor(cursor, bytes, list))
    return reply_error(effects, context, Status::bad_parameter, "cursor");
  // A cursor of another tenant's page must not lead to before the tenant's own ledgers.
  if (!list.tenant_id.empty() && list.after_tenant < list.tenant_id)
    list.after_tenant = list.after_entity = {};
  list.limit = limit + 1;
  for (std::size_t shard = 0; shard < directory_shards; ++shard) {
    effects.need_call(DirectoryMethod::list, directory_shard_name(shard), limits::read_timeout_ms,
                      encode(list));
  }
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, context);
  out.varint(static_cast<std::uint64_t>(limit));
  effects.resume(continuation);
}

void resume_ledgers(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  const auto limit = static_cast<std::size_t>(in.varint());
  std::vector<ListReply::Row> ledgers;
  for (const auto bytes : frame.answers) {
    ListReply reply;
    const Status status = value_in(parse_call(bytes), reply);
    if (status != Status::ok) return reply_error(effects, context, status, {});
    ledgers.insert(ledgers.end(), reply.ledgers.begin(), reply.ledgers.end());
  }
  sort(ledgers.data(), ledgers.data() + ledgers.size(),
       [](const auto& a, const auto& b) { return before(a, b); });
  const bool more = ledgers.size() > limit;
  if (more) ledgers.resize(limit);
  std::string out;
  JsonWriter json(out);
  json.object().array("ledgers");
  for (const auto& ledger : ledgers) {
    json.object().text("entity_id", ledger.entity_id).text("type", ledger_type(ledger.entity_id));
    json.text("tenant_id", ledger.tenant_id).integer("created_at", ledger.created_at).end();
  }
  json.end();
  write_cursor(json, more, more ? cursor_of(ledgers.back()) : std::string());
  json.end();
  reply_json(effects, context, 200, out);
}

}  // namespace z0
