// What others ask of the directory, and what it answers: the bytes of each call. ledger.hpp says how
// calls are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "z0.h"
#include "z0/base/fields.hpp"
#include "z0/base/span_name.hpp"

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
constexpr SpanName span_of(DirectoryMethod method) {
  constexpr SpanName names[] = {"z0.do.directory.alarm", "z0.do.directory.register_ledger",
                                "z0.do.directory.policies", "z0.do.directory.publish",
                                "z0.do.directory.list"};
  return names[static_cast<std::size_t>(method)];
}

inline constexpr std::size_t directory_shards = 16;
// "directory_" and a hexadecimal digit.
std::string directory_shard_name(std::size_t shard);
// The shard that knows this ledger.
std::string directory_object_name(std::string_view entity_id);

struct LedgerName {
  std::string_view tenant_id;
  std::string_view entity_id;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.entity_id);
  }
  bool valid() const { return !tenant_id.empty() && !entity_id.empty(); }
};

// REGISTER, before the first facts of some ledgers of one shard: idempotent. The edge asks for all
// new ledgers of a request together, any other caller for one.
struct RegisterRequest {
  std::int64_t created_at = 0;
  std::vector<LedgerName> ledgers;  // never none

  // The tenants of the ledgers, in the order in which they are named first.
  std::vector<std::string_view> tenants() const;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.created_at);
    f.list(self.ledgers);
  }
  bool valid() const;
};
// The submissions of the config versions that concern a tenant: the platform's, then its own, each
// in order of config_id.
struct Policies {
  std::vector<std::string_view> submissions;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.submissions);
  }
};
// What it answers: for each of tenants() its policies. A config's own ledger is registered alone,
// and gets none.
struct RegisterReply {
  std::vector<Policies> policies;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.policies);
  }
};

// POLICIES, by the edge. The reply is of Policies.
struct PoliciesRequest {
  std::string_view tenant_id;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
  }
};

// PUBLISH, by the edge. An older version than the one that is known changes nothing; the same one
// is handed out again. The reply is a status alone.
struct PublishRequest {
  std::string_view tenant_id;  // empty: the platform's
  std::string_view submission;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.submission);
  }
};

// LIST: ledgers in order of tenant and entity, those after a pair.
struct ListRequest {
  std::string_view tenant_id;  // empty: all
  std::string_view after_tenant;
  std::string_view after_entity;
  std::int64_t limit = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.tenant_id);
    f.text(self.after_tenant);
    f.text(self.after_entity);
    f.number(self.limit);
  }
  bool valid() const;
};
struct ListReply {
  struct Row {
    std::string_view tenant_id;
    std::string_view entity_id;
    std::int64_t created_at = 0;

    template <class Fields, class Self>
    static void fields(Fields& f, Self& self) {
      f.text(self.tenant_id);
      f.text(self.entity_id);
      f.number(self.created_at);
    }
  };
  std::vector<Row> ledgers;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.list(self.ledgers);
  }
};

}  // namespace z0
