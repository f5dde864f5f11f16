// The fold of configs over one ledger's facts.
#include "z0/folds/config.hpp"

#include <algorithm>

#include "folds/config_data.hpp"
#include "z0/base/limits.hpp"
#include "z0/facts/currency.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t code_version = 1;
constexpr std::uint8_t flag_budget = 1;
constexpr std::uint8_t flag_enforce = 2;

auto place_of(const std::vector<KnownConfig>& known, std::string_view config_id) {
  return std::lower_bound(
      known.begin(), known.end(), config_id,
      [](const KnownConfig& config, std::string_view id) { return config.config_id < id; });
}

void write(ByteWriter& out, const KnownConfig& c) {
  out.short_bytes(c.config_id);
  out.varint(static_cast<std::uint64_t>(c.first_version));
  out.varint(static_cast<std::uint64_t>(c.version));
  out.short_bytes(c.type);
  out.u8(static_cast<std::uint8_t>(c.scope));
  out.short_bytes(c.applies_to);
  out.varint(static_cast<std::uint64_t>(c.effective_at));
  out.u64(c.content_hash);
  out.u8(static_cast<std::uint8_t>((c.is_budget ? flag_budget : 0) |
                                   (c.budget.enforce ? flag_enforce : 0)));
  if (!c.is_budget) return;
  out.varint(static_cast<std::uint64_t>(c.budget.limit));
  out.raw(c.budget.currency);
  out.u8(static_cast<std::uint8_t>(c.budget.period));
}

bool read(ByteReader& in, KnownConfig& c) {
  c.config_id = in.short_bytes();
  c.first_version = static_cast<std::int64_t>(in.varint());
  c.version = static_cast<std::int64_t>(in.varint());
  c.type = in.short_bytes();
  c.scope = static_cast<ConfigScope>(in.u8());
  c.applies_to = in.short_bytes();
  c.effective_at = static_cast<std::int64_t>(in.varint());
  c.content_hash = in.u64();
  const std::uint8_t flags = in.u8();
  c.is_budget = (flags & flag_budget) != 0;
  c.budget.enforce = (flags & flag_enforce) != 0;
  if (c.is_budget) {
    c.budget.limit = static_cast<std::int64_t>(in.varint());
    c.budget.currency = in.raw(3);
    c.budget.period = static_cast<Period>(in.u8());
  }
  return in.ok() && c.first_version >= 1 && c.first_version <= c.version &&
         c.version <= limits::version_max && c.scope < ConfigScope::count_ && c.effective_at >= 0 &&
         c.budget.limit >= 0 && c.budget.limit <= limits::amount_max &&
         c.budget.period < Period::count_ &&
         (!c.is_budget || has_currency_form(c.budget.currency)) &&
         (c.is_budget || !c.budget.enforce);
}

bool binds(const KnownConfig& config, std::string_view currency) {
  return config.is_budget && config.budget.currency == currency;
}

}  // namespace

const KnownConfig* ConfigState::find(std::string_view config_id) const {
  const auto at = place_of(known_, config_id);
  return at != known_.end() && at->config_id == config_id ? &*at : nullptr;
}

FoldError ConfigState::check(const Fact& fact) const {
  const bool fits = known_.size() < limits::configs_per_ledger_max || !is_config_update(fact) ||
                    find(fact.config_id) != nullptr;
  return fits ? FoldError::none : FoldError::full;
}

