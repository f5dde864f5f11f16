// Tokens that were verified before: remembered, they are worth what they would be anew.
#include <string>
#include <string_view>

#include "unit/catch.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/sha256.hpp"
#include "z0/http/token.hpp"

namespace {

using z0::Claims;
using z0::KnownTokens;

constexpr std::string_view secret = "a-secret-of-these-tests";
constexpr std::int64_t moment_ms = 1'700'000'000'000;

std::string signed_token(std::string_view payload) {
  const std::string text =
      z0::base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." + z0::base64url_encode(payload);
  const z0::Digest code = z0::hmac_sha256(secret, text);
  return text + "." +
         z0::base64url_encode({reinterpret_cast<const char*>(code.data()), code.size()});
}

std::string token_of(const std::string& tenant, std::int64_t expires_s = 1'700'003'600) {
  return signed_token(R"({"tenant":")" + tenant + R"(","scope":"facts:write","exp":)" +
                      std::to_string(expires_s) + "}");
}

}  // namespace

TEST_CASE("A known token is good from nbf until exp, whenever it was met first", "[token]") {
  const std::string token =
      signed_token(R"({"tenant":"t","exp":1700000010.5,"nbf":1699999990.25})");
  const std::int64_t moments[] = {1'699'999'990'249, 1'699'999'990'250, moment_ms,
                                  1'700'000'010'499, 1'700'000'010'500, 1'800'000'000'000};
  for (const std::int64_t first : moments) {
    for (const std::int64_t then : moments) {
      KnownTokens tokens;
      Claims anew;
      tokens.verify(token, secret, first);
      INFO(first << " and then " << then);
      CHECK((tokens.verify(token, secret, then) != nullptr) ==
            z0::verify_token(token, secret, then, anew));
      // A clock that was set back finds it as it is, too.
      CHECK((tokens.verify(token, secret, first) != nullptr) ==
            z0::verify_token(token, secret, first, anew));
    }
  }
}

TEST_CASE("A known token is refused as soon as its secret is taken away", "[token]") {
  KnownTokens tokens;
  const std::string token = token_of("ten_acme");
  REQUIRE(tokens.verify(token, secret, moment_ms) != nullptr);
  CHECK(tokens.verify(token, "another-secret", moment_ms) == nullptr);
  CHECK(tokens.verify(token, "", moment_ms) == nullptr);
  CHECK(tokens.verify(token, "another-secret," + std::string(secret), moment_ms) != nullptr);
  CHECK(tokens.verify(token, "another-secret", moment_ms) == nullptr);
  CHECK(tokens.verify(token, secret, moment_ms) != nullptr);
}

TEST_CASE("Nothing but the known token itself passes for it", "[token]") {
  KnownTokens tokens;
  const std::string token = token_of("ten_acme");
  REQUIRE(tokens.verify(token, secret, moment_ms) != nullptr);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    if (other == token) continue;
    INFO("byte " << i);
    Claims anew;
    CHECK((tokens.verify(other, secret, moment_ms) != nullptr) ==
          z0::verify_token(other, secret, moment_ms, anew));
    CHECK(tokens.verify(token.substr(0, i), secret, moment_ms) == nullptr);
  }
  CHECK(tokens.verify(token + "A", secret, moment_ms) == nullptr);
  CHECK(tokens.verify("", secret, moment_ms) == nullptr);
}

TEST_CASE("More tokens than there are places keep their own claims", "[token]") {
  KnownTokens tokens;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < 4 * KnownTokens::places; ++i) {
      const std::string tenant = "ten_" + std::to_string(i);
      const Claims* claims = tokens.verify(token_of(tenant), secret, moment_ms);
      REQUIRE(claims != nullptr);
      CHECK(claims->tenant_id == tenant);
      CHECK(claims->scopes == z0::scope_facts_write);
      CHECK(claims->expires_s == 1'700'003'600);
    }
  }
}

TEST_CASE("Equality in constant time is equality, at every length and place", "[token]") {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'x');
    CHECK(z0::equal_in_constant_time(text, std::string(size, 'x')));
    CHECK_FALSE(z0::equal_in_constant_time(text, text + 'x'));
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = static_cast<char>(other[i] ^ '\x80');
      CHECK_FALSE(z0::equal_in_constant_time(text, other));
    }
  }
}
