// Keeps the sums that rules ask for up to date with a shard's windows, slot by slot: what comes into a
// window is added, what leaves it is taken out. Where that cannot be known, the sums are made anew:
// after a restart, a long silence, a clock that went back, or slots that were dropped for want of room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/alerts/evaluator.hpp"
#include "z0/alerts/rule_book.hpp"
#include "z0/monitor/series.hpp"
#include "z0/monitor/windows.hpp"

namespace z0 {

class Feed {
 public:
  explicit Feed(const RuleBook& book);

  // Judges the rules about tenants as of now. Sums of those about all tenants are there as well.
  void tick(const SeriesTable& table, const Windows& windows, std::int64_t now_ms);
  // Series or slots changed in another way than by what was added to the slot that is open.
  void forget_sums() { stale_ = true; }

  // What is judged here: the platform's rules about tenants first, then those of each tenant.
  struct Set {
    std::string tenant_id;  // empty: the platform's
    Evaluator evaluator;
  };
  std::vector<Set>& sets() { return sets_; }
  const std::vector<Set>& sets() const { return sets_; }
  // What the rules about all tenants found here at the last tick: Evaluator::encode_sums.
  std::string_view sums_of_all() const { return sums_of_all_; }

  // Whether further ticks find nothing new until something is told.
  bool rests() const;
  std::int64_t left_out() const;

 private:
  struct Window {
    std::int64_t ms = 0;
    std::int64_t first_slot = 0;  // that is in the sums
  };
  // Where a series counts.
  struct Place {
    Evaluator* of = nullptr;
    std::uint32_t window = 0;
    std::uint32_t level = 0;
    Evaluator::Target target;
  };
  struct Gauge {
    std::uint32_t series = 0;
    Place place;
  };
  struct Level {
    std::vector<Window> windows;
    std::int64_t through = -1;  // the last slot that is in the sums
    std::int64_t reaches_ms = 0;
  };

  void add_windows(const Evaluator& evaluator);
  std::uint32_t window_of(std::size_t level, std::int64_t ms) const;
  void begin_anew();
  const std::vector<Place>& places_of(const SeriesTable& table, std::uint32_t series);
  void find_places(const SeriesTable& table, std::uint32_t series, Evaluator& evaluator);
  template <class Count>
  void each(const SeriesTable& table, const Windows& windows, std::size_t level, std::int64_t slot,
            Count count);
  void move(const SeriesTable& table, const Windows& windows, std::size_t level,
            std::int64_t open_slot);
  void feed_gauges(const SeriesTable& table);

  std::vector<Set> sets_;
  Evaluator of_all_;
  Level levels_[Windows::level_count];
  std::vector<std::vector<Place>> places_;  // by series
  std::vector<Gauge> gauges_;
  std::vector<bool> known_;  // whether its places were looked for
  std::string sums_of_all_;
  bool has_sums_ = false;
  bool stale_ = true;
  bool waits_ = false;  // some rule may begin to hold when nothing happens
  std::int64_t ticked_ms_ = 0;
};

}  // namespace z0
