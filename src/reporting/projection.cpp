#include "z0/reporting/projection.hpp"

#include <algorithm>

#include "base/sort.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

// Materialized: a value of json_each is text that SQLite makes anew for each column that looks into
// it, which took half of the time of the whole statement.
const std::string_view d1_sql::insert_facts =
    R"(INSERT OR IGNORE INTO ledger_facts (tenant_id, type, timestamp, entity_id, seq, id,
      subtype, source_id, asset_id, campaign_id, tool_id, user_id, config_id, config_version,
      amount, currency, trace_id, recorded_at, data, corrects)
      WITH f AS MATERIALIZED (SELECT value AS v FROM json_each(?1))
      SELECT v->>0, v->>1, v->>2, v->>3, v->>4, v->>5, v->>6, v->>7, v->>8, v->>9, v->>10,
      v->>11, v->>12, v->>13, v->>14, v->>15, v->>16, v->>17, v->18, v->>19
      FROM f)";

// UNION: a head, or a run, that several arrivals meet comes once.
const std::string_view d1_sql::select_arrived =
    R"(SELECT h.entity_id AS entity_id, 0 AS first_seq, h.contiguous_seq AS last_seq, h.tree AS
      tree, h.root AS root
      FROM json_each(?1)
      JOIN ledger_heads h ON h.entity_id = value->>0
      UNION
      SELECT *
      FROM (SELECT r.entity_id, r.first_seq, r.last_seq, r.tree, NULL FROM json_each(?1) JOIN
      ledger_runs r ON r.entity_id = value->>0 WHERE (r.first_seq <= value->>2 AND r.last_seq
      >= value->>1) OR value->>1 <= 1 + coalesce((SELECT contiguous_seq FROM ledger_heads
      WHERE entity_id = r.entity_id), 0) ORDER BY 1, 2 LIMIT ?2)
      ORDER BY 1, 2)";

namespace {

// ?1: [[entity, first, last, tree], ...]
constexpr std::string_view put_runs =
    R"(INSERT INTO ledger_runs (entity_id, first_seq, last_seq, tree)
      SELECT value->>0, value->>1, value->>2, value->>3
      FROM json_each(?1)
      WHERE true
      ON CONFLICT (entity_id, first_seq)
      DO UPDATE SET last_seq = excluded.last_seq, tree = excluded.tree
      WHERE excluded.last_seq > last_seq)";
// ?1: [[entity, tenant, last, tree, root], ...]
constexpr std::string_view move_heads =
    R"(INSERT INTO ledger_heads (entity_id, tenant_id, contiguous_seq, tree, root, trace_id,
      updated_at)
      SELECT value->>0, value->>1, value->>2, value->>3, value->>4, ?2, ?3
      FROM json_each(?1)
      WHERE true
      ON CONFLICT (entity_id)
      DO UPDATE SET contiguous_seq = excluded.contiguous_seq, tree = excluded.tree, root =
      excluded.root, trace_id = excluded.trace_id, updated_at = excluded.updated_at
      WHERE excluded.contiguous_seq > contiguous_seq)";
constexpr std::string_view drop_joined_runs =
    R"(DELETE FROM ledger_runs
      WHERE entity_id IN (SELECT value->>0 FROM json_each(?1)) AND last_seq <=
      coalesce((SELECT contiguous_seq FROM ledger_heads h WHERE h.entity_id =
      ledger_runs.entity_id), 0))";

JsonWriter& cell(JsonWriter& row, std::string_view text) {
  return text.empty() ? row.null() : row.text(text);
}

JsonWriter& cell(JsonWriter& row, bool present, std::int64_t value) {
  return present ? row.integer(value) : row.null();
}

std::string hex_of(const Digest& digest) {
  std::string hex;
  append_hex(hex, bytes_of(digest));
  return hex;
}

}  // namespace

void write_fact_row(JsonWriter& rows, const Fact& f, std::string_view tenant_id,
                    std::int64_t number, std::string_view trace_hex, std::string_view data) {
  rows.array().text(tenant_id);
  cell(rows, f.name()).integer(f.timestamp);
  cell(rows, f.entity_id).integer(number);
  for (const auto text : {f.id, f.subtype, f.source_id, f.asset_id, f.campaign_id, f.tool_id,
                          f.user_id, f.config_id}) {
    cell(rows, text);
  }
  cell(rows, f.has(field_config), f.config_version);
  cell(rows, f.has(field_amount), f.amount);
  cell(rows, f.currency);
  cell(rows, trace_hex).integer(f.recorded_at).raw(data);
  cell(rows, f.corrects).end();
}

