// What clients submit: facts of every kind, retries, other content under an old id, facts that
// break a rule, another tenant's ledger.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "faults.hpp"
#include "model.hpp"

namespace z0::sim {

class Clients {
 public:
  Clients(Random& random, Model& model, std::size_t ledgers_max);

  Request request(std::int64_t now_ms);
  // One sound fact for a ledger.
  Request one(const std::string& entity_id, std::int64_t now_ms);
  // What a budget may say.
  Json budget();
  // The body of its POST: the same facts in another spelling each time.
  std::string body(const Request& request);

 private:
  Item item(const std::string& entity_id, const std::string& tenant_id, std::int64_t now_ms);
  Item again(const std::string& entity_id, const std::string& tenant_id, unsigned other_percent);
  Json fact(const std::string& entity_id, std::int64_t now_ms);
  void add_correction(Json& fact, const std::string& entity_id);
  void add_money(Json& fact, bool positive);
  Json data();
  void spoil(Item& item);
  std::string spell(const Json& given, const std::string& tenant_id, bool by_operator);
  const LedgerModel& any_ledger_of(const std::string& tenant_id);

  Random& random_;
  Model& model_;
  unsigned again_percent_;
  unsigned nameless_percent_;
  unsigned history_percent_;
  std::size_t items_max_;
  std::size_t text_max_;
  unsigned huge_percent_;
  unsigned lifecycle_percent_;
  std::uint64_t ids_ = 0;
};

}  // namespace z0::sim
