#include "trace/otlp_values.hpp"

#include <algorithm>

#include "z0/base/limits.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

bool holds_others(std::string_view json) { return json[0] == '{' || json[0] == '['; }

}  // namespace

std::string short_json_text(std::string_view text) {
  std::string json;
  if (text.size() <= limits::attribute_bytes_max) append_json_string(json, text);
  if (!json.empty() && json.size() <= limits::attribute_bytes_max) return json;
  // Most texts need no escapes; the longest is \u0000.
  for (const std::size_t factor : {std::size_t{1}, std::size_t{6}}) {
    std::size_t kept = std::min(text.size(), (limits::attribute_bytes_max - 5) / factor);
    while (kept > 0 && kept < text.size() &&
           (static_cast<unsigned char>(text[kept]) & 0xc0) == 0x80)
      --kept;
    json.clear();
    append_json_string(json, std::string(text.substr(0, kept)) + "...");
    if (json.size() <= limits::attribute_bytes_max) break;
  }
  return json;
}

void OtlpValues::begin(Otlp object) { open_.push_back({object, {}, {}}); }

void OtlpValues::value(Otlp member, const OtlpValue& value) {
  Open& open = open_.back();
  if (member == Otlp::key) {
    open.key = value.text;
    return;
  }
  open.json.clear();
  if (member == Otlp::text || member == Otlp::bytes) {
    append_json_string(open.json, value.text);
  } else if (member == Otlp::flag) {
    open.json = value.flag ? "true" : "false";
  } else if (!value.text.empty()) {
    open.json = value.text;
  } else {
    const bool infinite = value.number > 0 || value.number < 0;
    const std::string_view name = value.number < 0 ? "-Infinity" : "Infinity";
    append_json_string(open.json, infinite ? name : "NaN");
  }
}

// A value has ended inside of the one that is open now.
void OtlpValues::take_in(std::string_view json, std::string_view key) {
  Open& open = open_.back();
  const bool collects = open.object == Otlp::list || open.object == Otlp::key_values;
  if (!collects) {
    open.json = json;
    return;
  }
  if (!open.json.empty()) open.json += ',';
  if (open.object == Otlp::key_values) {
    append_json_string(open.json, key);
    open.json += ':';
  }
  // Attribute, value, list: a list inside of which there is another one.
  if (open.object == Otlp::list && open_.size() == 3 && holds_others(json))
    append_json_string(open.json, json);
  else
    open.json += json;
}

bool OtlpValues::end(Otlp object, Attribute& whole) {
  Open done = std::move(open_.back());
  open_.pop_back();
  if (object == Otlp::list) done.json = '[' + done.json + ']';
  if (object == Otlp::key_values) done.json = '{' + done.json + '}';
  if (done.json.empty()) done.json = "null";
  if (!open_.empty()) return take_in(done.json, done.key), false;
  whole.key = std::move(done.key);
  if (done.json == "null") done.json = short_json_text({});
  if (done.json[0] == '{')
    whole.value = short_json_text(done.json);
  else if (done.json.size() > limits::attribute_bytes_max)
    whole.value = short_json_text(attribute_text(done.json));
  else
    whole.value = std::move(done.json);
  return true;
}

}  // namespace z0
