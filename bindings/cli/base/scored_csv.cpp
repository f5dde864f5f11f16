#include "base/scored_csv.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include "base/failure.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "z0/alerts/baseline.hpp"
#include "z0/base/time.hpp"

namespace z0::cli {
namespace {

// Numbers from here on are milliseconds since 1970; as seconds it would be the year 5138.
constexpr double seconds_below = 1e11;

// The cells of a line, with quotes as RFC 4180 has them; a cell does not go on in the next line.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"')
      cells.back() += line[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      cells.emplace_back();
    else
      cells.back() += c;
  }
  for (std::string& cell : cells) {
    cell.erase(0, cell.find_first_not_of(" \t"));
    cell.erase(cell.find_last_not_of(" \t") + 1);
  }
  return cells;
}

// "nan" and "inf" are numbers here; the baseline ignores them.
std::optional<double> number_of(const std::string& text) {
  const char* from = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  double value = 0;
  const auto [stopped, error] = std::from_chars(from, end, value);
  if (stopped != end || from == end) return std::nullopt;
  return error == std::errc() ? value : HUGE_VAL;
}

// Seconds or milliseconds since 1970; a date, with a time or without; UTC unless an offset is given.
std::optional<std::int64_t> moment_of(const std::string& text) {
  if (const auto number = number_of(text)) {
    const double ms = std::abs(*number) < seconds_below ? *number * 1000 : *number;
    if (!(std::abs(ms) < 1e16)) return std::nullopt;
    return static_cast<std::int64_t>(ms);
  }
  constexpr std::size_t date_size = 10, minutes_size = 16;
  std::string normal = text;
  if (normal.size() == date_size) normal += "T00:00:00";
  if (normal.size() > date_size && normal[date_size] == ' ') normal[date_size] = 'T';
  if (normal.size() == minutes_size) normal += ":00";
  std::int64_t ms = 0;
  if (parse_rfc3339(normal, ms) || parse_rfc3339(normal + "Z", ms)) return ms;
  return std::nullopt;
}

struct Columns {
  std::size_t timestamp = 0, value = 1;
};

// The columns that a first line names; nothing when it is the first row.
std::optional<Columns> header_of(const std::vector<std::string>& cells) {
  if (cells.size() < 2 || moment_of(cells[0])) return std::nullopt;
  Columns columns;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] == "timestamp") columns.timestamp = i;
    if (cells[i] == "value") columns.value = i;
  }
  return columns;
}

std::string score_text(double score) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, score);
  return {text, end};
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
      const auto cells = cells_of(line);
      const auto header = first ? header_of(cells) : std::nullopt;
      if (header) columns_ = *header;
      if (first) print({"timestamp", "value", "anomaly_score"}, "reason");
      first = false;
      if (!header) row(cells);
    }
    if (first) throw Failure(name_ + " has no rows");
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Failure(name_ + ", line " + std::to_string(file_.number()) + ": " + why);
  }

  void row(const std::vector<std::string>& cells) {
    if (cells.size() <= std::max(columns_.timestamp, columns_.value))
      refuse("a timestamp and a value, with a comma between them, are expected");
    const std::string& timestamp = cells[columns_.timestamp];
    const std::string& text = cells[columns_.value];
    const auto moment = moment_of(timestamp);
    if (!moment)
      refuse("\"" + timestamp +
             "\" is no time: 2026-03-31 10:15:00, RFC 3339, or seconds or milliseconds since 1970");
    // A value that is missing has its row in the answer, too.
    const auto value = text.empty() ? std::optional<double>(std::nan("")) : number_of(text);
    if (!value) refuse("\"" + text + "\" is no number");
    const Reading reading = baseline_.add(*moment, *value);
    print({timestamp, text, score_text(reading.score)},
          explains_ ? words_of(reading) : std::string());
  }

  void print(std::vector<std::string> cells, const std::string& reason) const {
    if (explains_) cells.push_back(reason);
    std::fputs(csv_row(cells).c_str(), stdout);
  }

  std::string name_;
  bool explains_;
  InputFile file_;
  Columns columns_;
  Baseline baseline_;
};

}  // namespace

void print_scores(const std::string& file, bool explains) { Reader(file, explains).run(); }

}  // namespace z0::cli
