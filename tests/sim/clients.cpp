#include "clients.hpp"

#include <algorithm>
#include <cstdlib>

namespace z0::sim {
namespace {

// More than a ledger asks for the originals of at once.
constexpr std::size_t history_items = 25;
constexpr unsigned clash_percent = 20;
constexpr std::int64_t amount_max = 9'007'199'254'740'991;
constexpr const char* tenants[] = {"tenant_a", "tenant_b"};
constexpr const char* prefixes[] = {"acct_", "ast_", "con_", "deal_"};
constexpr const char* periods[] = {"total", "day", "week", "month"};
constexpr const char* types[] = {"deposit", "charge",        "charge",      "cost",
                                 "payout",  "invocation",    "outcome",     "credit_issued",
                                 "note",    "correction",    "lead_scored", "access_granted",
                                 "deposit", "contact_merged"};

}  // namespace

Clients::Clients(Random& random, Model& model, std::size_t ledgers_max)
    : random_(random),
      model_(model),
      again_percent_(static_cast<unsigned>(random.between(0, 50))),
      nameless_percent_(random.percent(50) ? 0u : static_cast<unsigned>(random.between(1, 30))),
      history_percent_(random.percent(60) ? 0u : static_cast<unsigned>(random.between(5, 40))),
      items_max_(random.percent(50) ? 3 : 1 + random.below(20)),
      text_max_(random.percent(70) ? 60 : 700),
      huge_percent_(random.percent(80) ? 0u : 20u),
      lifecycle_percent_(random.percent(65) ? 0u : static_cast<unsigned>(random.between(1, 6))) {
  // In some runs many more ledgers are on their way than memory holds states.
  std::size_t count = 1 + random.below(random.percent(85) ? 5 : 12);
  if (ledgers_max != 0) count = std::min(count, ledgers_max);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string tenant = tenants[i < 2 ? i : random.below(2)];
    model.add_ledger(prefixes[i < 2 ? 0 : random.below(4)] + std::to_string(i), tenant);
  }
  if (random.percent(50)) return;
  const auto add = [&](const char* id, const char* scope, const char* of, const char* tenant) {
    if (random.percent(65)) model.configs()[id] = {id, scope, of, tenant, {}, {}, 0};
  };
  add("cfg_all", "platform", "", "platform");
  add("cfg_tenant", "tenant", "", tenants[0]);
  add("cfg_entity", "entity", "acct_0", tenants[0]);
  add("cfg_another", "entity", "acct_0", tenants[0]);
}

Json Clients::budget() {
  const std::int64_t highest[] = {0, 200'000, 3'000'000, 9'000'000'000'000'000};
  return {{"limit", random_.between(0, random_.pick(highest))},
          {"currency", random_.percent(85) ? "USD" : "EUR"},
          {"period", random_.pick(periods)},
          {"enforce", random_.percent(75)}};
}

const LedgerModel& Clients::any_ledger_of(const std::string& tenant_id) {
  std::vector<const LedgerModel*> mine;
  for (const auto& [entity_id, ledger] : model_.ledgers()) {
    if (tenant_id.empty() || ledger.tenant_id == tenant_id) mine.push_back(&ledger);
  }
  return *mine[random_.below(mine.size())];
}

Request Clients::request(std::int64_t now_ms) {
  Request request;
  std::vector<std::string> known;
  for (const auto& [entity_id, ledger] : model_.ledgers()) known.push_back(ledger.tenant_id);
  if (!random_.percent(25)) request.tenant_id = known[random_.below(known.size())];
  const std::size_t count = random_.percent(40) ? 1 : 1 + random_.below(items_max_);
  request.single = count == 1 && random_.percent(60);
  request.lines = !request.single && random_.percent(40);
  request.atomic = random_.percent(20);
  // Somebody who lost his place sends much of a ledger's history again.
  if (!request.single && random_.percent(history_percent_)) {
    const LedgerModel& ledger = any_ledger_of(request.tenant_id);
    for (std::size_t i = 0; i < history_items && !ledger.entries.empty(); ++i)
      request.items.push_back(again(ledger.entity_id, ledger.tenant_id, 3));
  }
  while (request.items.size() < count) {
    const LedgerModel& ledger = any_ledger_of(request.tenant_id);
    request.items.push_back(item(ledger.entity_id, ledger.tenant_id, now_ms));
  }
  // Somebody else's ledger: refused as soon as it is known whose it is.
  if (request.tenant_id.empty() || !random_.percent(6)) return request;
  for (const auto& [entity_id, ledger] : model_.ledgers()) {
    if (ledger.tenant_id == request.tenant_id || ledger.by_seq.empty()) continue;
    Item& last = request.items.back();
    last = item(entity_id, request.tenant_id, now_ms);
    if (last.refusal.empty()) last.refusal = "forbidden";
    break;
  }
  return request;
}

