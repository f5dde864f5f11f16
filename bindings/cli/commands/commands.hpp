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
void add_entity(CLI::App& app, Context& context);
void add_live(CLI::App& app, Context& context);
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

}  // namespace z0::cli
