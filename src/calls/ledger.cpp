#include "z0/calls/ledger.hpp"

#include "z0/base/limits.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/ledger_repairs.hpp"

namespace z0 {

// The highest bit of a result's first byte says that the submission was changed.
static_assert(static_cast<int>(Status::count_) < 0x80);

std::string encode_append_head(std::uint8_t flags, std::string_view tenant_id,
                               std::string_view entity_id, std::size_t count) {
  AppendRequest request;
  request.flags = flags;
  request.tenant_id = tenant_id;
  request.entity_id = entity_id;
  std::string bytes;
  FieldWriter fields(bytes);
  AppendRequest::head_fields(fields, request);
  ByteWriter out(bytes);
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
  bytes[0] = static_cast<char>((bytes[0] & ~AppendRequest::registers_flag) |
                               AppendRequest::registered_flag);
  FieldWriter(bytes).list(policies);
  return bytes;
}

bool says_new(std::string_view append_reply) { return append_reply.starts_with('\0'); }

bool AppendRequest::valid() const { return submissions.size() <= limits::facts_per_request_max; }

bool ReadRequest::valid() const {
  return from_seq >= 1 && limit >= 1 && limit <= static_cast<std::int64_t>(limits::page_facts_max);
}

bool VerifyRequest::valid() const { return from_seq >= 1 && from_seq <= limits::version_max; }

}  // namespace z0
