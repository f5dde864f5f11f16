#include "z0/base/ids.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.hpp"

namespace {

constexpr std::uint64_t first_seed = 0x0123456789abcdef;

// A sequence for tests, with a seed that a failure names (Knuth's linear congruential constants).
class Sequence {
 public:
  explicit Sequence(std::uint64_t seed) : state_(seed) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::uint32_t>(state_ >> 32);
  }
  std::string bytes(std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(static_cast<char>(next() & 0xff));
    return out;
  }

 private:
  std::uint64_t state_;
};

std::string numbered(std::string_view prefix, std::size_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  std::string out(prefix);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  return out + digits;
}

// Whether 16 bits of the hashes, from `shift` on, fall into their 65,536 buckets as chance would
// have it. Chi-square with 65,535 degrees of freedom has mean 65,535 and deviation 362; beyond five
// of them either way is one chance in a million, and the input is fixed.
bool evenly_spread(const std::vector<std::uint64_t>& hashes, int shift) {
  constexpr std::size_t buckets = 1 << 16;
  constexpr double freedom = buckets - 1;
  std::vector<double> counts(buckets);
  for (const std::uint64_t hash : hashes) counts[(hash >> shift) & (buckets - 1)] += 1;
  const double expected = static_cast<double>(hashes.size()) / buckets;
  double chi_square = 0;
  for (const double count : counts)
    chi_square += (count - expected) * (count - expected) / expected;
  return std::abs(chi_square - freedom) < 5 * std::sqrt(2 * freedom);
}

bool is_one_of(std::string_view alphabet, unsigned c) {
  return c != 0 && alphabet.find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr std::string_view id_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-";
constexpr std::string_view type_alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_";

}  // namespace

TEST_CASE("An id is 1 to 128 characters of its alphabet", "[ids]") {
  CHECK_FALSE(z0::valid_id(""));
  CHECK(z0::valid_id("a"));
  CHECK(z0::valid_id("acct_1.b:c-D_9"));
  CHECK(z0::valid_id(std::string(128, 'x')));
  CHECK_FALSE(z0::valid_id(std::string(129, 'x')));
  CHECK_FALSE(z0::valid_id(std::string_view("a\0b", 3)));
  for (unsigned c = 0; c < 256; ++c) {
    INFO(c);
    const std::string single(1, static_cast<char>(c));
    CHECK(z0::valid_id(single) == is_one_of(id_alphabet, c));
    CHECK(z0::valid_id("acct_0123456789_" + single + "z") == is_one_of(id_alphabet, c));
  }
}

TEST_CASE("A type is a lower-case word of at most 64 characters", "[ids]") {
  CHECK_FALSE(z0::valid_type(""));
  CHECK(z0::valid_type("charge"));
  CHECK(z0::valid_type("a"));
  CHECK(z0::valid_type("a_9_"));
  CHECK_FALSE(z0::valid_type("_a"));
  CHECK_FALSE(z0::valid_type("9a"));
  CHECK_FALSE(z0::valid_type("Charge"));
  CHECK(z0::valid_type(std::string(64, 'x')));
  CHECK_FALSE(z0::valid_type(std::string(65, 'x')));
  for (unsigned c = 0; c < 256; ++c) {
    INFO(c);
    CHECK(z0::valid_type("a" + std::string(1, static_cast<char>(c))) ==
          is_one_of(type_alphabet, c));
  }
}

// The characters are looked at eight at a time, so a wrong one is put at each place of each length.
TEST_CASE("A wrong character is found wherever it stands", "[ids]") {
  for (std::size_t length = 1; length <= 64; ++length) {
    const std::string right(length, 'e');
    CHECK(z0::valid_id(right));
    CHECK(z0::valid_type(right));
    for (std::size_t at = 0; at < length; ++at) {
      for (const char wrong :
           {'\0', ' ', '/', ';', '@', '[', '`', '{', '\x7f', '\x80', '\xe5', '\xff'}) {
        std::string text = right;
        text[at] = wrong;
        INFO("length " << length << " at " << at << " byte " << static_cast<int>(wrong));
        CHECK_FALSE(z0::valid_id(text));
        CHECK_FALSE(z0::valid_type(text));
        if (length == 32) CHECK_FALSE(z0::valid_trace_id(text));
      }
    }
  }
  for (std::size_t at = 0; at < 32; ++at) {
    for (unsigned c = 0; c < 256; ++c) {
      std::string hex(32, 'e');
      hex[at] = static_cast<char>(c);
      INFO("at " << at << " byte " << c);
      CHECK(z0::valid_trace_id(hex) == is_one_of("0123456789abcdef", c));
    }
  }
}

