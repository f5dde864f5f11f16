// One run: clients, faults and time over a whole z0 in one process, and the model that judges it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agenda.hpp"
#include "clients.hpp"
#include "mail.hpp"
#include "model.hpp"
#include "pages.hpp"
#include "telemetry.hpp"
#include "trouble.hpp"
#include "world.hpp"

namespace z0::sim {

struct Totals {
  std::uint64_t facts = 0;
  std::uint64_t requests = 0;
  std::uint64_t faults = 0;
  std::uint64_t messages = 0;
  std::uint64_t alarms = 0;
};

class Simulation {
 public:
  Simulation(const Options& options, const std::string& d1_schema);

  // Throws Broken when a law does not hold.
  void run();
  const Totals& totals() const { return totals_; }

 private:
  // What is known of an object's alarm: when it was seen to be set for, and how late it will be.
  struct Alarm {
    std::int64_t set_for = 0;
    std::int64_t late_ms = 0;
    bool lost = false;
  };

  void install_faults();
  world::Death death(world::Moment moment, std::string_view object);
  bool call_comes_late(std::uint8_t method, std::string_view object, std::string_view request);
  void process_died();
  void maybe_interleave();

  void run_until_quiet();
  void run_for(std::int64_t ms);
  void advance();
  void watch_alarms();
  std::int64_t goes_off(const std::string& object, const Alarm& alarm) const;
  std::int64_t next_alarm() const;
  void ring_due();
  void ring(const std::vector<std::string>& objects);
  void ring_alerts(bool twice);

  void operate();
  void post(Request request, int tries);
  void retry(Request request, int tries);
  void disturb();
  void start_outage();
  void change_clocks();
  std::int64_t clock_of(const std::string& object) const;

  // What operators do, and what befalls rows at rest.
  void change_config(const std::string& config_id, int tries);
  void check_config_reply(ConfigModel& config, const Json& settings, int http,
                          const std::string& body, bool faults);
  void damage_cache(const std::string& entity_id);
  void check_shown_state(const std::string& entity_id);
  void damage_snapshot(const std::string& entity_id, const Rows& rows, std::size_t row);
  void check_reconciliation(const std::string& entity_id, std::size_t kind, bool whole,
                            std::int64_t snapshot_seq);
  void damage_corrected(const std::string& entity_id);
  Json reconcile(const std::string& entity_id, bool whole);
  void tamper(const std::string& entity_id);
  void replicate(const std::string& entity_id, bool from_start);
  void rebuild_d1();
  Json post_ops(const std::string& url);

  void heal();
  bool quiet() const;

  // Looks while nobody can interfere: a fact that was acknowledged, heads, alarms.
  void look();
  void look_at_ledger(const std::string& entity_id);
  void look_at_d1();
  void look_at_arrival();
  std::int64_t reached_in_d1(const std::string& entity_id);
  void check_sent(std::string_view body);

  void say(const std::string& line) const;

  Options options_;
  Random random_;
  Trouble trouble_;
  world::World world_;
  Agenda agenda_;
  Model model_;
  Clients clients_;
  Mail mail_;
  Telemetry telemetry_;
  Pages pages_;
  Totals totals_;
  std::vector<std::string> objects_;  // those that have alarms
  std::map<std::string, Alarm, std::less<>> alarms_;
  std::map<std::string, std::int64_t> heads_;  // the highest that each was seen at in D1
  std::set<std::pair<std::string, std::string>> mismatched_;  // ledger and cache type
  unsigned config_percent_ = 0;
  bool wipe_ = false;
  std::map<std::string, std::int64_t, std::less<>> clocks_;
  // Objects whose alarms go off, and how far their ledgers were before.
  struct Ringing {
    std::string object;
    std::int64_t seq_before = 0;
  };
  std::vector<Ringing> ringing_;
  bool alerts_ring_ = false;
  std::int64_t d1_down_until_ = 0;
  std::int64_t pace_ms_ = 0;
  std::size_t patience_ = 0;
  unsigned look_percent_ = 0;
  std::size_t waiting_clients_ = 0;
  std::size_t late_calls_ = 0;
  std::size_t interleaved_ = 0;
  int depth_ = 0;
  bool healing_ = false;
  bool arrival_seen_ = false;
  bool lossless_ = true;     // each recorded fact was sent, and no message was lost
  bool sends_lost_ = false;  // somebody died before what they had to send was sent
};

}  // namespace z0::sim
