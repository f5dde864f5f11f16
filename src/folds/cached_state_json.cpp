// Cached states as callers see them, and how two of them differ.
#include <algorithm>
#include <iterator>

#include "folds/cached_parts.hpp"
#include "z0/folds/cached_state.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

using Money = CachedState::Money;

constexpr std::string_view money_names[] = {"deposited", "credits",    "spent",      "remaining",
                                            "day_spent", "week_spent", "month_spent"};
constexpr std::string_view cap_names[] = {"total", "hour", "day", "month"};

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

// Begins a member or an element of what `out` ends with.
void separate(std::string& out) {
  if (out.back() != '{' && out.back() != '[') out += ',';
}

void append_name(std::string& out, std::string_view name) {
  separate(out);
  out += '"';
  out += name;
  out += "\":";
}

void append_number(std::string& out, std::string_view name, std::int64_t value) {
  append_name(out, name);
  out += std::to_string(value);
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
  append_name(out, name);
  if (value.empty())
    out += "null";
  else
    append_json_string(out, value);
}

// All numbers, or only what differs from `cached`.
void append_figures(std::string& out, const std::string_view* names, std::size_t count,
                    const Figures& figures, const Figures* cached) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t value = figures.values[i] - (cached != nullptr ? cached->values[i] : 0);
    if (cached == nullptr || value != 0) append_number(out, names[i], value);
  }
}

void append_money(std::string& out, const Money& m, std::int64_t at_ms) {
  append_text(out, "currency", m.currency);
  append_figures(out, money_names, std::size(money_names), figures_of(m, at_ms), nullptr);
}

// What one currency differs by.
void append_money_delta(std::string& out, const Money& calculated, const Money& cached,
                        std::int64_t at_ms) {
  const Figures before = figures_of(cached, at_ms);
  append_figures(out, money_names, std::size(money_names), figures_of(calculated, at_ms), &before);
}

// An element of "currencies", which is begun by the first.
void append_other_delta(std::string& out, bool& begun, const Money& calculated, const Money& cached,
                        std::int64_t at_ms) {
  std::string fields;
  fields += '{';
  append_money_delta(fields, calculated, cached, at_ms);
  if (fields.size() == 1) return;
  if (!begun) {
    append_name(out, "currencies");
    out += '[';
  }
  begun = true;
  separate(out);
  out += "{\"currency\":\"";
  out += calculated.currency.empty() ? cached.currency : calculated.currency;
  out += "\",";
  out.append(fields, 1);
  out += '}';
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

void CachedState::append_json(std::string& out, CacheType type, std::int64_t at_ms) const {
  out += '{';
  if (type == CacheType::budget) {
    const Money first = first_money();
    append_money(out, first, at_ms);
    append_name(out, "currencies");
    out += '[';
    for (const Money& m : money_) {
      if (m.currency == first.currency) continue;
      separate(out);
      out += '{';
      append_money(out, m, at_ms);
      out += '}';
    }
    out += ']';
  } else if (type == CacheType::cap) {
    Figures figures;
    cap_figures(at_ms, figures.values);
    append_figures(out, cap_names, std::size(cap_names), figures, nullptr);
  } else if (type == CacheType::access) {
    append_name(out, "users");
    out += '[';
    for (const Access& a : access_) {
      separate(out);
      out += '{';
      append_text(out, "user_id", a.user_id);
      append_name(out, "role");
      append_json_string(out, a.role);
      append_number(out, "since_seq", a.since_seq);
      out += '}';
    }
    out += ']';
  } else {
    append_text(out, "contact_id", canonical_);
  }
  append_number(out, "last_seq", last(type).seq);
  append_text(out, "last_fact_id", last(type).fact_id);
  out += '}';
}

void CachedState::append_delta_json(std::string& out, CacheType type, const CachedState& cached,
                                    std::int64_t at_ms) const {
  out += '{';
  if (type == CacheType::budget) {
    const Money none;
    const auto or_none = [&none](const Money* m) -> const Money& { return m ? *m : none; };
    const Money first = first_money();
    append_money_delta(out, first, or_none(cached.money(first.currency)), at_ms);
    bool begun = false;
    for (const Money& m : money_) {
      if (m.currency != first.currency)
        append_other_delta(out, begun, m, or_none(cached.money(m.currency)), at_ms);
    }
    for (const Money& m : cached.money_) {
      if (m.currency != first.currency && money(m.currency) == nullptr)
        append_other_delta(out, begun, none, m, at_ms);
    }
    if (begun) out += ']';
  } else if (type == CacheType::cap) {
    Figures calculated, before;
    cap_figures(at_ms, calculated.values);
    cached.cap_figures(at_ms, before.values);
    append_figures(out, cap_names, std::size(cap_names), calculated, &before);
  } else if (type == CacheType::access && access_.size() != cached.access_.size()) {
    append_number(out, "users",
                  static_cast<std::int64_t>(access_.size()) -
                      static_cast<std::int64_t>(cached.access_.size()));
  }
  if (last(type).seq != cached.last(type).seq)
    append_number(out, "last_seq", last(type).seq - cached.last(type).seq);
  out += '}';
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
