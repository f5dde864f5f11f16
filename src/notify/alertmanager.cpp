// Alertmanager, POST /api/v2/alerts (api/v2/openapi.yaml of prometheus/alertmanager).
#include <algorithm>

#include "notify/parts.hpp"
#include "z0/alerts/prometheus.hpp"
#include "z0/base/time.hpp"

namespace z0 {
namespace {

constexpr std::string_view alerts_path = "/api/v2/alerts";

// What every alert has. A series' label of such a name gives way, as to the labels of a rule in
// Prometheus.
constexpr std::string_view own_labels[] = {"alertname", "tenant_id", "severity",
                                           "level",     "audience",  "owner"};

// What tells the alert from all others, and nothing that changes while it fires: another label is
// another alert. So they are not cut, either.
void write_labels(JsonWriter& json, const NotifiedAlert& alert) {
  json.object("labels").text("alertname", alert.rule);
  for (const auto& [name, value] : alert.labels) {
    const bool own =
        std::find(std::begin(own_labels), std::end(own_labels), name) != std::end(own_labels);
    // An empty label is none, there as here. Another name has the whole request refused.
    if (!own && !value.empty() && is_label_name(name)) json.any_key(name).text(value);
  }
  json.text_if_any("tenant_id", alert.tenant_id);
  json.plain("severity", severity_name(alert.severity)).plain("level", std::to_string(alert.level));
  json.text_if_any("audience", audience_text(alert.audience));
  json.text_if_any("owner", alert.owner).end();
}

void write_annotations(JsonWriter& json, const Notification& notification,
                       const NotifiedAlert& alert) {
  json.object("annotations");
  json.text("summary", fit_text(alert.summary)).text_if_any("value", fit_text(alert.value));
  json.text_if_any("threshold", fit_text(alert.threshold));
  if (alert.money) {
    json.text("money", fit_text(money_words(*alert.money)));
    json.text_if_any("money_reckoning", fit_text(alert.money->reckoning));
  }
  json.text_if_any("runbook", fit_text(alert.runbook));
  json.text_if_any("trace_id", fit_text(alert.trace_id));
  json.text_if_any("runbook_url", link_of(notification, alert, Link::runbook));
  json.text_if_any("facts_url", link_of(notification, alert, Link::facts));
  json.text_if_any("trace_url", link_of(notification, alert, Link::trace));
  json.end();
}

// It goes into a header as it is.
bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

bool render_alertmanager(const RenderInput& in, ReceiverRequest& out, std::string& why) {
  if (!is_header_value(in.secret)) {
    why = "the secret holds what no header may hold";
    return false;
  }
  if (!in.secret.empty()) out.headers.emplace_back("authorization", in.secret);
  while (out.url.ends_with('/')) out.url.pop_back();
  out.url += alerts_path;
  JsonWriter json(out.body);
  json.array();
  for (const NotifiedAlert& alert : in.notification.alerts) {
    json.object();
    write_labels(json, alert);
    write_annotations(json, in.notification, alert);
    json.plain("startsAt", rfc3339_text(alert.started_ms));
    // An alert that ends before it began is refused.
    const std::int64_t ended_ms = ended_at(in.notification, alert);
    const std::int64_t ends_ms = ended_ms != 0 ? ended_ms : alert.expires_ms;
    if (ends_ms != 0) json.plain("endsAt", rfc3339_text(std::max(ends_ms, alert.started_ms)));
    json.text_if_any("generatorURL", link_of(in.notification, alert, Link::dashboard));
    json.end();
  }
  json.end();
  return true;
}

}  // namespace z0
