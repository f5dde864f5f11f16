// z0 alerts: what fires, what waits and what was resolved a moment ago. z0 ack: somebody looks after one.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <set>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "server/settings.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct AlertsOptions {
  std::string tenant;
  bool firing = false;
  bool json = false;
  bool csv = false;
};

const std::vector<std::string> alert_members = {
    "id",           "state",      "rule",         "severity",  "level",       "tenant_id", "labels",
    "value",        "threshold",  "active_at",    "fired_at",  "resolved_at", "runbook",   "owner",
    "acknowledged", "silence_id", "inhibited_by", "escalated", "flapping"};

std::string alert_labels(const json& alert) {
  std::string out = text_of(alert, "tenant_id");
  const json labels = object_of(alert, "labels");
  for (const auto& [name, value] : labels.items()) {
    if (!value.is_string() || value.get<std::string>().empty()) continue;
    out += (out.empty() ? "" : " ") + name + '=' + value.get<std::string>();
  }
  return out;
}

std::string condition_words(const json& alert) {
  if (alert.contains("in_words")) return text_of(alert, "in_words");
  std::string out = text_of(alert, "value");
  if (alert.contains("comparison"))
    out += " (" + text_of(alert, "comparison") + ' ' + text_of(alert, "threshold") + ')';
  return out;
}

// Who looks after it, or why nobody is told.
std::string people_words(const json& alert) {
  std::string out = text_of(object_of(alert, "acknowledged"), "by");
  const auto add = [&out](const std::string& words) { out += (out.empty() ? "" : ", ") + words; };
  if (const std::string by = text_of(alert, "silence_id"); !by.empty()) add("silenced: " + by);
  if (const std::string by = text_of(alert, "inhibited_by"); !by.empty()) add("follows from " + by);
  if (alert.contains("flapping")) add("flapping");
  if (const std::int64_t times = integer_of(alert, "escalated"); times > 0)
    add("escalated " + std::to_string(times) + (times == 1 ? " time" : " times"));
  return out;
}

std::string why_words(const json& alert) {
  const std::string why = text_of(alert, "why");
  // A sentence, or what follows one.
  if (why.ends_with('.')) return ' ' + why;
  return why.empty() ? why : " It is " + why + '.';
}

// Who is not told as it should be: nothing is said of channels that are well.
void print_channels(const json& answer) {
  const auto print = [](const std::string& words) {
    std::printf("%s\n", coloured(words, Colour::red).c_str());
  };
  for (const json& one : answer.value("channels", json::array())) {
    if (text_of(one, "state") == "good" && integer_of(one, "lost") == 0) continue;
    std::string words = "channel " + text_of(one, "channel") + " is " + text_of(one, "state");
    if (const std::string why = text_of(one, "why"); !why.empty()) words += ": " + why;
    for (const char* of : {"waiting", "given_up", "lost"})
      words += ", " + grouped(integer_of(one, of)) + ' ' + of;
    print(words);
  }
  if (const std::string why = text_of(object_of(answer, "dead_man"), "why"); !why.empty())
    print("the dead man's address did not hear that alerts are judged: " + why);
}

// What it means, what was found, what it costs. Whose it is only where that says more than the rule:
// else a rule's alerts have one sentence together.
std::string firing_words(const json& alert) {
  std::string out = text_of(alert, "rule");
  const bool of_its_own = alert.contains("money") || !text_of(alert, "why").empty();
  if (of_its_own && !alert_labels(alert).empty()) out += " of " + alert_labels(alert);
  out += ": " + text_of(alert, "summary") + why_words(alert) + '\n';
  if (!alert.contains("money")) return out;
  const json money = object_of(alert, "money");
  return out + "  " + text_of(money, "in_words") + ". " + text_of(money, "reckoning") + '\n';
}

