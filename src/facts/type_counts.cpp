#include "z0/facts/type_counts.hpp"

#include <iterator>

#include "z0/base/bytes.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

constexpr std::uint8_t counts_version = 1;

}  // namespace

void TypeCounts::add(FactType type, std::string_view custom_name) {
  if (type == FactType::custom) {
    for (auto& [name, count] : custom) {
      if (name == custom_name) {
        ++count;
        return;
      }
    }
    if (custom.size() < limits::counted_types_max) {
      custom.emplace_back(custom_name, 1);
      return;
    }
  }
  ++known[static_cast<std::size_t>(type)];
}

std::string TypeCounts::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(counts_version);
  for (const auto count : known) out.varint(static_cast<std::uint64_t>(count));
  out.varint(custom.size());
  for (const auto& [name, count] : custom) {
    out.short_bytes(name);
    out.varint(static_cast<std::uint64_t>(count));
  }
  return bytes;
}

bool TypeCounts::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != counts_version) return false;
  for (auto& count : known) count = static_cast<std::int64_t>(in.varint());
  const std::uint64_t customs = in.varint();
  if (customs > limits::counted_types_max) return false;
  for (std::uint64_t i = 0; i < customs; ++i) {
    const auto name = in.short_bytes();
    custom.emplace_back(name, static_cast<std::int64_t>(in.varint()));
  }
  return in.ok() && in.done();
}

void TypeCounts::write_json(JsonWriter& json) const {
  json.object();
  const auto member = [&json](std::string_view name, std::int64_t count) {
    if (count != 0) json.any_key(name).integer(count);
  };
  for (std::size_t i = 1; i < std::size(known); ++i)
    member(type_name(static_cast<FactType>(i)), known[i]);
  for (const auto& [name, count] : custom) member(name, count);
  member("(other)", known[0]);
  json.end();
}

}  // namespace z0
