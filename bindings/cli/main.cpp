// z0's command-line tool.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "base/failure.hpp"
#include "base/files.hpp"
#include "base/terminal.hpp"
#include "commands/commands.hpp"
#include "z0/base/version.hpp"

namespace {

constexpr const char* footer =
    "Where z0 is: --url and --token, or Z0_URL and Z0_TOKEN, or .wrangler/z0.json, which "
    "./scripts/dev\n"
    "writes while it runs; it is looked for here and in the directories above.\n\n"
    "Exit codes: 0 all went well, 1 what was asked about failed, 2 wrong use.\n\n"
    "Examples:\n"
    "  z0 demo                        a lively day, made up and sent until Ctrl-C\n"
    "  z0 replay day.ndjson           send a recording\n"
    "  z0 check day.ndjson            what the recording would get, without a server\n"
    "  z0 report --tenant tenant_acme money by tenant and account\n"
    "  z0 facts --status failed       the attempts that failed\n"
    "  z0 live                        what happens right now\n"
    "  z0 metrics                     which metrics there are, or what one came to\n"
    "  z0 trace                       the latest traces, or one as a waterfall\n"
    "  z0 alerts                      what fires, and who looks after it\n"
    "  z0 silence                     what nobody is told of for a while\n"
    "  z0 rules                       what alerts watch\n"
    "  z0 backtest --from 30d         when alerts would have fired\n"
    "  z0 anomaly revenue.csv         how unusual each value is, learned as it goes\n"
    "  z0 export --all -o all.ndjson  every ledger, as a file that proves itself\n"
    "  z0 verify all.ndjson --key K   checks it, without a server\n";

int fail(const char* sentence, int code) {
  const std::string mark = z0::cli::coloured("z0:", z0::cli::Colour::red, 2);
  std::fprintf(stderr, "%s %s\n", mark.c_str(), sentence);
  return code;
}

// Asked before parsing, because the parser would only say that a command is missing.
bool has_command(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == name) return true;
  }
  return false;
}

void add_commands(CLI::App& app, z0::cli::Context& context) {
  using namespace z0::cli;
  add_replay(app, context);
  add_check(app, context);
  add_demo(app, context);
  add_report(app, context);
  add_facts(app, context);
  add_ledgers(app, context);
  add_entity(app, context);
  add_live(app, context);
  add_metrics(app, context);
  add_trace(app, context);
  add_alerts(app, context);
  add_ack(app, context);
  add_silence(app, context);
  add_rules(app, context);
  add_backtest(app, context);
  add_anomaly(app, context);
  add_export(app, context);
  add_verify(app, context);
  add_import(app, context);
  add_proof(app, context);
  add_checkpoint(app, context);
  add_keys(app, context);
  add_reconcile(app, context);
  add_replication(app, context);
  add_rebuild(app, context);
  add_dead_letters(app, context);
  add_closure(app, context);
  add_state(app, context);
  add_config(app, context);
  add_token(app, context);
  add_step(app, context);
}

// Everything but the check that the output arrived.
int run(int argc, char** argv) {
  using namespace z0::cli;
  Context context;
  CLI::App app("z0: facts, ledgers and money of a product, from the terminal.", "z0");
  app.set_version_flag("--version", "z0 " + std::string(z0::version));
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(footer);
  app.get_formatter()->column_width(34);
  app.add_option("--url", context.url, "Where z0 is, for example http://localhost:8787")
      ->envname("Z0_URL");
  app.add_option("--token", context.token, "The bearer token")->envname("Z0_TOKEN");

  add_commands(app, context);

  if (argc == 1) {
    std::fputs(app.help().c_str(), stderr);
    return exit_usage;
  }
  if (argv[1][0] != '-' && !has_command(app, argv[1])) {
    return fail(("there is no command " + std::string(argv[1]) + ": z0 --help lists them").c_str(),
                exit_usage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return app.exit(error);  // --help and --version
    }
    return fail((std::string(error.what()) + " (z0 --help shows how)").c_str(), exit_usage);
  } catch (const Failure& failure) {
    return fail(failure.what(), failure.code);
  } catch (const std::exception& error) {
    return fail(error.what(), exit_failed);
  }
  return context.exit_code;
}

// Whoever starts the tool with a standard stream closed would have the next file or connection that
// is opened take its number, and the output land there.
void occupy_standard_streams() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) == -1) open("/dev/null", O_RDONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  const int code = run(argc, argv);
  if (z0::cli::close_output()) return code;
  return fail(
      "the output did not arrive whole: the disk is full, or its reader is gone. Make room, and "
      "run "
      "it again",
      code == z0::cli::exit_ok ? z0::cli::exit_failed : code);
}
