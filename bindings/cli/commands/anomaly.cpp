// z0 anomaly: how unusual each value of a CSV is, as alerts on a learned baseline see it.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/scored_csv.hpp"
#include "commands/commands.hpp"

namespace z0::cli {
namespace {

struct AnomalyOptions {
  std::string file;
  bool explain = false;
};

}  // namespace

void add_anomaly(CLI::App& app, Context& context) {
  const auto options = std::make_shared<AnomalyOptions>();
  CLI::App* command =
      app.add_subcommand("anomaly", "How unusual each value of a CSV is, learned as it goes");
  command
      ->add_option("FILE", options->file,
                   "Timestamp and value in each line, in order; - for the standard input")
      ->required();
  command->add_flag("--explain", options->explain, "A column with the reason in words");
  command->footer(
      "Prints timestamp, value and anomaly_score, from 0 (usual) towards 1. Columns are found by "
      "the\n"
      "names timestamp and value, or are the first two. The first 50 values say nothing, and "
      "alerts\n"
      "wait for two weeks: then 0.65 is worth one for values an hour apart, 0.8 for five "
      "minutes.\n\n"
      "Examples:\n"
      "  z0 anomaly revenue.csv > scores.csv\n"
      "  gzip -dc latency.csv.gz | z0 anomaly - --explain\n");
  command->callback([options, &context] {
    print_scores(options->file, options->explain);
    context.exit_code = exit_ok;
  });
}

}  // namespace z0::cli
