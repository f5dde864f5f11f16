// What operators do (budgets, reconciliation, rebuilding D1) and what befalls rows at rest.
#include <algorithm>
#include <limits>

#include "final_checks.hpp"
#include "replay.hpp"
#include "scene.hpp"
#include "simulation.hpp"
#include "z0/base/ids.hpp"
#include "z0/http/token.hpp"

namespace z0::sim {
namespace {

constexpr int rounds_max = 500;
constexpr int config_tries_max = 6;
enum Damage : std::size_t { missing, unreadable, stale, changed, count_ };
constexpr std::int64_t snapshot_of_all = std::numeric_limits<std::int64_t>::max();

bool smaller_elsewhere(const Model& model, const ConfigModel& mine, const Json& settings) {
  for (const auto& [id, other] : model.configs()) {
    const bool wider =
        other.scope == "platform" || (other.scope == "tenant" && mine.scope == "entity");
    if (!wider || other.scope == mine.scope) continue;
    for (const Json& s : other.submitted) {
      if (s.at("enforce") && s.at("limit") < settings.at("limit") &&
          s.at("currency") == settings.at("currency") && s.at("period") == settings.at("period"))
        return true;
    }
  }
  return false;
}

}  // namespace

Json Simulation::post_ops(const std::string& url) {
  const auto reply =
      world_.request("POST", url, world_.authorization({}, scope_facts_read | scope_ops), {});
  hold(reply.status == 200 || reply.status == 201, "an operator is obeyed",
       url + ": " + std::to_string(reply.status) + " " + reply.body);
  return Json::parse(reply.body);
}

// -- budgets --------------------------------------------------------------------------------------

void Simulation::change_config(const std::string& config_id, int tries) {
  ConfigModel& config = model_.configs().at(config_id);
  Json settings = clients_.budget();
  if (!config.submitted.empty()) {
    // A budget keeps its currency, and now and then all of it.
    settings["currency"] = config.submitted.back().at("currency");
    if (random_.percent(20)) settings = config.submitted.back();
  }
  Json body = {{"type", "budget"}, {"scope", config.scope}, {"settings", settings}};
  if (!config.applies_to.empty()) body["applies_to"] = config.applies_to;
  if (config.scope != "platform") body["tenant_id"] = config.tenant_id;
  config.submitted.push_back(settings);
  ++depth_;
  ++totals_.requests;
  const std::uint64_t faults_before = trouble_.struck();
  say("PUT " + config_id + " " + body.dump());
  const auto reply = world_.request("PUT", "/v1/configs/" + config_id,
                                    world_.authorization({}, scope_config_write), body.dump());
  say("  " + std::to_string(reply.status) + " " + reply.body);
  --depth_;
  const bool faults = trouble_.struck() != faults_before;
  if (reply.status != 0) check_config_reply(config, settings, reply.status, reply.body, faults);
  const bool settled = reply.status != 0 && reply.status != 503 && reply.status != 504;
  if (settled || tries >= config_tries_max) return;
  ++waiting_clients_;
  agenda_.at(world_.now_ms + (1'000 << tries), [this, config_id, tries] {
    --waiting_clients_;
    change_config(config_id, tries + 1);
  });
}

void Simulation::check_config_reply(ConfigModel& config, const Json& settings, int http,
                                    const std::string& body, bool faults) {
  const Json reply = Json::parse(body, nullptr, false);
  const std::string where = config.config_id + ": " + body;
  hold(reply.is_object(), "a reply is JSON", where);
  const std::string status = reply.value("status", "");
  if (http == 422 && status == "relaxes_limit")
    return hold(smaller_elsewhere(model_, config, settings), "a limit is not tightened in vain",
                where);
  if (reply.contains("version")) {
    const std::int64_t version = reply.at("version");
    const auto [known, fresh] = config.acknowledged.emplace(version, settings);
    hold(fresh || known->second == settings, "a version never changes", where);
    if (http == 200 || http == 201) config.distributed = std::max(config.distributed, version);
  }
  if (http == 200 || http == 201) return;
  if (http == 409 && status == "entity_inactive") return;
  hold(faults, "a config fails for a reason", where);
}

// -- cached states --------------------------------------------------------------------------------

Json Simulation::reconcile(const std::string& entity_id, bool whole) {
  Json found = Json::array();
  std::string url = "/v1/ledgers/" + entity_id + "/reconcile";
  Json reply = post_ops(whole ? url + "?from=start" : url);
  for (int round = 0;; ++round) {
    for (const Json& mismatch : reply.at("mismatches")) found.push_back(mismatch);
    if (reply.at("done")) return found;
    hold(round < rounds_max, "a reconciliation ends", entity_id);
    reply = post_ops(url);
  }
}

// Only bytes that pass for a state would mislead a ledger until somebody looks, so somebody looks
// at once; the others are noticed when they are read.
void Simulation::damage_cache(const std::string& entity_id) {
  if (model_.ledgers().at(entity_id).by_seq.empty() || model_.damaged.contains(entity_id)) return;
  const Trouble::Calm calm(trouble_);
  const std::string object = ledger_object_name(entity_id);
  world::Database& storage = world_.storage_of(object);
  const auto rows =
      storage.run({"SELECT first_seq, cache FROM segments ORDER BY first_seq DESC", {}});
  if (rows->rows.size() > 1 && random_.percent(30))
    return damage_snapshot(entity_id, rows->rows, 1 + random_.below(rows->rows.size() - 1));
  std::size_t kind = random_.below(count_);
  if (kind == stale && rows->rows.size() < 2) kind = unreadable;
  std::string cache(rows->rows.at(0, 1).bytes);
  if (kind == unreadable) cache = std::string(random_.below(40), '\x7f');
  if (kind == stale) cache = rows->rows.at(1, 1).bytes;
  if (kind == changed)
    cache[random_.below(cache.size())] ^= static_cast<char>(1 << random_.below(8));
  storage.run({"UPDATE segments SET cache = ?2 WHERE first_seq = ?1",
               {rows->rows.at(0, 0), kind == missing ? Value::null() : Value::blob(cache)}});
  say("the cached states of " + entity_id + " are damaged, kind " + std::to_string(kind));
  world_.evict(object);
  if (kind != changed) check_shown_state(entity_id);
  if (kind == changed || random_.percent(50))
    return check_reconciliation(entity_id, kind, random_.percent(30), snapshot_of_all);
  model_.damaged.insert(entity_id);
}

// A snapshot that cannot be read, or is of an earlier fact, is not believed: the state comes from the
// facts. The ledger then forgets it again, so that what comes next meets the damage.
void Simulation::check_shown_state(const std::string& entity_id) {
  Scene scene{world_, model_, {}, {}, {}};
  scene.read(entity_id);
  Replay replay;
  for (const Json& fact : scene.ledgers.at(entity_id)) replay.apply(fact);
  world_.evict(ledger_object_name(entity_id));
  const Json shown = get(world_, "/v1/entities/" + entity_id + "/state?cache=BudgetState");
  replay.check_budget_state(shown.at("state"), shown.at("computed_at"), true, entity_id);
  world_.evict(ledger_object_name(entity_id));
}

// In the middle of the history: only a pass over all of it comes by, and makes it what it was.
void Simulation::damage_snapshot(const std::string& entity_id, const Rows& rows, std::size_t row) {
  world::Database& storage = world_.storage_of(ledger_object_name(entity_id));
  const Value first_seq = rows.at(row, 0);
  const std::string broken(random_.below(40), '\x7f');
  storage.run(
      {"UPDATE segments SET cache = ?2 WHERE first_seq = ?1", {first_seq, Value::blob(broken)}});
  say("an old snapshot of " + entity_id + " is damaged");
  const auto last =
      storage.run({"SELECT last_seq FROM segments WHERE first_seq = ?1", {first_seq}});
  check_reconciliation(entity_id, unreadable, true, last->rows.at(0, 0).integer);
  const auto kept = storage.run({"SELECT cache FROM segments WHERE first_seq = ?1", {first_seq}});
  hold(kept->rows.at(0, 0).bytes == rows.at(row, 1).bytes, "a snapshot is what its facts give",
       entity_id + " at " + std::to_string(first_seq.integer));
}

// What a pass finds when the snapshot as of `snapshot_seq` is damaged.
void Simulation::check_reconciliation(const std::string& entity_id, std::size_t kind, bool whole,
                                      std::int64_t snapshot_seq) {
  Scene scene{world_, model_, {}, {}, {}};
  scene.read(entity_id);
  const std::vector<Json> before = scene.ledgers.at(entity_id);
  Replay replay;
  Replay at_snapshot;
  for (const Json& fact : before) {
    replay.apply(fact);
    if (fact.at("seq") <= snapshot_seq) at_snapshot.apply(fact);
  }
  const Json found = reconcile(entity_id, whole);
  hold(!found.empty() && (kind == changed || found.size() == 5), "a damaged state is noticed",
       entity_id + " " + found.dump());
  for (const Json& mismatch : found) {
    const std::string where = entity_id + " " + mismatch.dump();
    const std::string type = mismatch.at("cache_type");
    const std::string resolution = mismatch.at("resolution");
    const bool again = !mismatched_.emplace(entity_id, type).second;
    const bool sure = again || kind == missing || kind == unreadable;
    hold(resolution == (again ? "alert_raised" : "cache_updated") ||
             (!sure && resolution == "alert_raised"),
         "a mismatch is resolved as the domain says", where);
    if (type != "BudgetState") continue;
    // A fact is never recorded before the one in front of it, whatever the clock says.
    const std::int64_t committed_at = std::max<std::int64_t>(
        clock_of(ledger_object_name(entity_id)),
        before.empty() ? 0 : before.back().at("recorded_at").get<std::int64_t>());
    at_snapshot.check_budget_state(mismatch.at("calculated_value"), committed_at, false, where);
  }
  scene.ledgers.clear();
  scene.read(entity_id);
  const std::vector<Json>& after = scene.ledgers.at(entity_id);
  const std::size_t due = replay.lifecycle() == "retired" ? 0 : found.size();
  hold(after.size() == before.size() + due, "each mismatch is a fact", entity_id);
  for (std::size_t i = 0; i < due; ++i) {
    Json data = after[before.size() + i].at("data");
    data.erase("trace_id");
    hold(after[before.size() + i].at("subtype") == "mismatch_detected" && data == found[i],
         "a mismatch is recorded as it was told", data.dump() + " " + found[i].dump());
    replay.apply(after[before.size() + i]);
  }
  model_.reconciled[entity_id] += static_cast<std::int64_t>(due);
  for (int again = 0; again < 2; ++again) {
    const Json shown = get(world_, "/v1/entities/" + entity_id + "/state?cache=BudgetState");
    replay.check_budget_state(shown.at("state"), shown.at("computed_at"), true, entity_id);
    hold(shown.at("source") != "facts", "what was reconciled need not be made again", shown.dump());
    world_.evict(ledger_object_name(entity_id));
  }
}

// What is left of a corrected fact: a whole pass finds what is wrong, and the rows are what they were.
// A pass knows only so many corrected facts, and the next one goes on behind them.
void Simulation::damage_corrected(const std::string& entity_id) {
  if (model_.damaged.contains(entity_id)) return;
  const Trouble::Calm calm(trouble_);
  world::Database& storage = world_.storage_of(ledger_object_name(entity_id));
  const auto rows_now = [&storage] {
    return storage.run({"SELECT seq, left_over FROM corrected ORDER BY seq", {}});
  };
  const auto before = rows_now();
  if (before->rows.failed || before->rows.size() == 0) return;
  const Value seq = before->rows.at(random_.below(before->rows.size()), 0);
  const char* const damages[] = {"DELETE FROM corrected WHERE seq = ?1",
                                 "UPDATE corrected SET left_over = left_over + 1 WHERE seq = ?1",
                                 "UPDATE corrected SET left_over = 'much' WHERE seq = ?1"};
  const char* const damage = random_.pick(damages);
  storage.run({damage, {seq}});
  say("what is left of fact " + std::to_string(seq.integer) + " of " + entity_id +
      " is damaged: " + damage);
  world_.evict(ledger_object_name(entity_id));
  const std::string where = entity_id + " at " + std::to_string(seq.integer);
  Json found = Json::array();
  for (std::size_t pass = 0; found.empty(); ++pass) {
    hold(pass <= before->rows.size(), "a damaged row of a corrected fact is found", where);
    found = reconcile(entity_id, true);
  }
  hold(found.size() == 1 && found[0].at("cache_type") == "CorrectionState" &&
           found[0].at("first_divergent_seq") == seq.integer,
       "a damaged row of a corrected fact is named", where + ' ' + found.dump());
  const auto after = rows_now();
  bool same = after->rows.size() == before->rows.size();
  for (std::size_t row = 0; same && row < after->rows.size(); ++row) {
    for (const std::size_t column : {std::size_t{0}, std::size_t{1}}) {
      const Value& was = before->rows.at(row, column);
      const Value& is = after->rows.at(row, column);
      same = same && is.kind == was.kind && is.integer == was.integer;
    }
  }
  hold(same, "a damaged row of a corrected fact is mended", where);
  const bool retired = get(world_, "/v1/entities/" + entity_id).at("lifecycle") == "retired";
  model_.reconciled[entity_id] += retired ? 0 : 1;
}

// -- D1 -------------------------------------------------------------------------------------------

void Simulation::tamper(const std::string& entity_id) {
  const Trouble::Calm calm(trouble_);
  const std::int64_t reached = reached_in_d1(entity_id);
  if (reached == 0) return;
  const std::int64_t seq = random_.between(1, reached);
  const char* const columns[] = {"id", "user_id", "currency", "trace_id"};
  const std::string column = random_.pick(columns);
  const bool deleted = random_.percent(30);
  const std::string sql = deleted ? "DELETE FROM ledger_facts WHERE entity_id = ?1 AND seq = ?2"
                                  : "UPDATE ledger_facts SET " + column +
                                        " = 'altered' WHERE entity_id = ?1 AND seq = ?2";
  world_.d1().run({sql, {Value::text(entity_id), Value::of(seq)}});
  say("row " + std::to_string(seq) + " of " + entity_id + " is altered in D1");
  bool named = false;
  std::int64_t repaired = 0;
  for (std::int64_t from = 1; from > 0;) {
    const Json page =
        post_ops("/v1/ledgers/" + entity_id + "/verify?from_seq=" + std::to_string(from));
    for (const Json& missing_seq : page.at("missing"))
      named = named || (deleted && missing_seq == seq);
    for (const Json& row : page.at("differing"))
      named = named || (row.at("seq") == seq && row.at("fields") == Json{column});
    repaired += page.at("repaired").get<std::int64_t>();
    from = page.at("next_seq").is_null() ? 0 : page.at("next_seq").get<std::int64_t>();
  }
  hold(named && repaired == 1, "a row that was altered is named, and no other",
       entity_id + " " + std::to_string(seq) + " " + std::to_string(repaired));
}

void Simulation::replicate(const std::string& entity_id, bool from_start) {
  std::string url = "/v1/ledgers/" + entity_id + "/replicate";
  Json reply = post_ops(from_start ? url + "?from=start" : url);
  for (int round = 0; !reply.at("done"); ++round) {
    hold(round < rounds_max, "a replication ends", entity_id);
    reply = post_ops(url);
  }
  hold(reply.at("root") == reply.at("replicated_root"), "what was replicated is proven",
       reply.dump());
}

void Simulation::rebuild_d1() {
  say("D1 is lost");
  world_.d1().script("DELETE FROM ledger_facts; DELETE FROM ledger_heads; DELETE FROM ledger_runs");
  for (const std::string& entity_id : listed_ledgers(world_)) {
    const auto head = world_.request("GET", "/v1/entities/" + entity_id,
                                     world_.authorization({}, scope_facts_read), {});
    if (head.status == 200) replicate(entity_id, true);
  }
}

}  // namespace z0::sim
