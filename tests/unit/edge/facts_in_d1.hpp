// Facts as D1 has them and as a history has them, and what a backtest says of the latter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/alerting/business_backtest.hpp"
#include "z0/alerts/backtest.hpp"
#include "z0/alerts/backtest_history.hpp"

namespace z0::test {

struct MadeFact {
  std::string tenant = "north";
  std::string type = "invocation";
  std::string subtype = {};
  std::string data = "{}";
  std::string tool = "tool_dial";
  bool failed = false;
  std::int64_t amount = 0;
  std::string currency = {};
  std::string corrects = {};
  std::string entity = "ast_x";
};

// Facts as replication leaves them in D1, and the same as lines of a history.
class FactsInD1 {
 public:
  explicit FactsInD1(TestWorld& w, const char* binding = "DB") : w_(w), binding_(binding) {}

  void add(std::int64_t at_ms, const MadeFact& made, int times = 1) {
    for (int i = 0; i < times; ++i) {
      const std::string n = std::to_string(++count_);
      const std::string values =
          ") VALUES ('" + made.tenant + "', '" + made.type + "', " + std::to_string(at_ms) + ", '" +
          made.entity + "', " + n + ", 'f_" + n + "', " +
          (made.subtype.empty() ? "NULL" : "'" + made.subtype + "'") + ", 'ast_x', '" + made.tool +
          "', '" + made.data + "', " + (made.failed ? "'4bf9'" : "1") + money_of(made) + ");";
      const std::string names = "tenant_id, type, timestamp, entity_id, ";
      script_ += made.failed
                     ? "INSERT INTO failed_facts (" + names +
                           "attempted_at, id, subtype, asset_id, tool_id, data, trace_id" +
                           (made.amount == 0 ? "" : ", amount, currency") + values
                     : "INSERT INTO ledger_facts (" + names +
                           "seq, id, subtype, asset_id, tool_id, data, recorded_at" +
                           (made.amount == 0 ? "" : ", amount, currency, corrects") + values;
      Json fact = {{"tenant_id", made.tenant},
                   {"type", made.type},
                   {"timestamp", at_ms},
                   {"tool_id", made.tool},
                   {"asset_id", "ast_x"},
                   {"entity_id", made.entity},
                   {"data", Json::parse(made.data)},
                   {"status", made.failed ? "failed" : "recorded"}};
      if (!made.subtype.empty()) fact["subtype"] = made.subtype;
      if (made.amount != 0) {
        fact.update({{"amount", made.amount}, {"currency", made.currency}});
        if (!made.corrects.empty()) fact["corrects"] = made.corrects;
      }
      lines.push_back(fact.dump());
    }
  }
  void write() {
    w_.d1(binding_).script("BEGIN;" + script_ + "COMMIT;");
    script_.clear();
  }

  std::vector<std::string> lines;

 private:
  static std::string money_of(const MadeFact& made) {
    if (made.amount == 0) return {};
    std::string text = ", " + std::to_string(made.amount) + ", '" + made.currency + '\'';
    if (!made.failed) text += made.corrects.empty() ? ", NULL" : ", '" + made.corrects + '\'';
    return text;
  }
  TestWorld& w_;
  const char* binding_;
  std::string script_;
  int count_ = 0;
};

// What the tool would say of the same lines, step by step.
inline Json locally(const std::vector<std::string>& lines, std::int64_t from, std::int64_t to,
                    const Json& asked, std::int64_t step_ms = 60'000) {
  std::vector<Rule> read;
  RuleError error;
  REQUIRE(read_rules(Json{{"rules", asked}}.dump(), read, error));
  History history;
  BusinessHistory facts;
  for (const std::string& text : lines) {
    HistoryLine line;
    REQUIRE(read_history_line(text, line, error));
    for (const auto& sample : line.samples) history.add(sample);
    if (line.fact) facts.add(*line.fact);
  }
  Backtest backtest(read, step_ms);
  HistoryPlay play(history, backtest, from, to);
  BusinessPlay business(facts, backtest, from, to);
  while (play.step())
    if (play.judged()) business.tick(play.now_ms());
  return Json::parse(backtest_json(backtest, from, to, {}));
}

}  // namespace z0::test
