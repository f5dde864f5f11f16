#include "z0/ledger/id_index.hpp"

#include <algorithm>

#include "z0/base/bytes.hpp"
#include "z0/base/trap.hpp"

namespace z0 {
namespace {

struct Entry {
  std::uint64_t hash;
  std::uint32_t offset;  // seq - first_seq of the run
};

constexpr std::size_t entry_bytes = 12;
constexpr std::size_t slots_min = 64;

// About four hashes a bucket: the scan of one stays in a cache line.
std::uint32_t bucket_bits_for(std::size_t count) {
  std::uint32_t bits = 1;
  while ((std::size_t{4} << bits) < count) ++bits;
  return bits;
}

std::string encode_chunk(const Entry* entries, std::size_t count) {
  std::string body;
  body.reserve(count * entry_bytes);
  ByteWriter out(body);
  for (std::size_t i = 0; i < count; ++i) {
    out.u64(entries[i].hash);
    out.u32(entries[i].offset);
  }
  return body;
}

}  // namespace

void IdIndex::add(std::int64_t seq, std::uint64_t hash) {
  if (hashes_.empty()) open_first_seq_ = seq;
  if (seq != open_first_seq_ + static_cast<std::int64_t>(hashes_.size()))
    trap("ids are added in the order of their facts");
  hashes_.push_back(hash);
  if (table_.size() < 2 * hashes_.size()) {
    rebuild_table(std::max(slots_min, 2 * table_.size()));
  } else {
    place(static_cast<std::uint32_t>(hashes_.size() - 1));
  }
}

void IdIndex::place(std::uint32_t offset) {
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = static_cast<std::size_t>(hashes_[offset]) & mask;
  while (table_[slot] != 0) slot = (slot + 1) & mask;
  table_[slot] = offset + 1;
}

void IdIndex::rebuild_table(std::size_t slots) {
  while (slots < 2 * hashes_.size()) slots *= 2;
  table_.assign(slots, 0);
  for (std::uint32_t i = 0; i < hashes_.size(); ++i) place(i);
}

void IdIndex::find(std::uint64_t hash, std::vector<std::int64_t>& open,
                   std::vector<SealedCandidate>& sealed) const {
  if (!table_.empty()) {
    const std::size_t mask = table_.size() - 1;
    for (std::size_t slot = static_cast<std::size_t>(hash) & mask; table_[slot] != 0;
         slot = (slot + 1) & mask) {
      const std::uint32_t offset = table_[slot] - 1;
      if (hashes_[offset] == hash) open.push_back(open_first_seq_ + offset);
    }
  }
  for (const Run& run : runs_) {
    const auto bucket = static_cast<std::size_t>(hash >> (64 - run.bucket_bits));
    const auto fingerprint = static_cast<std::uint16_t>(hash);
    std::int64_t last_key = 0;
    for (std::uint32_t i = run.starts[bucket]; i < run.starts[bucket + 1]; ++i) {
      if (run.fingerprints[i] != fingerprint) continue;
      const std::int64_t key =
          run.first_seq * keys_per_run + 1 + static_cast<std::int64_t>(i / limits::ids_per_chunk);
      if (key != last_key) sealed.push_back({key});
      last_key = key;
    }
  }
}

std::int64_t IdIndex::sealed_through() const {
  return runs_.empty() ? 0 : runs_.back().first_seq + runs_.back().count - 1;
}

std::size_t IdIndex::memory_bytes() const {
  std::size_t bytes = hashes_.capacity() * 8 + table_.capacity() * 4;
  for (const Run& run : runs_) bytes += run.starts.capacity() * 4 + run.fingerprints.capacity() * 2;
  return bytes;
}

std::vector<SealedRow> IdIndex::seal() {
  constexpr std::size_t count = limits::open_ids_max;
  std::vector<SealedRow> rows;
  if (hashes_.size() <= count) return rows;
  std::vector<Entry> entries(count);
  for (std::uint32_t i = 0; i < count; ++i) entries[i] = {hashes_[i], i};
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.offset < b.offset;
  });

  const std::uint32_t bits = bucket_bits_for(count);
  std::string filter;
  ByteWriter out(filter);
  out.u32(static_cast<std::uint32_t>(count));
  out.u32(bits);
  std::size_t next = 0;
  for (std::uint64_t bucket = 0; bucket <= (std::uint64_t{1} << bits); ++bucket) {
    while (next < count && (entries[next].hash >> (64 - bits)) < bucket) ++next;
    out.u32(static_cast<std::uint32_t>(next));
  }
  for (const Entry& e : entries) out.u16(static_cast<std::uint16_t>(e.hash));

  const std::int64_t key = open_first_seq_ * keys_per_run;
  if (!add_run(key, filter)) trap("a filter that was just written can be read");
  rows.push_back({key, static_cast<std::int64_t>(count), std::move(filter)});
  for (std::size_t at = 0; at < count; at += limits::ids_per_chunk) {
    const std::size_t n = std::min(limits::ids_per_chunk, count - at);
    rows.push_back({key + 1 + static_cast<std::int64_t>(at / limits::ids_per_chunk),
                    static_cast<std::int64_t>(n), encode_chunk(entries.data() + at, n)});
  }
  // add_run has moved open_first_seq_ on.
  hashes_.erase(hashes_.begin(), hashes_.begin() + count);
  rebuild_table(slots_min);
  return rows;
}

bool IdIndex::add_run(std::int64_t key, std::string_view filter) {
  ByteReader in(filter);
  Run run;
  run.first_seq = key / keys_per_run;
  run.count = in.u32();
  run.bucket_bits = in.u32();
  if (!in.ok() || run.bucket_bits == 0 || run.bucket_bits > 24) return false;
  if (run.first_seq != sealed_through() + 1) return false;
  const std::size_t buckets = (std::size_t{1} << run.bucket_bits) + 1;
  if (in.left() != buckets * 4 + std::size_t{run.count} * 2) return false;
  run.starts.resize(buckets);
  for (auto& start : run.starts) start = in.u32();
  run.fingerprints.resize(run.count);
  for (auto& fingerprint : run.fingerprints) fingerprint = in.u16();
  // A fingerprint outside all buckets would never be found, and its fact would be recorded twice.
  if (run.starts.front() != 0 || run.starts.back() != run.count) return false;
  for (std::size_t i = 1; i < buckets; ++i) {
    if (run.starts[i] < run.starts[i - 1]) return false;
  }
  runs_.push_back(std::move(run));
  open_first_seq_ = sealed_through() + 1;
  return true;
}

void IdIndex::find_in_chunk(std::int64_t key, std::string_view chunk, std::uint64_t hash,
                            std::vector<std::int64_t>& out) {
  const std::int64_t first_seq = key / keys_per_run;
  const std::size_t count = chunk.size() / entry_bytes;
  const auto hash_at = [&](std::size_t i) {
    return ByteReader(chunk.substr(i * entry_bytes, 8)).u64();
  };
  std::size_t low = 0;
  for (std::size_t high = count; low < high;) {
    const std::size_t middle = (low + high) / 2;
    if (hash_at(middle) < hash)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < count && hash_at(low) == hash; ++low) {
    out.push_back(first_seq + ByteReader(chunk.substr(low * entry_bytes + 8, 4)).u32());
  }
}

}  // namespace z0
