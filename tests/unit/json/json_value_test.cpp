// The JSON reader, value by value: keys, members, integers, ranges, and the order of members.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"

namespace {

using z0::JsonError;
using z0::JsonKind;
using z0::JsonReader;
using Fit = z0::JsonReader::Fit;

JsonError minify_error(std::string_view text, std::size_t* offset = nullptr) {
  JsonReader reader(text, 64);
  std::string out;
  bool out_of_range = false;
  reader.minify(out, 64, out_of_range);
  if (offset != nullptr) *offset = reader.offset();
  return reader.error();
}

// {"k0":0,"k1":1,...}; the member `again`, if there is one, has the key of member `first`.
std::string members(std::size_t count, std::size_t first = 0, std::size_t again = 0) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) text += ',';
    text +=
        "\"k" + std::to_string(again != 0 && i == again ? first : i) + "\":" + std::to_string(i);
  }
  return text + "}";
}

TEST_CASE("A repeated key is found among any number of members", "[json]") {
  for (const std::size_t count : {2u, 3u, 15u, 16u, 17u, 18u, 31u, 32u, 33u, 100u, 1024u}) {
    CHECK(minify_error(members(count)) == JsonError::none);
    for (const std::size_t first : {std::size_t{0}, count / 2 - (count == 2 ? 1 : 0)}) {
      std::size_t offset = 0;
      const std::string text = members(count, first, count - 1);
      INFO(text);
      CHECK(minify_error(text, &offset) == JsonError::duplicate_key);
      CHECK(offset == text.rfind("\"k"));
    }
  }
}

TEST_CASE("Of several repeated keys the first repetition is told", "[json]") {
  std::string text = members(40);
  text.pop_back();
  const std::size_t first = text.size() + 1;
  text += R"(,"k39":0,"k1":0,"k1":0,"k\u0030":0})";
  std::size_t offset = 0;
  CHECK(minify_error(text, &offset) == JsonError::duplicate_key);
  CHECK(offset == first);
}

TEST_CASE("An object has at most object_members_max members", "[json]") {
  CHECK(minify_error(members(z0::limits::object_members_max)) == JsonError::none);
  const std::string text = members(z0::limits::object_members_max + 1);
  std::size_t offset = 0;
  CHECK(minify_error(text, &offset) == JsonError::members);
  CHECK(offset == text.rfind("\"k"));
  JsonReader skipper(text, 1);
  CHECK(skipper.skip());
  // The maximum is of one object, not of all.
  const std::string full = members(z0::limits::object_members_max);
  CHECK(minify_error("{\"a\":" + full + ",\"b\":" + full + "}") == JsonError::none);
}

TEST_CASE("Minify leaves what stood in the output, and no half of a value", "[json]") {
  std::string out = "before";
  bool out_of_range = false;
  JsonReader good(R"([ {"a" : "\u0062"} , 1 ])", 4);
  CHECK(good.minify(out, 4, out_of_range));
  CHECK(out == R"(before[{"a":"b"},1])");
  JsonReader bad(R"([ {"a" : "\u0062"} , 1 )", 4);
  CHECK_FALSE(bad.minify(out, 4, out_of_range));
  CHECK(out == R"(before[{"a":"b"},1])");
}

struct Integer {
  std::string_view text;
  Fit fit;
  std::int64_t value;
};

