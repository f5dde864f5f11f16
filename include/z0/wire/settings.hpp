// What an operator sets for a deployment: the Worker's variable Z0_SETTINGS, a JSON object. It
// comes with every frame, so a step depends on nothing that its frame does not hold.
//
//   origin                      names this deployment's logs in checkpoints; default "z0.local"
//   databases                   {"BINDING": ["tenant", ...]}: tenants whose reporting copy lies in
//                               another D1 database than DB
//   reconciliation_alert_cents  a cached amount that is wrong by more raises an alert; default
//   10000
//
// Unknown members and values of another type are as good as absent: a deployment must not stop over
// them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace z0 {

inline constexpr std::string_view default_database = "DB";

std::string_view settings_origin(std::string_view settings);
// The one function from a tenant to its database.
std::string_view settings_database(std::string_view settings, std::string_view tenant_id);
// Every database, `default_database` first.
std::vector<std::string_view> settings_databases(std::string_view settings);
std::int64_t settings_reconciliation_alert_cents(std::string_view settings);

}  // namespace z0
