#include "z0/calls/ledger.hpp"

#include <algorithm>

#include "z0/base/bytes.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

// In a result of AppendReply: the recorded submission follows.
constexpr std::uint8_t stamped_flag = 0x80;
// In a request that registered_append made: the policies follow.
constexpr std::uint8_t append_registered = 8;

}  // namespace

std::string encode_append_head(std::uint8_t flags, std::string_view tenant_id,
                               std::string_view entity_id, std::size_t count) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(flags);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.varint(count);
  return bytes;
}

std::string encode_append_request(std::uint8_t flags, std::string_view tenant_id,
                                  std::string_view entity_id, std::size_t count,
                                  std::string_view packed) {
  return encode_append_head(flags, tenant_id, entity_id, count).append(packed);
}

std::string registered_append(std::string_view request,
                              const std::vector<std::string_view>& policies) {
  std::string bytes(request);
  bytes[0] = static_cast<char>((bytes[0] & ~append_registers) | append_registered);
  ByteWriter out(bytes);
  out.varint(policies.size());
  for (const auto policy : policies) out.short_bytes(policy);
  return bytes;
}

bool AppendRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t flags = in.u8();
  atomic = (flags & append_atomic) != 0;
  system = (flags & append_system) != 0;
  registers = (flags & append_registers) != 0;
  registered = (flags & append_registered) != 0;
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > limits::facts_per_request_max) return false;
  submissions.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) submissions.push_back(in.short_bytes());
  for (std::uint64_t n = registered ? in.varint() : 0; n > 0 && in.ok(); --n)
    policies.push_back(in.short_bytes());
  return in.ok() && in.done();
}

std::string ExceededBudget::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(config_id);
  out.short_bytes(currency);
  out.varint(static_cast<std::uint64_t>(limit));
  out.signed_varint(used);
  out.u8(static_cast<std::uint8_t>(period));
  return bytes;
}

bool ExceededBudget::decode(std::string_view bytes) {
  ByteReader in(bytes);
  config_id = in.short_bytes();
  currency = in.short_bytes();
  limit = static_cast<std::int64_t>(in.varint());
  used = in.signed_varint();
  period = static_cast<Period>(in.u8());
  return in.ok() && in.done() && limit >= 0 && period < Period::count_;
}

void AppendReply::encode(std::string& bytes) const {
  ByteWriter out(bytes);
  out.varint(results.size());
  for (const auto& r : results) {
    const std::uint8_t flag = r.stamped.empty() ? 0 : stamped_flag;
    out.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(r.status) | flag));
    out.varint(static_cast<std::uint64_t>(r.seq));
    out.varint(static_cast<std::uint64_t>(r.recorded_at));
    if (!accepted(r.status)) out.short_bytes(r.field);
    if (has_detail(r.status)) out.short_bytes(r.detail);
    if (flag != 0) out.short_bytes(r.stamped);
  }
  out.varint(static_cast<std::uint64_t>(size));
  out.raw({reinterpret_cast<const char*>(root.data()), root.size()});
  out.short_bytes(extra);
}

bool AppendReply::decode(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > limits::facts_per_request_max) return false;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    AppendResult r;
    const std::uint8_t first = in.u8();
    const auto status = static_cast<std::uint8_t>(first & ~stamped_flag);
    if (status >= static_cast<std::uint8_t>(Status::count_)) return false;
    r.status = static_cast<Status>(status);
    r.seq = static_cast<std::int64_t>(in.varint());
    r.recorded_at = static_cast<std::int64_t>(in.varint());
    if (!accepted(r.status)) r.field = in.short_bytes();
    if (has_detail(r.status)) r.detail = in.short_bytes();
    if ((first & stamped_flag) != 0) r.stamped = in.short_bytes();
    results.push_back(r);
  }
  size = static_cast<std::int64_t>(in.varint());
  const std::string_view hash = in.raw(root.size());
  extra = in.short_bytes();
  if (!in.ok() || !in.done()) return false;
  std::copy(hash.begin(), hash.end(), reinterpret_cast<char*>(root.data()));
  return true;
}

bool says_new(std::string_view append_reply) { return append_reply.starts_with('\0'); }

void ReadRequest::encode(std::string& bytes) const {
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.varint(static_cast<std::uint64_t>(from_seq));
  out.varint(static_cast<std::uint64_t>(limit));
  out.short_bytes(types);
  out.u8(records ? 1 : 0);
}

bool ReadRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  from_seq = static_cast<std::int64_t>(in.varint());
  limit = static_cast<std::int64_t>(in.varint());
  types = in.short_bytes();
  records = in.u8() != 0;
  return in.ok() && in.done() && from_seq >= 1 && limit >= 1 &&
         limit <= static_cast<std::int64_t>(limits::page_facts_max);
}

std::string StateRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.u8(what);
  out.varint(static_cast<std::uint64_t>(as_of_seq));
  out.varint(static_cast<std::uint64_t>(as_of_ms));
  return bytes;
}

bool StateRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  what = in.u8();
  as_of_seq = static_cast<std::int64_t>(in.varint());
  as_of_ms = static_cast<std::int64_t>(in.varint());
  return in.ok() && in.done() && (what < Folds::parts || what == state_of_configs) &&
         as_of_seq >= 0 && as_of_ms >= 0;
}

std::string ProofRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.u8(static_cast<std::uint8_t>(kind));
  out.varint(static_cast<std::uint64_t>(from));
  out.varint(static_cast<std::uint64_t>(size));
  return bytes;
}

bool ProofRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  const std::uint8_t which = in.u8();
  kind = static_cast<Kind>(which);
  from = static_cast<std::int64_t>(in.varint());
  size = static_cast<std::int64_t>(in.varint());
  return in.ok() && in.done() && which <= 2 && from >= 1 && size >= 0;
}

std::string ImportRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.bytes(records);
  return bytes;
}

bool ImportRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  records = in.bytes();
  return in.ok() && in.done() && !tenant_id.empty();
}

std::string ReconcileRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(entity_id);
  out.u8(whole ? 1 : 0);
  return bytes;
}

bool ReconcileRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  entity_id = in.short_bytes();
  whole = in.u8() != 0;
  return in.ok() && in.done();
}

std::string ReplicateRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(from_start ? 1 : 0);
  out.short_bytes(tenant_id);
  return bytes;
}

bool ReplicateRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  from_start = in.u8() != 0;
  tenant_id = in.short_bytes();
  return in.ok() && in.done();
}

std::string VerifyRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(from_seq));
  out.short_bytes(tenant_id);
  return bytes;
}

bool VerifyRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  from_seq = static_cast<std::int64_t>(in.varint());
  tenant_id = in.short_bytes();
  return in.ok() && in.done() && from_seq >= 1 && from_seq <= limits::version_max;
}

}  // namespace z0
