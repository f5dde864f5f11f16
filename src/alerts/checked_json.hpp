// Reads JSON that a person wrote: the first fault is kept, with the path to it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "alerts/rule_names.hpp"
#include "base/shorten.hpp"
#include "z0/alerts/rule.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"

namespace z0 {

class CheckedJson {
 protected:
  CheckedJson(std::string_view text, std::size_t depth_max, RuleError& error)
      : text_(text), in_(text, depth_max), error_(error) {}
  ~CheckedJson() = default;

  // The path to what is being read; what stands behind it goes when the block ends.
  class Within {
   public:
    Within(CheckedJson& reader, std::string_view part)
        : path_(reader.path_), size_(reader.path_.size()) {
      if (size_ > 0 && part[0] != '[') path_ += '.';
      path_ += part;
    }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;
    ~Within() { path_.resize(size_); }

   private:
    std::string& path_;
    std::size_t size_;
  };

  bool fail(std::string why) {
    // The innermost fault was said first.
    if (error_.why.empty()) error_ = {path_.empty() ? "settings" : path_, std::move(why)};
    return false;
  }
  bool fail_at(std::string_view name, std::string why) {
    const Within within(*this, shorten(name, limits::id_bytes_max));
    return fail(std::move(why));
  }

  bool object() { return in_.peek() == JsonKind::object && in_.enter_object(); }
  bool list() { return in_.peek() == JsonKind::array && in_.enter_array(); }

  bool text(std::string& value, std::string_view what) {
    std::string_view read;
    std::string scratch;
    if (in_.peek() != JsonKind::string || !in_.string(read, scratch))
      return fail(std::string(what));
    if (read.size() > limits::rule_text_bytes_max)
      return fail("at most " + std::to_string(limits::rule_text_bytes_max) + " bytes");
    value = read;
    return true;
  }
  template <class Enum, std::size_t N>
  bool word(const std::string_view (&names)[N], Enum& out) {
    std::string value;
    const std::string allowed = rule_names::any_of(names);
    return text(value, allowed) && (rule_names::find(names, value, out) || fail(allowed));
  }
  bool number(double& out, double least, double most, std::string_view what) {
    if (in_.peek() != JsonKind::number) return fail(std::string(what));
    const std::size_t from = in_.offset();
    in_.skip();
    const std::string digits(text_.substr(from, in_.offset() - from));
    out = std::strtod(digits.c_str(), nullptr);
    return (std::isfinite(out) && out >= least && out <= most) || fail(std::string(what));
  }
  bool duration(std::int64_t& ms, std::int64_t least, std::int64_t most) {
    constexpr std::string_view what = "a duration such as 90s, 5m or 1h30m";
    std::string value;
    if (!text(value, what)) return false;
    if (!read_duration(value, ms)) return fail(std::string(what));
    return (ms >= least && ms <= most) ||
           fail("from " + duration_text(least) + " to " + duration_text(most));
  }

  std::string_view text_;
  JsonReader in_;
  RuleError& error_;
  std::string path_;
};

}  // namespace z0
