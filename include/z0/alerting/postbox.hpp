// Notifications that wait to be sent: rows of the object of alerts, a lane for each channel.
//
// What was decided and what waits are of one commit, and the object's alarm sends it, so nothing is lost
// between the two. All channels that are due go at once, a letter of each: one that hangs holds up no
// other. A receiver that is busy or away is left alone for as long as its answer says (notify/answer.hpp),
// which outlives the object's memory. It may hear a letter twice, when its answer is lost; the
// notification's id and its dedup_key say that it is the same.
//
// What is newer replaces what still waits under the same dedup_key, so a receiver that was away for an
// hour hears how things stand, and not all that was. Only PagerDuty, which knows no end of what never
// began, hears of both.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "z0/base/fields.hpp"
#include "z0/notify/answer.hpp"
#include "z0/notify/notification.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

// A letter on its way: what its answer is settled by, whatever is in memory then.
struct SentLetter {
  std::int64_t n = 0;
  std::string_view channel;  // a Listener's key
  ChannelType type = ChannelType::webhook;
  std::string_view id;  // of the notification
  std::string_view dedup_key;
  NotificationStatus status = NotificationStatus::firing;
  std::int64_t at_ms = 0;  // when it was decided
  std::int64_t tries = 0;  // before this one
  // Of which alerts it says what, where a receiver wants to hear the same again and again; else 0.
  std::int64_t says = 0;
  std::string_view unsent;  // why nothing was sent; empty: it was

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.n);
    f.text(self.channel);
    f.code(self.type);
    f.text(self.id);
    f.text(self.dedup_key);
    f.code(self.status);
    f.signed_number(self.at_ms);
    f.number(self.tries);
    f.number(self.says);
    f.text(self.unsent);
  }
};

// How it stands with a channel. Times are 0 where there is none.
struct LaneState {
  std::int64_t waiting = 0;
  std::int64_t oldest_ms = 0;  // since when the oldest waits
  std::int64_t delivered = 0;
  std::int64_t lost = 0;      // there was no room, or the channel went
  std::int64_t given_up = 0;  // the receiver refuses them
  std::int64_t lost_ms = 0;   // when that happened last
  std::int64_t delivered_ms = 0;
  std::int64_t again_ms = 0;  // when it is tried again
  std::string off;            // why nothing is sent any more; empty: it is
  std::string why;            // what became of the last try; empty: it was taken
};

class Postbox {
 public:
  // -- rows, which come before anything else
  static void ask_rows(Effects& effects);
  static constexpr std::size_t rows_asked = 4;
  // False when they could not be read. Letters have numbers from `now_ms` on: what was on its way when memory
  // was lost never names a newer one.
  [[nodiscard]] bool load(std::string_view lanes, std::string_view letters, std::int64_t now_ms);

  // One letter more for a channel.
  void put(std::string_view channel, ChannelType type, const Notification& notification,
           std::int64_t now_ms, Effects& effects);
  // A channel was said anew: what stopped it may be mended.
  void try_again(std::string_view channel, Effects& effects);
  // Channels that are not there any more go with what waits for them.
  template <class IsThere>
  void keep(const IsThere& is_there, Effects& effects) {
    for (auto it = lanes_.begin(); it != lanes_.end();) {
      if (is_there(it->first)) {
        ++it;
        continue;
      }
      forget_lane(it->first, effects);
      it = lanes_.erase(it);
    }
  }

  // -- a turn: what is due is read, sent, and what became of it is written
  struct Due {
    std::string channel;
    std::int64_t n = 0;
  };
  // A letter of each channel that may be sent now; from then on it is on its way.
  std::vector<Due> take_due(std::int64_t now_ms);
  static void ask_letter(std::int64_t n, Effects& effects);
  // Of the letter that `sent` names; the rest of it is filled in, and borrows from the notification. False
  // when it cannot be read.
  [[nodiscard]] bool read_letter(const Rows& rows, Notification& notification,
                                 SentLetter& sent) const;
  // What became of it: why it is gone, or that it waits on.
  // repeated: it was delivered, and said what was said before.
  enum class Fate : std::uint8_t { delivered, repeated, waits, given_up, lost };
  Fate settle(const SentLetter& sent, const DeliveryVerdict& verdict, std::int64_t now_ms,
              Effects& effects);
  // Rows alone, where memory was lost meanwhile.
  static void forget_letter(std::int64_t n, Effects& effects);

  // Tries that failed since the receiver took something.
  std::int64_t failures_of(std::string_view channel) const;
  // When something is due next; 0: nothing waits.
  std::int64_t next_ms(std::int64_t now_ms) const;
  std::map<std::string, LaneState> lanes() const;

 private:
  struct Letter {
    std::int64_t n = 0;
    std::string dedup_key;
    NotificationStatus status = NotificationStatus::firing;
    bool critical = false;
    std::int64_t at_ms = 0;
    std::int64_t tries = 0;
  };
  struct Lane {
    std::vector<Letter> letters;  // in order
    std::int64_t on_its_way = 0;  // a letter's number
    std::int64_t tries = 0;       // that failed since one was taken
    std::int64_t again_ms = 0;
    // The receiver is there, but did not take a letter: others may fare better.
    bool refused = false;
    LaneState state;
    // By dedup_key, what an Alertmanager was told last. In memory alone: it only spares facts.
    std::map<std::string, std::int64_t, std::less<>> said;
  };

  static const Letter* next_letter(const Lane& lane, std::int64_t now_ms);
  static void supersede(Lane& lane, ChannelType type, std::string_view dedup_key,
                        NotificationStatus status, std::int64_t n, Effects& effects);
  static bool make_room(Lane& lane, bool critical, bool& lost, Effects& effects);
  static bool said_before(Lane& lane, const SentLetter& sent);
  static void wait_on(Lane& lane, const SentLetter& sent, Effects& effects);
  // Rows.
  static void write_lane(std::string_view key, const Lane& lane, Effects& effects);
  static void write_letter(std::string_view channel, const Letter& letter, std::string_view bytes,
                           Effects& effects);
  static void write_tries(const Letter& letter, Effects& effects);
  static void drop(Lane& lane, std::int64_t n, Effects& effects);
  static void forget_lane(std::string_view key, Effects& effects);

  std::map<std::string, Lane, std::less<>> lanes_;
  std::int64_t last_n_ = 0;
};

}  // namespace z0
