// What is known of a batch between the two halves of POST /v1/facts, and its bytes.
#include <algorithm>

#include "edge/post.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

void PostItems::next_line(std::size_t line) {
  if (lines.empty() || line_of(items.size()) != line) lines.push_back({items.size(), line});
}

std::size_t PostItems::line_of(std::size_t item) const {
  const auto behind =
      std::upper_bound(lines.begin(), lines.end(), item,
                       [](std::size_t i, const LineRun& run) { return i < run.item; });
  return behind == lines.begin() ? 0 : behind[-1].line + item - behind[-1].item;
}

void write_place(JsonWriter& json, std::size_t index, std::size_t line) {
  json.integer("index", static_cast<std::int64_t>(index));
  if (line != 0) json.integer("line", static_cast<std::int64_t>(line));
}

void write_items(ByteWriter& out, bool single, const PostItems& all) {
  out.u8(single ? 1 : 0);
  out.varint(all.lines.size());
  for (const LineRun& run : all.lines) {
    out.varint(run.item);
    out.varint(run.line);
  }
  out.varint(all.items.size());
  for (const auto& item : all.items) {
    out.u8(static_cast<std::uint8_t>(item.status));
    if (item.status == Status::recorded) {
      out.varint(item.index);
      continue;
    }
    const Refusal& refusal = all.refusal(item);
    out.short_bytes(refusal.field);
    out.short_bytes(refusal.id);
    out.short_bytes(refusal.entity_id);
    out.short_bytes(refusal.tenant_id);
  }
}

bool read_items(ByteReader& in, bool& single, PostItems& all) {
  single = in.u8() != 0;
  const std::uint64_t runs = in.varint();
  if (runs > limits::facts_per_request_max) return false;
  for (std::uint64_t i = 0; i < runs && in.ok(); ++i) {
    const auto item = static_cast<std::size_t>(in.varint());
    all.lines.push_back({item, static_cast<std::size_t>(in.varint())});
  }
  const std::uint64_t count = in.varint();
  if (count > limits::facts_per_request_max) return false;
  all.items.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto status = static_cast<Status>(in.u8());
    if (status == Status::recorded) {
      all.items.push_back({status, static_cast<std::uint32_t>(in.varint())});
      continue;
    }
    Refusal refusal;
    refusal.field = in.short_bytes();
    refusal.id = in.short_bytes();
    refusal.entity_id = in.short_bytes();
    refusal.tenant_id = in.short_bytes();
    all.refuse(status, std::move(refusal));
  }
  return in.ok() && in.done();
}

}  // namespace z0
