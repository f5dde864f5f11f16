#include "model.hpp"

#include <algorithm>

#include "z0/base/limits.hpp"

namespace z0::sim {
namespace {

// Ids of one batch whose hash is that of another's fact.
constexpr std::int64_t collisions_max = 4;
constexpr const char* forbidden = "forbidden";

bool transient(const std::string& status) {
  return status == "overloaded" || status == "timeout" || status == "storage_error";
}

bool depends_on_state(const std::string& status) {
  return status == "entity_inactive" || status == "amount_overflow" ||
         status == "budget_exhausted" || status == "unknown_source" ||
         status == "source_mismatch" || status == "over_corrected";
}

bool leaves_attempt(const std::string& status) {
  return transient(status) || status == "budget_exhausted";
}

bool accepted(const std::string& status) { return status == "recorded" || status == "duplicate"; }

// The codes that README.md promises.
bool code_fits(const std::string& status, int http) {
  if (status == "recorded") return http == 201;
  if (status == "duplicate") return http == 200;
  if (status == "conflict" || status == "entity_inactive") return http == 409;
  if (status == "amount_overflow") return http == 422;
  if (status == "budget_exhausted") return http == 402;
  if (status == "forbidden") return http == 403;
  if (transient(status)) return http == 429 || http == 503 || http == 504;
  return http >= 400 && http < 500;
}

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::int64_t number(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
}

}  // namespace

Json as_shown(const Json& given, const std::string& tenant_id) {
  Json shown = given;
  shown["tenant_id"] = tenant_id;
  if (shown.contains("amount") && !shown.contains("currency")) shown["currency"] = "USD";
  if (!shown.contains("data")) shown["data"] = Json::object();
  if (!shown.contains("trace_id") && shown["data"].contains("trace_id"))
    shown["trace_id"] = shown["data"]["trace_id"];
  if (shown.contains("trace_id")) shown["data"]["trace_id"] = shown["trace_id"];
  return shown;
}

Json without_numbers(Json shown, const Json& given) {
  for (const char* name : {"seq", "recorded_at", "status", "corrects"}) shown.erase(name);
  if (!given.contains("timestamp")) shown.erase("timestamp");
  // A charge takes the budget that was in force, unless its caller named another one.
  if (shown.value("type", "") == "charge" && !given.contains("config_id")) {
    shown.erase("config_id");
    shown.erase("config_version");
  }
  return shown;
}

void Model::add_ledger(const std::string& entity_id, const std::string& tenant_id) {
  LedgerModel& ledger = ledgers_[entity_id];
  ledger.entity_id = entity_id;
  ledger.tenant_id = tenant_id;
}

void Model::sent(Request& request) {
  for (Item& item : request.items) {
    if (!item.refusal.empty()) continue;
    LedgerModel& ledger = ledgers_.at(item.entity_id);
    request.heads[item.entity_id] = ledger.last_seq();
    if (item.id.empty()) continue;
    Entry& entry = ledger.entries[item.id];
    const Json shown = as_shown(item.given, item.tenant_id);
    const auto known = std::find(entry.versions.begin(), entry.versions.end(), shown);
    item.was_submitted = entry.submissions++ > 0;
    item.version = static_cast<std::size_t>(known - entry.versions.begin());
    if (known == entry.versions.end()) entry.versions.push_back(shown);
  }
}

void Model::unheard(const Request& request) {
  for (const Item& item : request.items) {
    const AttemptKey key{item.entity_id, item.id, request.sent_at};
    possible_attempts_.insert(key);
    codes_[key].insert("");  // nobody knows which
    if (item.refusal.empty()) may_be_recorded(item);
  }
}

void Model::may_be_recorded(const Item& item) {
  LedgerModel& ledger = ledgers_.at(item.entity_id);
  if (item.id.empty())
    ledger.nameless.push_back(as_shown(item.given, item.tenant_id));
  else
    ledger.entries[item.id].possible.insert(item.version);
}

void Model::answered(Request& request, int http, bool retry_after, const std::string& body,
                     bool faults, bool attempts_kept) {
  const Json reply = Json::parse(body, nullptr, false);
  hold(!reply.is_discarded() && reply.is_object(), "a reply is JSON", body);
  const Json results = request.single ? Json::array({reply}) : reply.value("results", Json());
  hold(results.is_array() && results.size() == request.items.size(), "each fact gets an answer",
       body);
  std::vector<std::string> statuses;
  std::vector<int> codes;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string status = text(results[i], "status");
    statuses.push_back(status);
    codes.push_back(accepted(status) ? 200 : static_cast<int>(number(results[i], "http")));
    answer(request, i, results[i], faults);
    if (!leaves_attempt(status)) continue;
    const Item& item = request.items[i];
    const std::string id = item.id.empty() ? text(results[i], "id") : item.id;
    const AttemptKey key{item.entity_id, id, request.sent_at};
    possible_attempts_.insert(key);
    codes_[key].insert(status);
    if (attempts_kept && !lost_attempts_.contains(key)) attempts_.insert(key);
  }
  check_http(request, statuses, codes, http, retry_after);
  note_trees(request, reply);
  note_refusals(request, results, request.single ? Json() : reply.at("trees"));
  if (!request.atomic) return;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    for (std::size_t j = 0; j < statuses.size(); ++j) {
      const bool same_ledger = request.items[i].entity_id == request.items[j].entity_id;
      hold(!same_ledger || accepted(statuses[i]) || statuses[j] != "recorded",
           "atomic means all facts of a ledger or none", body);
    }
  }
}

