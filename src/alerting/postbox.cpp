// What waits, and in which order it goes.
#include "z0/alerting/postbox.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "alerting/notification_bytes.hpp"
#include "notify/parts.hpp"
#include "z0/notify/limits.hpp"

namespace z0 {
namespace {

bool is_critical(const Notification& notification) {
  return std::any_of(
      notification.alerts.begin(), notification.alerts.end(),
      [](const NotifiedAlert& alert) { return alert.severity == Severity::critical; });
}

// As many alerts as fit, the worst first.
std::string letter_bytes(const Notification& notification) {
  std::string bytes = encode_notification(notification);
  if (bytes.size() <= limits::letter_bytes_max) return bytes;
  Notification shorter = notification;
  shorter.alerts.clear();
  for (const NotifiedAlert* alert : worst_first(notification)) shorter.alerts.push_back(*alert);
  while (bytes.size() > limits::letter_bytes_max && shorter.alerts.size() > 1) {
    const std::size_t kept = shorter.alerts.size() / 2;
    shorter.left_out += static_cast<std::int64_t>(shorter.alerts.size() - kept);
    shorter.alerts.resize(kept);
    bytes = encode_notification(shorter);
  }
  return bytes;
}

}  // namespace

// Takes out what a newer word makes old. PagerDuty closes only what it was told to open, so there a word
// that something fires goes first.
void Postbox::supersede(Lane& lane, ChannelType type, std::string_view dedup_key,
                        NotificationStatus status, std::int64_t n, Effects& effects) {
  const bool opens_first = type == ChannelType::pagerduty && status != NotificationStatus::firing;
  std::vector<std::int64_t> old;
  for (const Letter& letter : lane.letters) {
    const bool stays = letter.dedup_key != dedup_key || letter.n == lane.on_its_way ||
                       letter.n >= n ||
                       (opens_first && letter.status == NotificationStatus::firing);
    if (!stays) old.push_back(letter.n);
  }
  for (const std::int64_t one : old) drop(lane, one, effects);
}

// False where it is the new one that there is no room for. `lost`: one that waited made room.
bool Postbox::make_room(Lane& lane, bool critical, bool& lost, Effects& effects) {
  lost = false;
  if (lane.letters.size() < limits::letters_per_lane_max) return true;
  const auto oldest = [&lane](bool pages) {
    return std::find_if(lane.letters.begin(), lane.letters.end(), [&](const Letter& letter) {
      return letter.n != lane.on_its_way && letter.critical == pages;
    });
  };
  auto victim = oldest(false);
  if (victim == lane.letters.end() && critical) victim = oldest(true);
  if (victim == lane.letters.end()) return false;
  drop(lane, victim->n, effects);
  lost = true;
  return true;
}

void Postbox::put(std::string_view channel, ChannelType type, const Notification& notification,
                  std::int64_t now_ms, Effects& effects) {
  auto found = lanes_.find(channel);
  if (found == lanes_.end()) found = lanes_.emplace(std::string(channel), Lane{}).first;
  Lane& lane = found->second;
  const bool critical = is_critical(notification);
  bool lost = false;
  bool fits = lane.state.off.empty();
  if (fits) {
    supersede(lane, type, notification.dedup_key, notification.status, INT64_MAX, effects);
    fits = make_room(lane, critical, lost, effects);
  }
  if (fits) {
    lane.letters.push_back(
        {++last_n_, notification.dedup_key, notification.status, critical, notification.at_ms, 0});
    write_letter(channel, lane.letters.back(), letter_bytes(notification), effects);
  }
  if (fits && !lost) return;
  ++lane.state.lost;
  lane.state.lost_ms = now_ms;
  write_lane(channel, lane, effects);
}

void Postbox::try_again(std::string_view channel, Effects& effects) {
  const auto found = lanes_.find(channel);
  if (found == lanes_.end()) return;
  Lane& lane = found->second;
  lane.tries = lane.again_ms = 0;
  lane.refused = false;
  lane.state.off.clear();
  lane.state.why.clear();
  write_lane(channel, lane, effects);
}

// The least tried one, so that one that a receiver never takes holds up no other; but of one dedup_key in
// order.
const Postbox::Letter* Postbox::next_letter(const Lane& lane, std::int64_t now_ms) {
  if (!lane.state.off.empty() || lane.on_its_way != 0) return nullptr;
  const bool pauses = now_ms < lane.again_ms;
  if (pauses && !lane.refused) return nullptr;
  const Letter* best = nullptr;
  for (auto it = lane.letters.begin(); it != lane.letters.end(); ++it) {
    const bool first = std::none_of(lane.letters.begin(), it, [&](const Letter& before) {
      return before.dedup_key == it->dedup_key;
    });
    const bool may = first && (!pauses || it->tries == 0);
    if (may && (best == nullptr || it->tries < best->tries)) best = &*it;
  }
  return best;
}

std::vector<Postbox::Due> Postbox::take_due(std::int64_t now_ms) {
  std::vector<Due> due;
  for (auto& [key, lane] : lanes_) {
    // An object has one turn at a time: what the last one never settled is not on its way any more.
    lane.on_its_way = 0;
    const Letter* letter = next_letter(lane, now_ms);
    if (letter == nullptr) continue;
    lane.on_its_way = letter->n;
    due.push_back({key, letter->n});
  }
  return due;
}

bool Postbox::read_letter(const Rows& rows, Notification& notification, SentLetter& sent) const {
  const auto lane = lanes_.find(sent.channel);
  if (lane == lanes_.end() || rows.size() != 1 ||
      !decode_notification(rows.at(0, 0).bytes, notification))
    return false;
  for (const Letter& letter : lane->second.letters) {
    if (letter.n != sent.n) continue;
    sent.id = notification.id;
    sent.dedup_key = notification.dedup_key;
    sent.status = notification.status;
    sent.at_ms = notification.at_ms;
    sent.tries = letter.tries;
    return true;
  }
  return false;
}

// A newer word may have come while this one was on its way.
void Postbox::wait_on(Lane& lane, const SentLetter& sent, Effects& effects) {
  for (Letter& letter : lane.letters) {
    if (letter.n != sent.n) continue;
    ++letter.tries;
    write_tries(letter, effects);
  }
  const std::vector<Letter> letters = lane.letters;
  for (const Letter& newer : letters) {
    if (newer.n > sent.n && newer.dedup_key == sent.dedup_key)
      supersede(lane, sent.type, newer.dedup_key, newer.status, newer.n, effects);
  }
}

bool Postbox::said_before(Lane& lane, const SentLetter& sent) {
  if (sent.says == 0) return false;
  if (lane.said.size() > limits::letters_per_lane_max) lane.said.clear();
  std::int64_t& said = lane.said[std::string(sent.dedup_key)];
  return std::exchange(said, sent.says) == sent.says;
}

Postbox::Fate Postbox::settle(const SentLetter& sent, const DeliveryVerdict& verdict,
                              std::int64_t now_ms, Effects& effects) {
  const auto found = lanes_.find(sent.channel);
  if (found == lanes_.end()) return Fate::lost;
  Lane& lane = found->second;
  lane.on_its_way = 0;
  Fate fate = Fate::waits;
  if (verdict.delivery == LetterFate::delivered) {
    fate = said_before(lane, sent) ? Fate::repeated : Fate::delivered;
    ++lane.state.delivered;
    lane.state.delivered_ms = now_ms;
    lane.tries = lane.again_ms = 0;
    lane.refused = false;
  } else if (verdict.delivery != LetterFate::retry ||
             now_ms - sent.at_ms > limits::letter_age_ms_max) {
    fate = Fate::given_up;
    ++lane.state.given_up;
    lane.state.lost_ms = now_ms;
  }
  lane.state.why = verdict.why;
  if (verdict.delivery == LetterFate::disable) {
    lane.state.off = verdict.why;
    lane.state.lost += static_cast<std::int64_t>(lane.letters.size()) - 1;
    while (!lane.letters.empty()) drop(lane, lane.letters.back().n, effects);
  }
  if (fate == Fate::waits)
    wait_on(lane, sent, effects);
  else
    drop(lane, sent.n, effects);
  if (verdict.delivery == LetterFate::retry) {
    ++lane.tries;
    lane.again_ms = now_ms + verdict.wait_ms;
    lane.refused = verdict.of_this_one;
  }
  write_lane(sent.channel, lane, effects);
  return fate;
}

}  // namespace z0
