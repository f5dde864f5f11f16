#include "server/settings.hpp"

#include <cstdlib>
#include <sstream>
#include <system_error>

#include "base/failure.hpp"
#include "base/files.hpp"
#include "base/raw_json.hpp"

namespace z0::cli {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> find_from(fs::path directory, const fs::path& name) {
  for (;;) {
    std::error_code error;
    if (fs::is_regular_file(directory / name, error)) return directory / name;
    if (!directory.has_relative_path()) return std::nullopt;
    directory = directory.parent_path();
  }
}

}  // namespace

std::optional<fs::path> find_upwards(const fs::path& name) {
  std::error_code error;
  if (auto found = find_from(fs::current_path(error), name)) return found;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  return error ? std::nullopt : find_from(binary.parent_path(), name);
}

Connection connection_of(const Context& context) {
  Connection connection{context.url, context.token};
  if (connection.url.empty() || connection.token.empty()) {
    const auto path = find_upwards(".wrangler/z0.json");
    if (!path && connection.url.empty()) {
      throw Failure("no z0 is running here: start ./scripts/dev, or give --url and --token",
                    exit_usage);
    }
    const auto file = path ? nlohmann::json::parse(contents_of(path->string()), nullptr, false)
                           : nlohmann::json::object();
    if (!file.is_object()) {
      throw Failure(path->string() + " is damaged: start ./scripts/dev again", exit_usage);
    }
    // The file's token belongs to the file's z0, and is not shown to another one.
    const std::string file_url = file.value("url", std::string());
    if (connection.url.empty()) connection.url = file_url;
    if (connection.token.empty() && connection.url == file_url) {
      connection.token = file.value("token", std::string());
    }
  }
  while (!connection.url.empty() && connection.url.back() == '/') connection.url.pop_back();
  if (connection.url.empty()) throw Failure("no address: give --url", exit_usage);
  if (connection.token.empty()) {
    throw Failure("no token: give --token, or make one with `z0 token --all`", exit_usage);
  }
  return connection;
}

std::string variable_in(const std::string& text, const std::string& name) {
  std::string value;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::string_view rest = trimmed(line);
    if (rest.substr(0, 7) == "export ") rest = trimmed(rest.substr(7));
    if (rest.substr(0, name.size()) != name) continue;
    rest = trimmed(rest.substr(name.size()));
    if (rest.empty() || rest.front() != '=') continue;
    rest = trimmed(rest.substr(1));
    const bool quoted = rest.size() >= 2 && (rest.front() == '"' || rest.front() == '\'') &&
                        rest.back() == rest.front();
    value = quoted ? rest.substr(1, rest.size() - 2) : rest;
  }
  return value;
}

std::string token_secret(const std::string& file) {
  if (file.empty()) {
    if (const char* secret = std::getenv("Z0_TOKEN_SECRET"); secret != nullptr && *secret) {
      return secret;
    }
  }
  const auto path = file.empty() ? find_upwards(".dev.vars") : fs::path(file);
  return path ? variable_in(InputFile(path->string()).rest(), "Z0_TOKEN_SECRET") : std::string();
}

std::string author_of(const std::string& by) {
  if (!by.empty()) return by;
  const char* user = std::getenv("USER");
  if (user == nullptr || *user == '\0')
    throw Failure("nobody is named who says so, and $USER is empty: give --by", exit_usage);
  return user;
}

}  // namespace z0::cli