Request Clients::one(const std::string& entity_id, std::int64_t now_ms) {
  Request request;
  request.tenant_id = model_.ledgers().at(entity_id).tenant_id;
  request.single = true;
  Item item{fact(entity_id, now_ms), request.tenant_id, entity_id, "last" + std::to_string(++ids_)};
  item.given = {{"type", "note"}, {"entity_id", entity_id}};
  item.given["id"] = item.id;
  request.items.push_back(item);
  return request;
}

Item Clients::item(const std::string& entity_id, const std::string& tenant_id,
                   std::int64_t now_ms) {
  const LedgerModel& ledger = model_.ledgers().at(entity_id);
  const bool owner = tenant_id == ledger.tenant_id;
  if (owner && !ledger.entries.empty() && random_.percent(again_percent_))
    return again(entity_id, tenant_id, clash_percent);
  Item item{fact(entity_id, now_ms), tenant_id, entity_id, {}};
  if (!random_.percent(nameless_percent_)) {
    item.id = "f" + std::to_string(++ids_);
    item.given["id"] = item.id;
  }
  if (random_.percent(4)) spoil(item);
  return item;
}

// A fact that was submitted before, or now and then another one under its id.
Item Clients::again(const std::string& entity_id, const std::string& tenant_id,
                    unsigned other_percent) {
  const auto& entries = model_.ledgers().at(entity_id).entries;
  auto entry = entries.begin();
  std::advance(entry, static_cast<std::ptrdiff_t>(random_.below(entries.size())));
  Json given = random_.pick(entry->second.versions);
  given.erase("tenant_id");
  if (random_.percent(other_percent)) {
    switch (random_.below(3)) {
      case 0:
        given["campaign_id"] = "cmp_" + std::to_string(random_.below(50));
        break;
      case 1:
        given["data"]["n"] = random_.below(1000);
        break;
      default:
        given["user_id"] = "usr_" + std::to_string(random_.below(50));
        break;
    }
  }
  given["id"] = entry->first;
  return {given, tenant_id, entity_id, entry->first};
}

Json Clients::fact(const std::string& entity_id, std::int64_t now_ms) {
  if (random_.percent(lifecycle_percent_)) {
    const std::size_t dice = random_.below(10);
    const char* const subtype = dice < 5 ? "created" : dice < 8 ? "retiring" : "retired";
    return {{"type", "lifecycle"}, {"entity_id", entity_id}, {"subtype", subtype}};
  }
  const std::string type = types[random_.below(std::size(types))];
  Json fact = {{"type", type}, {"entity_id", entity_id}};
  if (random_.percent(60)) fact["timestamp"] = now_ms - random_.between(0, 1'000'000);
  const std::string source = "f" + std::to_string(random_.below(50));
  if (type == "invocation") {
    fact["tool_id"] = "tool_" + std::to_string(random_.below(3));
    fact["trace_id"] = "a" + std::string(27, '0') + std::to_string(random_.between(1000, 9999));
  } else if (type == "outcome") {
    fact["source_id"] = source;
    fact["subtype"] = "qualified";
  } else if (type == "charge" || type == "cost" || type == "payout") {
    fact["source_id"] = source;
    add_money(fact, false);
    if (random_.percent(4)) {
      fact["config_id"] = "cfg_named";
      fact["config_version"] = random_.between(1, 3);
    }
  } else if (type == "deposit" || type == "credit_issued") {
    add_money(fact, true);
  } else if (type == "correction") {
    add_correction(fact, entity_id);
  } else if (type == "access_granted" || type == "contact_merged") {
    fact["user_id"] = "usr_" + std::to_string(random_.below(9));
  }
  if (random_.percent(20)) fact["asset_id"] = random_.percent(50) ? entity_id : "ast_shared";
  if (random_.percent(50)) fact["data"].update(data());
  return fact;
}

