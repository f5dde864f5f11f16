// The watch over facts of a history, in the time that was.
#include "z0/alerting/business_backtest.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "alerting/business_limits.hpp"
#include "base/sort.hpp"
#include "z0/base/trap.hpp"

namespace z0 {
namespace {

constexpr std::int64_t weeks_ms(std::int64_t weeks) { return weeks * 168 * week::hour_ms; }
static_assert(backtest_business_ms_max == weeks_ms(business_limits::learned_weeks));

// What an hour has to be over for, before it is learned and looked at.
constexpr std::int64_t ripens_ms =
    week::hour_ms + business_limits::late_ms + business_limits::look_every_ms;

// What a rule has to see before it can say anything.
struct Schooling {
  LookKind kind = LookKind::charge;
  std::int64_t ms = 0;
  std::string_view words;
};

Schooling schooling_of(Business business) {
  switch (business) {
    case Business::zero_invocations:
      return {LookKind::invocation, 0, "an hour of invocations"};
    case Business::no_charges:
      return {LookKind::charge, 0, "an hour of charges"};
    case Business::revenue_low:
      return {LookKind::charge, weeks_ms(3), "three weeks of charges"};
    case Business::budget_ends:
      return {LookKind::charge, 2 * week::hour_ms, "some hours of charges under a budget"};
    case Business::revenue_unusual:
      return {LookKind::charge, Baseline::settled_ms, "two weeks of charges"};
    case Business::count_:
      break;
  }
  trap("a rule about business is about one of its kinds");
}

}  // namespace

BusinessPlay::BusinessPlay(BusinessHistory& history, Backtest& backtest, std::int64_t from_ms,
                           std::int64_t to_ms)
    : history_(history),
      backtest_(backtest),
      first_tick_ms_(from_ms - from_ms % backtest.step_ms() + backtest.step_ms()) {
  history_.put_in_order();
  places_.resize(history_.series_.size());
  used_.resize(history_.accounts_.size());
  std::vector<Rule> rules;
  for (std::size_t i = 0; i < backtest_.rules().size(); ++i) {
    const Rule& rule = backtest_.rules()[i];
    if (rule.kind != SignalKind::business) continue;
    backtest_.set_judged(i, since(rule.business, from_ms, to_ms));
    rules_.push_back(static_cast<std::uint32_t>(i));
    rules.push_back(rule);
  }
  book_ = RuleBook::of(std::move(rules));
}

std::int64_t BusinessPlay::first_ms(LookKind kind) const {
  const std::int64_t first = history_.first_minutes_[static_cast<std::size_t>(kind)];
  return first == INT64_MAX ? 0 : first * week::minute_ms;
}

JudgedSince BusinessPlay::since(Business business, std::int64_t from_ms, std::int64_t to_ms) const {
  JudgedSince judged;
  const Schooling school = schooling_of(business);
  std::int64_t first = first_ms(school.kind);
  if (history_.empty()) {
    judged.why_not = "it needs facts, and the history has none";
  } else if (business == Business::budget_ends && history_.versions_.empty()) {
    judged.why_not = "the history has no version of a budget";
  } else if (first == 0) {
    judged.why_not = school.kind == LookKind::charge ? "the history has no charge"
                                                     : "the history has no invocation";
  }
  if (!judged.why_not.empty()) return judged;
  if (business == Business::budget_ends) first = std::max(first, history_.versions_.front().at_ms);
  const auto hour_of = [](std::int64_t at_ms) { return at_ms - at_ms % week::hour_ms; };
  judged.learned_from_ms =
      std::max(first, hour_of(from_ms) - weeks_ms(business_limits::learned_weeks));
  judged.judged_from_ms =
      std::max(from_ms, hour_of(judged.learned_from_ms) + school.ms + ripens_ms);
  if (judged.judged_from_ms >= to_ms) {
    judged.judged_from_ms = 0;
    judged.why_not = "the history is too short: it needs " + std::string(school.words);
  }
  return judged;
}

// What is learned, hour by hour: so it is the same wherever a play is cut. What is judged is never so much.
LookRequest BusinessPlay::begin_look(std::int64_t now_ms) {
  LookRequest asked = watch_.begin_look(now_ms);
  if (asked.until_ms - asked.from_ms >= 2 * week::hour_ms)
    asked.until_ms = asked.from_ms + week::hour_ms;
  return asked;
}

void BusinessPlay::learn(std::int64_t until_ms) {
  while (!rules_.empty()) {
    const LookRequest asked = begin_look(first_tick_ms_);
    // The first tick judges, or the history does not have that hour yet.
    if (asked.until_ms + business_limits::late_ms > first_tick_ms_ || asked.until_ms > until_ms)
      return;
    watch_.take(asked, answer(asked, first_tick_ms_), book_, first_tick_ms_);
  }
}

void BusinessPlay::tick(std::int64_t now_ms) {
  if (rules_.empty() || now_ms - looked_ms_ < business_limits::look_every_ms) return;
  looked_ms_ = now_ms;
  // Until nothing is left to be learned.
  while (true) {
    const LookRequest asked = begin_look(now_ms);
    watch_.take(asked, answer(asked, now_ms), book_, now_ms);
    const std::int64_t next_ms = watch_.next_ms(now_ms);
    if (next_ms == 0 || next_ms > now_ms + business_limits::catch_up_every_ms) break;
  }
  tell(now_ms);
}

void BusinessPlay::tell(std::int64_t now_ms) {
  for (const auto& one : watch_.alerts()) {
    const BusinessWatch::Alert& alert = one.second;
    const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](std::uint32_t number) {
      return backtest_.rules()[number].name == alert.rule;
    });
    if (rule == rules_.end()) continue;
    AlertState state = alert.state;
    FiringCost cost;
    if (alert.money)
      cost = {alert.money->currency, alert.money->lost, alert.money->at_risk_per_hour};
    backtest_.note({&backtest_.rules()[*rule], alert.tenant_id, {}, &state, alert.seen}, now_ms,
                   cost);
  }
}

