// A shard of the monitor: the metrics of some tenants, in memory and in the rows of its object.
//
// Isolates tell it flushes. What changed is saved by an alarm that is set when something did, and by
// nothing else: an idle shard has no alarm, writes no row and costs nothing. A crash loses what was
// not saved, and since isolates number what they tell, the shard knows afterwards how much that was.
// An event counts in the slot of the moment in which the shard heard of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "z0/calls/metrics.hpp"
#include "z0/monitor/series.hpp"
#include "z0/monitor/streams.hpp"
#include "z0/monitor/windows.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

class Shard {
 public:
  // One flush, as bindings/worker/points.js writes it. False when it is malformed: then nothing of it
  // counts.
  [[nodiscard]] bool take(std::string_view flush, std::int64_t now_ms);

  // The texts live as long as this does and nothing is taken.
  SeriesReply answer(const SeriesRequest& request, std::int64_t now_ms) const;

  // -- rows
  // False until all rows were read: then it asks for the next ones, or answers that they cannot be.
  [[nodiscard]] bool loaded(const Frame& frame, Effects& effects);
  bool changed() const { return changed_; }
  std::int64_t alarm_at_ms() const { return alarm_at_ms_; }
  void set_alarm(std::int64_t at_ms) { alarm_at_ms_ = at_ms; }
  // What changed since it was saved.
  void save(std::int64_t now_ms, Effects& effects);
  std::size_t memory_bytes() const;

 private:
  enum class Loading : std::uint8_t { begin, rows, done };
  bool load(const Rows& rows);
  bool load_row(std::int64_t kind, std::int64_t id, std::string_view bytes);
  void ask(Effects& effects) const;
  std::string encode_head() const;
  [[nodiscard]] bool decode_head(std::string_view bytes);
  void add_totals(const SeriesRequest& request, SeriesReply& reply) const;
  void add_window(const SeriesRequest& request, std::int64_t now_ms, SeriesReply& reply) const;
  void add_gauges(const SeriesRequest& request, std::int64_t from_ms, SeriesReply& reply) const;

  SeriesTable table_;
  Windows windows_;
  Streams streams_;
  std::int64_t since_ms_ = 0;
  std::int64_t forgot_at_ms_ = 0;
  bool changed_ = false;
  bool has_table_ = false;
  bool wipe_ = false;  // its rows could not be read: they are dropped with the next save
  std::int64_t alarm_at_ms_ = 0;
  Loading loading_ = Loading::begin;
  std::int64_t after_kind_ = -1;
  std::int64_t after_id_ = -1;
};

// Frames to the monitor's objects but its root.
void step_shard(Shard& shard, const Frame& frame, Effects& effects);

}  // namespace z0
