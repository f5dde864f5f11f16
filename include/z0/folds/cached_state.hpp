// Cached state: named left folds over a ledger's facts, and the one place that says which fact
// types feed which.
//
//   BudgetState       deposit, credit_issued, charge, and what corrects one   money by currency
//   CapState          invocation                                     counts by window
//   AccessState       access_granted, access_modified, access_revoked
//   ContactCanonical  contact_merged
//
// A correction moves the sum that the corrected fact moved, and of a charge the periods that it was
// spent in. Before corrections said what they correct they all moved what was spent, and still do.
//
// Each is disposable: the ledger's facts are the truth, and folding them again gives the same
// bytes. Windows and periods are by commit time in UTC, so that a fold needs no clock. Encodings
// are canonical: equal states have equal bytes.
//
// What a fact must have to be folded is asked here too, so that damaged rows cannot break a state:
// money without an amount or without three capital letters of currency, and a user without a valid
// id, move nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/base/bytes.hpp"
#include "z0/facts/fact.hpp"

namespace z0 {

enum class CacheType : std::uint8_t { budget = 0, cap = 1, access = 2, contact = 3, count_ = 4 };
inline constexpr std::size_t cache_types = static_cast<std::size_t>(CacheType::count_);

// "BudgetState", "CapState", "AccessState", "ContactCanonical".
std::string_view cache_name(CacheType type);
bool cache_of(std::string_view name, CacheType& out);
// Whether facts of this type may change this state, and whether this one does.
bool feeds(FactType fact, CacheType cache);
bool feeds(const Fact& fact, CacheType cache);

// Periods that a budget or a cap may have. Weeks begin on Monday, as ISO 8601 has them.
enum class Period : std::uint8_t { total = 0, day = 1, week = 2, month = 3, count_ = 4 };
// "total", "day", "week", "month".
std::string_view period_name(Period period);
bool period_of(std::string_view name, Period& out);
// The number of the period that a time falls into: days since 1970, weeks since Monday 1969-12-29,
// months since January 1970; 0 for total. Before them negative.
std::int64_t period_index(Period period, std::int64_t at_ms);

// Why a fact cannot be folded in. A ledger asks before it appends, so that a fold of its facts
// never fails unless its rows were damaged.
enum class FoldError : std::uint8_t {
  none,
  overflow,  // a sum would leave +-limits::amount_max
  full,      // more currencies or users than limits say
};

class CachedState {
 public:
  struct Money {
    std::string currency;  // 3 capital letters
    std::int64_t deposited = 0, credits = 0, spent = 0;
    // Spent in the period that holds the last charge of this currency, by Period; [total] is
    // unused.
    std::int64_t period[4] = {}, period_spent[4] = {};
    std::int64_t remaining() const { return deposited + credits - spent; }
    friend bool operator==(const Money&, const Money&) = default;
  };
  struct Access {
    std::string user_id;
    std::string role;            // data.role of the fact below, may be empty
    std::int64_t since_seq = 0;  // the last fact that granted or modified
    friend bool operator==(const Access&, const Access&) = default;
  };

  // Would apply() succeed? Changes nothing.
  FoldError check(const Fact& fact) const { return fold(fact, nullptr); }
  // Folds the ledger's next fact in; its seq (at least 1, ascending), id and recorded_at are those
  // of the ledger. On an error nothing changes.
  FoldError apply(const Fact& fact) { return fold(fact, this); }

  // What of one currency was spent in the period that holds `at_ms`, which is not before the last
  // fact: only the latest periods are kept.
  std::int64_t spent(std::string_view currency, Period period, std::int64_t at_ms) const;
  const Money* money(std::string_view currency) const;  // null when the currency never occurred

  // Canonical bytes of one cache, with last_seq and last_fact_id: the last fact that fed it.
  std::string encode(CacheType type) const;
  // False, and that cache is left empty, for bytes that encode() did not make.
  [[nodiscard]] bool decode(CacheType type, std::string_view bytes);
  // Whether two states agree in one cache.
  bool same(CacheType type, const CachedState& other) const;
  void clear(CacheType type);
  std::int64_t last_seq(CacheType type) const { return last(type).seq; }
  std::string_view last_fact_id(CacheType type) const { return last(type).fact_id; }

  // One cache as the members of a JSON object, as of a time:
  //   BudgetState       {"currency":"USD","deposited","credits","spent","remaining","day_spent",
  //                      "week_spent","month_spent", "currencies":[the others, alike], last_seq,
  //                      ..}
  //   CapState          {"total","hour","day","month"}: invocations in the windows that hold at_ms
  //   AccessState       {"users":[{"user_id","role","since_seq"}]} in order of user_id
  //   ContactCanonical  {"contact_id"|null}
  // each with "last_seq" (0 before the first) and "last_fact_id" (null before the first). The first
  // currency is USD, or where it never occurred the first that did; without any, USD and zeros.
  // Into an object that is open.
  void write_members(JsonWriter& json, CacheType type, std::int64_t at_ms) const;
  // {"field": calculated - cached, ...} for each numeric field of these that differs. Of
  // BudgetState the fields outside belong to the first currency of the calculated state,
  // "currencies":[{"currency",...}] holds the others that differ; of AccessState "users" is the
  // difference of their number. States that differ in anything else alone leave it empty.
  void write_delta(JsonWriter& json, CacheType type, const CachedState& cached,
                   std::int64_t at_ms) const;
  // The greatest absolute difference of money, for BudgetState; 0 for the others. Periods are
  // compared as of the later one.
  std::int64_t money_delta(const CachedState& cached) const;

 private:
  struct Cap {
    std::int64_t total = 0;
    std::int64_t window[3] = {}, count[3] = {};  // hour, day, month since 1970
  };
  struct Last {
    std::int64_t seq = 0;
    std::string fact_id;
  };

  // Both check and apply: `into` is this state or null.
  FoldError fold(const Fact& fact, CachedState* into) const;
  FoldError fold_money(const Fact& fact, CachedState* into) const;
  FoldError fold_invocation(const Fact& fact, CachedState* into) const;
  FoldError fold_access(const Fact& fact, CachedState* into) const;
  static void fold_contact(const Fact& fact, CachedState& into);
  void touch(CacheType type, const Fact& fact);

  [[nodiscard]] bool decode_money(ByteReader& in);
  [[nodiscard]] bool decode_cap(ByteReader& in);
  [[nodiscard]] bool decode_access(ByteReader& in);

  Money first_money() const;
  // Total, hour, day, month: four numbers.
  void cap_figures(std::int64_t at_ms, std::int64_t* out) const;
  const Last& last(CacheType type) const { return last_[static_cast<std::size_t>(type)]; }

  std::vector<Money> money_;  // in order of currency
  Cap cap_;
  std::vector<Access> access_;  // in order of user_id
  std::string canonical_;       // the contact that this one was merged into; empty: none
  std::array<Last, cache_types> last_;
};

}  // namespace z0
