// Spans out of a request.
#include <algorithm>
#include <iterator>
#include <utility>

#include "trace/otlp_values.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

bool has(const std::vector<Attribute>& attributes, std::string_view key) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [key](const Attribute& a) { return a.key == key; });
}

// Takes the text of that attribute out of a list; empty where there is none.
std::string take_text(std::vector<Attribute>& attributes, std::string_view key) {
  const auto at = std::find_if(attributes.begin(), attributes.end(), [key](const Attribute& a) {
    return a.key == key && a.value.size() > 2 && a.value[0] == '"';
  });
  if (at == attributes.end()) return {};
  std::string text = attribute_text(at->value);
  attributes.erase(at);
  return text;
}

// What a span alone may say of itself: its writer makes them of the span's members.
bool is_member(const Attribute& a) {
  constexpr std::string_view keys[] = {"z0.tenant_id", "z0.entity_id", "z0.error_code", "z0.money",
                                       "z0.clock"};
  return std::find(std::begin(keys), std::end(keys), a.key) != std::end(keys);
}

std::string text_of(const std::vector<Attribute>& attributes, std::string_view key) {
  for (const Attribute& a : attributes) {
    if (a.key == key) return attribute_text(a.value);
  }
  return {};
}

class Traces : public OtlpWalk {
 public:
  explicit Traces(OtlpTraces& out) : out_(out) {}

 private:
  bool begin(Otlp object) override;
  bool end(Otlp object) override;
  bool value(Otlp member, const OtlpValue& value) override;

  bool id(std::string_view hex, std::size_t bytes, std::string& out);
  bool span_value(Otlp member, const OtlpValue& value);
  void add(std::vector<Attribute>& to, Attribute a);
  void attribute(Attribute a);
  void end_event();
  void end_link();
  void end_span();
  void end_scope();
  void end_resource();
  std::vector<Otlp> inside_;  // resource, scope, span, event or link: whose the values are

  OtlpTraces& out_;
  OtlpValues values_;
  Span span_;
  bool clock_said_ = false;
  std::vector<Attribute> resource_;
  std::string scope_;
  std::size_t of_resource_ = 0;  // the first span of it
  std::size_t of_scope_ = 0;
  std::size_t copied_ = 0;
  SpanLink link_;
  std::string event_;
  std::string events_;
  std::vector<Attribute> event_attributes_;
};

bool is_value(Otlp object) {
  return object == Otlp::key_value || object == Otlp::any || object == Otlp::list ||
         object == Otlp::key_values;
}

bool Traces::begin(Otlp object) {
  if (is_value(object)) return values_.begin(object), true;
  if (object == Otlp::span) {
    span_ = Span{};
    span_.kind = SpanKind::unspecified;
    events_.clear();
  }
  if (object == Otlp::resource_spans) of_resource_ = out_.spans.size(), resource_.clear();
  if (object == Otlp::scope_spans) of_scope_ = out_.spans.size(), scope_.clear();
  if (object == Otlp::event) event_.clear(), event_attributes_.clear();
  if (object == Otlp::link) link_ = {};
  inside_.push_back(object);
  return true;
}

bool Traces::end(Otlp object) {
  if (is_value(object)) {
    Attribute whole;
    if (values_.end(object, whole)) attribute(std::move(whole));
    return true;
  }
  inside_.pop_back();
  if (object == Otlp::event) end_event();
  if (object == Otlp::link) end_link();
  if (object == Otlp::span) end_span();
  if (object == Otlp::scope_spans) end_scope();
  if (object == Otlp::resource_spans) end_resource();
  return true;
}

// Absent and zero are the same, and empty then.
bool Traces::id(std::string_view hex, std::size_t bytes, std::string& out) {
  out.assign(hex.empty() ? 0 : bytes, '\0');
  if (!hex.empty() && !from_hex(hex, out.data(), bytes))
    return fail(bytes == trace_id_bytes ? "is no id of 32 hexadecimal digits"
                                        : "is no id of 16 hexadecimal digits");
  if (out.find_first_not_of('\0') == std::string::npos) out.clear();
  return true;
}

bool Traces::value(Otlp member, const OtlpValue& v) {
  if (values_.any_open()) return values_.value(member, v), true;
  const Otlp object = inside_.empty() ? Otlp::request : inside_.back();
  if (object == Otlp::scope && member == Otlp::name) scope_ = v.text;
  if (object == Otlp::event) event_ = v.text;
  if (object == Otlp::link)
    return member == Otlp::trace_id ? id(v.text, trace_id_bytes, link_.trace_id)
                                    : id(v.text, span_id_bytes, link_.span_id);
  if (object == Otlp::span || object == Otlp::status) return span_value(member, v);
  return true;
}

bool Traces::span_value(Otlp member, const OtlpValue& v) {
  constexpr std::int64_t ns_of_us = 1'000;
  if (member == Otlp::trace_id) return id(v.text, trace_id_bytes, span_.trace_id);
  if (member == Otlp::span_id) return id(v.text, span_id_bytes, span_.span_id);
  if (member == Otlp::parent_id) return id(v.text, span_id_bytes, span_.parent_id);
  if (member == Otlp::name) span_.name = v.text;
  if (member == Otlp::message) span_.message = v.text;
  if (member == Otlp::start) span_.start_us = v.integer / ns_of_us;
  if (member == Otlp::end) span_.end_us = v.integer / ns_of_us;
  // An enum may have values that are newer than we are.
  if (member == Otlp::kind && v.integer >= 0 && v.integer < static_cast<int>(SpanKind::count_))
    span_.kind = static_cast<SpanKind>(v.integer);
  if (member == Otlp::code && v.integer >= 0 && v.integer < static_cast<int>(SpanStatus::count_))
    span_.status = static_cast<SpanStatus>(v.integer);
  return true;
}

