// The bytes that cross between a host and the core.
#include "z0/wire/frame.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::Frame;
using z0::Rows;
using z0::Value;

const std::string entropy = "0123456789abcdef0123456789abcdef0123456789abcdef";

std::string frame_bytes() {
  Frame frame;
  frame.kind = Z0_FRAME_CALL;
  frame.target = Z0_TARGET_DIRECTORY;
  frame.method = 3;
  frame.flags = 1;
  frame.now_ms = 1'774'915'200'000;
  frame.incarnation = 0xfedcba9876543210u;
  frame.entropy = z0::Entropy(entropy);
  frame.parts = {"one", "", "three"};
  frame.answers = {"an answer", ""};
  return z0::encode_frame(frame);
}

Rows rows_of(std::size_t columns, std::vector<Value> cells) {
  Rows rows;
  rows.failed = false;
  rows.changes = 7;
  rows.columns = columns;
  rows.cells = std::move(cells);
  return rows;
}

}  // namespace

TEST_CASE("A frame reads back as it was written", "[frame]") {
  const std::string bytes = frame_bytes();
  Frame frame;
  REQUIRE(z0::parse_frame(bytes, frame));
  CHECK(frame.kind == Z0_FRAME_CALL);
  CHECK(frame.target == Z0_TARGET_DIRECTORY);
  CHECK(frame.method == 3);
  CHECK(frame.flags == 1);
  CHECK(frame.now_ms == 1'774'915'200'000);
  CHECK(frame.incarnation == 0xfedcba9876543210u);
  CHECK(frame.entropy.bytes() == entropy);
  CHECK(frame.entropy.ulid() == entropy.substr(0, 10));
  CHECK(frame.entropy.trace() == entropy.substr(10, 24));
  CHECK(frame.entropy.seed() == z0::ByteReader(entropy.substr(40)).u64());
  CHECK(frame.parts == std::vector<std::string_view>{"one", "", "three"});
  CHECK(frame.answers == std::vector<std::string_view>{"an answer", ""});
  CHECK(frame.part(2) == "three");
  CHECK(frame.part(3).empty());
  CHECK(bytes.size() == Z0_FRAME_HEADER_BYTES + 4 + 3 + 4 + 4 + 5 + 4 + 4 + 9 + 4);
}

TEST_CASE("Cut, lengthened and lying frames are refused", "[frame]") {
  const std::string bytes = frame_bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    Frame frame;
    CHECK_FALSE(z0::parse_frame(bytes.substr(0, n), frame));
  }
  Frame frame;
  CHECK_FALSE(z0::parse_frame(bytes + 'x', frame));
  for (const std::uint32_t count : {0u, 1u, 2u, 4u, 0x7fffffffu, 0xffffffffu}) {
    std::string lying = bytes;
    z0::ByteWriter(lying).patch_u32(4, count);
    Frame refused;
    CHECK_FALSE(z0::parse_frame(lying, refused));
  }
  // Times outside of what a fact may have.
  for (const std::int64_t now : {std::int64_t{-1}, z0::limits::timestamp_ms_max + 1}) {
    Frame late;
    late.now_ms = now;
    Frame refused;
    CHECK_FALSE(z0::parse_frame(z0::encode_frame(late), refused));
  }
}

TEST_CASE("Rows keep every kind of value", "[frame]") {
  const std::string blob("\0\xff", 2);
  std::string bytes;
  z0::append_rows(
      bytes, rows_of(3, {Value::null(), Value::of(-5), Value::text("t\xc3\xb6"), Value::blob(blob),
                         Value{Value::Kind::real, 0, 1.5, {}}, Value::text("")}));
  const Rows rows = z0::parse_rows(bytes);
  REQUIRE_FALSE(rows.failed);
  CHECK(rows.changes == 7);
  REQUIRE(rows.size() == 2);
  CHECK(rows.at(0, 0).kind == Value::Kind::null);
  CHECK(rows.at(0, 1).integer == -5);
  CHECK(rows.at(0, 2).bytes == "t\xc3\xb6");
  CHECK(rows.at(1, 0).bytes == blob);
  CHECK(rows.at(1, 1).real == 1.5);
  CHECK(rows.at(1, 2).kind == Value::Kind::text);
  CHECK(rows.at(1, 2).bytes.empty());
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK(z0::parse_rows(bytes.substr(0, n)).failed);
}

TEST_CASE("A statement without rows, and one that failed", "[frame]") {
  std::string none;
  z0::append_rows(none, rows_of(0, {}));
  const Rows rows = z0::parse_rows(none);
  CHECK_FALSE(rows.failed);
  CHECK(rows.size() == 0);
  std::string bad;
  Rows failed;
  failed.message = "no such table: meta";
  z0::append_rows(bad, failed);
  CHECK(z0::parse_rows(bad).failed);
  CHECK(z0::parse_rows(bad).message == "no such table: meta");
}

