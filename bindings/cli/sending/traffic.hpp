// Makes up a lively day of a call marketplace: the facts that are due, when they are due.
//
// Pure: time and seed come from the caller, and the same ones give the same lines. Tenants own
// phone numbers (assets); a call is an invocation with its cost, mostly an outcome, and where a
// buyer took it a charge and the publisher's payout. Buyers pay in when their money runs low. Now
// and then a line is sent twice, or again with another amount, or is wrong, so that every answer
// can be seen.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <random>
#include <string>
#include <vector>

namespace z0::cli {

class Traffic {
 public:
  // `seed` also goes into the ids: distinct seeds make distinct ids. The first line is due at
  // start_ms.
  Traffic(std::uint64_t seed, std::int64_t start_ms, double facts_per_second);

  // Lines of NDJSON (facts with their tenant_id) that are due up to now_ms, in order of time.
  std::vector<std::string> until(std::int64_t now_ms);

 private:
  struct Buyer {
    std::string id;
    std::int64_t balance_cents = 0;
  };
  struct Tenant {
    std::string id;
    std::string account;
    std::vector<Buyer> buyers;
    std::vector<std::string> publishers;
    std::vector<std::string> assets;
    std::string tool;
    std::int64_t price_cents = 0;
  };
  // One call, from the invocation on.
  struct Call {
    Tenant* tenant;
    std::string asset;
    std::string trace_id;
    std::string invocation_id;
    std::int64_t seconds;
  };

  void open(std::int64_t at_ms);
  void call(std::int64_t at_ms);
  void outcome(std::int64_t at_ms, const Call& of);
  void sale(std::int64_t at_ms, const Call& of, const std::string& outcome_id);
  void deposit(std::int64_t at_ms, const Tenant& tenant, Buyer& buyer);
  void mistake(std::int64_t at_ms, const Tenant& tenant);

  void emit(std::int64_t at_ms, const nlohmann::ordered_json& fact);
  std::string fact_id();
  std::string hex(std::size_t digits);
  double chance();  // in [0, 1)
  std::int64_t between(std::int64_t least, std::int64_t most);
  template <class T>
  T& one_of(std::vector<T>& list, double lean);
  std::int64_t pause_ms(std::int64_t at_ms);

  std::mt19937_64 random_;
  std::string run_;
  std::int64_t start_ms_;
  double calls_per_second_;
  std::int64_t next_call_ms_;
  std::uint64_t facts_ = 0;
  std::vector<Tenant> tenants_;
  std::multimap<std::int64_t, std::string> due_;
};

}  // namespace z0::cli
