// Configs: versioned settings, each version a fact.
//
// A config has a ledger of its own, `cfg_...`, whose facts are its versions: lifecycle, subtype
// config_updated, config_id, config_version, and in data {"type", "category", "scope",
// "applies_to", "settings"}. It is in effect from its commit time on, and superseded by the next
// one. The same fact is recorded in every ledger that it concerns, so that a ledger's own facts say
// under which config it decided, at any seq.
//
// ConfigState is the fold of those facts in one ledger. Several budgets may hold at once, one of
// each scope: all of them bind, so a narrower one can tighten a limit and never relax it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0/facts/fact.hpp"
#include "z0/folds/cached_state.hpp"

namespace z0 {

enum class ConfigScope : std::uint8_t { platform = 0, tenant = 1, entity = 2, count_ = 3 };
std::string_view scope_name(ConfigScope scope);
bool scope_of(std::string_view name, ConfigScope& out);

// What a config of type `budget` says.
struct Budget {
  std::int64_t limit = 0;  // minor units
  std::string currency;    // 3 letters
  Period period = Period::total;
  bool enforce = false;  // refuse what would exceed it
  friend bool operator==(const Budget&, const Budget&) = default;
};

// The newest version of a config that a ledger knows.
struct KnownConfig {
  std::string config_id;
  std::int64_t first_version = 0;  // the first that this ledger heard of
  std::int64_t version = 0;
  std::string type;
  ConfigScope scope = ConfigScope::entity;
  std::string applies_to;          // the entity, when that is its scope
  std::int64_t effective_at = 0;   // its commit time in this ledger
  std::uint64_t content_hash = 0;  // of data's text: the same again is no new version
  bool is_budget = false;          // type is "budget", and its settings can be read
  Budget budget;
  friend bool operator==(const KnownConfig&, const KnownConfig&) = default;
};

class ConfigState {
 public:
  // Folds the ledger's next fact in: its own version when it is a config_updated, else whether it
  // names a version that the ledger does not know. FoldError::full beyond
  // limits::configs_per_ledger_max; then nothing changes.
  FoldError check(const Fact& fact) const;
  FoldError apply(const Fact& fact);

  const std::vector<KnownConfig>& known() const { return known_; }  // in order of config_id
  const KnownConfig* find(std::string_view config_id) const;
  // Versions that a config's own ledger does not have, and facts that named a version that the ledger
  // did not know.
  std::int64_t gaps() const { return gaps_; }

  // The narrowest budget of a currency, for stamping; null when there is none.
  const KnownConfig* budget_of(std::string_view currency) const;
  // The enforced budget that a charge of this amount at this time would exceed; null when none.
  const KnownConfig* exceeded_by(const CachedState& state, std::string_view currency,
                                 std::int64_t amount, std::int64_t at_ms) const {
    return exceeded_by(state, currency, amount, at_ms, at_ms);
  }
  // The same of a correction now of a charge of another time.
  const KnownConfig* exceeded_by(const CachedState& state, std::string_view currency,
                                 std::int64_t amount, std::int64_t at_ms, std::int64_t of_ms) const;

  // Canonical bytes; decode is false for bytes that encode() did not make.
  std::string encode() const;
  [[nodiscard]] bool decode(std::string_view bytes);
  void clear();
  std::int64_t last_seq() const { return last_seq_; }

  // ,"budgets":[{"config_id","config_version","scope","currency","limit","used","remaining","period",
  // "enforce"}, narrowest first] for BudgetState's JSON.
  void write_budgets(JsonWriter& json, const CachedState& state, std::int64_t at_ms) const;

  friend bool operator==(const ConfigState&, const ConfigState&) = default;

 private:
  std::vector<KnownConfig> known_;
  std::int64_t gaps_ = 0;
  std::int64_t last_seq_ = 0;
};

}  // namespace z0
