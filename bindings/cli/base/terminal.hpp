// What is different on a terminal: colours, and a line that is drawn over and over.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace z0::cli {

// 1 is the output, 2 the error output. False for pipes and files, and for TERM=dumb.
bool is_terminal(int descriptor);
std::size_t terminal_columns(int descriptor);

enum class Colour { plain, bold, dim, red, green, yellow };
// With escape codes around it on a terminal, unless NO_COLOR is set.
std::string coloured(std::string_view text, Colour colour, int descriptor = 1);

// One line at the foot of the error output, redrawn at most ten times a second. Silent where the
// error output is no terminal.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  bool due() const;
  void draw(std::string_view text);
  // Takes the line away, so that other output may follow.
  void clear();

 private:
  bool on_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

// "█████░░░░░  52 %  1,234 facts/s  00:12 left"; `total` 0 when it is not known.
std::string progress_words(std::uint64_t done, std::uint64_t total, std::int64_t lines,
                           double seconds);

}  // namespace z0::cli
