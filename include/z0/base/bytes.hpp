// Little-endian readers and writers for everything binary in z0: frames, effects, facts, messages.
//
// ByteWriter appends to a string and is what to reach for. Buffer is for the hot path, where a fact
// is written in a dozen small pieces: the room is asked for once, then written through a pointer.
//
// ByteReader never reads past its end: the first read that would sets `ok` to false, and from then
// on every read yields zero or empty. Callers check `ok` once, at the end. Views it returns borrow
// the bytes it was given. Variable-length integers are LEB128, at most 10 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "z0/base/trap.hpp"

namespace z0 {

// Appends to a string that it borrows.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u16(std::uint16_t v) { fixed(v); }
  void u32(std::uint32_t v) { fixed(v); }
  void u64(std::uint64_t v) { fixed(v); }
  void f64(double v) {
    std::uint64_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    u64(bits);
  }
  void raw(std::string_view v) { out_.append(v); }
  // u32 length, then the bytes.
  void bytes(std::string_view v) {
    u32(static_cast<std::uint32_t>(v.size()));
    raw(v);
  }
  void varint(std::uint64_t v) {
    while (v >= 0x80) {
      u8(static_cast<std::uint8_t>(v | 0x80));
      v >>= 7;
    }
    u8(static_cast<std::uint8_t>(v));
  }
  // varint length, then the bytes.
  void short_bytes(std::string_view v) {
    varint(v.size());
    raw(v);
  }
  void signed_varint(std::int64_t v) {
    varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }
  // Where the next byte goes; with patch_u32 for a length or a count that is known later.
  std::size_t mark() const { return out_.size(); }
  void patch_u32(std::size_t at, std::uint32_t v) { std::memcpy(out_.data() + at, &v, sizeof v); }

 private:
  template <class T>
  void fixed(T v) {
    char b[sizeof v];
    std::memcpy(b, &v, sizeof v);
    out_.append(b, sizeof v);
  }
  std::string& out_;
};

// Bytes in memory of their own, which is not cleared before it is written. Move-only.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept
      : data_(other.data_), size_(other.size_), capacity_(other.capacity_) {
    other.data_ = nullptr;
    other.size_ = other.capacity_ = 0;
  }
  Buffer& operator=(Buffer&&) = delete;

  std::size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }
  void clear() { size_ = 0; }
  // Forgets everything from `size` on.
  void shrink(std::size_t size) { size_ = size; }

  // Where to write at most `bytes` more; end_at says where the writing ended. Traps without memory.
  char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return data_ + size_;
  }
  void end_at(const char* end) { size_ = static_cast<std::size_t>(end - data_); }

 private:
  void grow(std::size_t bytes) {
    capacity_ = capacity_ * 2 > size_ + bytes ? capacity_ * 2 : size_ + bytes;
    data_ = static_cast<char*>(std::realloc(data_, capacity_));
    if (data_ == nullptr) trap("memory is left");
  }
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Writers through a pointer into the room of a Buffer; each returns where it ended.
namespace put {

inline constexpr std::size_t varint_bytes_max = 10;
inline constexpr std::size_t decimal_bytes_max = 20;

// Short texts are copied by two overlapping loads: a call of memcpy costs more than they do.
inline char* text(char* p, std::string_view v) {
  const std::size_t n = v.size();
  const char* from = v.data();
  if (n > 32) {
    std::memcpy(p, from, n);
  } else if (n >= 16) {
    char head[16], tail[16];
    std::memcpy(head, from, 16);
    std::memcpy(tail, from + n - 16, 16);
    std::memcpy(p, head, 16);
    std::memcpy(p + n - 16, tail, 16);
  } else if (n >= 8) {
    std::uint64_t head, tail;
    std::memcpy(&head, from, 8);
    std::memcpy(&tail, from + n - 8, 8);
    std::memcpy(p, &head, 8);
    std::memcpy(p + n - 8, &tail, 8);
  } else {
    for (std::size_t i = 0; i < n; ++i) p[i] = from[i];
  }
  return p + n;
}
inline char* byte(char* p, std::uint8_t v) {
  *p = static_cast<char>(v);
  return p + 1;
}
inline char* varint(char* p, std::uint64_t v) {
  while (v >= 0x80) {
    p = byte(p, static_cast<std::uint8_t>(v | 0x80));
    v >>= 7;
  }
  return byte(p, static_cast<std::uint8_t>(v));
}
inline char* short_bytes(char* p, std::string_view v) { return text(varint(p, v.size()), v); }
inline char* signed_varint(char* p, std::int64_t v) {
  return varint(p, (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
}
inline char* decimal(char* p, std::int64_t v) {
  char digits[decimal_bytes_max];
  std::size_t at = sizeof digits;
  std::uint64_t rest = v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (v < 0) p = byte(p, '-');
  return text(p, {digits + at, sizeof digits - at});
}

}  // namespace put

class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : p_(in.data()), end_(in.data() + in.size()) {}

  bool ok() const { return ok_; }
  bool done() const { return p_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - p_); }
  const char* at() const { return p_; }

  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::uint16_t u16() { return fixed<std::uint16_t>(); }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  double f64() {
    const std::uint64_t bits = u64();
    double v;
    std::memcpy(&v, &bits, sizeof v);
    return v;
  }
  std::string_view raw(std::size_t n) {
    if (n > left()) return fail();
    const std::string_view v(p_, n);
    p_ += n;
    return v;
  }
  std::string_view bytes() { return raw(u32()); }
  std::uint64_t varint() {
    if (p_ != end_ && static_cast<std::uint8_t>(*p_) < 0x80)
      return static_cast<std::uint8_t>(*p_++);
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = u8();
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
    fail();
    return 0;
  }
  std::string_view short_bytes() {
    const std::uint64_t n = varint();
    if (n > left()) return fail();
    return raw(static_cast<std::size_t>(n));
  }
  std::int64_t signed_varint() {
    const std::uint64_t v = varint();
    return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }

 private:
  template <class T>
  T fixed() {
    T v{};
    if (left() < sizeof v) {
      fail();
      return v;
    }
    std::memcpy(&v, p_, sizeof v);
    p_ += sizeof v;
    return v;
  }
  std::string_view fail() {
    ok_ = false;
    p_ = end_;
    return {};
  }
  const char* p_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace z0
