#include "z0/calls/directory.hpp"

#include <algorithm>

#include "z0/base/bytes.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

bool read_status(ByteReader& in, Status& out) {
  const std::uint8_t code = in.u8();
  if (!in.ok() || code >= static_cast<std::uint8_t>(Status::count_)) return false;
  out = static_cast<Status>(code);
  return true;
}

}  // namespace

std::string directory_shard_name(std::size_t shard) {
  return "directory_" + std::string(1, "0123456789abcdef"[shard % directory_shards]);
}

std::string directory_object_name(std::string_view entity_id) {
  return directory_shard_name(static_cast<std::size_t>(id_hash(entity_id, 0)));
}

std::vector<std::string_view> RegisterRequest::tenants() const {
  std::vector<std::string_view> all;
  for (const LedgerName& ledger : ledgers) {
    // Nearly every request is of one tenant.
    if (std::find(all.begin(), all.end(), ledger.tenant_id) == all.end())
      all.push_back(ledger.tenant_id);
  }
  return all;
}

std::string RegisterRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(created_at));
  out.varint(ledgers.size());
  for (const LedgerName& ledger : ledgers) {
    out.short_bytes(ledger.tenant_id);
    out.short_bytes(ledger.entity_id);
  }
  return bytes;
}

bool RegisterRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  created_at = static_cast<std::int64_t>(in.varint());
  const std::uint64_t count = in.varint();
  if (!in.ok() || created_at < 0 || count < 1 || count > limits::facts_per_request_max)
    return false;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    LedgerName& ledger = ledgers.emplace_back();
    ledger.tenant_id = in.short_bytes();
    ledger.entity_id = in.short_bytes();
    if (ledger.tenant_id.empty() || ledger.entity_id.empty()) return false;
  }
  return in.ok() && in.done();
}

namespace {

// A status, then as many items as are announced, each by `item`.
template <class Item>
bool read_reply(std::string_view bytes, Status& status, Item item) {
  ByteReader in(bytes);
  if (!read_status(in, status)) return false;
  if (status != Status::recorded) return in.done();
  for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) item(in);
  return in.ok() && in.done();
}

}  // namespace

bool RegisterReply::decode(std::string_view bytes) {
  return read_reply(bytes, status, [this](ByteReader& in) {
    auto& submissions = policies.emplace_back();
    for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count)
      submissions.push_back(in.short_bytes());
  });
}

bool PoliciesReply::decode(std::string_view bytes) {
  return read_reply(bytes, status,
                    [this](ByteReader& in) { submissions.push_back(in.short_bytes()); });
}

std::string PublishRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(submission);
  return bytes;
}

bool PublishRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  submission = in.short_bytes();
  return in.ok() && in.done();
}

std::string ListRequest::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(tenant_id);
  out.short_bytes(after_tenant);
  out.short_bytes(after_entity);
  out.varint(static_cast<std::uint64_t>(limit));
  return bytes;
}

bool ListRequest::decode(std::string_view bytes) {
  ByteReader in(bytes);
  tenant_id = in.short_bytes();
  after_tenant = in.short_bytes();
  after_entity = in.short_bytes();
  limit = static_cast<std::int64_t>(in.varint());
  return in.ok() && in.done() && limit >= 1 &&
         limit <= static_cast<std::int64_t>(limits::page_facts_max) + 1;
}

bool ListReply::decode(std::string_view bytes) {
  return read_reply(bytes, status, [this](ByteReader& in) {
    Row& ledger = ledgers.emplace_back();
    ledger.tenant_id = in.short_bytes();
    ledger.entity_id = in.short_bytes();
    ledger.created_at = static_cast<std::int64_t>(in.varint());
  });
}

}  // namespace z0
