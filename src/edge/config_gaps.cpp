// GET /v1/configs/gaps: what the reporting copy lacks of configs.
//
// A gap is a version whose predecessor is missing, or a fact that names a version which its ledger
// does not know. Either means that a message was lost, or that a caller names what nobody decided.
#include "edge/handlers.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

constexpr std::string_view missing_sql =
    R"(SELECT tenant_id, config_id, config_version, before
      FROM (SELECT tenant_id, config_id, config_version, lag(config_version, 1, 0) OVER
      (PARTITION BY config_id ORDER BY config_version) AS before FROM ledger_facts WHERE type
      = 'lifecycle' AND subtype = 'config_updated' AND entity_id = config_id AND (?1 IS NULL
      OR tenant_id = ?1))
      WHERE config_version > before + 1
      ORDER BY 2, 3
      LIMIT ?2)";
// Both sides are read once; the comparison is by an index that SQLite makes for the statement.
constexpr std::string_view unknown_sql =
    R"(SELECT tenant_id, config_id, config_version, entity_id, count(*), min(seq)
      FROM ledger_facts
      WHERE config_id IS NOT NULL AND (?1 IS NULL OR tenant_id = ?1) AND (entity_id,
      config_id, config_version) NOT IN (SELECT entity_id, config_id, config_version FROM
      ledger_facts WHERE type = 'lifecycle' AND subtype = 'config_updated' AND config_id IS
      NOT NULL AND (?1 IS NULL OR tenant_id = ?1))
      GROUP BY 1, 2, 3, 4
      ORDER BY 2, 3, 4
      LIMIT ?2)";

void write_rows(JsonWriter& json, const Rows& rows, std::initializer_list<JsonName> names) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    json.object();
    std::size_t column = 0;
    for (const auto name : names) write_cell(json, name, rows.at(row, column++));
    json.end();
  }
}

}  // namespace

void get_config_gaps(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  std::string_view tenant_id;
  if (!tenant_for(request, claims, tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  const Value tenant = Value::text_or_null(tenant_id);
  const Value limit = Value::of(static_cast<std::int64_t>(limits::page_facts_max));
  for (const auto database : databases_for(frame, tenant_id)) {
    effects.need_query("z0.d1.query.config_gaps", database,
                       {{missing_sql, {tenant, limit}}, {unknown_sql, {tenant, limit}}});
  }
  resume_with(context, effects);
}

void resume_config_gaps(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  // Two lists that grow side by side, since each database tells of both.
  std::string missing;
  std::string unknown;
  {
    JsonWriter missing_json(missing);
    JsonWriter unknown_json(unknown);
    for (const auto answer : frame.answers) {
      const auto rows = parse_query(answer);
      if (rows.size() != 2 || rows[0].failed || rows[1].failed)
        return reply_error(effects, context, Status::storage_error, {});
      write_rows(missing_json, rows[0], {"tenant_id", "config_id", "version", "previous_version"});
      write_rows(unknown_json, rows[1],
                 {"tenant_id", "config_id", "config_version", "entity_id", "facts", "first_seq"});
    }
  }
  std::string out;
  JsonWriter json(out);
  json.object().array("missing").parts(missing).end();
  json.array("unknown").parts(unknown).end().end();
  reply_json(effects, context, 200, out);
}

}  // namespace z0
