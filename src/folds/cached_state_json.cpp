// Cached states as callers see them, and how two of them differ.
#include <algorithm>
#include <iterator>

#include "folds/cached_parts.hpp"
#include "z0/folds/cached_state.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

using Money = CachedState::Money;

constexpr JsonName money_names[] = {"deposited", "credits",    "spent",      "remaining",
                                    "day_spent", "week_spent", "month_spent"};
constexpr JsonName cap_names[] = {"total", "hour", "day", "month"};

// The numbers that stand behind a list of names.
struct Figures {
  std::int64_t values[std::size(money_names)] = {};
};

std::int64_t spent_in(const Money& m, std::size_t period, std::int64_t at_ms) {
  return m.period[period] == period_index(static_cast<Period>(period), at_ms)
             ? m.period_spent[period]
             : 0;
}

Figures figures_of(const Money& m, std::int64_t at_ms) {
  return {{m.deposited, m.credits, m.spent, m.remaining(), spent_in(m, 1, at_ms),
           spent_in(m, 2, at_ms), spent_in(m, 3, at_ms)}};
}

// All numbers, or only what differs from `cached`.
template <std::size_t N>
void write_figures(JsonWriter& json, const JsonName (&names)[N], const Figures& figures,
                   const Figures* cached) {
  for (std::size_t i = 0; i < N; ++i) {
    const std::int64_t value = figures.values[i] - (cached != nullptr ? cached->values[i] : 0);
    if (cached == nullptr || value != 0) json.integer(names[i], value);
  }
}

void write_money(JsonWriter& json, const Money& m, std::int64_t at_ms) {
  json.text_or_null("currency", m.currency);
  write_figures(json, money_names, figures_of(m, at_ms), nullptr);
}

// What one currency differs by.
void write_money_delta(JsonWriter& json, const Money& calculated, const Money& cached,
                       std::int64_t at_ms) {
  const Figures before = figures_of(cached, at_ms);
  write_figures(json, money_names, figures_of(calculated, at_ms), &before);
}

// An element of "currencies"; none when nothing differs.
void write_other_delta(JsonWriter& json, const Money& calculated, const Money& cached,
                       std::int64_t at_ms) {
  std::string fields;
  JsonWriter members(fields);
  write_money_delta(members, calculated, cached, at_ms);
  if (fields.empty()) return;
  json.object().plain("currency",
                      calculated.currency.empty() ? cached.currency : calculated.currency);
  json.parts(fields).end();
}

}  // namespace

Money CachedState::first_money() const {
  const Money* usd = money(default_currency);
  if (usd != nullptr) return *usd;
  return money_.empty() ? Money{std::string(default_currency)} : money_[0];
}

void CachedState::cap_figures(std::int64_t at_ms, std::int64_t* out) const {
  const std::int64_t now[] = {floor_divide(at_ms, hour_ms), period_index(Period::day, at_ms),
                              period_index(Period::month, at_ms)};
  *out = cap_.total;
  for (std::size_t i = 0; i < std::size(now); ++i)
    *++out = now[i] == cap_.window[i] ? cap_.count[i] : 0;
}

void CachedState::write_members(JsonWriter& json, CacheType type, std::int64_t at_ms) const {
  if (type == CacheType::budget) {
    const Money first = first_money();
    write_money(json, first, at_ms);
    json.array("currencies");
    for (const Money& m : money_) {
      if (m.currency == first.currency) continue;
      json.object();
      write_money(json, m, at_ms);
      json.end();
    }
    json.end();
  } else if (type == CacheType::cap) {
    Figures figures;
    cap_figures(at_ms, figures.values);
    write_figures(json, cap_names, figures, nullptr);
  } else if (type == CacheType::access) {
    json.array("users");
    for (const Access& a : access_) {
      json.object().text_or_null("user_id", a.user_id).text("role", a.role);
      json.integer("since_seq", a.since_seq).end();
    }
    json.end();
  } else {
    json.text_or_null("contact_id", canonical_);
  }
  json.integer("last_seq", last(type).seq).text_or_null("last_fact_id", last(type).fact_id);
}

void CachedState::write_delta(JsonWriter& json, CacheType type, const CachedState& cached,
                              std::int64_t at_ms) const {
  json.object();
  if (type == CacheType::budget) {
    const Money none;
    const auto or_none = [&none](const Money* m) -> const Money& { return m ? *m : none; };
    const Money first = first_money();
    write_money_delta(json, first, or_none(cached.money(first.currency)), at_ms);
    std::string others;
    JsonWriter elements(others);
    for (const Money& m : money_) {
      if (m.currency != first.currency)
        write_other_delta(elements, m, or_none(cached.money(m.currency)), at_ms);
    }
    for (const Money& m : cached.money_) {
      if (m.currency != first.currency && money(m.currency) == nullptr)
        write_other_delta(elements, none, m, at_ms);
    }
    if (!others.empty()) json.array("currencies").parts(others).end();
  } else if (type == CacheType::cap) {
    Figures calculated, before;
    cap_figures(at_ms, calculated.values);
    cached.cap_figures(at_ms, before.values);
    write_figures(json, cap_names, calculated, &before);
  } else if (type == CacheType::access && access_.size() != cached.access_.size()) {
    json.integer("users", static_cast<std::int64_t>(access_.size()) -
                              static_cast<std::int64_t>(cached.access_.size()));
  }
  if (last(type).seq != cached.last(type).seq)
    json.integer("last_seq", last(type).seq - cached.last(type).seq);
  json.end();
}

std::int64_t CachedState::money_delta(const CachedState& cached) const {
  const Money none;
  std::int64_t most = 0;
  const auto differ = [&most](std::int64_t a, std::int64_t b) {
    most = std::max(most, a > b ? a - b : b - a);
  };
  const auto compare = [&differ](const Money& a, const Money& b) {
    differ(a.deposited, b.deposited);
    differ(a.credits, b.credits);
    differ(a.spent, b.spent);
    differ(a.remaining(), b.remaining());
    for (std::size_t i = 1; i < std::size(a.period); ++i) {
      differ(a.period[i] < b.period[i] ? 0 : a.period_spent[i],
             b.period[i] < a.period[i] ? 0 : b.period_spent[i]);
    }
  };
  for (const Money& m : money_) {
    const Money* other = cached.money(m.currency);
    compare(m, other != nullptr ? *other : none);
  }
  for (const Money& m : cached.money_) {
    if (money(m.currency) == nullptr) compare(none, m);
  }
  return most;
}

}  // namespace z0