// Mostly of a fact that was submitted, and mostly by what it has.
void Clients::add_correction(Json& fact, const std::string& entity_id) {
  fact["data"]["reason"] = "typing error";
  fact["source_id"] = "f" + std::to_string(random_.below(50));
  if (random_.percent(30)) fact["amount"] = random_.between(-500, 500);
  const auto& entries = model_.ledgers().at(entity_id).entries;
  for (int tries = 0; tries < 4 && !entries.empty() && random_.percent(90); ++tries) {
    auto entry = entries.begin();
    std::advance(entry, static_cast<std::ptrdiff_t>(random_.below(entries.size())));
    const Json& source = entry->second.versions.front();
    fact["source_id"] = entry->first;
    if (!source.contains("amount")) continue;
    const std::int64_t amount = std::abs(source.at("amount").get<std::int64_t>());
    if (random_.percent(90)) fact["currency"] = source.at("currency");
    fact["amount"] = random_.percent(50) ? -amount : random_.between(-amount, amount / 8);
    return;
  }
}

void Clients::add_money(Json& fact, bool positive) {
  fact["amount"] = random_.between(positive ? 1 : 0, random_.percent(90) ? 100'000 : 1'000'000'000);
  if (random_.percent(huge_percent_)) fact["amount"] = amount_max - random_.between(0, 1'000'000);
  if (random_.percent(20)) fact["currency"] = random_.percent(50) ? "USD" : "EUR";
}

Json Clients::data() {
  Json data = Json::object();
  if (random_.percent(50)) data["text"] = std::string(random_.below(text_max_), 'x');
  if (random_.percent(30)) data["list"] = {1, "two", nullptr, {{"b", true}, {"a", -3}}};
  if (random_.percent(30)) data["name"] = "Z\xc3\xbcrich \"quoted\"\n";
  return data;
}

// One rule broken, and the status that says so.
void Clients::spoil(Item& item) {
  switch (random_.below(5)) {
    case 0:
      item.given["colour"] = 1;
      item.refusal = "unknown_member";
      break;
    case 1:
      item.given.erase("type");
      item.refusal = "missing_member";
      break;
    case 2:
      item.given["timestamp"] = "now";
      item.refusal = "invalid_value";
      break;
    case 3:
      item.given["id"] = "no blanks";
      item.refusal = "invalid_id";
      break;
    default:
      item.given["entity_id"] = "usr_1";
      item.refusal = "unknown_ledger";
      break;
  }
}

std::string Clients::body(const Request& request) {
  std::string body = request.single || request.lines ? "" : "[";
  for (std::size_t i = 0; i < request.items.size(); ++i) {
    const Item& item = request.items[i];
    if (i > 0) body += request.lines ? "\n" : ",";
    body += spell(item.given, item.tenant_id, request.tenant_id.empty());
  }
  return request.single || request.lines ? body : body + "]";
}

std::string Clients::spell(const Json& given, const std::string& tenant_id, bool by_operator) {
  Json fact = given;
  if (by_operator || random_.percent(40)) fact["tenant_id"] = tenant_id;
  if (random_.percent(50)) return fact.dump();
  // The currency and the trace where they need not stand, members backwards, blanks between them.
  if (fact.contains("amount") && !fact.contains("currency")) fact["currency"] = "USD";
  const bool has_trace = fact.contains("trace_id") && fact["trace_id"].is_string();
  if (has_trace && random_.percent(50)) {
    fact["data"]["trace_id"] = fact["trace_id"];
    if (random_.percent(50)) fact.erase("trace_id");
  }
  std::string text;
  for (auto member = fact.rbegin(); member != fact.rend(); ++member) {
    text += text.empty() ? "{ " : " , ";
    text += Json(member.key()).dump() + " : " + member.value().dump();
  }
  return text + " }";
}

}  // namespace z0::sim
