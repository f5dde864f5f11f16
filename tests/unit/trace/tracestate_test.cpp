#include "z0/trace/tracestate.hpp"

#include <string>

#include "unit/catch.hpp"

namespace {

using z0::others_tracestate;

// `count` members, each of the same length, from m01 on.
std::string members(int count, const std::string& value) {
  std::string list;
  for (int i = 1; i <= count; ++i) {
    const std::string number = std::to_string(i);
    list += (list.empty() ? "m" : ",m") + std::string(number.size() < 2 ? "0" : "") + number + "=" +
            value;
  }
  return list;
}

}  // namespace

TEST_CASE("Tracestate that the grammar allows is kept, without blanks", "[trace]") {
  struct Row {
    std::string header;
    std::string kept;
  };
  const std::string longest_key(256, 'z');
  const std::string longest_vendor = std::string(241, 't') + "@" + std::string(14, 'v');
  const Row rows[] = {
      {"", ""},
      {" \t ", ""},
      {",, ,", ""},
      {"foo=1", "foo=1"},
      {"foo=1,bar=2", "foo=1,bar=2"},
      {" foo=1 \t ,\t \tbar=2,baz=3\t", "foo=1,bar=2,baz=3"},
      {"foo=1,", "foo=1"},
      {",foo=1, ,bar=2", "foo=1,bar=2"},
      // A blank may stand in a value, not at its end.
      {"foo=  a b  ,bar=2", "foo=  a b,bar=2"},
      {"0foo=1", "0foo=1"},
      {"abcdefghijklmnopqrstuvwxyz0123456789_-*/=1", "abcdefghijklmnopqrstuvwxyz0123456789_-*/=1"},
      {"a0_-*/@b0_-*/=1", "a0_-*/@b0_-*/=1"},
      {"0a@b=1", "0a@b=1"},
      {"fw529a3039@dt=FfffffFf;!", "fw529a3039@dt=FfffffFf;!"},
      {"a=!\"#$%&'()*+-./0:;<>?@AZ[\\]^_`az{|}~", "a=!\"#$%&'()*+-./0:;<>?@AZ[\\]^_`az{|}~"},
      {"foo=1," + longest_key + "=1", "foo=1," + longest_key + "=1"},
      {"foo=1," + longest_vendor + "=1", "foo=1," + longest_vendor + "=1"},
      {"foo=" + std::string(256, 'v'), "foo=" + std::string(256, 'v')},
  };
  for (const Row& row : rows) {
    INFO(row.header);
    CHECK(others_tracestate(row.header) == row.kept);
  }
}

TEST_CASE("Tracestate with one member that is none is dropped as a whole", "[trace]") {
  const std::string headers[] = {
      "foo",
      "=1",
      "foo=",
      "foo= ",
      "foo=bar=baz",
      "foo =1",
      "foo= =1",
      "FOO=1",
      "foo.bar=1",
      "_foo=1",
      // twice, in one header or in two
      "foo=1,foo=1",
      "foo=1,foo=2",
      // vendors
      "foo@=1",
      "@foo=1",
      "foo@@bar=1",
      "foo@bar@baz=1",
      "foo@0bar=1",
      std::string(257, 'z') + "=1",
      std::string(242, 't') + "@v=1",
      "t@" + std::string(15, 'v') + "=1",
      "foo=" + std::string(257, 'v'),
      // what no header may hold
      "foo=a\tb",
      "foo=\x7f",
      "foo=\xc3\xa4",
      std::string("foo=a\0b", 7),
      "foo=1\r\nset-cookie: a=1",
  };
  for (const std::string& header : headers) {
    INFO(header);
    CHECK(others_tracestate(header).empty());
    CHECK(others_tracestate("bar=2," + header).empty());
    CHECK(others_tracestate(header + ",bar=2").empty());
  }
}

TEST_CASE("32 members are a list and 33 are none; ours needs the place of the last", "[trace]") {
  CHECK(others_tracestate(members(31, "1")) == members(31, "1"));
  CHECK(others_tracestate(members(32, "1")) == members(31, "1"));
  CHECK(others_tracestate(members(33, "1")).empty());
  // An earlier member of ours makes the place itself.
  CHECK(others_tracestate("z0=0102030405060708," + members(31, "1")) == members(31, "1"));
}

TEST_CASE("An earlier member of ours is not kept beside the new one", "[trace]") {
  CHECK(others_tracestate("z0=0102030405060708").empty());
  CHECK(others_tracestate("foo=1,z0=0102030405060708,bar=2") == "foo=1,bar=2");
  CHECK(others_tracestate("foo=1,z0@foo=2") == "foo=1,z0@foo=2");
}

TEST_CASE("Where not all fit into 512 bytes long members go first, then the last", "[trace]") {
  const std::size_t room = z0::tracestate_bytes_max - std::string("z0=0102030405060708,").size();
  const std::string large = "large=" + std::string(230, 'l');
  const std::string full = "a=" + std::string(120, 'a') + ",b=" + std::string(120, 'b') +
                           ",c=" + std::string(120, 'c') +
                           ",d=" + std::string(room - 3 * 123 - 2, 'd');
  REQUIRE(full.size() == room);
  CHECK(others_tracestate(full) == full);
  CHECK(others_tracestate(large + "," + full) == full);
  CHECK(others_tracestate(full + "," + large) == full);
  // Of several long ones the last goes first.
  CHECK(others_tracestate(large + ",foo=1,larger=" + std::string(256, 'l') + ",bar=2") ==
        large + ",foo=1,bar=2");
  CHECK(others_tracestate(full + ",e=1") == full);
  CHECK(others_tracestate(members(32, std::string(20, 'v'))).size() <= room);
}
