#include "z0/http/token.hpp"

#include <string>
#include <string_view>

#include "unit/catch.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/sha256.hpp"

namespace {

using z0::Claims;

constexpr std::string_view test_secret = "a secret of the test, 32 bytes or";
constexpr std::string_view one_secret = "correct-horse-battery-staple";
constexpr std::int64_t test_now_ms = 1'700'000'000'000;
constexpr std::int64_t later_s = 1'700'003'600;
constexpr std::string_view hs256 = R"({"alg":"HS256","typ":"JWT"})";

// Any header and payload, rightly signed: what a holder of the secret could send.
std::string signed_token(std::string_view header, std::string_view payload,
                         std::string_view secret = one_secret) {
  const std::string text = z0::base64url_encode(header) + "." + z0::base64url_encode(payload);
  const z0::Digest code = z0::hmac_sha256(secret, text);
  return text + "." +
         z0::base64url_encode({reinterpret_cast<const char*>(code.data()), code.size()});
}

std::string with_payload(std::string_view payload) { return signed_token(hs256, payload); }

bool verifies(std::string_view token, std::string_view secrets = one_secret,
              std::int64_t now_ms = test_now_ms) {
  Claims claims;
  return z0::verify_token(token, secrets, now_ms, claims);
}

Claims tenant_claims() {
  Claims claims;
  claims.tenant_id = "ten_acme";
  claims.scopes = z0::scope_facts_write | z0::scope_facts_read;
  claims.expires_s = later_s;
  return claims;
}

}  // namespace

TEST_CASE("Scopes are read by name", "[token]") {
  struct Row {
    std::string names;
    int strict;
    int lenient;
  };
  const Row rows[] = {
      {"", 0, 0},
      {" , ", 0, 0},
      {"facts:write", 1, 1},
      {"facts:read", 2, 2},
      {"telemetry:write", 4, 4},
      {"ops", 8, 8},
      {"config:write", 16, 16},
      {"facts:write facts:read telemetry:write ops", 15, 15},
      {"ops,facts:read", 10, 10},
      {" ops ,  ops ", 8, 8},
      {"ops admin", 0, 8},
      {"admin", 0, 0},
      {"OPS", 0, 0},
      {"facts", 0, 0},
      {"facts:writes", 0, 0},
      {"facts:*", 0, 0},
  };
  for (const Row& row : rows) {
    INFO(row.names);
    CHECK(z0::parse_scopes(row.names, false) == row.strict);
    CHECK(z0::parse_scopes(row.names, true) == row.lenient);
  }
  for (int scopes = 0; scopes < 32; ++scopes) {
    const auto bits = static_cast<std::uint8_t>(scopes);
    CHECK(z0::parse_scopes(z0::scope_names(bits), false) == bits);
  }
  CHECK(z0::scope_names(15) == "facts:write facts:read telemetry:write ops");
  CHECK(z0::scope_names(0).empty());
}

TEST_CASE("A minted token verifies and brings its claims back", "[token]") {
  const Claims claims = tenant_claims();
  const std::string token = z0::mint_token(claims, one_secret, test_now_ms / 1000);
  Claims read;
  REQUIRE(z0::verify_token(token, one_secret, test_now_ms, read));
  CHECK(read.tenant_id == "ten_acme");
  CHECK_FALSE(read.all_tenants);
  CHECK(read.scopes == claims.scopes);
  CHECK(read.expires_s == later_s);

  Claims operators;
  operators.all_tenants = true;
  operators.scopes = z0::scope_ops;
  operators.expires_s = later_s;
  REQUIRE(
      z0::verify_token(z0::mint_token(operators, one_secret, 0), one_secret, test_now_ms, read));
  CHECK(read.all_tenants);
  CHECK(read.tenant_id.empty());
  CHECK(read.scopes == z0::scope_ops);
}

TEST_CASE("A minted token is exactly what another JWT library would make", "[token]") {
  CHECK(z0::mint_token(tenant_claims(), one_secret, test_now_ms / 1000) ==
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0ZW5hbnQiOiJ0ZW5fYWNtZSIsInNjb3BlIjoiZmF"
        "jdHM6d3JpdGUgZmFjdHM6cmVhZCIsImV4cCI6MTcwMDAwMzYwMCwiaWF0IjoxNzAwMDAwMDAwfQ.P5ny"
        "dQKTnMYjSv_imNA3qz7yFHp2Lzctclmhw0onYoU");
  // And one from elsewhere, with its members in another order, white space and claims we ignore.
  Claims read;
  REQUIRE(z0::verify_token(
      "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiIsICJraWQiOiAiazEifQ.eyJpc3MiOiAiam9lIiwgI"
      "mV4cCI6IDE3MDAwMDM2MDAsICJzY29wZSI6ICJwcm9maWxlIGZhY3RzOnJlYWQiLCAidGVuYW50IjogI"
      "nRlbl9hY21lIiwgImF1ZCI6IFsiejAiXX0.Gb2-8CePafKkLp9KcDqtCBYX1Bt_1ZRwZlU7odNTpHM",
      one_secret, test_now_ms, read));
  CHECK(read.tenant_id == "ten_acme");
  CHECK(read.scopes == z0::scope_facts_read);
}

