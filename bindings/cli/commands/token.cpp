// z0 token: makes a bearer token, or shows what one says.
#include "z0/http/token.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct TokenOptions {
  std::string tenant;
  bool all = false;
  std::string scope = "facts:write facts:read";
  std::string expires = "30d";
  std::string secret_file;
  std::string show;
  bool json = false;
};

int mint(const TokenOptions& options) {
  if (options.all != options.tenant.empty()) {
    throw Failure("say whose token it is: --tenant T, or --all for an operator", exit_usage);
  }
  const auto lifetime_ms = parse_duration_ms(options.expires);
  if (!lifetime_ms || *lifetime_ms < 1'000) {
    throw Failure("--expires takes a time like 30d, 12h or 15m, not " + options.expires,
                  exit_usage);
  }
  Claims claims;
  claims.tenant_id = options.tenant;
  claims.all_tenants = options.all;
  claims.scopes = parse_scopes(options.scope, false);
  claims.expires_s = (now_ms() + *lifetime_ms) / 1000;
  if (claims.expires_s > token_time_s_max) {
    throw Failure("--expires ends by the year 9999, not after " + options.expires, exit_usage);
  }
  if (claims.scopes == 0) {
    throw Failure(
        "--scope takes some of \"facts:write facts:read telemetry:write ops config:write\", not "
        "\"" +
            options.scope + "\"",
        exit_usage);
  }
  if (!options.all && !valid_id(options.tenant)) {
    throw Failure("--tenant takes 1 to 128 of A-Z a-z 0-9 _ . : -, not " + options.tenant,
                  exit_usage);
  }
  const std::string secret = token_secret(options.secret_file);
  if (secret.empty()) {
    throw Failure(
        "no secret to sign with: set Z0_TOKEN_SECRET, or write it into .dev.vars as "
        "Z0_TOKEN_SECRET=...",
        exit_usage);
  }
  const std::string token = mint_token(claims, secret, now_ms() / 1000);
  if (options.json) {
    std::printf("%s\n", json{{"token", token}, {"expires_s", claims.expires_s}}.dump().c_str());
  } else {
    std::printf("%s\n", token.c_str());
  }
  return exit_ok;
}

// A part of the token as JSON; Failure where it is none.
json part_of(const std::string& text) {
  std::string decoded;
  json part = base64url_decode(text, decoded) ? json::parse(decoded, nullptr, false) : json();
  if (!part.is_object()) throw Failure("this is no token: it has three base64url parts with JSON");
  return part;
}

std::string expiry_words(const json& claims) {
  const auto found = claims.find("exp");
  if (found == claims.end() || !found->is_number_integer())
    return "has no expiry, so z0 refuses it";
  const std::int64_t at_s = found->get<std::int64_t>();
  const std::int64_t left_s = at_s - now_ms() / 1000;
  const auto words = duration_words(static_cast<double>(left_s < 0 ? -left_s : left_s));
  return time_words(at_s * 1000).substr(0, 19) + " UTC, " +
         (left_s > 0 ? "in " + words : words + " ago");
}

// Exit code 1 when the token would not be accepted, as far as that can be told here.
int show(const TokenOptions& options) {
  const std::string& token = options.show;
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string::npos ? first : token.find('.', first + 1);
  if (second == std::string::npos) {
    throw Failure("this is no token: it has three base64url parts with JSON");
  }
  const json header = part_of(token.substr(0, first));
  const json claims = part_of(token.substr(first + 1, second - first - 1));
  const std::string secret = token_secret(options.secret_file);
  Claims verified;
  const bool valid = !secret.empty() && verify_token(token, secret, now_ms(), verified);
  const char* verdict = secret.empty() ? "not checked: there is no secret here"
                        : valid        ? "accepted with the secret found here"
                                       : "refused with the secret found here";
  if (options.json) {
    json out{{"header", header}, {"claims", claims}};
    out["accepted"] = secret.empty() ? json() : json(valid);
    std::printf("%s\n", out.dump(1).c_str());
  } else {
    const std::string tenant = claims.value("tenant", json()).dump();
    const std::string scope = claims.value("scope", json()).dump();
    std::printf("tenant    %s%s\nscope     %s\nexpires   %s\nverdict   %s\n", tenant.c_str(),
                tenant == "\"*\"" ? " (operator: all tenants)" : "", scope.c_str(),
                expiry_words(claims).c_str(), verdict);
  }
  return secret.empty() || valid ? exit_ok : exit_failed;
}

}  // namespace

void add_token(CLI::App& app, Context& context) {
  const auto options = std::make_shared<TokenOptions>();
  CLI::App* command = app.add_subcommand("token", "Make a bearer token, or show what one says");
  CLI::Option* tenant = command->add_option("--tenant", options->tenant, "For this tenant alone");
  command->add_flag("--all", options->all, "For an operator: acts for all tenants")
      ->excludes(tenant);
  command
      ->add_option("--scope", options->scope,
                   "Of facts:write facts:read telemetry:write ops config:write")
      ->capture_default_str();
  command->add_option("--expires", options->expires, "How long it is good for")
      ->capture_default_str();
  command
      ->add_option("--secret-file", options->secret_file,
                   "Where Z0_TOKEN_SECRET stands; otherwise the environment, then .dev.vars")
      ->check(CLI::ExistingFile);
  command->add_option("--show", options->show, "Show what this token says");
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "Examples:\n"
      "  z0 token --all --scope \"facts:write facts:read ops\"\n"
      "  z0 token --tenant tenant_acme --scope facts:read --expires 12h\n"
      "  z0 token --show \"$Z0_TOKEN\"\n");
  command->callback([options, &context] {
    context.exit_code = options->show.empty() ? mint(*options) : show(*options);
  });
}

}  // namespace z0::cli
