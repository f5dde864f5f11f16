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
//   trace_shards                over how many objects traces are spread; default 1, at most 64
//   traces                      {"one_in": 10, "slow_ms": 1000, "unnamed": "call-router"}: of traces
//                               without error, money or a root that takes so long, one in so many is kept;
//                               and the name of a Worker whose events bring none, as on one's own machine
//   redact                      {"attributes": ["*email*", ...], "texts": ["email", "number"]}: of spans,
//                               before anything is stored: attributes of these names, * stands for
//                               anything, and in all texts what looks like an address or a long number;
//                               default: names that speak of secrets and persons, and both kinds
//   public_url                  where people reach this z0, "https://z0.example": links in notifications
//                               lead there; default none, and then there are none
//   links                       {"facts": "https://...", "trace": ..., "dashboard": ..., "runbook": ...}:
//                               templates of links (notify/notification.hpp) in place of those of public_url
//   deadman                     {"url": "https://...", "interval_s": 60}: an address that hears so often
//                               that alerts are judged. It says so to people when it hears nothing
//   otlp                        {"traces_url": "https://...", "metrics_url": "https://...",
//                               "metrics_interval_s": 60, "headers": {"name": "value"}}: where the traces
//                               that are kept are sent to as well, and what was counted, of all tenants, as
//                               OTLP in JSON. Headers may be secret: then Z0_SETTINGS is a secret, and no
//                               variable
//
// Unknown members, and members of the wrong type, are ignored: they must not stop a deployment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
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
std::size_t settings_trace_shards(std::string_view settings);
struct TraceSampling {
  std::int64_t one_in = 10;
  std::int64_t slow_ms = 1'000;
};
TraceSampling settings_trace_sampling(std::string_view settings);
std::string settings_unnamed(std::string_view settings);
struct Redaction {
  std::vector<std::string> attributes;  // patterns of names, in small letters
  bool emails = true;
  bool numbers = true;
};
struct OtlpTarget {
  std::string traces_url;  // empty: there is none
  std::string metrics_url;
  std::int64_t metrics_interval_ms = 0;
  std::vector<std::pair<std::string, std::string>> headers;
};
OtlpTarget settings_otlp(std::string_view settings);
// Templates of links; empty: there is no such link.
struct LinkSettings {
  std::string dashboard;
  std::string facts;
  std::string trace;
  std::string runbook;
  friend bool operator==(const LinkSettings&, const LinkSettings&) = default;
};
LinkSettings settings_links(std::string_view settings);
struct DeadManSettings {
  std::string url;  // empty: there is none
  std::int64_t interval_ms = 0;
};
DeadManSettings settings_deadman(std::string_view settings);
Redaction settings_redaction(std::string_view settings);
std::int64_t settings_reconciliation_alert_cents(std::string_view settings);
std::int64_t settings_monitor_shards(std::string_view settings);

}  // namespace z0
