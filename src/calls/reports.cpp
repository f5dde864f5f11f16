#include "z0/calls/reports.hpp"

#include "z0/base/bytes.hpp"

namespace z0 {

std::string encode_report(const RequestReport& r) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(Report::request));
  for (const auto n : {r.recorded, r.duplicate, r.conflict, r.refused, r.failed}) {
    out.varint(static_cast<std::uint64_t>(n));
  }
  out.short_bytes(r.recorded_by_type.encode());
  out.varint(r.heads.size());
  for (const auto& head : r.heads) {
    out.short_bytes(head.entity_id);
    out.varint(static_cast<std::uint64_t>(head.seq));
    out.varint(static_cast<std::uint64_t>(head.recorded_at));
  }
  for (const auto& fact : r.latest) out.short_bytes(fact);
  return bytes;
}

std::string ledger_report(std::string_view entity_id, std::int64_t seq, std::int64_t confirmed_seq,
                          std::int64_t oldest_at, std::int64_t resent) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(Report::ledger));
  out.short_bytes(entity_id);
  for (const auto n : {seq, confirmed_seq, oldest_at, resent})
    out.varint(static_cast<std::uint64_t>(n));
  return bytes;
}

std::string encode_report(const MessageReport& r) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(Report::message));
  out.u8(static_cast<std::uint8_t>((r.failed ? 1 : 0) | (r.dead ? 2 : 0)));
  for (const auto n : {r.facts, r.inserted, r.lag_ms_max})
    out.varint(static_cast<std::uint64_t>(n));
  for (const auto& head : r.heads) {
    out.short_bytes(head.entity_id);
    out.varint(static_cast<std::uint64_t>(head.contiguous_seq));
  }
  return bytes;
}

}  // namespace z0
