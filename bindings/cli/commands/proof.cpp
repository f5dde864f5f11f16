// z0 checkpoint and z0 proof: what an auditor fetches, to check it elsewhere.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/failure.hpp"
#include "commands/commands.hpp"
#include "server/ledgers.hpp"

namespace z0::cli {
namespace {

struct ProofOptions {
  std::string entity;
  std::string seq, since, size;
};

int run_checkpoint(const Connection& connection, const ProofOptions& options) {
  Api api(connection);
  std::fputs(api.text(ledger_path(options.entity, "checkpoint")).c_str(), stdout);
  return exit_ok;
}

int run_proof(const Connection& connection, const ProofOptions& options) {
  if (options.seq.empty() == options.since.empty())
    throw Failure("name the fact's SEQ, or the older checkpoint's size with --since", exit_usage);
  Api api(connection);
  const bool of_fact = !options.seq.empty();
  const auto path =
      path_with_query(ledger_path(options.entity, of_fact ? "proof" : "consistency"),
                      {{"seq", options.seq}, {"from", options.since}, {"size", options.size}});
  std::printf("%s\n", api.get(path).dump().c_str());
  return exit_ok;
}

}  // namespace

void add_checkpoint(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ProofOptions>();
  CLI::App* command = app.add_subcommand("checkpoint", "A ledger's size and root, signed");
  command->add_option("ENTITY", options->entity, "For example acct_acme")->required();
  command->footer("Example:\n  z0 checkpoint acct_acme > checkpoint.txt\n");
  command->callback([options, &context] {
    context.exit_code = run_checkpoint(connection_of(context), *options);
  });
}

void add_proof(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ProofOptions>();
  CLI::App* command = app.add_subcommand("proof", "That a fact, or a history, is in a ledger");
  const CLI::Validator count(
      [](std::string& text) {
        const bool number = !text.empty() && text.size() <= 16 &&
                            text.find_first_not_of("0123456789") == std::string::npos;
        return number ? std::string() : text + " is no count of facts";
      },
      "N");
  command->add_option("ENTITY", options->entity, "For example acct_acme")->required();
  command->add_option("SEQ", options->seq, "The fact's number in its ledger")->check(count);
  command->add_option("--since", options->since, "An older checkpoint's size, for its history")
      ->check(count);
  command->add_option("--size", options->size, "The checkpoint's size; now when absent")
      ->check(count);
  command->footer(
      "`z0 verify fact` and `z0 verify history` check the answer against checkpoints.\n\n"
      "Examples:\n"
      "  z0 proof acct_acme 17 --size 120 > proof.json\n"
      "  z0 proof acct_acme --since 100 --size 120 > history.json\n");
  command->callback(
      [options, &context] { context.exit_code = run_proof(connection_of(context), *options); });
}

}  // namespace z0::cli
