// Whom to tell of what, and when: from the alerts that are known, what people said of them, and who
// listens.
//
// Alerts of one rule and severity are a group, and each listener hears of a group by itself: what it
// was told of it is kept, so that it is told once, again when something changed or after long, and at
// the end that it is over. An alert is remembered until everybody heard of its end, even if that is
// in the morning. All of it is rows (Desk::save): a restart neither loses nor doubles a word.
//
// A silence, or an alert that is the cause, keeps back that something fires. That something is over
// is told to whoever was told that it fires, so that no incident stays open.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "z0/alerting/silences.hpp"
#include "z0/alerts/machine.hpp"
#include "z0/notify/notification.hpp"
#include "z0/notify/policy.hpp"

namespace z0 {

// Somebody who is told.
struct Listener {
  std::string key;        // of its own among all: its config's id, '/', and the channel's name
  std::string tenant_id;  // hears of this tenant alone; empty: the platform's
  Channel channel;
  TellingPolicy policy;
  LinkTemplates links;
};

// What a zone's clocks show, and until when that holds.
struct ZoneOffset {
  std::string zone;
  std::int64_t offset_min = 0;  // to be added to UTC
  std::int64_t until_ms = 0;
};

struct Told {
  std::string channel;  // a Listener's key
  Notification notification;
};

// Zones that are not known, or not any more. Each is named once.
std::vector<std::string> zones_to_ask(std::span<const Listener> listeners,
                                      std::span<const ZoneOffset> zones, std::int64_t now_ms);

// Whether a listener hears of what can wait. Where the zone is not known it does: better early than
// never. What was known of it last stands until it is known anew: that is an hour off at most. `opens_ms`: when it will, else 0.
bool within_hours(const Channel& channel, std::span<const ZoneOffset> zones, std::int64_t now_ms,
                  std::int64_t& opens_ms);

// An alert that fires, or was over a short while ago.
struct LiveAlert {
  std::string id;
  std::string rules_of;  // whose rules: a tenant's, or empty for the platform's
  NotifiedAlert alert;   // ended_ms: 0 while it fires
  std::int64_t fired_ms = 0;
  // What somebody said of it; said_ms 0: nobody did.
  std::string said_by;
  std::string reason;
  std::int64_t said_ms = 0;
  std::string said_for;  // the tenant whose credentials said so; empty: the platform's
};

class Dispatch {
 public:
  // What is to be told now, pages first; about a group each listener hears one thing. `complete`: an alert that is not
  // among `alerts` is over.
  std::vector<Told> decide(const std::vector<LiveAlert>& alerts, bool complete,
                           const Silences& silences, std::span<const Listener> listeners,
                           std::span<const ZoneOffset> zones, std::int64_t now_ms);
  // When decide() would have more to say though no alert changes; 0: never.
  std::int64_t next_ms() const { return next_ms_; }

  // How it stands with an alert, as of the last decide().
  struct Standing {
    std::string_view inhibited_by;  // the id of the alert that is its cause; empty: none
    std::int64_t escalations = 0;   // how often it went further because nobody said anything
    bool flaps = false;
  };
  Standing standing(std::string_view id) const;
  // Calls each(id, fired_ms, over_ms) for the alerts that are remembered; over_ms 0: it fires.
  template <class Each>
  void each_episode(Each each) const {
    for (const auto& [key, group] : groups_)
      for (const auto& [id, episode] : group.episodes) each(id, episode.fired_ms, episode.over_ms);
  }

  // -- rows: one for each group, and one of who listens since when
  template <class Put>
  void save(std::int64_t group_kind, std::int64_t listeners_kind, Put put) {
    for (const std::string& key : gone_) put(group_kind, key, std::string());
    gone_.clear();
    for (auto& [key, group] : groups_) {
      if (group.changed) put(group_kind, key, encode_group(group));
      group.changed = false;
    }
    if (listeners_changed_) put(listeners_kind, std::string_view(), encode_listeners());
    listeners_changed_ = false;
  }
  // False for bytes that save() did not write.
  [[nodiscard]] bool load_group(std::string_view key, std::string_view bytes);
  [[nodiscard]] bool load_listeners(std::string_view bytes);

 private:
  // An alert from when it fires until everybody heard that it is over.
  struct Episode {
    NotifiedAlert alert;  // as it was last seen
    std::int64_t fired_ms = 0;
    std::int64_t over_ms = 0;           // 0: it fires
    std::int64_t pages_since_ms = 0;    // a page that neither a word nor a silence holds up
    std::int64_t escalations = 0;       // that were told
    std::string inhibited_by;           // as of when it last fired
    std::vector<std::int64_t> changes;  // when it began or ended, the newest last
    // As LiveAlert has them.
    std::string said_by;
    std::string reason;
    std::int64_t said_ms = 0;
    std::string said_for;
    // Of one decide() alone.
    bool seen = false;
    bool awaited = false;  // a listener is still to hear that it is over

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self);
  };
  // What a listener was told of an alert.
  enum class Heard : std::uint8_t { nothing, fires, flaps, is_over, count_ };
  // What a listener was told of a group.
  struct Ear {
    std::int64_t opened_ms = 0;  // since when it knows that something fires; 0: it does not
    std::int64_t waits_ms = 0;   // since when there is something to be told
    std::int64_t told_ms = 0;
    std::int64_t escalations = 0;
    bool acknowledged = false;
    std::map<std::string, Heard, std::less<>> of;  // by the alert's id
  };
  struct Group {
    std::string rules_of;
    std::map<std::string, Episode, std::less<>> episodes;  // by the alert's id
    std::map<std::string, Ear, std::less<>> ears;          // by the listener's key
    std::int64_t left_out = 0;                             // there was no room for
    bool changed = false;
  };
  struct Now;      // what one decide() goes by
  struct Message;  // what a listener would be told of a group

  void learn(const std::vector<LiveAlert>& alerts, bool complete, std::int64_t now_ms);
  void learn_one(const LiveAlert& live, std::int64_t now_ms);
  void meet(std::span<const Listener> listeners, std::int64_t now_ms);
  void inhibit();
  void watch_pages(const Now& now);
  void forget(const Now& now);

  static std::int64_t escalations_in(const Group& group, const Episode& episode,
                                     const Listener& listener, std::int64_t now_ms);
  Message sort_out(const Now& now, const Listener& listener, Group& group, const Ear& ear);
  void hear(const Now& now, const Listener& listener, Group& group, std::vector<Told>& out);
  static std::int64_t due_ms(const Now& now, const Listener& listener, const Group& group,
                             const Ear& ear, const Message& message);
  static Told tell(const Now& now, const Listener& listener, Group& group, Ear& ear,
                   Message& message);
  void look_again(std::int64_t at_ms, std::int64_t now_ms) {
    if (at_ms > now_ms && (next_ms_ == 0 || at_ms < next_ms_)) next_ms_ = at_ms;
  }

  static std::string encode_group(const Group& group);
  std::string encode_listeners() const;

  std::map<std::string, Group, std::less<>> groups_;
  std::map<std::string, std::int64_t, std::less<>> since_ms_;  // by the listener's key
  std::vector<std::string> gone_;                              // groups whose rows are to go
  bool listeners_changed_ = false;
  std::int64_t next_ms_ = 0;
};

}  // namespace z0
