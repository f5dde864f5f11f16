// Frames, as the core reads them and as native hosts write them. The layout is in z0.h.
//
// Everything here borrows the bytes of the frame.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0.h"
#include "z0/base/bytes.hpp"

namespace z0 {

// One cell of a row, or one bound parameter.
struct Value {
  enum class Kind : std::uint8_t { null = 0, integer = 1, text = 2, blob = 3, real = 4 };
  Kind kind = Kind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes;

  static Value null() { return {}; }
  static Value of(std::int64_t v) { return {Kind::integer, v, 0, {}}; }
  static Value text(std::string_view v) { return {Kind::text, 0, 0, v}; }
  static Value blob(std::string_view v) { return {Kind::blob, 0, 0, v}; }
  // Text, or null when it is empty.
  static Value text_or_null(std::string_view v) { return v.empty() ? null() : text(v); }

  // A number as a whole one, or 0. A sum may come as a float: SQLite's total() is one, and a number of
  // JavaScript beyond 2^53. What 64 bits do not hold ends where they do.
  std::int64_t whole() const;
};

// The answer to one statement.
struct Rows {
  bool failed = true;
  std::string_view message;  // why, when failed
  std::uint32_t changes = 0;
  std::size_t columns = 0;
  std::vector<Value> cells;

  std::size_t size() const { return columns == 0 ? 0 : cells.size() / columns; }
  // The cell; null where the rows have fewer columns than the statement asked for.
  const Value& at(std::size_t row, std::size_t column) const {
    static constexpr Value none{};
    return row < size() && column < columns ? cells[row * columns + column] : none;
  }
};

// The answer to a call of another object, with the request that was sent.
struct CallAnswer {
  z0_outcome outcome = Z0_FAILED;
  std::string_view reply;  // when outcome is Z0_OK; else the message
  std::string_view request;
};

// The randomness of a frame, Z0_ENTROPY_BYTES, by what it is for: no two purposes share a byte, so what
// one of them shows to the world says nothing of another.
class Entropy {
 public:
  Entropy() = default;
  // Borrows the bytes.
  explicit Entropy(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes() const { return bytes_; }

  // Of the ids that the step makes, with an index for each: ids.hpp.
  std::string_view ulid() const { return bytes_.substr(0, 10); }
  // Of the trace that the step begins and of its span: trace/context.hpp.
  std::string_view trace() const { return bytes_.substr(10, 24); }
  // Of pauses that differ by chance: 48 bits.
  std::uint64_t chance() const {
    ByteReader in(bytes_.substr(34, 6));
    const std::uint64_t low = in.u32();
    return low | std::uint64_t{in.u16()} << 32;
  }
  // Of a ledger's hashes of ids, once in its life.
  std::uint64_t seed() const { return ByteReader(bytes_.substr(40, 8)).u64(); }

 private:
  std::string_view bytes_;
};

// Of a frame's flags: what only tests and developers may ask for is allowed.
inline constexpr std::uint8_t flag_debug = 1;

struct Frame {
  std::uint8_t kind = 0;    // z0_frame_kind
  std::uint8_t target = 0;  // z0_target
  std::uint8_t method = 0;  // of a call
  std::uint8_t flags = 0;
  std::int64_t now_ms = 0;
  std::uint64_t incarnation = 0;
  Entropy entropy;
  std::vector<std::string_view> parts;
  std::vector<std::string_view> answers;
  std::string_view settings;  // settings.hpp

  // The part, or empty where there are fewer.
  std::string_view part(std::size_t i) const {
    return i < parts.size() ? parts[i] : std::string_view{};
  }
};

// False for bytes that are no frame.
[[nodiscard]] bool parse_frame(std::string_view bytes, Frame& out);
std::string encode_frame(const Frame& frame);

// A malformed answer reads as a failed one.
[[nodiscard]] Rows parse_rows(std::string_view answer);
// One Rows a statement; a batch that failed as a whole, or is malformed, is one failed Rows.
[[nodiscard]] std::vector<Rows> parse_query(std::string_view answer);
[[nodiscard]] CallAnswer parse_call(std::string_view answer);

// One signature of the answer to Z0_NEED_SIGN.
struct Signature {
  std::string_view signature;   // 64 bytes
  std::string_view public_key;  // 32 bytes
};
// By each of the log's keys, the current one first; none when the host could not sign.
[[nodiscard]] std::vector<Signature> parse_signatures(std::string_view answer);

// The answer to Z0_NEED_SECRET. False when there is none, or it is malformed.
[[nodiscard]] bool parse_secret(std::string_view answer, std::string_view& value);

// The answer to Z0_NEED_ZONE. False where there is no such zone, or it is malformed.
[[nodiscard]] bool parse_zone(std::string_view answer, std::int64_t& offset_min,
                              std::int64_t& until_ms);

// The answer to Z0_NEED_FETCH: what the other side replied, or what went wrong.
struct FetchAnswer {
  z0_outcome outcome = Z0_FAILED;
  std::uint16_t http = 0;
  std::uint32_t retry_after_s = 0;  // 0: it does not say
  std::string_view body;            // where it was asked for, and is no longer than that
  std::string_view message;
};
// A malformed answer reads as a failed one.
[[nodiscard]] FetchAnswer parse_fetch(std::string_view answer);

// For native hosts.
void append_rows(std::string& out, const Rows& rows);

}  // namespace z0
