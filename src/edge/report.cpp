// GET /v1/report: the totals of each tenant and the balance of each account, from D1.
//
// Sums are net of corrections. Those of a tenant that are named _cents and those of an account are
// the default currency's; others stand under `other_currencies` by code. Nothing is summed across.
//
// A tenant lies in one database with all its ledgers, so what several databases say of tenants and
// accounts is put side by side.
#include <map>

#include "edge/handlers.hpp"
#include "reporting/money.hpp"
#include "z0/facts/fact.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

// `kind` is the type whose sum an amount belongs to: a correction's is that of the fact that it
// corrects. One from before corrections said so moved what was spent, as in the ledger.
constexpr std::string_view sums_sql =
    R"(SELECT tenant_id, type, coalesce(currency, '') AS code, coalesce(corrects, iif(type =
      'correction', 'charge', type)) AS kind, count(*) AS facts, CAST(coalesce(sum(amount /
      1000000), 0) AS TEXT) AS millions, CAST(coalesce(sum(amount % 1000000), 0) AS TEXT) AS
      rest
      FROM ledger_facts
      WHERE ?1 IS NULL OR tenant_id = ?1
      GROUP BY 1, 2, 3, 4)";
namespace of_sums {
enum Column : std::size_t { tenant_id, type, code, kind, facts, millions, rest };
}
constexpr std::string_view assets_sql =
    R"(SELECT tenant_id, asset_id, count(*) AS facts
      FROM ledger_facts
      WHERE type = 'invocation' AND asset_id IS NOT NULL AND (?1 IS NULL OR tenant_id = ?1)
      GROUP BY 1, 2)";
namespace of_assets {
enum Column : std::size_t { tenant_id, asset_id, facts };
}
// All accounts, those without money too.
constexpr std::string_view accounts_sql =
    R"(SELECT entity_id, coalesce(corrects, iif(type = 'correction', 'charge', type)) AS kind,
      coalesce(currency, '') AS code, CAST(coalesce(sum(amount / 1000000), 0) AS TEXT) AS
      millions, CAST(coalesce(sum(amount % 1000000), 0) AS TEXT) AS rest
      FROM ledger_facts
      WHERE entity_id >= 'acct_' AND entity_id < 'acct`' AND (?1 IS NULL OR tenant_id = ?1)
      GROUP BY 1, 2, 3)";
namespace of_accounts {
enum Column : std::size_t { entity_id, kind, code, millions, rest };
}

struct Sum {
  std::int64_t count = 0;
  Money amount;  // in the default currency, net of corrections
  std::map<std::string_view, Money> others;
};

struct Tenant {
  std::map<std::string_view, Sum> by_type;
  std::map<std::string_view, std::int64_t> assets;
};

bool ours(std::string_view currency) { return currency.empty() || currency == default_currency; }

void write_counts(JsonWriter& json, const std::map<std::string_view, std::int64_t>& counts) {
  json.object();
  for (const auto& [name, count] : counts) json.any_key(name).integer(count);
  json.end();
}

void write_tenant(JsonWriter& json, Tenant& tenant) {
  struct Line {
    std::string_view type, count_name, amount_name;
  };
  constexpr Line lines[] = {{"charge", "charges", "revenue_cents"},
                            {"cost", "costs", "cost_cents"},
                            {"invocation", "invocations", ""},
                            {"outcome", "outcomes", ""},
                            {"payout", "payouts", "payout_cents"}};
  json.object();
  std::map<std::string_view, std::map<std::string_view, Money>> others;
  for (const auto& line : lines) {
    const Sum& sum = tenant.by_type[line.type];
    json.any_key(line.count_name).integer(sum.count);
    if (line.amount_name.empty()) continue;
    json.any_key(line.amount_name).raw(sum.amount.decimal());
    for (const auto& [currency, amount] : sum.others) others[currency][line.type] = amount;
  }
  write_counts(json.key("top_assets"), tenant.assets);
  if (!others.empty()) {
    json.object("other_currencies");
    for (const auto& [currency, amounts] : others) {
      json.any_key(currency).object();
      for (const auto& [type, amount] : amounts) json.any_key(type).raw(amount.decimal());
      json.end();
    }
    json.end();
  }
  json.end();
}

