#include "z0/http/token.hpp"

#include <cstddef>
#include <utility>

#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

struct ScopeName {
  std::string_view name;
  Scope scope;
};
constexpr ScopeName scope_table[] = {{"facts:write", scope_facts_write},
                                     {"facts:read", scope_facts_read},
                                     {"telemetry:write", scope_telemetry_write},
                                     {"ops", scope_ops},
                                     {"config:write", scope_config_write}};

constexpr std::string_view header = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::string_view any_tenant = "*";

// Takes the next part off `rest`: up to one of `separators`, which goes too.
std::string_view take_part(std::string_view& rest, std::string_view separators) {
  const std::size_t at = rest.find_first_of(separators);
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

// The next secret that is not empty; empty when none is left. White space around one is what a list
// or a file's last line feed leaves, never a part of it.
std::string_view take_secret(std::string_view& rest) {
  constexpr std::string_view blank = " \t\r\n";
  while (!rest.empty()) {
    std::string_view secret = take_part(rest, ",");
    const std::size_t first = secret.find_first_not_of(blank);
    if (first == std::string_view::npos) continue;
    return secret.substr(first, secret.find_last_not_of(blank) - first + 1);
  }
  return {};
}

std::uint8_t scope_of(std::string_view name) {
  for (const ScopeName& entry : scope_table) {
    if (entry.name == name) return entry.scope;
  }
  return 0;
}

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// All secrets are tried even after one fits: the time tells nothing about which it was.
bool signed_by_any(std::string_view signed_text, std::string_view signature,
                   std::string_view secrets) {
  bool fits = false;
  for (std::string_view secret = take_secret(secrets); !secret.empty();
       secret = take_secret(secrets)) {
    fits |= equal_in_constant_time(view(hmac_sha256(secret, signed_text)), signature);
  }
  return fits;
}

// Says HS256, and nothing that a verifier would have to know: `crit` names extensions that must be
// understood (RFC 7515, 4.1.11), and we understand none.
bool header_accepted(std::string_view json) {
  JsonReader reader(json, limits::json_depth_max);
  if (!reader.enter_object()) return false;
  bool hs256 = false;
  std::string_view key;
  std::string_view value;
  std::string scratch;
  while (reader.next_member(key)) {
    if (key == "crit") return false;
    if (key == "alg") {
      if (hs256 || !reader.string(value, scratch) || value != "HS256") return false;
      hs256 = true;
    } else if (!reader.skip()) {
      return false;
    }
  }
  return hs256 && reader.at_end() && reader.error() == JsonError::none;
}

bool read_tenant(JsonReader& reader, Claims& claims) {
  std::string scratch;
  std::string_view value;
  if (!reader.string(value, scratch)) return false;
  claims.all_tenants = value == any_tenant;
  if (claims.all_tenants) return true;
  claims.tenant_id = value;
  return valid_id(value);
}

bool read_scope(JsonReader& reader, Claims& claims) {
  std::string scratch;
  std::string_view value;
  if (!reader.string(value, scratch)) return false;
  claims.scopes = parse_scopes(value, true);
  return true;
}

bool read_expiry(JsonReader& reader, Claims& claims) {
  // Why it is no whole number is not told: every refusal is alike.
  JsonReader::Fit fit;
  return reader.integer(claims.expires_s, fit);
}

// A claim of ours that stands there twice could be read in two ways, so it is refused. Without
// `scope` a token proves who is asking and allows nothing.
bool read_claims(std::string_view json, Claims& claims) {
  JsonReader reader(json, limits::json_depth_max);
  if (!reader.enter_object()) return false;
  bool has_tenant = false;
  bool has_scope = false;
  bool has_expiry = false;
  const auto first = [](bool& seen) { return !std::exchange(seen, true); };
  std::string_view key;
  while (reader.next_member(key)) {
    bool read = false;
    if (key == "tenant") {
      read = first(has_tenant) && read_tenant(reader, claims);
    } else if (key == "scope") {
      read = first(has_scope) && read_scope(reader, claims);
    } else if (key == "exp") {
      read = first(has_expiry) && read_expiry(reader, claims);
    } else {
      read = reader.skip();
    }
    if (!read) return false;
  }
  return has_tenant && has_expiry && reader.at_end() && reader.error() == JsonError::none;
}

}  // namespace

std::uint8_t parse_scopes(std::string_view names, bool ignore_unknown) {
  std::uint8_t scopes = 0;
  while (!names.empty()) {
    const std::string_view name = take_part(names, " ,");
    if (name.empty()) continue;
    const std::uint8_t scope = scope_of(name);
    if (scope == 0 && !ignore_unknown) return 0;
    scopes |= scope;
  }
  return scopes;
}

std::string scope_names(std::uint8_t scopes) {
  std::string names;
  for (const ScopeName& entry : scope_table) {
    if ((scopes & entry.scope) == 0) continue;
    if (!names.empty()) names.push_back(' ');
    names.append(entry.name);
  }
  return names;
}

bool verify_token(std::string_view token, std::string_view secrets, std::int64_t now_ms,
                  Claims& out) {
  out = Claims{};
  if (token.size() > limits::token_bytes_max) return false;
  const std::size_t first_dot = token.find('.');
  const std::size_t last_dot = token.rfind('.');
  if (first_dot == last_dot || token.find('.', first_dot + 1) != last_dot) return false;
  std::string bytes;
  if (!base64url_decode(token.substr(last_dot + 1), bytes)) return false;
  if (!signed_by_any(token.substr(0, last_dot), bytes, secrets)) return false;

  if (!base64url_decode(token.substr(0, first_dot), bytes) || !header_accepted(bytes)) return false;
  const std::string_view payload = token.substr(first_dot + 1, last_dot - first_dot - 1);
  Claims claims;
  if (!base64url_decode(payload, bytes) || !read_claims(bytes, claims)) return false;
  // The second named by `exp` is the first in which the token is no longer good (RFC 7519, 4.1.4).
  if (now_ms / 1000 >= claims.expires_s) return false;
  out = claims;
  return true;
}

std::string mint_token(const Claims& claims, std::string_view secrets, std::int64_t issued_s) {
  const std::string_view secret = take_secret(secrets);
  // What no verifier would take is not made.
  if (secret.empty() || (!claims.all_tenants && !valid_id(claims.tenant_id))) return {};
  std::string payload = "{\"tenant\":";
  append_json_string(payload, claims.all_tenants ? any_tenant : std::string_view(claims.tenant_id));
  payload.append(",\"scope\":");
  append_json_string(payload, scope_names(claims.scopes));
  payload.append(",\"exp\":").append(std::to_string(claims.expires_s));
  payload.append(",\"iat\":").append(std::to_string(issued_s)).append("}");

  std::string token = base64url_encode(header);
  token.append(".").append(base64url_encode(payload));
  const std::string signature = base64url_encode(view(hmac_sha256(secret, token)));
  return token.append(".").append(signature);
}

}  // namespace z0
