// What to do about a refusal: each row of the table is met by a request, and what it says fits.
#include "z0/base/remedies.hpp"

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::Status;
using z0::test::deposit;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

using Words = std::vector<std::string>;

struct Row {
  Status status;
  std::string name;  // as it stands in the table
  Words words;       // that the action holds
  std::function<Reply(TestWorld&)> ask;
};

std::string fact(std::string_view more, std::string_view type = "note") {
  std::string json = R"({"id":"f_1","entity_id":"acct_a","type":")";
  return json.append(type).append("\",").append(more) + '}';
}

Row posts(Status status, std::string name, Words words, std::string body) {
  return {status, std::move(name), std::move(words),
          [body = std::move(body)](TestWorld& w) { return w.post(body); }};
}

Row operates(Status status, std::string name, Words words, std::string body) {
  return {status, std::move(name), std::move(words),
          [body = std::move(body)](TestWorld& w) { return w.post(body, ""); }};
}

Row gets(std::string name, Words words, std::string url) {
  return {Status::bad_parameter, std::move(name), std::move(words),
          [url = std::move(url)](TestWorld& w) { return w.get(url); }};
}

Row puts(Status status, std::string name, Words words, std::string body, std::string id = "cfg_a",
         std::string who = "north") {
  return {status, std::move(name), std::move(words),
          [=](TestWorld& w) { return w.ask("PUT", "/v1/configs/" + id, who, body, {}); }};
}

// A config that is right but for what stands in place of a member.
std::string config(const std::string& member, const std::string& value) {
  std::vector<std::pair<std::string, std::string>> members = {
      {"type", R"("budget")"},
      {"scope", R"("entity")"},
      {"applies_to", R"("acct_a")"},
      {"settings", R"({"limit":1,"currency":"USD","period":"day"})"}};
  bool replaced = false;
  std::string json;
  for (auto& [name, text] : members) {
    if (name == member) {
      text = value;
      replaced = true;
    }
    if (!text.empty()) json.append(json.empty() ? "{\"" : ",\"").append(name).append("\":") += text;
  }
  if (!replaced) json.append(",\"").append(member).append("\":") += value;
  return json + '}';
}

std::string settings(const std::string& text) { return config("settings", text); }

void add_request_rows(std::vector<Row>& rows) {
  rows.push_back(posts(Status::not_json, "byte order mark", {"UTF-8", "byte order mark"},
                       "\xef\xbb\xbf" + deposit("f_1")));
  rows.push_back(
      {Status::unsupported_encoding, "content-encoding", {"gzip"}, [](TestWorld& w) {
         return w.post(deposit("f_1"), "north", "/v1/facts", {{"content-encoding", "br"}});
       }});
  rows.push_back(gets("url", {"8,192"}, "/v1/facts?type=%zz"));
  rows.push_back(gets("limit", {"1,000"}, "/v1/facts?limit=0"));
  rows.push_back(gets("cursor", {"page before"}, "/v1/facts?cursor=AAAA"));
  rows.push_back(gets("trace_id", {"32 lower-case"}, "/v1/facts?trace_id=12"));
  rows.push_back(gets("type", {"lower-case"}, "/v1/facts?type=Bad"));
  rows.push_back(gets("types", {"commas"}, "/v1/facts/acct_a?types=a,,b"));
  rows.push_back({Status::bad_parameter, "tenant", {"one tenant"}, [](TestWorld& w) {
                    return w.ask("POST", "/v1/ledgers/acct_a/import?tenant=a%20b", "", "", {});
                  }});
}

void add_type_rows(std::vector<Row>& rows) {
  const Status wrong = Status::wrong_type;
  rows.push_back(posts(wrong, "id", {"null"}, R"({"id":null,"type":"note","entity_id":"acct_a"})"));
  rows.push_back(posts(wrong, "type", {"every fact"}, R"({"type":null,"entity_id":"acct_a"})"));
  rows.push_back(posts(wrong, "entity_id", {"every fact"}, R"({"type":"note","entity_id":null})"));
  for (const char* name : {"subtype", "tenant_id", "source_id", "asset_id", "campaign_id",
                           "tool_id", "user_id", "config_id", "currency", "trace_id"}) {
    rows.push_back(posts(wrong, name, {"leaves the member out", "null is no value"},
                         fact('"' + std::string(name) + "\":null")));
  }
  rows.push_back(posts(wrong, "amount", {"no quotes", "null"}, fact(R"("amount":null)")));
  rows.push_back(posts(wrong, "timestamp", {"milliseconds", "null"}, fact(R"("timestamp":null)")));
  rows.push_back(posts(wrong, "config_version", {"leave out"},
                       fact(R"("config_id":"cfg_a","config_version":null)")));
  rows.push_back(posts(wrong, "data", {"object", "null"}, fact(R"("data":null)")));
}

