// Facts of a history, and the watch over them in the time that was.
#include "z0/alerting/business_backtest.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "alerting/business_limits.hpp"
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

void BusinessHistory::add(const HistoryFact& fact) {
  if (fact.at_ms <= 0 || fact.tenant_id.empty()) return;
  const bool of_charge = fact.corrects.empty() || fact.corrects == "charge";
  if (fact.failed) {
    // Tries of one charge within an hour are one charge.
    const std::string attempt = fact.tenant_id + '\0' + fact.entity_id + '\0' + fact.id + '\0' +
                                std::to_string(fact.at_ms / week::hour_ms);
    if (fact.type == "charge" && (fact.id.empty() || attempts_.insert(attempt).second))
      count(LookKind::failed_charge, fact);
  } else if (fact.type == "invocation") {
    count(LookKind::invocation, fact);
  } else if (fact.type == "charge") {
    count(LookKind::charge, fact);
    spend(fact);
  } else if (fact.type == "correction" && of_charge) {
    count(LookKind::correction, fact);
    spend(fact);
  } else if (fact.type == "lifecycle") {
    const bool ends = fact.subtype == "retiring" || fact.subtype == "retired";
    if (ends && fact.entity_id == "acct_" + fact.tenant_id) count(LookKind::suspension, fact);
    if (fact.settings.empty() || fact.entity_id == fact.config_id) return;
    versions_.push_back({fact.at_ms, fact.tenant_id, fact.entity_id, fact.config_id,
                         fact.config_version, fact.settings});
    in_order_ = false;
  }
}

void BusinessHistory::count(LookKind kind, const HistoryFact& fact) {
  const auto [found, is_new] = numbers_.try_emplace({fact.tenant_id, kind, fact.currency},
                                                    static_cast<std::uint32_t>(series_.size()));
  if (is_new) series_.push_back({fact.tenant_id, kind, fact.currency, cells_.size(), INT64_MAX});
  Series& series = series_[found->second];
  const std::int64_t minute = fact.at_ms / week::minute_ms;
  series.first_minute = std::min(series.first_minute, minute);
  if (is_new || cells_[series.last].minute != minute) {
    in_order_ = false;
    series.last = cells_.size();
    cells_.push_back({minute, 0, 0, 0, found->second});
  }
  Cell& cell = cells_[series.last];
  cell.newest_ms = std::max(cell.newest_ms, fact.at_ms);
  cell.amount += fact.amount;
  cell.facts += fact.facts;
}

void BusinessHistory::spend(const HistoryFact& fact) {
  if (fact.entity_id.empty()) return;
  const auto [found, is_new] =
      account_numbers_.try_emplace({fact.tenant_id, fact.entity_id, fact.currency},
                                   static_cast<std::uint32_t>(accounts_.size()));
  in_order_ = false;
  if (is_new) accounts_.push_back({fact.tenant_id, fact.entity_id, fact.currency});
  spent_.push_back({fact.at_ms / week::minute_ms, fact.amount, found->second});
}

void BusinessHistory::put_in_order() {
  if (std::exchange(in_order_, true)) return;
  std::sort(cells_.begin(), cells_.end(), [](const Cell& a, const Cell& b) {
    return std::pair(a.minute, a.series) < std::pair(b.minute, b.series);
  });
  // Facts out of order may have made several cells of a minute.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    Cell& last = cells_[kept == 0 ? 0 : kept - 1];
    if (kept > 0 && last.minute == cells_[i].minute && last.series == cells_[i].series) {
      last.newest_ms = std::max(last.newest_ms, cells_[i].newest_ms);
      last.amount += cells_[i].amount;
      last.facts += cells_[i].facts;
    } else {
      cells_[kept++] = cells_[i];
    }
    series_[cells_[kept - 1].series].last = kept - 1;
  }
  cells_.resize(kept);
  std::stable_sort(versions_.begin(), versions_.end(),
                   [](const Version& a, const Version& b) { return a.at_ms < b.at_ms; });
  std::set<std::pair<std::string_view, std::string_view>> watched;
  for (const Version& one : versions_) watched.insert({one.tenant_id, one.entity_id});
  std::erase_if(spent_, [&](const Spent& one) {
    const Account& account = accounts_[one.account];
    return !watched.contains({account.tenant_id, account.entity_id});
  });
  std::stable_sort(spent_.begin(), spent_.end(),
                   [](const Spent& a, const Spent& b) { return a.minute < b.minute; });
}

