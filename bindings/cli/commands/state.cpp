// z0 state: a cached state, now or as of an earlier moment.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "server/settings.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct StateOptions {
  std::string entity;
  std::string cache = "BudgetState";
  std::string as_of;
  bool json = false;
};

std::string as_of_parameter(const std::string& text) {
  return text.substr(0, 4) == "seq:" ? text : time_parameter(text, "--as-of");
}

int run_state(const Connection& connection, const StateOptions& options) {
  Api api(connection);
  const json answer = api.get(
      path_with_query("/v1/entities/" + url_escaped(options.entity) + "/state",
                      {{"cache", options.cache}, {"as_of", as_of_parameter(options.as_of)}}));
  if (options.json) {
    std::printf("%s\n", answer.dump(1).c_str());
    return exit_ok;
  }
  std::printf("%s of %s (%s) at seq %s, %s, from %s\n", options.cache.c_str(),
              text_of(answer, "entity_id").c_str(), text_of(answer, "tenant_id").c_str(),
              text_of(answer, "seq").c_str(), time_words(integer_of(answer, "computed_at")).c_str(),
              text_of(answer, "source").c_str());
  const auto state = answer.find("state");
  std::printf("%s\n", state == answer.end() ? "null" : state->dump(1).c_str());
  return exit_ok;
}

}  // namespace

void add_state(CLI::App& app, Context& context) {
  const auto options = std::make_shared<StateOptions>();
  CLI::App* command = app.add_subcommand("state", "A cached state of a ledger, now or earlier");
  command->add_option("ENTITY", options->entity, "For example acct_acme")->required();
  command->add_option("--cache", options->cache, "Which one")
      ->check(CLI::IsMember(
          {"BudgetState", "CapState", "AccessState", "ContactCanonical", "ConfigState"}))
      ->capture_default_str();
  command->add_option("--as-of", options->as_of, "seq:N, a time, or 15m for 15 minutes ago");
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "Examples:\n"
      "  z0 state acct_acme\n"
      "  z0 state ast_phone --cache CapState\n"
      "  z0 state acct_acme --as-of seq:100\n");
  command->callback(
      [options, &context] { context.exit_code = run_state(connection_of(context), *options); });
}

}  // namespace z0::cli
