// The writer of JSON: what it puts.
#include "z0/json/write.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "unit/catch.hpp"

using z0::JsonRoomWriter;
using z0::JsonWriter;

namespace {

template <class Write>
std::string written(Write write) {
  std::string out;
  {
    JsonWriter json(out);
    write(json);
  }
  return out;
}

}  // namespace

TEST_CASE("Commas stand between members and elements, and nowhere else", "[json]") {
  CHECK(written([](JsonWriter& json) { json.object().end(); }) == "{}");
  CHECK(written([](JsonWriter& json) { json.array().end(); }) == "[]");
  CHECK(written([](JsonWriter& json) {
          json.object().text("a", "x").object("b").end().array("c").integer(1).integer(2);
          json.object().boolean("d", true).end().array().end().end().null("e").end();
        }) == R"({"a":"x","b":{},"c":[1,2,{"d":true},[]],"e":null})");
}

TEST_CASE("Texts and names that come at run time are escaped, plain ones are not looked at",
          "[json]") {
  const std::string text = "a\"\\\n\x01\xc3\xa4";
  const std::string out = written([&](JsonWriter& json) {
    json.object().text("t", text).any_key(text).integer(1).plain("p", "acct_1").end();
  });
  CHECK(out ==
        "{\"t\":\"a\\\"\\\\\\n\\u0001\xc3\xa4\",\"a\\\"\\\\\\n\\u0001\xc3\xa4\":1,"
        "\"p\":\"acct_1\"}");
  CHECK(nlohmann::json::parse(out)["t"] == text);
}

TEST_CASE("Numbers are written to the ends of their range", "[json]") {
  CHECK(written([](JsonWriter& json) {
          json.array().integer(0).integer(-1).integer(INT64_MIN).integer(INT64_MAX).end();
        }) == "[0,-1,-9223372036854775808,9223372036854775807]");
}

TEST_CASE("An empty text is left out, or null, where the caller says so", "[json]") {
  CHECK(written([](JsonWriter& json) {
          json.object().text_if_any("a", "").text_or_null("b", "").text("c", "");
          json.text_if_any("d", "x").text_or_null("e", "y").end();
        }) == R"({"b":null,"c":"","d":"x","e":"y"})");
}

TEST_CASE("Parts of one writer are taken over by another one", "[json]") {
  std::string parts;
  JsonWriter(parts).integer("a", 1).hex("b", "\x0f");
  JsonWriter(parts, true).null("c");
  CHECK(parts == R"("a":1,"b":"0f","c":null)");
  CHECK(written([&](JsonWriter& json) {
          json.object().parts("").parts(parts).integer("d", 4).end();
        }) == R"({"a":1,"b":"0f","c":null,"d":4})");
  CHECK(written([](JsonWriter& json) { json.array().integer(1).parts("2,3").raw("4").end(); }) ==
        "[1,2,3,4]");
  CHECK(z0::members_of(R"({"a":1})") == R"("a":1)");
  CHECK(z0::members_of("{}").empty());
}

TEST_CASE("What is written through a pointer is what a string gets", "[json]") {
  const auto write = [](auto& json) {
    json.object().plain("status", "recorded").integer("seq", 12);
    json.array("list").boolean(false).null().end().end();
  };
  char room[128];
  char* p = room;
  {
    JsonRoomWriter json(p, true);
    write(json);
  }
  CHECK("," + written(write) == std::string_view(room, static_cast<std::size_t>(p - room)));
}