TEST_CASE("What no verifier would take is not minted", "[token]") {
  CHECK(z0::mint_token(tenant_claims(), "", 0).empty());
  CHECK(z0::mint_token(tenant_claims(), " , ,", 0).empty());
  Claims nobody = tenant_claims();
  nobody.tenant_id.clear();
  CHECK(z0::mint_token(nobody, one_secret, 0).empty());
  nobody.tenant_id = "*";
  CHECK(z0::mint_token(nobody, one_secret, 0).empty());
  nobody.tenant_id = "a\",\"tenant\":\"*";
  CHECK(z0::mint_token(nobody, one_secret, 0).empty());
  Claims endless = tenant_claims();
  endless.expires_s = z0::token_time_s_max;
  CHECK(verifies(z0::mint_token(endless, one_secret, 0)));
  ++endless.expires_s;
  CHECK(z0::mint_token(endless, one_secret, 0).empty());
}

TEST_CASE("A token with any one byte changed is refused", "[token]") {
  const std::string token = z0::mint_token(tenant_claims(), one_secret, 0);
  REQUIRE(verifies(token));
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = token;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      INFO("byte " << i << " bit " << bit);
      CHECK_FALSE(verifies(changed));
    }
    for (const char c : {'A', 'Q', '_', '.', '=', '\0'}) {
      if (token[i] == c) continue;
      std::string changed = token;
      changed[i] = c;
      INFO("byte " << i << " as " << static_cast<int>(c));
      CHECK_FALSE(verifies(changed));
    }
    std::string without = token;
    without.erase(i, 1);
    CHECK_FALSE(verifies(without));
    CHECK_FALSE(verifies(token.substr(0, i)));
  }
}

TEST_CASE("A token is three parts and nothing else", "[token]") {
  const std::string token = z0::mint_token(tenant_claims(), one_secret, 0);
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  const std::string bad[] = {
      "",
      ".",
      "..",
      "...",
      "Bearer " + token,
      token + ".",
      "." + token,
      token + "=",
      token + " ",
      token + "\n",
      token + "." + token,
      token.substr(0, last),
      token.substr(0, last + 1),
      token.substr(first + 1),
      token.substr(0, first) + token.substr(first + 1),
      token.substr(0, first) + token.substr(first + 1, last - first - 1) + token.substr(last + 1),
      token.substr(0, first) + token.substr(last),
      token.substr(first, last - first) + token.substr(last),
  };
  for (const std::string& text : bad) {
    INFO(text);
    CHECK_FALSE(verifies(text));
  }
}

// All of these are signed with the right secret, so only the header can be the reason.
TEST_CASE("A header says HS256 or the token is refused", "[token]") {
  const std::string payload = R"({"tenant":"ten_acme","scope":"ops","exp":1700003600})";
  for (const char* good : {R"({"alg":"HS256"})", R"({"typ":"JWT","alg":"HS256"})",
                           R"({"alg":"HS256","kid":"2024-11","x":{"y":[1]}})",
                           R"( { "alg" : "HS256" } )", R"({"alg":"\u0048S256"})"}) {
    INFO(good);
    CHECK(verifies(signed_token(good, payload)));
  }
  for (const char* bad : {R"({"alg":"none"})",
                          R"({"alg":"None"})",
                          R"({"alg":""})",
                          R"({"alg":"RS256"})",
                          R"({"alg":"ES256"})",
                          R"({"alg":"HS384"})",
                          R"({"alg":"HS512"})",
                          R"({"alg":"hs256"})",
                          R"({"alg":"HS256 "})",
                          R"({"alg":null})",
                          R"({"alg":256})",
                          R"({"alg":["HS256"]})",
                          R"({"typ":"JWT"})",
                          R"({})",
                          R"([])",
                          R"("HS256")",
                          "",
                          "null",
                          R"({"alg":"HS256")",
                          R"({"alg":"HS256"}x)",
                          R"({"alg":"HS256"}{})",
                          R"({"alg":"HS256","alg":"none"})",
                          R"({"alg":"none","alg":"HS256"})",
                          R"({"alg":"HS256","alg":"HS256"})",
                          R"({"alg":"HS256","crit":["b64"],"b64":false})",
                          "{\"alg\":\"HS256\",\"x\":\"\xff\"}"}) {
    INFO(bad);
    CHECK_FALSE(verifies(signed_token(bad, payload)));
  }
  // Unsigned, as attackers send it.
  const std::string unsigned_text =
      z0::base64url_encode(R"({"alg":"none"})") + "." + z0::base64url_encode(payload);
  CHECK_FALSE(verifies(unsigned_text + "."));
  CHECK_FALSE(verifies(unsigned_text));
}

