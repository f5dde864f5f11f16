// What others ask of the directory, and what it answers: the bytes of each call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0.h"
#include "z0/base/status.hpp"

namespace z0 {

// What a directory object is asked; its alarm takes its place among them, but nobody calls it.
enum class DirectoryMethod : std::uint8_t {
  alarm = 0,
  register_ledger = 1,
  policies = 2,
  publish = 3,
  list = 4,
  count_ = 5
};
constexpr z0_target target_of(DirectoryMethod) { return Z0_TARGET_DIRECTORY; }
inline constexpr std::string_view directory_method_names[] = {"alarm", "register", "policies",
                                                              "publish", "list"};

inline constexpr std::size_t directory_shards = 16;
// "directory_" and a hexadecimal digit.
std::string directory_shard_name(std::size_t shard);
// The shard that knows this ledger.
std::string directory_object_name(std::string_view entity_id);

struct LedgerName {
  std::string_view tenant_id;
  std::string_view entity_id;
};

// REGISTER, before the first facts of some ledgers of one shard: idempotent. The edge asks for all
// new ledgers of a request together, any other caller for one.
struct RegisterRequest {
  std::int64_t created_at = 0;
  std::vector<LedgerName> ledgers;  // never none

  // The tenants of the ledgers, in the order in which they are named first.
  std::vector<std::string_view> tenants() const;
  std::string encode() const;
  bool decode(std::string_view bytes);
};
// What it answers: for each of tenants() the submissions of the config versions that concern it, as
// in PoliciesReply. A config's own ledger is registered alone, and gets none.
struct RegisterReply {
  Status status = Status::storage_error;
  std::vector<std::vector<std::string_view>> policies;

  bool decode(std::string_view bytes);
};

// POLICIES, by the edge: the tenant's id alone (short_bytes).
// The submissions of the config versions that concern a tenant: the platform's, then its own, each
// in order of config_id.
struct PoliciesReply {
  Status status = Status::storage_error;
  std::vector<std::string_view> submissions;

  bool decode(std::string_view bytes);
};

// PUBLISH, by the edge. An older version than the one that is known changes nothing; the same one
// is handed out again. Reply: u8 Status.
struct PublishRequest {
  std::string_view tenant_id;  // empty: the platform's
  std::string_view submission;

  std::string encode() const;
  bool decode(std::string_view bytes);
};

// LIST: ledgers in order of tenant and entity, those after a pair.
struct ListRequest {
  std::string_view tenant_id;  // empty: all
  std::string_view after_tenant;
  std::string_view after_entity;
  std::int64_t limit = 0;

  std::string encode() const;
  bool decode(std::string_view bytes);
};
struct ListReply {
  struct Row {
    std::string_view tenant_id;
    std::string_view entity_id;
    std::int64_t created_at = 0;
  };
  Status status = Status::storage_error;
  std::vector<Row> ledgers;

  bool decode(std::string_view bytes);
};

}  // namespace z0
