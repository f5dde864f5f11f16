// What rules about anomalies have learned, as rows of a shard.
#include <set>

#include "monitor/watch.hpp"
#include "z0/base/limits.hpp"

namespace z0 {

// Rows of a set follow each other, with room for as many as there may be.
void Watch::for_chunks(const EachChunk& each) const {
  constexpr auto per_set = static_cast<std::int64_t>(limits::habits_max / Habits::per_chunk + 1);
  std::int64_t first = habits_row;
  for (Feed::Set& set : feed_->sets()) {
    for (std::size_t chunk = 0; chunk < set.evaluator.habit_chunks(); ++chunk)
      each(first + static_cast<std::int64_t>(chunk), set, chunk);
    first += per_set;
  }
}

std::string Watch::encode_habits(Feed::Set& set, std::size_t chunk) {
  std::string bytes;
  ByteWriter out(bytes);
  out.short_bytes(set.tenant_id);
  set.evaluator.encode_habits(chunk, out);
  return bytes;
}

bool Watch::decode_habits(std::string_view bytes) {
  ByteReader in(bytes);
  const std::string_view tenant_id = in.short_bytes();
  for (Feed::Set& set : feed_->sets())
    if (set.tenant_id == tenant_id) return set.evaluator.decode_habits(in);
  return in.ok();
}

// All of them change when an hour ends: some go into each transaction.
std::vector<Watch::Row> Watch::changed_habits() {
  std::vector<Row> rows;
  std::set<std::int64_t> ids;
  for_chunks([&](std::int64_t id, Feed::Set& set, std::size_t chunk) {
    ids.insert(id);
    const bool due = set.evaluator.habits_changed(chunk) || !habit_rows_.contains(id);
    if (!due || rows.size() >= limits::habit_rows_per_save) return;
    rows.push_back({id, encode_habits(set, chunk)});
    habit_rows_.insert(id);
  });
  // Rows of sets that are gone hold nothing any more.
  for (auto id = habit_rows_.begin(); id != habit_rows_.end();) {
    if (ids.contains(*id) || rows.size() >= limits::habit_rows_per_save) {
      ++id;
      continue;
    }
    rows.push_back({*id, {}});
    id = habit_rows_.erase(id);
  }
  return rows;
}

bool Watch::habits_changed() const {
  bool changed = false;
  std::size_t count = 0;
  for_chunks([&](std::int64_t id, const Feed::Set& set, std::size_t chunk) {
    ++count;
    changed = changed || set.evaluator.habits_changed(chunk) || !habit_rows_.contains(id);
  });
  return changed || count != habit_rows_.size();
}

}  // namespace z0
