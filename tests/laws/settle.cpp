// The books against the tables, when nothing is on its way any more.
#include <map>

#include "auditor.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/sha256.hpp"

namespace z0::laws {
namespace {

std::string attempt_key(std::string_view tenant_id, std::string_view type, std::int64_t timestamp,
                        std::string_view entity_id, std::string_view id,
                        std::int64_t attempted_at) {
  std::string key;
  for (const auto text : {tenant_id, type, entity_id, id}) key += std::string(text) + ' ';
  return key + std::to_string(timestamp) + ' ' + std::to_string(attempted_at);
}

std::string concatenated(const Digest& a, const Digest& b) {
  std::string bytes(1, '\1');
  bytes.append(a.begin(), a.end());
  return bytes.append(b.begin(), b.end());
}

// MTH of RFC 6962, section 2.1, as it stands there: by halves, over all leaves [begin, end).
Digest plain_tree(const std::vector<std::string>& leaves, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return sha256('\0' + leaves[begin]);
  std::size_t half = 1;
  while (half * 2 < end - begin) half *= 2;
  return sha256(
      concatenated(plain_tree(leaves, begin, begin + half), plain_tree(leaves, begin + half, end)));
}

std::string plain_root(const std::vector<std::string>& records) {
  std::vector<std::string> leaves;
  for (const std::string& record : records) {
    ByteReader in(record);
    leaves.emplace_back(in.short_bytes());
  }
  const Digest root = plain_tree(leaves, 0, leaves.size());
  std::string hex;
  append_hex(hex, {reinterpret_cast<const char*>(root.data()), root.size()});
  return hex;
}

// What corrections leave of each fact, by number, from the amounts alone. Empty when one is wrong.
std::map<std::int64_t, std::int64_t> left_of(const std::string& entity_id,
                                             const std::vector<std::string>& records) {
  struct Behind {
    std::int64_t seq;
    std::string_view name;
    std::string_view currency;
    bool money;
  };
  std::map<std::string_view, Behind> behind;
  std::map<std::int64_t, std::int64_t> amounts;
  std::map<std::int64_t, std::int64_t> left;
  Fact f;
  for (const std::string& record : records) {
    ByteReader in(record);
    if (!next_record(in, entity_id, f)) return {};
    if (f.type != FactType::correction || !f.has(field_amount)) {
      behind[f.id] = {f.seq, f.name(), f.currency, f.has(field_amount)};
      amounts[f.seq] = f.amount;
      continue;
    }
    const auto source = behind.find(f.source_id);
    if (source == behind.end() || !source->second.money) return {};
    const Behind root = source->second;
    amounts[root.seq] += f.amount;
    left[root.seq] = amounts[root.seq];
    const bool right = f.corrects == root.name && f.corrects_seq == root.seq &&
                       f.corrects_left == left[root.seq] && f.currency == root.currency;
    if (!right || left[root.seq] < 0) return {};
    behind[f.id] = root;
  }
  left.emplace(0, 0);
  return left;
}

}  // namespace

void Auditor::landed(std::string_view bytes) {
  Message message;
  if (!parse_message(bytes, message))
    return fail("what the consumer acknowledges can be read", "a message");
  Fact fact;
  for (const Attempt& a : message.attempts) {
    if (!parse_submission(a.submission, a.entity_id, fact))
      return fail("an attempt's submission can be read", "a message");
    attempts_landed_.insert(attempt_key(a.tenant_id, fact.name(), fact.timestamp, a.entity_id,
                                        fact.id, a.attempted_at));
  }
}

void Auditor::settle_ledger(world::World& world, const std::string& entity_id, const Book& book) {
  std::string held;
  const auto answer = world.storage_of(ledger_object_name(entity_id))
                          .run({"SELECT body FROM segments ORDER BY first_seq", {}});
  for (std::size_t i = 0; i < answer->rows.size(); ++i) held += answer->rows.at(i, 0).bytes;
  std::string written;
  for (const auto& record : book.records) written += record;
  if (held != written) fail("a ledger holds each fact once, as it was recorded", entity_id);
  auto left = left_of(entity_id, book.records);
  if (left.erase(0) == 0)
    return fail("corrections take no fact below zero, and say what they leave", entity_id);
  if (left.empty()) return;
  const auto kept = world.storage_of(ledger_object_name(entity_id))
                        .run({"SELECT seq, left_over FROM corrected", {}});
  for (std::size_t i = 0; i < kept->rows.size(); ++i) {
    const auto of = left.find(kept->rows.at(i, 0).integer);
    if (of == left.end() || of->second != kept->rows.at(i, 1).integer)
      fail("what is kept of corrections is what they leave", entity_id);
  }
  if (kept->rows.size() != left.size())
    fail("what is kept of corrections is what they leave", entity_id);
}

void Auditor::settle_d1(world::World& world) {
  const auto answer =
      world.d1().run({"SELECT entity_id, seq, tenant_id, type, timestamp, id, amount, currency, "
                      "lower(trace_id), recorded_at, data "
                      "FROM ledger_facts ORDER BY entity_id, seq",
                      {}});
  const Rows& rows = answer->rows;
  std::size_t row = 0;
  Fact fact;
  std::string data;
  std::string trace;
  for (const auto& [entity_id, book] : books_) {
    for (const auto& record : book.records) {
      ByteReader in(record);
      if (!next_record(in, entity_id, fact)) return fail("a record can be read", entity_id);
      data.clear();
      trace.clear();
      append_data_json(data, fact);
      append_hex(trace, fact.trace);
      const bool same =
          row < rows.size() && rows.at(row, 0).bytes == entity_id &&
          rows.at(row, 1).integer == fact.seq && rows.at(row, 2).bytes == book.tenant_id &&
          rows.at(row, 3).bytes == fact.name() && rows.at(row, 4).integer == fact.timestamp &&
          rows.at(row, 5).bytes == fact.id && rows.at(row, 6).integer == fact.amount &&
          rows.at(row, 7).bytes == fact.currency && rows.at(row, 8).bytes == trace &&
          rows.at(row, 9).integer == fact.recorded_at && rows.at(row, 10).bytes == data;
      if (!same) return fail("D1 holds each fact once", entity_id + " " + std::to_string(fact.seq));
      ++row;
    }
  }
  if (row != rows.size())
    fail("D1 holds nothing that no ledger holds", std::to_string(rows.size()) + " rows");
}

void Auditor::settle_heads(world::World& world) {
  const auto heads = world.d1().run(
      {"SELECT entity_id, contiguous_seq, tenant_id, root FROM ledger_heads ORDER BY 1", {}});
  std::size_t row = 0;
  for (const auto& [entity_id, book] : books_) {
    if (book.records.empty()) continue;
    const bool same =
        row < heads->rows.size() && heads->rows.at(row, 0).bytes == entity_id &&
        heads->rows.at(row, 1).integer == static_cast<std::int64_t>(book.records.size()) &&
        heads->rows.at(row, 2).bytes == book.tenant_id;
    if (!same) return fail("heads are contiguous to the last fact", entity_id);
    if (heads->rows.at(row, 3).bytes != plain_root(book.records))
      return fail("a head's root is that of the facts as they were recorded", entity_id);
    ++row;
  }
  const auto waiting = world.d1().run({"SELECT count(*) FROM ledger_runs", {}});
  if (waiting->rows.at(0, 0).integer != 0)
    fail("no run waits for a gap that is closed", "ledger_runs");
}

void Auditor::settle(world::World& world) {
  for (const auto& [entity_id, book] : books_) settle_ledger(world, entity_id, book);
  settle_d1(world);
  settle_heads(world);
  const auto failed = world.d1().run(
      {"SELECT tenant_id, type, timestamp, entity_id, id, attempted_at FROM failed_facts", {}});
  std::set<std::string> attempts;
  for (std::size_t i = 0; i < failed->rows.size(); ++i) {
    const Rows& r = failed->rows;
    attempts.insert(attempt_key(r.at(i, 0).bytes, r.at(i, 1).bytes, r.at(i, 2).integer,
                                r.at(i, 3).bytes, r.at(i, 4).bytes, r.at(i, 5).integer));
  }
  if (attempts != attempts_landed_)
    fail("D1 holds each attempt that reached it", std::to_string(attempts.size()));
}

}  // namespace z0::laws
