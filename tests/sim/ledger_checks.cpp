// The final checks that go through each ledger's facts: trees, budgets, lifecycles, balances.
#include <algorithm>
#include <set>

#include "replay.hpp"
#include "scene.hpp"
#include "tree.hpp"
#include "z0/base/base64.hpp"

namespace z0::sim {
namespace {

bool is_charge(const std::vector<Json>& facts, const std::string& id) {
  return std::any_of(facts.begin(), facts.end(), [&](const Json& fact) {
    return fact.value("id", "") == id && fact.at("type") == "charge";
  });
}

// At the beginning of a ledger the budgets of its tenant bind before they are in it.
bool may_bind_at_first(const Model& model, const StateRefusal& refusal) {
  if (refusal.from > 0 || refusal.status != "budget_exhausted") return false;
  const std::string currency = refusal.fact.value("currency", "USD");
  std::int64_t spent = refusal.fact.at("amount");
  for (const Json& before : refusal.before) {
    const bool charges =
        before.at("type") == "charge" ||
        (before.at("type") == "correction" && before.value("source_id", "") != "" &&
         is_charge(refusal.before, before.at("source_id")));
    if (charges && before.value("currency", "USD") == currency)
      spent += before.value("amount", std::int64_t{0});
  }
  for (const auto& [id, config] : model.configs()) {
    const bool concerns =
        config.scope == "platform" ||
        (config.scope == "tenant" && config.tenant_id == refusal.fact.at("tenant_id"));
    for (const Json& s : config.submitted) {
      if (concerns && s.at("enforce") && s.at("currency") == currency && s.at("limit") < spent)
        return true;
    }
  }
  return false;
}

bool right_at(const Replay& replay, const StateRefusal& refusal) {
  const std::int64_t now = std::max(refusal.clock_ms, replay.recorded_at());
  Replay then = replay;
  std::set<std::string> ids;
  for (Json before : refusal.before) {
    // What a batch sends twice counts once.
    if (before.contains("id") && !ids.insert(before.at("id")).second) continue;
    before["recorded_at"] = now;
    then.apply(before);
  }
  return then.verdict(refusal.fact, now) == refusal.status;
}

// Refusals that were right at this moment need no other.
void judge_refusals(std::vector<StateRefusal>& open, const Replay& replay, std::int64_t seq) {
  std::erase_if(open, [&](const StateRefusal& refusal) {
    return refusal.from <= seq && seq <= refusal.to && right_at(replay, refusal);
  });
}

void check_stamp(const Scene& scene, const std::string& entity_id, const Replay& before,
                 const Json& fact) {
  if (fact.at("type") != "charge" || fact.value("config_id", "") == "cfg_named") return;
  const std::string config_id = before.stamp_of(fact.value("currency", "USD"));
  const std::string where = entity_id + " " + fact.dump();
  if (config_id.empty()) return hold(!fact.contains("config_id"), "no stamp without budget", where);
  hold(fact.value("config_id", "") == config_id &&
           fact.value("config_version", 0) == before.configs().at(config_id).version,
       "a charge names the budget in force", where);
  hold(scene.model.configs().contains(config_id), "a budget was made by somebody", where);
}

Json state_of(world::World& world, const std::string& entity_id, const std::string& as_of) {
  return get(world, "/v1/entities/" + entity_id + "/state?cache=BudgetState" + as_of);
}

void check_state(Scene& scene, const std::string& entity_id, const std::string& as_of,
                 const Replay& replay, std::int64_t seq) {
  const Json shown = state_of(scene.world, entity_id, as_of);
  hold(shown.at("seq") == seq, "a state says as of which fact", entity_id + as_of + shown.dump());
  replay.check_budget_state(shown.at("state"), shown.at("computed_at"), true, entity_id + as_of);
}

void knows_the_configs(const Scene& scene, const std::string& entity_id, const Replay& replay) {
  if (replay.lifecycle() == "retired") return;
  const std::string tenant = scene.model.tenant_of(entity_id);
  for (const auto& [id, config] : scene.model.configs()) {
    const bool concerns = config.scope == "platform" || config.applies_to == entity_id ||
                          (config.scope == "tenant" && config.tenant_id == tenant);
    if (!concerns || config.distributed == 0) continue;
    const auto known = replay.configs().find(id);
    hold(known != replay.configs().end() && known->second.version >= config.distributed,
         "a budget reaches each ledger that it concerns", entity_id + " " + id);
  }
}

void replay_ledger(Scene& scene, const std::string& entity_id, const std::vector<Json>& facts) {
  Replay replay;
  std::vector<StateRefusal> open;
  const auto refused = scene.model.refusals().find(entity_id);
  if (refused != scene.model.refusals().end()) open = refused->second;
  judge_refusals(open, replay, 0);
  const std::size_t looked_at =
      facts.empty() ? 0 : std::hash<std::string>{}(entity_id) % facts.size();
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const Json& fact = facts[i];
    const std::int64_t at = fact.at("recorded_at");
    const std::string verdict = replay.verdict(fact, at);
    hold(verdict == "recorded", "nothing is recorded that must be refused",
         entity_id + " " + verdict + " " + fact.dump());
    check_stamp(scene, entity_id, replay, fact);
    replay.apply(fact);
    const auto seq = static_cast<std::int64_t>(i + 1);
    judge_refusals(open, replay, seq);
    if (i != looked_at && i + 1 != facts.size()) continue;
    check_state(scene, entity_id, "&as_of=seq:" + std::to_string(seq), replay, seq);
    const bool last_of_ms = i + 1 == facts.size() || facts[i + 1].at("recorded_at") > at;
    if (last_of_ms) check_state(scene, entity_id, "&as_of=" + std::to_string(at), replay, seq);
  }
  check_state(scene, entity_id, "", replay, static_cast<std::int64_t>(facts.size()));
  for (const StateRefusal& refusal : open) {
    hold(may_bind_at_first(scene.model, refusal), "a refusal was right when it was decided",
         entity_id + " " + refusal.status + " " + refusal.fact.dump() + " at " +
             std::to_string(refusal.from) + " to " + std::to_string(refusal.to));
  }
  knows_the_configs(scene, entity_id, replay);
  const Json head = get(scene.world, "/v1/entities/" + entity_id);
  hold(head.at("lifecycle") == replay.lifecycle(), "an entity is as far as its facts say",
       head.dump());
}

}  // namespace

