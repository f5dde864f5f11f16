// What the object of alerts asks about facts: what came to D1 in a stretch of time, by tenant and hour, and
// how far replication is.
//
// It is asked of the lookout, an object of the same class that keeps nothing and has no alarm. So a D1
// that does not answer holds up a call with a time limit, and not the alarm that sends pages.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "z0/base/fields.hpp"

namespace z0 {

inline constexpr std::string_view lookout_object = "alerts_lookout";

// What is counted of a tenant.
enum class LookKind : std::uint8_t {
  invocation,
  charge,
  correction,     // of charges
  failed_charge,  // that were tried and are not recorded
  suspension,     // its account is retiring, or retired
  count_,
};

// Facts whose timestamp lies in [from_ms, until_ms); and of silent tenants the newest one before until_ms,
// which may have come late.
struct LookRequest {
  struct Doubt {
    std::string_view tenant_id;
    LookKind kind = LookKind::invocation;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.tenant_id);
      f.code(self.kind);
    }
  };
  // An account whose budgets are asked for, of its ledger.
  struct Account {
    std::string_view tenant_id;
    std::string_view entity_id;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.tenant_id);
      f.text(self.entity_id);
    }
  };
  std::int64_t from_ms = 0;
  std::int64_t until_ms = 0;
  std::vector<Doubt> doubts;
  std::vector<Account> accounts;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.from_ms);
    f.number(self.until_ms);
    f.list(self.doubts);
    f.list(self.accounts);
  }
};

struct LookReply {
  struct Hour {
    std::string_view tenant_id;
    LookKind kind = LookKind::invocation;
    std::string_view currency;
    std::int64_t hour = 0;  // since 1970
    std::int64_t facts = 0;
    std::int64_t minutes = 0;  // bit i: something came in minute i
    std::int64_t amount = 0;   // a sum, in minor units
    std::int64_t newest_ms = 0;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.tenant_id);
      f.code(self.kind);
      f.text(self.currency);
      for (auto* n : {&self.hour, &self.facts, &self.minutes}) f.number(*n);
      f.signed_number(self.amount);
      f.number(self.newest_ms);
    }
  };
  struct Newest {
    std::string_view tenant_id;
    LookKind kind = LookKind::invocation;
    std::int64_t at_ms = 0;  // 0: there is none

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.tenant_id);
      f.code(self.kind);
      f.number(self.at_ms);
    }
  };
  // An account that was charged under a budget.
  using Charged = LookRequest::Account;
  // How far a budget of an account is used, as its ledger says.
  struct Budget {
    std::string_view tenant_id;
    std::string_view entity_id;
    std::string_view config_id;
    std::string_view currency;
    std::int64_t limit = 0;
    std::int64_t period = 0;  // a Period
    std::int64_t used = 0;    // in that period
    std::int64_t at_ms = 0;
    bool enforced = false;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      for (auto* text : {&self.tenant_id, &self.entity_id, &self.config_id, &self.currency})
        f.text(*text);
      f.number(self.limit);
      f.number(self.period);
      f.signed_number(self.used);
      f.number(self.at_ms);
      f.flag(self.enforced);
    }
  };
  std::vector<Hour> hours;
  std::vector<Newest> newest;
  std::vector<Charged> charged;
  std::vector<Budget> budgets;
  std::int64_t lag_ms = 0;  // of replication

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.hours);
    f.list(self.newest);
    f.list(self.charged);
    f.list(self.budgets);
    f.number(self.lag_ms);
  }
};

// What the root of the monitor answers.
struct ReplicationReply {
  std::int64_t since_ms = 0;  // when it heard its first report; 0: none yet
  std::int64_t lag_ms = 0;
  std::int64_t depth = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    for (auto* n : {&self.since_ms, &self.lag_ms, &self.depth}) f.number(*n);
  }
};

}  // namespace z0
