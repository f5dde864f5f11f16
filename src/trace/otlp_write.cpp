// Spans into a request.
#include <algorithm>

#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"
#include "z0/trace/otlp.hpp"

namespace z0 {
namespace {

void write_element(JsonWriter& json, JsonReader& in);

// What comes next, as OTLP's AnyValue.
void write_any(JsonWriter& json, JsonReader& in, bool whole) {
  json.object();
  std::string text;
  bool out_of_range = false;
  const JsonKind kind = in.peek();
  if (kind == JsonKind::array && whole && in.enter_array()) {
    json.object("arrayValue").array("values");
    while (in.next_element()) write_element(json, in);
    json.end().end();
  } else if (in.minify(text, limits::data_depth_max, out_of_range)) {
    JsonReader number(text, 1);
    std::int64_t integer = 0;
    JsonReader::Fit fit{};
    if (kind == JsonKind::string)
      json.raw("stringValue", text);
    else if (kind == JsonKind::boolean)
      json.raw("boolValue", text);
    else if (kind == JsonKind::array || kind == JsonKind::object)
      json.text("stringValue", text);
    else if (kind == JsonKind::number && number.integer(integer, fit) &&
             fit == JsonReader::Fit::exact)
      json.plain("intValue", text);
    else if (kind == JsonKind::number)
      json.raw("doubleValue", text);
  }
  json.end();
}

void write_element(JsonWriter& json, JsonReader& in) { write_any(json, in, false); }

void write_text(JsonWriter& json, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  json.object().text("key", key).object("value").text("stringValue", text).end().end();
}

void write_attributes(JsonWriter& json, const Span& span) {
  json.array("attributes");
  write_text(json, "z0.tenant_id", span.tenant_id);
  write_text(json, "z0.entity_id", span.entity_id);
  write_text(json, "z0.error_code", span.error_code);
  if (span.money != MoneyEffect::none) write_text(json, "z0.money", money_name(span.money));
  const bool no_time = span.end_us <= span.start_us;
  if ((span.clock == Clock::stood) != no_time || no_time)
    write_text(json, "z0.clock", span.clock == Clock::stood ? "stood" : "seen");
  for (const Attribute& a : span.attributes) {
    JsonReader in(a.value, limits::data_depth_max);
    json.object().text("key", a.key).key("value");
    write_any(json, in, true);
    json.end();
  }
  json.end();
}

void write_time(JsonWriter& json, JsonName name, std::int64_t us) {
  json.plain(name, us == 0 ? "0" : std::to_string(us) + "000");
}

void write_span(JsonWriter& json, const Span& span) {
  json.object().hex("traceId", span.trace_id).hex("spanId", span.span_id);
  if (!span.parent_id.empty()) json.hex("parentSpanId", span.parent_id);
  json.text("name", span.name).integer("kind", static_cast<std::int64_t>(span.kind));
  write_time(json, "startTimeUnixNano", span.start_us);
  write_time(json, "endTimeUnixNano", span.end_us);
  write_attributes(json, span);
  if (!span.links.empty()) {
    json.array("links");
    for (const SpanLink& link : span.links)
      json.object().hex("traceId", link.trace_id).hex("spanId", link.span_id).end();
    json.end();
  }
  if (span.status != SpanStatus::unset || !span.message.empty()) {
    json.object("status").integer("code", static_cast<std::int64_t>(span.status));
    json.text_if_any("message", span.message).end();
  }
  json.end();
}

}  // namespace

std::string write_otlp_traces(std::span<const Span> spans) {
  std::vector<std::string_view> services;
  for (const Span& span : spans) {
    if (std::find(services.begin(), services.end(), span.service) == services.end())
      services.push_back(span.service);
  }
  std::string out;
  JsonWriter json(out);
  json.object().array("resourceSpans");
  for (const std::string_view service : services) {
    json.object().object("resource").array("attributes");
    write_text(json, "service.name", service);
    json.end().end().array("scopeSpans").object().array("spans");
    for (const Span& span : spans) {
      if (span.service == service) write_span(json, span);
    }
    json.end().end().end().end();
  }
  json.end().end();
  return out;
}

}  // namespace z0
