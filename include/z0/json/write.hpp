// The one writer of JSON: to a caller's string, and to the room of a Buffer on the hot path.
//
// A writer puts the commas, the quotes and the closing brackets; nobody else writes any. It holds no
// text of its own: it appends to what it was given, which it borrows, so what one function began
// another one goes on with. A document is written in one pass:
//
//   JsonWriter json(out);
//   json.object().text("entity_id", id).integer("seq", seq);
//   json.array("facts");
//   for (...) json.object().text("id", fact.id).end();
//   json.end().end();
//
// Each function comes twice: with a name in front for a member of an object, without one for an
// element of an array, or for what follows key() and any_key(). Members and elements may also be written without
// brackets around them, as a part that another writer takes over with parts().
//
// Names are literals, which the compiler has looked through: copying them is all that they cost. A
// name that is known at run time goes through any_key(). What is not closed, closed twice, or has no
// name where it needs one traps; the destructor and what each value costs are checked where NDEBUG
// is not defined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "z0/base/bytes.hpp"
#include "z0/base/sha256.hpp"
#include "z0/base/trap.hpp"

namespace z0 {

// A member's name that stands in the source, and holds nothing that would be escaped.
class JsonName {
 public:
  template <std::size_t N>
  consteval JsonName(const char (&literal)[N])
      : text_(literal, N - 1) {  // NOLINT: a literal is one
    for (const char c : text_) {
      if (c == '"' || c == '\\' || (c >= 0 && c < ' ')) __builtin_trap();  // ends the compilation
    }
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// Appends `text` (UTF-8, not checked) as a JSON string with quotes and the escapes of
// JsonReader::minify.
void append_json_string(std::string& out, std::string_view text);

// What stands between the brackets of an object, for parts().
std::string_view members_of(std::string_view object);

// Where a writer puts its text. A string grows as it must.
class JsonText {
 public:
  explicit JsonText(std::string& out) : out_(out) {}
  void byte(char c) { out_.push_back(c); }
  void raw(std::string_view text) { out_.append(text); }
  // In quotes, behind a comma, in front of a colon.
  void plain(bool comma, std::string_view text, bool colon);
  void quoted(std::string_view text) { append_json_string(out_, text); }
  void integer(std::int64_t value);
  void hex(std::string_view bytes);

 private:
  std::string& out_;
};

// Room that was asked for beforehand. What would need escapes has no known size, so it takes none.
class JsonRoom {
 public:
  explicit JsonRoom(char*& p) : p_(p) {}
  void byte(char c) { p_ = put::byte(p_, static_cast<std::uint8_t>(c)); }
  void raw(std::string_view text) { p_ = put::text(p_, text); }
  void plain(bool comma, std::string_view text, bool colon) {
    if (comma) byte(',');
    byte('"');
    raw(text);
    byte('"');
    if (colon) byte(':');
  }
  void integer(std::int64_t value) { p_ = put::decimal(p_, value); }

 private:
  char*& p_;
};

template <class Out>
class BasicJsonWriter {
 public:
  // `goes_on`: something stands before what is written, so that a comma comes first.
  template <class Place>
  explicit BasicJsonWriter(Place& out, bool goes_on = false) : out_(out), comma_(goes_on) {}
  BasicJsonWriter(const BasicJsonWriter&) = delete;
  BasicJsonWriter& operator=(const BasicJsonWriter&) = delete;
  ~BasicJsonWriter() { check(open_ == none_open && !named_); }

  BasicJsonWriter& object() { return begin('{', true); }
  BasicJsonWriter& array() { return begin('[', false); }
  // Closes what was opened last.
  BasicJsonWriter& end() {
    if (open_ == none_open || named_) trap("JSON closes what it opened, and each name has a value");
    out_.byte((open_ & 1) != 0 ? '}' : ']');
    open_ >>= 1;
    comma_ = true;
    return *this;
  }

  BasicJsonWriter& text(std::string_view value) {
    before_value();
    out_.quoted(value);
    return *this;
  }
  // A text in which nothing needs an escape: an id, a name of ours, base64.
  BasicJsonWriter& plain(std::string_view value) {
    out_.plain(comma_before_value(), value, false);
    return *this;
  }
  BasicJsonWriter& hex(std::string_view bytes) {
    before_value();
    out_.byte('"');
    out_.hex(bytes);
    out_.byte('"');
    return *this;
  }
  BasicJsonWriter& integer(std::int64_t value) {
    before_value();
    out_.integer(value);
    return *this;
  }
  BasicJsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  BasicJsonWriter& null() { return raw("null"); }
  // A value that is JSON already.
  BasicJsonWriter& raw(std::string_view json) {
    before_value();
    out_.raw(json);
    return *this;
  }

  // The name of the value that comes next.
  BasicJsonWriter& key(JsonName name) {
    out_.plain(comma_before_name(), name.text(), true);
    return *this;
  }
  // The same for one that is known at run time, and may need escapes.
  BasicJsonWriter& any_key(std::string_view name) {
    if (comma_before_name()) out_.byte(',');
    out_.quoted(name);
    out_.byte(':');
    return *this;
  }
  // Members or elements that another writer wrote, with the commas between them; empty is none.
  BasicJsonWriter& parts(std::string_view json) {
    check(!named_);
    if (json.empty()) return *this;
    if (comma_) out_.byte(',');
    comma_ = true;
    out_.raw(json);
    return *this;
  }

  BasicJsonWriter& object(JsonName name) { return key(name).object(); }
  BasicJsonWriter& array(JsonName name) { return key(name).array(); }
  BasicJsonWriter& text(JsonName name, std::string_view value) { return key(name).text(value); }
  BasicJsonWriter& plain(JsonName name, std::string_view value) { return key(name).plain(value); }
  BasicJsonWriter& hex(JsonName name, const Digest& hash) { return hex(name, bytes_of(hash)); }
  BasicJsonWriter& hex(JsonName name, std::string_view bytes) { return key(name).hex(bytes); }
  BasicJsonWriter& integer(JsonName name, std::int64_t value) { return key(name).integer(value); }
  BasicJsonWriter& boolean(JsonName name, bool value) { return key(name).boolean(value); }
  BasicJsonWriter& null(JsonName name) { return key(name).null(); }
  BasicJsonWriter& raw(JsonName name, std::string_view json) { return key(name).raw(json); }
  // Left out when it is empty.
  BasicJsonWriter& text_if_any(JsonName name, std::string_view value) {
    return value.empty() ? *this : text(name, value);
  }
  // null when it is empty.
  BasicJsonWriter& text_or_null(JsonName name, std::string_view value) {
    return value.empty() ? null(name) : text(name, value);
  }

 private:
  static constexpr std::uint64_t none_open = 1;

  static void check([[maybe_unused]] bool holds) {
#ifndef NDEBUG
    if (!holds) trap("JSON is in order");
#endif
  }
  bool in_object() const { return open_ != none_open && (open_ & 1) != 0; }
  BasicJsonWriter& begin(char bracket, bool is_object) {
    before_value();
    out_.byte(bracket);
    open_ = open_ << 1 | (is_object ? 1 : 0);
    comma_ = false;
    return *this;
  }
  void before_value() {
    if (comma_before_value()) out_.byte(',');
  }
  bool comma_before_value() {
    check(named_ || !in_object());
    const bool comma = comma_;
    comma_ = true;
    named_ = false;
    return comma;
  }
  bool comma_before_name() {
    check(!named_ && (open_ == none_open || in_object()));
    const bool comma = comma_;
    comma_ = false;
    named_ = true;
    return comma;
  }

  Out out_;
  std::uint64_t open_ = none_open;  // a bit a level, the innermost last: 1 is an object
  bool comma_ = false;              // one belongs in front of what comes next
  bool named_ = false;              // a name waits for its value
};

using JsonWriter = BasicJsonWriter<JsonText>;
using JsonRoomWriter = BasicJsonWriter<JsonRoom>;

extern template class BasicJsonWriter<JsonText>;

}  // namespace z0
