// The JSON reader, by tables: what it takes, what it refuses and where, what minify writes.

#include "z0/json/json.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.hpp"

namespace {

using namespace std::string_view_literals;
using z0::JsonError;
using z0::JsonReader;

constexpr std::size_t depth_max = 20;

std::string repeat(std::string_view text, std::size_t count) {
  std::string out;
  while (count-- != 0) out.append(text);
  return out;
}

// Reads a whole text. `minified` is empty where it was refused.
struct Read {
  JsonError error;
  std::size_t offset;
  bool at_end;
  std::string minified;
  bool out_of_range;
};

Read minify(std::string_view text, std::size_t depth = depth_max) {
  JsonReader reader(text, 64);
  Read read{};
  reader.minify(read.minified, depth, read.out_of_range);
  read.at_end = reader.at_end();
  read.error = reader.error();
  read.offset = reader.offset();
  return read;
}

struct Accepted {
  std::string_view text;
  std::string_view minified;
};

const std::vector<Accepted> accepted = {
    // Values of every kind, and white space wherever it may stand.
    {"{}", "{}"},
    {"[]", "[]"},
    {"\"\"", "\"\""},
    {"0", "0"},
    {"true", "true"},
    {"false", "false"},
    {"null", "null"},
    {" \t\r\n null \t\r\n ", "null"},
    {" { } ", "{}"},
    {"[\n]", "[]"},
    {"[ 1 , 2 ,\t3 ]", "[1,2,3]"},
    {"{ \"a\" : 1 , \"b\" : [ ] }", R"({"a":1,"b":[]})"},
    {"{\"a\":{\"b\":{\"c\":[[],{},\"\"]}}}", R"({"a":{"b":{"c":[[],{},""]}}})"},
    {"[[[[[[[[[[]]]]]]]]]]", "[[[[[[[[[[]]]]]]]]]]"},
    {R"({"b":1,"a":2})", R"({"b":1,"a":2})"},
    {R"({"":0})", R"({"":0})"},
    {R"([[],[[]],{}])", R"([[],[[]],{}])"},
    {R"(["[",":","{","}",","," "])", R"(["[",":","{","}",","," "])"},
    // Numbers keep their text.
    {"-0", "-0"},
    {"-1", "-1"},
    {"10", "10"},
    {"1234567890", "1234567890"},
    {"0.0", "0.0"},
    {"1.0", "1.0"},
    {"1.50", "1.50"},
    {"-0.001", "-0.001"},
    {"1e2", "1e2"},
    {"1E2", "1E2"},
    {"1e+2", "1e+2"},
    {"1e-2", "1e-2"},
    {"0e0", "0e0"},
    {"0E+00", "0E+00"},
    {"1.5e007", "1.5e007"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"},
    {"1e-999", "1e-999"},
    {"[0,-0,1]", "[0,-0,1]"},
    // Escapes take their shortest form.
    {R"("\"\\\b\f\n\r\t")", R"("\"\\\b\f\n\r\t")"},
    {R"("\/")", R"("/")"},
    {R"("\u0041\u007a")", R"("Az")"},
    {R"("\u0022\u005c\u002f")", R"("\"\\/")"},
    {R"("\u0008\u0009\u000a\u000c\u000d")", R"("\b\t\n\f\r")"},
    {R"("\u0000\u000b\u001f")", R"("\u0000\u000b\u001f")"},
    {R"("\u001F\u000B")", R"("\u001f\u000b")"},
    {R"("\u007f")", "\"\x7f\""},
    {R"("\u00e9\u00E9")", "\"\u00e9\u00e9\""},
    {R"("\u07ff\u0800\uffff")", "\"\u07ff\u0800\uffff\""},
    {R"("\ud7ff\ue000")", "\"\ud7ff\ue000\""},
    {R"("\ud83d\ude00")", "\"\U0001f600\""},
    {R"("\uD800\uDC00\uDBFF\uDFFF")", "\"\U00010000\U0010ffff\""},
    {R"("\ufeff")", "\"\ufeff\""},
    {R"("a\u0062c\\u0064")", R"("abc\\u0064")"},
    {R"({"\u0061":"\u0062"})", R"({"a":"b"})"},
    {R"("\\\\\"")", R"("\\\\\"")"},
    // UTF-8: the ends of each length, and the neighbours of what is no character.
    {"\"\x7f\"", "\"\x7f\""},
    {"\"\xc2\x80\xdf\xbf\"", "\"\xc2\x80\xdf\xbf\""},
    {"\"\xe0\xa0\x80\xef\xbf\xbf\"", "\"\xe0\xa0\x80\xef\xbf\xbf\""},
    {"\"\xed\x9f\xbf\xee\x80\x80\"", "\"\xed\x9f\xbf\xee\x80\x80\""},
    {"\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
    {"\"\xe6\x9d\xb1\xe4\xba\xac, 16 bytes and more\"",
     "\"\xe6\x9d\xb1\xe4\xba\xac, 16 bytes and more\""},
    // Keys that differ in a byte, or only in what they look like.
    {R"({"a":1,"A":2," a":3,"a ":4,"aa":5,"\u0000a":6})",
     R"({"a":1,"A":2," a":3,"a ":4,"aa":5,"\u0000a":6})"},
    {R"({"\\u0061":1,"a":2})", R"({"\\u0061":1,"a":2})"},
    {R"({"a":{"a":{"a":1}}})", R"({"a":{"a":{"a":1}}})"},
    {R"([{"a":1},{"a":1}])", R"([{"a":1},{"a":1}])"},
    {R"({"o":{"a":1,"b":2},"a":3,"b":4})", R"({"o":{"a":1,"b":2},"a":3,"b":4})"},
};

struct Refused {
  std::string_view text;
  JsonError error;
  std::size_t offset;
};

const std::vector<Refused> refused = {
    // Texts that end too soon.
    {"", JsonError::syntax, 0},
    {"  ", JsonError::syntax, 2},
    {"{", JsonError::syntax, 1},
    {"[", JsonError::syntax, 1},
    {"[1", JsonError::syntax, 2},
    {"[1,", JsonError::syntax, 3},
    {R"({"a)", JsonError::syntax, 3},
    {R"({"a")", JsonError::syntax, 4},
    {R"({"a":)", JsonError::syntax, 5},
    {R"({"a":1)", JsonError::syntax, 6},
    {R"({"a":1,)", JsonError::syntax, 7},
    {"\"", JsonError::syntax, 1},
    {"\"0123456789abcdef", JsonError::syntax, 17},
    {R"("\)", JsonError::syntax, 2},
    {R"("\")", JsonError::syntax, 3},
    {R"("\u00)", JsonError::syntax, 1},
    {"tru", JsonError::syntax, 0},
    {"nul", JsonError::syntax, 0},
    {"-", JsonError::syntax, 1},
    {"1.", JsonError::syntax, 2},
    {"1e", JsonError::syntax, 2},
    {"1e+", JsonError::syntax, 3},
    // Commas, colons and brackets.
    {"[1,]", JsonError::syntax, 3},
    {"[,1]", JsonError::syntax, 1},
    {"[1,,2]", JsonError::syntax, 3},
    {"[1 2]", JsonError::syntax, 3},
    {"[1:2]", JsonError::syntax, 2},
    {"[1}", JsonError::syntax, 2},
    {R"({"a":1])", JsonError::syntax, 6},
    {R"({"a":1,})", JsonError::syntax, 7},
    {R"({,"a":1})", JsonError::syntax, 1},
    {R"({"a" 1})", JsonError::syntax, 5},
    {R"({"a"::1})", JsonError::syntax, 5},
    {R"({"a",1})", JsonError::syntax, 4},
    {R"({"a":1 "b":2})", JsonError::syntax, 7},
    {R"({"a"})", JsonError::syntax, 4},
    {R"({a:1})", JsonError::syntax, 1},
    {R"({1:1})", JsonError::syntax, 1},
    {R"({null:1})", JsonError::syntax, 1},
    {R"({"a":})", JsonError::syntax, 5},
    {"]", JsonError::syntax, 0},
    {"}", JsonError::syntax, 0},
    {",", JsonError::syntax, 0},
    {":", JsonError::syntax, 0},
    // Words and marks of other languages.
    {"'a'", JsonError::syntax, 0},
    {"True", JsonError::syntax, 0},
    {"nUll", JsonError::syntax, 0},
    {"undefined", JsonError::syntax, 0},
    {"NaN", JsonError::syntax, 0},
    {"Infinity", JsonError::syntax, 0},
    {"-Infinity", JsonError::syntax, 1},
    {"/* */ 1", JsonError::syntax, 0},
    {"[1 // one\n]", JsonError::syntax, 3},
    {"#", JsonError::syntax, 0},
    {"\xef\xbb\xbf{}", JsonError::syntax, 0},
    {"\xff\xfe{}", JsonError::syntax, 0},
    {"[\xc2\xa0]", JsonError::syntax, 1},
    {"[\f]", JsonError::syntax, 1},
    {"[\v1]", JsonError::syntax, 1},
    {"\0"sv, JsonError::syntax, 0},
    {"[1\0]"sv, JsonError::syntax, 2},
    // Numbers.
    {"01", JsonError::syntax, 0},
    {"-01", JsonError::syntax, 1},
    {"00", JsonError::syntax, 0},
    {"+1", JsonError::syntax, 0},
    {".5", JsonError::syntax, 0},
    {"-.5", JsonError::syntax, 1},
    {"1.e5", JsonError::syntax, 2},
    {"1e5.0]", JsonError::none, 3},
    {"[1e5.0]", JsonError::syntax, 4},
    {"[--1]", JsonError::syntax, 2},
    {"[1ee2]", JsonError::syntax, 3},
    {"[1e+-2]", JsonError::syntax, 4},
    {"[0x10]", JsonError::syntax, 2},
    {"[1_000]", JsonError::syntax, 2},
    {"[1.2.3]", JsonError::syntax, 4},
    {"[1a]", JsonError::syntax, 2},
    {"[- 1]", JsonError::syntax, 2},
    // Strings.
    {"\"\n\"", JsonError::syntax, 1},
    {"\"\t\"", JsonError::syntax, 1},
    {"\"a\0b\""sv, JsonError::syntax, 2},
    {"\"\x1f\"", JsonError::syntax, 1},
    {"\"0123456789abcdef\x01\"", JsonError::syntax, 17},
    {R"("\a")", JsonError::syntax, 1},
    {R"("\'")", JsonError::syntax, 1},
    {R"("\0")", JsonError::syntax, 1},
    {R"("\x41")", JsonError::syntax, 1},
    {R"("\U0041")", JsonError::syntax, 1},
    {R"("\u004")", JsonError::syntax, 1},
    {R"("\u004g")", JsonError::syntax, 1},
    {R"("\u+041")", JsonError::syntax, 1},
    {R"("\u{41}")", JsonError::syntax, 1},
    {R"("\ud83d\ude0")", JsonError::syntax, 7},
    {R"("\ud83d")", JsonError::lone_surrogate, 1},
    {R"("\ude00")", JsonError::lone_surrogate, 1},
    {R"("\ude00\ud83d")", JsonError::lone_surrogate, 1},
    {R"("\ud83d\ud83d")", JsonError::lone_surrogate, 1},
    {R"("\ude00\ude00")", JsonError::lone_surrogate, 1},
    {R"("\ud83d\ue000")", JsonError::lone_surrogate, 1},
    {R"("\ud83d\ud7ff")", JsonError::lone_surrogate, 1},
    {R"("\ud83d\n")", JsonError::lone_surrogate, 1},
    {R"("\ud83dxx")", JsonError::lone_surrogate, 1},
    {R"({"\ud800":1})", JsonError::lone_surrogate, 2},
    // UTF-8: stray, overlong, surrogate, above U+10FFFF, cut off.
    {"\"\x80\"", JsonError::utf8, 1},
    {"\"\xbf\"", JsonError::utf8, 1},
    {"\"\xc0\xaf\"", JsonError::utf8, 1},
    {"\"\xc1\xbf\"", JsonError::utf8, 1},
    {"\"\xe0\x80\xaf\"", JsonError::utf8, 1},
    {"\"\xe0\x9f\xbf\"", JsonError::utf8, 1},
    {"\"\xf0\x80\x80\xaf\"", JsonError::utf8, 1},
    {"\"\xf0\x8f\xbf\xbf\"", JsonError::utf8, 1},
    {"\"\xed\xa0\x80\"", JsonError::utf8, 1},
    {"\"\xed\xbf\xbf\"", JsonError::utf8, 1},
    {"\"\xed\xa0\xbd\xed\xb8\x80\"", JsonError::utf8, 1},
    {"\"\xf4\x90\x80\x80\"", JsonError::utf8, 1},
    {"\"\xf5\x80\x80\x80\"", JsonError::utf8, 1},
    {"\"\xfe\"", JsonError::utf8, 1},
    {"\"\xff\"", JsonError::utf8, 1},
    {"\"\xc3\"", JsonError::utf8, 1},
    {"\"\xe2\x82\"", JsonError::utf8, 1},
    {"\"\xf0\x9f\x98\"", JsonError::utf8, 1},
    {"\"\xc3", JsonError::utf8, 1},
    {"\"\xe2\x82", JsonError::utf8, 1},
    {"\"\xe2\x28\xa1\"", JsonError::utf8, 1},
    {"\"\xe6\x9d\xb1\xe4\xba\"", JsonError::utf8, 4},
    {"\"0123456789abcdef\xc3\"", JsonError::utf8, 17},
    // The same key twice, however it is spelled; the offset is where the second one stands.
    {R"({"a":1,"a":1})", JsonError::duplicate_key, 7},
    {R"({"a":1,"\u0061":2})", JsonError::duplicate_key, 7},
    {R"({"\u0061":1,"a":2})", JsonError::duplicate_key, 12},
    {R"({"\/":1, "/" :2})", JsonError::duplicate_key, 9},
    {R"({"\n":1,"\u000A":2})", JsonError::duplicate_key, 8},
    {R"({"\ud83d\ude00":1,"😀":2})", JsonError::duplicate_key, 18},
    {R"({"":1,"":2})", JsonError::duplicate_key, 6},
    {R"({"a":1,"b":{"a":1},"a":2})", JsonError::duplicate_key, 19},
    {R"({"a":{"b":1,"c":2,"b":3}})", JsonError::duplicate_key, 18},
    {R"([{"x":1},{"y":1,"y":1}])", JsonError::duplicate_key, 16},
    {R"({"a":1,"a":2,"b":3,"b":4})", JsonError::duplicate_key, 7},
    {R"({"a":1,"a":2)", JsonError::syntax, 12},
};

TEST_CASE("Well-formed JSON is taken and minified", "[json]") {
  for (const Accepted& row : accepted) {
    INFO("text: " << row.text);
    const Read read = minify(row.text);
    CHECK(read.error == JsonError::none);
    CHECK(read.at_end);
    CHECK(read.minified == row.minified);
    CHECK_FALSE(read.out_of_range);
    CHECK(minify(row.minified).minified == row.minified);
    JsonReader skipper(row.text, depth_max);
    CHECK((skipper.skip() && skipper.at_end()));
    // Inside a longer text the reader stops right behind the value.
    const std::string inner = "[" + std::string(row.text) + ",7]";
    CHECK(minify(inner).minified == "[" + std::string(row.minified) + ",7]");
  }
}

TEST_CASE("What is not JSON is refused where it is wrong", "[json]") {
  for (const Refused& row : refused) {
    INFO("text: " << row.text);
    const Read read = minify(row.text);
    CHECK(read.error == row.error);
    CHECK(read.offset == row.offset);
    CHECK_FALSE(read.at_end);
    if (row.error != JsonError::none) CHECK(read.minified.empty());
    JsonReader skipper(row.text, depth_max);
    const bool skipped = skipper.skip();
    if (row.error == JsonError::duplicate_key) {
      CHECK(skipped);  // only minify compares keys
    } else {
      CHECK(skipper.error() == row.error);
      CHECK(skipper.offset() == row.offset);
    }
  }
}

TEST_CASE("Text behind a value is left to at_end", "[json]") {
  for (const auto text :
       {"1 2"sv, "{}{}"sv, "null,"sv, "\"a\"b"sv, "[]]"sv, "truefalse"sv, "1\0"sv}) {
    INFO("text: " << text);
    JsonReader reader(text, depth_max);
    CHECK(reader.skip());
    CHECK_FALSE(reader.at_end());
    CHECK(reader.error() == JsonError::none);
  }
}

TEST_CASE("Nesting is refused one level above its maximum", "[json]") {
  for (const std::string_view unit : {"[", "{\"k\":"}) {
    const std::string_view close = unit == "[" ? "]" : "}";
    for (std::size_t depth = 1; depth <= 17; ++depth) {
      const std::string text = repeat(unit, depth) + "1" + repeat(close, depth);
      INFO("text: " << text);
      CHECK(minify(text, depth).minified == text);
      const Read read = minify(text, depth - 1);
      CHECK(read.error == JsonError::depth);
      CHECK(read.offset == unit.size() * (depth - 1));
      // Whichever of the two maxima is met first.
      std::string out;
      bool out_of_range = false;
      JsonReader reader(text, depth - 1);
      CHECK_FALSE(reader.minify(out, 64, out_of_range));
      CHECK(reader.error() == JsonError::depth);
      JsonReader skipper(text, depth);
      CHECK(skipper.skip());
    }
  }
  CHECK(minify("1", 0).error == JsonError::none);
  CHECK(minify("[]", 0).error == JsonError::depth);
  // A closed level gives its place back.
  CHECK(minify("[[1],[2],{\"a\":[]}]", 3).error == JsonError::none);
  // Whatever a caller asks for, a text cannot nest deeper than 64.
  CHECK(minify(repeat("[", 64) + repeat("]", 64), 1000).error == JsonError::none);
  const std::string too_deep = repeat("[", 65);
  JsonReader deep(too_deep, 1000);
  CHECK_FALSE(deep.skip());
  CHECK(deep.error() == JsonError::depth);
}

TEST_CASE("The cursor enters as many levels as it was given", "[json]") {
  const std::string_view text = "[[[1]]]";
  for (std::size_t depth = 0; depth <= 3; ++depth) {
    JsonReader reader(text, depth);
    for (std::size_t level = 0; level < depth; ++level) {
      REQUIRE(reader.enter_array());
      REQUIRE(reader.next_element());
    }
    CHECK_FALSE(reader.enter_array());
    CHECK(reader.error() == (depth == 3 ? JsonError::syntax : JsonError::depth));
    CHECK(reader.offset() == depth);
  }
}

TEST_CASE("A comma before the closing bracket ends the walk with an error", "[json]") {
  JsonReader reader("[1,]", 1);
  REQUIRE((reader.enter_array() && reader.next_element() && reader.skip()));
  CHECK_FALSE(reader.next_element());
  CHECK(reader.error() == JsonError::syntax);
  CHECK(reader.offset() == 3);
}

TEST_CASE("The depth of a value adds to the depth of the cursor", "[json]") {
  const std::string text = R"({"data":{"a":[1]}})";
  for (const std::size_t depth : {2u, 3u}) {
    JsonReader reader(text, depth);
    std::string_view key;
    std::string out;
    bool out_of_range = false;
    REQUIRE(reader.enter_object());
    REQUIRE(reader.next_member(key));
    CHECK(reader.minify(out, 2, out_of_range) == (depth == 3));
    CHECK(reader.error() == (depth == 3 ? JsonError::none : JsonError::depth));
  }
}

}  // namespace