void add_rule_rows(std::vector<Row>& rows) {
  const Status range = Status::number_out_of_range;
  rows.push_back(posts(range, "amount", {"above zero"}, fact(R"("amount":0)", "deposit")));
  rows.push_back(posts(range, "timestamp", {"milliseconds", "seconds"}, fact(R"("timestamp":-1)")));
  rows.push_back(
      posts(range, "config_version", {"from 1"}, fact(R"("config_id":"c","config_version":0)")));
  rows.push_back(posts(range, "data", {"double"}, fact(R"("data":{"a":1e999})")));
  const Status missing = Status::missing_member;
  rows.push_back(posts(missing, "type", {"every fact"}, R"({"entity_id":"acct_a"})"));
  rows.push_back(posts(missing, "entity_id", {"every fact"}, R"({"type":"note"})"));
  rows.push_back(operates(missing, "tenant_id", {"all tenants"}, deposit("f_1")));
  rows.push_back(posts(missing, "amount", {"0"}, fact(R"("source_id":"o")", "charge")));
  rows.push_back(posts(missing, "source_id", {"outcome"}, fact(R"("amount":1)", "charge")));
  rows.push_back(posts(missing, "tool_id", {"tool"}, fact(R"("data":{})", "invocation")));
  rows.push_back(posts(missing, "subtype", {"outcome"}, fact(R"("source_id":"i")", "outcome")));
  rows.push_back(posts(missing, "user_id", {"access"}, fact(R"("data":{})", "access_granted")));
  rows.push_back(
      posts(missing, "data.reason", {"reason"}, fact(R"("source_id":"i")", "correction")));
  rows.push_back(posts(missing, "config_version", {"together"}, fact(R"("config_id":"cfg_a")")));
  rows.push_back(posts(missing, "config_id", {"together"}, fact(R"("config_version":1)")));
  const Status value = Status::invalid_value;
  for (const char* name :
       {"source_id", "asset_id", "campaign_id", "tool_id", "user_id", "tenant_id"}) {
    rows.push_back(posts(value, name, {"empty"}, fact('"' + std::string(name) + "\":\"\"")));
  }
  rows.push_back(posts(value, "id", {"empty"}, R"({"id":"","type":"note","entity_id":"acct_a"})"));
  rows.push_back(posts(value, "entity_id", {"empty"}, R"({"type":"note","entity_id":""})"));
  rows.push_back(
      posts(value, "config_id", {"empty"}, fact(R"("config_id":"","config_version":1)")));
  rows.push_back(posts(value, "type", {"empty"}, R"({"type":"","entity_id":"acct_a"})"));
  rows.push_back(posts(value, "subtype", {"retired"}, fact(R"("subtype":"x")", "lifecycle")));
  rows.push_back(posts(value, "currency", {"ISO 4217"}, fact(R"("amount":1,"currency":"usd")")));
  rows.push_back(posts(value, "timestamp", {"milliseconds", "RFC 3339", "offset"},
                       fact(R"("timestamp":"2026-03-31")")));
  rows.push_back(posts(value, "trace_id", {"32"}, fact(R"("trace_id":"12")")));
  rows.push_back(posts(value, "data.trace_id", {"32"}, fact(R"("data":{"trace_id":"12"})")));
  rows.push_back(posts(Status::reserved_type, "id", {"cfg_"},
                       R"({"id":"cfg_a:1","type":"note","entity_id":"acct_a"})"));
  rows.push_back(posts(Status::reserved_type, "subtype", {"PUT /v1/configs"},
                       fact(R"("subtype":"config_updated")", "lifecycle")));
}

Row sends(Status status, std::string name, Words words, std::string body) {
  return {status, std::move(name), std::move(words), [body = std::move(body)](TestWorld& w) {
            return w.post(body, "north", "/v1/facts",
                          {{"content-type", "application/cloudevents+json"}});
          }};
}

