// The rows of what waits. A lane's row is written when an answer came, a letter's when it was decided.
#include <algorithm>

#include "z0/alerting/postbox.hpp"

namespace z0 {
namespace {

constexpr std::string_view create_lanes =
    R"(CREATE TABLE IF NOT EXISTS alert_lanes (channel TEXT PRIMARY KEY, tries INTEGER NOT NULL,
      again_at INTEGER NOT NULL, refused INTEGER NOT NULL, delivered INTEGER NOT NULL,
      lost INTEGER NOT NULL, given_up INTEGER NOT NULL, lost_at INTEGER NOT NULL,
      delivered_at INTEGER NOT NULL, off TEXT NOT NULL, why TEXT NOT NULL) WITHOUT ROWID)";
constexpr std::string_view create_letters =
    R"(CREATE TABLE IF NOT EXISTS alert_letters (n INTEGER PRIMARY KEY, channel TEXT NOT NULL,
      dedup_key TEXT NOT NULL, status INTEGER NOT NULL, critical INTEGER NOT NULL, at INTEGER NOT NULL,
      tries INTEGER NOT NULL, bytes BLOB NOT NULL))";
constexpr std::string_view select_lanes =
    R"(SELECT channel, tries, again_at, refused, delivered, lost, given_up, lost_at, delivered_at, off,
      why FROM alert_lanes)";
namespace of_lanes {
enum Column : std::size_t {
  channel,
  tries,
  again_at,
  refused,
  delivered,
  lost,
  given_up,
  lost_at,
  delivered_at,
  off,
  why
};
}
constexpr std::string_view select_letters =
    "SELECT n, channel, dedup_key, status, critical, at, tries FROM alert_letters ORDER BY n";
namespace of_letters {
enum Column : std::size_t { n, channel, dedup_key, status, critical, at, tries };
}
constexpr std::string_view select_letter = "SELECT bytes FROM alert_letters WHERE n = ?1";
constexpr std::string_view put_lane =
    R"(INSERT OR REPLACE INTO alert_lanes (channel, tries, again_at, refused, delivered, lost, given_up,
      lost_at, delivered_at, off, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11))";
constexpr std::string_view put_letter =
    R"(INSERT OR REPLACE INTO alert_letters (n, channel, dedup_key, status, critical, at, tries, bytes)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))";
constexpr std::string_view set_tries = "UPDATE alert_letters SET tries = ?2 WHERE n = ?1";
constexpr std::string_view drop_letter = "DELETE FROM alert_letters WHERE n = ?1";
constexpr std::string_view drop_lane = "DELETE FROM alert_lanes WHERE channel = ?1";
constexpr std::string_view drop_letters_of = "DELETE FROM alert_letters WHERE channel = ?1";

}  // namespace

void Postbox::ask_rows(Effects& effects) {
  effects.need_rows(create_lanes, {});
  effects.need_rows(create_letters, {});
  effects.need_rows(select_lanes, {});
  effects.need_rows(select_letters, {});
}

bool Postbox::load(std::string_view lanes_answer, std::string_view letters_answer,
                   std::int64_t now_ms) {
  const Rows lanes = parse_rows(lanes_answer);
  const Rows letters = parse_rows(letters_answer);
  if (lanes.failed || letters.failed) return false;
  last_n_ = now_ms;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    Lane& lane = lanes_[std::string(lanes.at(i, of_lanes::channel).bytes)];
    lane.tries = lanes.at(i, of_lanes::tries).integer;
    lane.again_ms = lanes.at(i, of_lanes::again_at).integer;
    lane.refused = lanes.at(i, of_lanes::refused).integer != 0;
    lane.state.delivered = lanes.at(i, of_lanes::delivered).integer;
    lane.state.lost = lanes.at(i, of_lanes::lost).integer;
    lane.state.given_up = lanes.at(i, of_lanes::given_up).integer;
    lane.state.lost_ms = lanes.at(i, of_lanes::lost_at).integer;
    lane.state.delivered_ms = lanes.at(i, of_lanes::delivered_at).integer;
    lane.state.off = lanes.at(i, of_lanes::off).bytes;
    lane.state.why = lanes.at(i, of_lanes::why).bytes;
  }
  for (std::size_t i = 0; i < letters.size(); ++i) {
    Letter letter;
    letter.n = letters.at(i, of_letters::n).integer;
    letter.dedup_key = letters.at(i, of_letters::dedup_key).bytes;
    letter.status = static_cast<NotificationStatus>(
        std::clamp<std::int64_t>(letters.at(i, of_letters::status).integer, 0,
                                 static_cast<std::int64_t>(NotificationStatus::resolved)));
    letter.critical = letters.at(i, of_letters::critical).integer != 0;
    letter.at_ms = letters.at(i, of_letters::at).integer;
    letter.tries = letters.at(i, of_letters::tries).integer;
    last_n_ = std::max(last_n_, letter.n);
    lanes_[std::string(letters.at(i, of_letters::channel).bytes)].letters.push_back(
        std::move(letter));
  }
  return true;
}

