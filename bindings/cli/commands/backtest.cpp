// z0 backtest: rules over what happened. The machine is the core's own; nothing but history comes from a
// server.
#include "z0/alerts/backtest.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "server/history.hpp"
#include "server/settings.hpp"
#include "z0/alerting/business_backtest.hpp"
#include "z0/alerts/backtest_history.hpp"
#include "z0/alerts/backtest_request.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct BacktestOptions {
  std::string rules, against, from, to, tenant, incidents, save;
  std::vector<std::string> histories;
  std::string step = "1m";
  bool shipped = false;
  bool json = false;
};

constexpr std::int64_t step_ms_min = 1'000;
constexpr std::int64_t step_ms_max = 3'600'000;
constexpr std::size_t firings_shown_max = 40;
[[noreturn]] void refuse(const std::string& file, std::size_t line, const RuleError& error) {
  const std::string place = line == 0 ? std::string() : ", line " + std::to_string(line);
  throw Failure(file + place + ": " + error.where + ": expected is " + error.why);
}

std::vector<Rule> rules_in(const std::string& text, const std::string& name) {
  std::vector<Rule> rules;
  RuleError error;
  if (!read_rules(text, rules, error)) refuse(name, 0, error);
  return rules;
}

std::vector<Rule> rules_of_file(const std::string& file, bool shipped) {
  std::vector<Rule> rules;
  if (shipped || file.empty())
    rules = rules_in(std::string(default_rules_json()), "the rules that ship");
  if (file.empty()) return rules;
  add_rules(rules, rules_in(contents_of(file), file));
  return rules;
}

std::vector<Incident> incidents_of(const std::string& file) {
  std::vector<Incident> incidents;
  if (file.empty()) return incidents;
  InputFile in(file);
  for (std::string line; in.line(line);) {
    if (line.empty()) continue;
    RuleError error;
    if (!read_incident(line, incidents.emplace_back(), error)) refuse(file, in.number(), error);
  }
  return incidents;
}

// What happened: measurements, and where a rule is about business the facts themselves.
struct Happened {
  History measurements;
  BusinessHistory facts;
  bool takes_facts = false;

  void take(const HistoryLine& line, const std::string& tenant) {
    for (const HistorySample& sample : line.samples)
      if (tenant.empty() || sample.tenant_id == tenant) measurements.add(sample);
    if (takes_facts && line.fact && (tenant.empty() || line.fact->tenant_id == tenant))
      facts.add(*line.fact);
  }
};

void add_file(Happened& happened, const std::string& file, const std::string& tenant) {
  std::size_t number = 0;
  HistoryLine read;
  read_export(file, "reading", [&](std::string_view line) {
    ++number;
    read.samples.clear();
    RuleError error;
    if (line.empty()) return;
    if (!read_history_line(line, read, error)) refuse(file, number, error);
    happened.take(read, tenant);
  });
}

// The stretch of time that is played.
struct Stretch {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
};

json play(Happened& happened, const std::vector<Rule>& rules, std::int64_t step_ms,
          const Stretch& stretch, const std::vector<Incident>& incidents) {
  Backtest backtest(rules, step_ms);
  HistoryPlay steps(happened.measurements, backtest, stretch.from_ms, stretch.to_ms);
  BusinessPlay business(happened.facts, backtest, stretch.from_ms, stretch.to_ms);
  const auto all = static_cast<std::uint64_t>(steps.steps_left());
  const auto begin = std::chrono::steady_clock::now();
  StatusLine line;
  while (steps.step()) {
    if (steps.judged()) business.tick(steps.now_ms());
    if (!line.due()) continue;
    if (interrupted()) throw Failure("interrupted");
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const std::uint64_t done = all - static_cast<std::uint64_t>(steps.steps_left());
    line.draw("playing  " +
              progress_words(done, all, static_cast<std::int64_t>(done), seconds.count()));
  }
  line.clear();
  return json::parse(backtest_json(backtest, stretch.from_ms, stretch.to_ms, incidents));
}

// -- what is printed --------------------------------------------------------------------------------

