#include "z0/wire/frame.hpp"

#include <cmath>

#include "z0/base/bytes.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

bool read_list(ByteReader& in, std::uint32_t count, std::vector<std::string_view>& out) {
  if (count > in.left() / sizeof(std::uint32_t)) return false;
  out.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) out.push_back(in.bytes());
  return in.ok();
}

Value read_value(ByteReader& in) {
  Value v;
  v.kind = static_cast<Value::Kind>(in.u8());
  switch (v.kind) {
    case Value::Kind::null:
      break;
    case Value::Kind::integer:
      v.integer = static_cast<std::int64_t>(in.u64());
      break;
    case Value::Kind::real:
      v.real = in.f64();
      break;
    case Value::Kind::text:
    case Value::Kind::blob:
      v.bytes = in.bytes();
      break;
    default:
      v.kind = Value::Kind::null;
      break;
  }
  return v;
}

void write_value(ByteWriter& out, const Value& v) {
  out.u8(static_cast<std::uint8_t>(v.kind));
  switch (v.kind) {
    case Value::Kind::null:
      break;
    case Value::Kind::integer:
      out.u64(static_cast<std::uint64_t>(v.integer));
      break;
    case Value::Kind::real:
      out.f64(v.real);
      break;
    case Value::Kind::text:
    case Value::Kind::blob:
      out.bytes(v.bytes);
      break;
  }
}

}  // namespace

std::int64_t Value::whole() const {
  constexpr double beyond = 0x1p63;
  if (kind != Kind::real) return integer;
  if (!(std::abs(real) < beyond)) return real > 0 ? INT64_MAX : real < 0 ? INT64_MIN : 0;
  return static_cast<std::int64_t>(std::round(real));
}

bool parse_frame(std::string_view bytes, Frame& out) {
  ByteReader in(bytes);
  out.kind = in.u8();
  out.target = in.u8();
  out.method = in.u8();
  out.flags = in.u8();
  const std::uint32_t parts = in.u32();
  out.now_ms = static_cast<std::int64_t>(in.u64());
  out.incarnation = in.u64();
  out.entropy = Entropy(in.raw(Z0_ENTROPY_BYTES));
  if (!in.ok() || out.now_ms < 0 || out.now_ms > limits::timestamp_ms_max) return false;
  if (!read_list(in, parts, out.parts) || !read_list(in, in.u32(), out.answers)) return false;
  if (!in.done()) out.settings = in.bytes();
  return in.ok() && in.done();
}

std::string encode_frame(const Frame& frame) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(frame.kind);
  out.u8(frame.target);
  out.u8(frame.method);
  out.u8(frame.flags);
  out.u32(static_cast<std::uint32_t>(frame.parts.size()));
  out.u64(static_cast<std::uint64_t>(frame.now_ms));
  out.u64(frame.incarnation);
  std::string entropy(frame.entropy.bytes());
  entropy.resize(Z0_ENTROPY_BYTES);
  out.raw(entropy);
  for (const auto part : frame.parts) out.bytes(part);
  out.u32(static_cast<std::uint32_t>(frame.answers.size()));
  for (const auto answer : frame.answers) out.bytes(answer);
  if (!frame.settings.empty()) out.bytes(frame.settings);
  return bytes;
}

Rows parse_rows(std::string_view answer) {
  Rows rows;
  ByteReader in(answer);
  if (in.u8() != 0) {
    rows.message = in.bytes();
    return rows;
  }
  rows.changes = in.u32();
  rows.columns = in.u16();
  const std::uint64_t count = std::uint64_t{in.u32()} * rows.columns;
  if (!in.ok() || count > in.left()) return rows;  // a value is at least one byte
  rows.cells.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) rows.cells.push_back(read_value(in));
  rows.failed = !in.ok();
  return rows;
}

std::vector<Rows> parse_query(std::string_view answer) {
  std::vector<Rows> out;
  ByteReader in(answer);
  const std::uint16_t count = in.u16();
  if (count == 0) {
    Rows failed;
    failed.message = in.bytes();
    out.push_back(failed);
    return out;
  }
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) out.push_back(parse_rows(in.bytes()));
  if (!in.ok()) out.assign(1, Rows{});
  return out;
}

CallAnswer parse_call(std::string_view answer) {
  CallAnswer call;
  ByteReader in(answer);
  const std::uint8_t outcome = in.u8();
  call.reply = in.bytes();
  call.request = in.bytes();
  if (in.ok() && outcome <= Z0_FAILED) call.outcome = static_cast<z0_outcome>(outcome);
  return call;
}

FetchAnswer parse_fetch(std::string_view bytes) {
  FetchAnswer answer;
  ByteReader in(bytes);
  const std::uint8_t outcome = in.u8();
  if (outcome == Z0_OK) {
    answer.http = in.u16();
    answer.retry_after_s = in.u32();
    answer.body = in.bytes();
  } else {
    answer.message = in.bytes();
  }
  if (in.ok() && in.done() && outcome <= Z0_FAILED)
    answer.outcome = static_cast<z0_outcome>(outcome);
  return answer;
}

std::vector<Signature> parse_signatures(std::string_view answer) {
  std::vector<Signature> all;
  ByteReader in(answer);
  if (in.u8() != 0) return all;
  for (std::uint16_t n = in.u16(); n > 0 && in.ok(); --n) {
    const std::string_view signature = in.bytes();
    all.push_back({signature, in.bytes()});
    if (all.back().signature.size() != 64 || all.back().public_key.size() != 32) return {};
  }
  if (!in.ok() || !in.done()) all.clear();
  return all;
}

bool parse_secret(std::string_view answer, std::string_view& value) {
  ByteReader in(answer);
  if (in.u8() != 0) return false;
  value = in.bytes();
  return in.ok() && in.done();
}

bool parse_zone(std::string_view answer, std::int64_t& offset_min, std::int64_t& until_ms) {
  ByteReader in(answer);
  if (in.u8() != 0) return false;
  offset_min = static_cast<std::int64_t>(in.u64());
  until_ms = static_cast<std::int64_t>(in.u64());
  // No clock is a day off, and none beyond it shifts a time out of its range.
  return in.ok() && in.done() && offset_min > -1'440 && offset_min < 1'440;
}

void append_rows(std::string& bytes, const Rows& rows) {
  ByteWriter out(bytes);
  if (rows.failed) {
    out.u8(1);
    out.bytes(rows.message);
    return;
  }
  out.u8(0);
  out.u32(rows.changes);
  out.u16(static_cast<std::uint16_t>(rows.columns));
  out.u32(static_cast<std::uint32_t>(rows.size()));
  for (const auto& v : rows.cells) write_value(out, v);
}

}  // namespace z0