// The last one of a key counts.
void Traces::add(std::vector<Attribute>& to, Attribute a) {
  for (Attribute& known : to) {
    if (known.key == a.key) return void(known.value = std::move(a.value));
  }
  const bool fits = !a.key.empty() && a.key.size() <= limits::attribute_key_bytes_max &&
                    to.size() < limits::attributes_per_span_max;
  if (!fits) return void(++out_.dropped);
  to.push_back(std::move(a));
}

void Traces::attribute(Attribute a) {
  const Otlp object = inside_.empty() ? Otlp::request : inside_.back();
  if (object == Otlp::event) return add(event_attributes_, std::move(a));
  if (object == Otlp::resource) return add(resource_, std::move(a));
  if (object != Otlp::span) return;
  const std::string text = a.value.size() > 2 && a.value[0] == '"' ? attribute_text(a.value) : "";
  if (a.key == "z0.tenant_id" && !text.empty())
    span_.tenant_id = text;
  else if (a.key == "z0.entity_id" && !text.empty())
    span_.entity_id = text;
  else if (a.key == "z0.error_code" && !text.empty())
    span_.error_code = text;
  else if (a.key == "z0.money" && (text == "moved" || text == "failed"))
    span_.money = text == "moved" ? MoneyEffect::moved : MoneyEffect::failed;
  else if (a.key == "z0.clock" && (text == "stood" || text == "seen"))
    span_.clock = text == "stood" ? Clock::stood : Clock::seen, clock_said_ = true;
  else
    add(span_.attributes, std::move(a));
}

void Traces::end_event() {
  if (event_ != "exception") {
    const std::string name = short_json_text(event_);
    if (events_.size() + name.size() + 2 > limits::attribute_bytes_max) return void(++out_.dropped);
    events_ += (events_.empty() ? "" : ",") + name;
    return;
  }
  if (span_.message.empty()) span_.message = text_of(event_attributes_, "exception.message");
  std::erase_if(event_attributes_, is_member);
  for (Attribute& a : event_attributes_) add(span_.attributes, std::move(a));
}

void Traces::end_link() {
  if (link_.valid() && span_.links.size() < limits::links_per_span_max)
    span_.links.push_back(link_);
  else
    ++out_.dropped;
}

void Traces::end_span() {
  Span& s = span_;
  const bool said = std::exchange(clock_said_, false);
  if (s.trace_id.empty()) return out_.rejected.add(1, "a span has no traceId");
  if (s.span_id.empty()) return out_.rejected.add(1, "a span has no spanId");
  if (s.start_us == 0) return out_.rejected.add(1, "a span has no startTimeUnixNano");
  if (out_.spans.size() == limits::spans_per_request_max)
    return out_.rejected.add(1, "a request may have 10000 spans");
  // A clock that shows nothing between start and end stood still.
  if (!said && s.end_us <= s.start_us) s.clock = Clock::stood;
  if (!events_.empty()) add(s.attributes, {"z0.events", '[' + events_ + ']'});
  if (s.tenant_id.empty()) s.tenant_id = take_text(s.attributes, "tenant_id");
  if (s.status == SpanStatus::error && s.error_code.empty())
    s.error_code = text_of(s.attributes, "error.type");
  if (s.status == SpanStatus::error && s.error_code.empty())
    s.error_code = text_of(s.attributes, "exception.type");
  bound(s, out_.dropped);
  out_.spans.push_back(std::move(s));
}

void Traces::end_scope() {
  if (scope_.empty()) return;
  const std::string name = short_json_text(scope_);
  for (std::size_t i = of_scope_; i < out_.spans.size(); ++i) {
    copied_ += name.size();
    if (copied_ > limits::otlp_copied_bytes_max)
      ++out_.dropped;
    else
      add(out_.spans[i].attributes, {"otel.scope.name", name});
  }
}

void Traces::end_resource() {
  const std::string service = take_text(resource_, "service.name");
  std::string tenant_id = take_text(resource_, "z0.tenant_id");
  if (tenant_id.empty()) tenant_id = take_text(resource_, "tenant_id");
  const std::string entity_id = take_text(resource_, "z0.entity_id");
  std::erase_if(resource_, [](const Attribute& a) {
    return a.key.starts_with("telemetry.sdk.") || is_member(a);
  });
  for (std::size_t i = of_resource_; i < out_.spans.size(); ++i) {
    Span& s = out_.spans[i];
    s.service = service;
    if (s.tenant_id.empty()) s.tenant_id = tenant_id;
    if (s.entity_id.empty()) s.entity_id = entity_id;
    for (const Attribute& a : resource_) {
      if (has(s.attributes, a.key)) continue;
      copied_ += a.key.size() + a.value.size();
      if (copied_ > limits::otlp_copied_bytes_max)
        ++out_.dropped;
      else
        add(s.attributes, a);
    }
    bound(s, out_.dropped);
  }
}

}  // namespace

std::string attribute_text(std::string_view json) {
  if (!json.starts_with('"')) return std::string(json);
  JsonReader in(json, 1);
  std::string scratch;
  std::string_view text;
  return in.string(text, scratch) ? std::string(text) : std::string(json);
}

bool read_otlp_traces(std::string_view body, OtlpTraces& out, OtlpFault& fault) {
  Traces traces(out);
  if (traces.read(body)) return true;
  fault = traces.fault();
  return false;
}

}  // namespace z0
