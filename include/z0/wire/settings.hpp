// The settings of a deployment: the Worker's variable Z0_SETTINGS, a JSON object. Every frame
// carries them, so that a step depends on its frame alone.
//
//   origin                      names this deployment's logs in checkpoints; default "z0.local"
//   cors_origins                ["https://app.example.com", ...]: pages of these origins may call
//                               this z0 from a browser; each as a browser sends it, without a slash
//                               at its end; default none
//   databases                   {"BINDING": ["tenant", ...]}: tenants whose reporting copy lies in
//                               another D1 database than DB
//   reconciliation_alert_cents  a cached amount that is wrong by more than this raises an alert;
//                               default 10000
//   monitor_shards              over how many objects the tenants' metrics are spread; default 1, at
//                               most limits::monitor_shards_max. Another number begins the metrics
//                               of the tenants that move anew
//
// Unknown members, and members of the wrong type, are ignored: they must not stop a deployment.
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
// Whether a page's origin is one of `cors_origins`.
bool settings_names_origin(std::string_view settings, std::string_view origin);
std::int64_t settings_reconciliation_alert_cents(std::string_view settings);
std::int64_t settings_monitor_shards(std::string_view settings);

}  // namespace z0
