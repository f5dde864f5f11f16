// Inside the store of traces: what is collected, how it is judged, and the rows it is kept in.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "traces/segment.hpp"
#include "z0/outbox/outbox.hpp"
#include "z0/traces/traces.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {

namespace traces_sql {
inline constexpr std::string_view create_tables[] = {
    "CREATE TABLE IF NOT EXISTS inbox (n INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS meta (n INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    // The body last: whoever reads hashes and summaries does not come to its pages.
    "CREATE TABLE IF NOT EXISTS segments (n INTEGER PRIMARY KEY, last_at INTEGER NOT NULL, "
    "from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, ids BLOB NOT NULL, summaries BLOB NOT NULL, "
    "body BLOB NOT NULL)"};
inline constexpr std::string_view select_meta = "SELECT body FROM meta";
inline constexpr std::string_view select_inbox = "SELECT n, body FROM inbox ORDER BY n";
inline constexpr std::string_view select_tail =
    R"(SELECT n, last_at, from_us, to_us, ids, summaries, body
      FROM segments
      ORDER BY n DESC
      LIMIT 1)";
inline constexpr std::string_view select_oldest = "SELECT min(last_at) FROM segments";
// ?1: the hash of a trace id. It may be found where one hash ends and the next begins: the body tells.
inline constexpr std::string_view select_bodies =
    R"(SELECT n, body
      FROM segments
      WHERE n > ?2 AND instr(ids, ?1) > 0
      ORDER BY n
      LIMIT ?3)";
inline constexpr std::string_view select_summaries =
    R"(SELECT n, summaries
      FROM segments
      WHERE n <= ?1 AND to_us >= ?2 AND from_us < ?3
      ORDER BY n DESC
      LIMIT ?4)";
inline constexpr std::string_view put_inbox = "INSERT INTO inbox (n, body) VALUES (?1, ?2)";
inline constexpr std::string_view empty_inbox = "DELETE FROM inbox";
inline constexpr std::string_view put_meta = "INSERT OR REPLACE INTO meta (n, body) VALUES (1, ?1)";
inline constexpr std::string_view put_segment =
    R"(INSERT OR REPLACE INTO segments (n, last_at, from_us, to_us, ids, summaries, body)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7))";
inline constexpr std::string_view drop_segments = "DELETE FROM segments WHERE last_at < ?1";
}  // namespace traces_sql

// What became of all traces so far: the row `meta`.
struct TraceCounts {
  std::int64_t kept = 0;
  std::int64_t dropped = 0;
  std::int64_t spans_refused = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.kept);
    f.number(self.dropped);
    f.number(self.spans_refused);
  }
};

class TraceStore {
 public:
  bool hydrated() const { return hydrated_; }
  static void need_rows(Effects& effects);
  // From the answers to need_rows, in its order. False when they could not be read.
  [[nodiscard]] bool hydrate(const Frame& frame);

  // Takes a delivery and writes it down.
  StoreReply take(const StoreRequest& request, const Frame& frame, Effects& effects);
  // Judges what is quiet, drops what is a week old. oldest_at: of the segments, 0 when there is none.
  void judge(std::int64_t oldest_at, const Frame& frame, Effects& effects);

  // The alarm went off: none is set any more.
  void alarm_went_off() { alarm_at_ = 0; }
  // Whether this alarm is to send a batch to somebody else: one waits, its time has come, and an alarm
  // has judged since the last one was sent, so that neither keeps the other from its turn.
  bool begins_export(const Frame& frame);
  Outbox& outbox() { return outbox_; }
  // What was sent was settled, and how: the alarm goes off again for it, and for what else waits.
  void go_on(const Outbox::Settled& settled, std::int64_t now_ms, Effects& effects);

  // The spans of a trace that wait to be judged.
  std::vector<std::string_view> open_spans(std::string_view trace_id) const;
  const TraceCounts& counts() const { return counts_; }

 private:
  struct Open {
    std::vector<std::string> spans;
    std::unordered_set<std::uint64_t> ids;
    std::size_t bytes = 0;
    std::int64_t start_us = INT64_MAX;  // of the first one
    std::int64_t first_at = 0;
    std::int64_t last_at = 0;
  };
  using Traces = std::map<std::string, Open, std::less<>>;
  enum class Decision : std::uint8_t { none, kept, dropped };

  // Whether the span is new.
  bool add(const StoreRequest::Item& item, std::int64_t start_us, std::int64_t now_ms);
  void decide(const std::string& trace_id, const Open& open, const Frame& frame, Effects& effects);
  bool keeps(const TraceSummary& trace, const TraceSampling& sampling, std::int64_t& one_in) const;
  Decision decision(std::string_view trace_id) const;
  void remember(std::string_view trace_id, Decision decision);
  void write_tail(Effects& effects) const;
  void write_inbox(std::string_view body, Effects& effects);
  void rewrite(Effects& effects);
  void set_alarm(std::int64_t at_ms, Effects& effects);
  void write_export(Effects& effects);

  bool hydrated_ = false;
  Traces open_;
  std::size_t open_bytes_ = 0;
  std::int64_t inbox_n_ = 0;  // of its last row
  TraceSegment tail_;
  bool tail_changed_ = false;
  TraceCounts counts_;
  std::int64_t alarm_at_ = 0;  // as far as it is known; 0: none
  Outbox outbox_;
  bool judged_ = false;                 // since a batch was sent
  std::vector<std::string> to_export_;  // of traces that were kept in this step
  std::unordered_map<std::uint64_t, Decision> decisions_;
  std::deque<std::uint64_t> decided_;  // their keys, oldest first
};

}  // namespace z0
