// z0 silence: what nobody is told of for a while, who said so, and why.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <vector>

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

struct SilenceOptions {
  std::string tenant;
  bool json = false;
  bool csv = false;
  std::string rule;
  std::vector<std::string> labels;
  std::string how_long;
  std::string from;
  std::string until;
  std::string author;
  std::string reason;
  std::string id;
};

const std::vector<std::string> silence_members = {
    "id",     "state",    "rule",       "tenant_id", "labels",    "author",
    "reason", "made_for", "created_at", "starts_at", "expires_at"};

std::string matchers_of(const json& silence) {
  std::string out = text_of(silence, "rule");
  const auto add = [&out](const std::string& name, const std::string& value) {
    out += (out.empty() ? "" : " ") + name + '=' + value;
  };
  if (const std::string tenant = text_of(silence, "tenant_id"); !tenant.empty())
    add("tenant_id", tenant);
  const json labels = object_of(silence, "labels");
  for (const auto& [name, value] : labels.items())
    if (value.is_string()) add(name, value.get<std::string>());
  return out;
}

int list_silences(const Connection& connection, const SilenceOptions& options) {
  Api api(connection);
  const json answer = api.get(path_with_query("/v1/silences", {{"tenant", options.tenant}}));
  const std::vector<json> silences = answer.value("silences", json::array());
  if (options.json) {
    std::printf("%s\n", json(silences).dump(1).c_str());
    return exit_ok;
  }
  if (options.csv) {
    std::fputs(csv_of(silences, silence_members).c_str(), stdout);
    return exit_ok;
  }
  Table table({"state", "of", "from", "until", "by", "reason", "id"});
  for (const json& silence : silences)
    table.add({text_of(silence, "state"), matchers_of(silence),
               time_words(integer_of(silence, "starts_at")),
               time_words(integer_of(silence, "expires_at")), text_of(silence, "author"),
               text_of(silence, "reason"), text_of(silence, "id")});
  if (table.empty())
    std::printf("nothing is silenced\n");
  else
    std::fputs(table.text().c_str(), stdout);
  return exit_ok;
}

std::int64_t time_of(const std::string& text, const char* option) {
  return std::stoll(time_parameter(text, option));
}

int add_one(const Connection& connection, const SilenceOptions& options) {
  json body = {{"author", author_of(options.author)}, {"reason", options.reason}};
  if (!options.rule.empty()) body["rule"] = options.rule;
  if (!options.tenant.empty()) body["tenant_id"] = options.tenant;
  for (const std::string& label : options.labels) {
    const std::size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Failure("--label " + label + " is none: give NAME=VALUE", exit_usage);
    body["labels"][label.substr(0, equals)] = label.substr(equals + 1);
  }
  if (!options.from.empty()) body["starts_at"] = time_of(options.from, "--from");
  if (!options.until.empty())
    body["expires_at"] = time_of(options.until, "--until");
  else
    body["for"] = options.how_long;
  Api api(connection);
  const json silence = api.post("/v1/silences", body.dump());
  std::printf("%s is silenced until %s: %s\n", matchers_of(silence).c_str(),
              time_words(integer_of(silence, "expires_at")).c_str(),
              text_of(silence, "id").c_str());
  return exit_ok;
}

int remove_one(const Connection& connection, const SilenceOptions& options) {
  Api api(connection);
  const json silence = api.remove("/v1/silences/" + url_escaped(options.id));
  std::printf("%s is heard of again\n", matchers_of(silence).c_str());
  return exit_ok;
}

}  // namespace

void add_silence(CLI::App& app, Context& context) {
  const auto options = std::make_shared<SilenceOptions>();
  options->how_long = "1h";
  CLI::App* command = app.add_subcommand("silence", "What nobody is told of for a while");
  command->add_option("--tenant", options->tenant, "Those of this tenant alone");
  add_formats(command, options->json, options->csv);
  command->footer(
      "Examples:\n"
      "  z0 silence                     which there are\n"
      "  z0 silence add --rule 'Replication*' --for 2h --reason 'D1 moves'\n"
      "  z0 silence add --tenant tenant_north --label tool_id=search --reason 'they know'\n"
      "  z0 silence remove sil_1f0c4d2a9b7e6a53\n");
  command->require_subcommand(0, 1);

  CLI::App* add = command->add_subcommand("add", "Silence alerts");
  add->add_option("--rule", options->rule, "Of this rule; a * at its end stands for any rest");
  add->add_option("--tenant", options->tenant, "Of this tenant");
  add->add_option("--label", options->labels, "With this label: NAME=VALUE; several go together");
  CLI::Option* how_long =
      add->add_option("--for", options->how_long, "How long: 30m, 2h, 1d; an hour when left out");
  add->add_option("--until", options->until, "Until then: 2026-03-31T18:00, at most 30 days on")
      ->excludes(how_long);
  add->add_option("--from", options->from, "From then on: 2026-03-31T10:15; now when left out");
  add->add_option("--by", options->author, "Who; $USER when left out");
  add->add_option("--reason", options->reason, "Why")->required();
  add->callback(
      [options, &context] { context.exit_code = add_one(connection_of(context), *options); });

  CLI::App* remove = command->add_subcommand("remove", "End a silence now");
  remove->add_option("ID", options->id, "The silence's id: z0 silence lists them")->required();
  remove->callback(
      [options, &context] { context.exit_code = remove_one(connection_of(context), *options); });

  command->callback([options, command, &context] {
    if (command->get_subcommands().empty())
      context.exit_code = list_silences(connection_of(context), *options);
  });
}

}  // namespace z0::cli
