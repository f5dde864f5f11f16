#include "audit/proofs.hpp"

#include <cstdint>

#include "audit/audit.hpp"
#include "base/fields.hpp"
#include "z0/base/base64.hpp"
#include "z0/tree/merkle.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

bool read_path(const json& proof, std::vector<Digest>& path) {
  const auto found = proof.find("proof");
  if (found == proof.end() || !found->is_array()) return false;
  for (const json& hex : *found) {
    if (!hex.is_string() || !parse_hex(hex.get<std::string>(), path.emplace_back())) return false;
  }
  return true;
}

std::string sizes_differ(const char* what, std::int64_t proof, std::int64_t checkpoint) {
  return std::string("the proof's ") + what + " is " + std::to_string(proof) +
         ", the checkpoint's size is " + std::to_string(checkpoint) +
         ": fetch the proof for that size";
}

}  // namespace

std::string check_inclusion(const json& proof, const Checkpoint& head, std::string& fact) {
  std::vector<Digest> path;
  if (!proof.is_object() || !has_integer(proof, "seq") || !has_integer(proof, "size") ||
      !read_path(proof, path)) {
    return "this is no proof of a fact";
  }
  const std::string entity_id = text_of(proof, "entity_id");
  const std::int64_t seq = integer_of(proof, "seq");
  const std::int64_t size = integer_of(proof, "size");
  if (!head.origin.ends_with("/" + entity_id))
    return "the proof is of " + entity_id + ", the checkpoint of " + head.origin;
  if (size != head.size) return sizes_differ("size", size, head.size);
  std::string record;
  std::int64_t own_seq = 0;
  std::int64_t recorded_at = 0;
  if (!base64_decode(text_of(proof, "record"), record) ||
      !fact_of_record(record, entity_id, text_of(proof, "tenant_id"), own_seq, recorded_at, fact)) {
    return "the record's bytes are no fact";
  }
  if (own_seq != seq) return "the record is that of fact " + std::to_string(own_seq);
  if (!verify_inclusion(merkle_leaf(record), seq - 1, size, path, head.root))
    return "the proof does not lead from the fact to the checkpoint's root";
  return {};
}

std::string check_consistency(const json& proof, const Checkpoint& older, const Checkpoint& newer) {
  std::vector<Digest> path;
  if (!proof.is_object() || !has_integer(proof, "old_size") || !has_integer(proof, "size") ||
      !read_path(proof, path)) {
    return "this is no proof of a history";
  }
  if (older.origin != newer.origin)
    return "the checkpoints are of two logs: " + older.origin + " and " + newer.origin;
  const std::int64_t old_size = integer_of(proof, "old_size");
  const std::int64_t size = integer_of(proof, "size");
  if (old_size != older.size) return sizes_differ("old size", old_size, older.size);
  if (size != newer.size) return sizes_differ("size", size, newer.size);
  if (!verify_consistency(old_size, size, older.root, newer.root, path))
    return "the proof does not lead from the older root to the newer one: history was rewritten, "
           "or the proof is another ledger's";
  return {};
}

}  // namespace z0::cli
