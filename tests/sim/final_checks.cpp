#include "final_checks.hpp"

#include <algorithm>
#include <set>

#include "replay.hpp"
#include "scene.hpp"
#include "z0/base/ids.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/http/token.hpp"

namespace z0::sim {
namespace {

constexpr const char* columns[] = {
    "id",       "type",        "subtype", "timestamp",   "tenant_id", "entity_id",      "source_id",
    "asset_id", "campaign_id", "tool_id", "user_id",     "config_id", "config_version", "amount",
    "currency", "trace_id",    "seq",     "recorded_at", "corrects"};

// A config begins the ledger that it is pushed to, and a fact that was refused has registered one.
bool may_exist(const Model& model, const LedgerModel& ledger) {
  if (ledger.entity_id == alerts_ledger) return true;
  for (const auto& [config_id, config] : model.configs()) {
    const bool concerns = config.scope == "platform" || config.applies_to == ledger.entity_id ||
                          (config.scope == "tenant" && config.tenant_id == ledger.tenant_id);
    if (concerns && !config.submitted.empty()) return true;
  }
  return !ledger.nameless.empty() ||
         std::any_of(ledger.entries.begin(), ledger.entries.end(), [](const auto& entry) {
           return entry.second.acknowledged || !entry.second.possible.empty();
         });
}

void read_ledgers(Scene& scene) {
  for (const auto& [entity_id, ledger] : scene.model.ledgers()) {
    const auto reply = scene.world.request("GET", "/v1/facts/" + entity_id,
                                           scene.world.authorization({}, scope_facts_read), {});
    if (reply.status == 404)
      hold(ledger.by_seq.empty(), "what was acknowledged is there", entity_id);
    else
      hold(may_exist(scene.model, ledger), "a ledger begins with a fact", entity_id);
    if (reply.status != 404) scene.read(entity_id);
  }
  for (const auto& [config_id, config] : scene.model.configs()) {
    const auto reply = scene.world.request("GET", "/v1/facts/" + config_id,
                                           scene.world.authorization({}, scope_facts_read), {});
    if (reply.status == 404)
      hold(config.acknowledged.empty(), "what was acknowledged is there", config_id);
    else
      scene.read(config_id);
  }
}

void numbers_are_dense(Scene& scene) {
  for (const auto& [entity_id, facts] : scene.ledgers) {
    std::int64_t seq = 0;
    std::int64_t recorded_at = 0;
    for (const Json& fact : facts) {
      hold(fact.at("seq") == ++seq, "sequence numbers are dense", entity_id + " " + fact.dump());
      hold(fact.at("recorded_at") >= recorded_at, "commit time never runs back",
           entity_id + " " + fact.dump());
      recorded_at = fact.at("recorded_at");
    }
  }
}

// Each fact of a ledger was submitted, once; each acknowledged one is there.
void ledgers_hold_what_was_submitted(Scene& scene) {
  for (const auto& [entity_id, facts] : scene.ledgers) {
    // What z0 itself records is judged by pages_checks.cpp.
    if (scene.model.configs().contains(entity_id) || entity_id == alerts_ledger) continue;
    const LedgerModel& ledger = scene.model.ledgers().at(entity_id);
    std::set<std::string> ids;
    // Those that say most first: one that leaves its time to z0 would pass for another's fact.
    std::vector<Json> nameless = ledger.nameless;
    std::stable_sort(nameless.begin(), nameless.end(),
                     [](const Json& a, const Json& b) { return a.size() > b.size(); });
    for (const Json& fact : facts) {
      const std::string id = fact.at("id");
      hold(ids.insert(id).second, "an id is recorded once", entity_id + " " + id);
      if (is_config_version(fact) || fact.at("type") == "reconciliation") continue;
      if (ledger.entries.contains(id)) {
        check_fact(ledger, id, fact);
        continue;
      }
      const auto found = std::find_if(nameless.begin(), nameless.end(), [&](const Json& given) {
        Json shown = without_numbers(fact, given);
        shown.erase("id");
        return shown == given;
      });
      hold(found != nameless.end(), "nothing is recorded that was not submitted",
           entity_id + " " + fact.dump());
      nameless.erase(found);
    }
    for (const auto& [seq, id] : ledger.by_seq)
      hold(ids.contains(id), "what was acknowledged is there", entity_id + " " + id);
  }
}

void d1_holds_each_fact_once(Scene& scene) {
  std::string sql = "SELECT ";
  for (const char* column : columns) sql += std::string(column) + ", ";
  const auto answer =
      scene.world.d1().run({sql + "data FROM ledger_facts ORDER BY entity_id, seq", {}});
  const Rows& rows = answer->rows;
  std::size_t row = 0;
  for (const auto& [entity_id, facts] : scene.ledgers) {
    for (const Json& fact : facts) {
      const std::string where = entity_id + " " + fact.dump();
      hold(row < rows.size() && rows.at(row, 5).bytes == entity_id &&
               rows.at(row, 16).integer == fact.at("seq"),
           "D1 holds each fact once", where);
      for (std::size_t c = 0; c < std::size(columns); ++c) {
        const Value& cell = rows.at(row, c);
        const Json value = cell.kind == Value::Kind::null      ? Json()
                           : cell.kind == Value::Kind::integer ? Json(cell.integer)
                                                               : Json(std::string(cell.bytes));
        hold(value == fact.value(columns[c], Json()), "D1 shows what the ledger holds",
             where + " in " + columns[c]);
      }
      hold(Json::parse(rows.at(row, std::size(columns)).bytes) == fact.at("data"),
           "D1 shows what the ledger holds", where + " in data");
      ++row;
    }
  }
  hold(row == rows.size(), "D1 holds nothing that no ledger holds",
       std::to_string(rows.size() - row) + " rows");
}

void heads_are_at_the_end(Scene& scene) {
  std::size_t heads = 0;
  for (const auto& [entity_id, facts] : scene.ledgers) {
    const auto answer = scene.world.d1().run(
        {"SELECT contiguous_seq, tenant_id FROM ledger_heads WHERE entity_id = ?1",
         {Value::text(entity_id)}});
    const auto last = static_cast<std::int64_t>(facts.size());
    hold(answer->rows.size() == 1 && answer->rows.at(0, 0).integer == last &&
             answer->rows.at(0, 1).bytes == scene.model.tenant_of(entity_id),
         "a head is at its last fact", entity_id);
    const Json head = get(scene.world, "/v1/entities/" + entity_id);
    hold(head.at("seq") == last && head.at("replicated_seq") == last,
         "a ledger knows that D1 has everything", head.dump());
    std::map<std::string, std::int64_t> counts;
    for (const Json& fact : facts) ++counts[fact.at("type")];
    hold(head.at("counts") == Json(counts), "a ledger counts its facts", head.dump());
    ++heads;
  }
  const auto all = scene.world.d1().run({"SELECT count(*) FROM ledger_heads", {}});
  hold(all->rows.at(0, 0).integer == static_cast<std::int64_t>(heads), "each ledger has one head",
       "ledger_heads");
}

void nothing_waits(Scene& scene) {
  const auto runs = scene.world.d1().run({"SELECT entity_id FROM ledger_runs LIMIT 1", {}});
  hold(runs->rows.size() == 0, "no run waits for a gap that is closed",
       runs->rows.size() == 0 ? "" : std::string(runs->rows.at(0, 0).bytes));
}

void failures_are_on_record(Scene& scene) {
  const auto answer = scene.world.d1().run(
      {"SELECT entity_id, id, attempted_at, data->>'$.error.code', trace_id FROM failed_facts",
       {}});
  std::set<AttemptKey> kept;
  for (std::size_t i = 0; i < answer->rows.size(); ++i) {
    const Rows& r = answer->rows;
    const AttemptKey key{std::string(r.at(i, 0).bytes), std::string(r.at(i, 1).bytes),
                         r.at(i, 2).integer};
    kept.insert(key);
    const AttemptKey nameless{std::get<0>(key), "", std::get<2>(key)};
    hold(scene.model.possible_attempts().contains(key) ||
             scene.model.possible_attempts().contains(nameless),
         "no attempt without a failure", std::get<0>(key) + " " + std::get<1>(key));
    const auto codes = scene.model.codes().find(key);
    const std::string code(r.at(i, 3).bytes);
    hold(!code.empty() && r.at(i, 4).bytes.size() == 32 &&
             (codes == scene.model.codes().end() || codes->second.contains(code) ||
              codes->second.contains("")),
         "an attempt says why", std::get<1>(key) + " " + code);
  }
  for (const AttemptKey& key : scene.model.attempts()) {
    hold(kept.contains(key), "each failure that was answered is on record",
         std::get<0>(key) + " " + std::get<1>(key) + " " + std::to_string(std::get<2>(key)));
  }
}

void garbage_is_kept(Scene& scene) {
  const auto rows = scene.world.d1().run({"SELECT count(*) FROM dead_letters", {}});
  const auto kept = static_cast<std::uint64_t>(rows->rows.at(0, 0).integer);
  hold(kept >= scene.garbage.kept && kept <= scene.garbage.sent, "what nobody can read is kept",
       std::to_string(kept) + " dead letters");
}

// The type whose sum the amount of a fact belongs to, by the facts of its ledger.
std::string kind_of(const Json& fact, const std::map<std::string, Json>& by_id) {
  Json behind = fact;
  while (behind.at("type") == "correction") behind = by_id.at(behind.at("source_id"));
  return behind.at("type");
}

// What a ledger's facts add up to.
struct Totals {
  std::map<std::string, std::int64_t> counts;                       // by type
  std::map<std::string, std::map<std::string, std::int64_t>> sums;  // by currency and type
};

Totals totals_of(const std::vector<Json>& facts) {
  Totals totals;
  std::map<std::string, Json> by_id;
  for (const Json& fact : facts) by_id[fact.at("id")] = fact;
  for (const Json& fact : facts) {
    ++totals.counts[fact.at("type")];
    if (!fact.contains("amount")) continue;
    const std::string kind = kind_of(fact, by_id);
    const bool corrects = fact.at("type") == "correction";
    hold(fact.value("corrects", "") == (corrects ? kind : ""), "a correction says what it corrects",
         fact.dump());
    totals.sums[fact.at("currency")][kind] += fact.at("amount").get<std::int64_t>();
  }
  return totals;
}

Json balance_of(std::map<std::string, std::int64_t> sums) {
  return {{"deposited", sums["deposit"]},
          {"credits", sums["credit_issued"]},
          {"spent", sums["charge"]},
          {"remaining", sums["deposit"] + sums["credit_issued"] - sums["charge"]}};
}

// Money from the facts as their ledgers show them, added up by type and currency.
void the_report_adds_up(Scene& scene) {
  Json accounts = Json::object();
  std::map<std::string, Totals> tenants;
  Json by_type = Json::object();
  for (const auto& [entity_id, facts] : scene.ledgers) {
    if (facts.empty()) continue;
    Totals totals = totals_of(facts);
    Totals& tenant = tenants[facts[0].at("tenant_id")];
    for (const auto& [type, count] : totals.counts) {
      tenant.counts[type] += count;
      by_type[type] = by_type.value(type, std::int64_t{0}) + count;
    }
    for (const auto& [currency, sums] : totals.sums) {
      for (const auto& [type, sum] : sums) tenant.sums[currency][type] += sum;
    }
    if (!entity_id.starts_with("acct_")) continue;
    Json& account = accounts[entity_id] = balance_of(totals.sums["USD"]);
    for (const auto& [currency, sums] : totals.sums) {
      const bool moves =
          sums.contains("deposit") || sums.contains("credit_issued") || sums.contains("charge");
      if (currency != "USD" && moves) account["other_currencies"][currency] = balance_of(sums);
    }
  }
  const Json report = get(scene.world, "/v1/report");
  hold(report.at("accounts") == accounts, "the report's balances are those of the facts",
       report.at("accounts").dump() + " instead of " + accounts.dump());
  hold(report.at("recorded_by_type") == by_type, "the report counts each fact once", report.dump());
  for (auto& [tenant_id, totals] : tenants) {
    const Json& shown = report.at("tenants").at(tenant_id);
    const std::map<std::string, std::int64_t> right = {
        {"charges", totals.counts["charge"]},       {"costs", totals.counts["cost"]},
        {"payouts", totals.counts["payout"]},       {"invocations", totals.counts["invocation"]},
        {"outcomes", totals.counts["outcome"]},     {"revenue_cents", totals.sums["USD"]["charge"]},
        {"cost_cents", totals.sums["USD"]["cost"]}, {"payout_cents", totals.sums["USD"]["payout"]}};
    for (const auto& [name, total] : right)
      hold(shown.at(name) == total, "the report's totals are those of the facts",
           tenant_id + " " + name + ": " + shown.dump());
    for (auto& [currency, sums] : totals.sums) {
      for (const char* type : {"charge", "cost", "payout"}) {
        if (currency == "USD" || !sums.contains(type)) continue;
        hold(shown.at("other_currencies").at(currency).at(type) == sums[type],
             "the report has each currency", tenant_id + " " + currency + ": " + shown.dump());
      }
    }
  }
}

// In this order: the first reads what the others compare with.
constexpr void (*checks[])(Scene&) = {read_ledgers,
                                      numbers_are_dense,
                                      ledgers_hold_what_was_submitted,
                                      d1_holds_each_fact_once,
                                      heads_are_at_the_end,
                                      nothing_waits,
                                      failures_are_on_record,
                                      garbage_is_kept,
                                      the_report_adds_up,
                                      roots_are_those_of_the_facts,
                                      configs_are_their_versions,
                                      ledgers_decided_rightly,
                                      reconciliations_are_due,
                                      everything_is_proven,
                                      the_directory_knows_all};

}  // namespace

Json get(world::World& world, const std::string& url) {
  const auto reply =
      world.request("GET", url, world.authorization({}, scope_facts_read | scope_ops), {});
  hold(reply.status == 200, "who looks sees",
       url + ": " + std::to_string(reply.status) + " " + reply.body);
  return Json::parse(reply.body);
}

std::vector<std::string> listed_ledgers(world::World& world) {
  std::vector<std::string> listed;
  for (std::string at = "?limit=3"; !at.empty();) {
    const Json page = get(world, "/v1/ledgers" + at);
    for (const Json& ledger : page.at("ledgers")) listed.push_back(ledger.at("entity_id"));
    const Json& cursor = page.at("cursor");
    at = cursor.is_null() ? "" : "?limit=3&cursor=" + cursor.get<std::string>();
  }
  return listed;
}

void check_fact(const LedgerModel& ledger, const std::string& id, const Json& shown) {
  const Entry& entry = ledger.entries.at(id);
  const std::string where = ledger.entity_id + " " + shown.dump();
  if (entry.acknowledged) {
    hold(shown.at("seq") == entry.acknowledged->seq &&
             shown.at("recorded_at") == entry.acknowledged->recorded_at,
         "a receipt never changes", where);
  }
  for (std::size_t i = 0; i < entry.versions.size(); ++i) {
    const bool may_be =
        entry.acknowledged ? entry.acknowledged->version == i : entry.possible.contains(i);
    const Json& given = entry.versions[i];
    if (may_be && without_numbers(shown, given) == given) return;
  }
  throw Broken("a fact is what was submitted", where);
}

void check_everything(world::World& world, const Model& model, const Garbage& garbage) {
  Scene scene{world, model, garbage, {}, {}};
  for (const auto check : checks) check(scene);
}

}  // namespace z0::sim
