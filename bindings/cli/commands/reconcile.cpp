// z0 reconcile: recomputes cached states from facts, and shows what differed.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "server/ledgers.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct ReconcileOptions {
  Selection selection;
  bool full = false;
  bool fail_on_mismatch = false;
  bool json = false;
  bool csv = false;
  std::size_t together = 4;
};

struct Found {
  std::mutex mutex;
  std::int64_t ledgers = 0;
  std::int64_t comparisons = 0;
  std::vector<json> mismatches;
};

// One bounded step after the other; the ledger knows how far it is.
void reconcile(Api& api, const LedgerName& ledger, bool full, LedgerProgress& progress,
               Found& found) {
  const std::string path = ledger_path(ledger.entity_id, "reconcile");
  for (bool first = true;; first = false) {
    const json step = api.post(full && first ? path + "?from=start" : path);
    progress.facts(integer_of(step, "facts_scanned"));
    const std::lock_guard lock(found.mutex);
    found.comparisons += integer_of(step, "comparisons");
    for (json mismatch : step.value("mismatches", json::array())) {
      mismatch["entity_id"] = ledger.entity_id;
      mismatch["tenant_id"] = ledger.tenant_id;
      found.mismatches.push_back(std::move(mismatch));
    }
    if (step.value("done", false)) break;
    if (interrupted()) throw Failure("interrupted; the next run goes on from here");
  }
  progress.ledger_done();
  const std::lock_guard lock(found.mutex);
  ++found.ledgers;
}

void print(const Found& found, const LedgerProgress& progress) {
  Table table({"ledger", "tenant", "cache", ">first seq", "resolution", "delta"});
  for (const json& m : found.mismatches) {
    table.add({text_of(m, "entity_id"), text_of(m, "tenant_id"), text_of(m, "cache_type"),
               text_of(m, "first_divergent_seq"), text_of(m, "resolution"), text_of(m, "delta")});
  }
  if (!table.empty()) std::printf("%s\n", table.text().c_str());
  std::printf(
      "%s ledgers, %s facts, %s comparisons: %s\n", grouped(found.ledgers).c_str(),
      grouped(progress.facts_done()).c_str(), grouped(found.comparisons).c_str(),
      found.mismatches.empty()
          ? "all as the facts say"
          : (grouped(static_cast<std::int64_t>(found.mismatches.size())) + " mismatches").c_str());
}

int run_reconcile(const Connection& connection, const ReconcileOptions& options) {
  Api api(connection);
  const auto ledgers = ledgers_of(api, options.selection, false);
  LedgerProgress progress(ledgers.size());
  Found found;
  const auto failures = for_each_ledger(connection, ledgers, options.together,
                                        [&](Api& own, const LedgerName& ledger) {
                                          reconcile(own, ledger, options.full, progress, found);
                                        });
  progress.finish();
  if (options.json) {
    const json summary = {{"ledgers", found.ledgers},
                          {"facts_scanned", progress.facts_done()},
                          {"comparisons", found.comparisons},
                          {"mismatches", found.mismatches},
                          {"failures", failures.size()}};
    std::printf("%s\n", summary.dump(1).c_str());
  } else if (options.csv) {
    std::fputs(csv_of(found.mismatches, {"entity_id", "tenant_id", "cache_type",
                                         "first_divergent_seq", "resolution", "delta"})
                   .c_str(),
               stdout);
  } else {
    print(found, progress);
  }
  print_failures(failures);
  const bool mismatch = options.fail_on_mismatch && !found.mismatches.empty();
  return failures.empty() && !mismatch ? exit_ok : exit_failed;
}

}  // namespace

void add_reconcile(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ReconcileOptions>();
  CLI::App* command = app.add_subcommand("reconcile", "Compare cached states with the facts");
  add_selection(command, options->selection);
  command->add_flag("--full", options->full,
                    "From the first fact on, not from the last checkpoint");
  command->add_flag("--fail-on-mismatch", options->fail_on_mismatch,
                    "Exit code 1 when anything differed, even when it was mended");
  command->add_option("--together", options->together, "Ledgers side by side")
      ->check(CLI::Range(std::size_t{1}, std::size_t{32}))
      ->capture_default_str();
  add_formats(command, options->json, options->csv);
  command->footer(
      "The ledger wins: what differs is recomputed and recorded as a fact. manual_review means "
      "that\n"
      "it could not be.\n\n"
      "Examples:\n"
      "  z0 reconcile acct_acme --full\n"
      "  z0 reconcile --all --fail-on-mismatch\n");
  command->callback([options, &context] {
    catch_interrupts();
    context.exit_code = run_reconcile(connection_of(context), *options);
  });
}

}  // namespace z0::cli
