#include "z0/alerts/backtest_request.hpp"

#include <algorithm>
#include <utility>

#include "alerts/checked_json.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/time.hpp"

namespace z0 {
namespace {

constexpr std::size_t request_depth_max = 12;

class RequestReader : private CheckedJson {
 public:
  RequestReader(std::string_view text, BacktestRequest& out, RuleError& error)
      : CheckedJson(text, request_depth_max, error), out_(out) {}

  bool read() {
    if (!object()) return fail("an object");
    std::string_view key;
    while (in_.next_member(key)) {
      const std::string name(key);
      // Rules and incidents say where they are wrong themselves.
      const bool inner = name == "rules" || name == "against" || name == "incidents";
      if (inner) {
        if (!(name == "incidents" ? read_incidents() : read_the_rules(name))) return false;
        continue;
      }
      const Within within(*this, name);
      if (!read_member(name)) return fail("another value");
    }
    if (in_.error() != JsonError::none || !in_.at_end()) return fail("JSON in order");
    return complete();
  }

 private:
  bool read_member(std::string_view name) {
    if (name == "from") return read_moment(out_.from_ms);
    if (name == "to") return read_moment(out_.to_ms);
    if (name == "step") return duration(out_.step_ms, backtest_step_ms_min, backtest_step_ms_max);
    if (name != "shipped") return fail("a member of a backtest, and this is none");
    return (in_.peek() == JsonKind::boolean && in_.boolean(shipped_)) || fail("true or false");
  }

  bool read_moment(std::int64_t& ms) {
    constexpr std::string_view what = "a time since 1970 in ms, or as RFC 3339 has it";
    JsonReader::Fit fit{};
    std::string value;
    const bool read = in_.peek() == JsonKind::number
                          ? in_.integer(ms, fit)
                          : text(value, what) && parse_rfc3339(value, ms);
    return (read && ms > 0 && ms <= limits::timestamp_ms_max) || fail(std::string(what));
  }

  std::string_view whole_value() {
    in_.peek();
    const std::size_t from = in_.offset();
    return in_.skip() ? text_.substr(from, in_.offset() - from) : std::string_view{};
  }

  bool read_the_rules(std::string_view name) {
    std::string settings = R"({"rules":)";
    settings += whole_value();
    const bool compared = name == "against";
    if (read_rules(settings + '}', compared ? out_.against : out_.rules, error_)) {
      (compared ? out_.compares : any_rules_) = true;
      return true;
    }
    if (compared) error_.where.insert(0, "against: ");
    return false;
  }

  bool read_incidents() {
    if (!list()) return fail_at("incidents", "a list");
    while (in_.next_element()) {
      if (out_.incidents.size() >= backtest_incidents_max)
        return fail_at("incidents", "fewer of them");
      if (read_incident(whole_value(), out_.incidents.emplace_back(), error_)) continue;
      error_.where.insert(0, "incidents[" + std::to_string(out_.incidents.size() - 1) + "]: ");
      return false;
    }
    return true;
  }

  bool complete() {
    if (shipped_ || !any_rules_) {
      std::vector<Rule> shipped;
      if (!read_rules(default_rules_json(), shipped, error_)) return false;
      for (std::vector<Rule>* rules : {&out_.rules, &out_.against}) {
        if (rules == &out_.against && !(out_.compares && shipped_)) continue;
        std::vector<Rule> own = std::exchange(*rules, shipped);
        add_rules(*rules, std::move(own));
      }
    }
    return true;
  }

  BacktestRequest& out_;
  bool any_rules_ = false;
  bool shipped_ = false;
};

}  // namespace

bool read_backtest_request(std::string_view text, BacktestRequest& out, RuleError& error) {
  out = {};
  return RequestReader(text, out, error).read();
}

void add_rules(std::vector<Rule>& to, std::vector<Rule> rules) {
  for (Rule& rule : rules) {
    std::erase_if(to, [&rule](const Rule& other) { return other.name == rule.name; });
    to.push_back(std::move(rule));
  }
}

}  // namespace z0
