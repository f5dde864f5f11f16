#include "z0/trace/span.hpp"

#include <algorithm>

#include "base/hex_bytes.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

constexpr std::int64_t us_max = limits::timestamp_ms_max * 1'000;

constexpr std::string_view kind_names[] = {"unspecified", "internal", "server",
                                           "client",      "producer", "consumer"};
constexpr std::string_view status_names[] = {"unset", "ok", "error"};
constexpr std::string_view clock_names[] = {"seen", "stood"};
constexpr std::string_view money_names[] = {"none", "moved", "failed"};

// The value of that name; what nobody knows is the first one.
template <class E, std::size_t N>
E named(const std::string_view (&names)[N], std::string_view name) {
  static_assert(N == static_cast<std::size_t>(E::count_));
  const auto* found = std::find(names, names + N, name);
  return found == names + N ? E{} : static_cast<E>(found - names);
}

// The longest beginning of at most `bytes` that does not end inside a character.
std::string_view whole_characters(std::string_view text, std::size_t bytes) {
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

void cut(std::string& text, std::size_t bytes_max) {
  constexpr std::string_view rest = "...";
  if (text.size() <= bytes_max) return;
  text.resize(whole_characters(text, bytes_max - rest.size()).size());
  text += rest;
}

// A value is JSON, which cannot be cut as it stands: what is too long becomes a text.
void cut_value(std::string& value) {
  if (value.size() <= limits::attribute_bytes_max) return;
  std::string text;
  // Of the text of itself: an escape takes six bytes for one.
  append_json_string(text, whole_characters(value, limits::attribute_bytes_max / 6 - 2));
  value = std::move(text);
}

void bound_attributes(Span& span, std::size_t& dropped) {
  std::size_t bytes = 0;
  std::size_t kept = 0;
  for (Attribute& a : span.attributes) {
    cut(a.key, limits::attribute_key_bytes_max);
    cut_value(a.value);
    bytes += a.key.size() + a.value.size();
    if (kept == limits::attributes_per_span_max || bytes > limits::attributes_bytes_max) break;
    ++kept;
  }
  dropped += span.attributes.size() - kept;
  span.attributes.resize(kept);
}

bool read_hex(JsonReader& in, std::size_t bytes, std::string& out) {
  std::string scratch;
  std::string_view hex;
  if (in.peek() != JsonKind::string || !in.string(hex, scratch)) return false;
  out.resize(bytes);
  return from_hex(hex, out.data(), bytes) && out.find_first_not_of('\0') != std::string::npos;
}

bool read_text(JsonReader& in, std::string& out) {
  std::string scratch;
  std::string_view text;
  if (in.peek() != JsonKind::string || !in.string(text, scratch)) return false;
  out = text;
  return true;
}

bool read_time(JsonReader& in, std::int64_t& us) {
  JsonReader::Fit fit{};
  return in.peek() == JsonKind::number && in.integer(us, fit) && fit == JsonReader::Fit::exact &&
         us >= 0 && us <= us_max;
}

bool read_attributes(JsonReader& in, std::vector<Attribute>& out) {
  if (in.peek() != JsonKind::object || !in.enter_object()) return false;
  std::string_view key;
  while (in.next_member(key)) {
    Attribute a{std::string(key), {}};
    bool out_of_range = false;
    if (!in.minify(a.value, limits::data_depth_max, out_of_range)) return false;
    // One that no attribute of OpenTelemetry could have stays readable as the text of itself.
    if (a.value.front() == '{' || a.value == "null") {
      std::string text;
      append_json_string(text, a.value);
      a.value = std::move(text);
    }
    out.push_back(std::move(a));
  }
  return in.error() == JsonError::none;
}

bool read_link(JsonReader& in, SpanLink& out) {
  if (in.peek() != JsonKind::object || !in.enter_object()) return false;
  std::string_view key;
  while (in.next_member(key)) {
    const bool fits = key == "trace_id"  ? read_hex(in, trace_id_bytes, out.trace_id)
                      : key == "span_id" ? read_hex(in, span_id_bytes, out.span_id)
                                         : in.skip();
    if (!fits) return false;
  }
  return in.error() == JsonError::none && out.valid();
}

bool read_links(JsonReader& in, std::vector<SpanLink>& out) {
  if (in.peek() != JsonKind::array || !in.enter_array()) return false;
  while (in.next_element()) {
    if (!read_link(in, out.emplace_back())) return false;
  }
  return in.error() == JsonError::none;
}

template <class E, std::size_t N>
bool read_named(JsonReader& in, const std::string_view (&names)[N], E& out) {
  std::string name;
  if (!read_text(in, name)) return false;
  out = named<E>(names, name);
  return true;
}

bool read_member(JsonReader& in, std::string_view key, Span& out) {
  if (key == "trace_id") return read_hex(in, trace_id_bytes, out.trace_id);
  if (key == "span_id") return read_hex(in, span_id_bytes, out.span_id);
  if (key == "parent_id") return read_hex(in, span_id_bytes, out.parent_id);
  if (key == "name") return read_text(in, out.name);
  if (key == "service") return read_text(in, out.service);
  if (key == "kind") return read_named(in, kind_names, out.kind);
  if (key == "status") return read_named(in, status_names, out.status);
  if (key == "clock") return read_named(in, clock_names, out.clock);
  if (key == "money") return read_named(in, money_names, out.money);
  if (key == "start_us") return read_time(in, out.start_us);
  if (key == "end_us") return read_time(in, out.end_us);
  if (key == "tenant_id") return read_text(in, out.tenant_id);
  if (key == "entity_id") return read_text(in, out.entity_id);
  if (key == "error_code") return read_text(in, out.error_code);
  if (key == "message") return read_text(in, out.message);
  if (key == "attributes") return read_attributes(in, out.attributes);
  if (key == "links") return read_links(in, out.links);
  return in.skip();
}

}  // namespace