void write_fact_rows(JsonWriter& rows, const Run& run) {
  std::string trace;
  std::string data;
  Fact fact;
  for (ByteReader in(run.records); next_record(in, run.entity_id, fact);) {
    trace.clear();
    data.clear();
    append_hex(trace, fact.trace);
    append_data_json(data, fact);
    write_fact_row(rows, fact, run.tenant_id, fact.seq, trace, data);
  }
}

void write_arrival(JsonWriter& keys, std::string_view entity_id, std::int64_t first_seq,
                   std::int64_t last_seq) {
  keys.array().text(entity_id).integer(first_seq).integer(last_seq).end();
}

// A message that was collected from many requests brings a ledger's facts in several pieces, and
// each piece apart would cost a row.
Projection::Projection(std::vector<Run> runs) {
  sort(runs.data(), runs.data() + runs.size(), [](const Run& a, const Run& b) {
    return a.entity_id != b.entity_id ? a.entity_id < b.entity_id : a.first_seq < b.first_seq;
  });
  std::vector<std::string_view> leaves;
  for (const Run& run : runs) {
    const bool follows = !arrivals_.empty() && arrivals_.back().entity_id == run.entity_id &&
                         run.first_seq - 1 <= arrivals_.back().end();
    if (!follows)
      arrivals_.push_back({run.entity_id, run.tenant_id, run.first_seq - 1, leaves.size(), 0});
    Arrival& arrival = arrivals_.back();
    RecordBytes record;
    for (ByteReader in(run.records); next_record_bytes(in, record);) {
      if (record.seq <= arrival.end()) continue;
      leaves.push_back(record.leaf);
      ++arrival.count;
    }
  }
  leaves_.resize(leaves.size());
  merkle_leaves(leaves, leaves_.data());
}

std::string Projection::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(arrivals_.size());
  for (const Arrival& a : arrivals_) {
    out.short_bytes(a.entity_id);
    out.short_bytes(a.tenant_id);
    out.varint(static_cast<std::uint64_t>(a.begin));
    out.varint(static_cast<std::uint64_t>(a.count));
  }
  out.raw({reinterpret_cast<const char*>(leaves_.data()), leaves_.size() * sizeof(Digest)});
  return bytes;
}

bool Projection::decode(std::string_view bytes) {
  ByteReader in(bytes);
  std::size_t leaves = 0;
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    Arrival a;
    a.entity_id = in.short_bytes();
    a.tenant_id = in.short_bytes();
    a.begin = static_cast<std::int64_t>(in.varint());
    a.count = static_cast<std::int64_t>(in.varint());
    a.leaf = leaves;
    leaves += static_cast<std::size_t>(a.count);
    arrivals_.push_back(a);
  }
  if (!in.ok() || in.left() != leaves * sizeof(Digest)) return false;
  leaves_.resize(leaves);
  std::copy_n(in.at(), in.left(), reinterpret_cast<char*>(leaves_.data()));
  return true;
}

std::string Projection::keys() const {
  std::string keys;
  JsonWriter json(keys);
  json.array();
  for (const Arrival& a : arrivals_) write_arrival(json, a.entity_id, a.begin + 1, a.end());
  json.end();
  return keys;
}

void Projection::extend(MerkleRange& range, const Arrival& a, std::int64_t end) const {
  const std::size_t from = a.leaf + static_cast<std::size_t>(range.end() - a.begin);
  range.append(std::span(leaves_).subspan(from, static_cast<std::size_t>(end - range.end())));
}

// Takes in what comes next: a run that waits there, or the leaves of an arrival, up to where the
// next waiting run begins. So what waits is always met where it begins, although a range cannot be
// cut: a ledger sends its facts again in runs of its own.
bool Projection::advance(MerkleRange& head, Slice& group, const Rows& rows, Slice& mine) const {
  std::int64_t next_begin = limits::version_max;
  for (; mine.first < mine.second; ++mine.first) {
    const std::int64_t begin = rows.at(mine.first, arrived::first_seq).integer - 1;
    if (begin > head.end()) {
      next_begin = begin;
      break;
    }
    MerkleRange run;
    if (begin == head.end() && run.decode_hex(rows.at(mine.first, arrived::tree).bytes) &&
        run.size() > 0 && head.join(run)) {
      return true;
    }
  }
  while (group.first < group.second && arrivals_[group.first].end() <= head.end()) ++group.first;
  if (group.first == group.second) return false;
  const Arrival& a = arrivals_[group.first];
  if (a.begin > head.end()) return false;
  extend(head, a, std::min(a.end(), next_begin));
  return true;
}