std::int64_t BusinessPlay::needs_from_ms() const {
  return rules_.empty() ? INT64_MAX : watch_.learned_until_ms();
}

void BusinessPlay::encode(ByteWriter& out) const {
  out.varint(static_cast<std::uint64_t>(looked_ms_));
  watch_.encode(out);
}

bool BusinessPlay::decode(ByteReader& in) {
  looked_ms_ = static_cast<std::int64_t>(in.varint());
  return watch_.decode(in);
}

// What the lookout would have been told by D1. What it doubts it knows: nothing of a history is late.
LookReply BusinessPlay::answer(const LookRequest& asked, std::int64_t now_ms) {
  LookReply reply;
  add_hours(asked, reply);
  spend_until(asked.until_ms, reply);
  add_budgets(asked, now_ms, reply);
  return reply;
}

void BusinessPlay::add_hours(const LookRequest& asked, LookReply& reply) {
  const auto& cells = history_.cells_;
  const auto before = [](const BusinessHistory::Cell& cell, std::int64_t minute) {
    return cell.minute < minute;
  };
  const std::int64_t until = asked.until_ms / week::minute_ms;
  auto at = std::lower_bound(cells.begin(), cells.end(), asked.from_ms / week::minute_ms, before);
  ++looks_;
  for (; at != cells.end() && at->minute < until; ++at) {
    const std::int64_t hour = at->minute / 60;
    Place& place = places_[at->series];
    if (place.look != looks_ || reply.hours[place.at].hour != hour) {
      const BusinessHistory::Series& series = history_.series_[at->series];
      place = {looks_, reply.hours.size()};
      LookReply::Hour& made = reply.hours.emplace_back();
      made.tenant_id = series.tenant_id;
      made.kind = series.kind;
      made.currency = series.currency;
      made.hour = hour;
    }
    LookReply::Hour& into = reply.hours[place.at];
    add_up(into.facts, at->facts);
    into.minutes |= std::int64_t{1} << (at->minute % 60);
    add_up(into.amount, at->amount);
    into.newest_ms = std::max(into.newest_ms, at->newest_ms);
  }
  // As D1 tells of them.
  sort_by_number(reply.hours, [&reply](std::uint32_t i, std::uint32_t j) {
    const LookReply::Hour& a = reply.hours[i];
    const LookReply::Hour& b = reply.hours[j];
    return std::tie(a.tenant_id, a.kind, a.currency, a.hour) <
           std::tie(b.tenant_id, b.kind, b.currency, b.hour);
  });
}