void Model::note_trees(const Request& request, const Json& reply) {
  if (!request.single) {
    for (const Json& tree : reply.at("trees"))
      trees_.push_back({tree.at("entity_id"), tree.at("size"), tree.at("root")});
  } else if (accepted(text(reply, "status"))) {
    const Json& tree = reply.at("tree");
    trees_.push_back({request.items[0].entity_id, tree.at("size"), tree.at("root")});
  }
}

// A batch's reply says how large each ledger was, so that the moment is known; of a single fact it
// is only known what was there before it was sent and after it was answered.
void Model::note_refusals(const Request& request, const Json& results, const Json& trees) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Item& item = request.items[i];
    const std::string status = text(results[i], "status");
    if (!depends_on_state(status)) continue;
    StateRefusal refusal{status, as_shown(item.given, item.tenant_id), {}, 0, 0, 0};
    refusal.clock_ms = request.clocks.at(item.entity_id);
    refusal.from = request.heads.at(item.entity_id);
    refusal.to = request.single ? request.heads_after.at(item.entity_id) : 0;
    for (const Json& tree : trees) {
      if (tree.at("entity_id") == item.entity_id) refusal.to = tree.at("size");
    }
    if (!request.single) refusal.from = refusal.to;
    bool told = false;
    for (std::size_t j = results.size(); j-- > 0;) {
      if (request.items[j].entity_id != item.entity_id) continue;
      const std::string other = text(results[j], "status");
      const std::int64_t seq = number(results[j], "seq");
      // What was recorded before it says it best, else what came after it.
      if (other == "recorded" && j > i) refusal.from = refusal.to = seq - 1;
      if (other == "recorded" && j < i && !told) refusal.from = refusal.to = seq;
      told = told || (other == "recorded" && j < i);
      if (other == "batch_refused" && j < i)
        refusal.before.insert(refusal.before.begin(),
                              as_shown(request.items[j].given, request.items[j].tenant_id));
    }
    refusals_[item.entity_id].push_back(refusal);
  }
}

std::string Model::tenant_of(const std::string& entity_id) const {
  const auto ledger = ledgers_.find(entity_id);
  return ledger == ledgers_.end() ? configs_.at(entity_id).tenant_id : ledger->second.tenant_id;
}

void Model::check_http(const Request& request, const std::vector<std::string>& statuses,
                       const std::vector<int>& codes, int http, bool retry_after) {
  std::size_t good = 0;
  bool failed = false;
  int first_refusal = 0;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    good += accepted(statuses[i]) ? 1 : 0;
    failed = failed || transient(statuses[i]);
    if (!accepted(statuses[i]))
      hold(code_fits(statuses[i], codes[i]), "a status has its code", statuses[i]);
    if (first_refusal == 0 && !accepted(statuses[i])) first_refusal = codes[i];
  }
  int expected = good == statuses.size() ? 200 : good > 0 ? 207 : first_refusal;
  if (request.single) expected = statuses[0] == "recorded" ? 201 : expected;
  hold(http == expected, "the HTTP code sums the answers up",
       std::to_string(http) + " instead of " + std::to_string(expected));
  hold(retry_after == failed, "retry-after stands where a retry may help", std::to_string(http));
}

