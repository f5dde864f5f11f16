#include "traffic.hpp"

#include <algorithm>
#include <string_view>

#include "z0/base/limits.hpp"

namespace z0::laws {
namespace {

std::string json_text(std::string_view text) { return '"' + std::string(text) + '"'; }

constexpr std::string_view prefixes[] = {"acct_", "ast_", "con_", "deal_"};
constexpr std::size_t entities_per_prefix = 2;
// Ledgers that more than one tenant writes to.
constexpr std::string_view contested[] = {"deal_contested", "acct_contested"};

constexpr std::string_view types[] = {
    "invocation",      "outcome",        "charge",         "cost",       "payout",
    "deposit",         "credit_issued",  "lifecycle",      "correction", "access_granted",
    "access_modified", "access_revoked", "contact_merged", "note",       "call_scored"};

void set(Members& members, std::string_view name, std::string value) {
  for (auto& [key, text] : members) {
    if (key == name) {
      text = std::move(value);
      return;
    }
  }
  members.emplace_back(name, std::move(value));
}

void drop(Members& members, std::string_view name) {
  std::erase_if(members, [name](const auto& member) { return member.first == name; });
}

bool has(const Members& members, std::string_view name) {
  return std::any_of(members.begin(), members.end(),
                     [name](const auto& member) { return member.first == name; });
}

bool is_correction(const Members& members) {
  return std::find(members.begin(), members.end(),
                   std::pair<std::string, std::string>("type", "\"correction\"")) != members.end();
}

}  // namespace

Traffic::Traffic(std::uint64_t seed) : random_(seed) {}

std::string Traffic::entity_of(const std::string& tenant_id) {
  if (random_.percent(3)) return std::string(random_.pick(contested));
  std::string id(random_.pick(prefixes));
  return id + tenant_id.substr(4) + std::to_string(random_.below(entities_per_prefix));
}

Item Traffic::item(const std::string& tenant_id, bool by_operator, std::int64_t now_ms) {
  by_operator_ = by_operator;
  const auto& mine = sent_by_tenant_[tenant_id];
  const std::size_t dice = random_.below(100);
  if (dice < 6) return broken(tenant_id, now_ms);
  if (dice < 26 && !mine.empty()) {
    // Recent ones more often than old ones, so that retries meet the tail and closed segments
    // alike.
    const std::size_t back = random_.percent(70)
                                 ? random_.below(std::min<std::size_t>(mine.size(), 30))
                                 : random_.below(mine.size());
    const std::int64_t index = mine[mine.size() - 1 - back];
    // A conflict is certain only with what is known to be recorded.
    return again(index, dice < 10 && sent(index).seq > 0);
  }
  return fresh(tenant_id, now_ms);
}

Item Traffic::fresh(const std::string& tenant_id, std::int64_t now_ms) {
  Item item;
  item.tenant_id = tenant_id;
  item.entity_id = entity_of(tenant_id);
  item.contested = item.entity_id.find("contested") != std::string::npos;
  Members members = members_for(item.entity_id, now_ms);
  members.emplace_back("tenant_id", json_text(tenant_id));
  if (!item.contested && !random_.percent(8)) {
    // The same id in two ledgers is two facts.
    const std::string id = "f" + std::to_string(++last_id_[item.entity_id]);
    set(members, "id", json_text(id));
    item.sent = static_cast<std::int64_t>(sent_.size());
    sent_by_tenant_[tenant_id].push_back(item.sent);
    sent_.push_back({tenant_id, item.entity_id, id, members, 0, 0});
  }
  item.corrects = is_correction(members);
  item.json = spell(members, false);
  return item;
}

Item Traffic::again(std::int64_t index, bool clash) {
  const Sent& original = sent(index);
  Item item;
  item.expect = clash ? Expect::clash : Expect::retry;
  item.tenant_id = original.tenant_id;
  item.entity_id = original.entity_id;
  item.sent = index;
  Members members = original.members;
  item.corrects = is_correction(members);
  if (clash) {
    switch (random_.below(3)) {
      case 0:
        set(members, "campaign_id", "\"cmp_other\"");
        break;
      case 1:
        set(members, "timestamp", "946684800001");
        break;
      default:
        set(members, "data",
            R"({"reason":"of another","n":)" + std::to_string(random_.below(9)) + '}');
        break;
    }
  }
  item.json = spell(members, random_.percent(60));
  return item;
}

// One rule broken; whatever else is random, the item cannot be accepted.
Item Traffic::broken(const std::string& tenant_id, std::int64_t now_ms) {
  Item item;
  item.expect = Expect::bad;
  item.tenant_id = tenant_id;
  item.entity_id = entity_of(tenant_id);
  Members m = members_for(item.entity_id, now_ms);
  m.emplace_back("tenant_id", json_text(tenant_id));
  switch (random_.below(17)) {
    case 0:
      item.json = std::vector<std::string>{"7", "\"fact\"", "null", "[]", "-0.5"}[random_.below(5)];
      return item;
    case 1:
      set(m, "colour", "1");
      break;
    case 2:
      set(m, "id", "\"no blanks\"");
      break;
    case 3:
      drop(m, "type");
      break;
    case 4:
      set(m, "amount", random_.percent(50) ? "1.5" : "\"12\"");
      break;
    case 5:
      set(m, "amount", "9007199254740992");
      break;
    case 6:
      m.push_back(m.front());
      break;
    case 7:
      set(m, "entity_id", "\"usr_1\"");
      break;
    case 8:
      drop(m, "entity_id");
      break;
    case 9:
      set(m, "type", "\"alert\"");
      break;
    case 10:
      m = {{"type", "\"invocation\""},
           {"entity_id", json_text(item.entity_id)},
           {"tenant_id", json_text(tenant_id)},
           {"tool_id", "\"tool_1\""}};
      break;
    case 11:
      set(m, "type", "\"Bad Type\"");
      break;
    case 12:
      set(m, "amount", "1");
      set(m, "currency", "\"usd\"");
      break;
    case 13:
      set(m, "data", "{\"x\":\"" + std::string(limits::data_bytes_max, 'x') + "\"}");
      break;
    case 14:
      set(m, "data", R"({"n":1e999})");
      break;
    case 15:
      set(m, "timestamp", random_.percent(50) ? "-1" : "1774915200");
      break;
    default:
      set(m, "trace_id", "\"" + std::string(32, '0') + "\"");
      break;
  }
  item.json = spell(m, false);
  return item;
}

Members Traffic::members_for(const std::string& entity_id, std::int64_t now_ms) {
  Members members;
  add_type(members, entity_id);
  members.emplace_back("entity_id", json_text(entity_id));
  if (random_.percent(70))
    members.emplace_back("timestamp", std::to_string(now_ms - random_.between(0, 1'000'000)));
  add_options(members, entity_id);
  return members;
}

void Traffic::add_type(Members& m, const std::string& entity_id) {
  // Now and then one of so many names that a ledger does not count them all by name.
  if (random_.percent(4)) {
    m.emplace_back("type", json_text("kind_" + std::to_string(random_.below(90))));
    return;
  }
  const std::string_view type = random_.pick(types);
  m.emplace_back("type", json_text(type));
  const std::string source = json_text("f" + std::to_string(random_.below(50)));
  if (type == "invocation") {
    m.emplace_back("tool_id", json_text("tool_" + std::to_string(random_.below(5))));
    m.emplace_back("trace_id", json_text(trace_id()));
  } else if (type == "outcome") {
    m.emplace_back("source_id", source);
    m.emplace_back("subtype", random_.percent(50) ? "\"qualified\"" : "\"no_answer\"");
  } else if (type == "charge" || type == "cost" || type == "payout") {
    m.emplace_back("source_id", source);
    add_money(m, false);
  } else if (type == "deposit" || type == "credit_issued") {
    add_money(m, true);
  } else if (type == "lifecycle") {
    m.emplace_back("subtype", "\"created\"");
  } else if (type == "correction") {
    add_correction(m, entity_id);
  } else if (type.starts_with("access_") || type == "contact_merged") {
    m.emplace_back("user_id", json_text("usr_" + std::to_string(random_.below(9))));
  }
}

// Mostly of a fact that was sent to the ledger before, money or not.
void Traffic::add_correction(Members& m, const std::string& entity_id) {
  const auto last = static_cast<std::size_t>(last_id_[entity_id]);
  m.emplace_back("source_id", json_text("f" + std::to_string(random_.below(last + 2))));
  m.emplace_back("data", R"({"reason":"typing error","was":[1,2.50,null]})");
  if (random_.percent(20)) return;
  m.emplace_back("amount", std::to_string(random_.between(-60'000, 2'000)));
  if (random_.percent(10)) m.emplace_back("currency", "\"EUR\"");
}

void Traffic::add_money(Members& m, bool positive) {
  m.emplace_back("amount", std::to_string(random_.between(positive ? 1 : 0, 100'000)));
  if (random_.percent(30)) m.emplace_back("currency", random_.percent(70) ? "\"USD\"" : "\"EUR\"");
}

void Traffic::add_options(Members& m, const std::string& entity_id) {
  if (random_.percent(20))
    m.emplace_back("asset_id", random_.percent(50) ? json_text(entity_id) : "\"ast_shared\"");
  if (random_.percent(10)) m.emplace_back("campaign_id", "\"cmp_1\"");
  if (!has(m, "user_id") && random_.percent(10)) m.emplace_back("user_id", "\"usr_1\"");
  if (random_.percent(5)) {
    m.emplace_back("config_id", "\"cfg_1\"");
    m.emplace_back("config_version", std::to_string(random_.between(1, 1'000'000)));
  }
  if (!has(m, "data") && random_.percent(3)) {
    m.emplace_back("data", R"({"error":{"code":"timeout"}})");
    if (!has(m, "trace_id")) m.emplace_back("trace_id", json_text(trace_id()));
  }
  if (!has(m, "data") && random_.percent(50)) m.emplace_back("data", data());
}

std::string Traffic::trace_id() {
  std::string hex = "a";
  while (hex.size() < 32) hex += "0123456789abcdef"[random_.below(16)];
  return hex;
}

std::string Traffic::text_value() {
  constexpr std::string_view texts[] = {"",
                                        "plain",
                                        "z\xc3\xbcrich",
                                        "tab\\tand \\\"quotes\\\"",
                                        "\\u0041\\u00fc",
                                        "\\ud83d\\ude00",
                                        "slash \\/",
                                        "\\u0001"};
  return json_text(random_.pick(texts));
}

std::string Traffic::data() {
  std::string json = "{";
  const std::size_t members = random_.below(6);
  for (std::size_t i = 0; i < members; ++i) {
    if (i > 0) json += ", ";
    json += "\"k" + std::to_string(i) + "\": ";
    switch (random_.below(6)) {
      case 0:
        json += std::to_string(random_.between(-1000, 1000));
        break;
      case 1:
        json += "[1, 2.5e3, {\"deep\": [true, null]}]";
        break;
      case 2:
        json += "{\"b\": 1, \"a\": " + text_value() + "}";
        break;
      case 3:
        json += json_text(std::string(random_.below(400), 'x'));
        break;
      default:
        json += text_value();
        break;
    }
  }
  // Seldom as large as it may be: then one fact is a segment, and a message.
  if (random_.permille(3)) {
    json += (members > 0 ? ",\"bulk\":\"" : "\"bulk\":\"") +
            std::string(30'000 + random_.below(35'000), 'y') + '"';
  }
  return json + '}';
}

// `otherwise`: the same content in another spelling, with members in any order, white space, and
// escapes where none are needed.
std::string Traffic::spell(const Members& given, bool otherwise) {
  Members members = given;
  if (!by_operator_ && random_.percent(50)) drop(members, "tenant_id");
  if (otherwise) {
    const auto trace = std::find_if(members.begin(), members.end(),
                                    [](const auto& m) { return m.first == "trace_id"; });
    if (trace != members.end() && !has(members, "data") && random_.percent(50)) {
      *trace = {"data", "{\"trace_id\":" + trace->second + '}'};
    }
    for (std::size_t i = members.size(); i > 1; --i)
      std::swap(members[i - 1], members[random_.below(i)]);
    if (has(members, "amount") && !has(members, "currency") && random_.percent(50)) {
      members.emplace_back("currency", "\"USD\"");
    }
  }
  std::string json = "{";
  for (const auto& [name, value] : members) {
    if (json.size() > 1) json += otherwise ? " ,\t" : ",";
    json += json_text(name);
    json += otherwise ? " : " : ":";
    const bool escape = otherwise && name == "id";
    json += escape ? "\"\\u0066" + value.substr(2) : value;
  }
  return json + '}';
}

}  // namespace z0::laws