TEST_CASE("Rows that claim more than their bytes hold are a failure", "[frame]") {
  std::string bytes;
  z0::ByteWriter out(bytes);
  out.u8(0);
  out.u32(0);
  out.u16(0xffff);
  out.u32(0xffffffffu);
  CHECK(z0::parse_rows(bytes).failed);
}

TEST_CASE("A query is answered statement by statement, or fails as a whole", "[frame]") {
  std::string one;
  z0::append_rows(one, rows_of(1, {Value::of(1)}));
  std::string bytes;
  z0::ByteWriter out(bytes);
  out.u16(2);
  out.bytes(one);
  out.bytes(one);
  const auto answers = z0::parse_query(bytes);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].at(0, 0).integer == 1);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto cut = z0::parse_query(bytes.substr(0, n));
    REQUIRE(cut.size() == 1);
    CHECK(cut[0].failed);
  }
  std::string whole;
  z0::ByteWriter failure(whole);
  failure.u16(0);
  failure.bytes("D1 is down");
  const auto failed = z0::parse_query(whole);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].failed);
  CHECK(failed[0].message == "D1 is down");
}

TEST_CASE("A call is answered with its request, and anything else is a failure", "[frame]") {
  std::string bytes;
  z0::ByteWriter out(bytes);
  out.u8(Z0_TIMEOUT);
  out.bytes("no answer");
  out.bytes("the request");
  const auto call = z0::parse_call(bytes);
  CHECK(call.outcome == Z0_TIMEOUT);
  CHECK(call.reply == "no answer");
  CHECK(call.request == "the request");
  bytes[0] = 9;
  CHECK(z0::parse_call(bytes).outcome == Z0_FAILED);
  bytes[0] = Z0_OK;
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK(z0::parse_call(bytes.substr(0, n)).outcome == Z0_FAILED);
}

TEST_CASE("Signatures are of 64 bytes with a key of 32, or there are none", "[frame]") {
  const auto answer = [](std::size_t signature, std::size_t key) {
    std::string bytes;
    z0::ByteWriter out(bytes);
    out.u8(0);
    out.u16(2);
    out.bytes(std::string(64, 's'));
    out.bytes(std::string(32, 'k'));
    out.bytes(std::string(signature, 't'));
    out.bytes(std::string(key, 'l'));
    return bytes;
  };
  const std::string good = answer(64, 32);
  const auto both = z0::parse_signatures(good);
  REQUIRE(both.size() == 2);
  CHECK(both[1].signature == std::string(64, 't'));
  CHECK(both[1].public_key == std::string(32, 'l'));
  for (const std::size_t key : {0u, 1u, 31u, 33u, 64u, 1'000u})
    CHECK(z0::parse_signatures(answer(64, key)).empty());
  for (const std::size_t signature : {0u, 32u, 63u, 65u, 1'000u})
    CHECK(z0::parse_signatures(answer(signature, 32)).empty());
  for (std::size_t n = 0; n < good.size(); ++n)
    CHECK(z0::parse_signatures(std::string_view(good).substr(0, n)).empty());
  CHECK(z0::parse_signatures(good + 'x').empty());
}

TEST_CASE("Somebody outside answers with a status, and anything else is a failure", "[frame]") {
  std::string good;
  z0::ByteWriter out(good);
  out.u8(Z0_OK);
  out.u16(503);
  out.u32(30);
  out.bytes("{}");
  CHECK(z0::parse_fetch(good).outcome == Z0_OK);
  CHECK(z0::parse_fetch(good).http == 503);
  CHECK(z0::parse_fetch(good).retry_after_s == 30);
  CHECK(z0::parse_fetch(good).body == "{}");
  for (std::size_t n = 0; n < good.size(); ++n)
    CHECK(z0::parse_fetch(good.substr(0, n)).outcome == Z0_FAILED);
  CHECK(z0::parse_fetch(good + 'x').outcome == Z0_FAILED);
  std::string late;
  z0::ByteWriter words(late);
  words.u8(Z0_TIMEOUT);
  words.bytes("no answer");
  CHECK(z0::parse_fetch(late).outcome == Z0_TIMEOUT);
  CHECK(z0::parse_fetch(late).message == "no answer");
  late[0] = 99;
  CHECK(z0::parse_fetch(late).outcome == Z0_FAILED);
}

TEST_CASE("A float is a whole number within 64 bits", "[frame]") {
  const auto whole = [](double real) {
    Value value;
    value.kind = Value::Kind::real;
    value.real = real;
    return value.whole();
  };
  CHECK(Value::of(-7).whole() == -7);
  CHECK(Value::text("7").whole() == 0);
  CHECK(Value::null().whole() == 0);
  CHECK(whole(-1'500) == -1'500);
  CHECK(whole(0x1p53) == std::int64_t{1} << 53);
  CHECK(whole(1e19) == INT64_MAX);
  CHECK(whole(-1e19) == INT64_MIN);
  CHECK(whole(-0x1p63) == INT64_MIN);
  CHECK(whole(std::nan("")) == 0);
}