void Model::answer(Request& request, std::size_t index, const Json& receipt, bool faults) {
  Item& item = request.items[index];
  const std::string status = text(receipt, "status");
  const std::string where = item.entity_id + " " + item.id + " is answered " + receipt.dump();
  if (transient(status) && (item.refusal.empty() || item.refusal == forbidden)) {
    // A ledger looks into a limited number of places for originals at once.
    const auto retries =
        std::count_if(request.items.begin(), request.items.end(), [](const Item& other) {
          return other.was_submitted || other.given.value("type", "") == "correction";
        });
    const bool too_many =
        status == "overloaded" && retries + collisions_max > limits::originals_per_append_max;
    hold(faults || too_many, "nothing fails without a fault", where);
    return item.refusal.empty() ? may_be_recorded(item) : void();
  }
  if (!item.refusal.empty()) {
    hold(status == item.refusal || status == "batch_refused",
         "what breaks a rule is refused by its name", where + " instead of " + item.refusal);
    item.settled = true;
    return;
  }
  if (accepted(status)) return accept(request, item, receipt, status == "recorded");
  item.settled = true;
  if (status == "conflict") return check_conflict(request, item, text(receipt, "field"));
  if (depends_on_state(status)) return;
  const bool refused_elsewhere =
      request.atomic &&
      std::any_of(request.items.begin(), request.items.end(), [&](const Item& other) {
        return &other != &item && (other.entity_id == item.entity_id || !other.refusal.empty());
      });
  hold(status == "batch_refused" && refused_elsewhere, "a sound fact is not refused", where);
}

void Model::accept(Request& request, Item& item, const Json& receipt, bool recorded) {
  LedgerModel& ledger = ledgers_.at(item.entity_id);
  const std::string id = text(receipt, "id");
  const std::int64_t seq = number(receipt, "seq");
  const std::int64_t recorded_at = number(receipt, "recorded_at");
  const std::string where = item.entity_id + " " + id + ": " + receipt.dump();
  hold(item.id.empty() ? !ledger.entries.contains(id) : id == item.id, "a receipt names its fact",
       where);
  hold(text(receipt, "entity_id") == item.entity_id && seq > 0 && recorded_at > 0,
       "a receipt is whole", where);
  Entry& entry = ledger.entries[id];
  if (item.id.empty()) {
    entry.versions.push_back(as_shown(item.given, item.tenant_id));
    entry.versions.back()["id"] = id;
  }
  item.settled = true;
  // Who hears of it as recorded may do so after others, who came later, heard of a duplicate.
  hold(!recorded || !entry.heard_recorded, "a fact is recorded once", where);
  hold(!recorded || seq > request.heads[item.entity_id],
       "what is recorded later has a higher number", where);
  entry.heard_recorded = entry.heard_recorded || recorded;
  if (entry.acknowledged) {
    const Acknowledged& was = *entry.acknowledged;
    hold(was.version == item.version, "other content is no duplicate", where);
    hold(was.seq == seq && was.recorded_at == recorded_at, "a receipt never changes", where);
    return;
  }
  hold(recorded || entry.submissions > 1, "only what was sent twice is a duplicate", where);
  const auto [holder, fresh] = ledger.by_seq.emplace(seq, id);
  hold(fresh, "a sequence number names one fact", where + " and " + holder->second);
  entry.acknowledged = {item.version, seq, recorded_at};
}

void Model::check_conflict(const Request& request, const Item& item, const std::string& field) {
  const Entry& entry = ledgers_.at(item.entity_id).entries.at(item.id);
  const std::string where = item.entity_id + " " + item.id + " differs in " + field;
  const Json& mine = entry.versions[item.version];
  // Of data the member is named, as "data.a".
  const std::string member = field.substr(0, field.find('.'));
  // An atomic batch that is refused may conflict with nothing but itself.
  bool possible =
      request.atomic &&
      std::any_of(request.items.begin(), request.items.end(), [&](const Item& other) {
        return other.entity_id == item.entity_id && other.id == item.id &&
               mine.value(member, Json()) != entry.versions[other.version].value(member, Json());
      });
  for (std::size_t i = 0; i < entry.versions.size(); ++i) {
    if (entry.acknowledged && entry.acknowledged->version != i) continue;
    const Json& other = entry.versions[i];
    possible = possible || mine.value(member, Json()) != other.value(member, Json());
  }
  hold(possible, "a conflict names a field that differs", where);
}

void Model::lost(const AttemptKey& attempt) {
  lost_attempts_.insert(attempt);
  attempts_.erase(attempt);
}

std::size_t Model::facts() const {
  std::size_t count = 0;
  for (const auto& [entity_id, ledger] : ledgers_) count += ledger.by_seq.size();
  return count;
}

}  // namespace z0::sim