// Versions and charges in the order of time; accounts that were charged under a budget are told of.
void BusinessPlay::spend_until(std::int64_t until_ms, LookReply& reply) {
  const auto& versions = history_.versions_;
  for (; next_version_ < versions.size() && versions[next_version_].at_ms < until_ms;
       ++next_version_) {
    const BusinessHistory::Version& one = versions[next_version_];
    const std::string data =
        R"({"type":"budget","category":"policy","scope":"tenant","settings":)" + one.settings + '}';
    Fact fact;
    fact.type = FactType::lifecycle;
    fact.fields = field_subtype | field_config | field_data;
    fact.subtype = "config_updated";
    fact.entity_id = one.entity_id;
    fact.config_id = one.config_id;
    fact.config_version = one.number;
    fact.data = data;
    fact.recorded_at = one.at_ms;
    // A ledger holds so many configs and no more: the fold says so of the next one.
    static_cast<void>(budgets_[BusinessHistory::key_of(one.tenant_id, one.entity_id)].apply(fact));
  }
  const auto& spent = history_.spent_;
  for (; next_spent_ < spent.size() && spent[next_spent_].minute * week::minute_ms < until_ms;
       ++next_spent_) {
    const BusinessHistory::Spent& one = spent[next_spent_];
    const BusinessHistory::Account& account = history_.accounts_[one.account];
    Used& used = used_[one.account];
    for (std::size_t i = 0; i < std::size(used.spent); ++i) {
      const std::int64_t index = period_index(static_cast<Period>(i), one.minute * week::minute_ms);
      if (std::exchange(used.index[i], index) != index) used.spent[i] = 0;
      add_up(used.spent[i], one.amount);
    }
    const LookReply::Charged charged{account.tenant_id, account.entity_id};
    const auto same = [&charged](const LookReply::Charged& other) {
      return other.tenant_id == charged.tenant_id && other.entity_id == charged.entity_id;
    };
    const bool room = reply.charged.size() < business_limits::accounts_max;
    if (room && budgets_.contains(BusinessHistory::key_of(account.tenant_id, account.entity_id)) &&
        std::none_of(reply.charged.begin(), reply.charged.end(), same))
      reply.charged.push_back(charged);
  }
}

void BusinessPlay::add_budgets(const LookRequest& asked, std::int64_t now_ms, LookReply& reply) {
  for (const LookRequest::Account& account : asked.accounts) {
    const auto known = budgets_.find(BusinessHistory::key_of(account.tenant_id, account.entity_id));
    if (known == budgets_.end()) continue;
    for (const KnownConfig& config : known->second.known()) {
      if (!config.is_budget) continue;
      LookReply::Budget& one = reply.budgets.emplace_back();
      one.tenant_id = account.tenant_id;
      one.entity_id = account.entity_id;
      one.config_id = config.config_id;
      one.currency = config.budget.currency;
      one.limit = config.budget.limit;
      one.period = static_cast<std::int64_t>(config.budget.period);
      one.at_ms = now_ms;
      one.enforced = config.budget.enforce;
      const auto charged = history_.account_numbers_.find(
          BusinessHistory::key_of(account.tenant_id, account.entity_id, config.budget.currency));
      if (charged == history_.account_numbers_.end()) continue;
      const Used& used = used_[charged->second];
      const auto i = static_cast<std::size_t>(config.budget.period);
      if (used.index[i] == period_index(config.budget.period, now_ms)) one.used = used.spent[i];
    }
  }
}

}  // namespace z0
