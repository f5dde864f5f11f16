// z0 rebuild: makes D1 anew from the ledgers, and proves it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "server/ledgers.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct RebuildOptions {
  Selection selection;
  bool from_start = false;
  bool json = false;
  std::size_t together = 4;
};

struct RebuildSums {
  std::mutex mutex;
  std::int64_t ledgers = 0;
  std::int64_t facts = 0;
  json unequal = json::array();
};

// D1's head says where the work goes on, so nothing is kept here.
void rebuild(Api& api, const LedgerName& ledger, bool from_start, LedgerProgress& progress,
             RebuildSums& sums) {
  const std::string path = ledger_path(ledger.entity_id, "replicate");
  std::int64_t before = -1;
  json step;
  for (bool first = true;; first = false) {
    step = api.post(from_start && first ? path + "?from=start" : path);
    const std::int64_t there = integer_of(step, "replicated_seq");
    if (before >= 0) progress.facts(std::max<std::int64_t>(0, there - before));
    before = there;
    if (step.value("done", false)) break;
    if (interrupted()) throw Failure("interrupted; the next run goes on from here");
  }
  progress.ledger_done();
  const bool equal = integer_of(step, "seq") == integer_of(step, "replicated_seq") &&
                     text_of(step, "root") == text_of(step, "replicated_root");
  const std::lock_guard lock(sums.mutex);
  ++sums.ledgers;
  sums.facts += integer_of(step, "replicated_seq");
  if (!equal) sums.unequal.push_back(step);
}

void print(const RebuildSums& sums, const LedgerProgress& progress, std::size_t failures) {
  Table table({"ledger", ">seq", "root", ">seq in D1", "root in D1"});
  for (const json& step : sums.unequal) {
    table.add({text_of(step, "entity_id"), text_of(step, "seq"),
               text_of(step, "root").substr(0, 16), text_of(step, "replicated_seq"),
               text_of(step, "replicated_root").substr(0, 16)});
  }
  if (!table.empty()) std::printf("%s\n", table.text().c_str());
  const bool proven = sums.unequal.empty() && failures == 0;
  std::printf("%s ledgers, %s facts in %s: %s\n", grouped(sums.ledgers).c_str(),
              grouped(sums.facts).c_str(), duration_words(progress.seconds()).c_str(),
              proven ? coloured("proven, every root in D1 is its ledger's", Colour::green).c_str()
                     : coloured("not proven", Colour::red).c_str());
}

int run_rebuild(const Connection& connection, const RebuildOptions& options) {
  Api api(connection);
  const auto ledgers = ledgers_of(api, options.selection, true);
  LedgerProgress progress(ledgers.size());
  RebuildSums sums;
  const auto failures = for_each_ledger(connection, ledgers, options.together,
                                        [&](Api& own, const LedgerName& ledger) {
                                          rebuild(own, ledger, options.from_start, progress, sums);
                                        });
  progress.finish();
  const bool proven = sums.unequal.empty() && failures.empty();
  if (options.json) {
    const json summary = {{"proven", proven},
                          {"ledgers", sums.ledgers},
                          {"facts", sums.facts},
                          {"unequal", sums.unequal},
                          {"failures", failures.size()}};
    std::printf("%s\n", summary.dump(1).c_str());
  } else {
    print(sums, progress, failures.size());
  }
  print_failures(failures);
  return proven ? exit_ok : exit_failed;
}

}  // namespace

void add_rebuild(CLI::App& app, Context& context) {
  const auto options = std::make_shared<RebuildOptions>();
  CLI::App* command = app.add_subcommand("rebuild", "Make the database anew from the ledgers");
  add_selection(command, options->selection);
  command->add_flag("--from-start", options->from_start,
                    "Send every fact again, also what the database says it has");
  command->add_option("--together", options->together, "Ledgers side by side")
      ->check(CLI::Range(std::size_t{1}, std::size_t{32}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "All ledgers unless some are named. It may be broken off and run again: the database's own\n"
      "heads say how far it is. Exit code 1 unless every root there is its ledger's.\n\n"
      "Examples:\n"
      "  z0 rebuild\n"
      "  z0 rebuild --tenant tenant_acme --from-start\n");
  command->callback([options, &context] {
    catch_interrupts();
    context.exit_code = run_rebuild(connection_of(context), *options);
  });
}

}  // namespace z0::cli
