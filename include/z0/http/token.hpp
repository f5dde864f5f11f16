// Bearer tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 (HS256), and nothing else: the
// header must say HS256, `none` and public-key algorithms are refused by construction.
//
// Claims: `tenant` (one tenant's id, or "*" for operators, who may act for all), `scope` (RFC 8693:
// names separated by spaces), `exp` (seconds since 1970, required), `iat` (optional). Others are
// ignored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace z0 {

enum Scope : std::uint8_t {
  scope_facts_write = 1,
  scope_facts_read = 2,
  scope_telemetry_write = 4,
  scope_ops = 8,
  scope_config_write = 16,
};

struct Claims {
  std::string tenant_id;  // empty when all_tenants
  bool all_tenants = false;
  std::uint8_t scopes = 0;  // of Scope
  std::int64_t expires_s = 0;
};

// Scopes by name, separated by spaces or commas: "facts:write facts:read telemetry:write ops
// config:write". Returns 0 when one is not known or none is given. A verifier ignores scopes that
// it does not know.
std::uint8_t parse_scopes(std::string_view names, bool ignore_unknown);
std::string scope_names(std::uint8_t scopes);

// Verifies the signature with each of the comma-separated secrets (so that one can be rotated), in
// constant time, before anything inside is read; then the claims, then the expiry against now_ms.
// False for every reason alike: the caller learns only "unauthorized".
bool verify_token(std::string_view token, std::string_view secrets, std::int64_t now_ms,
                  Claims& out);

// Signs with the first secret. issued_s is the `iat`.
std::string mint_token(const Claims& claims, std::string_view secrets, std::int64_t issued_s);

}  // namespace z0
