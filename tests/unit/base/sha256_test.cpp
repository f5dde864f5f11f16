#include "z0/base/sha256.hpp"

#include <string>

#include "unit/catch.hpp"
#include "z0/base/ids.hpp"

namespace {

std::string hex(const z0::Digest& digest) {
  std::string out;
  z0::append_hex(out, {reinterpret_cast<const char*>(digest.data()), digest.size()});
  return out;
}

std::string bytes(std::string_view hex_digits) {
  std::string out(hex_digits.size() / 2, '\0');
  REQUIRE(z0::from_hex(hex_digits, out.data(), out.size()));
  return out;
}

std::string repeated(char c, std::size_t n) { return std::string(n, c); }

}  // namespace

TEST_CASE("SHA-256 gives the digests of the NIST examples", "[sha256]") {
  struct Row {
    std::string message;
    std::string digest;
  };
  const Row rows[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
       "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
      {repeated('a', 1'000'000),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
      {bytes("bd"), "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
      {bytes("c98c8e55"), "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504"},
  };
  for (const Row& row : rows) {
    INFO(row.message.substr(0, 80));
    CHECK(hex(z0::sha256(row.message)) == row.digest);
  }
}

// The padding takes one block or two; these lengths stand on both sides of each edge.
TEST_CASE("SHA-256 pads zero bytes of every length around a block", "[sha256]") {
  struct Row {
    std::size_t length;
    std::string digest;
  };
  const Row rows[] = {
      {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
      {54, "ea659cdc838619b3767c057fdf8e6d99fde2680c5d8517eb06761c0878d40c40"},
      {55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"},
      {56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"},
      {57, "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785"},
      {63, "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971"},
      {64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
      {65, "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7"},
      {119, "f616b0d54e78571a9611f343c9f8e022e859e920381ab0e4d3da01e193a7bd7e"},
      {120, "6edd9f6f9cc92cded36e6c4a580933f9c9f1b90562b46903b806f21902a1a54f"},
      {127, "15dae5979058bfbf4f9166029b6e340ea3ca374fef578a11dc9e6e923860d7ae"},
      {128, "38723a2e5e8a17aa7950dc008209944e898f69a7bd10a23c839d341e935fd5ca"},
      {129, "2c80619d7e7c58257293cda3a878c13e5856f4e06f6f90601276f7b9179c9e07"},
      {1000, "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"},
  };
  for (const Row& row : rows) {
    INFO(row.length);
    CHECK(hex(z0::sha256(repeated('\0', row.length))) == row.digest);
  }
}

TEST_CASE("HMAC-SHA-256 gives the codes of RFC 4231", "[sha256]") {
  struct Row {
    std::string key;
    std::string message;
    std::string code;
  };
  const Row rows[] = {
      {repeated('\x0b', 20), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {repeated('\xaa', 20), repeated('\xdd', 50),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"), repeated('\xcd', 50),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {repeated('\xaa', 131), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {repeated('\xaa', 131),
       "This is a test using a larger than block-size key and a larger than block-size data. "
       "The key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const Row& row : rows) {
    INFO(row.message);
    CHECK(hex(z0::hmac_sha256(row.key, row.message)) == row.code);
  }
  // Case 5 is published truncated to 128 bits.
  CHECK(hex(z0::hmac_sha256(repeated('\x0c', 20), "Test With Truncation")).substr(0, 32) ==
        "a3b6167473100ee06e0c796c2955552b");
}

TEST_CASE("HMAC-SHA-256 takes empty keys and messages and keys of a whole block", "[sha256]") {
  CHECK(hex(z0::hmac_sha256("", "")) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  CHECK(hex(z0::hmac_sha256(repeated('k', 63), "m")) ==
        "e458f5dd7e8afee6b774e5d451ae43f4d268bf11646030143d0b0231dcb02383");
  CHECK(hex(z0::hmac_sha256(repeated('k', 64), "m")) ==
        "3b7a8d453e76edb519238a515105a57508d0f169f480ebeee120a9e7803289fa");
  CHECK(hex(z0::hmac_sha256(repeated('k', 65), "m")) ==
        "c2d7d4c2256ddb097409ec0c67e1d58fa1a007fc6932cac0d892a525d08af7cc");
}

TEST_CASE("Equality in constant time is equality", "[sha256]") {
  CHECK(z0::equal_in_constant_time("", ""));
  CHECK(z0::equal_in_constant_time("abc", "abc"));
  CHECK_FALSE(z0::equal_in_constant_time("abc", "abd"));
  CHECK_FALSE(z0::equal_in_constant_time("abc", "xbc"));
  CHECK_FALSE(z0::equal_in_constant_time("abc", "ab"));
  CHECK_FALSE(z0::equal_in_constant_time("", "a"));
  const std::string base(32, '\x5a');
  for (std::size_t i = 0; i < base.size() * 8; ++i) {
    std::string other = base;
    other[i / 8] = static_cast<char>(other[i / 8] ^ (1 << (i % 8)));
    INFO(i);
    CHECK_FALSE(z0::equal_in_constant_time(base, other));
  }
}
