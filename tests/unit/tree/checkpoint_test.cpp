#include "z0/tree/checkpoint.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.hpp"
#include "unit/tree/merkle_vectors.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/tree/merkle.hpp"

namespace {

using namespace z0;

std::string bytes_of(std::string_view hex) {
  std::string bytes(hex.size() / 2, '\0');
  REQUIRE(from_hex(hex, bytes.data(), bytes.size()));
  return bytes;
}

template <class Array>
Array array_of(std::string_view hex) {
  Array array;
  REQUIRE(from_hex(hex, reinterpret_cast<char*>(array.data()), array.size()));
  return array;
}

// Signed by OpenSSL with the private key 00 01 02 ... 1f; the root is that of the reference tree of
// eight leaves.
constexpr std::string_view test_name = "z0.example/ten_1/acct_1";
constexpr std::string_view test_public_key =
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
constexpr std::string_view test_signature =
    "a8e9104053c7c28791d9d87ef190f294e7e632266b611278b706b0758836365d"
    "8c3c8949540726b58c7f955a05cdff54a828b12cb677ee82a98ac1ce5172ae0b";
constexpr std::string_view test_text =
    "z0.example/ten_1/acct_1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n";
constexpr std::string_view signature_line =
    "\u2014 z0.example/ten_1/acct_1 "
    "8ujgAajpEEBTx8KHkdnYfvGQ8pTn5jIma2ESeLcGsHWINjZdjDyJSVQHJrWMf5VaBc3/"
    "VKgosSy2d+6CqYrBzlFyrgs=\n";

Ed25519Key public_key() { return array_of<Ed25519Key>(test_public_key); }
Digest root() { return array_of<Digest>(merkle_vectors::roots[8]); }
std::string note() { return std::string(test_text) + "\n" + std::string(signature_line); }

bool parses(std::string_view text) {
  Checkpoint checkpoint;
  const bool parsed = parse_checkpoint(text, checkpoint);
  if (!parsed) CHECK(checkpoint == Checkpoint());
  return parsed;
}

bool parses_note(std::string_view bytes) {
  Note parsed;
  const bool is_note = parse_note(bytes, parsed);
  if (is_note) {
    CHECK(write_note(parsed) == bytes);
  } else {
    CHECK(parsed == Note());
  }
  return is_note;
}

std::string with(std::string_view origin, std::string_view size, std::string_view root_text,
                 std::string_view rest = "") {
  std::string text(origin);
  text.append("\n").append(size).append("\n").append(root_text).append("\n");
  return text.append(rest);
}

}  // namespace

