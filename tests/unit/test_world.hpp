// Shortcuts for tests that talk to a whole world: requests in one line, answers as JSON, rows of D1
// and of a ledger's storage, and a check on every frame that passes.
#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "d1_schema.hpp"
#include "world.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/status.hpp"
#include "z0/http/token.hpp"

namespace z0::test {

using Json = nlohmann::json;

inline constexpr std::uint8_t all_scopes =
    scope_facts_write | scope_facts_read | scope_telemetry_write | scope_ops | scope_config_write;

// An HTTP answer with its body as JSON; discarded when it is none.
struct Reply : world::HttpReply {
  Json json;

  std::string text(const char* member) const { return json.value(member, std::string()); }
  const Json& item(std::size_t i) const { return json.at("results").at(i); }
  // The statuses of a list's items, separated by spaces.
  std::string statuses() const {
    std::string names;
    for (const auto& item : json.at("results")) {
      if (!names.empty()) names += ' ';
      names += item.at("status").get<std::string>();
    }
    return names;
  }
};

inline Reply read_reply(world::HttpReply reply) {
  Reply out;
  static_cast<world::HttpReply&>(out) = std::move(reply);
  out.json = Json::parse(out.body, nullptr, false);
  return out;
}

// Rows of a statement without parameters, each an array of cells; blobs as strings.
inline Json rows_of(world::Database& database, std::string_view sql) {
  const auto answer = database.run({sql, {}});
  if (answer->rows.failed) throw std::runtime_error(answer->message);
  Json out = Json::array();
  for (std::size_t r = 0; r < answer->rows.size(); ++r) {
    Json row = Json::array();
    for (std::size_t c = 0; c < answer->rows.columns; ++c) {
      const Value& v = answer->rows.at(r, c);
      if (v.kind == Value::Kind::null)
        row.push_back(nullptr);
      else if (v.kind == Value::Kind::integer)
        row.push_back(v.integer);
      else if (v.kind == Value::Kind::real)
        row.push_back(v.real);
      else
        row.push_back(std::string(v.bytes));
    }
    out.push_back(std::move(row));
  }
  return out;
}

class TestWorld : public world::World {
 public:
  explicit TestWorld(std::uint64_t seed = 1) : World(seed, d1_schema()) {
    watch = [this](std::string_view frame, std::string_view effects) {
      largest_frame = std::max(largest_frame, frame.size());
      if (seen) seen(frame, effects);
    };
  }

  // As `watch`, which this class uses itself.
  std::function<void(std::string_view frame, std::string_view effects)> seen;
  std::size_t largest_frame = 0;

  // `who` is a tenant, or empty for an operator.
  Reply post(const std::string& body, std::string_view who = "north", const char* url = "/v1/facts",
             const world::Headers& more = {}) {
    return ask("POST", url, who, body, more);
  }
  Reply post_lines(const std::string& body, std::string_view who = "north",
                   const char* url = "/v1/facts") {
    return ask("POST", url, who, body, {{"content-type", "application/x-ndjson"}});
  }
  Reply get(const std::string& url, std::string_view who = "north") {
    return ask("GET", url, who, {}, {});
  }
  Reply ask(std::string_view method, const std::string& url, std::string_view who,
            const std::string& body, const world::Headers& more) {
    world::Headers headers = authorization(who, all_scopes);
    headers.insert(headers.end(), more.begin(), more.end());
    return read_reply(request(method, url, headers, body));
  }

  Json d1_rows(std::string_view sql) { return rows_of(d1(), sql); }
  // A number that a query of D1 yields.
  std::int64_t d1_count(std::string_view sql) {
    return d1_rows(sql).at(0).at(0).get<std::int64_t>();
  }
  Json ledger_rows(std::string_view entity_id, std::string_view sql) {
    return rows_of(ledger(entity_id), sql);
  }
  world::Database& ledger(std::string_view entity_id) { return storage_of(object_of(entity_id)); }
  // The object of an account, the only kind that most tests use.
  static std::string object_of(std::string_view entity_id) {
    return "account_" + std::string(entity_id);
  }
};

// A deposit, which needs nothing but an amount; `more` are further members with a comma in front.
inline std::string deposit(std::string_view id, std::string_view entity_id = "acct_a",
                           int amount = 5, std::string_view more = {}) {
  std::string json = R"({"type":"deposit","id":")";
  json += id;
  json += R"(","entity_id":")";
  json += entity_id;
  json += R"(","amount":)" + std::to_string(amount);
  json += more;
  return json + '}';
}

// A JSON array of texts that are JSON themselves.
inline std::string list(const std::vector<std::string>& items) {
  std::string json = "[";
  for (const auto& item : items) {
    if (json.size() > 1) json += ',';
    json += item;
  }
  return json + ']';
}

// `count` deposits with ids {prefix}{first}, {prefix}{first + 1} ...
inline std::string deposits(std::string_view prefix, int first, int count,
                            std::string_view entity_id = "acct_a", std::string_view more = {}) {
  std::vector<std::string> items;
  for (int i = first; i < first + count; ++i) {
    items.push_back(deposit(std::string(prefix) + std::to_string(i), entity_id, 5, more));
  }
  return list(items);
}

}  // namespace z0::test