void Scene::read(const std::string& entity_id) {
  std::vector<Json>& facts = ledgers[entity_id];
  std::int64_t from = 1;
  while (from > 0) {
    const Json page = get(
        world, "/v1/facts/" + entity_id + "?records=true&limit=7&from_seq=" + std::to_string(from));
    for (const Json& fact : page.at("facts")) {
      std::string leaf;
      hold(base64_decode(fact.at("record").get<std::string>(), leaf), "a record is base64",
           entity_id);
      leaves[entity_id].push_back(leaf);
      facts.push_back(fact);
      facts.back().erase("record");
    }
    const Json& next = page.at("next_seq");
    hold(next.is_null() || next.get<std::int64_t>() > from, "pages go on", entity_id);
    from = next.is_null() ? 0 : next.get<std::int64_t>();
  }
}

void roots_are_those_of_the_facts(Scene& scene) {
  std::map<std::string, NaiveTree> trees;
  for (const auto& [entity_id, leaves] : scene.leaves) {
    NaiveTree& tree = trees.emplace(entity_id, leaves).first->second;
    const std::string root = tree.root(leaves.size());
    hold(get(scene.world, "/v1/entities/" + entity_id).at("root") == root,
         "a ledger's root is that of its facts", entity_id);
    const auto head = scene.world.d1().run(
        {"SELECT root FROM ledger_heads WHERE entity_id = ?1", {Value::text(entity_id)}});
    hold(head->rows.size() == 1 && head->rows.at(0, 0).bytes == root,
         "a root in D1 is that of the facts", entity_id);
  }
  for (const TreeHead& told : scene.model.trees()) {
    const auto tree = trees.find(told.entity_id);
    const auto size = static_cast<std::size_t>(told.size);
    hold(tree != trees.end() && size <= tree->second.size() && tree->second.root(size) == told.root,
         "a root that was told is that of the facts up to there",
         told.entity_id + " at " + std::to_string(told.size));
  }
}

