// Who is told of alerts in a run: receivers outside, what they answer, what each of them took, and what must
// be true of that at any time. They know requests and no more, as real ones do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"
#include "trouble.hpp"
#include "world.hpp"

namespace z0::sim {

// What tells an alert from all others: rule, tenant, and the values of its labels in alphabetical order.
struct AlertName {
  std::string rule;
  std::string tenant_id;
  std::vector<std::string> labels;

  friend auto operator<=>(const AlertName&, const AlertName&) = default;
  std::string text() const;
};

// An alert as a word shows it.
struct ShownAlert {
  AlertName name;
  std::int64_t started_ms = 0;
  bool fires = false;
  bool is_critical = false;
};

// What a receiver took.
struct Notice {
  std::string key;  // of the incident
  std::string id;   // empty: the receiver's form has none
  std::string status;
  std::int64_t decided_ms = 0;  // 0: its form does not say
  std::int64_t taken_ms = 0;    // by the world's clock
  std::vector<ShownAlert> alerts;
};

class Receiver {
 public:
  Receiver(std::string name, std::string url, std::string channel, bool pages_only)
      : name_(std::move(name)),
        url_(std::move(url)),
        channel_(std::move(channel)),
        pages_only_(pages_only) {}

  const std::string& name() const { return name_; }
  const std::string& url() const { return url_; }
  const std::string& channel() const { return channel_; }  // of the config's settings
  bool wants(bool is_critical) const { return is_critical || !pages_only_; }
  // Whether its words name alerts, and are of incidents.
  bool shows() const { return name_ == "pager" || name_ == "hook" || name_ == "log"; }

  // The law that a word breaks; empty: none.
  std::string take(Notice word);
  // Alertmanager's form: each alert stands for itself.
  void take_alerts(const Json& alerts);

  // The incident that an alert is shown in, as firing; null: in none.
  const std::string* shown_in(const AlertName& name) const;
  const std::vector<Notice>& words() const { return words_; }
  // Incidents that are open, with what they show as firing.
  const std::map<std::string, std::set<AlertName>>& open() const { return open_; }
  const std::map<AlertName, std::int64_t>& ends_ms() const { return ends_ms_; }
  const std::set<std::string>& ids() const { return ids_; }

  // Whether an alert that an incident showed may be shown by another one: a silence or a cause holds it
  // back when its incident closes.
  std::function<bool(const ShownAlert& alert)> may_be_held;

  std::int64_t away_until_ms = 0;

 private:
  std::string show(const Notice& word, const ShownAlert& alert);

  std::string name_;
  std::string url_;
  std::string channel_;
  bool pages_only_;
  std::vector<Notice> words_;
  std::map<std::string, std::set<AlertName>> open_;
  std::set<std::string> closed_;
  std::set<std::string> ids_;
  std::map<std::string, std::string> said_;  // by a word's id
  std::map<std::pair<AlertName, std::int64_t>, std::string> incident_of_;
  std::map<AlertName, std::string> shown_;
  std::map<AlertName, std::int64_t> ends_ms_;  // as Alertmanager has it
};

class Receivers {
 public:
  Receivers(world::World& world, Trouble& trouble, Random& random);

  static bool owns(std::string_view url);
  world::World::Fetched receive(const FetchNeed& need);
  // Settings of a config of type alert_channels.
  Json settings() const;
  void heal();

  std::vector<Receiver>& all() { return all_; }
  Receiver& named(std::string_view name);
  std::int64_t group_interval_ms() const { return group_interval_ms_; }
  std::int64_t repeat_ms() const { return repeat_ms_; }

  // Between a request's arrival and its answer.
  std::function<void()> meanwhile;
  std::function<void(const Receiver& receiver, const Notice& word)> on_word;

 private:
  void take(Receiver& receiver, const FetchNeed& need);

  world::World& world_;
  Trouble& trouble_;
  Random& random_;
  std::vector<Receiver> all_;
  std::int64_t group_interval_ms_;
  std::int64_t repeat_ms_;
};

inline constexpr std::int64_t group_wait_ms = 10'000;

}  // namespace z0::sim