TEST_CASE("A checkpoint's text is origin, size and root", "[checkpoint]") {
  CHECK(checkpoint_text(test_name, 8, root()) == test_text);
  CHECK(checkpoint_text("a", 0, merkle_empty_root()) ==
        "a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
  Checkpoint checkpoint;
  REQUIRE(parse_checkpoint(test_text, checkpoint));
  CHECK(checkpoint.origin == test_name);
  CHECK(checkpoint.size == 8);
  CHECK(checkpoint.root == root());
  CHECK(checkpoint.extensions.empty());
  REQUIRE(parse_checkpoint(checkpoint_text("a", merkle_size_max, root()), checkpoint));
  CHECK(checkpoint.size == merkle_size_max);
}

TEST_CASE("A checkpoint that nobody could read is not made", "[checkpoint]") {
  for (const char* origin : {"", "a b", "a+b", "a\nb", "a\n", "a\tb", "\xff"}) {
    INFO(origin);
    CHECK(checkpoint_text(origin, 8, root()).empty());
  }
  CHECK(checkpoint_text("a", -1, root()).empty());
  CHECK(checkpoint_text("a", merkle_size_max + 1, root()).empty());
}

TEST_CASE("Further lines of a checkpoint are kept as they are", "[checkpoint]") {
  Checkpoint checkpoint;
  REQUIRE(parse_checkpoint(std::string(test_text) + "one line\n\u2014 another\n", checkpoint));
  CHECK(checkpoint.extensions == std::vector<std::string>{"one line", "\u2014 another"});
  CHECK_FALSE(parses(std::string(test_text) + "\n"));
  CHECK_FALSE(parses(std::string(test_text) + "one\n\ntwo\n"));
  CHECK_FALSE(parses(std::string(test_text) + "one"));
}

TEST_CASE("Origins of others may hold spaces", "[checkpoint]") {
  Checkpoint checkpoint;
  REQUIRE(parse_checkpoint(std::string("go.sum database tree") + std::string(test_text.substr(23)),
                           checkpoint));
  CHECK(checkpoint.origin == "go.sum database tree");
}

TEST_CASE("What is no checkpoint is refused", "[checkpoint]") {
  const std::string_view root_text = test_text.substr(26, 44);
  REQUIRE(parses(with("a", "8", root_text)));
  for (std::size_t n = 0; n < test_text.size(); ++n) REQUIRE_FALSE(parses(test_text.substr(0, n)));
  for (const char* size :
       {"", "08", "00", "-1", "+8", "8 ", " 8", "8.0", "8e1", "0x8", "9007199254740993",
        "10000000000000000", "18446744073709551624", "\xd9\xa8", "8\r"}) {
    INFO(size);
    CHECK_FALSE(parses(with("a", size, root_text)));
  }
  CHECK(parses(with("a", "9007199254740992", root_text)));
  CHECK(parses(with("a", "0", root_text)));
  CHECK_FALSE(parses(with("", "8", root_text)));
  CHECK_FALSE(parses(with("a\r", "8", root_text)));
  CHECK_FALSE(parses(with("a\xc3", "8", root_text)));
  CHECK_FALSE(parses(with(std::string_view("a\0b", 3), "8", root_text)));
  // 31 and 33 bytes, other texts of the same bytes, the other alphabet, nothing.
  for (const std::string& text :
       {base64_encode(std::string(31, 'x')), base64_encode(std::string(33, 'x')),
        std::string(root_text.substr(0, 43)), std::string(root_text) + "=",
        std::string(root_text.substr(0, 42)) + "h=", std::string(root_text) + " ",
        base64url_encode(std::string(32, '\xff')), std::string()}) {
    INFO(text);
    CHECK_FALSE(parses(with("a", "8", text)));
  }
}

TEST_CASE("Names hold no white space, no plus and no control characters", "[checkpoint]") {
  for (const char* name : {"a", "z0.example/ten_1", "sum.golang.org", "M\u00fcller", "\u65e5\u672c",
                           "a\u2014b", "\u200b", "\x7f"}) {
    INFO(name);
    CHECK(valid_key_name(name));
  }
  for (const char* name :
       {"",        " ",      "a b",    "a+",       "+a",     "a\n",     "a\t",
        "a\x1f",   "a\xff",  "\xc2",   "a\u0085b", "\u00a0", "a\u1680", "\u2000",
        "\u2007b", "\u200a", "\u2028", "\u2029",   "\u202f", "\u205f",  "\u3000"}) {
    INFO(name);
    CHECK_FALSE(valid_key_name(name));
  }
  CHECK_FALSE(valid_key_name(std::string_view("a\0", 2)));
}

// Public keys that are in use: the Go checksum database's, and the one of its documentation.
TEST_CASE("Verifier keys are written and read as others do", "[checkpoint]") {
  for (const std::string_view text :
       {"sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "z0.example/ten_1/acct_1+f2e8e001+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"}) {
    INFO(text);
    VerifierKey key;
    REQUIRE(parse_verifier_key(text, key));
    CHECK(key.name == text.substr(0, text.find('+')));
    CHECK(key.key_id == ed25519_key_id(key.name, key.key));
    CHECK(verifier_key(key.name, key.key) == text);
  }
  CHECK(ed25519_key_id(test_name, public_key()) == 0xf2e8e001);
  CHECK(verifier_key("a b", public_key()).empty());
}

TEST_CASE("What is no verifier key is refused", "[checkpoint]") {
  const std::string good = verifier_key("a", public_key());
  const std::string key64 = good.substr(11);
  VerifierKey key;
  REQUIRE(parse_verifier_key(good, key));
  const auto refused = [](const std::string& text) {
    VerifierKey out;
    return !parse_verifier_key(text, out) && out == VerifierKey();
  };
  for (std::size_t n = 0; n < good.size(); ++n) REQUIRE(refused(good.substr(0, n)));
  CHECK(refused("b" + good.substr(1)));
  CHECK(refused(good.substr(1)));
  CHECK(refused(good + "A"));
  CHECK(refused(good + "\n"));
  CHECK(refused("a b" + good.substr(1)));
  // An id in upper case, of other digits, too long.
  for (std::size_t i = 2; i < 10; ++i) {
    std::string other = good;
    other[i] = other[i] == '0' ? '1' : '0';
    CHECK(refused(other));
  }
  std::string upper = verifier_key("z0.example/ten_1/acct_1", public_key());
  upper[upper.find('+') + 1] = 'F';
  CHECK(refused(upper));
  CHECK(refused("a+0" + good.substr(2)));
  // Another algorithm's byte, a key of 31 or 33 bytes.
  const std::string_view raw(reinterpret_cast<const char*>(key.key.data()), key.key.size());
  for (const std::string& bytes : {"\x02" + std::string(raw), "\x01" + std::string(raw.substr(1)),
                                   "\x01" + std::string(raw) + "x", std::string(raw)}) {
    CHECK(refused(good.substr(0, 11) + base64_encode(bytes)));
  }
}

TEST_CASE("A signed note is the text and a line for the signature", "[checkpoint]") {
  const std::string signature = bytes_of(test_signature);
  CHECK(signed_note(test_text, test_name, public_key(), signature) == note());
  Note parsed;
  REQUIRE(parse_note(note(), parsed));
  CHECK(parsed.text == test_text);
  REQUIRE(parsed.signatures.size() == 1);
  CHECK(parsed.signatures[0].name == test_name);
  CHECK(parsed.signatures[0].key_id == 0xf2e8e001);
  CHECK(parsed.signatures[0].bytes == signature);
}

TEST_CASE("A note that nobody could read is not made", "[checkpoint]") {
  const std::string signature = bytes_of(test_signature);
  for (const char* text : {"", "no newline", "tab\t\n", "\xff\n"}) {
    INFO(text);
    CHECK(signed_note(text, test_name, public_key(), signature).empty());
  }
  for (const char* name : {"", "a b", "a+b", "a\nb"}) {
    INFO(name);
    CHECK(signed_note(test_text, name, public_key(), signature).empty());
  }
  CHECK(signed_note(test_text, test_name, public_key(), signature.substr(1)).empty());
  CHECK(signed_note(test_text, test_name, public_key(), signature + "x").empty());
  CHECK(write_note({std::string(test_text), {}}).empty());
  CHECK(write_note({std::string(test_text), {{"a", 1, ""}}}).empty());
  CHECK(write_note({std::string(test_text), {{"a", 1, "x"}}}) ==
        std::string(test_text) + "\n\u2014 a AAAAAXg=\n");
}

TEST_CASE("A note may hold empty lines and the signatures of many", "[checkpoint]") {
  const std::string text = "one\n\n\u2014 a AAAAAXg=\n\n\nlast\n\n";
  Note parsed;
  REQUIRE(parse_note(text + "\n\u2014 a AAAAAXg=\n\u2014 \u65e5 /////wA=\n", parsed));
  CHECK(parsed.text == text);
  CHECK(parsed.signatures ==
        std::vector<NoteSignature>{{"a", 1, "x"}, {"\u65e5", 0xffffffff, std::string(1, '\0')}});
  std::string many = "text\n\n";
  for (std::size_t i = 0; i < limits::note_signatures_max; ++i) many += "\u2014 a AAAAAXg=\n";
  CHECK(parses_note(many));
  CHECK_FALSE(parses_note(many + "\u2014 a AAAAAXg=\n"));
  const std::string large(limits::note_bytes_max - note().size(), 'x');
  CHECK(parses_note(large + note()));
  CHECK_FALSE(parses_note("x" + large + note()));
}

TEST_CASE("What is no note is refused", "[checkpoint]") {
  const std::string good = note();
  REQUIRE(parses_note(good));
  for (std::size_t n = 0; n < good.size(); ++n) REQUIRE_FALSE(parses_note(good.substr(0, n)));
  const std::string text = std::string(test_text) + "\n";
  for (const char* line : {"",
                           "\n",
                           "- a AAAAAXg=\n",
                           "\u2013 a AAAAAXg=\n",
                           "\u2014a AAAAAXg=\n",
                           "\u2014  AAAAAXg=\n",
                           "\u2014 a  AAAAAXg=\n",
                           "\u2014 a AAAAAXg= \n",
                           " \u2014 a AAAAAXg=\n",
                           "\u2014 a AAAAAXg\n",
                           "\u2014 a AAAAAXh=\n",
                           "\u2014 a AAAAAQ==\n",
                           "\u2014 a AAAA\n",
                           "\u2014 a\n",
                           "\u2014 a \n",
                           "\u2014 a+b AAAAAXg=\n",
                           "\u2014 a\u00a0b AAAAAXg=\n",
                           "\u2014 a AAAAAXg=\r\n",
                           "\u2014 a AAAAAXg=",
                           "\u2014 a AAAAAXg=\nx\n",
                           "\u2014 a AAAAAXg=\n\n",
                           "\u2014 a AAAAAXg=\n\n\u2014 a\n"}) {
    INFO(line);
    CHECK_FALSE(parses_note(text + line));
  }
  CHECK(parses_note(text + "\u2014 a AAAAAXg=\n"));
  CHECK_FALSE(parses_note(std::string(test_text) + "\u2014 a AAAAAXg=\n"));
  CHECK_FALSE(parses_note("\n\u2014 a AAAAAXg=\n"));
  CHECK_FALSE(parses_note("a\t\n\n\u2014 a AAAAAXg=\n"));
  CHECK_FALSE(parses_note("a\xff\n\n\u2014 a AAAAAXg=\n"));
  CHECK_FALSE(parses_note(std::string("a\0\n\n\u2014 a AAAAAXg=\n", 18)));
}

TEST_CASE("The example of the specification is read", "[checkpoint]") {
  const std::string other =
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
      "\u2014 example.com/behind-the-sofa "
      "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
      "\n";
  Note parsed;
  REQUIRE(parse_note(other, parsed));
  CHECK(parsed.signatures[0].bytes.size() == ed25519_signature_bytes);
  CHECK(parsed.signatures[0].key_id == 0x033de0ae);
  Checkpoint checkpoint;
  REQUIRE(parse_checkpoint(parsed.text, checkpoint));
  CHECK(checkpoint.size == 20'852'163);
}
