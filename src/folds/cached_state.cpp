// The folds: what each fact changes, and the calendar they go by.
#include "z0/folds/cached_state.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "folds/cached_parts.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/facts/currency.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

constexpr std::string_view cache_names[] = {"BudgetState", "CapState", "AccessState",
                                            "ContactCanonical"};
constexpr std::string_view period_names[] = {"total", "day", "week", "month"};

// Months since January 1970. Years are counted from March, so that the leap day is the last of its
// year and the months' lengths are 153 days in each five (31, 30, 31, 30, 31).
std::int64_t month_of_day(std::int64_t day) {
  constexpr std::int64_t cycle_days = 146'097;  // 400 years
  constexpr std::int64_t months_before_1970 = std::int64_t{1970} * 12;
  const std::int64_t since_march_0 = day + 719'468;
  const std::int64_t cycle = floor_divide(since_march_0, cycle_days);
  const std::int64_t in_cycle = since_march_0 - cycle * cycle_days;
  // Leap days take less than a year in 400: the guess is right or one too high.
  const auto days_before = [](std::int64_t year) {
    return 365 * year + year / 4 - year / 100 + year / 400;
  };
  std::int64_t year = in_cycle / 365;
  if (days_before(year) > in_cycle) --year;
  const std::int64_t in_year = in_cycle - days_before(year);
  return (cycle * 400 + year) * 12 + (5 * in_year + 2) / 153 + 2 - months_before_1970;
}

// count_ for a type that feeds nothing.
CacheType fed_by(FactType type) {
  switch (type) {
    case FactType::deposit:
    case FactType::credit_issued:
    case FactType::charge:
    case FactType::correction:
      return CacheType::budget;
    case FactType::invocation:
      return CacheType::cap;
    case FactType::access_granted:
    case FactType::access_modified:
    case FactType::access_revoked:
      return CacheType::access;
    case FactType::contact_merged:
      return CacheType::contact;
    default:
      return CacheType::count_;
  }
}

// The type whose sum a fact moves: a correction's is that of the fact behind it.
FactType moves(const Fact& fact) {
  return fact.has(field_corrects) ? type_of(fact.corrects) : fact.type;
}

// The string members of `data` that a fold asks for; those that are absent or no strings stay
// empty. Borrows data, or the scratch.
struct Wanted {
  std::string_view name;
  std::string_view value = {};
  std::string scratch = {};
};

void read_strings(std::string_view data, std::span<Wanted> wanted) {
  JsonReader in(data, limits::data_depth_max);
  if (data.empty() || !in.enter_object()) return;
  std::string_view key;
  while (in.next_member(key)) {
    const auto found = std::find_if(wanted.begin(), wanted.end(), [&key](const Wanted& w) {
      return w.name == key && w.value.empty();
    });
    std::string_view value;
    if (found == wanted.end() || in.peek() != JsonKind::string)
      in.skip();
    else if (in.string(value, found->scratch))
      found->value = value;
  }
}

void add_to_periods(CachedState::Money& money, const Fact& fact) {
  if (fact.has(field_corrects)) {
    // What was spent in another period than the latest is not known any more, and not asked for.
    for (std::size_t i = 1; i < std::size(money.period); ++i) {
      if (period_index(static_cast<Period>(i), fact.corrects_at) == money.period[i])
        money.period_spent[i] += fact.amount;
    }
    return;
  }
  const std::int64_t day = period_index(Period::day, fact.recorded_at);
  // The same day is in the same week and month.
  const bool other_day = day != money.period[static_cast<std::size_t>(Period::day)];
  for (std::size_t i = 1; i < std::size(money.period); ++i) {
    if (other_day) {
      const std::int64_t now = period_index(static_cast<Period>(i), fact.recorded_at);
      if (now != money.period[i]) money.period_spent[i] = 0;
      money.period[i] = now;
    }
    money.period_spent[i] += fact.amount;
  }
}

// Sorted lists of a few entries: the first that is not below `key`.
template <class Item>
std::size_t place_of(const std::vector<Item>& list, std::string Item::*member,
                     std::string_view key) {
  std::size_t i = 0;
  while (i < list.size() && list[i].*member < key) ++i;
  return i;
}

// A new item at that place. Written out because two instances of vector::insert take 2 KB.
template <class Item>
Item& insert_at(std::vector<Item>& list, std::size_t at) {
  list.emplace_back();
  for (std::size_t i = list.size() - 1; i > at; --i) std::swap(list[i], list[i - 1]);
  return list[at];
}

}  // namespace

std::string_view cache_name(CacheType type) { return cache_names[static_cast<std::size_t>(type)]; }

bool cache_of(std::string_view name, CacheType& out) {
  const auto found = std::find(std::begin(cache_names), std::end(cache_names), name);
  if (found == std::end(cache_names)) return false;
  out = static_cast<CacheType>(found - std::begin(cache_names));
  return true;
}

std::string_view period_name(Period period) {
  return period_names[static_cast<std::size_t>(period)];
}

bool period_of(std::string_view name, Period& out) {
  const auto found = std::find(std::begin(period_names), std::end(period_names), name);
  if (found == std::end(period_names)) return false;
  out = static_cast<Period>(found - std::begin(period_names));
  return true;
}

std::int64_t period_index(Period period, std::int64_t at_ms) {
  if (period == Period::total) return 0;
  const std::int64_t day = floor_divide(at_ms, day_ms);
  if (period == Period::day) return day;
  // 1970 began on a Thursday.
  return period == Period::week ? floor_divide(day + 3, 7) : month_of_day(day);
}

