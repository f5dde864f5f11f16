// Alerts of a run: rules that its traffic makes fire and cease, people who silence and acknowledge, receivers
// that fail, and what must be true of all that. A share of the runs that carry metrics have them.
//
// The object of alerts has a bad time until the run heals. Then alerts are driven on purpose, one stretch
// after the other, with nothing wrong but that memory is lost: there each word has its time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agenda.hpp"
#include "quieted.hpp"
#include "receivers.hpp"
#include "telemetry.hpp"
#include "z0/alerts/machine.hpp"
#include "z0/calls/alerts.hpp"

namespace z0::sim {

class Pages {
 public:
  Pages(world::World& world, Agenda& agenda, Trouble& trouble, Telemetry& telemetry,
        std::uint64_t seed);

  bool on() const { return on_; }
  // Tells what happens, where somebody wants to know.
  std::function<void(const std::string& line)> say;
  // The object of alerts, and the ledger of what becomes of them.
  std::vector<std::string> objects() const;
  // Whether its alarm is not waited for: what it records has no end before alerts were driven.
  bool may_rest(std::string_view object) const;
  // Until when faults are to go on.
  std::int64_t until_ms() const { return until_ms_; }

  // While nobody can interfere: memory against rows.
  void look();
  void healed();
  // Alerts on purpose, once nothing fails any more; `pass` has time pass.
  void drive(const std::function<void(std::int64_t ms)>& pass);
  // At the end.
  void check();

 private:
  // What the object of alerts heard of one shard last.
  struct Heard {
    std::string report;
    std::int64_t at_ms = 0;     // by the shard's clock
    std::int64_t heard_ms = 0;  // by the world's
    bool rests = false;
  };
  // An alert that began to fire.
  struct Begin {
    AlertName name;
    std::int64_t active_ms = 0;
    std::int64_t fired_ms = 0;

    friend auto operator<=>(const Begin&, const Begin&) = default;
  };
  // A notification that was decided.
  struct Decided {
    std::string channel;
    std::string key;
    std::string status;
    std::int64_t at_ms = 0;
    std::uint64_t order = 0;
  };
  // What a step of the object of alerts does, once it is committed.
  struct Step {
    std::string report;  // that it took
    std::vector<Decided> decided;
  };
  // An alert as it was polled, while nothing fails. Times are 0 where there is none.
  struct Polled {
    std::int64_t clear_ms = 0;  // since when it fires, and nothing holds it back
    std::int64_t gone_ms = 0;   // since when it does not fire
  };
  // What is to be told of an alert that is driven.
  struct Expected {
    AlertName name;
    std::int64_t not_before_ms = 0;
    std::int64_t by_ms = 0;  // 0: never
  };
  using Ends = std::map<Begin, std::set<std::int64_t>>;
  using Pass = std::function<void(std::int64_t ms)>;

  // -- what people and traffic do
  void install();
  void publish();
  void live();
  void upset();
  void forget();
  void burst(const std::string& tenant_id, std::int64_t events);
  void silence();
  bool ask_silence(Quieted wanted, std::int64_t for_ms);
  void unsilence();
  void acknowledge();
  std::string ask(AlertsMethod method, const std::string& request);

  // -- what passes
  void watch(std::string_view frame, std::string_view effects);
  void done(const Step& step);
  void decide(const Decided& one);
  void hear(const std::string& report);
  void live_through(const Frame& frame);
  bool may_be_held(const ShownAlert& alert) const;
  void word(const Receiver& receiver, const Notice& word);

  // -- laws
  std::string listed();
  std::string quieted();
  bool may_lose_memory();
  void lose_memory();
  bool tell_again();
  void drive_once(const Pass& pass);
  std::vector<Expected> expected(std::int64_t from_ms, std::int64_t a, std::int64_t b) const;
  bool began(const AlertName& name, std::int64_t from_ms) const;
  void check_expected(const Expected& one, std::int64_t from_ms);
  void poll();
  void poll_alert(const AlertName& name, const Polled& polled);
  void check_told(const std::vector<Begin>& begins, const Ends& ends);
  void check_incidents();
  void check_channels(const Pass& pass);
  void check_facts();

  world::World& world_;
  Agenda& agenda_;
  Trouble& trouble_;
  Telemetry& telemetry_;
  Random random_;
  bool on_ = false;
  std::optional<Receivers> receivers_;
  QuietedBook quieted_;
  std::int64_t until_ms_ = 0;
  bool same_runbook_ = false;  // of two rules, so that the worse one stands for both
  bool driving_ = false;
  bool driven_ = false;
  std::int64_t forgot_ms_ = 0;
  std::int64_t driven_from_ms_ = 0;

  std::uint64_t order_ = 0;  // of what happened to the object of alerts
  // One life of its memory: which shards it has heard.
  std::uint64_t incarnation_ = 0;
  std::int64_t life_began_ms_ = 0;
  std::set<std::string> heard_in_life_;
  bool took_for_over_ = false;  // what a shard knew that was silent for long
  bool once_took_for_over_ = false;
  std::optional<Step> step_;
  std::map<std::string, Heard> heard_;  // by shard
  std::set<Begin> begins_;              // that shards were heard of
  std::set<std::pair<Begin, std::int64_t>> ended_;
  std::set<Begin> same_time_;  // that began as the clock stood still
  std::map<std::pair<std::string, std::string>, std::vector<Decided>> decided_;  // by channel, key
  std::map<std::string, Notice> last_;  // that was taken, by receiver and key
  std::set<std::string> said_;          // ids of facts of what people said
  std::map<AlertName, Polled> polled_;
};

inline constexpr std::string_view channels_config = "cfg_pages";
// As the object of alerts names it, of what a shard says: each may have one for tenants that it had no room
// for.
AlertName name_of(const AlertReport& alert, std::string_view shard = {});
inline bool fires(const AlertsReply::Alert& alert) {
  return static_cast<AlertPhase>(alert.alert.phase) == AlertPhase::firing;
}

}  // namespace z0::sim
