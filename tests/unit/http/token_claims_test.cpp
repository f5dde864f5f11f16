// The claims that RFC 7519 registers: from when until when a token is good, and for whom.
#include <string>
#include <string_view>

#include "unit/catch.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/sha256.hpp"
#include "z0/http/token.hpp"

namespace {

using z0::Claims;

constexpr std::string_view secret = "correct-horse-battery-staple";
constexpr std::int64_t moment_ms = 1'700'000'000'000;

// Any payload, rightly signed, so that only a claim can be the reason of a refusal.
std::string signed_token(std::string_view payload) {
  const std::string text =
      z0::base64url_encode(R"({"alg":"HS256"})") + "." + z0::base64url_encode(payload);
  const z0::Digest code = z0::hmac_sha256(secret, text);
  return text + "." +
         z0::base64url_encode({reinterpret_cast<const char*>(code.data()), code.size()});
}

bool verifies(std::string_view payload, std::int64_t now_ms) {
  Claims claims;
  return z0::verify_token(signed_token(payload), secret, now_ms, claims);
}

}  // namespace

TEST_CASE("A token's times may have a fraction, and are never in milliseconds", "[token]") {
  struct Row {
    const char* claims;
    std::int64_t now_ms;
    bool good;
  };
  const Row rows[] = {
      {R"("exp":1700000000.5)", moment_ms + 499, true},
      {R"("exp":1700000000.5)", moment_ms + 500, false},
      {R"("exp":1700000000.0)", moment_ms - 1, true},
      {R"("exp":1700000000.0)", moment_ms, false},
      {R"("exp":1700000000.0019)", moment_ms, true},
      {R"("exp":1700000000.0019)", moment_ms + 1, false},
      {R"("exp":1.7000000005e9)", moment_ms + 499, true},
      {R"("exp":1.7000000005E+9)", moment_ms + 500, false},
      {R"("exp":17000000005e-1)", moment_ms + 499, true},
      {R"("exp":17000000005e-1)", moment_ms + 500, false},
      {R"("exp":170000000050e-99999999999999999999)", 0, false},
      {R"("exp":0e99999999999999999999)", 0, false},
      {R"("exp":-1700003600.5)", 0, false},
      {R"("exp":253402300799.999)", moment_ms, true},
      {R"("exp":253402300800)", moment_ms, false},
      {R"("exp":2534023008e2)", moment_ms, false},
      {R"("exp":1e400)", moment_ms, false},
      {R"("exp":1700003600000)", moment_ms, false},
      {R"("exp":1700003600,"nbf":1700000000)", moment_ms, true},
      {R"("exp":1700003600,"nbf":1700000000)", moment_ms - 1, false},
      {R"("nbf":1700000000.25,"exp":1700003600)", moment_ms + 250, true},
      {R"("nbf":1700000000.25,"exp":1700003600)", moment_ms + 249, false},
      {R"("exp":1700003600,"nbf":-1)", moment_ms, true},
      {R"("exp":1700003600,"nbf":0)", moment_ms, true},
      {R"("exp":1700003600,"nbf":1700000000000)", moment_ms, false},
      {R"("exp":1700003600,"nbf":"1")", moment_ms, false},
      {R"("exp":1700003600,"nbf":null)", moment_ms, false},
      {R"("exp":1700003600,"nbf":1,"nbf":1)", moment_ms, false},
  };
  for (const Row& row : rows) {
    INFO(row.claims << " at " << row.now_ms);
    const std::string payload = std::string(R"({"tenant":"t",)") + row.claims + '}';
    CHECK(verifies(payload, row.now_ms) == row.good);
  }
  Claims claims;
  REQUIRE(z0::verify_token(signed_token(R"({"tenant":"t","exp":1700003600.9})"), secret, moment_ms,
                           claims));
  CHECK(claims.expires_s == 1'700'003'600);
}

TEST_CASE("A token for another service is refused", "[token]") {
  struct Row {
    const char* audience;
    bool good;
  };
  const Row rows[] = {
      {R"("z0")", true},
      {R"(["z0"])", true},
      {R"(["a", "z0", "b"])", true},
      {R"("\u007a0")", true},
      {R"("another")", false},
      {R"(["a","b"])", false},
      {R"([])", false},
      {R"("")", false},
      {R"("Z0")", false},
      {R"("z0 ")", false},
      {R"(null)", false},
      {R"(["z0",1])", false},
      {R"({"z0":"z0"})", false},
      {R"("z0","aud":"a")", false},
      {R"("z0","aud":"z0")", false},
  };
  for (const Row& row : rows) {
    INFO(row.audience);
    const std::string payload =
        std::string(R"({"tenant":"t","exp":1700003600,"aud":)") + row.audience + '}';
    CHECK(verifies(payload, moment_ms) == row.good);
  }
}
