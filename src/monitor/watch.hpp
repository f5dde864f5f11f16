// What a shard does about rules: it judges those about tenants at each tick, and says what came of it.
//
// A tick follows what was told within some seconds. Where nothing is told any more ticks are rare, and
// they end when no alert is left and no window holds anything: an idle shard costs nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "z0/monitor/feed.hpp"
#include "z0/monitor/series.hpp"
#include "z0/monitor/windows.hpp"

namespace z0 {

class Watch {
 public:
  Watch();

  void tick(const SeriesTable& table, const Windows& windows, std::int64_t now_ms);
  // Whether what the last tick found is to be said.
  bool has_to_say() const { return !rests_ || !said_rest_; }
  // Somebody may not know it any more.
  void say_again() { said_rest_ = false; }
  // Whether alerts began or ended that are not saved yet. Said before they are, what a crash takes back
  // would be told again.
  bool turned() const { return turns() != saved_turns_; }
  // calls/alerts.hpp: a ShardReport.
  std::string report(std::string_view shard, std::int64_t now_ms);
  // What the object of alerts answered: a ShardReportReply.
  void heard(std::string_view reply);
  void forget_sums() { feed_->forget_sums(); }

  // When the next tick is due, where something was told at `told_ms`; 0: when something is told again.
  std::int64_t next_ms(std::int64_t told_ms, std::int64_t now_ms) const;

  // Rows: calls put(id, bytes) for those that changed.
  template <class Put>
  void save(Put put) {
    std::string states = encode_states();
    if (sources_changed_) put(sources_row, encode_sources());
    if (states != saved_states_) put(states_row, states);
    sources_changed_ = false;
    saved_states_ = std::move(states);
    saved_turns_ = turns();
    for (const Row& row : changed_habits()) put(row.id, row.bytes);
  }
  bool changed() const {
    return sources_changed_ || turned() || encode_states() != saved_states_ || habits_changed();
  }
  // In the order of their ids. False for bytes that save() did not write.
  [[nodiscard]] bool load(std::int64_t id, std::string_view bytes);

 private:
  static constexpr std::int64_t sources_row = 0;
  static constexpr std::int64_t states_row = 1;
  static constexpr std::int64_t habits_row = 16;  // and those after it: chunks of what was learned

  struct Row {
    std::int64_t id = 0;
    std::string bytes;
  };
  using EachChunk = std::function<void(std::int64_t id, Feed::Set& set, std::size_t chunk)>;

  void set_book(RuleBook book);
  std::uint64_t turns() const;
  std::string encode_sources() const;
  // All of them, or those that a row has room for.
  std::string encode_states(bool all = false) const;
  [[nodiscard]] bool decode_states(std::string_view bytes);
  void for_chunks(const EachChunk& each) const;
  static std::string encode_habits(Feed::Set& set, std::size_t chunk);
  [[nodiscard]] bool decode_habits(std::string_view bytes);
  std::vector<Row> changed_habits();
  bool habits_changed() const;

  RuleBook book_;
  std::unique_ptr<Feed> feed_;
  bool rests_ = true;
  bool said_rest_ = true;
  bool sources_changed_ = false;
  std::string saved_states_;
  std::uint64_t saved_turns_ = 0;
  std::set<std::int64_t> habit_rows_;  // that are there
};

}  // namespace z0
