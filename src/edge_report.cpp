// GET /v1/report: the totals of each tenant and the balance of each account, from D1.
//
// Sums travel as text: JavaScript would round what is above 2^53. Money is summed in each currency
// apart. The members named _cents are the default currency's; where a tenant has others, they stand
// under `other_currencies` by code.
#include <map>

#include "edge_http.hpp"
#include "z0/fact.hpp"
#include "z0/json.hpp"

namespace z0 {
namespace {

constexpr std::string_view sums_sql =
    "SELECT tenant_id, type, coalesce(currency, ''), count(*), CAST(coalesce(sum(amount), 0) AS "
    "TEXT) FROM ledger_facts "
    "WHERE ?1 IS NULL OR tenant_id = ?1 GROUP BY 1, 2, 3";
constexpr std::string_view assets_sql =
    "SELECT tenant_id, asset_id, count(*) FROM ledger_facts WHERE type = 'invocation' AND asset_id "
    "IS NOT "
    "NULL AND (?1 IS NULL OR tenant_id = ?1) GROUP BY 1, 2";
// spent is charges plus corrections of them (domain.md section 5).
constexpr std::string_view accounts_sql =
    "SELECT entity_id, CAST(sum(CASE type WHEN 'credit_issued' THEN amount ELSE 0 END) AS TEXT), "
    "CAST(sum(CASE type WHEN 'deposit' THEN amount ELSE 0 END) AS TEXT), CAST(sum(CASE WHEN type "
    "IN "
    "('charge', 'correction') THEN coalesce(amount, 0) ELSE 0 END) AS TEXT) FROM ledger_facts "
    "WHERE entity_id >= 'acct_' AND entity_id < 'acct`' "
    "AND coalesce(currency, 'USD') = 'USD' AND (?1 IS NULL OR tenant_id = ?1) GROUP BY 1";

// A sum as the database wrote it. What 64 bits cannot hold made the statement fail before.
std::int64_t number(const Value& v) {
  std::int64_t sum = 0;
  const bool negative = v.bytes.starts_with('-');
  for (const char c : v.bytes.substr(negative ? 1 : 0)) sum = sum * 10 + (c - '0');
  return negative ? -sum : sum;
}

struct Sum {
  std::int64_t count = 0;
  std::int64_t amount = 0;  // in the default currency
  std::map<std::string_view, std::int64_t> others;
};

struct Tenant {
  std::map<std::string_view, Sum> by_type;
  std::map<std::string_view, std::int64_t> assets;
};

void append_key(std::string& json, std::string_view key) {
  if (json.back() != '{') json += ',';
  append_json_string(json, key);
  json += ':';
}

void append_counts(std::string& json, const std::map<std::string_view, std::int64_t>& counts) {
  json += '{';
  for (const auto& [name, count] : counts) {
    append_key(json, name);
    json += std::to_string(count);
  }
  json += '}';
}

void append_tenant(std::string& json, Tenant& tenant) {
  struct Line {
    std::string_view type, count_name, amount_name;
  };
  constexpr Line lines[] = {{"charge", "charges", "revenue_cents"},
                            {"cost", "costs", "cost_cents"},
                            {"invocation", "invocations", ""},
                            {"outcome", "outcomes", ""},
                            {"payout", "payouts", "payout_cents"}};
  json += '{';
  std::map<std::string_view, std::map<std::string_view, std::int64_t>> others;
  for (const auto& line : lines) {
    const Sum& sum = tenant.by_type[line.type];
    append_key(json, line.count_name);
    json += std::to_string(sum.count);
    if (line.amount_name.empty()) continue;
    append_key(json, line.amount_name);
    json += std::to_string(sum.amount);
    for (const auto& [currency, amount] : sum.others) others[currency][line.type] = amount;
  }
  append_key(json, "top_assets");
  append_counts(json, tenant.assets);
  if (!others.empty()) {
    append_key(json, "other_currencies");
    json += '{';
    for (const auto& [currency, amounts] : others) {
      append_key(json, currency);
      append_counts(json, amounts);
    }
    json += '}';
  }
  json += '}';
}

std::string accounts_json(const Rows& rows) {
  std::string json = "{";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t credits = number(rows.at(i, 1));
    const std::int64_t deposited = number(rows.at(i, 2));
    const std::int64_t spent = number(rows.at(i, 3));
    append_key(json, rows.at(i, 0).bytes);
    json +=
        "{\"credits\":" + std::to_string(credits) + ",\"deposited\":" + std::to_string(deposited);
    json += ",\"remaining\":" + std::to_string(deposited + credits - spent);
    json += ",\"spent\":" + std::to_string(spent) + '}';
  }
  return json + '}';
}

}  // namespace

void get_report(const Request& request, const Claims& claims, const Context& context,
                Effects& effects) {
  std::string_view tenant_id;
  if (!tenant_for(request, claims, tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  const Value tenant = Value::text_or_null(tenant_id);
  effects.need_query({{sums_sql, {tenant}}, {assets_sql, {tenant}}, {accounts_sql, {tenant}}});
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, Operation::report, context);
  effects.resume(Z0_FRAME_RESUME, continuation);
}

void resume_report(const Context& context, const Frame& frame, Effects& effects) {
  const auto answers = parse_query(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  if (answers.size() != 3 || answers[0].failed || answers[1].failed || answers[2].failed) {
    return reply_error(effects, context, Status::storage_error, {});
  }
  std::map<std::string_view, Tenant> tenants;
  std::map<std::string_view, std::int64_t> by_type;
  const Rows& sums = answers[0];
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::string_view type = sums.at(i, 1).bytes;
    const std::string_view currency = sums.at(i, 2).bytes;
    Sum& sum = tenants[sums.at(i, 0).bytes].by_type[type];
    sum.count += sums.at(i, 3).integer;
    by_type[type] += sums.at(i, 3).integer;
    if (currency.empty() || currency == default_currency)
      sum.amount += number(sums.at(i, 4));
    else
      sum.others[currency] += number(sums.at(i, 4));
  }
  const Rows& assets = answers[1];
  for (std::size_t i = 0; i < assets.size(); ++i) {
    tenants[assets.at(i, 0).bytes].assets[assets.at(i, 1).bytes] = assets.at(i, 2).integer;
  }
  std::string json = "{\"accounts\":" + accounts_json(answers[2]) + ",\"recorded_by_type\":";
  append_counts(json, by_type);
  json += ",\"tenants\":{";
  for (auto& [tenant_id, tenant] : tenants) {
    append_key(json, tenant_id);
    append_tenant(json, tenant);
  }
  reply_json(effects, context, 200, json + "}}");
}

}  // namespace z0
