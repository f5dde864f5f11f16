// The JSON reader against nlohmann/json and against itself, over seeded texts; see json_law.hpp.

#include "fuzz/json_law.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.hpp"
#include "z0/json/json.hpp"

namespace {

// A value as text in two spellings: white space, escapes and the order of members differ, the
// content does not.
struct Spellings {
  std::string one;
  std::string other;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  Spellings value(std::size_t levels) {
    Spellings text;
    switch (below(levels == 0 ? 4 : 7)) {
      case 0:
      case 1:
        text.one = text.other = number();
        break;
      case 2:
        text = string(below(30));
        break;
      case 3:
        text.one = text.other = pick({"true", "false", "null"});
        break;
      case 4:
        text = list(levels);
        break;
      default:
        text = object(levels);
        break;
    }
    return {space() + text.one + space(), space() + text.other + space()};
  }

  std::string mutate(std::string text) {
    for (std::size_t edits = 1 + below(3); edits != 0; --edits) {
      const std::size_t at = below(text.size() + 1);
      const std::size_t size = std::min(below(4), text.size() - at);
      switch (below(5)) {
        case 0:
          text.erase(at, size);
          break;
        case 1:
          text.insert(at,
                      pick({",", ":", "{", "}", "[", "]", "\"", "\\", "0", "-", ".", "e", "\\u"}));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size() + 1), 1 + below(12)));
          break;
        case 3:
          if (at < text.size()) text[at] = static_cast<char>(random_());
          break;
        default:
          text.insert(at, pick({"\xc3", "\xed\xa0\x80", "\xf0\x9f\x98\x80", "\\ud83d", "\\ude00",
                                " ", "\n", "\x01", "\x7f", "1e400", "\"a\":1,", "\xef\xbb\xbf"}));
          break;
      }
    }
    return text;
  }

 private:
  std::string pick(std::vector<std::string> words) { return words[below(words.size())]; }

  std::string space() {
    std::string out;
    for (std::size_t n = below(8) == 0 ? below(20) : 0; n != 0; --n) out += " \n\r\t"[below(4)];
    return out;
  }

  std::string digits(std::size_t count) {
    std::string out(1, static_cast<char>('1' + below(9)));
    while (out.size() < count) out += static_cast<char>('0' + below(10));
    return out;
  }

  std::string number() {
    std::string out = below(3) == 0 ? "-" : "";
    out += below(4) == 0 ? "0" : digits(1 + below(below(6) == 0 ? 25 : 13));
    if (below(4) == 0) out += "." + digits(1 + below(18));
    if (below(6) == 0) out += pick({"e", "E", "e-", "E+"}) + std::to_string(below(330));
    return out;
  }

  // One character, spelled twice.
  void character(Spellings& text) {
    static const std::vector<std::vector<std::string>> spellings = {
        {"\\n", "\\u000a", "\\u000A"}, {"\\\"", "\\u0022"},    {"\\\\", "\\u005c", "\\u005C"},
        {"/", "\\/", "\\u002f"},       {"\\u001f", "\\u001F"}, {"\u00e9", "\\u00e9", "\\u00E9"},
        {"\u6771", "\\u6771"},         {"a", "\\u0061"},       {"\U0001f600", "\\ud83d\\uDE00"},
        {"\x7f", "\\u007f"},           {"\\u0000", "\\u0000"}, {"\uffff", "\\uFFFF"}};
    if (below(4) != 0) {
      const char c = static_cast<char>('a' + below(26));
      text.one += c;
      text.other += c;
      return;
    }
    const std::vector<std::string>& all = spellings[below(spellings.size())];
    text.one += all[below(all.size())];
    text.other += all[below(all.size())];
  }

  Spellings string(std::size_t size) {
    Spellings text{"\"", "\""};
    while (size-- != 0) character(text);
    return {text.one + "\"", text.other + "\""};
  }

  Spellings list(std::size_t levels) {
    Spellings text{"[", "["};
    for (std::size_t i = 0, count = below(5); i < count; ++i) {
      const Spellings element = value(levels - 1);
      text.one += (i == 0 ? "" : ",") + element.one;
      text.other += (i == 0 ? "" : ",") + element.other;
    }
    return {text.one + "]", text.other + "]"};
  }

  Spellings object(std::size_t levels) {
    // Now and then enough members for the keys to be sorted, not compared one by one.
    const std::size_t count = below(20) == 0 ? 10 + below(30) : below(6);
    std::vector<std::string> one;
    std::vector<std::string> other;
    for (std::size_t i = 0; i < count; ++i) {
      Spellings key = string(below(9));
      // A number makes a key its object's own; now and then it is left away.
      const std::string own = below(200) == 0 ? "" : std::to_string(i);
      const Spellings member = value(count > 9 ? 0 : levels - 1);
      key.one.insert(1, own);
      key.other.insert(1, own);
      one.push_back(space() + key.one + space() + ":" + member.one);
      other.push_back(space() + key.other + space() + ":" + member.other);
    }
    std::shuffle(other.begin(), other.end(), random_);
    return {joined(one), joined(other)};
  }

  static std::string joined(const std::vector<std::string>& members) {
    std::string out = "{";
    for (const std::string& member : members) {
      if (out.size() > 1) out += ',';
      out += member;
    }
    return out + "}";
  }

  std::mt19937_64 random_;
};

bool minify(std::string_view text, std::string& out) {
  z0::JsonReader reader(text, z0::json_law::depth_max);
  bool out_of_range = false;
  return reader.minify(out, z0::json_law::depth_max, out_of_range) && reader.at_end();
}

TEST_CASE("Reader and oracle agree on 20,000 texts, half of them damaged", "[json]") {
  std::size_t taken = 0;
  std::size_t damaged_taken = 0;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    Generator generate(seed);
    const std::string text = generate.value(6).one;
    const std::string damaged = generate.mutate(text);
    INFO("seed: " << seed);
    INFO("text: " << text);
    INFO("damaged: " << damaged);
    REQUIRE(z0::json_law::broken(text) == "");
    REQUIRE(z0::json_law::broken(damaged) == "");
    std::string out;
    taken += minify(text, out) ? 1 : 0;
    damaged_taken += minify(damaged, out) ? 1 : 0;
  }
  // The generator earns its keep: nearly all texts are good, and damage makes neither all nor none
  // bad.
  CHECK(taken > 9'500);
  CHECK(damaged_taken > 1'000);
  CHECK(damaged_taken < 6'000);
}

TEST_CASE("Equal content in another order and spelling is equal once sorted", "[json]") {
  std::size_t moved = 0;
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    const Spellings text = Generator(seed).value(5);
    INFO("seed: " << seed);
    INFO("one: " << text.one);
    INFO("other: " << text.other);
    std::string one;
    std::string other;
    const bool taken = minify(text.one, one);
    REQUIRE(minify(text.other, other) == taken);
    REQUIRE(z0::sorted_members(one) == z0::sorted_members(other));
    moved += one != other ? 1 : 0;
  }
  CHECK(moved > 1'000);
}

}  // namespace
