#include "z0/monitor/series.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/metrics/histogram.hpp"

namespace z0 {
namespace {

// Tenant first, so that what is of one tenant or of one of its metrics has one beginning.
std::string family_of(std::string_view tenant_id, Metric metric) {
  std::string family;
  ByteWriter out(family);
  out.short_bytes(tenant_id);
  out.u8(static_cast<std::uint8_t>(metric));
  return family;
}

std::string key_of(const Sample& sample) {
  std::string key = family_of(sample.tenant_id, sample.metric);
  ByteWriter out(key);
  for (const std::string_view label : sample.labels) out.short_bytes(label);
  return key;
}

// FNV-1a. Nobody outside chooses keys of other tenants, and a table that is half empty forgives.
std::size_t hash_of(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return static_cast<std::size_t>(hash ^ (hash >> 32));
}

}  // namespace

void SeriesTable::read_family(std::string_view family, std::string_view& tenant_id,
                              Metric& metric) {
  ByteReader in(family);
  tenant_id = in.short_bytes();
  metric = static_cast<Metric>(in.u8());
}

SeriesTable::Name SeriesTable::name_of(const Series& series) {
  Name name;
  ByteReader in(series.key);
  name.tenant_id = in.short_bytes();
  name.metric = static_cast<Metric>(in.u8());
  while (in.ok() && !in.done()) name.labels.push_back(in.short_bytes());
  return name;
}

std::uint32_t SeriesTable::find(std::string_view key) const {
  if (slots_.empty()) return none;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash_of(key) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    if (series_[slots_[at] - 1].key == key) return slots_[at] - 1;
  }
  return none;
}

void SeriesTable::index(std::uint32_t series) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash_of(series_[series].key) & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = series + 1;
}

void SeriesTable::rebuild_index() {
  std::size_t size = 64;
  while (size < 2 * (live_ + 1)) size *= 2;
  slots_.assign(size, 0);
  for (std::uint32_t i = 0; i < series_.size(); ++i) {
    if (!series_[i].key.empty()) index(i);
  }
}

void SeriesTable::touch(std::uint32_t series) {
  const std::size_t chunk = series / limits::series_per_chunk;
  if (chunk >= changed_.size()) changed_.resize(chunk + 1);
  changed_[chunk] = true;
}

void SeriesTable::count_series(const Series& series, int by) {
  const Name name = name_of(series);
  const auto change = [by](std::unordered_map<std::string, Count>& counts, const std::string& key) {
    Count& count = counts[key];
    count.series += static_cast<std::uint32_t>(by);
    if (count.series == 0) counts.erase(key);
  };
  change(by_tenant_, std::string(name.tenant_id));
  change(by_family_, family_of(name.tenant_id, name.metric));
}

std::uint32_t SeriesTable::make(std::string_view key, std::int64_t now_ms) {
  std::uint32_t made = static_cast<std::uint32_t>(series_.size());
  if (free_series_.empty()) {
    series_.emplace_back();
  } else {
    made = free_series_.back();
    free_series_.pop_back();
  }
  Series& s = series_[made];
  s = Series{};
  s.key = key;
  s.heard_ms = now_ms;
  ++live_;
  count_series(s, 1);
  if (slots_.size() < 2 * (live_ + 1))
    rebuild_index();
  else
    index(made);
  return made;
}

bool SeriesTable::has_room(const Sample& sample) const {
  const auto below = [](const auto& counts, const std::string& key, std::size_t most) {
    const auto found = counts.find(key);
    return found == counts.end() || found->second.series < most;
  };
  return live_ < limits::monitor_series_max &&
         below(by_tenant_, std::string(sample.tenant_id), limits::series_per_tenant_max) &&
         below(by_family_, family_of(sample.tenant_id, sample.metric),
               limits::series_per_family_max);
}

