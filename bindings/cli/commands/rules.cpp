// z0 rules: what alerts watch. Rules are read, tested and translated without a server.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "z0/alerts/prometheus.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/alerts/rule_test.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct RulesOptions {
  std::string file;
  bool prometheus = false;
  bool json = false;
};

constexpr const char* file_help =
    "Rules as JSON, as in a config of type alert_rules; - for the standard input";

std::vector<Rule> rules_of(const std::string& file) {
  std::vector<Rule> rules;
  RuleError error;
  const std::string text = file.empty() ? std::string(default_rules_json()) : contents_of(file);
  if (!read_rules(text, rules, error))
    throw Failure(file + ": " + error.where + ": expected is " + error.why);
  return rules;
}

std::string sum_text(const std::vector<Selector>& of) {
  std::string text;
  for (const Selector& one : of)
    text += (text.empty() ? "" : " + ") + std::string(info(one.metric).name);
  return text;
}

std::string condition_of(const Rule& rule) {
  std::string text(signal_name(rule.kind));
  if (!rule.of.empty()) text += ' ' + sum_text(rule.of);
  if (!rule.to.empty())
    text += " / " + (rule.to.size() == 1 ? sum_text(rule.to) : '(' + sum_text(rule.to) + ')');
  if (rule.kind == SignalKind::business) text += ' ' + std::string(business_name(rule.business));
  if (!has_threshold(rule)) return text;
  return text + ' ' + std::string(comparison_name(rule.comparison)) + ' ' +
         number_text(rule.threshold);
}

int list_rules(const std::string& file) {
  Table table({"rule", "severity", "when", "window", "for"});
  for (const Rule& rule : rules_of(file))
    table.add({rule.name, std::string(severity_name(rule.severity)), condition_of(rule),
               rule.window_ms == 0 ? "" : duration_text(rule.window_ms),
               duration_text(rule.for_ms)});
  std::fputs(table.text().c_str(), stdout);
  return exit_ok;
}

void print_labels(const json& alerts) {
  for (const json& alert : alerts) {
    std::string text = "  " + text_of(alert, "rule");
    if (alert.contains("labels") && !alert["labels"].empty()) text += ' ' + alert["labels"].dump();
    std::printf("%s\n", text.c_str());
  }
}

int test_rules(const RulesOptions& options) {
  const RuleTestOutcome outcome = run_rule_test(contents_of(options.file));
  if (!outcome.readable)
    throw Failure(options.file + ": " + outcome.error.where + ": expected is " + outcome.error.why);
  if (options.json) {
    std::printf("%s\n", outcome.json.c_str());
    return outcome.passed ? exit_ok : exit_failed;
  }
  const json told = json::parse(outcome.json);
  for (const json& step : told["steps"]) {
    const json& firing = step["firing"];
    const json& pending = step["pending"];
    std::printf("%s: %zu firing, %zu pending\n", text_of(step, "at").c_str(), firing.size(),
                pending.size());
    print_labels(firing);
  }
  for (const json& failure : told["failures"]) {
    const std::string what = failure.contains("why")
                                 ? text_of(failure, "why")
                                 : "expected " + failure["expected"].dump() + ", but " +
                                       failure["firing"].dump() + " fires";
    std::printf("FAILED %s at %s: %s\n", text_of(failure, "rule").c_str(),
                text_of(failure, "at").c_str(), what.c_str());
  }
  std::printf("%s\n", outcome.passed ? "passed" : "failed");
  return outcome.passed ? exit_ok : exit_failed;
}

void add_file(CLI::App* command, RulesOptions& options, bool required) {
  auto* file = command->add_option("FILE", options.file, file_help);
  if (required) file->required();
}

void add_export_command(CLI::App* rules, Context& context) {
  const auto options = std::make_shared<RulesOptions>();
  CLI::App* command = rules->add_subcommand(
      "export", "The rules that ship, or those of FILE, for whoever else evaluates them");
  add_file(command, *options, false);
  command->add_flag("--prometheus", options->prometheus, "As a file of rules for Prometheus")
      ->required();
  command->footer("Example:\n  z0 rules export --prometheus > /etc/prometheus/z0.rules.yml\n");
  command->callback([options, &context] {
    std::fputs(prometheus_rules(rules_of(options->file)).c_str(), stdout);
    context.exit_code = exit_ok;
  });
}

void add_check_command(CLI::App* rules, Context& context) {
  const auto options = std::make_shared<RulesOptions>();
  CLI::App* command =
      rules->add_subcommand("check", "Whether rules can be read, and what they say");
  add_file(command, *options, true);
  command->footer("Example:\n  z0 rules check rules.json\n");
  command->callback([options, &context] { context.exit_code = list_rules(options->file); });
}

void add_test_command(CLI::App* rules, Context& context) {
  const auto options = std::make_shared<RulesOptions>();
  CLI::App* command = rules->add_subcommand("test", "What fires over series that a file holds");
  command->add_option("FILE", options->file, "Rules, series and what is expected, as JSON")
      ->required();
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "The file:\n"
      "  {\"rules\": [...], \"interval\": \"1m\",\n"
      "   \"series\": [{\"metric\": \"z0_facts_written_total\", \"tenant_id\": \"north\",\n"
      "               \"labels\": {\"fact_type\": \"charge\"}, \"values\": \"0+10x20 _ 5\"}],\n"
      "   \"expect\": [{\"at\": \"5m\", \"rule\": \"R\", \"firing\": [{\"tenant_id\": "
      "\"north\"}]}]}\n"
      "Values are what a counter came to, in the words of promtool's tests: a+bxn counts up,\n"
      "axn repeats, _ is missing, stale ends a gauge. A histogram's series names the observed\n"
      "value as \"value\". Exit code 1: something was not as expected.\n");
  command->callback([options, &context] { context.exit_code = test_rules(*options); });
}

}  // namespace

void add_rules(CLI::App& app, Context& context) {
  CLI::App* rules = app.add_subcommand("rules", "What alerts watch");
  add_check_command(rules, context);
  add_test_command(rules, context);
  add_export_command(rules, context);
  rules->callback([rules, &context] {
    if (rules->get_subcommands().empty()) context.exit_code = list_rules({});
  });
  rules->footer("Without a command it lists the rules that ship.\n");
}

}  // namespace z0::cli
