#include "z0/wire/effects.hpp"

#include <algorithm>
#include <cstring>

#include "z0/base/ids.hpp"
#include "z0/base/trace_headers.hpp"
#include "z0/base/trap.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

void write_values(ByteWriter& out, const Value* values, std::size_t count) {
  out.u16(static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const Value& v = values[i];
    out.u8(static_cast<std::uint8_t>(v.kind));
    if (v.kind == Value::Kind::integer) out.u64(static_cast<std::uint64_t>(v.integer));
    if (v.kind == Value::Kind::real) out.f64(v.real);
    if (v.kind == Value::Kind::text || v.kind == Value::Kind::blob) out.bytes(v.bytes);
  }
}

// Nearly every step of one request fits; one that read megabytes would keep them for days.
constexpr std::size_t kept_bytes_max = std::size_t{64} * 1024;

// A header without a name is left out.
void write_headers(ByteWriter& out, std::span<const Header> headers) {
  std::uint16_t count = 0;
  for (const auto& header : headers) count += header.first.empty() ? 0 : 1;
  out.u16(count);
  for (const auto& [name, value] : headers) {
    if (name.empty()) continue;
    out.bytes(name);
    out.bytes(value);
  }
}

// One id of many from a seed: what SplitMix64 gives for it (Steele et al., 2014). Never all zero.
std::uint64_t nth_id(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed + (n + 1) * 0x9e37'79b9'7f4a'7c15u;
  z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9u;
  z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebu;
  z ^= z >> 31;
  return z == 0 ? 1 : z;
}

}  // namespace

Effects::Effects() : out_(bytes_) { begin_step(); }

void Effects::begin_step() {
  if (bytes_.capacity() > kept_bytes_max) bytes_ = std::string();
  bytes_.clear();
  out_.u32(0);
  count_ = 0;
  phase_ = Phase::need;
  waits_outside_ = false;
  parent_ = {};
  notes = {};
}

std::size_t Effects::begin(z0_effect_kind kind, Phase phase) {
  // Needs stand alone, and a later phase never comes before an earlier one.
  if (phase < phase_ || (phase_ == Phase::need && phase != Phase::need && count_ > 0))
    trap("needs stand alone and phases do not go back");
  phase_ = phase;
  ++count_;
  out_.u8(static_cast<std::uint8_t>(kind));
  out_.u8(static_cast<std::uint8_t>(phase));
  out_.u16(0);
  const std::size_t mark = out_.mark();
  out_.u32(0);
  return mark;
}

void Effects::end(std::size_t mark) {
  out_.patch_u32(mark, static_cast<std::uint32_t>(out_.mark() - mark - sizeof(std::uint32_t)));
}

void Effects::need_rows(std::string_view sql, std::initializer_list<Value> values) {
  const auto mark = begin(Z0_NEED_ROWS, Phase::need);
  out_.bytes(sql);
  write_values(out_, values.begin(), values.size());
  end(mark);
}

// Of the span that the need is which is being written, in hexadecimal.
std::string Effects::need_id() const {
  char id[8];
  const std::uint64_t number = nth_id(parent_.seed, count_);
  std::memcpy(id, &number, sizeof id);
  std::string hex;
  append_hex(hex, {id, sizeof id});
  return hex;
}

// The tail of a need that is answered outside.
void Effects::name_span(SpanName span, std::string_view object) {
  out_.bytes(span.text());
  const std::size_t mark = out_.mark();
  out_.u32(0);
  if (parent_.trace_id.empty()) return;
  JsonWriter json(bytes_);
  json.plain("name", span.text()).plain("trace_id", parent_.trace_id);
  json.plain("span_id", need_id()).plain("parent_id", parent_.span_id);
  json.plain("kind", "client").text_if_any("tenant_id", parent_.tenant_id);
  if (!object.empty()) json.object("attributes").text("z0.object", object).end();
  out_.patch_u32(mark, static_cast<std::uint32_t>(out_.mark() - mark - sizeof(std::uint32_t)));
}

void Effects::need_query(SpanName span, std::string_view database,
                         const std::vector<Statement>& statements) {
  const auto mark = begin(Z0_NEED_QUERY, Phase::need);
  waits_outside_ = true;
  out_.u16(static_cast<std::uint16_t>(statements.size()));
  for (const auto& s : statements) {
    out_.bytes(s.sql);
    write_values(out_, s.values.data(), s.values.size());
  }
  out_.bytes(database);
  name_span(span, {});
  end(mark);
}

void Effects::need_query(SpanName span, std::string_view database, std::string_view sql,
                         std::initializer_list<Value> values) {
  const auto mark = begin(Z0_NEED_QUERY, Phase::need);
  waits_outside_ = true;
  out_.u16(1);
  out_.bytes(sql);
  write_values(out_, values.begin(), values.size());
  out_.bytes(database);
  name_span(span, {});
  end(mark);
}

void Effects::need_sign(std::string_view text) {
  const auto mark = begin(Z0_NEED_SIGN, Phase::need);
  waits_outside_ = true;
  out_.bytes(text);
  end(mark);
}

