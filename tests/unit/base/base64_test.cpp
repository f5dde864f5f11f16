#include "z0/base/base64.hpp"

#include <set>
#include <string>
#include <string_view>

#include "unit/catch.hpp"

TEST_CASE("base64 encodes as RFC 4648 says, in both alphabets", "[base64]") {
  struct Row {
    std::string bytes;
    std::string standard;
    std::string url;
  };
  const Row rows[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\x14\xfb\x9c\x03\xd9\x7e", "FPucA9l+", "FPucA9l-"},
      {"\x14\xfb\x9c\x03\xd9", "FPucA9k=", "FPucA9k"},
      {"\xff\xff\xfe", "///+", "___-"},
      {std::string(3, '\0'), "AAAA", "AAAA"},
  };
  for (const Row& row : rows) {
    INFO(row.standard);
    CHECK(z0::base64_encode(row.bytes) == row.standard);
    CHECK(z0::base64url_encode(row.bytes) == row.url);
    std::string back = "left from before";
    CHECK(z0::base64_decode(row.standard, back));
    CHECK(back == row.bytes);
    back = "left from before";
    CHECK(z0::base64url_decode(row.url, back));
    CHECK(back == row.bytes);
  }
}

TEST_CASE("base64 has one text for each byte string, in each alphabet", "[base64]") {
  std::string out;
  // Padding, the other alphabet, white space, one digit too many, bits behind the last byte.
  for (const char* bad : {"Zg==", "Zg=", "Zm8=", "=", "+/+/", "Zm9v\n", " Zm9v", "Zm 9v", "Z",
                          "Zm9vY", "Zh", "Zv", "Zm9", "Zm-", "Zm9vYh", "A.AA", "Zm9\x80"}) {
    INFO(bad);
    CHECK_FALSE(z0::base64url_decode(bad, out));
  }
  for (const char* bad : {"Zg",   "Zg=",  "Zg===", "Zm8",    "=",        "==",       "===",
                          "====", "Z===", "-_-_",  "Zm9v\n", " Zm9v",    "Zm9v====", "Zm9v=",
                          "Zh==", "Zv==", "Zm9=",  "Zm+=",   "Zg==Zg==", "A.AA",     "Zm9\x80"}) {
    INFO(bad);
    CHECK_FALSE(z0::base64_decode(bad, out));
  }
  CHECK_FALSE(z0::base64url_decode(std::string_view("Zm9\0", 4), out));
  CHECK_FALSE(z0::base64_decode(std::string_view("Zm9\0", 4), out));
}

// Every pair of bytes as a text's last two digits: exactly the 256 pairs whose last four bits are
// zero are accepted.
TEST_CASE("base64 takes 256 texts for the 256 single bytes", "[base64]") {
  std::set<std::string> standard;
  std::set<std::string> url;
  std::string out;
  std::size_t accepted = 0;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string two = {static_cast<char>(a), static_cast<char>(b)};
      if (z0::base64url_decode(two, out)) accepted += url.insert(out).second ? 1 : 1000;
      if (z0::base64_decode(two + "==", out)) accepted += standard.insert(out).second ? 1 : 1000;
    }
  }
  CHECK(url.size() == 256);
  CHECK(standard.size() == 256);
  CHECK(accepted == 512);
}

TEST_CASE("base64 gives back what it was given", "[base64]") {
  unsigned state = 7;
  for (std::size_t n = 0; n < 300; ++n) {
    std::string bytes;
    for (std::size_t i = 0; i < n; ++i) {
      state = state * 1664525u + 1013904223u;
      bytes.push_back(static_cast<char>(state >> 24));
    }
    std::string back;
    REQUIRE(z0::base64url_decode(z0::base64url_encode(bytes), back));
    REQUIRE(back == bytes);
    REQUIRE(z0::base64_decode(z0::base64_encode(bytes), back));
    REQUIRE(back == bytes);
  }
}
