// Budgets that will run out at the pace of late before their period ends.
//
// Which accounts are charged under a budget is in D1; how far it is used, its own ledger says, once an
// hour: both are exact. The pace is what was used between the first and the last of these words within
// the rule's window. It belongs to BusinessWatch, which does the looking.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "z0/alerts/rule.hpp"
#include "z0/calls/look.hpp"
#include "z0/notify/notification.hpp"

namespace z0 {

class Budgets {
 public:
  // Accounts that were charged, and what their ledgers said.
  void take(const LookReply& found, std::int64_t now_ms);
  // Those to be asked again.
  void ask(std::int64_t now_ms, std::vector<LookRequest::Account>& out);

  // Whether one of a tenant's budgets will run out, and the one that does so first.
  struct Finding {
    bool holds = false;
    double hours_left = 0;
    std::string seen;
    std::optional<AlertMoney> money;
  };
  Finding find(std::string_view tenant_id, std::int64_t window_ms, std::int64_t now_ms) const;
  std::int64_t left_out() const { return left_out_; }

  // All of it as one row.
  std::string encode() const;
  [[nodiscard]] bool decode(std::string_view bytes);

 private:
  struct Sample {
    std::int64_t at_ms = 0;
    std::int64_t used = 0;
  };
  struct One {
    std::string currency;
    std::int64_t limit = 0;
    std::int64_t period = 0;
    bool enforced = false;
    std::vector<Sample> samples;  // of one period, in order
  };
  struct Account {
    std::int64_t charged_ms = 0;
    std::int64_t asked_ms = 0;
    std::map<std::string, One, std::less<>> budgets;  // by the config's id
  };
  struct Pace;
  static Pace pace_of(const One& budget, std::int64_t window_ms, std::int64_t now_ms);
  Account* account_of(std::string_view tenant_id, std::string_view entity_id, bool make);

  // By tenant and account.
  std::map<std::string, std::map<std::string, Account, std::less<>>, std::less<>> accounts_;
  std::int64_t count_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace z0