void Effects::need_secret(std::string_view name) {
  const auto mark = begin(Z0_NEED_SECRET, Phase::need);
  waits_outside_ = true;
  out_.bytes(name);
  end(mark);
}

void Effects::need_zone(std::string_view zone, std::int64_t at_ms) {
  const auto mark = begin(Z0_NEED_ZONE, Phase::need);
  waits_outside_ = true;
  out_.bytes(zone);
  out_.u64(static_cast<std::uint64_t>(at_ms));
  end(mark);
}

void Effects::need_fetch(SpanName span, const FetchRequest& request) {
  const auto mark = begin(Z0_NEED_FETCH, Phase::need);
  waits_outside_ = true;
  out_.bytes(request.method);
  out_.bytes(request.url);
  std::vector<Header> headers = request.headers;
  std::string traceparent;
  std::string tracestate;
  if (!parent_.trace_id.empty()) {
    const std::string id = need_id();
    traceparent = traceparent_of(parent_.trace_id, id, parent_.flags);
    tracestate = tracestate_of(id, parent_.tracestate);
    headers.emplace_back("traceparent", traceparent);
    headers.emplace_back("tracestate", tracestate);
  }
  write_headers(out_, headers);
  out_.u32(request.timeout_ms);
  out_.bytes(request.body);
  out_.u32(request.answer_bytes_max);
  name_span(span, {});
  end(mark);
}

void Effects::need_call(SpanName span, z0_target target, std::uint8_t method,
                        std::string_view object, std::uint32_t timeout_ms, std::string_view request,
                        std::string_view rest) {
  const auto mark = begin(Z0_NEED_CALL, Phase::need);
  waits_outside_ = true;
  out_.u8(static_cast<std::uint8_t>(target));
  out_.u8(method);
  out_.bytes(object);
  out_.u32(timeout_ms);
  out_.u32(static_cast<std::uint32_t>(request.size() + rest.size()));
  out_.raw(request);
  out_.raw(rest);
  name_span(span, object);
  end(mark);
}

void Effects::resume(std::string_view continuation, std::size_t steps_max, std::string_view where) {
  const auto mark = begin(Z0_NEED_RESUME, Phase::need);
  out_.bytes(continuation);
  out_.u16(static_cast<std::uint16_t>(std::min<std::size_t>(steps_max, 0xffff)));
  if (!where.empty() || continuation.empty()) {
    out_.bytes(where);
  } else {
    out_.bytes("stage " + std::to_string(static_cast<std::uint8_t>(continuation[0])));
  }
  end(mark);
}

void Effects::write(std::string_view sql, std::initializer_list<Value> values) {
  const auto mark = begin(Z0_WRITE, Phase::commit);
  out_.bytes(sql);
  write_values(out_, values.begin(), values.size());
  end(mark);
}

void Effects::alarm(std::int64_t at_ms) {
  const auto mark = begin(Z0_ALARM, Phase::commit);
  out_.u64(static_cast<std::uint64_t>(at_ms));
  end(mark);
}

void Effects::reply(std::uint16_t http, std::initializer_list<Header> headers,
                    std::string_view body) {
  const auto mark = begin(Z0_REPLY, Phase::reply);
  notes.http = http;
  out_.u16(http);
  write_headers(out_, {headers.begin(), headers.size()});
  out_.bytes(body);
  end(mark);
}

void Effects::send(std::string_view message) {
  const auto mark = begin(Z0_SEND, Phase::send);
  out_.bytes(message);
  end(mark);
}

void Effects::tell(std::string_view report) {
  const auto mark = begin(Z0_TELL, Phase::tell);
  out_.bytes(report);
  end(mark);
}

void Effects::point(z0_point_kind kind, std::string_view index, std::string_view name,
                    std::span<const std::string_view> labels, double how_much, double value,
                    std::string_view trace_id) {
  const auto mark = begin(Z0_POINT, Phase::tell);
  out_.u8(static_cast<std::uint8_t>(kind));
  out_.bytes(index);
  out_.u16(static_cast<std::uint16_t>(1 + labels.size()));
  out_.bytes(name);
  for (const auto label : labels) out_.bytes(label);
  out_.f64(how_much);
  out_.f64(value);
  out_.bytes(trace_id);
  end(mark);
}

void Effects::log(bool error, std::string_view json) {
  const auto mark = begin(Z0_LOG, Phase::tell);
  out_.u8(error ? 1 : 0);
  out_.bytes(json);
  end(mark);
}

void Effects::span(std::string_view json) {
  const auto mark = begin(Z0_SPAN, Phase::tell);
  out_.bytes(json);
  end(mark);
}

void Effects::pass_on(z0_effect_kind kind, Phase phase, std::string_view payload) {
  const auto mark = begin(kind, phase);
  waits_outside_ =
      waits_outside_ || kind == Z0_NEED_QUERY || kind == Z0_NEED_CALL || kind == Z0_NEED_FETCH;
  out_.raw(payload);
  end(mark);
}

std::string_view Effects::finish() {
  out_.patch_u32(0, count_);
  return bytes_;
}

}  // namespace z0
