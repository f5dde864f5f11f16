// z0 config: versioned settings, set and looked up.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "server/settings.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct ConfigOptions {
  std::string id, version, as_of, tenant;
  std::string type, category, scope, applies_to, settings, expected_version;
  bool json = false;
  bool csv = false;
};

std::string path_of(const ConfigOptions& options) {
  return "/v1/configs/" + url_escaped(options.id);
}

void print_version(const json& config) {
  const std::string scope = text_of(config, "scope");
  const std::string applies_to = text_of(config, "applies_to");
  const std::string until = has_integer(config, "superseded_at")
                                ? " until " + time_words(integer_of(config, "superseded_at"))
                                : std::string();
  std::printf("%s version %s: %s, %s%s, since %s%s\n", text_of(config, "config_id").c_str(),
              text_of(config, "version").c_str(), text_of(config, "type").c_str(), scope.c_str(),
              applies_to.empty() ? "" : (" " + applies_to).c_str(),
              time_words(integer_of(config, "effective_at")).c_str(), until.c_str());
  std::printf("%s\n", object_of(config, "settings").dump(1).c_str());
}

void print(const json& config, bool as_json) {
  if (as_json)
    std::printf("%s\n", config.dump(1).c_str());
  else
    print_version(config);
}

int run_get(const Connection& connection, const ConfigOptions& options) {
  Api api(connection);
  print(api.get(path_with_query(
            path_of(options),
            {{"version", options.version}, {"as_of", time_parameter(options.as_of, "--as-of")}})),
        options.json);
  return exit_ok;
}

// JSON itself, or @FILE with it.
json settings_of(const std::string& text) {
  const bool in_file = text.substr(0, 1) == "@";
  const std::string where = in_file ? text.substr(1) : "--settings";
  try {
    json settings = json::parse(in_file ? contents_of(where) : text);
    if (settings.is_object()) return settings;
  } catch (const json::parse_error& error) {
    throw Failure(where + " is no JSON from byte " + std::to_string(error.byte) +
                      " on: give a JSON object, or @FILE with one",
                  exit_usage);
  }
  throw Failure(where + " holds no JSON object: give one, or @FILE with one", exit_usage);
}

int run_set(const Connection& connection, const ConfigOptions& options) {
  json body = {{"type", options.type},
               {"scope", options.scope},
               {"settings", settings_of(options.settings)}};
  const std::pair<const char*, const std::string*> texts[] = {{"category", &options.category},
                                                              {"applies_to", &options.applies_to},
                                                              {"tenant_id", &options.tenant}};
  for (const auto& [name, value] : texts) {
    if (!value->empty()) body[name] = *value;
  }
  if (!options.expected_version.empty())
    body["expected_version"] = std::stoll(options.expected_version);
  Api api(connection);
  json answer = api.put(path_of(options), body.dump());
  if (!answer.contains("config_id")) answer["config_id"] = options.id;
  print(answer, options.json);
  return exit_ok;
}

int run_history(const Connection& connection, const ConfigOptions& options) {
  Api api(connection);
  std::vector<json> versions;
  json gaps = json::array();
  const auto take = [&](const json& page) {
    for (const json& version : page.value("versions", json::array())) versions.push_back(version);
    for (const json& gap : page.value("gaps", json::array())) gaps.push_back(gap);
    return true;
  };
  api.pages(path_of(options) + "/versions", {}, take, "from_version", "next_version");
  if (options.json) {
    std::printf("%s\n", json{{"versions", versions}, {"gaps", gaps}}.dump(1).c_str());
    return exit_ok;
  }
  if (options.csv) {
    std::fputs(csv_of(versions, {"version", "effective_at", "superseded_at", "type", "category",
                                 "scope", "applies_to", "settings"})
                   .c_str(),
               stdout);
    return exit_ok;
  }
  Table table({">version", "since (UTC)", "type", "scope", "settings"});
  for (const json& v : versions) {
    table.add({text_of(v, "version"), time_words(integer_of(v, "effective_at")), text_of(v, "type"),
               text_of(v, "scope"), object_of(v, "settings").dump()});
  }
  std::fputs(table.text().c_str(), stdout);
  if (!gaps.empty()) std::printf("missing versions: %s\n", gaps.dump().c_str());
  return exit_ok;
}

