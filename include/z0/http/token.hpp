// Bearer tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 (HS256), and nothing else: the
// header must say HS256, `none` and public-key algorithms are refused by construction.
//
// Claims: `tenant` (one tenant's id, or "*" for operators, who may act for all), `scope` (RFC 8693:
// names separated by spaces), `exp` (required) and `nbf` (from when it is good), `aud` (a name or a
// list of names; when there is one, it must name this service). Others, `iat` among them, are
// ignored.
//
// `exp` and `nbf` are seconds since 1970 and may have a fraction (NumericDate, RFC 7519, 2), of
// which we read milliseconds. A time after the year 9999 is refused: the number is in milliseconds,
// and such a token would be good for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace z0 {

// What `aud` must name (RFC 7519, 4.1.3).
inline constexpr std::string_view token_audience = "z0";

// The last second of the year 9999.
inline constexpr std::int64_t token_time_s_max = 253'402'300'799;

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
  std::uint8_t scopes = 0;     // of Scope
  std::int64_t expires_s = 0;  // a fraction is dropped
};

// Scopes by name, separated by spaces or commas: "facts:write facts:read telemetry:write ops
// config:write". Returns 0 when one is not known or none is given. A verifier ignores scopes that
// it does not know.
std::uint8_t parse_scopes(std::string_view names, bool ignore_unknown);
std::string scope_names(std::uint8_t scopes);

// Verifies the signature with each of the comma-separated secrets (so that one can be rotated), in
// constant time, before anything inside is read; then the claims, then `exp` and `nbf` against
// now_ms. False for every reason alike: the caller learns only "unauthorized".
bool verify_token(std::string_view token, std::string_view secrets, std::int64_t now_ms,
                  Claims& out);

// Between which moments a token is good.
struct TokenTimes {
  std::int64_t from_ms = 0;
  std::int64_t until_ms = 0;

  // At the moment of `exp` a token is no longer good, at that of `nbf` it is (RFC 7519, 4.1).
  bool hold(std::int64_t now_ms) const { return now_ms >= from_ms && now_ms < until_ms; }
};

// Tokens that were verified before: a client sends the same one for hours, and its signature took
// as long as all else of a small request. Says of every token what verify_token says; the times are
// asked anew whenever it comes, and other secrets make all of them unknown, so a secret that was
// taken away takes its tokens along at once.
//
// Where a token is kept follows from a hash that is keyed by the secrets, and a token that is met
// there is compared whole in constant time: the time of an answer tells nothing of a token that
// somebody else holds. Only what was verified is kept, one token a place, so memory is bounded by
// places x limits::token_bytes_max.
class KnownTokens {
 public:
  static constexpr std::size_t places = 256;

  // The claims of a token that verifies, until the next call; null for any other.
  const Claims* verify(std::string_view token, std::string_view secrets, std::int64_t now_ms);

 private:
  struct Known {
    std::string token;
    Claims claims;
    TokenTimes times;
  };
  Known& place_of(std::string_view token, std::string_view secrets);

  std::string secrets_;
  std::uint64_t seed_ = 0;
  std::vector<Known> known_;  // none before the first token
};

// Signs with the first secret. issued_s is the `iat`. Empty when no verifier would take the token:
// no secret, a tenant that is no id, an expiry after the year 9999.
std::string mint_token(const Claims& claims, std::string_view secrets, std::int64_t issued_s);

}  // namespace z0
