// Inside configs: what `data` of a config_updated says.
#pragma once

#include <string>
#include <string_view>

#include "z0/base/ids.hpp"
#include "z0/base/status.hpp"
#include "z0/folds/config.hpp"
#include "z0/json/json.hpp"

namespace z0 {

inline constexpr std::string_view config_subtype = "config_updated";
// What a config may say of money.
inline constexpr std::string_view budget_type = "budget";
inline constexpr std::string_view alert_rules_type = "alert_rules";
inline constexpr std::string_view alert_channels_type = "alert_channels";

inline bool is_config_update(const Fact& fact) {
  return fact.type == FactType::lifecycle && fact.subtype == config_subtype &&
         fact.has(field_config);
}

// Tells one version's data from another's; the same everywhere, for ever.
inline std::uint64_t config_content_hash(std::string_view data) { return id_hash(data, 0); }

// Borrows the text that it was read from.
struct ConfigData {
  std::string_view type;
  std::string_view category;
  ConfigScope scope = ConfigScope::entity;
  std::string_view applies_to;  // empty but for the scope entity
  std::string_view settings;    // a JSON object, minified
};

// {"type","category","scope","applies_to","settings"} minified, as append_config_data writes it.
// False for anything else.
[[nodiscard]] bool read_config_data(std::string_view data, ConfigData& out);
void append_config_data(std::string& out, const ConfigData& data);

// A budget's settings, minified. Not `recorded`: what is wrong, and `field` names the member.
Status read_budget(std::string_view settings, Budget& out, std::string& field);

}  // namespace z0