// -- the play ---------------------------------------------------------------------------------------

BusinessPlay::BusinessPlay(BusinessHistory& history, Backtest& backtest, std::int64_t from_ms,
                           std::int64_t to_ms)
    : history_(history), backtest_(backtest) {
  history_.put_in_order();
  newest_ms_.resize(history_.series_.size());
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
  std::int64_t first = INT64_MAX;
  for (const auto& series : history_.series_)
    if (series.kind == kind) first = std::min(first, series.first_minute);
  return first == INT64_MAX ? 0 : first * week::minute_ms;
}

JudgedSince BusinessPlay::since(Business business, std::int64_t from_ms, std::int64_t to_ms) const {
  JudgedSince judged;
  const Schooling school = schooling_of(business);
  std::int64_t first = first_ms(school.kind);
  if (history_.empty()) {
    judged.why_not = "it needs facts one by one, and the history has none";
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

void BusinessPlay::tick(std::int64_t now_ms) {
  if (rules_.empty() || now_ms - looked_ms_ < business_limits::look_every_ms) return;
  looked_ms_ = now_ms;
  // Until nothing is left to be learned.
  while (true) {
    const LookRequest asked = watch_.begin_look(now_ms);
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

// What the lookout would have been told by D1.
LookReply BusinessPlay::answer(const LookRequest& asked, std::int64_t now_ms) {
  LookReply reply;
  add_hours(asked, reply);
  add_newest(asked, reply);
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
    into.facts += at->facts;
    into.minutes |= std::int64_t{1} << (at->minute % 60);
    into.amount += at->amount;
    into.newest_ms = std::max(into.newest_ms, at->newest_ms);
  }
  // As D1 tells of them.
  std::sort(reply.hours.begin(), reply.hours.end(),
            [](const LookReply::Hour& a, const LookReply::Hour& b) {
              return std::tie(a.tenant_id, a.kind, a.currency, a.hour) <
                     std::tie(b.tenant_id, b.kind, b.currency, b.hour);
            });
}

void BusinessPlay::add_newest(const LookRequest& asked, LookReply& reply) {
  const auto& cells = history_.cells_;
  const std::int64_t until = asked.until_ms / week::minute_ms;
  for (; known_ < cells.size() && cells[known_].minute < until; ++known_) {
    std::int64_t& newest = newest_ms_[cells[known_].series];
    newest = std::max(newest, cells[known_].newest_ms);
  }
  for (const LookRequest::Doubt& doubt : asked.doubts) {
    LookReply::Newest found{doubt.tenant_id, doubt.kind, 0};
    // One series for each currency.
    auto at = history_.numbers_.lower_bound({std::string(doubt.tenant_id), doubt.kind, {}});
    for (; at != history_.numbers_.end() && std::get<0>(at->first) == doubt.tenant_id &&
           std::get<1>(at->first) == doubt.kind;
         ++at)
      found.at_ms = std::max(found.at_ms, newest_ms_[at->second]);
    if (found.at_ms > 0) reply.newest.push_back(found);
  }
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
    static_cast<void>(budgets_[{one.tenant_id, one.entity_id}].apply(fact));
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
      used.spent[i] += one.amount;
    }
    const LookReply::Charged charged{account.tenant_id, account.entity_id};
    const auto same = [&charged](const LookReply::Charged& other) {
      return other.tenant_id == charged.tenant_id && other.entity_id == charged.entity_id;
    };
    const bool room = reply.charged.size() < business_limits::accounts_max;
    if (room && budgets_.contains({account.tenant_id, account.entity_id}) &&
        std::none_of(reply.charged.begin(), reply.charged.end(), same))
      reply.charged.push_back(charged);
  }
}

void BusinessPlay::add_budgets(const LookRequest& asked, std::int64_t now_ms, LookReply& reply) {
  for (const LookRequest::Account& account : asked.accounts) {
    const auto known = budgets_.find({account.tenant_id, account.entity_id});
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
          {std::string(account.tenant_id), std::string(account.entity_id), config.budget.currency});
      if (charged == history_.account_numbers_.end()) continue;
      const Used& used = used_[charged->second];
      const auto i = static_cast<std::size_t>(config.budget.period);
      if (used.index[i] == period_index(config.budget.period, now_ms)) one.used = used.spent[i];
    }
  }
}

}  // namespace z0
