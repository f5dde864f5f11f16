// Numbers, money, times and tables as people read them, and times as people write them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace z0::cli {

std::string grouped(std::int64_t value);     // 1,234,567
std::string duration_words(double seconds);  // 0.42 s, 12.3 s, 4 min 05 s, 2 h 13 min, 3 d 4 h
std::string time_words(std::int64_t ms);     // 2026-03-31 00:00:17.285, UTC

// 12,345.67 with as many minor digits as the currency has; the units themselves where it is none.
std::string money(std::int64_t minor_units, std::string_view currency = "USD");
std::string amount_words(std::int64_t minor_units, std::string_view currency);  // 42.50 USD

// "90s", "15m", "2h", "30d", "2w"; a number alone is seconds.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);
// Milliseconds since 1970, "2026-03-31", "2026-03-31T10:15", "...:30", "...Z" (UTC), or a duration
// as of parse_duration_ms with a unit, which means that long before now_ms.
std::optional<std::int64_t> parse_time_ms(std::string_view text, std::int64_t now_ms);

// Columns a terminal needs for UTF-8 text; each code point counts as one.
std::size_t display_width(std::string_view text);
std::string padded_left(std::string_view text, std::size_t width);
std::string padded_right(std::string_view text, std::size_t width);

// The last `width` values as bars of eight heights, the largest at full height.
std::string sparkline(const std::vector<double>& values, std::size_t width);

// A line of `width` columns with a bar from column `first` to `last`: whole, or a thin mark.
std::string bar_between(std::size_t first, std::size_t last, std::size_t width, bool whole);
// A row of RFC 4180 with its line end: cells with a comma, a quote or a line break are quoted.
std::string csv_row(const std::vector<std::string>& cells);

// Columns as wide as their widest cell; those whose title begins with '>' stand to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> titles);
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<bool> to_the_right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace z0::cli
