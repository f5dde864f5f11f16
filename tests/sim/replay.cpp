#include "replay.hpp"

#include <chrono>
#include <cstdlib>

namespace z0::sim {
namespace {

constexpr std::int64_t amount_max = 9'007'199'254'740'991;
constexpr const char* windows[] = {"day", "week", "month"};
constexpr const char* scopes[] = {"entity", "tenant", "platform"};  // narrowest first

bool is(const Json& fact, const char* type) { return fact.at("type") == type; }

std::string currency_of(const Json& fact) { return fact.value("currency", "USD"); }

bool fits(std::int64_t amount) { return std::abs(amount) <= amount_max; }

}  // namespace

bool is_config_version(const Json& fact) {
  return is(fact, "lifecycle") && fact.value("subtype", "") == "config_updated";
}

const Replay::Source* Replay::behind(const Json& correction) const {
  const auto named = sources_.find(correction.value("source_id", ""));
  return named == sources_.end() ? nullptr : &sources_.at(named->second.behind);
}

std::string Replay::verdict_of_correction(const Json& fact) const {
  const auto named = sources_.find(fact.value("source_id", ""));
  if (named == sources_.end()) return "unknown_source";
  if (!fact.contains("amount")) return "recorded";
  const Json& source = named->second.fact;
  if (!source.contains("amount") || currency_of(source) != currency_of(fact))
    return "source_mismatch";
  const std::int64_t left = behind(fact)->left + fact.at("amount").get<std::int64_t>();
  if (left < 0) return "over_corrected";
  return fits(left) ? "recorded" : "amount_overflow";
}

std::string Replay::moved_by(const Json& fact) const {
  if (!is(fact, "correction")) return fact.at("type");
  const Source* source = behind(fact);
  return source == nullptr ? "" : source->fact.at("type");
}

bool Replay::moves_money(const Json& fact) const {
  const std::string type = moved_by(fact);
  return (type == "deposit" || type == "credit_issued" || type == "charge") &&
         fact.contains("amount");
}

void Replay::add(Money& money, const Json& fact, std::int64_t at_ms) const {
  const std::int64_t amount = fact.at("amount");
  const std::string type = moved_by(fact);
  if (type == "deposit") {
    money.deposited += amount;
  } else if (type == "credit_issued") {
    money.credits += amount;
  } else {
    money.spent += amount;
    // A correction belongs to the time of its charge.
    const std::int64_t at = of_ms(fact, at_ms);
    for (const char* period : windows) money.spent_of[window_of(period, at)] += amount;
  }
}

std::int64_t Replay::of_ms(const Json& fact, std::int64_t at_ms) const {
  if (!is(fact, "correction")) return at_ms;
  return behind(fact)->fact.at("recorded_at");
}

// The first day of the window that a moment lies in, and the window's kind. Weeks begin on Monday.
std::string Replay::window_of(const std::string& period, std::int64_t at_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds{at_ms}};
  std::chrono::sys_days first = std::chrono::floor<std::chrono::days>(at);
  if (period == "week") first -= std::chrono::weekday{first} - std::chrono::Monday;
  if (period == "month") {
    const std::chrono::year_month_day day{first};
    first = std::chrono::sys_days{day.year() / day.month() / 1};
  }
  return period + std::to_string(first.time_since_epoch().count());
}

std::int64_t Replay::used(const std::string& currency, const std::string& period,
                          std::int64_t at_ms) const {
  const auto found = money_.find(currency);
  if (found == money_.end()) return 0;
  if (period == "total") return found->second.spent;
  const auto& spent_of = found->second.spent_of;
  const auto spent = spent_of.find(window_of(period, at_ms));
  return spent == spent_of.end() ? 0 : spent->second;
}

std::string Replay::verdict(const Json& fact, std::int64_t at_ms) const {
  const bool own = is(fact, "reconciliation") || is_config_version(fact);
  const bool ends = is(fact, "lifecycle") && fact.value("subtype", "") == "retired";
  if (lifecycle_ == "retired" || (lifecycle_ == "retiring" && !own && !ends))
    return "entity_inactive";
  if (is(fact, "correction")) {
    const std::string judged = verdict_of_correction(fact);
    if (judged != "recorded") return judged;
  }
  if (!moves_money(fact)) return "recorded";
  const std::string currency = currency_of(fact);
  const auto found = money_.find(currency);
  Money then = found == money_.end() ? Money{} : found->second;
  add(then, fact, at_ms);
  if (!fits(then.deposited) || !fits(then.credits) || !fits(then.spent) || !fits(then.remaining()))
    return "amount_overflow";
  for (const auto& [window, spent] : then.spent_of) {
    if (!fits(spent)) return "amount_overflow";
  }
  const std::int64_t amount = fact.at("amount");
  if (moved_by(fact) != "charge" || amount <= 0) return "recorded";
  for (const auto& [id, config] : configs_) {
    const Json& settings = config.data.at("settings");
    if (!settings.at("enforce") || settings.at("currency") != currency) continue;
    const std::string period = settings.at("period");
    if (period != "total" && window_of(period, of_ms(fact, at_ms)) != window_of(period, at_ms))
      continue;
    if (used(currency, settings.at("period"), at_ms) + amount > settings.at("limit"))
      return "budget_exhausted";
  }
  return "recorded";
}

