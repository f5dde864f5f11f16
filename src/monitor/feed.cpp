#include "z0/monitor/feed.hpp"

#include <algorithm>

#include "z0/base/limits.hpp"

namespace z0 {
namespace {

// A rule that silence can make hold.
bool fires_in_silence(const Rule& rule) {
  const bool less = rule.comparison == Comparison::below || rule.comparison == Comparison::at_most;
  return rule.kind == SignalKind::absent || rule.no_data == NoData::alert ||
         (rule.kind == SignalKind::sum && less);
}

}  // namespace

Feed::Feed(const RuleBook& book) : of_all_(book.of_all()) {
  sets_.push_back({{}, Evaluator(book.per_tenant())});
  for (const RuleBook::OfTenant& one : book.tenants())
    sets_.push_back({one.tenant_id, Evaluator(one.rules, limits::alert_states_of_tenant_max)});
  for (const Set& set : sets_) add_windows(set.evaluator);
  add_windows(of_all_);
}

void Feed::add_windows(const Evaluator& evaluator) {
  for (const Evaluator::Operand& operand : evaluator.operands()) {
    auto& windows = levels_[Windows::level_for(operand.window_ms)].windows;
    const auto same = [&operand](const Window& one) { return one.ms == operand.window_ms; };
    if (!operand.is_gauge && std::none_of(windows.begin(), windows.end(), same))
      windows.push_back({operand.window_ms, 0});
  }
  for (const Rule& rule : evaluator.rules()) waits_ = waits_ || fires_in_silence(rule);
}

std::uint32_t Feed::window_of(std::size_t level, std::int64_t ms) const {
  const auto& windows = levels_[level].windows;
  const auto found = std::find_if(windows.begin(), windows.end(),
                                  [ms](const Window& one) { return one.ms == ms; });
  return static_cast<std::uint32_t>(found - windows.begin());
}

void Feed::begin_anew() {
  for (Set& set : sets_) set.evaluator.clear_sums();
  of_all_.clear_sums();
  places_.clear();
  gauges_.clear();
  known_.clear();
  for (Level& level : levels_) level.through = -1;
  stale_ = false;
}

void Feed::find_places(const SeriesTable& table, std::uint32_t series, Evaluator& evaluator) {
  const SeriesTable::Name name = SeriesTable::name_of(table.series()[series]);
  std::vector<Evaluator::Target> targets;
  evaluator.targets(name.metric, name.tenant_id, name.labels, targets);
  for (const Evaluator::Target target : targets) {
    const Evaluator::Operand& operand = evaluator.operands()[target.operand];
    const std::size_t level = Windows::level_for(operand.window_ms);
    const std::uint32_t window = operand.is_gauge ? 0 : window_of(level, operand.window_ms);
    const Place place{&evaluator, window, static_cast<std::uint32_t>(level), target};
    if (operand.is_gauge)
      gauges_.push_back({series, place});
    else
      places_[series].push_back(place);
  }
}

const std::vector<Feed::Place>& Feed::places_of(const SeriesTable& table, std::uint32_t series) {
  if (places_.size() < table.series().size()) {
    places_.resize(table.series().size());
    known_.resize(table.series().size());
  }
  if (known_[series]) return places_[series];
  known_[series] = true;
  const SeriesTable::Name name = SeriesTable::name_of(table.series()[series]);
  for (Set& set : sets_)
    if (set.tenant_id.empty() || set.tenant_id == name.tenant_id)
      find_places(table, series, set.evaluator);
  find_places(table, series, of_all_);
  return places_[series];
}

template <class Count>
void Feed::each(const SeriesTable& table, const Windows& windows, std::size_t level,
                std::int64_t slot, Count count) {
  for (const Windows::Entry& entry : windows.entries_of(level, slot)) {
    if (entry.cell >= table.cells().size()) continue;
    const SeriesTable::Cell& cell = table.cells()[entry.cell];
    if (cell.series >= table.series().size() || table.series()[cell.series].key.empty()) continue;
    for (const Place& place : places_of(table, cell.series)) {
      if (place.level == level) count(place, entry.amount, cell.bucket);
    }
  }
}

// From what the sums hold to what they hold when `open_slot` is open: that one is not among them.
void Feed::move(const SeriesTable& table, const Windows& windows, std::size_t number,
                std::int64_t open_slot) {
  Level& level = levels_[number];
  const std::int64_t slot_ms = Windows::levels[number].slot_ms;
  std::int64_t oldest = open_slot;
  std::vector<std::int64_t> first(level.windows.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    first[i] = open_slot - level.windows[i].ms / slot_ms + 1;
    oldest = std::min(oldest, first[i]);
  }
  for (std::size_t i = 0; i < first.size() && level.through >= 0; ++i) {
    for (std::int64_t slot = level.windows[i].first_slot;
         slot < std::min(first[i], level.through + 1); ++slot) {
      each(table, windows, number, slot,
           [i](const Place& place, std::uint64_t amount, std::uint32_t bucket) {
             if (place.window == i) place.of->take_out(place.target, amount, bucket);
           });
    }
  }
  const std::int64_t from = level.through >= 0 ? level.through + 1 : oldest;
  for (std::int64_t slot = std::max(from, oldest); slot < open_slot; ++slot) {
    each(table, windows, number, slot,
         [&first, slot](const Place& place, std::uint64_t amount, std::uint32_t bucket) {
           if (first[place.window] <= slot) place.of->add(place.target, amount, bucket);
         });
  }
  for (std::size_t i = 0; i < first.size(); ++i) level.windows[i].first_slot = first[i];
  level.through = open_slot - 1;
}

void Feed::feed_gauges(const SeriesTable& table) {
  for (std::uint32_t i = 0; i < table.series().size(); ++i)
    if (i >= known_.size() || (!known_[i] && !table.series()[i].key.empty()))
      static_cast<void>(places_of(table, i));
  for (const Gauge& gauge : gauges_) {
    const SeriesTable::Series& series = table.series()[gauge.series];
    gauge.place.of->merge_gauge(gauge.place.target, series.value, series.heard_ms);
  }
}

void Feed::tick(const SeriesTable& table, const Windows& windows, std::int64_t now_ms) {
  bool anew = stale_ || now_ms < ticked_ms_;
  for (std::size_t i = 0; i < Windows::level_count; ++i) {
    Level& level = levels_[i];
    const std::int64_t open = now_ms / Windows::levels[i].slot_ms;
    const bool long_ago = open - level.through > static_cast<std::int64_t>(Windows::spare_slots);
    anew = anew || long_ago || level.reaches_ms != windows.reaches_ms(i);
    level.reaches_ms = windows.reaches_ms(i);
  }
  if (anew) begin_anew();
  ticked_ms_ = now_ms;
  for (Set& set : sets_) set.evaluator.clear_gauges();
  of_all_.clear_gauges();
  feed_gauges(table);
  const auto open_slot = [now_ms](std::size_t level) {
    return now_ms / Windows::levels[level].slot_ms;
  };
  const auto add = [](const Place& place, std::uint64_t amount, std::uint32_t bucket) {
    place.of->add(place.target, amount, bucket);
  };
  const auto take_out = [](const Place& place, std::uint64_t amount, std::uint32_t bucket) {
    place.of->take_out(place.target, amount, bucket);
  };
  // What the open slot came to by the last tick has been taken out; it counts anew.
  for (std::size_t i = 0; i < Windows::level_count; ++i) {
    move(table, windows, i, open_slot(i));
    each(table, windows, i, open_slot(i), add);
  }
  for (Set& set : sets_) set.evaluator.tick(now_ms);
  sums_of_all_.clear();
  ByteWriter out(sums_of_all_);
  of_all_.encode_sums(out);
  has_sums_ = of_all_.has_sums(now_ms);
  for (const Set& set : sets_) has_sums_ = has_sums_ || set.evaluator.has_sums(now_ms);
  for (std::size_t i = 0; i < Windows::level_count; ++i)
    each(table, windows, i, open_slot(i), take_out);
}

bool Feed::rests() const {
  if (waits_ || has_sums_) return false;
  return std::all_of(sets_.begin(), sets_.end(),
                     [](const Set& set) { return set.evaluator.at_rest(); });
}

std::int64_t Feed::left_out() const {
  std::int64_t sum = of_all_.left_out();
  for (const Set& set : sets_) sum += set.evaluator.left_out();
  return sum;
}

}  // namespace z0