int list_alerts(const Connection& connection, const AlertsOptions& options) {
  Api api(connection);
  json answer = api.get(path_with_query("/v1/alerts", {{"tenant", options.tenant}}));
  std::vector<json> alerts;
  for (const json& alert : answer.value("alerts", json::array()))
    if (!options.firing || text_of(alert, "state") == "firing") alerts.push_back(alert);
  if (options.json) {
    // Who reads it by program has to see as well that nothing was judged, or nobody is told.
    answer["alerts"] = alerts;
    std::printf("%s\n", answer.dump(1).c_str());
    return exit_ok;
  }
  if (options.csv) {
    std::fputs(csv_of(alerts, alert_members).c_str(), stdout);
    return exit_ok;
  }
  Table table({"state", "severity", "rule", "of", "value", "since", "id", "looked after by"});
  for (const json& alert : alerts) {
    const std::string since = has_integer(alert, "fired_at") && integer_of(alert, "fired_at") != 0
                                  ? time_words(integer_of(alert, "fired_at"))
                                  : time_words(integer_of(alert, "active_at"));
    table.add({text_of(alert, "state"), text_of(alert, "severity"), text_of(alert, "rule"),
               alert_labels(alert), condition_words(alert), since, text_of(alert, "id"),
               people_words(alert)});
  }
  const bool judged = has_integer(answer, "evaluated_at");
  if (!table.empty())
    std::fputs(table.text().c_str(), stdout);
  else
    std::printf("nothing fires, and nothing waits\n");
  std::set<std::string> said;
  for (const json& alert : alerts) {
    if (text_of(alert, "state") != "firing") continue;
    const std::string words = firing_words(alert);
    if (said.insert(words).second) std::fputs(words.c_str(), stdout);
  }
  const std::string when =
      judged ? "judged last at " + time_words(integer_of(answer, "evaluated_at"))
             : std::string("nothing was judged yet: rules are judged while something happens");
  std::printf("%s\n", coloured(when, Colour::dim).c_str());
  if (const std::int64_t silent = integer_of(answer, "silent_shards"); silent > 0)
    std::printf("%s\n", coloured(grouped(silent) + " shards of the monitor say nothing: what they "
                                                   "know is missing here",
                                 Colour::red)
                            .c_str());
  print_channels(answer);
  return exit_ok;
}

struct AckOptions {
  std::string id;
  std::string author;
  std::string reason;
  std::string how_long;
};

int acknowledge(const Connection& connection, const AckOptions& options) {
  Api api(connection);
  json body = {{"author", author_of(options.author)}, {"reason", options.reason}};
  if (!options.how_long.empty()) body["for"] = options.how_long;
  const json alert =
      api.post("/v1/alerts/" + url_escaped(options.id) + "/acknowledge", body.dump());
  std::printf("%s of %s is looked after by %s\n", text_of(alert, "rule").c_str(),
              alert_labels(alert).empty() ? "all" : alert_labels(alert).c_str(),
              text_of(object_of(alert, "acknowledged"), "by").c_str());
  return exit_ok;
}

}  // namespace

void add_alerts(CLI::App& app, Context& context) {
  const auto options = std::make_shared<AlertsOptions>();
  CLI::App* command = app.add_subcommand("alerts", "What fires, waits, or was resolved just now");
  command->add_option("--tenant", options->tenant, "Of this tenant alone");
  command->add_flag("--firing", options->firing, "Only what fires");
  add_formats(command, options->json, options->csv);
  command->footer(
      "A table of alerts, and a sentence on each that fires: what it means, why, what it costs.\n\n"
      "Examples:\n"
      "  z0 alerts --firing\n"
      "  z0 alerts --tenant tenant_acme --json\n"
      "  z0 ack 1f0c4d2a9b7e6a53 --reason 'D1 is down, Cloudflare knows'\n");
  command->callback(
      [options, &context] { context.exit_code = list_alerts(connection_of(context), *options); });
}

void add_ack(CLI::App& app, Context& context) {
  const auto options = std::make_shared<AckOptions>();
  CLI::App* command = app.add_subcommand("ack", "Say that you look after an alert");
  command->add_option("ID", options->id, "The alert's id: z0 alerts lists them")->required();
  command->add_option("--by", options->author, "Who; $USER when left out");
  command->add_option("--reason", options->reason, "What you know, or what you do")->required();
  command->add_option("--for", options->how_long, "How long: 30m, 2h; until it ends when left out");
  command->footer("Example:\n  z0 ack 1f0c4d2a9b7e6a53 --reason 'D1 is down, Cloudflare knows'\n");
  command->callback(
      [options, &context] { context.exit_code = acknowledge(connection_of(context), *options); });
}

}  // namespace z0::cli