std::string_view kind_name(SpanKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }
std::string_view status_name(SpanStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}
std::string_view money_name(MoneyEffect money) {
  return money_names[static_cast<std::size_t>(money)];
}

Span request_span(const TraceContext& context, SpanName name, SpanKind kind, std::int64_t start_ms,
                  std::int64_t end_ms) {
  Span span;
  span.trace_id = bytes_of_hex(context.trace_id);
  span.span_id = bytes_of_hex(context.span_id);
  span.parent_id = bytes_of_hex(context.parent_id);
  span.name = name.text();
  span.kind = kind;
  span.start_us = start_ms * 1'000;
  span.end_us = end_ms * 1'000;
  return span;
}

void bound(Span& span, std::size_t& dropped) {
  if (span.name.empty()) span.name = "unnamed";
  cut(span.name, span_name_bytes_max);
  for (std::string* id : {&span.service, &span.tenant_id, &span.entity_id, &span.error_code})
    cut(*id, limits::id_bytes_max);
  cut(span.message, limits::span_text_bytes_max);
  bound_attributes(span, dropped);
  if (span.links.size() > limits::links_per_span_max) {
    dropped += span.links.size() - limits::links_per_span_max;
    span.links.resize(limits::links_per_span_max);
  }
  span.start_us = std::clamp<std::int64_t>(span.start_us, 0, us_max);
  span.end_us = std::clamp<std::int64_t>(span.end_us, span.start_us, us_max);
}

std::string span_json(const Span& span) {
  std::string out;
  JsonWriter json(out);
  json.object().text("name", span.name).hex("trace_id", span.trace_id);
  json.hex("span_id", span.span_id);
  if (!span.parent_id.empty()) json.hex("parent_id", span.parent_id);
  json.text_if_any("service", span.service).plain("kind", kind_name(span.kind));
  json.integer("start_us", span.start_us).integer("end_us", span.end_us);
  if (span.status != SpanStatus::unset) json.plain("status", status_name(span.status));
  if (span.clock == Clock::stood) json.plain("clock", "stood");
  if (span.money != MoneyEffect::none) json.plain("money", money_name(span.money));
  json.text_if_any("tenant_id", span.tenant_id).text_if_any("entity_id", span.entity_id);
  json.text_if_any("error_code", span.error_code).text_if_any("message", span.message);
  if (!span.attributes.empty()) {
    json.object("attributes");
    for (const Attribute& a : span.attributes) json.any_key(a.key).raw(a.value);
    json.end();
  }
  if (!span.links.empty()) {
    json.array("links");
    for (const SpanLink& link : span.links)
      json.object().hex("trace_id", link.trace_id).hex("span_id", link.span_id).end();
    json.end();
  }
  json.end();
  return out;
}

bool read_span(JsonReader& in, Span& out) {
  if (in.peek() != JsonKind::object || !in.enter_object()) return false;
  bool timed = false;
  std::string key;
  std::string_view name;
  while (in.next_member(name)) {
    key = name;
    timed = timed || key == "start_us";
    if (!read_member(in, key, out)) return false;
  }
  return in.error() == JsonError::none && timed && out.valid() && !out.name.empty();
}

}  // namespace z0
