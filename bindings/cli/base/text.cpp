#include "base/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "z0/facts/currency.hpp"

namespace z0::cli {
namespace {

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[96];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.size() <= 15 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t number(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Days since 1970-01-01 of a date of the Gregorian calendar; timegm is not everywhere.
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

std::optional<std::int64_t> parse_date_ms(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, used = 0;
  double second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3) return {};
  const char* rest = text.c_str() + used;
  if (*rest == 'T' || *rest == ' ') {
    ++rest;
    used = 0;
    if (std::sscanf(rest, "%2d:%2d%n", &hour, &minute, &used) != 2) return {};
    rest += used;
    if (*rest == ':') {
      ++rest;
      used = 0;
      if (std::sscanf(rest, "%6lf%n", &second, &used) != 1) return {};
      rest += used;
    }
  }
  if (*rest == 'Z') ++rest;
  const bool in_range = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour >= 0 &&
                        hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 61;
  if (*rest != '\0' || year < 1970 || !in_range) return {};
  return days_from_civil(year, month, day) * day_ms + hour * hour_ms + minute * minute_ms +
         std::llround(second * 1000);
}

}  // namespace

std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string money(std::int64_t minor_units, std::string_view currency) {
  const int digits = std::max(minor_digits(currency), 0);
  std::int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  const std::int64_t whole = minor_units / unit;
  const std::int64_t rest = minor_units % unit;
  std::string text = minor_units < 0 ? "-" : "";
  text += grouped(whole < 0 ? -whole : whole);
  if (digits > 0) text += format(".%0*d", digits, static_cast<int>(rest < 0 ? -rest : rest));
  return text;
}

std::string amount_words(std::int64_t minor_units, std::string_view currency) {
  return money(minor_units, currency) + ' ' + std::string(currency);
}

std::string duration_words(double seconds) {
  if (seconds < 10) return format("%.2f s", seconds);
  if (seconds < 60) return format("%.1f s", seconds);
  const long long whole = std::llround(seconds);
  if (whole < 3'600) return format("%lld min %02lld s", whole / 60, whole % 60);
  if (whole < 86'400) return format("%lld h %02lld min", whole / 3'600, whole / 60 % 60);
  return format("%lld d %lld h", whole / 86'400, whole / 3'600 % 24);
}

std::string time_words(std::int64_t ms) {
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return format("%04d-%02d-%02d %02d:%02d:%02d.%03d", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(ms % 1000));
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  if (all_digits(text)) return number(text) * second_ms;
  if (text.size() < 2 || text.size() > 9 || !all_digits(text.substr(0, text.size() - 1))) return {};
  const std::int64_t count = number(text.substr(0, text.size() - 1));
  switch (text.back()) {
    case 's':
      return count * second_ms;
    case 'm':
      return count * minute_ms;
    case 'h':
      return count * hour_ms;
    case 'd':
      return count * day_ms;
    case 'w':
      return count * 7 * day_ms;
    default:
      return {};
  }
}

std::optional<std::int64_t> parse_time_ms(std::string_view text, std::int64_t now_ms) {
  if (all_digits(text)) return number(text);
  if (const auto ago_ms = parse_duration_ms(text)) return now_ms - *ago_ms;
  return parse_date_ms(std::string(text));
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return width;
}

std::string padded_left(std::string_view text, std::size_t width) {
  const std::size_t has = display_width(text);
  return std::string(has < width ? width - has : 0, ' ').append(text);
}

std::string padded_right(std::string_view text, std::size_t width) {
  const std::size_t has = display_width(text);
  return std::string(text).append(has < width ? width - has : 0, ' ');
}

std::string sparkline(const std::vector<double>& values, std::size_t width) {
  static constexpr const char* bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t from = values.size() > width ? values.size() - width : 0;
  double most = 0;
  for (std::size_t i = from; i < values.size(); ++i) most = std::max(most, values[i]);
  std::string out;
  for (std::size_t i = from; i < values.size(); ++i) {
    const double share = most > 0 ? std::max(values[i], 0.0) / most : 0;
    out += bars[static_cast<std::size_t>(std::lround(share * 7))];
  }
  return out;
}

std::string bar_between(std::size_t first, std::size_t last, std::size_t width, bool whole) {
  std::string bar;
  for (std::size_t i = 0; i < width; ++i) bar += i < first || i > last ? " " : whole ? "█" : "│";
  return bar;
}

std::string csv_row(const std::vector<std::string>& cells) {
  std::string row;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) row += ',';
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      row += cell;
      continue;
    }
    row += '"';
    for (const char c : cell) row.append(c == '"' ? 2 : 1, c);
    row += '"';
  }
  return row + "\r\n";
}

Table::Table(std::vector<std::string> titles) {
  for (std::string& title : titles) {
    const bool right = !title.empty() && title.front() == '>';
    to_the_right_.push_back(right);
    if (right) title.erase(0, 1);
  }
  rows_.push_back(std::move(titles));
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(to_the_right_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(to_the_right_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += to_the_right_[i] ? padded_left(row[i], widths[i]) : padded_right(row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace z0::cli
