// A shard of the monitor: the metrics of some tenants, in memory and in the rows of its object.
//
// Isolates tell it flushes. What changed is saved by an alarm that is set when something did, and by
// nothing else: an idle shard has no alarm, writes no row and costs nothing. A crash loses what was
// not saved, and since isolates number what they tell, the shard knows afterwards how much that was.
// An event counts in the slot of the moment in which the shard heard of it.
//
// Where a setting names a receiver of OTLP, what whole slots came to goes out: an interval after something
// happened that was not sent, so an idle shard still has no alarm. The rows of a batch, of how far was
// sent and of the slots are one commit: a crash makes nothing go out twice.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "z0/calls/metrics.hpp"
#include "z0/monitor/series.hpp"
#include "z0/monitor/streams.hpp"
#include "z0/monitor/windows.hpp"
#include "z0/outbox/outbox.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

class Watch;

class Shard {
 public:
  Shard();
  Shard(Shard&&) noexcept;
  Shard& operator=(Shard&&) noexcept;
  ~Shard();

  // One flush, as bindings/worker/points.js writes it. False when it is malformed: then nothing of it
  // counts.
  [[nodiscard]] bool take(std::string_view flush, std::int64_t now_ms);

  // The texts live as long as this does and nothing is taken.
  SeriesReply answer(const SeriesRequest& request, std::int64_t now_ms) const;

  // -- rows
  // False until all rows were read: then it asks for the next ones, or answers that they cannot be.
  [[nodiscard]] bool loaded(const Frame& frame, Effects& effects);
  bool changed() const { return changed_; }
  bool in_memory() const { return loading_ == Loading::done; }
  // Whether it is time to save what changed; late: since longer than an alarm that nothing holds up.
  bool save_due(std::int64_t now_ms, bool late) const;
  // What changed since it was saved.
  void save(std::int64_t now_ms, Effects& effects);
  std::size_t memory_bytes() const;

  // -- the alarm
  void alarm_went_off() { alarm_at_ms_ = 0; }
  // For what is to be done next, if anything is, and no alarm is earlier.
  void set_alarm(std::int64_t now_ms, Effects& effects);
  void set_alarm_at(std::int64_t at_ms, Effects& effects);

  // -- rules, see watch.hpp
  bool tick_due(std::int64_t now_ms) const;
  // Judges the rules. What comes of it is to be said to the object of alerts, or empty: nothing is, or not
  // before it is saved, and then it is judged again.
  std::string tick(std::int64_t now_ms);
  // It is to be judged and said now.
  void report_at(std::int64_t now_ms);
  // What that one answered; empty: nothing.
  void heard(std::string_view reply, std::int64_t now_ms);

  // -- what goes out
  // A frame's settings say whether, and how often. name: the object's, where it is known.
  void heed(const Frame& frame, std::string_view name);
  bool sends() const { return interval_ms_ != 0; }
  // Whether it is time to make batches of what happened since; to be saved with it.
  bool cut_due(std::int64_t now_ms) const;
  void cut(const Frame& frame, Effects& effects);
  Outbox& outbox() { return outbox_; }

 private:
  enum class Loading : std::uint8_t { begin, rows, outbox, done };
  bool load(const Rows& rows);
  bool load_row(std::int64_t kind, std::int64_t id, std::string_view bytes);
  void ask(Effects& effects) const;
  std::string encode_head() const;
  [[nodiscard]] bool decode_head(std::string_view bytes);
  void add_totals(const SeriesRequest& request, SeriesReply& reply) const;
  void add_window(const SeriesRequest& request, std::int64_t now_ms, SeriesReply& reply) const;
  void add_gauges(const SeriesRequest& request, std::int64_t from_ms, SeriesReply& reply) const;
  void change(std::int64_t now_ms);
  std::int64_t cut_at_ms() const;

  SeriesTable table_;
  Windows windows_;
  Streams streams_;
  std::int64_t since_ms_ = 0;
  std::int64_t forgot_at_ms_ = 0;
  bool changed_ = false;
  std::int64_t changed_at_ms_ = 0;  // the first change since it was saved
  bool has_table_ = false;
  bool wipe_ = false;             // its rows could not be read: they are dropped with the next save
  std::int64_t alarm_at_ms_ = 0;  // as far as it is known; 0: none
  std::unique_ptr<Watch> watch_;
  std::int64_t tick_at_ms_ = 0;  // 0: when something is told
  Outbox outbox_;
  std::string name_;
  std::int64_t interval_ms_ = 0;  // 0: nothing goes out
  std::int64_t exported_to_ms_ =
      0;                         // slots before this one are in batches, or are no longer looked at
  std::int64_t news_at_ms_ = 0;  // the first of what happened since, about; 0: nothing did
  std::int64_t heard_at_ms_ = 0;  // the last
  Loading loading_ = Loading::begin;
  std::int64_t after_kind_ = -1;
  std::int64_t after_id_ = -1;
};

// Frames to the monitor's objects but its root.
void step_shard(Shard& shard, const Frame& frame, Effects& effects);

}  // namespace z0