void configs_are_their_versions(Scene& scene) {
  for (const auto& [entity_id, facts] : scene.ledgers) {
    std::int64_t own = 0;
    for (const Json& fact : facts) {
      const std::string where = entity_id + " " + fact.dump();
      if (!is_config_version(fact)) {
        hold(!scene.model.configs().contains(entity_id), "a config holds its versions", where);
        continue;
      }
      const std::string config_id = fact.at("config_id");
      const auto config = scene.model.configs().find(config_id);
      hold(config != scene.model.configs().end(), "a version is of a config", where);
      const ConfigModel& made = config->second;
      const std::int64_t version = fact.at("config_version");
      const Json& settings = fact.at("data").at("settings");
      hold(std::count(made.submitted.begin(), made.submitted.end(), settings) > 0 &&
               fact.at("data").at("scope") == made.scope,
           "a version is what somebody said", where);
      hold(fact.at("id") == config_id + ":" + std::to_string(version), "an id names its version",
           where);
      if (entity_id == config_id) hold(version == ++own, "versions are dense", where);
      const auto known = made.acknowledged.find(version);
      hold(known == made.acknowledged.end() || known->second == settings,
           "a version is what was acknowledged", where);
    }
    const auto config = scene.model.configs().find(entity_id);
    if (config == scene.model.configs().end() || config->second.acknowledged.empty()) continue;
    hold(own >= config->second.acknowledged.rbegin()->first, "what was acknowledged is there",
         entity_id);
  }
}

void ledgers_decided_rightly(Scene& scene) {
  for (const auto& [entity_id, facts] : scene.ledgers) {
    if (!scene.model.configs().contains(entity_id)) replay_ledger(scene, entity_id, facts);
  }
  for (const auto& [entity_id, refusals] : scene.model.refusals()) {
    if (scene.ledgers.contains(entity_id)) continue;
    for (const StateRefusal& refusal : refusals) {
      hold(right_at({}, refusal) || may_bind_at_first(scene.model, refusal),
           "a refusal was right when it was decided", entity_id + " " + refusal.fact.dump());
    }
  }
}

// One for each difference that was seen, none without a reason.
void reconciliations_are_due(Scene& scene) {
  for (const auto& [entity_id, facts] : scene.ledgers) {
    const auto count = std::count_if(facts.begin(), facts.end(), [](const Json& fact) {
      return fact.at("type") == "reconciliation";
    });
    const auto due = scene.model.reconciled.find(entity_id);
    const std::int64_t least = due == scene.model.reconciled.end() ? 0 : due->second;
    const bool more = scene.model.damaged.contains(entity_id);
    const bool retired = get(scene.world, "/v1/entities/" + entity_id).at("lifecycle") == "retired";
    hold(count == least || (more && (retired ? count >= least : count > least)),
         "a reconciliation is recorded where something differed, and nowhere else",
         entity_id + " has " + std::to_string(count) + " instead of " + std::to_string(least));
  }
}

void everything_is_proven(Scene& scene) {
  std::size_t proven = 0;
  for (std::string at = "?limit=2"; !at.empty();) {
    const Json page = get(scene.world, "/v1/replication" + at);
    for (const Json& ledger : page.at("ledgers")) {
      hold(ledger.at("status") == "proven", "D1 proves to have each fact", ledger.dump());
      ++proven;
    }
    at = page.at("cursor").is_null() ? ""
                                     : "?limit=2&cursor=" + page.at("cursor").get<std::string>();
  }
  hold(proven == scene.ledgers.size(), "replication tells of each ledger", std::to_string(proven));
}

void the_directory_knows_all(Scene& scene) {
  std::set<std::string> listed;
  for (const std::string& entity_id : listed_ledgers(scene.world))
    hold(listed.insert(entity_id).second, "the directory lists a ledger once", entity_id);
  for (const auto& [entity_id, facts] : scene.ledgers)
    hold(listed.contains(entity_id), "the directory lists each ledger that holds a fact",
         entity_id);
}

}  // namespace z0::sim
