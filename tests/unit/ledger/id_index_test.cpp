// The duplicate check against a model that remembers everything.
#include "z0/ledger/id_index.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "unit/catch.hpp"
#include "z0/base/bytes.hpp"

namespace {

using z0::IdIndex;

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return next() % n; }

 private:
  std::uint64_t state_;
};

// The index beside the rows it wrote and all that it should know.
class Checked {
 public:
  void add(std::uint64_t hash) {
    index_.add(++seq_, hash);
    model_.emplace(hash, seq_);
    hashes_.push_back(hash);
  }

  void seal() {
    const auto rows = index_.seal();
    if (rows.empty()) {
      CHECK(index_.open_count() <= z0::limits::open_ids_max);
      return;
    }
    for (const auto& row : rows) {
      REQUIRE(rows_.count(row.key) == 0);
      rows_[row.key] = row.body;
      CHECK(row.body.size() < 2'000'000);
    }
  }

  // From rows, as the ledger does it: filters, then the hashes of what is not sealed.
  void rebuild() {
    const std::int64_t sealed = index_.sealed_through();
    index_ = IdIndex();
    for (const auto& [key, body] : rows_) {
      if (key % IdIndex::keys_per_run == 0) REQUIRE(index_.add_run(key, body));
    }
    REQUIRE(index_.sealed_through() == sealed);
    for (std::int64_t seq = sealed + 1; seq <= seq_; ++seq) {
      index_.add(seq, hashes_[static_cast<std::size_t>(seq - 1)]);
    }
  }