bool feeds(FactType fact, CacheType cache) { return fed_by(fact) == cache; }
bool feeds(const Fact& fact, CacheType cache) {
  if (!fact.has(field_corrects)) return feeds(fact.type, cache);
  return moves(fact) != FactType::correction && feeds(moves(fact), cache) &&
         feeds(fact.type, cache);
}

FoldError CachedState::fold(const Fact& fact, CachedState* into) const {
  switch (fed_by(fact.type)) {
    case CacheType::budget:
      return fold_money(fact, into);
    case CacheType::cap:
      return fold_invocation(fact, into);
    case CacheType::access:
      return fold_access(fact, into);
    case CacheType::contact:
      if (into != nullptr) fold_contact(fact, *into);
      return FoldError::none;
    case CacheType::count_:
      break;
  }
  return FoldError::none;
}

FoldError CachedState::fold_money(const Fact& fact, CachedState* into) const {
  if (!fact.has(field_amount) || !has_currency_form(fact.currency)) return FoldError::none;
  if (!feeds(fact, CacheType::budget)) return FoldError::none;
  const FactType moved = moves(fact);
  const std::size_t at = place_of(money_, &Money::currency, fact.currency);
  const bool known = at < money_.size() && money_[at].currency == fact.currency;
  if (!known && money_.size() >= limits::currencies_per_ledger_max) return FoldError::full;
  // No sum of two of these leaves 64 bits.
  if (!within_amounts(fact.amount)) return FoldError::overflow;
  Money next = known ? money_[at] : Money{std::string(fact.currency)};
  if (moved == FactType::deposit) {
    next.deposited += fact.amount;
  } else if (moved == FactType::credit_issued) {
    next.credits += fact.amount;
  } else {
    next.spent += fact.amount;
    add_to_periods(next, fact);
  }
  bool fits = within_amounts(next.deposited) && within_amounts(next.credits) &&
              within_amounts(next.spent) && within_amounts(next.remaining());
  for (const std::int64_t spent_then : next.period_spent) fits = fits && within_amounts(spent_then);
  if (!fits) return FoldError::overflow;
  if (into == nullptr) return FoldError::none;
  (known ? into->money_[at] : insert_at(into->money_, at)) = std::move(next);
  into->touch(CacheType::budget, fact);
  return FoldError::none;
}

FoldError CachedState::fold_invocation(const Fact& fact, CachedState* into) const {
  // The windows lie in each other, so that none counts more than the total.
  if (cap_.total >= limits::amount_max) return FoldError::overflow;
  if (into == nullptr) return FoldError::none;
  Cap& cap = into->cap_;
  const std::int64_t hour = floor_divide(fact.recorded_at, hour_ms);
  if (hour != cap.window[0]) {
    const std::int64_t now[] = {hour, period_index(Period::day, fact.recorded_at),
                                period_index(Period::month, fact.recorded_at)};
    for (std::size_t i = 0; i < std::size(now); ++i) {
      if (now[i] != cap.window[i]) cap.count[i] = 0;
      cap.window[i] = now[i];
    }
  }
  ++cap.total;
  for (std::int64_t& count : cap.count) ++count;
  into->touch(CacheType::cap, fact);
  return FoldError::none;
}

FoldError CachedState::fold_access(const Fact& fact, CachedState* into) const {
  Wanted wanted[] = {{"role"}, {"user_id"}};
  const bool revoked = fact.type == FactType::access_revoked;
  if (!revoked || fact.user_id.empty()) read_strings(fact.data, wanted);
  const std::string_view user_id = fact.user_id.empty() ? wanted[1].value : fact.user_id;
  const std::string_view role =
      wanted[0].value.size() <= limits::id_bytes_max ? wanted[0].value : std::string_view{};
  if (valid_id(user_id)) {
    const std::size_t at = place_of(access_, &Access::user_id, user_id);
    const bool known = at < access_.size() && access_[at].user_id == user_id;
    if (!known && !revoked && access_.size() >= limits::access_users_max) return FoldError::full;
    if (into == nullptr) return FoldError::none;
    auto& list = into->access_;
    if (revoked) {
      if (known) list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      Access& held = known ? list[at] : insert_at(list, at);
      held.user_id.assign(user_id);
      held.role.assign(role);
      held.since_seq = fact.seq;
    }
  }
  if (into != nullptr) into->touch(CacheType::access, fact);
  return FoldError::none;
}

void CachedState::fold_contact(const Fact& fact, CachedState& into) {
  Wanted wanted[] = {{"contact_id"}};
  read_strings(fact.data, wanted);
  if (valid_id(wanted[0].value)) into.canonical_.assign(wanted[0].value);
  into.touch(CacheType::contact, fact);
}

void CachedState::touch(CacheType type, const Fact& fact) {
  Last& last_of_type = last_[static_cast<std::size_t>(type)];
  last_of_type.seq = fact.seq;
  last_of_type.fact_id.assign(fact.id);
}

const CachedState::Money* CachedState::money(std::string_view currency) const {
  const std::size_t at = place_of(money_, &Money::currency, currency);
  return at < money_.size() && money_[at].currency == currency ? &money_[at] : nullptr;
}

std::int64_t CachedState::spent(std::string_view currency, Period period,
                                std::int64_t at_ms) const {
  const Money* found = money(currency);
  if (found == nullptr) return 0;
  if (period == Period::total) return found->spent;
  const auto i = static_cast<std::size_t>(period);
  return found->period[i] == period_index(period, at_ms) ? found->period_spent[i] : 0;
}

}  // namespace z0
