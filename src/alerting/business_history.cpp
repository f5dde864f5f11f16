// Facts of a history, as rules about business see them: by minute, tenant and kind.
#include <algorithm>
#include <set>
#include <utility>

#include "alerting/business_limits.hpp"
#include "base/sort.hpp"
#include "z0/alerting/business_backtest.hpp"

namespace z0 {
namespace {

// One letter for each LookKind.
constexpr std::string_view look_kinds = "icrfs";
static_assert(look_kinds.size() == static_cast<std::size_t>(LookKind::count_));

}  // namespace

void BusinessHistory::add(const HistoryFact& fact) {
  if (fact.at_ms <= 0 || fact.tenant_id.empty()) return;
  const bool of_charge = fact.corrects.empty() || fact.corrects == "charge";
  if (fact.failed) {
    // Tries of one charge within an hour are one charge.
    const std::string attempt = key_of(fact.tenant_id, fact.entity_id, fact.id) + '\0' +
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

std::int64_t BusinessHistory::first_ms() const {
  const std::int64_t first = *std::min_element(first_minutes_.begin(), first_minutes_.end());
  return first == INT64_MAX ? 0 : first * week::minute_ms;
}

std::int64_t BusinessHistory::last_ms() const {
  std::int64_t last = 0;
  for (const Cell& cell : cells_) last = std::max(last, cell.newest_ms);
  return last;
}

std::string BusinessHistory::key_of(std::string_view tenant_id, std::string_view entity_id,
                                    std::string_view currency) {
  std::string key(tenant_id);
  return key.append(1, '\0').append(entity_id).append(1, '\0').append(currency);
}

std::uint32_t BusinessHistory::number_of(std::string_view tenant_id, LookKind kind,
                                         std::string_view currency) {
  const std::string_view of_kind = look_kinds.substr(static_cast<std::size_t>(kind), 1);
  const auto [found, is_new] = numbers_.try_emplace(key_of(tenant_id, of_kind, currency),
                                                    static_cast<std::uint32_t>(series_.size()));
  if (is_new) series_.push_back({std::string(tenant_id), kind, std::string(currency), SIZE_MAX});
  return found->second;
}

void BusinessHistory::count(LookKind kind, const HistoryFact& fact) {
  const std::uint32_t number = number_of(fact.tenant_id, kind, fact.currency);
  Series& series = series_[number];
  const std::int64_t minute = fact.at_ms / week::minute_ms;
  std::int64_t& first = first_minutes_[static_cast<std::size_t>(kind)];
  first = std::min(first, minute);
  if (series.last == SIZE_MAX || cells_[series.last].minute != minute) {
    in_order_ = false;
    series.last = cells_.size();
    cells_.push_back({minute, 0, 0, 0, number});
  }
  Cell& cell = cells_[series.last];
  cell.newest_ms = std::max(cell.newest_ms, fact.at_ms);
  add_up(cell.amount, fact.amount);
  add_up(cell.facts, fact.facts);
}

void BusinessHistory::spend(const HistoryFact& fact) {
  if (fact.entity_id.empty()) return;
  const auto [found, is_new] =
      account_numbers_.try_emplace(key_of(fact.tenant_id, fact.entity_id, fact.currency),
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
      add_up(last.amount, cells_[i].amount);
      add_up(last.facts, cells_[i].facts);
    } else {
      cells_[kept++] = cells_[i];
    }
    series_[cells_[kept - 1].series].last = kept - 1;
  }
  cells_.resize(kept);
  put_versions_in_order();
  std::set<std::string> watched;
  for (const Version& one : versions_) watched.insert(key_of(one.tenant_id, one.entity_id));
  std::erase_if(spent_, [&](const Spent& one) {
    const Account& account = accounts_[one.account];
    return !watched.contains(key_of(account.tenant_id, account.entity_id));
  });
  // All of a minute is spent at once.
  sort(spent_.data(), spent_.data() + spent_.size(),
       [](const Spent& a, const Spent& b) { return a.minute < b.minute; });
}

// Those of one moment as they came.
void BusinessHistory::put_versions_in_order() {
  sort_by_number(versions_, [this](std::uint32_t a, std::uint32_t b) {
    return std::pair(versions_[a].at_ms, a) < std::pair(versions_[b].at_ms, b);
  });
}

// -- in parts ---------------------------------------------------------------------------------------

std::size_t BusinessHistory::encode(std::int64_t since_ms, ByteWriter& out) {
  put_in_order();
  const auto first = std::find_if(cells_.begin(), cells_.end(), [since_ms](const Cell& cell) {
    return cell.minute * week::minute_ms >= since_ms;
  });
  // Series that have none of these cells are met anew.
  std::vector<std::uint32_t> numbers(series_.size(), UINT32_MAX);
  std::vector<const Series*> kept;
  for (auto cell = first; cell != cells_.end(); ++cell) {
    if (numbers[cell->series] != UINT32_MAX) continue;
    numbers[cell->series] = static_cast<std::uint32_t>(kept.size());
    kept.push_back(&series_[cell->series]);
  }
  for (const std::int64_t minute : first_minutes_) out.varint(static_cast<std::uint64_t>(minute));
  out.varint(kept.size());
  for (const Series* series : kept) {
    out.short_bytes(series->tenant_id);
    out.u8(static_cast<std::uint8_t>(series->kind));
    out.short_bytes(series->currency);
  }
  const auto count = static_cast<std::size_t>(cells_.end() - first);
  out.varint(count);
  for (auto cell = first; cell != cells_.end(); ++cell) {
    out.varint(static_cast<std::uint64_t>(cell->minute));
    out.varint(numbers[cell->series]);
    out.varint(static_cast<std::uint64_t>(cell->newest_ms - cell->minute * week::minute_ms));
    out.varint(static_cast<std::uint64_t>(cell->facts));
    out.signed_varint(cell->amount);
  }
  return count;
}

bool BusinessHistory::decode(ByteReader& in) {
  for (std::int64_t& minute : first_minutes_)
    minute = std::min(minute, static_cast<std::int64_t>(in.varint()));
  std::vector<std::uint32_t> numbers;
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    const std::string_view tenant_id = in.short_bytes();
    const auto kind = static_cast<LookKind>(in.u8());
    if (kind >= LookKind::count_) return false;
    numbers.push_back(number_of(tenant_id, kind, in.short_bytes()));
  }
  in_order_ = false;
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Cell cell;
    cell.minute = static_cast<std::int64_t>(in.varint());
    const std::uint64_t series = in.varint();
    cell.newest_ms = cell.minute * week::minute_ms + static_cast<std::int64_t>(in.varint());
    cell.facts = static_cast<std::int64_t>(in.varint());
    cell.amount = in.signed_varint();
    if (series >= numbers.size()) return false;
    cell.series = numbers[static_cast<std::size_t>(series)];
    series_[cell.series].last = cells_.size();
    cells_.push_back(cell);
  }
  return in.ok();
}

}  // namespace z0