const std::vector<Integer> integers = {
    {"0", Fit::exact, 0},
    {"-0", Fit::exact, 0},
    {"7", Fit::exact, 7},
    {"-7", Fit::exact, -7},
    {"1774915200000", Fit::exact, 1'774'915'200'000},
    {"9007199254740991", Fit::exact, 9'007'199'254'740'991},
    {"9007199254740993", Fit::exact, 9'007'199'254'740'993},
    {"999999999999999999", Fit::exact, 999'999'999'999'999'999},
    {"9223372036854775807", Fit::exact, INT64_MAX},
    {"-9223372036854775808", Fit::exact, INT64_MIN},
    {"-9223372036854775807", Fit::exact, -INT64_MAX},
    {"9223372036854775808", Fit::overflow, 0},
    {"-9223372036854775809", Fit::overflow, 0},
    {"9999999999999999999", Fit::overflow, 0},
    {"18446744073709551615", Fit::overflow, 0},
    {"18446744073709551616", Fit::overflow, 0},
    {"18446744073709551623", Fit::overflow, 0},
    {"-18446744073709551616", Fit::overflow, 0},
    {"100000000000000000000000000000000000000000", Fit::overflow, 0},
    {"0.0", Fit::not_integer, 0},
    {"1.0", Fit::not_integer, 0},
    {"-1.5", Fit::not_integer, 0},
    {"1e2", Fit::not_integer, 0},
    {"1E-2", Fit::not_integer, 0},
    {"0e0", Fit::not_integer, 0},
    {"1e999999999999999999999", Fit::not_integer, 0},
    {"99999999999999999999.5", Fit::not_integer, 0},
};

TEST_CASE("Integers are read exactly or told apart, and the reader goes on", "[json]") {
  for (const Integer& row : integers) {
    INFO("number: " << row.text);
    const std::string text = "[" + std::string(row.text) + " ,\"next\"]";
    JsonReader reader(text, 1);
    std::int64_t value = 42;
    Fit fit{};
    REQUIRE(reader.enter_array());
    REQUIRE(reader.next_element());
    CHECK(reader.integer(value, fit) == (row.fit == Fit::exact));
    CHECK(fit == row.fit);
    CHECK(value == (row.fit == Fit::exact ? row.value : 42));
    std::string_view next;
    std::string scratch;
    CHECK((reader.next_element() && reader.string(next, scratch)));
    CHECK(next == "next");
    CHECK_FALSE(reader.next_element());
    CHECK(reader.at_end());
  }
}

TEST_CASE("Numbers that a double cannot hold are told by their digits", "[json]") {
  // The largest double, half a unit above it less one in the last digit, and half a unit above it.
  const std::string largest =
      "17976931348623157081452742373170435679807056752584499659891747680315726078002853876058955863"
      "2766"
      "87817154045895351438246423432132688946418276846754670353751698604991057655128207624549009038"
      "9328"
      "94407586850845513394230458323690322294816580855933212334774797926144273686930094386888659037"
      "6960"
      "00000000000000000000";
  struct Row {
    std::string text;
    bool out_of_range;
  };
  const std::string half =
      "17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797"
      "7587"
      "20709633028641669288791094655554785194040263065748867150582068190890200070838367627385484581"
      "7711"
      "53176447573027006985557136695962284291481986083493647529271907416844436551070434271155969950"
      "8093"
      "042880177904174497792";
  std::string below = half;
  below.back() = '1';
  const std::vector<Row> rows = {
      {"1e308", false},
      {"1.7976931348623157e308", false},
      {"-1.7976931348623157E+308", false},
      {"1.7976931348623158e308", false},
      {"1.7976931348623159e308", true},
      {"1.8e308", true},
      {"2e308", true},
      {"-2e308", true},
      {"1e309", true},
      {"1e999999999999999999999999", true},
      {"-1e400", true},
      {"0e999999999999999999999999", false},
      {"0.0e400", false},
      {"-0.000e99999", false},
      {"1e-999999999999999999999999", false},
      {"0.0001e312", false},
      {"0.0001e313", true},
      {"17976.931348623157e304", false},
      {"17976.931348623159e304", true},
      {largest, false},
      {half, true},
      {"-" + half, true},
      {half + ".0", true},
      {below, false},
      {below + ".999999", false},
      {half + "e-1", false},
      {half + "0e-1", true},
      {below + "9e-1", false},
      {std::string(308, '9'), false},
      {std::string(309, '9'), true},
      {"1" + std::string(400, '0') + "e-200", false},
      {"0." + std::string(400, '0') + "1e800", true},
      {"0." + std::string(400, '0') + "1e709", false},
  };
  for (const Row& row : rows) {
    INFO("number: " << row.text);
    JsonReader reader(row.text, 1);
    std::string out;
    bool out_of_range = false;
    CHECK(reader.minify(out, 1, out_of_range));
    CHECK(reader.at_end());
    CHECK(out == row.text);
    CHECK(out_of_range == row.out_of_range);
  }
}

TEST_CASE("One number out of range marks its whole value, and only that", "[json]") {
  JsonReader reader(R"([{"a":[1e400,1]},{"a":1}])", 4);
  std::string out;
  bool first = false;
  bool second = false;
  REQUIRE((reader.enter_array() && reader.next_element()));
  CHECK(reader.minify(out, 4, first));
  CHECK(first);
  REQUIRE(reader.next_element());
  CHECK(reader.minify(out, 4, second));
  CHECK_FALSE(second);
}

TEST_CASE("A fact is walked member by member", "[json]") {
  const std::string text =
      " { \"id\" : \"f\\u0061ct_1\" , \"amount\":12,\"d\\u0061ta\": { \"x\" : [ 1 , { } ] "
      "},\"ok\":true,"
      "\"none\" : null, \"list\":[\"a\",[],2.5] } ";
  JsonReader reader(text, 4);
  std::string_view key;
  std::string_view value;
  std::string scratch;
  std::string data;
  std::int64_t amount = 0;
  Fit fit{};
  bool flag = false;
  REQUIRE(reader.peek() == JsonKind::object);
  REQUIRE(reader.enter_object());
  REQUIRE((reader.next_member(key) && key == "id" && reader.peek() == JsonKind::string));
  REQUIRE((reader.string(value, scratch) && value == "fact_1"));
  REQUIRE((reader.next_member(key) && key == "amount" && reader.peek() == JsonKind::number));
  REQUIRE((reader.integer(amount, fit) && amount == 12));
  REQUIRE((reader.next_member(key) && key == "data"));
  REQUIRE((reader.minify(data, 16, flag) && data == R"({"x":[1,{}]})"));
  REQUIRE((reader.next_member(key) && key == "ok" && reader.peek() == JsonKind::boolean));
  REQUIRE((reader.boolean(flag) && flag));
  REQUIRE((reader.next_member(key) && key == "none" && reader.peek() == JsonKind::null));
  REQUIRE(reader.null());
  REQUIRE((reader.next_member(key) && key == "list" && reader.peek() == JsonKind::array));
  REQUIRE((reader.enter_array() && reader.next_element() && reader.skip()));
  REQUIRE((reader.next_element() && reader.enter_array()));
  REQUIRE_FALSE(reader.next_element());
  REQUIRE((reader.next_element() && !reader.integer(amount, fit) && fit == Fit::not_integer));
  REQUIRE_FALSE(reader.next_element());
  REQUIRE_FALSE(reader.next_member(key));
  CHECK(reader.at_end());
  CHECK(reader.peek() == JsonKind::end);
  CHECK(reader.offset() == text.size());
  CHECK(reader.error() == JsonError::none);
}

TEST_CASE("Strings without escapes borrow the text, others the scratch", "[json]") {
  const std::string text = R"(["plain","esc\u0061ped"])";
  JsonReader reader(text, 1);
  std::string_view value;
  std::string scratch = "left over";
  REQUIRE((reader.enter_array() && reader.next_element() && reader.string(value, scratch)));
  CHECK(value.data() == text.data() + 2);
  CHECK(scratch == "left over");
  REQUIRE((reader.next_element() && reader.string(value, scratch)));
  CHECK(value == "escaped");
  CHECK(value.data() == scratch.data());
}

TEST_CASE("A string that fails leaves no view of an overwritten scratch", "[json]") {
  const std::string text = R"(["\u0061 first","\u0061)" + std::string(100, 'x') + R"(\n\x"])";
  JsonReader reader(text, 1);
  std::string_view value;
  std::string scratch;
  REQUIRE((reader.enter_array() && reader.next_element() && reader.string(value, scratch)));
  CHECK(value == "a first");
  REQUIRE(reader.next_element());
  CHECK_FALSE(reader.string(value, scratch));
  CHECK(value.empty());
  CHECK(reader.error() == JsonError::syntax);
}

TEST_CASE("A value of another kind than the caller's is a syntax error", "[json]") {
  std::string_view view;
  std::string scratch;
  std::int64_t number = 0;
  Fit fit{};
  bool flag = false;
  JsonReader a("1", 4), b("1", 4), c("1", 4), d("\"1\"", 4), e("null", 4), f("true", 4);
  CHECK_FALSE(a.enter_object());
  CHECK_FALSE(b.enter_array());
  CHECK_FALSE(c.string(view, scratch));
  CHECK_FALSE(d.integer(number, fit));
  CHECK_FALSE(e.boolean(flag));
  CHECK_FALSE(f.null());
  for (const JsonReader* reader : {&a, &b, &c, &d, &e, &f}) {
    CHECK(reader->error() == JsonError::syntax);
    CHECK(reader->offset() == 0);
  }
}

TEST_CASE("Members are sorted by the bytes of their keys, at every level", "[json]") {
  struct Row {
    std::string_view minified;
    std::string_view sorted;
  };
  const std::vector<Row> rows = {
      {"", ""},
      {"1", "1"},
      {R"("{b,a}")", R"("{b,a}")"},
      {"{}", "{}"},
      {"[]", "[]"},
      {R"({"a":1})", R"({"a":1})"},
      {R"({"a":1,"b":2})", R"({"a":1,"b":2})"},
      {R"({"b":1,"a":2})", R"({"a":2,"b":1})"},
      {R"({"b":1,"a":22,"c":333,"":0})", R"({"":0,"a":22,"b":1,"c":333})"},
      {R"({"aa":1,"a":2,"a b":3,"a!":4})", R"({"a":2,"a b":3,"a!":4,"aa":1})"},
      {R"([3,1,{"b":[2,1],"a":{}},2])", R"([3,1,{"a":{},"b":[2,1]},2])"},
      {R"({"z":{"y":{"x":1,"w":2},"v":3},"u":[{"t":4,"s":5}]})",
       R"({"u":[{"s":5,"t":4}],"z":{"v":3,"y":{"w":2,"x":1}}})"},
      {R"({"b":"}],\"{[,:","a":"\\"})", R"({"a":"\\","b":"}],\"{[,:"})"},
      {R"({"b\"":1,"b":2,"B":3})", R"({"B":3,"b":2,"b\"":1})"},
      {R"({"b":"x","a":["c","d",{"f":"e","e":"f"}]})",
       R"({"a":["c","d",{"e":"f","f":"e"}],"b":"x"})"},
      {"{\"\xc3\xa9\":1,\"z\":2,\"\xf0\x9f\x98\x80\":3,\"\xef\xbf\xbf\":4}",
       "{\"z\":2,\"\xc3\xa9\":1,\"\xef\xbf\xbf\":4,\"\xf0\x9f\x98\x80\":3}"},
      {R"({"b":1.0,"a":1})", R"({"a":1,"b":1.0})"},
      {R"({"c":{},"b":[],"a":null})", R"({"a":null,"b":[],"c":{}})"},
  };
  for (const Row& row : rows) {
    INFO("minified: " << row.minified);
    CHECK(z0::sorted_members(row.minified) == row.sorted);
    CHECK(z0::sorted_members(row.sorted) == row.sorted);
  }
}

TEST_CASE("Strings are written with the shortest escapes", "[json]") {
  std::string all;
  for (char c = 0; c < 0x20; ++c) all.push_back(c);
  all += "\"\\/ \x7f\u00e9\U0001f600 and a run of more than sixteen bytes";
  std::string out = "x";
  z0::append_json_string(out, all);
  CHECK(
      out ==
      "x\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u0"
      "00f"
      "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c"
      "\\u001d\\u001e\\u001f\\\"\\\\/ \x7f\u00e9\U0001f600 and a run of more than sixteen bytes\"");
}

TEST_CASE("One bad byte anywhere makes a text no UTF-8", "[json]") {
  const std::string good =
      "0123456789abcdef\u00e9\u6771\U0001f600" + std::string(40, 'x') + "\u00e9";
  CHECK(z0::valid_utf8(""));
  CHECK(z0::valid_utf8(good));
  for (std::size_t i = 0; i <= good.size(); ++i) {
    INFO("at " << i);
    std::string bad = good;
    bad.insert(i, 1, '\xff');
    CHECK_FALSE(z0::valid_utf8(bad));
  }
  CHECK_FALSE(z0::valid_utf8(std::string_view(good).substr(0, good.size() - 1)));
}

}  // namespace