void add_event_rows(std::vector<Row>& rows) {
  const auto event = [](std::string_view more) {
    return R"({"specversion":"1.0","id":"e","source":"s","type":"note")" + std::string(more) + '}';
  };
  const Status encoding = Status::unsupported_encoding;
  rows.push_back({encoding, "content-type", {"cloudevents"}, [](TestWorld& w) {
                    return w.post("{}", "north", "/v1/facts",
                                  {{"content-type", "application/cloudevents+xml"}});
                  }});
  rows.push_back(
      sends(encoding, "datacontenttype", {"JSON"}, event(R"(,"datacontenttype":"text/plain")")));
  rows.push_back(sends(encoding, "data_base64", {"base64"}, event(R"(,"data_base64":"e30=")")));
  rows.push_back(sends(Status::missing_member, "specversion", {"CloudEvent"}, "{}"));
  rows.push_back(sends(Status::missing_member, "source", {"CloudEvent"},
                       R"({"specversion":"1.0","id":"e","type":"note"})"));
  rows.push_back(sends(Status::invalid_value, "specversion", {"1.0"},
                       R"({"specversion":"2.0","id":"e","source":"s","type":"note"})"));
  rows.push_back(sends(Status::invalid_value, "source", {"empty"},
                       R"({"specversion":"1.0","id":"e","source":"","type":"note"})"));
  rows.push_back(sends(Status::invalid_value, "time", {"offset"},
                       event(R"(,"subject":"acct_a","time":"now")")));
  rows.push_back(sends(Status::number_out_of_range, "time", {"2000"},
                       event(R"(,"subject":"acct_a","time":"1970-01-01T00:00:00Z")")));
  for (const char* name : {"source", "subject", "time"}) {
    rows.push_back(sends(Status::wrong_type, name, {"attributes"},
                         R"({")" + std::string(name) + R"(":{},"id":"e"})"));
  }
  rows.push_back({Status::missing_member, "tenantid", {"CloudEvent"}, [event](TestWorld& w) {
                    return w.post(event(R"(,"subject":"acct_a")"), "", "/v1/facts",
                                  {{"content-type", "application/cloudevents+json"}});
                  }});
  rows.push_back(sends(Status::missing_member, "subject", {"entity_id"}, event("")));
  rows.push_back(sends(Status::invalid_id, "subject", {"entityid"}, event(R"(,"subject":"a b")")));
  rows.push_back(
      sends(Status::unknown_ledger, "subject", {"acct_"}, event(R"(,"subject":"cmp_1")")));
}

void add_ledger_rows(std::vector<Row>& rows) {
  rows.push_back({Status::ledger_full, "currency", {"32"}, [](TestWorld& w) {
                    const std::string codes =
                        "AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBHDBIFBMDBNDBOBBRLBSDBTN"
                        "BWPBYNBZDCADCDFCHFCLPCNYCOPCRCCUPCVE";
                    std::vector<std::string> all;
                    for (std::size_t i = 0; i < codes.size(); i += 3) {
                      const std::string code = codes.substr(i, 3);
                      all.push_back(deposit(code, "acct_a", 5, R"(,"currency":")" + code + '"'));
                    }
                    REQUIRE(w.post(list(all)).status == 200);
                    return w.post(deposit("f_1", "acct_a", 5, R"(,"currency":"CZK")"));
                  }});
  rows.push_back({Status::ledger_full, "user_id", {"256"}, [](TestWorld& w) {
                    std::vector<std::string> all;
                    for (int i = 0; i <= 256; ++i) {
                      const std::string n = std::to_string(i);
                      all.push_back(R"({"type":"access_granted","entity_id":"acct_a","id":"f_)" +
                                    n + R"(","user_id":"u_)" + n + "\"}");
                    }
                    Reply r = w.post(list(all));
                    r.json = r.item(256);
                    return r;
                  }});
}