TEST_CASE("The prefix of an id names its ledger", "[ids]") {
  struct Row {
    std::string id;
    std::string type;
    std::string object;
  };
  const Row rows[] = {
      {"acct_7", "account", "account_acct_7"},
      {"ast_phone.1", "asset", "asset_ast_phone.1"},
      {"con_x", "contact", "contact_con_x"},
      {"deal_9", "deal", "deal_deal_9"},
      {"cfg_b", "config", "config_cfg_b"},
      {"acct__", "account", "account_acct__"},
      // The prefix alone, other entities, other spellings.
      {"acct_", "", ""},
      {"ast_", "", ""},
      {"deal_", "", ""},
      {"acct", "", ""},
      {"", "", ""},
      {"cmp_1", "", ""},
      {"tool_1", "", ""},
      {"ven_1", "", ""},
      {"usr_1", "", ""},
      {"ACCT_1", "", ""},
      {"xacct_1", "", ""},
      {"account_acct_1", "", ""},
      {"con-1", "", ""},
  };
  for (const Row& row : rows) {
    INFO(row.id);
    CHECK(z0::ledger_type(row.id) == row.type);
    CHECK(z0::ledger_object_name(row.id) == row.object);
  }
}

TEST_CASE("A trace id is 32 lower-case hexadecimal digits and not zero", "[ids]") {
  CHECK(z0::valid_trace_id("4bf92f3577b34da6a3ce929d0e0e4736"));
  CHECK(z0::valid_trace_id("00000000000000000000000000000001"));
  CHECK(z0::valid_trace_id("10000000000000000000000000000000"));
  CHECK_FALSE(z0::valid_trace_id(""));
  CHECK_FALSE(z0::valid_trace_id("00000000000000000000000000000000"));
  CHECK_FALSE(z0::valid_trace_id("4BF92f3577b34da6a3ce929d0e0e4736"));
  CHECK_FALSE(z0::valid_trace_id("4bf92f3577b34da6a3ce929d0e0e473"));
  CHECK_FALSE(z0::valid_trace_id("4bf92f3577b34da6a3ce929d0e0e47360"));
  CHECK_FALSE(z0::valid_trace_id("4bf92f35-7b34da6a3ce929d0e0e4736"));
  CHECK_FALSE(z0::valid_trace_id("4bf92f3577b34da6a3ce929d0e0e473g"));
}

TEST_CASE("Hexadecimal goes there and back", "[ids]") {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  std::string hex = "0x";
  z0::append_hex(hex, all);
  CHECK(hex.substr(0, 10) == "0x00010203");
  CHECK(hex.substr(hex.size() - 4) == "feff");
  std::string back(256, '\0');
  CHECK(z0::from_hex(hex.substr(2), back.data(), back.size()));
  CHECK(back == all);

  char two[2] = {};
  CHECK(z0::from_hex("aBcD", two, 2));
  CHECK(std::string(two, 2) == "\xab\xcd");
  CHECK(z0::from_hex("", two, 0));
  for (const char* bad :
       {"", "ab", "abc", "abcde", "abcdef", "abcg", "g000", "0x00", "ab d", "-bcd"}) {
    INFO(bad);
    CHECK_FALSE(z0::from_hex(bad, two, 2));
  }
}