// Both kinds of gaps under one header; each leaves empty what only the other kind has.
std::string gaps_csv(const json& missing, const json& unknown) {
  std::vector<json> rows;
  for (json gap : missing) {
    gap["gap"] = "missing";
    rows.push_back(std::move(gap));
  }
  for (json gap : unknown) {
    gap["gap"] = "unknown";
    gap["version"] = gap["config_version"];
    rows.push_back(std::move(gap));
  }
  return csv_of(rows, {"gap", "tenant_id", "config_id", "version", "previous_version", "entity_id",
                       "facts", "first_seq"});
}

int run_gaps(const Connection& connection, const ConfigOptions& options) {
  Api api(connection);
  const json gaps = api.get(path_with_query("/v1/configs/gaps", {{"tenant", options.tenant}}));
  const json missing = gaps.value("missing", json::array());
  const json unknown = gaps.value("unknown", json::array());
  if (options.json) {
    std::printf("%s\n", gaps.dump(1).c_str());
  } else if (options.csv) {
    std::fputs(gaps_csv(missing, unknown).c_str(), stdout);
  } else {
    Table table({"tenant", "config", ">version", "what is wrong"});
    for (const json& gap : missing) {
      table.add({text_of(gap, "tenant_id"), text_of(gap, "config_id"), text_of(gap, "version"),
                 "the version before it is " + text_of(gap, "previous_version")});
    }
    for (const json& gap : unknown) {
      table.add({text_of(gap, "tenant_id"), text_of(gap, "config_id"),
                 text_of(gap, "config_version"),
                 "unknown to " + text_of(gap, "entity_id") + ", named by " + text_of(gap, "facts") +
                     " facts from seq " + text_of(gap, "first_seq")});
    }
    std::fputs(table.empty() ? "no gaps\n" : table.text().c_str(), stdout);
  }
  return missing.empty() && unknown.empty() ? exit_ok : exit_failed;
}

void add_set(CLI::App* set, ConfigOptions& options) {
  set->add_option("ID", options.id, "For example cfg_acme_budget")->required();
  set->add_option("--type", options.type,
                  "budget, alert_rules, alert_channels, routing, retention or sampling")
      ->required();
  set->add_option("--scope", options.scope, "platform, tenant or entity")->required();
  set->add_option("--settings", options.settings, "A JSON object, or @FILE with one")->required();
  set->add_option("--category", options.category, "policy (the default) or logic");
  set->add_option("--applies-to", options.applies_to, "The entity, for the scope entity");
  set->add_option("--tenant", options.tenant, "Whose config, with a token for all tenants");
  set->add_option("--expected-version", options.expected_version,
                  "Refuse unless this is the current version; 0 for none")
      ->check(CLI::NonNegativeNumber);
  set->footer(
      "Example:\n"
      "  z0 config set cfg_acme_budget --type budget --scope tenant --tenant tenant_acme \\\n"
      "    --settings '{\"limit\":100000,\"currency\":\"USD\",\"period\":\"month\"}'\n");
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ConfigOptions>();
  CLI::App* command = app.add_subcommand("config", "Versioned settings: get, set, history, gaps");
  command->require_subcommand(1);
  CLI::Option* as_json = command->add_flag("--json", options->json, "As JSON");
  const auto runs = [&context, options](CLI::App* verb, auto run) {
    verb->callback(
        [&context, options, run] { context.exit_code = run(connection_of(context), *options); });
  };
  CLI::App* get = command->add_subcommand("get", "The current version, or another one");
  get->add_option("ID", options->id, "For example cfg_acme_budget")->required();
  CLI::Option* version = get->add_option("--version", options->version, "That version");
  get->add_option("--as-of", options->as_of, "The one in effect then")->excludes(version);
  runs(get, run_get);
  CLI::App* set = command->add_subcommand("set", "A new version; the same again makes none");
  add_set(set, *options);
  runs(set, run_set);
  CLI::App* history = command->add_subcommand("history", "All versions");
  history->add_option("ID", options->id, "For example cfg_acme_budget")->required();
  history->add_flag("--csv", options->csv, csv_help)->excludes(as_json);
  runs(history, run_history);
  CLI::App* gaps = command->add_subcommand("gaps", "Versions that are missing, or named in vain");
  gaps->add_option("--tenant", options->tenant, "Only this tenant");
  gaps->add_flag("--csv", options->csv, csv_help)->excludes(as_json);
  runs(gaps, run_gaps);
  command->footer(
      "Examples:\n"
      "  z0 config get cfg_acme_budget --as-of 2026-03-31\n"
      "  z0 config history cfg_acme_budget --csv\n"
      "  z0 config gaps\n");
}

}  // namespace z0::cli
