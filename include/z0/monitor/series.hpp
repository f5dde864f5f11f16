// The series of one shard, in flat arrays: a metric of a tenant with values for its labels, what it
// came to since the shard began, and the newest event that has a trace.
//
// A cell is what is summed up: of a counter one a series, of a histogram one a bucket. Numbers of
// series and cells never change while they live, so slots of windows and saved rows name them.
//
// The guard: a tenant's metric that comes in too many series has the label with the most values folded
// into other_value from then on, and a tenant with too many series, or a shard, all of them. Sums over
// that label stay exact. What was folded is counted, and said by tenant, metric and label.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "z0/metrics/registry.hpp"
#include "z0/monitor/windows.hpp"

namespace z0 {

// A measurement as an isolate tells it.
struct Sample {
  Metric metric = Metric::count_;
  std::string_view tenant_id;
  std::vector<std::string_view> labels;
  std::int64_t how_much = 0;
  double value = 0;           // of a histogram or a gauge
  std::string_view trace_id;  // 32 hexadecimal digits, or empty
};

class SeriesTable {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Cell {
    std::uint32_t series = none;  // none: free
    std::uint32_t next = none;    // of the same series
    std::uint32_t bucket = 0;
    Windows::Places places = {none, none};
    std::uint64_t total = 0;
  };
  struct Series {
    std::string key;  // empty: free
    std::uint32_t first_cell = none;
    std::int64_t heard_ms = 0;
    double value = 0;  // of a gauge
    // The exemplar: 16 bytes of trace, its value, when.
    char trace[16] = {};
    double trace_value = 0;
    std::int64_t trace_at_ms = 0;  // 0: none
  };
  // What stands in a key; borrows it.
  struct Name {
    Metric metric = Metric::count_;
    std::string_view tenant_id;
    std::vector<std::string_view> labels;
  };
  // What the guard did to a metric of a tenant.
  struct Folded {
    std::uint8_t label = 0;   // its place in the metric's row
    std::int64_t events = 0;  // that count under other_value
  };

  // The cell that counts it, made where there is none. None when there is no room for one more cell;
  // then the events are counted as lost.
  std::uint32_t cell_of(const Sample& sample, std::int64_t now_ms);
  void add(std::uint32_t cell, std::uint64_t amount, Windows& windows, std::int64_t now_ms) {
    cells_[cell].total += amount;
    windows.add(cell, cells_[cell].places, amount, now_ms);
  }

  static Name name_of(const Series& series);
  const std::vector<Series>& series() const { return series_; }
  const std::vector<Cell>& cells() const { return cells_; }
  std::size_t size() const { return live_; }
  // By tenant and metric, as a key begins.
  const std::map<std::string, Folded, std::less<>>& folded() const { return folded_; }
  static void read_family(std::string_view family, std::string_view& tenant_id, Metric& metric);
  std::int64_t lost() const { return lost_; }
  // Drops what was silent for longer than any window reaches.
  void forget(std::int64_t now_ms);
  std::size_t memory_bytes() const;

  // Chunks of series that changed, as rows; marks them as saved.
  template <class Row>
  void save(Row row) {
    for (std::size_t chunk = 0; chunk < changed_.size(); ++chunk) {
      if (!changed_[chunk]) continue;
      changed_[chunk] = false;
      row(static_cast<std::int64_t>(chunk), encode_chunk(chunk));
    }
  }
  [[nodiscard]] bool load_chunk(std::int64_t chunk, std::string_view bytes);
  void encode_guard(ByteWriter& out) const;
  [[nodiscard]] bool decode_guard(ByteReader& in);
  // After the last chunk: what is free, and how many there are of each tenant.
  void finish_loading();

 private:
  struct Count {
    std::uint32_t series = 0;
  };
  std::uint32_t series_of(const Sample& sample, std::int64_t now_ms);
  std::uint32_t find(std::string_view key) const;
  std::uint32_t make(std::string_view key, std::int64_t now_ms);
  std::uint32_t make_cell(std::uint32_t series, std::uint32_t bucket);
  std::uint8_t widest_label(const Sample& sample) const;
  bool has_room(const Sample& sample) const;
  void count_series(const Series& series, int by);
  void index(std::uint32_t series);
  void rebuild_index();
  void touch(std::uint32_t series);
  std::string encode_chunk(std::size_t chunk) const;
  [[nodiscard]] bool load_cells(ByteReader& in, std::uint32_t series);

  std::vector<Series> series_;
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> free_series_;
  std::vector<std::uint32_t> free_cells_;
  std::vector<std::uint32_t> slots_;  // open addressing over keys: number + 1; 0 is free
  std::size_t live_ = 0;
  std::vector<bool> changed_;  // by chunk
  std::unordered_map<std::string, Count> by_tenant_;
  std::unordered_map<std::string, Count> by_family_;
  std::map<std::string, Folded, std::less<>> folded_;
  std::int64_t lost_ = 0;
};

}  // namespace z0
