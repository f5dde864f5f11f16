// What happens to alerts, as facts of the ledger acct_z0: who looks for what was known when finds it
// beside the money.
//
// A fact waits in a row until the ledger has it, with an id that is made of what it says; so telling it
// again is told once. They go with the notifications, many at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "z0/calls/alerts.hpp"
#include "z0/facts/fact.hpp"
#include "z0/wire/effects.hpp"
#include "z0/wire/frame.hpp"

namespace z0 {

class AlertFacts {
 public:
  // -- rows
  static void ask_rows(Effects& effects);
  static constexpr std::size_t rows_asked = 2;
  // Rows have numbers from `now_ms` on: what was on its way when memory was lost never names a newer row.
  [[nodiscard]] bool load(std::string_view answer, std::int64_t now_ms);

  // After a restart: an alert whose begin, and whose end if it has one, was told of before.
  void remember(std::string_view id, std::int64_t fired_ms, std::int64_t over_ms);
  // Alerts that began to fire or ended since the last look. What is told twice has the same id, so the ledger
  // has it once.
  void watch(const AlertsReply& alerts, Effects& effects);
  // One fact more. `subtype` of FactType::alert, or of `notification` where it is custom. `data`: JSON.
  void add(FactType type, std::string_view subtype, std::string_view id, std::int64_t at_ms,
           std::string_view data, Effects& effects);

  // -- a turn
  bool due(std::int64_t now_ms) const { return waiting_ > 0 && now_ms >= again_ms_; }
  void ask_first(Effects& effects) const;
  // The call of the ledger; the numbers of the facts that it brings. None: there is none to make.
  std::vector<std::int64_t> send(const Rows& rows, Effects& effects);
  // What became of them. Messages for the replication are put out by the caller.
  void settle(const std::vector<std::int64_t>& numbers, std::string_view answer,
              std::int64_t now_ms, Effects& effects);

  std::int64_t next_ms(std::int64_t now_ms) const {
    return waiting_ == 0 ? 0 : (again_ms_ > now_ms ? again_ms_ : now_ms);
  }
  std::int64_t waiting() const { return waiting_; }
  // There was no room for them, or the ledger refused them.
  std::int64_t lost() const { return lost_; }

 private:
  void note(const AlertsReply::Alert& view, bool over, Effects& effects);

  // By alert and begin: its end, as of the last look, and as of the life before.
  std::map<std::string, std::int64_t, std::less<>> seen_;
  std::map<std::string, std::int64_t, std::less<>> remembered_;
  std::int64_t last_n_ = 0;
  std::int64_t waiting_ = 0;
  std::int64_t tries_ = 0;
  std::int64_t again_ms_ = 0;
  std::int64_t lost_ = 0;
};

}  // namespace z0