void Projection::plan_ledger(Slice group, const Rows& rows, Slice mine, Lists& lists) const {
  MerkleRange head;
  if (mine.first < mine.second && rows.at(mine.first, arrived::first_seq).integer == 0) {
    const std::int64_t seq = rows.at(mine.first, arrived::last_seq).integer;
    const bool readable = head.decode_hex(rows.at(mine.first, arrived::tree).bytes) &&
                          head.begin() == 0 && head.end() == seq;
    if (!readable) return;
    ++mine.first;
  }
  const std::int64_t before = head.end();
  const Arrival& of = arrivals_[group.first];
  while (advance(head, group, rows, mine)) {
  }
  if (head.end() > before) {
    cell(lists.heads.array().text(of.entity_id), of.tenant_id).integer(head.end());
    lists.heads.plain(head.encode_hex()).plain(hex_of(head.root())).end();
  }
  for (; group.first < group.second; ++group.first)
    plan_waiting(arrivals_[group.first], rows, mine, lists);
}

// What came ahead of a gap waits, but for what waits already.
void Projection::plan_waiting(const Arrival& a, const Rows& rows, Slice& mine, Lists& lists) const {
  const auto wait = [&](std::int64_t begin, std::int64_t end) {
    MerkleRange run(begin);
    extend(run, a, end);
    lists.runs.array().text(a.entity_id).integer(begin + 1).integer(end);
    lists.runs.plain(run.encode_hex()).end();
  };
  std::int64_t at = a.begin;
  for (; mine.first < mine.second && at < a.end(); ++mine.first) {
    const std::int64_t begin = rows.at(mine.first, arrived::first_seq).integer - 1;
    const std::int64_t end = rows.at(mine.first, arrived::last_seq).integer;
    if (end <= at) continue;
    if (begin >= a.end()) break;
    if (begin > at) wait(at, begin);
    at = end;
    if (end > a.end()) break;  // it reaches into the next arrival
  }
  if (at < a.end()) wait(at, a.end());
}

Projection::Changes Projection::plan(const Rows& rows) const {
  Changes changes;
  Lists lists{JsonWriter(changes.heads), JsonWriter(changes.runs)};
  lists.heads.array();
  lists.runs.array();
  Slice mine{0, 0};
  std::size_t end = 0;
  for (std::size_t i = 0; i < arrivals_.size(); i = end) {
    if (changes.heads.size() + changes.runs.size() > limits::d1_json_bytes_max) break;
    const std::string_view entity_id = arrivals_[i].entity_id;
    while (end < arrivals_.size() && arrivals_[end].entity_id == entity_id) ++end;
    const auto id_of = [&](std::size_t row) { return rows.at(row, arrived::entity_id).bytes; };
    mine.first = mine.second;
    while (mine.first < rows.size() && id_of(mine.first) < entity_id) ++mine.first;
    mine.second = mine.first;
    while (mine.second < rows.size() && id_of(mine.second) == entity_id) ++mine.second;
    plan_ledger({i, end}, rows, mine, lists);
  }
  lists.heads.end();
  lists.runs.end();
  return changes;
}

void append_changes(std::vector<Statement>& statements, Projection::Changes& changes,
                    std::string_view keys, std::string_view trace_id, std::int64_t now_ms) {
  const Value all = Value::text(keys);
  statements.push_back({put_runs, {Value::text(changes.runs)}});
  statements.push_back(
      {move_heads, {Value::text(changes.heads), Value::text(trace_id), Value::of(now_ms)}});
  statements.push_back({drop_joined_runs, {all}});
  statements.push_back({d1_sql::select_arrived, {all, Value::of(limits::waiting_runs_max)}});
}

D1Head head_in_d1(const Rows& rows) {
  D1Head head;
  if (rows.size() == 0 || rows.at(0, arrived::first_seq).integer != 0) {
    head.root = merkle_empty_root();
    return head;
  }
  MerkleRange tree;
  head.seq = rows.at(0, arrived::last_seq).integer;
  head.readable = tree.decode_hex(rows.at(0, arrived::tree).bytes) && tree.begin() == 0 &&
                  tree.end() == head.seq;
  if (!head.readable) return head;
  head.root = tree.root();
  head.readable = hex_of(head.root) == rows.at(0, arrived::root).bytes;
  return head;
}

}  // namespace z0
