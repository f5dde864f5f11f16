// Inside the trace room: the way through a request of OTLP/JSON, for its two readers.
//
// nlohmann/json's SAX parser says what comes; a table says what of it OTLP has, in which shape. What the
// table does not have is passed over, as the specification wants of a receiver: a newer sender is not
// refused. A value of another shape ends the reading with its place. Nothing is kept but the places that
// are open, of which there are at most limits::otlp_depth_max.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "z0/trace/otlp.hpp"

namespace z0 {

// Objects of OTLP, then what stands in them.
enum class Otlp : std::uint8_t {
  request,
  resource_spans,
  resource_metrics,
  resource,
  scope_spans,
  scope_metrics,
  scope,
  span,
  status,
  link,
  event,
  key_value,
  any,
  list,
  key_values,
  metric,
  sum,
  gauge,
  histogram,
  exponential,
  summary,
  point,
  exemplar,
  positive,
  negative,
  trace_id,
  span_id,
  parent_id,
  name,
  kind,
  start,
  end,
  code,
  message,
  version,
  key,
  text,
  flag,
  integer,
  number,
  bytes,
  temporality,
  monotonic,
  flags,
  count,
  total,
  max,
  counts,
  bounds,
  scale,
  zero_count,
  zero_threshold,
  offset,
};

// In JSON a 64-bit integer may be a text of digits, and a double a text, too: NaN has no other way.
enum class OtlpShape : std::uint8_t {
  object,
  objects,
  text,
  flag,
  enumeration,  // a number: OTLP takes no names
  integer,
  unsigned_integer,  // what is above int64 is its largest
  unsigned_integers,
  number,
  numbers,
};

struct OtlpMember {
  Otlp in;
  std::string_view name;
  Otlp is;
  OtlpShape shape;
};

// A value that is no object, by its shape. A number comes with its text as JSON, which is empty where it
// has none there.
struct OtlpValue {
  std::string_view text;
  std::int64_t integer = 0;
  double number = 0;
  bool flag = false;
};

class OtlpWalk {
 public:
  virtual ~OtlpWalk() = default;
  // False: fault() says why not.
  bool read(std::string_view body);
  const OtlpFault& fault() const { return fault_; }

  // What the parser calls. False ends it.
  using Json = nlohmann::json;
  bool null();
  bool boolean(bool value);
  bool number_integer(std::int64_t value);
  bool number_unsigned(std::uint64_t value);
  bool number_float(double value, const std::string& text);
  bool string(std::string& text);
  bool binary(Json::binary_t& bytes);
  bool start_object(std::size_t size);
  bool key(std::string& name);
  bool end_object();
  bool start_array(std::size_t size);
  bool end_array();
  bool parse_error(std::size_t offset, const std::string& token, const Json::exception& error);

 protected:
  // An object begins and ends, or a value is there, inside of the object that is open.
  virtual bool begin(Otlp object) = 0;
  virtual bool end(Otlp object) = 0;
  virtual bool value(Otlp member, const OtlpValue& value) = 0;
  // The object that encloses the innermost one.
  Otlp around() const;
  bool fail(std::string_view why);

 private:
  struct Level {
    Otlp node;
    bool list;
    const OtlpMember* member;
    std::size_t elements = 0;
  };

  const OtlpMember* take();
  bool enter(bool array);
  bool leave();
  bool whole(const OtlpMember& member, std::int64_t value, std::string_view text);
  std::string place() const;

  std::vector<Level> levels_;
  const OtlpMember* awaited_ = nullptr;
  std::string name_;         // of the member that is read
  std::size_t skipped_ = 0;  // levels of what nobody knows
  OtlpFault fault_;
};

}  // namespace z0
