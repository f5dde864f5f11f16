// Rules about business over recorded history: the same BusinessWatch that looks at D1 once a minute, with
// the facts of a history in D1's place.
//
// A fact is known from its `timestamp` on, so a look finds what it would have found had nothing been
// late. What a watch learns first, the four weeks before, it learns hour by hour, as if it had been
// there: so a history should begin that long before what is judged. Budgets are those whose versions stand
// in the ledgers of the accounts, and what counts against them are the charges of the history: of a budget
// without a period those before it are not known.
//
// In parts: history, backtest and play can be put away as bytes after any tick, and go on with them as in
// one go. Of the history what the watch still asks for is kept, some 75 minutes, but no budgets: who has
// their versions has all facts at hand.
//
// Not for what happens now, and not for rules about metrics: HistoryPlay plays those, and both tell of
// their alerts in one Backtest. A history holds the facts of a kind, tenant and minute together, in 40
// bytes, and the charges of an account and minute once more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "z0/alerting/business.hpp"
#include "z0/alerts/backtest.hpp"
#include "z0/alerts/backtest_history.hpp"
#include "z0/base/bytes.hpp"
#include "z0/calls/look.hpp"
#include "z0/folds/config.hpp"

namespace z0 {

class BusinessHistory {
 public:
  BusinessHistory() { first_minutes_.fill(INT64_MAX); }
  // In any order. What rules about business do not see is passed over.
  void add(const HistoryFact& fact);
  bool empty() const { return first_ms() == 0; }
  // Of the minute in which something came first, and when the last came; 0 where nothing did.
  std::int64_t first_ms() const;
  std::int64_t last_ms() const;

  // What came from then on, and when something came first, to go on with it later; and the number of such
  // cells.
  std::size_t encode(std::int64_t since_ms, ByteWriter& out);
  // Adds it. False for bytes that encode did not write.
  [[nodiscard]] bool decode(ByteReader& in);

 private:
  friend class BusinessPlay;
  struct Series {
    std::string tenant_id;
    LookKind kind = LookKind::invocation;
    std::string currency;
    std::size_t last = SIZE_MAX;  // its newest cell
  };
  struct Cell {
    std::int64_t minute = 0;  // since 1970
    std::int64_t newest_ms = 0;
    std::int64_t amount = 0;
    std::int64_t facts = 0;
    std::uint32_t series = 0;
  };
  // What an account was charged, of which a budget may be used.
  struct Account {
    std::string tenant_id;
    std::string entity_id;
    std::string currency;
  };
  struct Spent {
    std::int64_t minute = 0;
    std::int64_t amount = 0;
    std::uint32_t account = 0;
  };
  // A version of a budget, as the ledger of an account has it.
  struct Version {
    std::int64_t at_ms = 0;
    std::string tenant_id;
    std::string entity_id;
    std::string config_id;
    std::int64_t number = 0;
    std::string settings;
  };
  static std::string key_of(std::string_view tenant_id, std::string_view entity_id,
                            std::string_view currency = {});
  std::uint32_t number_of(std::string_view tenant_id, LookKind kind, std::string_view currency);
  void count(LookKind kind, const HistoryFact& fact);
  void spend(const HistoryFact& fact);
  void put_in_order();
  void put_versions_in_order();

  std::map<std::string, std::uint32_t, std::less<>> numbers_;  // by tenant, kind and currency
  std::vector<Series> series_;
  std::vector<Cell> cells_;
  std::array<std::int64_t, static_cast<std::size_t>(LookKind::count_)> first_minutes_;
  std::map<std::string, std::uint32_t, std::less<>> account_numbers_;  // by the three of an Account
  std::vector<Account> accounts_;
  std::vector<Spent> spent_;
  std::vector<Version> versions_;
  std::set<std::string> attempts_;  // of charges that failed: tries of one are one
  bool in_order_ = true;
};

// Judges the rules about business of a backtest. Borrows both for its lifetime, and puts the history into
// order.
class BusinessPlay {
 public:
  // from_ms to to_ms: what is judged. What can be judged of it, and since when, is set in the backtest.
  BusinessPlay(BusinessHistory& history, Backtest& backtest, std::int64_t from_ms,
               std::int64_t to_ms);
  // Tenants that there is room for.
  void limit_tenants(std::size_t most) { watch_.limit_tenants(most); }
  // Of a history that goes no further: learns what the first tick would learn, as far as that.
  void learn(std::int64_t until_ms);
  // After a tick of the backtest: looks, once a minute at most, and tells it of what fires.
  void tick(std::int64_t now_ms);

  // Tenants that are followed; and how often there was no room for one.
  std::size_t tenants() const { return watch_.tenants(); }
  std::int64_t left_out() const { return watch_.left_out(); }
  // What of the history is needed to go on.
  std::int64_t needs_from_ms() const;
  void encode(ByteWriter& out) const;
  // Before anything else. False for bytes that encode did not write.
  [[nodiscard]] bool decode(ByteReader& in);

 private:
  struct Used {
    std::int64_t index[static_cast<std::size_t>(Period::count_)] = {};
    std::int64_t spent[static_cast<std::size_t>(Period::count_)] = {};
  };
  JudgedSince since(Business business, std::int64_t from_ms, std::int64_t to_ms) const;
  std::int64_t first_ms(LookKind kind) const;
  LookRequest begin_look(std::int64_t now_ms);
  LookReply answer(const LookRequest& asked, std::int64_t now_ms);
  void add_hours(const LookRequest& asked, LookReply& reply);
  void add_budgets(const LookRequest& asked, std::int64_t now_ms, LookReply& reply);
  void spend_until(std::int64_t until_ms, LookReply& reply);
  void tell(std::int64_t now_ms);

  BusinessHistory& history_;
  Backtest& backtest_;
  std::vector<std::uint32_t> rules_;  // of the backtest, those about business
  RuleBook book_;
  BusinessWatch watch_;
  std::int64_t first_tick_ms_;
  std::int64_t looked_ms_ = 0;
  // By series: where the hour that was told of last stands in the reply to a look.
  struct Place {
    std::int64_t look = 0;
    std::size_t at = 0;
  };
  std::vector<Place> places_;
  std::int64_t looks_ = 0;
  // Budgets, by tenant and account.
  std::map<std::string, ConfigState, std::less<>> budgets_;
  std::vector<Used> used_;  // by account and currency
  std::size_t next_spent_ = 0;
  std::size_t next_version_ = 0;
};

}  // namespace z0
