// Inside the trace room: attributes of OTLP, put together as a request brings them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trace/otlp_walk.hpp"

namespace z0 {

// `text` as a JSON text of at most limits::attribute_bytes_max; what is longer ends in "...".
std::string short_json_text(std::string_view text);

// The open values, of which a list may hold others. Where a whole one is an object or lists lists, it
// becomes the text of itself: an attribute of ours is a text, a number, a flag, or a list of these.
class OtlpValues {
 public:
  // These belong to it: key_value, any, list, key_values.
  bool any_open() const { return !open_.empty(); }
  void begin(Otlp object);
  void value(Otlp member, const OtlpValue& value);
  // True when `whole` is an attribute of what is around all of it.
  bool end(Otlp object, Attribute& whole);

 private:
  struct Open {
    Otlp object;
    std::string key;
    std::string json;
  };
  void take_in(std::string_view json, std::string_view key);

  std::vector<Open> open_;
};

}  // namespace z0