FoldError ConfigState::apply(const Fact& fact) {
  const FoldError error = check(fact);
  if (error != FoldError::none || !fact.has(field_config)) return error;
  const auto at = known_.begin() + (place_of(known_, fact.config_id) - known_.cbegin());
  const bool is_known = at != known_.end() && at->config_id == fact.config_id;
  if (!is_config_update(fact)) {
    if (is_known && at->first_version <= fact.config_version && fact.config_version <= at->version)
      return error;
    ++gaps_;
    last_seq_ = fact.seq;
    return error;
  }
  // An older version that arrives late changes nothing: a newer one is in effect.
  if (is_known && fact.config_version <= at->version) return error;
  // A config's own ledger has all of its versions. Another one has copies: the directory hands out the
  // newest alone, so they may begin at any version and go past others, of which none is missing.
  if (fact.entity_id == fact.config_id)
    gaps_ += fact.config_version - 1 - (is_known ? at->version : 0);
  last_seq_ = fact.seq;

  KnownConfig config;
  config.config_id = fact.config_id;
  config.first_version = is_known ? at->first_version : fact.config_version;
  config.version = fact.config_version;
  config.effective_at = fact.recorded_at;
  config.content_hash = config_content_hash(fact.data);
  ConfigData data;
  if (read_config_data(fact.data, data)) {
    config.type = data.type;
    config.scope = data.scope;
    config.applies_to = data.applies_to;
    std::string field;
    config.is_budget = data.type == budget_type &&
                       read_budget(data.settings, config.budget, field) == Status::recorded;
    if (!config.is_budget) config.budget = Budget{};
  }
  if (is_known)
    *at = std::move(config);
  else
    known_.insert(at, std::move(config));
  return error;
}

const KnownConfig* ConfigState::budget_of(std::string_view currency) const {
  const KnownConfig* narrowest = nullptr;
  for (const auto& config : known_) {
    if (binds(config, currency) && (narrowest == nullptr || narrowest->scope < config.scope))
      narrowest = &config;
  }
  return narrowest;
}

const KnownConfig* ConfigState::exceeded_by(const CachedState& state, std::string_view currency,
                                            std::int64_t amount, std::int64_t at_ms,
                                            std::int64_t of_ms) const {
  // What costs nothing exceeds nothing, however much was spent before the limit came.
  if (amount <= 0) return nullptr;
  const KnownConfig* narrowest = nullptr;
  for (const auto& config : known_) {
    if (!binds(config, currency) || !config.budget.enforce) continue;
    const Period period = config.budget.period;
    if (period_index(period, of_ms) != period_index(period, at_ms)) continue;
    const std::int64_t used = state.spent(currency, period, at_ms);
    if (used <= config.budget.limit - amount) continue;
    if (narrowest == nullptr || narrowest->scope < config.scope) narrowest = &config;
  }
  return narrowest;
}

std::string ConfigState::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(code_version);
  out.varint(static_cast<std::uint64_t>(last_seq_));
  out.varint(static_cast<std::uint64_t>(gaps_));
  out.varint(known_.size());
  for (const auto& config : known_) write(out, config);
  return bytes;
}

bool ConfigState::decode(std::string_view bytes) {
  clear();
  ByteReader in(bytes);
  const bool current = in.u8() == code_version;
  last_seq_ = static_cast<std::int64_t>(in.varint());
  gaps_ = static_cast<std::int64_t>(in.varint());
  const std::uint64_t count = in.varint();
  bool good = current && count <= limits::configs_per_ledger_max && last_seq_ >= 0 && gaps_ >= 0;
  for (std::uint64_t i = 0; good && i < count; ++i) {
    KnownConfig config;
    good = read(in, config) && (known_.empty() || known_.back().config_id < config.config_id);
    known_.push_back(std::move(config));
  }
  // encode() gives each state one spelling; bytes that spell it differently were not made by it.
  if (good && in.ok() && in.done() && encode() == bytes) return true;
  clear();
  return false;
}

void ConfigState::clear() {
  known_.clear();
  gaps_ = 0;
  last_seq_ = 0;
}

void ConfigState::write_budgets(JsonWriter& json, const CachedState& state,
                                std::int64_t at_ms) const {
  json.array("budgets");
  for (auto scope = static_cast<int>(ConfigScope::entity); scope >= 0; --scope) {
    for (const auto& config : known_) {
      if (!config.is_budget || config.scope != static_cast<ConfigScope>(scope)) continue;
      const Budget& budget = config.budget;
      const std::int64_t used = state.spent(budget.currency, budget.period, at_ms);
      json.object().text("config_id", config.config_id);
      json.integer("config_version", config.version).plain("scope", scope_name(config.scope));
      json.text("currency", budget.currency).integer("limit", budget.limit).integer("used", used);
      json.integer("remaining", budget.limit - used).plain("period", period_name(budget.period));
      json.boolean("enforce", budget.enforce).end();
    }
  }
  json.end();
}

}  // namespace z0
