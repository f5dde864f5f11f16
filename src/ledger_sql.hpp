// The statements of a ledger's storage.
#pragma once

#include <string_view>

namespace z0::ledger_sql {

inline constexpr std::string_view create_meta =
    "CREATE TABLE IF NOT EXISTS meta (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL)";
// ids stands before body, so that reading the hashes of a segment does not walk its body's pages.
inline constexpr std::string_view create_segments =
    "CREATE TABLE IF NOT EXISTS segments (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT "
    "NULL, "
    "first_recorded_at INTEGER NOT NULL, last_recorded_at INTEGER NOT NULL, count INTEGER NOT "
    "NULL, "
    "types INTEGER NOT NULL, summary BLOB NOT NULL, ids BLOB NOT NULL, body BLOB NOT NULL)";
inline constexpr std::string_view create_id_runs =
    "CREATE TABLE IF NOT EXISTS id_runs (key INTEGER PRIMARY KEY, count INTEGER NOT NULL, "
    "body BLOB NOT NULL)";

inline constexpr std::string_view select_meta = "SELECT value FROM meta WHERE id = 1";
inline constexpr std::string_view put_meta =
    "INSERT INTO meta (id, value) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET value = "
    "excluded.value";

inline constexpr std::string_view select_tail =
    "SELECT first_seq, last_seq, first_recorded_at, last_recorded_at, count, types, summary, ids, "
    "body "
    "FROM segments ORDER BY first_seq DESC LIMIT 1";
inline constexpr std::string_view put_segment =
    "INSERT INTO segments (first_seq, last_seq, first_recorded_at, last_recorded_at, count, types, "
    "summary, ids, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (first_seq) DO "
    "UPDATE "
    "SET last_seq = excluded.last_seq, last_recorded_at = excluded.last_recorded_at, "
    "count = excluded.count, types = excluded.types, summary = excluded.summary, ids = "
    "excluded.ids, "
    "body = excluded.body";

// The filters; their keys are multiples of IdIndex::keys_per_run.
inline constexpr std::string_view select_filters =
    "SELECT key, body FROM id_runs WHERE key % 256 = 0 ORDER BY key";
// The hashes of every segment that holds a fact that is not sealed.
inline constexpr std::string_view select_open_ids =
    "WITH sealed(through) AS (SELECT coalesce(max(key / 256 + count - 1), 0) FROM id_runs "
    "WHERE key % 256 = 0) "
    "SELECT first_seq, ids FROM segments WHERE first_seq >= coalesce((SELECT max(first_seq) FROM "
    "segments WHERE first_seq <= (SELECT through FROM sealed) + 1), 0) ORDER BY first_seq";
inline constexpr std::string_view put_id_run =
    "INSERT INTO id_runs (key, count, body) VALUES (?1, ?2, ?3)";
inline constexpr std::string_view select_chunks =
    "SELECT key, body FROM id_runs WHERE key IN (SELECT value FROM json_each(?1)) LIMIT ?2";

// The segments that hold any of the sequence numbers in a JSON array.
inline constexpr std::string_view select_segments_of =
    "SELECT first_seq, last_seq, body FROM segments WHERE first_seq IN (SELECT (SELECT "
    "max(first_seq) "
    "FROM segments WHERE first_seq <= value) FROM json_each(?1)) ORDER BY first_seq LIMIT ?2";
// The segments that hold the range ?1 to ?2, only those with a type of the mask ?3.
inline constexpr std::string_view select_range =
    "SELECT first_seq, last_seq, body FROM segments WHERE first_seq >= coalesce((SELECT "
    "max(first_seq) "
    "FROM segments WHERE first_seq <= ?1), 0) AND first_seq <= ?2 AND types & ?3 != 0 "
    "ORDER BY first_seq LIMIT ?4";
inline constexpr std::string_view select_head =
    "SELECT last_seq, last_recorded_at, summary FROM segments ORDER BY first_seq DESC LIMIT 1";

}  // namespace z0::ledger_sql
