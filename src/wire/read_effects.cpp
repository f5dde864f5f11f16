#include "z0/wire/read_effects.hpp"

#include "z0/base/trap.hpp"

namespace z0 {
namespace {

Statement read_statement(ByteReader& in) {
  Statement s;
  s.sql = in.bytes();
  const std::uint16_t count = in.u16();
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    Value v;
    v.kind = static_cast<Value::Kind>(in.u8());
    if (v.kind == Value::Kind::integer) v.integer = static_cast<std::int64_t>(in.u64());
    if (v.kind == Value::Kind::real) v.real = in.f64();
    if (v.kind == Value::Kind::text || v.kind == Value::Kind::blob) v.bytes = in.bytes();
    s.values.push_back(v);
  }
  return s;
}

NeedSpan read_span_of(ByteReader& in) {
  NeedSpan span;
  span.name = in.bytes();
  span.members = in.bytes();
  return span;
}

QueryNeed read_query(ByteReader& in) {
  QueryNeed need;
  for (std::uint16_t n = in.u16(); n > 0 && in.ok(); --n)
    need.statements.push_back(read_statement(in));
  need.database = in.bytes();
  need.span = read_span_of(in);
  return need;
}

CallNeed read_call(ByteReader& in) {
  CallNeed need;
  need.target = in.u8();
  need.method = in.u8();
  need.object = in.bytes();
  need.timeout_ms = in.u32();
  need.request = in.bytes();
  need.span = read_span_of(in);
  return need;
}

std::vector<Header> read_headers(ByteReader& in) {
  std::vector<Header> headers;
  for (std::uint16_t n = in.u16(); n > 0 && in.ok(); --n) {
    const std::string_view name = in.bytes();
    headers.emplace_back(name, in.bytes());
  }
  return headers;
}

FetchNeed read_fetch(ByteReader& in) {
  FetchNeed need;
  need.method = in.bytes();
  need.url = in.bytes();
  need.headers = read_headers(in);
  need.timeout_ms = in.u32();
  need.body = in.bytes();
  need.answer_bytes_max = in.u32();
  need.span = read_span_of(in);
  return need;
}

ZoneNeed read_zone(ByteReader& in) {
  ZoneNeed need;
  need.zone = in.bytes();
  need.at_ms = static_cast<std::int64_t>(in.u64());
  return need;
}

ResumeNeed read_resume(ByteReader& in) {
  ResumeNeed need;
  need.continuation = in.bytes();
  need.steps_max = in.u16();
  need.where = in.bytes();
  return need;
}

HttpAnswer read_reply(ByteReader& in) {
  HttpAnswer answer;
  answer.http = in.u16();
  answer.headers = read_headers(in);
  answer.body = in.bytes();
  return answer;
}

DataPoint read_point(ByteReader& in) {
  DataPoint point;
  point.kind = static_cast<z0_point_kind>(in.u8());
  point.index = in.bytes();
  for (std::uint16_t n = in.u16(); n > 0 && in.ok(); --n) point.blobs.push_back(in.bytes());
  point.how_much = in.f64();
  point.value = in.f64();
  point.trace_id = in.bytes();
  return point;
}

LogLine read_log(ByteReader& in) {
  LogLine line;
  line.error = in.u8() != 0;
  line.json = in.bytes();
  return line;
}

Carried read_carried(z0_effect_kind kind, ByteReader& in) {
  switch (kind) {
    case Z0_NEED_ROWS:
      return RowsNeed{read_statement(in)};
    case Z0_NEED_QUERY:
      return read_query(in);
    case Z0_NEED_CALL:
      return read_call(in);
    case Z0_NEED_SIGN:
      return SignNeed{in.bytes()};
    case Z0_NEED_SECRET:
      return SecretNeed{in.bytes()};
    case Z0_NEED_FETCH:
      return read_fetch(in);
    case Z0_NEED_ZONE:
      return read_zone(in);
    case Z0_NEED_RESUME:
      return read_resume(in);
    case Z0_WRITE:
      return Write{read_statement(in)};
    case Z0_ALARM:
      return AlarmAt{static_cast<std::int64_t>(in.u64())};
    case Z0_REPLY:
      return read_reply(in);
    case Z0_SEND:
      return QueueMessage{in.bytes()};
    case Z0_TELL:
      return ToldReport{in.bytes()};
    case Z0_POINT:
      return read_point(in);
    case Z0_LOG:
      return read_log(in);
    case Z0_SPAN:
      return SpanLine{in.bytes()};
  }
  trap("each kind of effect is known");
}

}  // namespace

bool parse_effects(std::string_view bytes, std::vector<Effect>& out) {
  ByteReader in(bytes);
  const std::uint32_t count = in.u32();
  Phase last = Phase::need;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Effect e;
    e.kind = static_cast<z0_effect_kind>(in.u8());
    e.phase = static_cast<Phase>(in.u8());
    if (in.u16() != 0 || e.phase < last || e.phase > Phase::tell) return false;
    last = e.phase;
    e.payload = in.bytes();
    out.push_back(e);
  }
  return in.ok() && in.done();
}

Carried carried_by(const Effect& effect) {
  ByteReader in(effect.payload);
  Carried carried = read_carried(effect.kind, in);
  if (!in.ok() || !in.done()) trap("an effect is read to its end");
  return carried;
}

}  // namespace z0
