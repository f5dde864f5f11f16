// What must hold of the JSON reader for every text. The unit tests ask it of generated texts, the
// fuzzer of its own.
//
// The oracle is nlohmann/json. The listed differences: it reads any depth, keeps the last of two
// equal keys, drops a byte order mark, takes a NUL for the end of the text and refuses numbers that
// round to infinity.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "z0/json/json.hpp"
#include "z0/json/write.hpp"

namespace z0::json_law {

inline constexpr std::size_t depth_max = 20;

inline bool oracle_accepts(std::string_view text) { return nlohmann::json::accept(text); }

// One number under the cursor; appends its text. False when the reader says something untrue of it.
inline bool number_holds(JsonReader& reader, std::string_view text, std::string& out) {
  const std::size_t from = reader.offset();
  std::int64_t value = 0;
  JsonReader::Fit fit{};
  const bool exact = reader.integer(value, fit);
  if (reader.error() != JsonError::none) return true;
  const std::string_view number = text.substr(from, reader.offset() - from);
  out.append(number);
  if (exact != (fit == JsonReader::Fit::exact)) return false;
  const bool integer = number.find_first_of(".eE") == std::string_view::npos;
  if (integer == (fit == JsonReader::Fit::not_integer)) return false;
  const auto oracle = nlohmann::json::parse(number, nullptr, false);
  if (exact) return oracle.is_number_integer() && oracle.get<std::int64_t>() == value;
  return !integer || !oracle.is_number_integer() ||
         (oracle.is_number_unsigned() && oracle.get<std::uint64_t>() > INT64_MAX);
}

// Reads any value through the cursor's calls alone and appends it minified. False when something
// untrue was said; errors are the reader's.
inline bool rebuild_holds(JsonReader& reader, std::string_view text, std::string& out) {
  std::vector<char> open;
  bool first = true;
  std::string_view view;
  std::string scratch;
  bool truth = false;
  for (;;) {
    if (!open.empty()) {
      const bool object = open.back() == '}';
      if (!(object ? reader.next_member(view) : reader.next_element())) {
        if (reader.error() != JsonError::none) return true;
        out.push_back(open.back());
        open.pop_back();
        first = false;
        if (open.empty()) return true;
        continue;
      }
      if (!first) out.push_back(',');
      first = false;
      if (object) append_json_string(out, view);
      if (object) out.push_back(':');
    }
    const JsonKind kind = reader.peek();
    bool ok = false;
    switch (kind) {
      case JsonKind::object:
      case JsonKind::array:
        ok = kind == JsonKind::object ? reader.enter_object() : reader.enter_array();
        out.push_back(kind == JsonKind::object ? '{' : '[');
        open.push_back(kind == JsonKind::object ? '}' : ']');
        first = true;
        if (ok) continue;
        break;
      case JsonKind::string:
        ok = reader.string(view, scratch);
        if (ok) append_json_string(out, view);
        break;
      case JsonKind::number:
        if (!number_holds(reader, text, out)) return false;
        ok = reader.error() == JsonError::none;
        break;
      case JsonKind::boolean:
        ok = reader.boolean(truth);
        out.append(truth ? "true" : "false");
        break;
      case JsonKind::null:
        ok = reader.null();
        out.append("null");
        break;
      case JsonKind::end:
        ok = reader.skip();  // a text without a value: let it say so
        break;
      case JsonKind::error:
        break;
    }
    if (!ok || open.empty()) return true;
  }
}

// After an error nothing succeeds and nothing moves.
inline bool stays_failed(JsonReader& reader, std::string_view text) {
  const JsonError error = reader.error();
  const std::size_t offset = reader.offset();
  std::string_view view;
  std::string scratch;
  std::int64_t number = 0;
  JsonReader::Fit fit{};
  bool flag = false;
  const bool any = reader.enter_object() || reader.next_member(view) || reader.enter_array() ||
                   reader.next_element() || reader.string(view, scratch) ||
                   reader.integer(number, fit) || reader.boolean(flag) || reader.null() ||
                   reader.skip() || reader.minify(scratch, depth_max, flag) || reader.at_end() ||
                   reader.peek() != JsonKind::error;
  return !any && scratch.empty() && reader.error() == error && reader.offset() == offset &&
         offset <= text.size();
}

// What holds of a text that minify took.
inline std::string broken_by_minified(std::string_view text, const std::string& minified,
                                      const std::string& rebuilt, bool out_of_range) {
  if (minified.size() > text.size()) return "minify makes nothing longer";
  if (minified != rebuilt) return "the cursor and minify see the same value";
  std::string again;
  bool ignored = false;
  JsonReader reader(minified, depth_max);
  if (!reader.minify(again, depth_max, ignored)) return "minified text is JSON";
  if (again != minified) return "minify(minify(x)) == minify(x)";
  const std::string sorted = sorted_members(minified);
  if (sorted.size() != minified.size()) return "sorting members moves bytes only";
  if (sorted_members(sorted) != sorted) return "sorting members twice is sorting once";
  if (out_of_range) return "";
  const auto value = nlohmann::json::parse(text, nullptr, false);
  if (nlohmann::json::parse(minified, nullptr, false) != value) return "minify keeps the value";
  if (nlohmann::json::parse(sorted, nullptr, false) != value) return "sorting keeps the value";
  return "";
}

// What holds of any bytes as the content of a string.
inline std::string broken_by_string(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  const bool valid = valid_utf8(text);
  if (oracle_accepts(quoted) != valid) return "valid_utf8 agrees with the oracle";
  JsonReader reader(quoted, 0);
  std::string_view view;
  std::string scratch;
  if ((reader.string(view, scratch) && reader.at_end()) != valid) return "a string is valid UTF-8";
  if (valid && view != text) return "a string is read as it was written";
  if (!valid && reader.error() != JsonError::utf8) return "what is no UTF-8 is called so";
  return "";
}

// What a reader of one level refuses for its depth is passed over to where a deep reader ends.
inline std::string broken_by_depth(std::string_view text, const JsonReader& deep) {
  JsonReader shallow(text, 1);
  if (shallow.skip() || shallow.error() != JsonError::depth) return "";
  const bool passed = shallow.pass_over({});
  if (passed != (shallow.error() == JsonError::none)) return "what was passed over is forgotten";
  if (deep.error() == JsonError::syntax && passed)
    return "a fault of the grammar is not passed over";
  if (deep.error() != JsonError::none) return "";
  if (!passed) return "what is readable can be passed over";
  if (shallow.offset() != deep.offset()) return "a value is passed over to its end";
  return "";
}

// The first broken law, in words; empty when all hold.
inline std::string broken(std::string_view text) {
  JsonReader skipper(text, depth_max);
  const bool value = skipper.skip();
  const std::size_t value_end = skipper.offset();
  if (const std::string law = broken_by_depth(text, skipper); !law.empty()) return law;
  const bool skipped = value && skipper.at_end();
  JsonReader cursor(text, depth_max);
  std::string rebuilt;
  if (!rebuild_holds(cursor, text, rebuilt)) return "the cursor tells integers apart";
  if (cursor.error() != skipper.error()) return "cursor and skip find the same error";
  if (cursor.offset() != value_end) return "cursor and skip stop at the same byte";
  JsonReader reader(text, depth_max);
  std::string minified = "before";
  bool out_of_range = false;
  const bool taken = reader.minify(minified, depth_max, out_of_range);
  if (minified.compare(0, 6, "before") != 0) return "minify appends";
  minified.erase(0, 6);
  if (!taken && !minified.empty()) return "minify leaves no half of a value";
  const JsonError error = reader.error();
  const bool own = error == JsonError::duplicate_key || error == JsonError::members;
  if (!own && error != skipper.error()) return "minify and skip find the same error";
  if (!own && reader.offset() != value_end) return "minify and skip stop at the same byte";
  if (taken != (error == JsonError::none)) return "minify fails with an error";
  const bool whole = taken && reader.at_end();
  if (error != JsonError::none && !stays_failed(reader, text)) return "an error stays";
  if (skipper.error() != JsonError::none && !stays_failed(skipper, text)) return "an error stays";

  const bool beyond_oracle =
      text.find('\0') != std::string_view::npos || text.substr(0, 3) == "\xef\xbb\xbf";
  if (beyond_oracle && skipped) return "NUL and byte order marks are refused";
  if (!beyond_oracle && !out_of_range && skipper.error() != JsonError::depth && !own &&
      oracle_accepts(text) != skipped) {
    return "reader and oracle accept the same texts";
  }
  if (whole && out_of_range && oracle_accepts(text)) return "out_of_range rounds to infinity";
  if (whole) {
    if (auto law = broken_by_minified(text, minified, rebuilt, out_of_range); !law.empty()) {
      return law;
    }
  }
  return broken_by_string(text);
}

}  // namespace z0::json_law
