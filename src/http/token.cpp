#include "z0/http/token.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"

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

// No number of a token has so many digits that a larger exponent would make a difference.
constexpr std::int64_t exponent_max = 100'000;

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

// All secrets are tried even after one fits: the time tells nothing about which it was.
bool signed_by_any(std::string_view signed_text, std::string_view signature,
                   std::string_view secrets) {
  bool fits = false;
  for (std::string_view secret = take_secret(secrets); !secret.empty();
       secret = take_secret(secrets)) {
    fits |= equal_in_constant_time(bytes_of(hmac_sha256(secret, signed_text)), signature);
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

// A NumericDate in milliseconds, rounded down. `text` is a JSON number. What lies before 1970 is 0;
// false for what lies after the year 9999.
bool parse_numeric_date(std::string_view text, std::int64_t& ms) {
  ms = 0;
  if (text.starts_with('-')) return true;
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  text.remove_prefix(std::min(text.size(), mantissa.size() + 1));
  const bool small = text.starts_with('-');
  std::int64_t exponent = 0;
  for (const char c : text) {
    if (c != '-' && c != '+' && exponent < exponent_max) exponent = exponent * 10 + (c - '0');
  }
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, point));
  if (point < mantissa.size()) digits += mantissa.substr(point + 1);
  const std::int64_t shifted = static_cast<std::int64_t>(point) + (small ? -exponent : exponent);
  // Milliseconds are three digits more than seconds.
  for (std::int64_t i = 0; i < shifted + 3; ++i) {
    const bool written = i < static_cast<std::int64_t>(digits.size());
    if (!written && ms == 0) break;
    ms = ms * 10 + (written ? digits[static_cast<std::size_t>(i)] - '0' : 0);
    if (ms >= (token_time_s_max + 1) * 1000) return false;
  }
  return true;
}

bool read_time(JsonReader& reader, std::string_view json, std::int64_t& ms) {
  if (reader.peek() != JsonKind::number) return false;
  const std::size_t from = reader.offset();
  return reader.skip() && parse_numeric_date(json.substr(from, reader.offset() - from), ms);
}

// One name, or a list of names.
bool read_audience(JsonReader& reader) {
  std::string scratch;
  std::string_view name;
  if (reader.peek() == JsonKind::string) {
    return reader.string(name, scratch) && name == token_audience;
  }
  bool ours = false;
  if (!reader.enter_array()) return false;
  while (reader.next_element()) {
    if (!reader.string(name, scratch)) return false;
    ours |= name == token_audience;
  }
  return ours;
}

// A claim of ours that stands there twice could be read in two ways, so it is refused. Without
// `scope` a token proves who is asking and allows nothing.
bool read_claims(std::string_view json, Claims& claims, TokenTimes& times) {
  JsonReader reader(json, limits::json_depth_max);
  if (!reader.enter_object()) return false;
  bool has_tenant = false;
  bool has_scope = false;
  bool has_expiry = false;
  bool has_start = false;
  bool has_audience = false;
  const auto first = [](bool& seen) { return !std::exchange(seen, true); };
  std::string_view key;
  while (reader.next_member(key)) {
    bool read = false;
    if (key == "tenant") {
      read = first(has_tenant) && read_tenant(reader, claims);
    } else if (key == "scope") {
      read = first(has_scope) && read_scope(reader, claims);
    } else if (key == "exp") {
      read = first(has_expiry) && read_time(reader, json, times.until_ms);
    } else if (key == "nbf") {
      read = first(has_start) && read_time(reader, json, times.from_ms);
    } else if (key == "aud") {
      read = first(has_audience) && read_audience(reader);
    } else {
      read = reader.skip();
    }
    if (!read) return false;
  }
  claims.expires_s = times.until_ms / 1000;
  return has_tenant && has_expiry && reader.at_end() && reader.error() == JsonError::none;
}

// What the token says and when, if it is signed by one of the secrets.
bool read_token(std::string_view token, std::string_view secrets, Claims& claims,
                TokenTimes& times) {
  if (token.size() > limits::token_bytes_max) return false;
  const std::size_t first_dot = token.find('.');
  const std::size_t last_dot = token.rfind('.');
  if (first_dot == last_dot || token.find('.', first_dot + 1) != last_dot) return false;
  std::string bytes;
  if (!base64url_decode(token.substr(last_dot + 1), bytes)) return false;
  if (!signed_by_any(token.substr(0, last_dot), bytes, secrets)) return false;

  if (!base64url_decode(token.substr(0, first_dot), bytes) || !header_accepted(bytes)) return false;
  const std::string_view payload = token.substr(first_dot + 1, last_dot - first_dot - 1);
  return base64url_decode(payload, bytes) && read_claims(bytes, claims, times);
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
  Claims claims;
  TokenTimes times;
  if (!read_token(token, secrets, claims, times) || !times.hold(now_ms)) return false;
  out = std::move(claims);
  return true;
}

KnownTokens::Known& KnownTokens::place_of(std::string_view token, std::string_view secrets) {
  if (known_.empty() || secrets_ != secrets) {
    const Digest seed = hmac_sha256(secrets, "known tokens");
    std::memcpy(&seed_, seed.data(), sizeof seed_);
    secrets_ = secrets;
    known_.clear();
    known_.resize(places);
  }
  return known_[static_cast<std::size_t>(id_hash(token, seed_)) % places];
}

const Claims* KnownTokens::verify(std::string_view token, std::string_view secrets,
                                  std::int64_t now_ms) {
  Known& known = place_of(token, secrets);
  if (token.empty() || !equal_in_constant_time(known.token, token)) {
    Known read;
    if (!read_token(token, secrets, read.claims, read.times)) return nullptr;
    // A token that is over would only push out one that is not.
    if (!read.times.hold(now_ms)) return nullptr;
    read.token = token;
    known = std::move(read);
  }
  return known.times.hold(now_ms) ? &known.claims : nullptr;
}

std::string mint_token(const Claims& claims, std::string_view secrets, std::int64_t issued_s) {
  const std::string_view secret = take_secret(secrets);
  // What no verifier would take is not made.
  if (secret.empty() || (!claims.all_tenants && !valid_id(claims.tenant_id))) return {};
  if (claims.expires_s > token_time_s_max) return {};
  std::string payload;
  JsonWriter json(payload);
  json.object();
  json.text("tenant", claims.all_tenants ? any_tenant : std::string_view(claims.tenant_id));
  json.text("scope", scope_names(claims.scopes));
  json.integer("exp", claims.expires_s).integer("iat", issued_s).end();

  std::string token = base64url_encode(header);
  token.append(".").append(base64url_encode(payload));
  const std::string signature = base64url_encode(bytes_of(hmac_sha256(secret, token)));
  return token.append(".").append(signature);
}

}  // namespace z0
