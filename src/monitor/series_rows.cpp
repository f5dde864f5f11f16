// Series as rows: chunks of neighbours by number, each with its cells.
#include <algorithm>
#include <cstring>

#include "z0/base/limits.hpp"
#include "z0/metrics/histogram.hpp"
#include "z0/monitor/series.hpp"

namespace z0 {
namespace {

constexpr auto amount_max = static_cast<std::uint64_t>(INT64_MAX);
constexpr auto time_max = static_cast<std::uint64_t>(limits::timestamp_ms_max);

bool is_value(double v) { return v >= 0 && v <= static_cast<double>(limits::amount_max); }

bool take_time(ByteReader& in, std::int64_t& ms) {
  const std::uint64_t read = in.varint();
  ms = static_cast<std::int64_t>(read);
  return in.ok() && read <= time_max;
}

// A tenant, a metric and as many labels as it has.
bool is_key(std::string_view key) {
  ByteReader in(key);
  in.short_bytes();
  const auto metric = static_cast<Metric>(in.u8());
  std::size_t labels = 0;
  for (; in.ok() && !in.done(); ++labels) in.short_bytes();
  return in.ok() && metric < Metric::count_ && labels == info(metric).labels.size();
}

}  // namespace

std::string SeriesTable::encode_chunk(std::size_t chunk) const {
  std::string bytes;
  ByteWriter out(bytes);
  const std::size_t first = chunk * limits::series_per_chunk;
  const std::size_t end = std::min(first + limits::series_per_chunk, series_.size());
  for (std::size_t i = first; i < end; ++i) {
    const Series& s = series_[i];
    out.short_bytes(s.key);
    if (s.key.empty()) continue;
    out.varint(static_cast<std::uint64_t>(s.heard_ms));
    out.f64(s.value);
    out.varint(static_cast<std::uint64_t>(s.trace_at_ms));
    if (s.trace_at_ms != 0) {
      out.raw({s.trace, sizeof s.trace});
      out.f64(s.trace_value);
    }
    for (std::uint32_t at = s.first_cell; at != none; at = cells_[at].next) {
      out.varint(std::uint64_t{at} + 1);
      out.varint(cells_[at].bucket);
      out.varint(cells_[at].total);
    }
    out.varint(0);
  }
  return bytes;
}

bool SeriesTable::load_chunk(std::int64_t chunk, std::string_view bytes) {
  const auto chunks_max =
      static_cast<std::int64_t>(2 * limits::monitor_series_max / limits::series_per_chunk);
  if (chunk < 0 || chunk > chunks_max) return false;
  ByteReader in(bytes);
  std::size_t number = static_cast<std::size_t>(chunk) * limits::series_per_chunk;
  const std::size_t end = number + limits::series_per_chunk;
  for (; in.ok() && !in.done(); ++number) {
    if (number >= end) return false;
    if (number >= series_.size()) series_.resize(number + 1);
    Series& s = series_[number];
    s.key = in.short_bytes();
    if (s.key.empty()) continue;
    if (!is_key(s.key) || !take_time(in, s.heard_ms)) return false;
    s.value = in.f64();
    if (!is_value(s.value) || !take_time(in, s.trace_at_ms)) return false;
    if (s.trace_at_ms != 0) {
      const std::string_view trace = in.raw(sizeof s.trace);
      if (!in.ok()) return false;
      std::memcpy(s.trace, trace.data(), sizeof s.trace);
      s.trace_value = in.f64();
      if (!is_value(s.trace_value)) return false;
    }
    if (!load_cells(in, static_cast<std::uint32_t>(number))) return false;
  }
  return in.ok();
}

// A cell that stood in two series, or twice in one, would make a circle of them.
bool SeriesTable::load_cells(ByteReader& in, std::uint32_t series) {
  for (std::uint64_t at = in.varint(); at != 0; at = in.varint()) {
    if (at > limits::monitor_cells_max) return false;
    if (at > cells_.size()) cells_.resize(static_cast<std::size_t>(at));
    Cell& cell = cells_[static_cast<std::size_t>(at) - 1];
    if (cell.series != none) return false;
    const std::uint64_t bucket = in.varint();
    cell.series = series;
    cell.bucket = static_cast<std::uint32_t>(bucket);
    cell.total = in.varint();
    if (!in.ok() || bucket > Histogram::bucket_of(Histogram::value_max) || cell.total > amount_max)
      return false;
    cell.next = series_[series].first_cell;
    series_[series].first_cell = static_cast<std::uint32_t>(at) - 1;
  }
  return in.ok();
}

void SeriesTable::finish_loading() {
  live_ = 0;
  for (std::uint32_t i = 0; i < series_.size(); ++i) {
    if (series_[i].key.empty()) {
      free_series_.push_back(i);
      continue;
    }
    ++live_;
    count_series(series_[i], 1);
  }
  for (std::uint32_t i = 0; i < cells_.size(); ++i) {
    if (cells_[i].series == none) free_cells_.push_back(i);
  }
  rebuild_index();
}

void SeriesTable::encode_guard(ByteWriter& out) const {
  out.varint(static_cast<std::uint64_t>(lost_));
  out.varint(folded_.size());
  for (const auto& [family, folded] : folded_) {
    out.short_bytes(family);
    out.u8(folded.label);
    out.varint(static_cast<std::uint64_t>(folded.events));
  }
}

bool SeriesTable::decode_guard(ByteReader& in) {
  const std::uint64_t lost = in.varint();
  lost_ = static_cast<std::int64_t>(lost);
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    const std::string family(in.short_bytes());
    std::string_view tenant_id;
    Metric metric{};
    read_family(family, tenant_id, metric);
    Folded& folded = folded_[family];
    folded.label = in.u8();
    const std::uint64_t events = in.varint();
    folded.events = static_cast<std::int64_t>(events);
    if (metric >= Metric::count_ || folded.label >= info(metric).labels.size() ||
        events > amount_max)
      return false;
  }
  return in.ok() && lost <= amount_max;
}

}  // namespace z0
