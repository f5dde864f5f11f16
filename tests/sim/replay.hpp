// A ledger's facts once more, in order, as JSON: what may come next, under which budget, and what
// the balance is. It is written from the words of the domain and shares no code with the core.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model.hpp"

namespace z0::sim {

class Replay {
 public:
  struct Config {
    std::int64_t version = 0;
    Json data;
  };

  // What the ledger has to say to a fact that would come next, at this commit time: a status.
  std::string verdict(const Json& fact, std::int64_t at_ms) const;
  // The next fact, with id, seq and recorded_at.
  void apply(const Json& fact);

  // The config whose version a charge of this currency is stamped with; empty when there is none.
  std::string stamp_of(const std::string& currency) const;
  const std::map<std::string, Config>& configs() const { return configs_; }
  const std::string& lifecycle() const { return lifecycle_; }
  std::int64_t recorded_at() const { return recorded_at_; }
  // Throws Broken when a BudgetState as z0 shows it is another one than these facts make.
  // `budgets`: whether it also shows the budgets.
  void check_budget_state(const Json& shown, std::int64_t at_ms, bool budgets,
                          const std::string& where) const;

 private:
  // A fact that corrections may name.
  struct Source {
    Json fact;
    std::string
        behind;  // the fact that is corrected in the end, by id: its own, if it is no correction
    std::int64_t left = 0;  // of the amount of that fact, kept there
  };
  struct Money {
    std::int64_t deposited = 0, credits = 0, spent = 0;
    std::map<std::string, std::int64_t> spent_of;  // by the name of a day, a week, a month
    std::int64_t remaining() const { return deposited + credits - spent; }
  };

  // What a correction comes to in the end; null when it names no fact of the ledger.
  const Source* behind(const Json& correction) const;
  std::string verdict_of_correction(const Json& fact) const;
  void remember(const Json& fact);
  // The type whose sum an amount belongs to.
  std::string moved_by(const Json& fact) const;
  bool moves_money(const Json& fact) const;
  void add(Money& money, const Json& fact, std::int64_t at_ms) const;
  // The moment that an amount was spent at: of a correction that of its charge.
  std::int64_t of_ms(const Json& fact, std::int64_t at_ms) const;
  static std::string window_of(const std::string& period, std::int64_t at_ms);
  std::int64_t used(const std::string& currency, const std::string& period,
                    std::int64_t at_ms) const;
  Json money_json(const std::string& currency, std::int64_t at_ms) const;

  std::string lifecycle_ = "active";
  std::map<std::string, Money> money_;
  std::map<std::string, Config> configs_;
  std::map<std::string, Source> sources_;  // every fact, by id
  std::int64_t recorded_at_ = 0;
  std::int64_t last_money_seq_ = 0;
  std::string last_money_id_;
};

// Whether z0 itself makes such facts.
bool is_config_version(const Json& fact);

}  // namespace z0::sim