TEST_CASE("A ULID is its time, then its randomness, in Crockford's digits", "[ids]") {
  const std::string zero(10, '\0');
  const std::string ones(10, '\xff');
  // The example of the specification.
  CHECK(z0::ulid(1469918176385, zero, 0) == "01ARYZ6S410000000000000000");
  CHECK(z0::ulid(0, zero, 0) == "00000000000000000000000000");
  CHECK(z0::ulid(281474976710655, ones, 0) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  CHECK(z0::ulid(0, zero, 1) == "00000000000000000000000001");
  CHECK(z0::ulid(0, zero, 31) == "0000000000000000000000000Z");
  CHECK(z0::ulid(0, zero, 32) == "00000000000000000000000010");
  // The sum carries from the lower 64 bits into the upper 16.
  CHECK(z0::ulid(0, std::string_view("\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 10), 1) ==
        "0000000000000G000000000000");
  CHECK(z0::ulid(0, std::string_view("\0\1\0\0\0\0\0\0\0\0", 10), 0) ==
        "0000000000000G000000000000");
  CHECK(z0::ulid(0, std::string_view("\x80\0\0\0\0\0\0\0\0\0", 10), 0) ==
        "0000000000G000000000000000");
}

TEST_CASE("ULIDs of one batch are distinct and ascend, and later ones follow earlier ones",
          "[ids]") {
  Sequence sequence(11);
  for (int batch = 0; batch < 50; ++batch) {
    const std::string random = sequence.bytes(10);
    std::string last;
    for (std::uint64_t index = 0; index < 1'000; ++index) {
      const std::string id = z0::ulid(1'700'000'000'000 + batch, random, index);
      REQUIRE(id.size() == 26);
      REQUIRE(last < id);
      last = id;
    }
    REQUIRE(last < z0::ulid(1'700'000'000'001 + batch, sequence.bytes(10), 0));
  }
  CHECK(z0::valid_id("fact_" + z0::ulid(1'700'000'000'000, std::string(10, '\xff'), 0)));
}

// Stored in segments: a change of these values is a change of the file format.
TEST_CASE("The hash of an id never changes", "[ids]") {
  struct Row {
    std::string id;
    std::uint64_t seed;
    std::uint64_t hash;
  };
  const Row rows[] = {
      {"", 0x0000000000000000, 0xf4e5797549537fe2},
      {"a", 0x0000000000000000, 0xe4dff05a7f452637},
      {"abc", 0x0000000000000000, 0x28393493cf3a8038},
      {"abcd", 0x0000000000000000, 0xec74ae47e3a3e1c9},
      {"fact_01", 0x0000000000000000, 0x4555e7db331d3359},
      {"fact_000001", 0x0000000000000000, 0xa993f5f06620e123},
      {"fact_01ARYZ6S41TSV4RRF", 0x0000000000000000, 0x566120379d95ee21},
      {"fact_01ARYZ6S41TSV4RRFFQ69G5FAV", 0x0000000000000000, 0x3efee0a008334867},
      {"", 0x0123456789abcdef, 0x8d17c34f54c32690},
      {"a", 0x0123456789abcdef, 0x3e6ad7434fd2d967},
      {"abc", 0x0123456789abcdef, 0xe1c78a8056936bb4},
      {"abcd", 0x0123456789abcdef, 0xae2a946ffd084851},
      {"fact_01", 0x0123456789abcdef, 0x9d24b7af920723a8},
      {"fact_000001", 0x0123456789abcdef, 0x638b95c5600e3728},
      {"fact_01ARYZ6S41TSV4RRF", 0x0123456789abcdef, 0xaab7ae6c36e00422},
      {"fact_01ARYZ6S41TSV4RRFFQ69G5FAV", 0x0123456789abcdef, 0x7925e956d2fda9ec},
      {std::string(128, 'x'), 0x0123456789abcdef, 0x186450e71e655dfa},
  };
  for (const Row& row : rows) {
    INFO(row.id);
    CHECK(z0::id_hash(row.id, row.seed) == row.hash);
  }
}

TEST_CASE("A million ids in a row have a million hashes, spread evenly", "[ids]") {
  constexpr std::size_t ids = 1'000'000;
  struct Row {
    std::string prefix;
    std::uint64_t seed;
  };
  const Row rows[] = {
      {"fact_", first_seed}, {"fact_", 0}, {"acct_2024-11-05T10:00:00.000Z:", first_seed}};
  for (const Row& row : std::span(rows).first(z0::test::sanitized ? 1 : std::size(rows))) {
    INFO("prefix " << row.prefix << " seed " << row.seed);
    std::vector<std::uint64_t> hashes;
    hashes.reserve(ids);
    for (std::size_t i = 0; i < ids; ++i) {
      hashes.push_back(z0::id_hash(numbered(row.prefix, i, 6), row.seed));
    }
    for (const int shift : {0, 16, 32, 48}) CHECK(evenly_spread(hashes, shift));
    std::sort(hashes.begin(), hashes.end());
    CHECK(std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end());
    CHECK(hashes.front() != 0);
  }
}

// 1,000 trials leave a deviation of 1.6 % around one half; six of them are allowed either way.
TEST_CASE("Each bit of the id and of the seed flips each bit of the hash half the time", "[ids]") {
  constexpr int trials = 1'000;
  for (const std::size_t length : {1u, 7u, 8u, 16u, 25u}) {
    for (std::size_t bit = 0; bit < length * 8 + 64; ++bit) {
      Sequence sequence(length * 1'000 + bit);
      std::array<int, 64> flips = {};
      for (int trial = 0; trial < trials; ++trial) {
        std::string id = sequence.bytes(length);
        std::uint64_t seed = (static_cast<std::uint64_t>(sequence.next()) << 32) | sequence.next();
        std::uint64_t changed = z0::id_hash(id, seed);
        if (bit < length * 8) {
          id[bit / 8] = static_cast<char>(id[bit / 8] ^ (1 << (bit % 8)));
        } else {
          seed ^= std::uint64_t{1} << (bit - length * 8);
        }
        changed ^= z0::id_hash(id, seed);
        for (std::size_t i = 0; i < 64; ++i) flips[i] += static_cast<int>((changed >> i) & 1);
      }
      const auto [least, most] = std::minmax_element(flips.begin(), flips.end());
      INFO("length " << length << " bit " << bit << " flips " << *least << " to " << *most);
      REQUIRE(*least > trials * 40 / 100);
      REQUIRE(*most < trials * 60 / 100);
    }
  }
}

TEST_CASE("Texts that share their bytes but not their length or place have hashes of their own",
          "[ids]") {
  std::set<std::uint64_t> hashes;
  std::size_t texts = 0;
  for (std::size_t length = 0; length <= 128; ++length) {
    for (const char c : {'\0', '0', 'a', '\xff'}) {
      if (length == 0 && c != '\0') continue;
      ++texts;
      hashes.insert(z0::id_hash(std::string(length, c), first_seed));
    }
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, '0');
      text[at] = '1';
      ++texts;
      hashes.insert(z0::id_hash(text, first_seed));
    }
  }
  CHECK(hashes.size() == texts);
}

// A difference that collides must depend on the seed. These are the ones that defeat mixers whose
// multiplier is public: the top bits of neighbouring words, and a word that cancels a constant.
TEST_CASE("No pair of ids collides under every seed", "[ids]") {
  Sequence sequence(5);
  const std::string base = sequence.bytes(48);
  for (std::size_t word = 0; word < 5; ++word) {
    for (std::size_t a = 0; a < 64; ++a) {
      for (std::size_t b = 0; b < 64; ++b) {
        std::string other = base;
        other[word * 8 + a / 8] = static_cast<char>(other[word * 8 + a / 8] ^ (1 << (a % 8)));
        other[word * 8 + 8 + b / 8] =
            static_cast<char>(other[word * 8 + 8 + b / 8] ^ (1 << (b % 8)));
        const std::uint64_t seed = (std::uint64_t{sequence.next()} << 32) | sequence.next();
        REQUIRE(z0::id_hash(base, seed) != z0::id_hash(other, seed));
      }
    }
  }
}
