// z0 metrics: which there are, and what the monitor counted of one.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/metrics_page.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "server/settings.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct MetricsOptions {
  std::string metric;
  std::string by;
  std::string window;
  std::string step;
  std::string quantile;
  std::string tenant;
  bool page = false;
  bool json = false;
};

int list_metrics() {
  Table table({"metric", "kind", "unit", "labels", "what it is"});
  for (const MetricInfo* metric : all_metrics()) {
    table.add({std::string(metric->name), std::string(kind_name(metric->kind)),
               std::string(metric->unit), labels_words(*metric), std::string(metric->help)});
  }
  std::fputs(table.text().c_str(), stdout);
  return exit_ok;
}

std::string number_words(const json& group) {
  const auto value = group.find("value");
  if (value == group.end()) return {};
  return value->is_number_integer() ? grouped(value->get<std::int64_t>()) : value->dump();
}

std::string steps_line(const json& group) {
  std::vector<double> values;
  for (const json& step : group.value("steps", json::array()))
    values.push_back(step.value("value", 0.0));
  return values.empty() ? std::string() : sparkline(values, 60);
}

// What the numbers are worth, each reason once.
void print_worth(const json& answer) {
  std::string said;
  for (const json& group : answer.value("groups", json::array())) {
    const std::string why = text_of(group, "why");
    if (group.value("exact", false) || said.find(why) != std::string::npos) continue;
    said += "estimated: " + why + '\n';
  }
  std::fputs(coloured(said, Colour::dim).c_str(), stdout);
  for (const json& folded : answer.value("folded", json::array())) {
    std::printf("%s events of %s count under (other): too many values of %s\n",
                grouped(integer_of(folded, "events")).c_str(), text_of(folded, "tenant_id").c_str(),
                text_of(folded, "label").c_str());
  }
}

int show_metric(const Connection& connection, const MetricsOptions& options) {
  Api api(connection);
  const json answer = api.get(path_with_query("/v1/metrics/query", {{"metric", options.metric},
                                                                    {"by", options.by},
                                                                    {"window", options.window},
                                                                    {"step", options.step},
                                                                    {"quantile", options.quantile},
                                                                    {"tenant", options.tenant}}));
  if (options.json) {
    std::printf("%s\n", answer.dump(1).c_str());
    return exit_ok;
  }
  std::printf("%s (%s, %s), from %s\n", text_of(answer, "metric").c_str(),
              text_of(answer, "kind").c_str(), text_of(answer, "unit").c_str(),
              time_words(integer_of(answer, "from")).c_str());
  const json groups = answer.value("groups", json::array());
  if (groups.empty()) {
    std::printf("nothing was counted in this window\n");
    return exit_ok;
  }
  std::vector<std::string> titles;
  const json labels = object_of(groups.at(0), "labels");
  for (const auto& [name, value] : labels.items()) titles.push_back(name);
  titles.insert(titles.end(), {">value", "", "over time", "trace"});
  Table table(titles);
  for (const json& group : groups) {
    std::vector<std::string> cells;
    const json of_group = object_of(group, "labels");
    for (const auto& [name, value] : labels.items())
      cells.push_back(text_of(of_group, name.c_str()));
    cells.insert(cells.end(), {number_words(group), group.value("exact", false) ? "exact" : "",
                               steps_line(group), text_of(group, "trace_id")});
    table.add(cells);
  }
  std::fputs(table.text().c_str(), stdout);
  print_worth(answer);
  return exit_ok;
}

}  // namespace

void add_metrics(CLI::App& app, Context& context) {
  const auto options = std::make_shared<MetricsOptions>();
  CLI::App* command = app.add_subcommand("metrics", "Which metrics there are, or what one came to");
  command->add_option("METRIC", options->metric, "For example z0_facts_written_total");
  command->add_option("--by", options->by, "Labels to tell apart, between commas");
  command->add_option("--window", options->window,
                      "How far back, from 10s to 2d; 1h when left out");
  command->add_option("--step", options->step, "Also in steps of this length, as a curve");
  command->add_option("--quantile", options->quantile, "Of a histogram, from 0 to 1");
  command->add_option("--tenant", options->tenant, "Of this tenant alone");
  command->add_flag("--page", options->page, "src/metrics/README.md, made of the table of metrics");
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "Examples:\n"
      "  z0 metrics\n"
      "  z0 metrics z0_facts_written_total --by tenant_id,fact_type --window 15m --step 1m\n"
      "  z0 metrics z0_facts_write_duration_ms --quantile 0.99\n"
      "  z0 metrics --page > src/metrics/README.md\n");
  command->callback([options, &context] {
    if (options->page) {
      std::fputs(metrics_page().c_str(), stdout);
      context.exit_code = exit_ok;
    } else {
      context.exit_code =
          options->metric.empty() ? list_metrics() : show_metric(connection_of(context), *options);
    }
  });
}

}  // namespace z0::cli
