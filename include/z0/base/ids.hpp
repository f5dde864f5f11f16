// Identifiers: their alphabet, the entity prefixes, ULIDs, hexadecimal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace z0 {

// 1 to 128 of [A-Za-z0-9_.:-].
bool valid_id(std::string_view id);
// [a-z][a-z0-9_]{0,63}
bool valid_type(std::string_view type);

// The entity type that an id's prefix names and that has a ledger: "account" (acct_), "asset"
// (ast_), "contact" (con_), "deal" (deal_), "config" (cfg_). Empty when it has none. The prefix
// alone is no id.
std::string_view ledger_type(std::string_view entity_id);
// Whether there can be a ledger of that name.
bool names_ledger(std::string_view entity_id);
// The ledger of a config, which only z0 writes to. Ids of facts that begin so are z0's, too.
inline bool is_config_ledger(std::string_view id) { return id.starts_with("cfg_"); }

// The name of the Durable Object of an entity: {type}_{entity_id}.
std::string ledger_object_name(std::string_view entity_id);

// 32 lower-case hex digits, not all zero: a trace id (W3C Trace Context).
bool valid_trace_id(std::string_view hex);

// Lower-case hexadecimal. from_hex takes exactly 2 x n digits, either case, and says whether it
// could.
void append_hex(std::string& out, std::string_view bytes);
[[nodiscard]] bool from_hex(std::string_view hex, char* out, std::size_t n);

// A ULID (github.com/ulid/spec): 48 bits of ms, 80 bits of randomness, Crockford's base 32. `index`
// is added to the randomness, so the ids of one batch are distinct and ascend. random: 10 bytes.
std::string ulid(std::int64_t now_ms, std::string_view random, std::uint64_t index);

// A keyed 64-bit hash of an id, for the duplicate check: not cryptographic, but without the seed
// collisions cannot be made offline. Never 0.
std::uint64_t id_hash(std::string_view id, std::uint64_t seed);

}  // namespace z0
