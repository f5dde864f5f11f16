// The commands: each adds itself, with its options and its help, and runs when it is the one given.
#pragma once

#include "settings.hpp"

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

}  // namespace z0::cli
