// Where z0 is and with which token: options, environment, or the file that ./scripts/dev writes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "server/http.hpp"

namespace z0::cli {

struct Context {
  std::string url;    // --url or Z0_URL
  std::string token;  // --token or Z0_TOKEN
  int exit_code = 0;
};

// Fills what was not given from .wrangler/z0.json. Throws Failure that says what to start or give.
Connection connection_of(const Context& context);

// The nearest file of that relative name in a directory or those above it: first from the current
// directory, then from the binary's own.
std::optional<std::filesystem::path> find_upwards(const std::filesystem::path& name);

// The value of Z0_TOKEN_SECRET: from the environment, else from the file (lines of NAME=value).
// An empty path means .dev.vars, looked for upwards. Empty when there is none.
std::string token_secret(const std::string& file);

// Who says something of an alert: whom --by names, else $USER. Throws Failure where there is neither.
std::string author_of(const std::string& by);

// The value of NAME in lines of NAME=value, quotes taken off; the last one counts.
// Empty when there is none.
std::string variable_in(const std::string& text, const std::string& name);

}  // namespace z0::cli
