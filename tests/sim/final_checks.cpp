#include "final_checks.hpp"

#include <algorithm>
#include <set>

#include "replay.hpp"
#include "scene.hpp"
#include "z0/base/ids.hpp"
#include "z0/http/token.hpp"

namespace z0::sim {
namespace {

constexpr const char* columns[] = {
    "id",       "type",        "subtype", "timestamp",  "tenant_id", "entity_id",      "source_id",
    "asset_id", "campaign_id", "tool_id", "user_id",    "config_id", "config_version", "amount",
    "currency", "trace_id",    "seq",     "recorded_at"};

bool may_exist(const Model& model, const LedgerModel& ledger) {
  for (const auto& [config_id, config] : model.configs()) {
    if (config.applies_to == ledger.entity_id && !config.submitted.empty()) return true;
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
    if (scene.model.configs().contains(entity_id)) continue;
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

// Money from the facts as their ledgers show them, added up by type.
void the_report_adds_up(Scene& scene) {
  Json accounts = Json::object();
  std::map<std::string, std::int64_t> by_type;
  std::map<std::string, std::map<std::string, std::int64_t>> tenants;
  for (const auto& [entity_id, facts] : scene.ledgers) {
    std::int64_t deposited = 0, credits = 0, spent = 0;
    bool seen = false;
    for (const Json& fact : facts) {
      const std::string type = fact.at("type");
      ++by_type[type];
      const bool ours = fact.value("currency", "USD") == "USD";
      seen = seen || ours;
      const std::int64_t amount = ours ? fact.value("amount", std::int64_t{0}) : 0;
      if (type == "deposit") deposited += amount;
      if (type == "credit_issued") credits += amount;
      if (type == "charge" || type == "correction") spent += amount;
      auto& totals = tenants[fact.at("tenant_id")];
      if (type == "charge") ++totals["charges"], totals["revenue_cents"] += amount;
      if (type == "cost") ++totals["costs"], totals["cost_cents"] += amount;
      if (type == "payout") ++totals["payouts"], totals["payout_cents"] += amount;
      if (type == "invocation") ++totals["invocations"];
      if (type == "outcome") ++totals["outcomes"];
    }
    if (!seen || !entity_id.starts_with("acct_")) continue;
    accounts[entity_id] = {{"deposited", deposited},
                           {"credits", credits},
                           {"spent", spent},
                           {"remaining", deposited + credits - spent}};
  }
  const Json report = get(scene.world, "/v1/report");
  hold(report.at("accounts") == accounts, "the report's balances are those of the facts",
       report.at("accounts").dump() + " instead of " + accounts.dump());
  hold(report.at("recorded_by_type") == Json(by_type), "the report counts each fact once",
       report.dump());
  for (const auto& [tenant_id, totals] : tenants) {
    for (const auto& [name, total] : totals) {
      hold(report.at("tenants").at(tenant_id).value(name, std::int64_t{0}) == total,
           "the report's totals are those of the facts", tenant_id + " " + name);
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