void add_config_rows(std::vector<Row>& rows) {
  const Status unknown = Status::unknown_member;
  const Status wrong = Status::wrong_type;
  const Status value = Status::invalid_value;
  const Status range = Status::number_out_of_range;
  const Status missing = Status::missing_member;
  rows.push_back(puts(unknown, "config.settings.*", {"period"}, settings(R"({"limits":1})")));
  rows.push_back(puts(unknown, "config.*", {"expected_version"}, config("colour", "1")));
  rows.push_back(puts(wrong, "config.settings", {"object"}, config("settings", "null")));
  rows.push_back(puts(wrong, "config.settings.limit", {"no quotes"}, settings(R"({"limit":"1"})")));
  rows.push_back(puts(wrong, "config.settings.enforce", {"true or false"},
                      settings(R"({"limit":1,"enforce":"yes"})")));
  rows.push_back(
      puts(wrong, "config.expected_version", {"null"}, config("expected_version", "null")));
  rows.push_back(puts(wrong, "config.*", {"null"}, config("category", "null")));
  rows.push_back(puts(value, "config.type", {"alert_rules"}, config("type", R"("budgets")")));
  rows.push_back(puts(value, "config.category", {"logic"}, config("category", R"("law")")));
  rows.push_back(
      puts(value, "config.scope", {"platform, tenant or entity"}, config("scope", R"("world")")));
  rows.push_back(
      puts(value, "config.applies_to", {"leave it out"}, config("scope", R"("tenant")")));
  rows.push_back(puts(value, "config.tenant_id", {"one tenant"}, config("tenant_id", R"("")")));
  rows.push_back(puts(value, "config.settings.period", {"total, day, week or month"},
                      settings(R"({"limit":1,"period":"yearly"})")));
  rows.push_back(puts(value, "config.settings.currency", {"ISO 4217", "first version"},
                      settings(R"({"limit":1,"currency":"UDS"})")));
  rows.push_back(puts(range, "config.settings.limit", {"from 0"}, settings(R"({"limit":-1})")));
  rows.push_back(puts(range, "config.settings", {"double"}, settings(R"({"limit":1e999})")));
  rows.push_back(puts(range, "config.expected_version", {"0"}, config("expected_version", "-1")));
  rows.push_back(puts(missing, "config.applies_to", {"entity_id"}, config("applies_to", "")));
  rows.push_back(
      puts(missing, "config.tenant_id", {"all tenants"}, settings(R"({"limit":1})"), "cfg_a", ""));
  rows.push_back(puts(missing, "config.settings.limit", {"limit"}, settings("{}")));
  rows.push_back(puts(missing, "config.*", {"settings"}, config("scope", "")));
  rows.push_back(puts(Status::unknown_ledger, "config.applies_to", {"applies_to", "acct_"},
                      config("applies_to", R"("cmp_a")")));
  rows.push_back(puts(Status::data_too_large, "config.settings", {"64 KiB"},
                      R"({"type":"routing","scope":"tenant","settings":{"a":")" +
                          std::string(z0::limits::data_bytes_max, 'x') + "\"}}"));
  rows.push_back(puts(Status::invalid_id, "config.config_id", {"cfg_"}, settings(R"({"limit":1})"),
                      "budget1"));
  rows.push_back(puts(Status::forbidden, "config.scope", {"all tenants"},
                      R"({"type":"routing","scope":"platform","settings":{}})"));
  rows.push_back({Status::ledger_full, "config.scope", {"48"}, [](TestWorld& w) {
                    const std::string wide = R"({"type":"routing","scope":"tenant","settings":{}})";
                    for (int i = 0; i < 48; ++i) {
                      const std::string url = "/v1/configs/cfg_" + std::to_string(i);
                      REQUIRE(w.ask("PUT", url, "north", wide, {}).status == 201);
                    }
                    return w.ask("PUT", "/v1/configs/cfg_last", "north", wide, {});
                  }});
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  add_request_rows(rows);
  add_type_rows(rows);
  add_rule_rows(rows);
  add_event_rows(rows);
  add_ledger_rows(rows);
  add_config_rows(rows);
  return rows;
}

// The names that stand in the table, each with its status.
std::set<std::pair<Status, std::string>> names_in_table() {
  std::set<std::pair<Status, std::string>> names;
  for (const z0::Remedy& row : z0::remedies()) {
    std::string_view rest = row.fields;
    while (rest.size() > 1) {
      rest.remove_prefix(1);
      const std::string_view name = rest.substr(0, rest.find(','));
      rest.remove_prefix(name.size());
      INFO(name);
      CHECK(names.insert({row.status, std::string(name)}).second);
    }
  }
  return names;
}

}  // namespace

TEST_CASE("Each row of the remedies is what a request is answered with", "[edge]") {
  std::set<std::pair<Status, std::string>> left = names_in_table();
  for (const Row& row : all_rows()) {
    TestWorld world;
    const Reply r = row.ask(world);
    INFO(row.name << ": " << r.body.substr(0, 600));
    CHECK(r.text("status") == z0::info(row.status).name);
    std::string field = row.name;
    if (field.starts_with("config.")) field.erase(0, 7);
    if (!field.ends_with('*')) CHECK(r.text("field") == field);
    for (const std::string& word : row.words) {
      CHECK(r.text("action").find(word) != std::string::npos);
    }
    CHECK(r.text("action") != z0::info(row.status).remedy);
    left.erase({row.status, row.name});
  }
  for (const auto& [status, name] : left) {
    FAIL_CHECK("no request meets " << z0::info(status).name << " of " << name);
  }
}

TEST_CASE("What no row names is answered with the remedy of its status", "[edge]") {
  CHECK(z0::remedy(Status::wrong_type, "colour") == z0::info(Status::wrong_type).remedy);
  CHECK(z0::remedy(Status::too_large, "amount") == z0::info(Status::too_large).remedy);
  CHECK(z0::remedy(Status::wrong_type, "") == z0::info(Status::wrong_type).remedy);
  CHECK(z0::remedy(Status::wrong_type, ",") == z0::info(Status::wrong_type).remedy);
  CHECK(z0::config_remedy(Status::too_deep, "byte 5") == z0::info(Status::too_deep).remedy);
  CHECK(z0::config_remedy(Status::not_json, z0::byte_order_mark) ==
        z0::remedy(Status::not_json, z0::byte_order_mark));
}
