// A bounded, iterative, single-pass reader of strict RFC 8259 JSON over UTF-8 (RFC 3629), for the
// hot path, facts and token claims, and for whatever else the core reads: bodies of configs, settings,
// dead letters. src/README.md says why there is no second reader. What is written back goes through
// write.hpp.
//
// JsonReader is a cursor. It allocates nothing but the text of strings that hold escapes, recurses
// nowhere, and reads each byte once. After the first error every call returns false and `error()`
// says which; `offset()` says where. Views borrow the input, or the scratch string that was passed.
//
// Strict: no comments, trailing commas, leading zeros, NaN, single quotes or bytes above the
// grammar; a lone surrogate escape (\ud800 without its pair) has no UTF-8 form and is refused; so is
// a BOM. Numbers keep their text; integers are read exactly.
//
// The readers of one kind (enter_*, string, integer, boolean, null) take a value of another kind
// for a syntax error: peek first where several kinds are allowed. Only minify looks for duplicate
// keys; whoever walks an object knows which of its members it has already met.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace z0 {

enum class JsonError : std::uint8_t {
  none,
  syntax,
  utf8,
  lone_surrogate,
  depth,
  duplicate_key,
  members
};

enum class JsonKind : std::uint8_t { object, array, string, number, boolean, null, end, error };

class JsonReader {
 public:
  // Borrows `text` for its own lifetime. Reads at most `depth_max` levels of nesting, and never
  // more than 64.
  explicit JsonReader(std::string_view text, std::size_t depth_max);

  // The kind of the value that comes next, white space skipped; `end` at the end of the text, which
  // inside an object or array is an error.
  JsonKind peek();

  // Objects and arrays are walked so:
  //   if (!r.enter_object()) ...; while (r.next_member(key)) { read or skip one value }
  //   if (!r.enter_array()) ...;  while (r.next_element()) { read or skip one value }
  // next_* returns false at the closing bracket, which it consumes, and on an error.
  // The key's view is valid until the next call.
  bool enter_object();
  bool next_member(std::string_view& key);
  bool enter_array();
  bool next_element();

  // A string, unescaped. The view borrows the input where there was no escape, else `scratch`,
  // which is overwritten.
  bool string(std::string_view& value, std::string& scratch);
  // A number that is an integer without fraction or exponent and fits 64 bits; else false with the
  // reader still in order, the number skipped and `overflow` or `not_integer` told by `fit`.
  enum class Fit : std::uint8_t { exact, not_integer, overflow };
  bool integer(std::int64_t& value, Fit& fit);
  bool boolean(bool& value);
  bool null();
  // Skips one value of any kind, checking all of it.
  bool skip();

  // Copies one value minified onto `out`: white space outside strings dropped, numbers as they were
  // written, strings with the shortest escapes (\" \\ \b \f \n \r \t, \u00xx for other controls,
  // all else as UTF-8). Never longer than what was read. Equal texts in, equal bytes out; `out` is
  // left as it was on an error. Depth counts from this value as 1, up to `value_depth_max`. More
  // than limits::object_members_max members of one object are `members`; a key that occurs twice in
  // one object (compared unescaped) is duplicate_key, found when the object closes, and offset() is
  // then at the repeated key. A number that rounds to infinity as a double (|x| >= 2^1024 - 2^970)
  // sets `out_of_range`, else it is untouched; that is not an error of the reader.
  // Each of `watched` that names a member of the outermost object is marked as seen.
  struct Watched {
    std::string_view name;  // as minify writes it, without quotes
    bool seen = false;
  };
  bool minify(std::string& out, std::size_t value_depth_max, bool& out_of_range,
              std::span<Watched> watched = {});

  // Where a value begins, to come back to it.
  struct Place {
    std::size_t offset = 0;
    std::size_t depth = 0;
  };
  Place place() const { return {offset(), depth_}; }
  // A member of the outermost object, of a value that was not taken.
  struct Named {
    std::string_view name;
    std::string_view value;  // the first string of this name without escapes, else empty
  };
  // Goes on behind the value that begins at `at`, after an error inside of it that leaves the text
  // readable: every one but `syntax`. The grammar is checked, while nesting, encoding and repeated
  // keys are not; then the error is forgotten. False when there is a fault of the grammar after
  // all: error() is `syntax`, and nothing can be said of what follows.
  bool pass_over(Place at, std::span<Named> named = {});

  // True when nothing but white space is left and there was no error.
  bool at_end();

  JsonError error() const { return error_; }
  // Bytes read so far; after an error, where it is.
  std::size_t offset() const {
    return static_cast<std::size_t>((failed() ? error_at_ : p_) - begin_);
  }

 private:
  // Skips white space and tells whether a byte is left; at the end of the text that is an error.
  bool need_byte();
  bool enter(char bracket);
  bool fail(JsonError error, const char* at);
  bool failed() const { return error_ != JsonError::none; }
  bool next(char bracket);
  bool next_plain_member(std::string_view& key);
  bool literal();
  // One value of any kind without recursion: what skip and minify have in common.
  template <class Sink>
  bool walk(Sink& sink, std::size_t value_levels_max);
  template <class Sink>
  const char* walk_gap(Sink& sink, const char* p);
  template <class Sink>
  const char* walk_wide_gap(Sink& sink, const char* p);
  template <class Sink>
  const char* walk_string(Sink& sink, const char* p);
  template <class Sink>
  const char* walk_key(Sink& sink, const char* p);
  template <class Sink>
  const char* walk_scalar(Sink& sink, const char* p, JsonKind kind);
  const char* fail_at(JsonError error, const char* at);

  const char* begin_;
  const char* p_;  // == end_ after an error, so that whatever comes next fails without asking
  const char* end_;
  const char* error_at_ = nullptr;
  std::size_t depth_max_;
  std::size_t depth_ = 0;
  JsonError error_ = JsonError::none;
  bool first_ = false;  // the innermost object or array has been entered and no member read
  std::string key_;     // the text of a key that holds escapes
};

// Whether all of `text` is well-formed UTF-8.
bool valid_utf8(std::string_view text);

// Brings minified JSON (as minify wrote it) into one order: members of every object sorted by the
// bytes of their keys as they stand there, escapes included. Two data objects are the same content
// exactly when these are byte-equal: numbers compare as written (1.0 is not 1). For the slow path
// of a suspected conflict.
std::string sorted_members(std::string_view minified);

// Where two texts that sorted_members wrote differ first: ".a.b[2]", empty when they are the same or
// differ as a whole.
std::string first_difference(std::string_view a, std::string_view b);

}  // namespace z0