std::string minutes_words(const json& object, const char* name) {
  if (!has_integer(object, name)) return "-";
  return duration_words(static_cast<double>(integer_of(object, name)) / 1'000);
}

// The rule of that name in another outcome; an empty object where it has none.
json named(const json& list, const std::string& name) {
  for (const json& one : list)
    if (text_of(one, "name") == name) return one;
  return json::object();
}

std::vector<std::string> cells_of(const json& rule) {
  if (rule.empty()) return {"", "", "", ""};
  const bool quiet = integer_of(rule, "firings") == 0;
  return {quiet ? "-" : grouped(integer_of(rule, "firings")), quiet ? "" : text_of(rule, "a_week"),
          quiet ? "" : minutes_words(rule, "firing_ms"),
          quiet ? "" : minutes_words(rule, "longest_ms")};
}

// Rules that fired, side by side where there are two versions; then the names of the others.
void print_rules(const json& outcome, const json& against, std::int64_t from_ms) {
  const bool two = !against.is_null();
  std::vector<std::string> titles = {"rule", "severity", ">fires", ">a week", ">for", ">longest"};
  if (two) titles.insert(titles.end(), {">other fires", ">a week", ">for", ">longest"});
  Table table(titles);
  std::string quiet;
  std::map<std::string, std::string> others;  // names, by what is to be said of them
  const auto append_name = [](std::string& names, const std::string& name) {
    names += (names.empty() ? "" : ", ") + name;
  };
  const auto add = [&](const json& first, const json& second) {
    const json& any = first.empty() ? second : first;
    const std::string name = text_of(any, "name");
    if (!any["not_judged"].is_null()) {
      append_name(others["not judged, " + text_of(any, "not_judged")], name);
      return;
    }
    if (integer_of(any, "judged_from") > from_ms)
      append_name(others["judged from " + time_words(integer_of(any, "judged_from")) + " on"],
                  name);
    if (integer_of(first, "firings") + integer_of(second, "firings") == 0) {
      append_name(quiet, name);
      return;
    }
    std::vector<std::string> cells = {name, text_of(any, "severity")};
    const auto append = [&cells](const std::vector<std::string>& more) {
      cells.insert(cells.end(), more.begin(), more.end());
    };
    append(cells_of(first));
    if (two) append(cells_of(second));
    table.add(cells);
  };
  for (const json& rule : outcome["rules"])
    add(rule, two ? named(against["rules"], text_of(rule, "name")) : json::object());
  if (two) {
    for (const json& rule : against["rules"])
      if (named(outcome["rules"], text_of(rule, "name")).empty()) add(json::object(), rule);
  }
  if (!table.empty()) std::printf("%s\n", table.text().c_str());
  if (!quiet.empty()) std::printf("quiet: %s\n", quiet.c_str());
  for (const auto& [words, names] : others) std::printf("%s: %s\n", words.c_str(), names.c_str());
}

void print_firings(const json& outcome) {
  const auto costs = [](const json& firing) { return firing.contains("money"); };
  const bool any_costs = std::any_of(outcome["firings"].begin(), outcome["firings"].end(), costs);
  std::vector<std::string> titles = {"fired", "rule", "about", ">for"};
  if (any_costs) titles.emplace_back(">lost");
  Table table(titles);
  std::size_t shown = 0;
  for (const json& firing : outcome["firings"]) {
    if (++shown > firings_shown_max) break;
    std::string about = text_of(firing, "tenant_id");
    const json labels = object_of(firing, "labels");
    for (const auto& [name, value] : labels.items())
      about += (about.empty() ? "" : " ") + name + '=' + value.get<std::string>();
    const bool ended = has_integer(firing, "resolved_at");
    const std::int64_t took = integer_of(firing, "resolved_at") - integer_of(firing, "fired_at");
    std::vector<std::string> cells = {
        time_words(integer_of(firing, "fired_at")), text_of(firing, "rule"), about,
        ended ? duration_words(static_cast<double>(took) / 1'000) : "to the end"};
    if (any_costs) {
      const json money = object_of(firing, "money");
      cells.push_back(costs(firing)
                          ? amount_words(integer_of(money, "lost"), text_of(money, "currency"))
                          : std::string());
    }
    table.add(cells);
  }
  if (table.empty()) return;
  std::printf("\n%s", table.text().c_str());
  if (outcome["firings"].size() > firings_shown_max)
    std::printf("and %zu more: --json has them all\n",
                outcome["firings"].size() - firings_shown_max);
}

void print_incidents(const json& outcome, const json& against) {
  if (outcome["incidents"].empty()) return;
  const bool two = !against.is_null();
  std::vector<std::string> titles = {"incident", "told by", ">after",
                                     ">lost",    ">caught", ">missed"};
  if (two) titles.insert(titles.end(), {"other told by", ">after", ">caught"});
  Table table(titles);
  const auto money_of = [](const json& incident, const char* name) {
    return has_integer(incident, name)
               ? amount_words(integer_of(incident, name), text_of(incident, "currency"))
               : std::string();
  };
  const auto told_by = [](const json& incident) {
    if (incident.contains("not_judged")) return std::string("not judged");
    return incident["detected"] == true ? text_of(incident, "rule") : "nobody";
  };
  for (std::size_t i = 0; i < outcome["incidents"].size(); ++i) {
    const json& one = outcome["incidents"][i];
    std::vector<std::string> cells = {text_of(one, "name"),
                                      told_by(one),
                                      minutes_words(one, "detected_after_ms"),
                                      money_of(one, "lost"),
                                      money_of(one, "caught"),
                                      money_of(one, "missed")};
    if (two) {
      const json& other = against["incidents"][i];
      cells.insert(cells.end(), {told_by(other), minutes_words(other, "detected_after_ms"),
                                 money_of(other, "caught")});
    }
    table.add(cells);
  }
  std::printf("\n%s", table.text().c_str());
}

void print_pages(const json& outcome, const char* whose) {
  std::string text = std::string(whose) + text_of(outcome, "pages_a_week") + " pages a week, " +
                     text_of(outcome, "pages") + " in all";
  if (!outcome["incidents"].empty())
    text += ", " + text_of(outcome, "pages_outside_incidents") + " outside of the incidents";
  for (const json& money : outcome["money"]) {
    const std::string currency = text_of(money, "currency");
    text += "; caught " + amount_words(integer_of(money, "caught"), currency) + " of " +
            amount_words(integer_of(money, "lost"), currency);
  }
  std::printf("%s\n", text.c_str());
}

void print_all(const json& told) {
  const json& outcome = told["outcome"];
  const json against = told.value("against", json());
  std::printf(
      "%s to %s, %s measurements of %s series\n\n", time_words(integer_of(told, "from")).c_str(),
      time_words(integer_of(told, "to")).c_str(), grouped(integer_of(told, "measurements")).c_str(),
      grouped(integer_of(told, "series")).c_str());
  print_rules(outcome, against, integer_of(told, "from"));
  print_firings(outcome);
  print_incidents(outcome, against);
  std::puts("");
  print_pages(outcome, "");
  if (!against.is_null()) print_pages(against, "the other rules: ");
}

std::int64_t time_or(const std::string& text, const char* option, std::int64_t otherwise) {
  return text.empty() ? otherwise : std::stoll(time_parameter(text, option));
}

// All that the files tell of, unless somebody names another time.
Stretch stretch_of_files(const BacktestOptions& options, const Happened& happened) {
  const History& history = happened.measurements;
  const BusinessHistory& facts = happened.facts;
  const bool measured = !history.empty();
  return {time_or(options.from, "--from", measured ? history.first_ms() : facts.first_ms()),
          time_or(options.to, "--to", measured ? history.last_ms() : facts.last_ms())};
}

int run_backtest(const Context& context, const BacktestOptions& options) {
  const std::vector<Rule> rules = rules_of_file(options.rules, options.shipped);
  std::vector<Rule> against;
  if (!options.against.empty()) against = rules_of_file(options.against, options.shipped);
  const std::vector<Incident> incidents = incidents_of(options.incidents);
  const auto step_ms = parse_duration_ms(options.step);
  if (!step_ms || *step_ms < step_ms_min || *step_ms > step_ms_max)
    throw Failure("--step takes a duration from 1s to 1h, not " + options.step, exit_usage);

  Happened happened;
  History& history = happened.measurements;
  happened.takes_facts = asks_of_business(rules) || asks_of_business(against);
  Stretch stretch;
  if (options.histories.empty()) {
    Api api(connection_of(context));
    constexpr std::int64_t week_ms = std::int64_t{7} * 86'400'000;
    stretch.to_ms = time_or(options.to, "--to", now_ms());
    stretch.from_ms = time_or(options.from, "--from", stretch.to_ms - week_ms);
    std::unique_ptr<OutputFile> save;
    if (!options.save.empty()) save = std::make_unique<OutputFile>(options.save);
    const auto take = [&](const HistoryLine& line) {
      happened.take(line, {});
      if (!save) return;
      for (const HistorySample& sample : line.samples) save->write(history_line(sample) + '\n');
      if (line.fact) save->write(history_line(*line.fact) + '\n');
    };
    std::vector<Rule> all = rules;
    all.insert(all.end(), against.begin(), against.end());
    const Backtest of_all(all, *step_ms);
    const std::int64_t before_ms = std::max(of_all.warm_up_ms(), of_all.learning_ms());
    history_of_facts(api, options.tenant, std::max<std::int64_t>(stretch.from_ms - before_ms, 0),
                     stretch.to_ms, happened.takes_facts, take);
    history_of_counters(api, options.tenant, all, take);
    if (save) save->commit();
  }
  for (const std::string& file : options.histories) add_file(happened, file, options.tenant);
  // Facts in sum are no measurements, and enough for rules about business.
  if (history.empty() && happened.facts.empty())
    throw Failure("the history has no measurement: name another time or file");
  if (!options.histories.empty()) stretch = stretch_of_files(options, happened);
  if (stretch.to_ms <= stretch.from_ms) throw Failure("--from has to come before --to", exit_usage);

  json told = {{"from", stretch.from_ms},
               {"to", stretch.to_ms},
               {"step_ms", *step_ms},
               {"measurements", history.size()},
               {"series", history.series_count()},
               {"outcome", play(happened, rules, *step_ms, stretch, incidents)}};
  if (!options.against.empty())
    told["against"] = play(happened, against, *step_ms, stretch, incidents);
  if (options.json)
    std::printf("%s\n", told.dump(1).c_str());
  else
    print_all(told);
  return exit_ok;
}

}  // namespace

void add_backtest(CLI::App& app, Context& context) {
  const auto options = std::make_shared<BacktestOptions>();
  CLI::App* command =
      app.add_subcommand("backtest", "When rules would have fired over what happened");
  command->add_option(
      "RULES", options->rules,
      "Rules as JSON, as in a config of type alert_rules; default: those that ship");
  command->add_flag("--shipped", options->shipped, "Add RULES to those that ship");
  command->add_option("--against", options->against, "Other rules, to stand beside these");
  command->add_option("--history", options->histories,
                      "Files of history, instead of asking a running z0");
  command->add_option("--incidents", options->incidents, "What went wrong, a line each");
  command->add_option("--from", options->from, "A time, or 30d for 30 days ago");
  command->add_option("--to", options->to, "As --from");
  command->add_option("--step", options->step, "How often rules are judged")->capture_default_str();
  command->add_option("--tenant", options->tenant, "Only this tenant's history");
  command->add_option("--save", options->save,
                      "Keep what the running z0 told, as --history takes it");
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "A history is facts (an export, or facts as JSON) or samples, a line each:\n"
      "  {\"t\": 1774915200000, \"metric\": \"z0_external_errors_total\",\n"
      "   \"tenant_id\": \"north\", \"labels\": {\"tool_id\": \"tool_x\"}, \"rise\": 3}\n"
      "src/alerts/README.md has both formats. Of a running z0 it takes what facts tell,\n"
      "from D1, and counters of the last two days from the monitor.\n\n"
      "Rules about anomalies and about business learn from what the history has of the\n"
      "weeks before --from.\n\n"
      "Examples:\n"
      "  z0 backtest --from 30d\n"
      "  z0 backtest new.json --against old.json --from 30d --incidents seen.ndjson\n"
      "  z0 export --all | z0 backtest rules.json --history -\n");
  command->callback([options, &context] {
    catch_interrupts();
    context.exit_code = run_backtest(context, *options);
  });
}

}  // namespace z0::cli
