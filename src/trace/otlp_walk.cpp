#include "trace/otlp_walk.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>
#include <utility>

#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"

namespace z0 {
namespace {

using Shape = OtlpShape;

// A row a member: clang-format would give each part a line of its own.
// clang-format off
std::span<const OtlpMember> members_of_spans() {
  using enum Otlp;
  static constexpr OtlpMember members[] = {
    {request, "resourceSpans", resource_spans, Shape::objects},
    {request, "resourceMetrics", resource_metrics, Shape::objects},
    {resource_spans, "resource", resource, Shape::object},
    {resource_spans, "scopeSpans", scope_spans, Shape::objects},
    {resource_metrics, "resource", resource, Shape::object},
    {resource_metrics, "scopeMetrics", scope_metrics, Shape::objects},
    {resource, "attributes", key_value, Shape::objects},
    {scope_spans, "scope", scope, Shape::object},
    {scope_spans, "spans", span, Shape::objects},
    {scope_metrics, "metrics", metric, Shape::objects},
    {scope, "name", name, Shape::text},
    {scope, "version", version, Shape::text},
    {span, "traceId", trace_id, Shape::text},
    {span, "spanId", span_id, Shape::text},
    {span, "parentSpanId", parent_id, Shape::text},
    {span, "name", name, Shape::text},
    {span, "kind", kind, Shape::enumeration},
    {span, "startTimeUnixNano", start, Shape::unsigned_integer},
    {span, "endTimeUnixNano", end, Shape::unsigned_integer},
    {span, "attributes", key_value, Shape::objects},
    {span, "events", event, Shape::objects},
    {span, "links", link, Shape::objects},
    {span, "status", status, Shape::object},
    {status, "code", code, Shape::enumeration},
    {status, "message", message, Shape::text},
    {link, "traceId", trace_id, Shape::text},
    {link, "spanId", span_id, Shape::text},
    {event, "name", name, Shape::text},
    {event, "attributes", key_value, Shape::objects},
    {key_value, "key", key, Shape::text},
    {key_value, "value", any, Shape::object},
    {any, "stringValue", text, Shape::text},
    {any, "boolValue", flag, Shape::flag},
    {any, "intValue", integer, Shape::integer},
    {any, "doubleValue", number, Shape::number},
    {any, "arrayValue", list, Shape::object},
    {any, "kvlistValue", key_values, Shape::object},
    {any, "bytesValue", bytes, Shape::text},
    {list, "values", any, Shape::objects},
    {key_values, "values", key_value, Shape::objects},
  };
  return members;
}

std::span<const OtlpMember> members_of_metrics() {
  using enum Otlp;
  static constexpr OtlpMember members[] = {
    {metric, "name", name, Shape::text},
    {metric, "sum", sum, Shape::object},
    {metric, "gauge", gauge, Shape::object},
    {metric, "histogram", histogram, Shape::object},
    {metric, "exponentialHistogram", exponential, Shape::object},
    {metric, "summary", summary, Shape::object},
    {sum, "dataPoints", point, Shape::objects},
    {sum, "aggregationTemporality", temporality, Shape::enumeration},
    {sum, "isMonotonic", monotonic, Shape::flag},
    {gauge, "dataPoints", point, Shape::objects},
    {histogram, "dataPoints", point, Shape::objects},
    {histogram, "aggregationTemporality", temporality, Shape::enumeration},
    {exponential, "dataPoints", point, Shape::objects},
    {exponential, "aggregationTemporality", temporality, Shape::enumeration},
    {summary, "dataPoints", point, Shape::objects},
    {point, "attributes", key_value, Shape::objects},
    {point, "asInt", integer, Shape::integer},
    {point, "asDouble", number, Shape::number},
    {point, "flags", flags, Shape::unsigned_integer},
    {point, "exemplars", exemplar, Shape::objects},
    {point, "count", count, Shape::unsigned_integer},
    {point, "sum", total, Shape::number},
    {point, "max", max, Shape::number},
    {point, "bucketCounts", counts, Shape::unsigned_integers},
    {point, "explicitBounds", bounds, Shape::numbers},
    {point, "scale", scale, Shape::integer},
    {point, "zeroCount", zero_count, Shape::unsigned_integer},
    {point, "zeroThreshold", zero_threshold, Shape::number},
    {point, "positive", positive, Shape::object},
    {point, "negative", negative, Shape::object},
    {positive, "offset", offset, Shape::integer},
    {positive, "bucketCounts", counts, Shape::unsigned_integers},
    {negative, "bucketCounts", counts, Shape::unsigned_integers},
    {exemplar, "traceId", trace_id, Shape::text},
  };
  return members;
}
// clang-format on

const OtlpMember* member_of(Otlp in, std::string_view name) {
  for (const auto members : {members_of_spans(), members_of_metrics()}) {
    for (const OtlpMember& m : members) {
      if (m.in == in && m.name == name) return &m;
    }
  }
  return nullptr;
}

bool is_list(Shape shape) {
  return shape == Shape::objects || shape == Shape::unsigned_integers || shape == Shape::numbers;
}
bool is_object(Shape shape) { return shape == Shape::object || shape == Shape::objects; }
bool is_double(Shape shape) { return shape == Shape::number || shape == Shape::numbers; }
bool is_unsigned(Shape shape) {
  return shape == Shape::unsigned_integer || shape == Shape::unsigned_integers;
}
bool is_integer(Shape shape) { return is_unsigned(shape) || shape == Shape::integer; }

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

constexpr std::string_view bad_shape = "is not what OTLP has there";
constexpr std::string_view no_integer = "is no 64-bit integer";

// A text that is a number as JSON writes it.
bool is_number(std::string_view text) {
  JsonReader in(text, 1);
  std::string copy;
  bool out_of_range = false;
  const bool bare = !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
  return bare && in.minify(copy, 1, out_of_range) && !out_of_range && copy == text;
}

}  // namespace

bool OtlpWalk::read(std::string_view body) {
  return Json::sax_parse(body.data(), body.data() + body.size(), this);
}

bool OtlpWalk::parse_error(std::size_t offset, const std::string& /*token*/,
                           const Json::exception& /*error*/) {
  fault_ = {OtlpFault::Kind::syntax, "byte " + std::to_string(offset), "is no JSON"};
  return false;
}

std::string OtlpWalk::place() const {
  std::string path;
  const auto add = [&path](std::string_view name) {
    if (!path.empty()) path += '.';
    path += name;
  };
  for (const Level& level : levels_) {
    if (level.member == nullptr) continue;
    if (level.list) {
      add(level.member->name);
      path += '[' + std::to_string(level.elements - 1) + ']';
    } else if (level.member->shape == Shape::object) {
      add(level.member->name);
    }
  }
  if (!name_.empty()) add(name_);
  return path.empty() ? "body" : path;
}

bool OtlpWalk::fail(std::string_view why) {
  fault_ = {OtlpFault::Kind::shape, place(), why};
  return false;
}

Otlp OtlpWalk::around() const {
  for (std::size_t i = levels_.size() - 1; i-- > 0;) {
    if (!levels_[i].list) return levels_[i].node;
  }
  return Otlp::request;
}

// What the value is that comes now; null for what nobody knows.
const OtlpMember* OtlpWalk::take() {
  if (levels_.empty()) return nullptr;
  Level& level = levels_.back();
  if (!level.list) return std::exchange(awaited_, nullptr);
  ++level.elements;
  return level.member;
}

bool OtlpWalk::enter(bool array) {
  if (levels_.size() + skipped_ >= limits::otlp_depth_max) {
    fault_ = {OtlpFault::Kind::depth, place(), "is nested too deeply"};
    return false;
  }
  if (skipped_ > 0) return ++skipped_, true;
  if (levels_.empty()) {
    if (array) return fail(bad_shape);
    levels_.push_back({Otlp::request, false, nullptr});
    return true;
  }
  const bool in_list = levels_.back().list;
  const OtlpMember* member = take();
  if (member == nullptr) return ++skipped_, true;
  const bool fits = array ? is_list(member->shape) && !in_list
                          : is_object(member->shape) && is_list(member->shape) == in_list;
  if (!fits) return fail(bad_shape);
  levels_.push_back({member->is, array, member});
  name_.clear();
  return array || begin(member->is);
}

bool OtlpWalk::leave() {
  if (skipped_ > 0) return --skipped_, true;
  const Level level = levels_.back();
  const bool fits = level.list || level.member == nullptr || end(level.node);
  levels_.pop_back();
  return fits;
}

bool OtlpWalk::start_object(std::size_t /*size*/) { return enter(false); }
bool OtlpWalk::start_array(std::size_t /*size*/) { return enter(true); }
bool OtlpWalk::end_object() { return leave(); }
bool OtlpWalk::end_array() { return leave(); }

bool OtlpWalk::key(std::string& name) {
  if (skipped_ > 0) return true;
  awaited_ = member_of(levels_.back().node, name);
  if (awaited_ != nullptr)
    name_ = name;
  else
    name_.clear();
  return true;
}

bool OtlpWalk::null() {
  if (skipped_ > 0) return true;
  const bool in_list = levels_.empty() || levels_.back().list;
  take();
  return !in_list || fail(bad_shape);
}

bool OtlpWalk::boolean(bool flag_value) {
  if (skipped_ > 0) return true;
  if (levels_.empty()) return fail(bad_shape);
  const OtlpMember* member = take();
  if (member == nullptr) return true;
  if (member->shape != Shape::flag) return fail(bad_shape);
  return value(member->is, {{}, 0, 0, flag_value});
}

// A number without fraction and exponent, or a text of one.
bool OtlpWalk::whole(const OtlpMember& member, std::int64_t integer_value,
                     std::string_view digits) {
  if (is_unsigned(member.shape) && integer_value < 0) return fail(bad_shape);
  const auto as_double = static_cast<double>(integer_value);
  if (is_double(member.shape)) {
    const std::string with_fraction = std::string(digits) + ".0";
    return value(member.is, {with_fraction, integer_value, as_double, false});
  }
  return value(member.is, {digits, integer_value, as_double, false});
}

bool OtlpWalk::number_integer(std::int64_t integer_value) {
  if (skipped_ > 0) return true;
  if (levels_.empty()) return fail(bad_shape);
  const bool in_list = levels_.back().list;
  const OtlpMember* member = take();
  if (member == nullptr) return true;
  if (is_object(member->shape) || is_list(member->shape) != in_list) return fail(bad_shape);
  if (member->shape == Shape::text || member->shape == Shape::flag) return fail(bad_shape);
  return whole(*member, integer_value, std::to_string(integer_value));
}

bool OtlpWalk::number_unsigned(std::uint64_t integer_value) {
  if (integer_value <= static_cast<std::uint64_t>(int64_max))
    return number_integer(static_cast<std::int64_t>(integer_value));
  return number_float(static_cast<double>(integer_value), std::to_string(integer_value) + ".0");
}

bool OtlpWalk::number_float(double real, const std::string& digits) {
  if (skipped_ > 0) return true;
  if (levels_.empty()) return fail(bad_shape);
  const bool in_list = levels_.back().list;
  const OtlpMember* member = take();
  if (member == nullptr) return true;
  if (is_object(member->shape) || is_list(member->shape) != in_list) return fail(bad_shape);
  if (is_double(member->shape)) return value(member->is, {digits, 0, real, false});
  if (!is_integer(member->shape)) return fail(bad_shape);
  // 1e3 is an integer, 1.5 is none (Protobuf's JSON).
  if (std::floor(real) != real || real < -9.2e18) return fail(no_integer);
  if (real >= 9.2e18) {
    if (!is_unsigned(member->shape) || real >= 18446744073709551616.0) return fail(no_integer);
    return whole(*member, int64_max, digits);
  }
  const auto integer_value = static_cast<std::int64_t>(real);
  return whole(*member, integer_value, std::to_string(integer_value));
}

bool OtlpWalk::string(std::string& words) {
  if (skipped_ > 0) return true;
  if (levels_.empty()) return fail(bad_shape);
  const bool in_list = levels_.back().list;
  const OtlpMember* member = take();
  if (member == nullptr) return true;
  if (is_object(member->shape) || is_list(member->shape) != in_list) return fail(bad_shape);
  if (member->shape == Shape::text) return value(member->is, {words, 0, 0, false});
  if (is_double(member->shape)) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (words == "NaN") return value(member->is, {{}, 0, std::nan(""), false});
    if (words == "Infinity") return value(member->is, {{}, 0, infinity, false});
    if (words == "-Infinity") return value(member->is, {{}, 0, -infinity, false});
    if (!is_number(words)) return fail("is no number");
    const bool bare = words.find_first_of(".eE") == std::string::npos;
    const double real = std::strtod(words.c_str(), nullptr);
    return value(member->is, {bare ? words += ".0" : words, 0, real, false});
  }
  if (!is_integer(member->shape)) return fail(bad_shape);
  if (!is_number(words)) return fail(no_integer);
  JsonReader in(words, 1);
  JsonReader::Fit fit{};
  std::int64_t integer_value = 0;
  if (in.integer(integer_value, fit) && fit == JsonReader::Fit::exact)
    return whole(*member, integer_value, std::to_string(integer_value));
  const bool beyond = fit == JsonReader::Fit::overflow && is_unsigned(member->shape);
  if (!beyond || words[0] == '-' || std::strtod(words.c_str(), nullptr) >= 18446744073709551616.0)
    return fail(no_integer);
  return whole(*member, int64_max, words);
}

// JSON has none.
bool OtlpWalk::binary(Json::binary_t& /*bytes*/) { return fail(bad_shape); }

}  // namespace z0
