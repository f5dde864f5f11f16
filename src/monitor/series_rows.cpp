// Series as rows: chunks of neighbours by number, each with its cells.
#include <algorithm>
#include <cstring>

#include "z0/base/limits.hpp"
#include "z0/monitor/series.hpp"

namespace z0 {

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
  for (; in.ok() && !in.done(); ++number) {
    if (number >= series_.size()) series_.resize(number + 1);
    Series& s = series_[number];
    s.key = in.short_bytes();
    if (s.key.empty()) continue;
    s.heard_ms = static_cast<std::int64_t>(in.varint());
    s.value = in.f64();
    s.trace_at_ms = static_cast<std::int64_t>(in.varint());
    if (s.trace_at_ms != 0) {
      const std::string_view trace = in.raw(sizeof s.trace);
      if (!in.ok()) return false;
      std::memcpy(s.trace, trace.data(), sizeof s.trace);
      s.trace_value = in.f64();
    }
    for (std::uint64_t at = in.varint(); at != 0; at = in.varint()) {
      if (at > limits::monitor_cells_max) return false;
      if (at > cells_.size()) cells_.resize(static_cast<std::size_t>(at));
      Cell& cell = cells_[static_cast<std::size_t>(at) - 1];
      cell.series = static_cast<std::uint32_t>(number);
      cell.bucket = static_cast<std::uint32_t>(in.varint());
      cell.total = in.varint();
      cell.next = s.first_cell;
      s.first_cell = static_cast<std::uint32_t>(at) - 1;
    }
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
  lost_ = static_cast<std::int64_t>(in.varint());
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Folded& folded = folded_[std::string(in.short_bytes())];
    folded.label = in.u8();
    folded.events = static_cast<std::int64_t>(in.varint());
  }
  return in.ok();
}

}  // namespace z0