void Replay::apply(const Json& fact) {
  recorded_at_ = fact.at("recorded_at");
  if (is_config_version(fact)) {
    Config& config = configs_[fact.at("config_id")];
    if (fact.at("config_version") > config.version)
      config = {fact.at("config_version"), fact.at("data")};
  } else if (is(fact, "lifecycle") && fact.at("subtype") != "created") {
    lifecycle_ = fact.at("subtype");
  }
  remember(fact);
  if (!moves_money(fact)) return;
  add(money_[currency_of(fact)], fact, recorded_at_);
  last_money_seq_ = fact.value("seq", std::int64_t{0});
  last_money_id_ = fact.value("id", "");
}

void Replay::remember(const Json& fact) {
  const std::string id = fact.value("id", "");
  const std::int64_t amount = fact.value("amount", std::int64_t{0});
  Source source{fact, id, amount};
  if (is(fact, "correction") && fact.contains("amount")) {
    const auto named = sources_.find(fact.value("source_id", ""));
    if (named == sources_.end()) return;
    source.behind = named->second.behind;
    sources_.at(source.behind).left += amount;
    const std::int64_t left = sources_.at(source.behind).left;
    hold(left >= 0, "corrections never take a fact below zero", fact.dump());
  }
  sources_[id] = source;
}

std::string Replay::stamp_of(const std::string& currency) const {
  for (const char* scope : scopes) {
    for (const auto& [id, config] : configs_) {
      if (config.data.at("scope") == scope && config.data.at("settings").at("currency") == currency)
        return id;
    }
  }
  return {};
}

Json Replay::money_json(const std::string& currency, std::int64_t at_ms) const {
  const auto found = money_.find(currency);
  const Money money = found == money_.end() ? Money{} : found->second;
  return {{"currency", currency},           {"deposited", money.deposited},
          {"credits", money.credits},       {"spent", money.spent},
          {"remaining", money.remaining()}, {"day_spent", used(currency, "day", at_ms)}};
}

void Replay::check_budget_state(const Json& shown, std::int64_t at_ms, bool budgets,
                                const std::string& where) const {
  const std::string place = where + ": " + shown.dump();
  const auto same = [&](const Json& part, const std::string& currency) {
    const Json right = money_json(currency, at_ms);
    for (const auto& [name, value] : right.items())
      hold(part.value(name, Json()) == value, "a balance is what the facts add up to",
           place + " instead of " + right.dump());
  };
  const std::string first =
      money_.empty() || money_.contains("USD") ? "USD" : money_.begin()->first;
  same(shown, first);
  std::size_t other = 0;
  const Json others = shown.value("currencies", Json::array());
  for (const auto& [currency, money] : money_) {
    if (currency == first) continue;
    hold(other < others.size(), "a balance has each currency", place);
    same(others[other++], currency);
  }
  hold(shown.at("last_seq") == last_money_seq_ &&
           (last_money_seq_ == 0 || shown.at("last_fact_id") == last_money_id_),
       "a balance names its last fact", place);
  if (!budgets) return;
  Json right = Json::array();
  for (const char* scope : scopes) {
    for (const auto& [id, config] : configs_) {
      if (config.data.at("scope") != scope) continue;
      const Json& s = config.data.at("settings");
      const std::int64_t spent = used(s.at("currency"), s.at("period"), at_ms);
      Json budget = s;
      budget.update({{"config_id", id},
                     {"config_version", config.version},
                     {"scope", scope},
                     {"used", spent},
                     {"remaining", s.at("limit").get<std::int64_t>() - spent}});
      right.push_back(budget);
    }
  }
  hold(shown.value("budgets", Json::array()) == right, "a state shows the budgets in force",
       place + " instead of " + right.dump());
}

}  // namespace z0::sim