TEST_CASE("Claims are of their type and stand there once", "[token]") {
  for (
      const char* good :
      {R"({"tenant":"ten_acme","scope":"ops","exp":1700003600})",
       R"({"exp":1700003600,"tenant":"*","scope":""})", R"({"exp":1700003600,"tenant":"t"})",
       R"({"tenant":"t","scope":"later:scope","exp":253402300799})",
       R"({"tenant":"t","scope":"ops","exp":1700003600,"iat":1.5,"iat":"x","jti":[{"b":null}]})"}) {
    INFO(good);
    CHECK(verifies(with_payload(good)));
  }
  for (const char* bad :
       {// exp: missing, wrong types, out of range, twice
        R"({"tenant":"t","scope":"ops"})", R"({"tenant":"t","scope":"ops","exp":"1700003600"})",
        R"({"tenant":"t","scope":"ops","exp":null})", R"({"tenant":"t","scope":"ops","exp":true})",
        R"({"tenant":"t","scope":"ops","exp":[1700003600]})",
        R"({"tenant":"t","scope":"ops","exp":9223372036854775807})",
        R"({"tenant":"t","scope":"ops","exp":9223372036854775808})",
        R"({"tenant":"t","scope":"ops","exp":99999999999999999999999})",
        R"({"tenant":"t","scope":"ops","exp":-1})", R"({"tenant":"t","scope":"ops","exp":0})",
        R"({"tenant":"t","scope":"ops","exp":-9223372036854775808})",
        R"({"tenant":"t","exp":1600000000,"exp":1700003600})",
        R"({"tenant":"t","exp":1700003600,"exp":1700003600})",
        // tenant: missing, wrong types, no id, twice
        R"({"scope":"ops","exp":1700003600})", R"({"tenant":"","scope":"ops","exp":1700003600})",
        R"({"tenant":null,"scope":"ops","exp":1700003600})",
        R"({"tenant":7,"scope":"ops","exp":1700003600})",
        R"({"tenant":["t"],"scope":"ops","exp":1700003600})",
        R"({"tenant":"a b","scope":"ops","exp":1700003600})",
        R"({"tenant":"**","scope":"ops","exp":1700003600})",
        R"({"tenant":"t\u0000","scope":"ops","exp":1700003600})",
        R"({"tenant":"t","tenant":"*","exp":1700003600})",
        R"({"tenant":"*","tenant":"t","exp":1700003600})",
        // scope: wrong types, twice
        R"({"tenant":"t","scope":15,"exp":1700003600})",
        R"({"tenant":"t","scope":["ops"],"exp":1700003600})",
        R"({"tenant":"t","scope":"facts:read","scope":"ops","exp":1700003600})",
        // the JSON itself
        "", "{}", "[]", "null", R"({"tenant":"t","scope":"ops","exp":1700003600)",
        R"({"tenant":"t","scope":"ops","exp":1700003600,})",
        R"({"tenant":"t","scope":"ops","exp":1700003600}})",
        R"([{"tenant":"t","scope":"ops","exp":1700003600}])",
        "\xef\xbb\xbf{\"tenant\":\"t\",\"exp\":1700003600}",
        "{\"tenant\":\"t\",\"exp\":1700003600,\"x\":\"\xc0\x80\"}"}) {
    INFO(bad);
    CHECK_FALSE(verifies(with_payload(bad)));
  }
  CHECK_FALSE(
      verifies(with_payload(R"({"tenant":")" + std::string(129, 't') + R"(","exp":1700003600})")));
  CHECK_FALSE(verifies(with_payload(R"({"tenant":"t","exp":1700003600,"x":)" +
                                    std::string(500, '[') + std::string(500, ']') + "}")));
}

