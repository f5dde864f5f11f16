// Inside the edge: what the table of routes leads to. http.hpp says how a handler works.
#pragma once

#include "http/http.hpp"

namespace z0 {

void post_facts(const RouteCall& call);
void resume_post_facts(const RouteResume& resumed);
void resume_post_registered(const RouteResume& resumed);
void resume_post_begun(const RouteResume& resumed);
void query_facts(const RouteCall& call);
void resume_query(const RouteResume& resumed);

void get_ledger_facts(const RouteCall& call);
void resume_facts(const RouteResume& resumed);
void get_ledger_head(const RouteCall& call);
void resume_head(const RouteResume& resumed);
void post_reconcile(const RouteCall& call);
void resume_reconcile(const RouteResume& resumed);
void post_import(const RouteCall& call);
void resume_import(const RouteResume& resumed);
void get_proof(const RouteCall& call);
void get_consistency(const RouteCall& call);
void resume_proof(const RouteResume& resumed);
void get_state(const RouteCall& call);
void resume_state(const RouteResume& resumed);

void get_checkpoint(const RouteCall& call);
void resume_checkpoint(const RouteResume& resumed);
void resume_signature(const RouteResume& resumed);
void get_keys(const RouteCall& call);
void resume_keys(const RouteResume& resumed);

void put_config(const RouteCall& call);
void resume_put_config(const RouteResume& resumed);
void resume_config_zones(const RouteResume& resumed);
void get_config(const RouteCall& call);
void get_config_versions(const RouteCall& call);
void resume_get_config(const RouteResume& resumed);
void get_config_gaps(const RouteCall& call);
void resume_config_gaps(const RouteResume& resumed);

void post_conformance(const RouteCall& call);
void resume_conformance(const RouteResume& resumed);

void get_metrics(const RouteCall& call);
void resume_metrics(const RouteResume& resumed);
void get_metric_query(const RouteCall& call);
void resume_metric_query(const RouteResume& resumed);
void get_traces(const RouteCall& call);
void resume_traces(const RouteResume& resumed);
void get_trace(const RouteCall& call);
void resume_trace(const RouteResume& resumed);
void resume_trace_facts(const RouteResume& resumed);
void post_otlp_traces(const RouteCall& call);
void resume_otlp_traces(const RouteResume& resumed);
void post_otlp_metrics(const RouteCall& call);

void get_silences(const RouteCall& call);
void resume_silences(const RouteResume& resumed);
void post_silence(const RouteCall& call);
void resume_silence(const RouteResume& resumed);
void delete_silence(const RouteCall& call);
void resume_delete_silence(const RouteResume& resumed);
void get_alerts(const RouteCall& call);
void resume_alerts(const RouteResume& resumed);
void get_rules(const RouteCall& call);
void resume_rules(const RouteResume& resumed);
void post_rules_test(const RouteCall& call);
void post_acknowledge(const RouteCall& call);
void resume_acknowledge(const RouteResume& resumed);

void get_rule_history(const RouteCall& call);
void resume_rule_history(const RouteResume& resumed);
void post_backtest(const RouteCall& call);
void resume_backtest(const RouteResume& resumed);

void get_live(const RouteCall& call);
void resume_live(const RouteResume& resumed);
void get_report(const RouteCall& call);
void resume_report(const RouteResume& resumed);

}  // namespace z0
