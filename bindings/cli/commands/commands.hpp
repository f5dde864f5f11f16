// The commands: each adds itself, with its options and its help, and runs when it is the one given.
#pragma once

#include "server/settings.hpp"

namespace CLI {
class App;
}

namespace z0::cli {

void add_replay(CLI::App& app, Context& context);
void add_check(CLI::App& app, Context& context);
void add_report(CLI::App& app, Context& context);
void add_facts(CLI::App& app, Context& context);
void add_ledgers(CLI::App& app, Context& context);
void add_entity(CLI::App& app, Context& context);
void add_live(CLI::App& app, Context& context);
void add_metrics(CLI::App& app, Context& context);
void add_trace(CLI::App& app, Context& context);
void add_rules(CLI::App& app, Context& context);
void add_backtest(CLI::App& app, Context& context);
void add_anomaly(CLI::App& app, Context& context);
void add_alerts(CLI::App& app, Context& context);
void add_ack(CLI::App& app, Context& context);
void add_silence(CLI::App& app, Context& context);
void add_token(CLI::App& app, Context& context);
void add_step(CLI::App& app, Context& context);
void add_demo(CLI::App& app, Context& context);
void add_export(CLI::App& app, Context& context);
void add_verify(CLI::App& app, Context& context);
void add_import(CLI::App& app, Context& context);
void add_proof(CLI::App& app, Context& context);
void add_checkpoint(CLI::App& app, Context& context);
void add_keys(CLI::App& app, Context& context);
void add_reconcile(CLI::App& app, Context& context);
void add_replication(CLI::App& app, Context& context);
void add_rebuild(CLI::App& app, Context& context);
void add_dead_letters(CLI::App& app, Context& context);
void add_closure(CLI::App& app, Context& context);
void add_state(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);

inline constexpr const char* csv_help = "As CSV (RFC 4180), the names of the columns first";

// --json and --csv of a command that lists something.
template <class App>
void add_formats(App* command, bool& json, bool& csv, const char* json_help = "As JSON") {
  auto* as_json = command->add_flag("--json", json, json_help);
  command->add_flag("--csv", csv, csv_help)->excludes(as_json);
}

}  // namespace z0::cli
