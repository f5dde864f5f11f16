// Where two JSON texts differ.
#include "z0/json/json.hpp"

namespace z0 {
namespace {

// Deeper than anything that is compared.
constexpr std::size_t depth_compared_max = 64;

// The text of the next value.
std::string_view value_text(JsonReader& in, std::string_view whole) {
  const std::size_t from = in.offset();
  in.skip();
  return whole.substr(from, in.offset() - from);
}

// One object or array of each side, and the pair in them that differs.
class Level {
 public:
  Level(std::string_view a, std::string_view b)
      : a_(a), b_(b), x_(a, depth_compared_max), y_(b, depth_compared_max) {}

  // True when both hold a value in the place that `path` then names, and the two differ; the views
  // become these values. False when there is nothing to go down to.
  bool descend(std::string_view& a, std::string_view& b, std::string& path) {
    const JsonKind kind = x_.peek();
    if (kind != y_.peek()) return false;
    if (kind == JsonKind::object)
      return x_.enter_object() && y_.enter_object() && members(a, b, path);
    if (kind == JsonKind::array)
      return x_.enter_array() && y_.enter_array() && elements(a, b, path);
    return false;
  }

 private:
  bool members(std::string_view& a, std::string_view& b, std::string& path) {
    std::string_view key;
    std::string_view other;
    for (;;) {
      const bool has = x_.next_member(key);
      const bool has_other = y_.next_member(other);
      if (!has && !has_other) return false;
      // In sorted texts the smaller key is the one that the other side lacks.
      if (!has || !has_other || key != other) {
        const bool mine = has && (!has_other || key < other);
        path.append(".").append(mine ? key : other);
        return false;
      }
      const std::string name(key);
      if (!differ(a, b)) continue;
      path.append(".").append(name);
      return true;
    }
  }

  bool elements(std::string_view& a, std::string_view& b, std::string& path) {
    for (std::size_t i = 0;; ++i) {
      const bool has = x_.next_element();
      const bool has_other = y_.next_element();
      if (!has && !has_other) return false;
      if (has && has_other && !differ(a, b)) continue;
      path += '[' + std::to_string(i) + ']';
      return has && has_other;
    }
  }

  bool differ(std::string_view& a, std::string_view& b) {
    a = value_text(x_, a_);
    b = value_text(y_, b_);
    return a != b;
  }

  std::string_view a_;
  std::string_view b_;
  JsonReader x_;
  JsonReader y_;
};

}  // namespace

std::string first_difference(std::string_view a, std::string_view b) {
  std::string path;
  while (Level(a, b).descend(a, b, path)) {
  }
  return path;
}

}  // namespace z0