TEST_CASE("A scope that is not known is ignored, and no scope allows nothing", "[token]") {
  Claims claims;
  REQUIRE(
      z0::verify_token(with_payload(R"({"tenant":"t","scope":"root facts:read","exp":1700003600})"),
                       one_secret, test_now_ms, claims));
  CHECK(claims.scopes == z0::scope_facts_read);
  REQUIRE(z0::verify_token(with_payload(R"({"tenant":"t","exp":1700003600})"), one_secret,
                           test_now_ms, claims));
  CHECK(claims.scopes == 0);
}

TEST_CASE("A token is good until the second its expiry names begins", "[token]") {
  const std::string token = z0::mint_token(tenant_claims(), one_secret, 0);
  CHECK(verifies(token, one_secret, 0));
  CHECK(verifies(token, one_secret, later_s * 1000 - 1000));
  CHECK(verifies(token, one_secret, later_s * 1000 - 1));
  CHECK_FALSE(verifies(token, one_secret, later_s * 1000));
  CHECK_FALSE(verifies(token, one_secret, later_s * 1000 + 1));
  CHECK_FALSE(verifies(token, one_secret, INT64_MAX));
}

TEST_CASE("A token longer than its limit is refused before it is looked at", "[token]") {
  const auto padded = [](std::size_t n) {
    return with_payload(R"({"tenant":"t","exp":1700003600,"x":")" + std::string(n, 'x') + "\"}");
  };
  std::size_t n = 2'000;
  while (padded(n + 1).size() <= z0::limits::token_bytes_max) ++n;
  CHECK(padded(n).size() <= z0::limits::token_bytes_max);
  CHECK(verifies(padded(n)));
  CHECK(padded(n + 1).size() > z0::limits::token_bytes_max);
  CHECK_FALSE(verifies(padded(n + 1)));
  CHECK_FALSE(verifies(std::string(1'000'000, 'x')));
  CHECK_FALSE(verifies(std::string(1'000'000, '.')));
}

TEST_CASE("Secrets rotate: all verify, the first one signs", "[token]") {
  const std::string by_old = z0::mint_token(tenant_claims(), "old", 0);
  const std::string by_new = z0::mint_token(tenant_claims(), "new,old", 0);
  struct Row {
    std::string secrets;
    bool old_verifies;
    bool new_verifies;
  };
  const Row rows[] = {
      {"old", true, false},      {"new", false, true},          {"new,old", true, true},
      {"old,new", true, true},   {"other,new", false, true},    {"other", false, false},
      {"", false, false},        {",", false, false},           {" ", false, false},
      {",,old,", true, false},   {" new , old \n", true, true}, {"newold", false, false},
      {"new old", false, false}, {"ol,d", false, false},
  };
  for (const Row& row : rows) {
    INFO(row.secrets);
    CHECK(verifies(by_old, row.secrets) == row.old_verifies);
    CHECK(verifies(by_new, row.secrets) == row.new_verifies);
  }
  CHECK(z0::mint_token(tenant_claims(), " , new,old", 0) == by_new);
  CHECK(verifies(z0::mint_token(tenant_claims(), test_secret, 0), test_secret));
}

// A verifier that split an empty list into one empty secret would take what anyone can sign.
TEST_CASE("The empty secret signs nothing that is accepted", "[token]") {
  const std::string token =
      signed_token(hs256, R"({"tenant":"*","scope":"ops","exp":1700003600})", "");
  for (const char* secrets : {"", ",", ",,", " ", "\n", "right", "right,", ",right"}) {
    INFO(secrets);
    CHECK_FALSE(verifies(token, secrets));
  }
}

TEST_CASE("A refused token leaves no claims behind", "[token]") {
  Claims claims;
  claims.tenant_id = "ten_before";
  claims.all_tenants = true;
  claims.scopes = 15;
  claims.expires_s = 1;
  CHECK_FALSE(z0::verify_token(with_payload(R"({"tenant":"*","scope":"ops","exp":1})"), one_secret,
                               test_now_ms, claims));
  CHECK(claims.tenant_id.empty());
  CHECK_FALSE(claims.all_tenants);
  CHECK(claims.scopes == 0);
  CHECK(claims.expires_s == 0);
}

// RFC 7515, appendix A.1: another's key, header and signature.
TEST_CASE("The HS256 example of RFC 7515 has the signature that stands there", "[token]") {
  std::string key;
  REQUIRE(z0::base64url_decode(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
      key));
  const z0::Digest code = z0::hmac_sha256(
      key,
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
      "cnVlfQ");
  CHECK(z0::base64url_encode({reinterpret_cast<const char*>(code.data()), code.size()}) ==
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}
