// One list of fields a struct, visited by the writer of its bytes and by their reader: neither can
// have a field that the other lacks, or in another order.
//
//   struct ListRequest {
//     std::string_view tenant_id;
//     std::int64_t limit = 0;
//
//     template <class Fields, class Self>
//     static void fields(Fields& f, Self& self) {
//       f.text(self.tenant_id);
//       f.number(self.limit);
//     }
//     bool valid() const { return limit >= 1; }  // where some values are none
//   };
//
//   const std::string bytes = encode(request);
//   if (!decode(bytes, request)) ...
//
// A value of the list may decide what follows it, since both sides know it by then. Texts that were
// read borrow the bytes. Whoever reads gets all of it or nothing: bytes that are left over, a value
// that its enum does not know and one that valid() refuses are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "z0/base/bytes.hpp"
#include "z0/base/sha256.hpp"

namespace z0 {

// An item of a list, in the way of its type: a hash, a number, a text, or its own fields.
template <class Fields, class Item>
void visit_item(Fields& f, Item& item) {
  using T = std::remove_const_t<Item>;
  if constexpr (std::is_same_v<T, Digest>)
    f.digest(item);
  else if constexpr (std::is_same_v<T, std::int64_t>)
    f.number(item);
  else if constexpr (std::is_convertible_v<const T&, std::string_view>)
    f.text(item);
  else
    f.part(item);
}

class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}

  void text(std::string_view v) { out_.short_bytes(v); }
  // Bytes that may be many: their length is a u32.
  void bytes(std::string_view v) { out_.bytes(v); }
  // A number that is never below 0.
  void number(std::int64_t v) { out_.varint(static_cast<std::uint64_t>(v)); }
  void signed_number(std::int64_t v) { out_.signed_varint(v); }
  void flag(bool v) { out_.u8(v ? 1 : 0); }
  // A value of an enum that ends with count_.
  template <class E>
  void code(E v) {
    out_.u8(static_cast<std::uint8_t>(v));
  }
  // A value of at most 7 bits, and a mark in the eighth.
  template <class E>
  void marked_code(E v, bool mark) {
    out_.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(v) | (mark ? 0x80 : 0)));
  }
  void byte(std::uint8_t v) { out_.u8(v); }
  // A value that has bytes of its own.
  template <class T>
  void nested(const T& value) {
    out_.short_bytes(value.encode());
  }
  void digest(const Digest& v) { out_.raw(bytes_of(v)); }
  // As many as there are, each by its own fields or as a text.
  template <class T>
  void list(const std::vector<T>& items) {
    out_.varint(items.size());
    for (const T& item : items) visit_item(*this, item);
  }
  template <class T>
  void part(const T& value) {
    T::fields(*this, value);
  }

 private:
  ByteWriter out_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view in) : in_(in) {}

  template <class T>
  void text(T& v) {
    v = in_.short_bytes();
  }
  template <class T>
  void bytes(T& v) {
    v = in_.bytes();
  }
  void number(std::int64_t& v) {
    v = static_cast<std::int64_t>(in_.varint());
    refuse_unless(v >= 0);
  }
  void signed_number(std::int64_t& v) { v = in_.signed_varint(); }
  void flag(bool& v) {
    const std::uint8_t byte = in_.u8();
    v = byte != 0;
    refuse_unless(byte <= 1);
  }
  template <class E>
  void code(E& v) {
    set(v, in_.u8());
  }
  template <class E>
  void marked_code(E& v, bool& mark) {
    const std::uint8_t byte = in_.u8();
    mark = (byte & 0x80) != 0;
    set(v, byte & 0x7f);
  }
  void byte(std::uint8_t& v) { v = in_.u8(); }
  template <class T>
  void nested(T& value) {
    refuse_unless(value.decode(in_.short_bytes()));
  }
  void digest(Digest& v) {
    const std::string_view hash = in_.raw(v.size());
    if (in_.ok()) std::memcpy(v.data(), hash.data(), v.size());
  }
  template <class T>
  void list(std::vector<T>& items) {
    // Each takes a byte at least, so a length that is a lie asks for no memory.
    const std::uint64_t count = in_.varint();
    refuse_unless(count <= in_.left());
    if (!ok()) return;
    items.clear();
    items.resize(static_cast<std::size_t>(count));
    for (T& item : items) visit_item(*this, item);
  }
  template <class T>
  void part(T& value) {
    T::fields(*this, value);
    if constexpr (requires { value.valid(); }) refuse_unless(value.valid());
  }

  // Whether all that was asked for was there, and fit.
  bool ok() const { return fits_ && in_.ok(); }
  bool done() const { return ok() && in_.done(); }

 private:
  template <class E>
  void set(E& v, int value) {
    refuse_unless(value < static_cast<int>(E::count_));
    if (fits_) v = static_cast<E>(value);
  }
  void refuse_unless(bool fits) { fits_ = fits_ && fits; }

  ByteReader in_;
  bool fits_ = true;
};

// Appends the bytes of a value.
template <class T>
void encode(const T& value, std::string& out) {
  FieldWriter writer(out);
  writer.part(value);
}
template <class T>
std::string encode(const T& value) {
  std::string bytes;
  encode(value, bytes);
  return bytes;
}
// False for bytes that encode() did not write; `value` says nothing then.
template <class T>
[[nodiscard]] bool decode(std::string_view bytes, T& value) {
  FieldReader reader(bytes);
  reader.part(value);
  return reader.done();
}

}  // namespace z0