// The label of a tenant's metric that has the most values: by it the series became so many.
std::uint8_t SeriesTable::widest_label(const Sample& sample) const {
  std::vector<std::set<std::string_view>> values(sample.labels.size());
  for (const Series& s : series_) {
    if (s.key.empty()) continue;
    const Name name = name_of(s);
    if (name.metric != sample.metric || name.tenant_id != sample.tenant_id) continue;
    for (std::size_t i = 0; i < values.size(); ++i) values[i].insert(name.labels[i]);
  }
  const auto widest =
      std::max_element(values.begin(), values.end(),
                       [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return static_cast<std::uint8_t>(widest - values.begin());
}

// A series for what has no room of its own is found by folding ever more: the widest label, all of
// them, and where the shard is full the tenant. There are few of those, and they have always room.
std::uint32_t SeriesTable::series_of(const Sample& sample, std::int64_t now_ms) {
  std::string key = key_of(sample);
  std::uint32_t found = find(key);
  if (found != none) return found;
  if (sample.labels.empty() ? live_ < limits::monitor_series_max : has_room(sample))
    return make(key, now_ms);
  Sample folded = sample;
  const std::string family = family_of(sample.tenant_id, sample.metric);
  if (!sample.labels.empty()) {
    auto offender = folded_.find(family);
    if (offender == folded_.end() && folded_.size() < limits::metric_groups_max)
      offender = folded_.emplace(family, Folded{widest_label(sample), 0}).first;
    const std::size_t label = offender == folded_.end() ? 0 : offender->second.label;
    if (offender != folded_.end()) offender->second.events += sample.how_much;
    folded.labels[label] = other_value;
    key = key_of(folded);
    found = find(key);
    if (found != none) return found;
    const auto count = by_family_.find(family);
    const std::size_t of_family = count == by_family_.end() ? 0 : count->second.series;
    // As many again, so that the other labels stay apart where they are few.
    const bool few =
        of_family < 2 * limits::series_per_family_max &&
        by_tenant_[std::string(sample.tenant_id)].series < 2 * limits::series_per_tenant_max;
    if (few && live_ < limits::monitor_series_max) return make(key, now_ms);
    std::fill(folded.labels.begin(), folded.labels.end(), other_value);
    key = key_of(folded);
    found = find(key);
    if (found != none) return found;
    if (live_ < limits::monitor_series_max) return make(key, now_ms);
  }
  folded.tenant_id = other_value;
  key = key_of(folded);
  found = find(key);
  return found != none ? found : make(key, now_ms);
}

std::uint32_t SeriesTable::make_cell(std::uint32_t series, std::uint32_t bucket) {
  std::uint32_t made = static_cast<std::uint32_t>(cells_.size());
  if (!free_cells_.empty()) {
    made = free_cells_.back();
    free_cells_.pop_back();
  } else if (cells_.size() >= limits::monitor_cells_max) {
    return none;
  } else {
    cells_.emplace_back();
  }
  cells_[made] = Cell{};
  cells_[made].series = series;
  cells_[made].bucket = bucket;
  cells_[made].next = series_[series].first_cell;
  series_[series].first_cell = made;
  return made;
}

std::uint32_t SeriesTable::cell_of(const Sample& sample, std::int64_t now_ms) {
  const MetricKind kind = info(sample.metric).kind;
  const std::uint32_t number = series_of(sample, now_ms);
  Series& s = series_[number];
  touch(number);
  s.heard_ms = std::max(s.heard_ms, now_ms);
  if (kind == MetricKind::gauge) s.value = sample.value;
  if (sample.trace_id.size() == 2 * sizeof s.trace &&
      from_hex(sample.trace_id, s.trace, sizeof s.trace)) {
    s.trace_value = kind == MetricKind::counter ? 1 : sample.value;
    s.trace_at_ms = now_ms;
  }
  const auto bucket = kind == MetricKind::histogram
                          ? static_cast<std::uint32_t>(
                                Histogram::bucket_of(static_cast<std::int64_t>(sample.value)))
                          : 0;
  for (std::uint32_t at = s.first_cell; at != none; at = cells_[at].next) {
    if (cells_[at].bucket == bucket) return at;
  }
  const std::uint32_t made = make_cell(number, bucket);
  if (made == none) lost_ += sample.how_much;
  return made;
}

void SeriesTable::forget(std::int64_t now_ms) {
  // Slots may still name its cells until the longest window and its last slot have passed.
  const std::int64_t until = now_ms - Windows::longest_ms - 2 * Windows::levels[1].slot_ms;
  bool any = false;
  for (std::uint32_t i = 0; i < series_.size(); ++i) {
    Series& s = series_[i];
    if (s.key.empty() || s.heard_ms >= until) continue;
    any = true;
    touch(i);
    count_series(s, -1);
    for (std::uint32_t at = s.first_cell; at != none;) {
      const std::uint32_t next = cells_[at].next;
      cells_[at] = Cell{};
      free_cells_.push_back(at);
      at = next;
    }
    s = Series{};
    free_series_.push_back(i);
    --live_;
  }
  if (any) rebuild_index();
}

std::size_t SeriesTable::memory_bytes() const {
  // A node of a table: the text, the count, and what the table needs for it.
  constexpr std::size_t node = 64;
  std::size_t bytes = series_.capacity() * sizeof(Series) + cells_.capacity() * sizeof(Cell) +
                      slots_.capacity() * sizeof(std::uint32_t) +
                      (free_series_.capacity() + free_cells_.capacity()) * sizeof(std::uint32_t);
  for (const Series& s : series_) bytes += s.key.capacity() > 15 ? s.key.capacity() + 16 : 0;
  for (const auto& [key, count] : by_tenant_) bytes += node + key.capacity();
  for (const auto& [key, count] : by_family_) bytes += node + key.capacity();
  return bytes;
}

}  // namespace z0