// An account in one currency, each sum with its corrections, as the cached state BudgetState has it.
struct Balance {
  Money credits, deposited, spent;

  Money& of(FactType type) {
    if (type == FactType::credit_issued) return credits;
    return type == FactType::deposit ? deposited : spent;
  }
};
struct Account {
  Balance balance;  // in the default currency
  std::map<std::string_view, Balance> others;
};
using Accounts = std::map<std::string_view, Account>;

void add_accounts(const Rows& rows, Accounts& accounts) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Account& account = accounts[rows.at(i, of_accounts::entity_id).bytes];
    const FactType type = type_of(rows.at(i, of_accounts::kind).bytes);
    const std::string_view currency = rows.at(i, of_accounts::code).bytes;
    if (type != FactType::credit_issued && type != FactType::deposit && type != FactType::charge)
      continue;
    Balance& balance = ours(currency) ? account.balance : account.others[currency];
    balance.of(type).add(rows.at(i, of_accounts::millions), rows.at(i, of_accounts::rest));
  }
}

void write_balance(JsonWriter& json, const Balance& balance) {
  Money remaining = balance.deposited;
  remaining.add(balance.credits);
  remaining.subtract(balance.spent);
  json.raw("credits", balance.credits.decimal()).raw("deposited", balance.deposited.decimal());
  json.raw("remaining", remaining.decimal()).raw("spent", balance.spent.decimal());
}

void write_accounts(JsonWriter& json, const Accounts& accounts) {
  json.object("accounts");
  for (const auto& [id, account] : accounts) {
    json.any_key(id).object();
    write_balance(json, account.balance);
    if (!account.others.empty()) json.object("other_currencies");
    for (const auto& [currency, balance] : account.others) {
      json.any_key(currency).object();
      write_balance(json, balance);
      json.end();
    }
    if (!account.others.empty()) json.end();
    json.end();
  }
  json.end();
}

}  // namespace

void get_report(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  std::string_view tenant_id;
  if (!tenant_for(request, claims, tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  const Value tenant = Value::text_or_null(tenant_id);
  for (const auto database : databases_for(frame, tenant_id)) {
    effects.need_query("z0.d1.query.report", database,
                       {{sums_sql, {tenant}}, {assets_sql, {tenant}}, {accounts_sql, {tenant}}});
  }
  resume_with(context, effects);
}

void resume_report(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  std::map<std::string_view, Tenant> tenants;
  std::map<std::string_view, std::int64_t> by_type;
  Accounts accounts;
  for (const auto answer : frame.answers) {
    const auto rows = parse_query(answer);
    if (rows.size() != 3 || rows[0].failed || rows[1].failed || rows[2].failed)
      return reply_error(effects, context, Status::storage_error, {});
    const Rows& sums = rows[0];
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::string_view type = sums.at(i, of_sums::type).bytes;
      const std::string_view currency = sums.at(i, of_sums::code).bytes;
      Tenant& tenant = tenants[sums.at(i, of_sums::tenant_id).bytes];
      tenant.by_type[type].count += sums.at(i, of_sums::facts).integer;
      by_type[type] += sums.at(i, of_sums::facts).integer;
      Sum& sum = tenant.by_type[sums.at(i, of_sums::kind).bytes];
      (ours(currency) ? sum.amount : sum.others[currency])
          .add(sums.at(i, of_sums::millions), sums.at(i, of_sums::rest));
    }
    const Rows& assets = rows[1];
    for (std::size_t i = 0; i < assets.size(); ++i)
      tenants[assets.at(i, of_assets::tenant_id).bytes]
          .assets[assets.at(i, of_assets::asset_id).bytes] +=
          assets.at(i, of_assets::facts).integer;
    add_accounts(rows[2], accounts);
  }
  std::string out;
  JsonWriter json(out);
  json.object();
  write_accounts(json, accounts);
  write_counts(json.key("recorded_by_type"), by_type);
  json.object("tenants");
  for (auto& [tenant_id, tenant] : tenants) write_tenant(json.any_key(tenant_id), tenant);
  json.end().end();
  reply_json(effects, context, 200, out);
}

}  // namespace z0
