// The rules that ship. Thresholds, boundaries and audiences are the platform's own table: warning for
// the day, critical for a page. `for` is 0 where a minimum of events or chance already guards against
// a single failure, so that a page goes out within seconds.
#include "z0/alerts/rule.hpp"

namespace z0 {
namespace {

constexpr std::string_view shipped = R"({"rules": [
{"name": "FactWriteFailuresWarning", "signal": {"ratio": {
   "of": {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}},
   "to": ["z0_facts_written_total",
          {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}}]}},
 "above": 0.001, "window": "10m", "for": "2m", "keep_firing_for": "5m", "min_events": 1000,
 "severity": "warning", "runbook": "fact_write_failures", "owner": "platform",
 "summary": "More than 0.1 % of facts are not recorded."},
{"name": "FactWriteFailures", "signal": {"ratio": {
   "of": {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}},
   "to": ["z0_facts_written_total",
          {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}}]}},
 "above": 0.01, "window": "5m", "keep_firing_for": "5m", "min_events": 100,
 "severity": "critical", "runbook": "fact_write_failures", "owner": "platform",
 "summary": "More than 1 % of facts are not recorded: money is not."},
{"name": "TenantWriteFailures", "signal": {"ratio": {
   "of": {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}},
   "to": ["z0_facts_written_total",
          {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}}]}},
 "above": 0.01, "window": "15m", "keep_firing_for": "5m", "min_events": 100, "by": ["tenant_id"],
 "severity": "critical", "runbook": "fact_write_failures", "owner": "platform",
 "summary": "More than 1 % of a tenant's facts are not recorded."},
{"name": "FactWriteBudgetBurnsFast", "signal": {"burn": {
   "of": {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}},
   "to": ["z0_facts_written_total",
          {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}}],
   "objective": 0.999, "long_window": "1h"}},
 "above": 14.4, "window": "5m", "min_events": 100,
 "severity": "critical", "runbook": "fact_write_budget", "owner": "platform",
 "summary": "At this pace two days use up a month's allowance of failed writes."},
{"name": "FactWriteBudgetBurns", "signal": {"burn": {
   "of": {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}},
   "to": ["z0_facts_written_total",
          {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}}],
   "objective": 0.999, "long_window": "6h"}},
 "above": 6, "window": "30m", "min_events": 1000,
 "severity": "warning", "runbook": "fact_write_budget", "owner": "platform",
 "summary": "At this pace five days use up a month's allowance of failed writes."},
{"name": "ReconciliationMismatchesWarning", "signal": {"ratio": {
   "of": "z0_reconciliation_mismatches_total", "to": "z0_reconciliation_comparisons_total"}},
 "above": 0.001, "window": "1h", "min_events": 1000,
 "severity": "warning", "runbook": "reconciliation_mismatches", "owner": "ledger",
 "summary": "More than 0.1 % of cached values are not those of their facts."},
{"name": "ReconciliationMismatches", "signal": {"ratio": {
   "of": "z0_reconciliation_mismatches_total", "to": "z0_reconciliation_comparisons_total"}},
 "above": 0.01, "window": "1h", "min_events": 100,
 "severity": "critical", "runbook": "reconciliation_mismatches", "owner": "ledger",
 "summary": "More than 1 % of cached values are not those of their facts."},
{"name": "ReconciliationSlowWarning", "signal": {"quantile": {
   "of": "z0_reconciliation_duration_ms", "q": 1}},
 "above": 60000, "window": "15m",
 "severity": "warning", "runbook": "reconciliation_slow", "owner": "ledger",
 "summary": "A reconciliation took longer than a minute."},
{"name": "ReconciliationSlow", "signal": {"quantile": {
   "of": "z0_reconciliation_duration_ms", "q": 1}},
 "above": 300000, "window": "15m",
 "severity": "critical", "runbook": "reconciliation_slow", "owner": "ledger",
 "summary": "A reconciliation took longer than five minutes."},
{"name": "ReconciliationFailuresWarning", "signal": {"sum": "z0_reconciliation_failures_total"},
 "above": 0, "window": "1h",
 "severity": "warning", "runbook": "reconciliation_failures", "owner": "ledger",
 "summary": "A reconciliation could not read its rows."},
{"name": "ReconciliationFailures", "signal": {"sum": "z0_reconciliation_failures_total"},
 "above": 10, "window": "1h",
 "severity": "critical", "runbook": "reconciliation_failures", "owner": "ledger",
 "summary": "More than ten reconciliations in an hour could not read their rows."},
{"name": "ReplicationLagWarning", "signal": {"value": "z0_replication_lag_ms"},
 "above": 10000, "for": "1m", "keep_firing_for": "2m",
 "severity": "warning", "runbook": "replication_lag", "owner": "platform",
 "summary": "Facts take longer than ten seconds to D1."},
{"name": "ReplicationLag", "signal": {"value": "z0_replication_lag_ms"},
 "above": 60000, "keep_firing_for": "2m",
 "severity": "critical", "runbook": "replication_lag", "owner": "platform",
 "summary": "Facts take longer than a minute to D1: reports are old."},
{"name": "ReplicationDepthWarning", "signal": {"value": "z0_replication_queue_depth"},
 "at_least": 10000, "for": "1m", "keep_firing_for": "2m",
 "severity": "warning", "runbook": "replication_depth", "owner": "platform",
 "summary": "Ten thousand facts or more wait for D1."},
{"name": "ReplicationDepth", "signal": {"value": "z0_replication_queue_depth"},
 "above": 100000, "keep_firing_for": "2m",
 "severity": "critical", "runbook": "replication_depth", "owner": "platform",
 "summary": "More than a hundred thousand facts wait for D1."},
{"name": "ReplicationFailuresWarning", "signal": {"ratio": {
   "of": "z0_replication_failures_total",
   "to": ["z0_replication_facts_total", "z0_replication_failures_total"]}},
 "at_least": 0.001, "window": "10m", "for": "2m", "keep_firing_for": "5m", "min_events": 1000,
 "severity": "warning", "runbook": "replication_failures", "owner": "platform",
 "summary": "0.1 % or more of what goes to D1 fails."},
{"name": "ReplicationFailures", "signal": {"ratio": {
   "of": "z0_replication_failures_total",
   "to": ["z0_replication_facts_total", "z0_replication_failures_total"]}},
 "above": 0.01, "window": "5m", "for": "1m", "keep_firing_for": "5m", "min_events": 100,
 "severity": "critical", "runbook": "replication_failures", "owner": "platform",
 "summary": "More than 1 % of what goes to D1 fails."},
{"name": "ExternalToolErrors", "signal": {"ratio": {
   "of": "z0_external_errors_total", "to": "z0_external_calls_total"}},
 "above": 0.05, "window": "5m", "for": "1m", "keep_firing_for": "5m", "min_events": 20,
 "by": ["tool_id"],
 "severity": "critical", "runbook": "external_tool_errors", "owner": "integrations",
 "summary": "More than 5 % of the calls of a tool fail."},
{"name": "CacheMisses", "signal": {"ratio": {
   "of": "z0_cache_misses_total", "to": ["z0_cache_hits_total", "z0_cache_misses_total"]}},
 "above": 0.5, "window": "15m", "for": "5m", "min_events": 100, "by": ["cache_type"],
 "severity": "warning", "runbook": "cache_misses", "owner": "ledger",
 "summary": "More than half of the reads of a cached value fold its facts."},
{"name": "ConfigVersionGaps", "signal": {"sum": "z0_config_version_gaps_total"},
 "above": 0, "window": "15m", "by": ["tenant_id"],
 "severity": "warning", "runbook": "config_version_gaps", "owner": "platform",
 "summary": "A config's version is missing, or a fact names one that its ledger does not know."},
{"name": "EvaluationLate", "signal": {"value": "z0_alerts_evaluation_delay_ms"},
 "above": 30000, "keep_firing_for": "5m",
 "severity": "critical", "runbook": "evaluation_late", "owner": "platform",
 "summary": "Alerts are judged late: what goes wrong now may page nobody."},
{"name": "NotificationsLate", "signal": {"value": "z0_notifications_delay_ms"},
 "above": 300000, "for": "1m",
 "severity": "critical", "runbook": "notifications", "owner": "platform",
 "summary": "A receiver of alerts takes nothing: people are not told."},
{"name": "NotificationsLost", "signal": {"sum": "z0_notifications_lost_total"},
 "above": 0, "window": "1h",
 "severity": "critical", "runbook": "notifications", "owner": "platform",
 "summary": "A receiver of alerts refuses them, or there was no room for them."},
{"name": "FactsUnusual", "signal": {"anomaly": {"of": "z0_facts_written_total"}},
 "above": 0.65, "window": "1h", "by": ["tenant_id", "fact_type"], "level": 2,
 "severity": "warning", "audience": ["on_call", "engineering_lead"],
 "runbook": "unusual", "owner": "platform",
 "summary": "A tenant's facts of a type came far more or less often than is usual at that hour."},
{"name": "FailuresUnusual", "signal": {"anomaly": {
   "of": {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}},
   "to": ["z0_facts_written_total",
          {"metric": "z0_facts_write_failures_total", "not": {"error_code": "budget_exhausted"}}]}},
 "above": 0.65, "window": "1h", "min_events": 100, "by": ["tenant_id"], "level": 2,
 "severity": "warning", "audience": ["on_call", "engineering_lead"],
 "runbook": "unusual", "owner": "platform",
 "summary": "A share of a tenant's facts fails that is far from what is usual."},
{"name": "WriteLatencyUnusual", "signal": {"anomaly": {
   "of": "z0_facts_write_duration_ms", "aspect": "quantile", "q": 0.99}},
 "above": 0.65, "window": "1h", "min_events": 100, "by": ["tenant_id"], "level": 2,
 "severity": "warning", "audience": ["on_call", "engineering_lead"],
 "runbook": "unusual", "owner": "platform",
 "summary": "The slowest hundredth of a tenant's facts takes a time that is far from what is usual."},
{"name": "ReplicationLagUnusual", "signal": {"anomaly": {
   "of": "z0_replication_lag_distribution_ms", "aspect": "quantile", "q": 0.99}},
 "above": 0.65, "window": "1h", "min_events": 100, "by": ["tenant_id"], "level": 2,
 "severity": "warning", "audience": ["on_call", "engineering_lead"],
 "runbook": "unusual", "owner": "platform",
 "summary": "A tenant's facts take a time to D1 that is far from what is usual."}
]})";

}  // namespace

std::string_view default_rules_json() { return shipped; }

}  // namespace z0
