#include "base/scored_csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/failure.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "z0/alerts/baseline.hpp"
#include "z0/base/time.hpp"

namespace z0::cli {
namespace {

constexpr std::string_view line_end = "\r\n";
// Numbers from here on are milliseconds since 1970; as seconds it would be the year 5138.
constexpr double seconds_below = 1e11;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// The cells of a line, with quotes as RFC 4180 has them; a cell does not go on in the next line. They
// are views of the line, or of `unquoted` where it has quotes: rows are read without an allocation.
class Cells {
 public:
  void read(std::string_view line) {
    cells_.clear();
    if (line.find('"') == std::string_view::npos) return split(line);
    std::vector<std::pair<std::size_t, std::size_t>> places;  // in unquoted_
    unquoted_.clear();
    std::size_t from = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
        unquoted_ += line[++i];
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        places.emplace_back(from, unquoted_.size());
        from = unquoted_.size();
      } else {
        unquoted_ += c;
      }
    }
    places.emplace_back(from, unquoted_.size());
    for (const auto& [begin, end] : places)
      cells_.push_back(trimmed(std::string_view(unquoted_).substr(begin, end - begin)));
  }
  const std::vector<std::string_view>& all() const { return cells_; }

 private:
  void split(std::string_view line) {
    for (;;) {
      const std::size_t comma = line.find(',');
      cells_.push_back(trimmed(line.substr(0, comma)));
      if (comma == std::string_view::npos) return;
      line.remove_prefix(comma + 1);
    }
  }

  std::vector<std::string_view> cells_;
  std::string unquoted_;
};

// "nan" and "inf" are numbers here; the baseline ignores them.
std::optional<double> number_of(std::string_view text) {
  const char* from = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  double value = 0;
  const auto [stopped, error] = std::from_chars(from, end, value);
  if (stopped != end || from == end) return std::nullopt;
  return error == std::errc() ? value : HUGE_VAL;
}

// Seconds or milliseconds since 1970; a date, with a time or without; UTC unless an offset is given.
std::optional<std::int64_t> moment_of(std::string_view text) {
  if (const auto number = number_of(text)) {
    const double ms = std::abs(*number) < seconds_below ? *number * 1000 : *number;
    if (!(std::abs(ms) < 1e16)) return std::nullopt;
    return static_cast<std::int64_t>(ms);
  }
  constexpr std::size_t date_size = 10, minutes_size = 16, size_max = 40;
  // As RFC 3339 has it, in a buffer with room for what may be missing.
  char normal[size_max + 16];
  std::size_t size = 0;
  const auto add = [&normal, &size](std::string_view more) {
    std::memcpy(normal + size, more.data(), more.size());
    size += more.size();
  };
  if (text.size() > size_max) return std::nullopt;
  add(text);
  if (size == date_size) add("T00:00:00");
  if (size > date_size && normal[date_size] == ' ') normal[date_size] = 'T';
  if (size == minutes_size) add(":00");
  std::int64_t ms = 0;
  if (parse_rfc3339({normal, size}, ms)) return ms;
  add("Z");
  if (parse_rfc3339({normal, size}, ms)) return ms;
  return std::nullopt;
}

struct Columns {
  std::size_t timestamp = 0, value = 1;
};

// The columns that a first line names; nothing when it is the first row.
std::optional<Columns> header_of(const std::vector<std::string_view>& cells) {
  if (cells.size() < 2 || moment_of(cells[0])) return std::nullopt;
  Columns columns;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] == "timestamp") columns.timestamp = i;
    if (cells[i] == "value") columns.value = i;
  }
  return columns;
}

// A cell goes out as it is unless it has to be quoted.
void print_cell(std::string_view cell) {
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
    std::fwrite(cell.data(), 1, cell.size(), stdout);
    return;
  }
  std::string row = csv_row({std::string(cell)});
  row.resize(row.size() - line_end.size());
  std::fputs(row.c_str(), stdout);
}

class Reader {
 public:
  Reader(const std::string& file, bool explains)
      : name_(file == "-" ? "the standard input" : file), explains_(explains), file_(file) {}

  void run() {
    std::string line;
    bool first = true;
    while (std::ferror(stdout) == 0 && file_.line(line)) {
      if (line.empty()) continue;
      cells_.read(line);
      const auto header = first ? header_of(cells_.all()) : std::nullopt;
      if (header) columns_ = *header;
      if (first) print("timestamp", "value", "anomaly_score", "reason");
      first = false;
      if (!header) row(cells_.all());
    }
    if (first) throw Failure(name_ + " has no rows");
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Failure(name_ + ", line " + std::to_string(file_.number()) + ": " + why);
  }

  void row(const std::vector<std::string_view>& cells) {
    if (cells.size() <= std::max(columns_.timestamp, columns_.value))
      refuse("a timestamp and a value, with a comma between them, are expected");
    const std::string_view timestamp = cells[columns_.timestamp];
    const std::string_view text = cells[columns_.value];
    const auto moment = moment_of(timestamp);
    if (!moment)
      refuse("\"" + std::string(timestamp) +
             "\" is no time: 2026-03-31 10:15:00, RFC 3339, or seconds or milliseconds since 1970");
    // A value that is missing has its row in the answer, too.
    const auto value = text.empty() ? std::optional<double>(std::nan("")) : number_of(text);
    if (!value) refuse("\"" + std::string(text) + "\" is no number");
    const Reading reading = baseline_.add(*moment, *value);
    char score[32];
    const char* const end = std::to_chars(score, score + sizeof score, reading.score).ptr;
    print(timestamp, text, {score, end}, explains_ ? words_of(reading) : std::string());
  }

  void print(std::string_view timestamp, std::string_view value, std::string_view score,
             std::string_view reason) const {
    print_cell(timestamp);
    std::fputc(',', stdout);
    print_cell(value);
    std::fputc(',', stdout);
    print_cell(score);
    if (explains_) {
      std::fputc(',', stdout);
      print_cell(reason);
    }
    std::fputs(line_end.data(), stdout);
  }

  std::string name_;
  bool explains_;
  InputFile file_;
  Cells cells_;
  Columns columns_;
  Baseline baseline_;
};

}  // namespace

void print_scores(const std::string& file, bool explains) { Reader(file, explains).run(); }

}  // namespace z0::cli