void Postbox::ask_letter(std::int64_t n, Effects& effects) {
  effects.need_rows(select_letter, {Value::of(n)});
}

void Postbox::write_lane(std::string_view key, const Lane& lane, Effects& effects) {
  const LaneState& state = lane.state;
  effects.write(put_lane,
                {Value::text(key), Value::of(lane.tries), Value::of(lane.again_ms),
                 Value::of(lane.refused ? 1 : 0), Value::of(state.delivered), Value::of(state.lost),
                 Value::of(state.given_up), Value::of(state.lost_ms), Value::of(state.delivered_ms),
                 Value::text(state.off), Value::text(state.why)});
}

void Postbox::write_letter(std::string_view channel, const Letter& letter, std::string_view bytes,
                           Effects& effects) {
  effects.write(
      put_letter,
      {Value::of(letter.n), Value::text(channel), Value::text(letter.dedup_key),
       Value::of(static_cast<std::int64_t>(letter.status)), Value::of(letter.critical ? 1 : 0),
       Value::of(letter.at_ms), Value::of(letter.tries), Value::blob(bytes)});
}

void Postbox::write_tries(const Letter& letter, Effects& effects) {
  effects.write(set_tries, {Value::of(letter.n), Value::of(letter.tries)});
}

void Postbox::forget_letter(std::int64_t n, Effects& effects) {
  effects.write(drop_letter, {Value::of(n)});
}

void Postbox::drop(Lane& lane, std::int64_t n, Effects& effects) {
  forget_letter(n, effects);
  std::erase_if(lane.letters, [n](const Letter& letter) { return letter.n == n; });
  if (lane.on_its_way == n) lane.on_its_way = 0;
}

void Postbox::forget_lane(std::string_view key, Effects& effects) {
  effects.write(drop_lane, {Value::text(key)});
  effects.write(drop_letters_of, {Value::text(key)});
}

std::int64_t Postbox::failures_of(std::string_view channel) const {
  const auto lane = lanes_.find(channel);
  return lane == lanes_.end() ? 0 : lane->second.tries;
}

std::int64_t Postbox::next_ms(std::int64_t now_ms) const {
  std::int64_t next = 0;
  for (const auto& [key, lane] : lanes_) {
    if (lane.letters.empty() || !lane.state.off.empty() || lane.on_its_way != 0) continue;
    const std::int64_t at =
        next_letter(lane, now_ms) != nullptr ? now_ms : std::max(now_ms, lane.again_ms);
    if (next == 0 || at < next) next = at;
  }
  return next;
}

std::map<std::string, LaneState> Postbox::lanes() const {
  std::map<std::string, LaneState> all;
  for (const auto& [key, lane] : lanes_) {
    LaneState& state = all[key];
    state = lane.state;
    state.waiting = static_cast<std::int64_t>(lane.letters.size());
    for (const Letter& letter : lane.letters)
      if (state.oldest_ms == 0 || letter.at_ms < state.oldest_ms) state.oldest_ms = letter.at_ms;
    state.again_ms = lane.letters.empty() ? 0 : lane.again_ms;
  }
  return all;
}

}  // namespace z0
