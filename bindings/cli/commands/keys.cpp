// z0 keys: the keys that sign checkpoints, and a new one in front of them.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>

#include "audit/ed25519.hpp"
#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/files.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "server/settings.hpp"

namespace z0::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* variable = "Z0_LOG_KEYS";

struct KeysOptions {
  bool json = false;
  std::string file;
};

int run_keys(const Connection& connection, const KeysOptions& options) {
  Api api(connection);
  const nlohmann::json answer = api.get("/v1/keys");
  if (options.json) {
    std::printf("%s\n", answer.dump(1).c_str());
    return exit_ok;
  }
  for (const auto& key : answer.at("keys")) std::printf("%s\n", key.get<std::string>().c_str());
  return exit_ok;
}

// The file with `value` in the place of the variable's last line, or behind all others.
std::string with_variable(const std::string& text, const std::string& value) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (variable_in(line, variable).empty()) kept += line + "\n";
  }
  return kept + variable + "=" + value + "\n";
}

int run_rotate(const KeysOptions& options) {
  const auto found = options.file.empty() ? find_upwards(".dev.vars") : fs::path(options.file);
  if (!found || !fs::exists(*found)) {
    throw Failure("there is no " + (found ? found->string() : ".dev.vars") +
                      ": start ./scripts/dev once, or name the file with --vars",
                  exit_usage);
  }
  const std::string text = contents_of(found->string());
  const std::string old = variable_in(text, variable);
  const std::string key = new_log_key();
  if (key.empty()) throw Failure("OpenSSL cannot make a key");
  OutputFile file(found->string(), true);
  file.write(with_variable(text, old.empty() ? key : key + "," + old));
  file.commit();
  std::printf(
      "a new key stands first in %s; the old ones still sign, so whoever trusts one of them can\n"
      "go on. z0 takes it at its next start; then hand out what `z0 keys` shows.\n",
      found->string().c_str());
  return exit_ok;
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  const auto options = std::make_shared<KeysOptions>();
  CLI::App* command = app.add_subcommand("keys", "The public keys that sign checkpoints");
  command->add_flag("--json", options->json, "As JSON");
  CLI::App* rotate = command->add_subcommand("rotate", "Put a new signing key before the old ones");
  rotate->add_option("--vars", options->file, "The file with Z0_LOG_KEYS; .dev.vars when absent");
  rotate->footer(
      "On Cloudflare the file is yours to keep; its value becomes the secret:\n"
      "  sed -n 's/^Z0_LOG_KEYS=//p' FILE | npx wrangler secret put Z0_LOG_KEYS\n\n"
      "Example:\n  z0 keys rotate\n");
  rotate->callback([options, &context] { context.exit_code = run_rotate(*options); });
  command->footer(
      "One a line, the current one first, as `z0 verify --key` takes them.\n\n"
      "Examples:\n  z0 keys > keys.txt\n  z0 keys rotate\n");
  command->callback([command, options, &context] {
    if (command->get_subcommands().empty())
      context.exit_code = run_keys(connection_of(context), *options);
  });
}

}  // namespace z0::cli