  // All sequence numbers of a hash, through the index and the chunks it points to.
  std::vector<std::int64_t> find(std::uint64_t hash) const {
    std::vector<std::int64_t> found;
    std::vector<z0::SealedCandidate> sealed;
    index_.find(hash, found, sealed);
    for (const auto& candidate : sealed) {
      IdIndex::find_in_chunk(candidate.key, rows_.at(candidate.key), hash, found);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  // Whether the index knows of a hash what the model knows.
  bool agrees(std::uint64_t hash) const {
    std::vector<std::int64_t> expected;
    const auto [begin, end] = model_.equal_range(hash);
    for (auto it = begin; it != end; ++it) expected.push_back(it->second);
    std::sort(expected.begin(), expected.end());
    return find(hash) == expected;
  }

  // How many chunks would be read in vain for a hash that nobody has.
  std::size_t read_in_vain(std::uint64_t hash) const {
    if (model_.count(hash) > 0) return 0;
    std::vector<std::int64_t> open;
    std::vector<z0::SealedCandidate> sealed;
    index_.find(hash, open, sealed);
    return sealed.size() + 1'000 * open.size();
  }

  std::uint64_t known(std::size_t i) const { return hashes_[i % hashes_.size()]; }
  const IdIndex& index() const { return index_; }
  std::int64_t seq() const { return seq_; }
  const std::map<std::int64_t, std::string>& rows() const { return rows_; }

 private:
  IdIndex index_;
  std::int64_t seq_ = 0;
  std::vector<std::uint64_t> hashes_;
  std::unordered_multimap<std::uint64_t, std::int64_t> model_;
  std::map<std::int64_t, std::string> rows_;
};

}  // namespace

TEST_CASE("The open part finds what was added, also where hashes collide", "[id_index]") {
  Random random(1);
  Checked all;
  for (int i = 0; i < 4'000; ++i) {
    // Few distinct low bits, so that probing runs into others, and now and then the same hash
    // again.
    all.add(i % 5 == 4 ? all.known(random.next()) : (random.below(64) | (random.next() << 40)) + 1);
    if (i % 997 == 0) all.rebuild();
  }
  int wrong = 0;
  for (std::size_t i = 0; i < 4'000; ++i) wrong += all.agrees(all.known(i)) ? 0 : 1;
  for (int i = 0; i < 4'000; ++i) wrong += all.agrees(random.next()) ? 0 : 1;
  CHECK(wrong == 0);
  all.seal();
  CHECK(all.index().open_count() == 4'000);
  CHECK(all.index().sealed_through() == 0);
}

TEST_CASE("Sealing and rebuilding lose nothing, over random operations", "[id_index]") {
  Random random(2);
  Checked all;
  int wrong = 0;
  const auto ask = [&](std::uint64_t hash) { wrong += all.agrees(hash) ? 0 : 1; };
  while (all.seq() < 290'000) {
    const std::uint64_t count = 1 + random.below(60'000);
    for (std::uint64_t i = 0; i < count; ++i) {
      all.add(all.seq() > 0 && random.below(500) == 0 ? all.known(random.next()) : random.next());
    }
    all.seal();
    if (random.below(4) == 0) all.rebuild();
    for (int i = 0; i < 300; ++i) ask(all.known(random.next()));
    for (int i = 0; i < 100; ++i) ask(random.next());
    REQUIRE(wrong == 0);
  }
  CHECK(all.index().sealed_through() == 2 * static_cast<std::int64_t>(z0::limits::open_ids_max));
  CHECK(all.index().open_first_seq() == all.index().sealed_through() + 1);
  // The first and the last of each stretch as long as a chunk.
  constexpr std::size_t chunk = z0::limits::ids_per_chunk;
  for (std::size_t i = 0; i < static_cast<std::size_t>(all.seq()); i += chunk) {
    ask(all.known(i));
    ask(all.known(i + chunk - 1));
  }
  CHECK(wrong == 0);
}

TEST_CASE("A hash that many facts share is found in every chunk that it spans", "[id_index]") {
  Random random(4);
  Checked all;
  const std::uint64_t shared = random.next();
  for (std::size_t i = 0; i <= z0::limits::open_ids_max; ++i)
    all.add(i % 8'191 == 0 ? shared : random.next());
  all.seal();
  REQUIRE(all.index().sealed_through() > 0);
  CHECK(all.find(shared).size() == 17);
  CHECK(all.agrees(shared));
}

TEST_CASE("Chunks are read in vain about once in fifteen thousand questions for each run",
          "[id_index]") {
  Random random(5);
  Checked all;
  for (std::size_t i = 0; i < z0::limits::open_ids_max + 1; ++i) all.add(random.next());
  all.seal();
  REQUIRE(all.rows().size() == 1 + z0::limits::open_ids_max / z0::limits::ids_per_chunk);
  std::size_t in_vain = 0;
  constexpr std::size_t questions = 400'000;
  for (std::size_t i = 0; i < questions; ++i) in_vain += all.read_in_vain(random.next());
  // Four fingerprints of 16 bits in each bucket: 4 / 65,536 a run.
  const double rate = static_cast<double>(in_vain) / questions;
  CHECK(rate < 1.5 * 4 / 65'536);
  CHECK(rate > 0.5 * 4 / 65'536);
}

TEST_CASE("The index stays within the memory that is promised for it", "[id_index]") {
  Random random(6);
  Checked all;
  const std::size_t count = z0::limits::open_ids_max + 1;
  for (std::size_t i = 0; i < count; ++i) all.add(random.next());
  all.seal();
  all.rebuild();
  // 3 bytes a sealed id, and 4 MiB.
  CHECK(all.index().memory_bytes() <= 3 * count + (4u << 20));
}

TEST_CASE("Bytes that are no filter are refused", "[id_index]") {
  Random random(7);
  Checked all;
  for (std::size_t i = 0; i <= z0::limits::open_ids_max; ++i) all.add(random.next());
  all.seal();
  const auto& [key, filter] = *all.rows().begin();
  IdIndex fresh;
  REQUIRE(fresh.add_run(key, filter));
  const auto refused = [&, k = key](const std::string& bytes) {
    return !IdIndex().add_run(k, bytes);
  };
  const auto patched = [&, f = filter](std::size_t at, std::uint32_t value) {
    std::string bytes = f;
    z0::ByteWriter(bytes).patch_u32(at, value);
    return bytes;
  };
  CHECK(refused(""));
  for (const std::size_t size :
       {std::size_t{3}, std::size_t{7}, std::size_t{8}, filter.size() - 2, filter.size() - 1}) {
    CHECK(refused(filter.substr(0, size)));
  }
  CHECK(refused(filter + 'x'));
  CHECK(refused(patched(0, 0)));            // no ids
  CHECK(refused(patched(0, 0xffffffffu)));  // more than there are
  CHECK(refused(patched(4, 0)));            // no buckets
  CHECK(refused(patched(4, 16)));           // twice as many
  CHECK(refused(patched(4, 64)));
  CHECK(refused(patched(8, 1)));                           // the first bucket begins late
  CHECK(refused(patched(8 + 4 * 100, 0xffffffffu)));       // beyond the end
  CHECK(refused(patched(8 + 4 * 100, 0)));                 // backwards
  CHECK(refused(patched(8 + (std::size_t{4} << 15), 7)));  // the last bucket ends early
}

TEST_CASE("A chunk that is cut yields what is whole", "[id_index]") {
  std::string chunk;
  z0::ByteWriter out(chunk);
  for (std::uint32_t i = 0; i < 10; ++i) {
    out.u64(100 + i / 2);
    out.u32(i);
  }
  std::vector<std::int64_t> found;
  IdIndex::find_in_chunk(50 * IdIndex::keys_per_run + 1, chunk, 103, found);
  CHECK(found == std::vector<std::int64_t>{56, 57});
  for (std::size_t n = 0; n <= chunk.size(); ++n) {
    found.clear();
    IdIndex::find_in_chunk(50 * IdIndex::keys_per_run + 1, chunk.substr(0, n), 104, found);
    CHECK(found.size() == (n >= 120 ? 2u : n >= 108 ? 1u : 0u));
  }
}
