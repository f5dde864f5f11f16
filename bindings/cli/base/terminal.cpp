#include "base/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/text.hpp"

namespace z0::cli {

bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return isatty(descriptor) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

std::size_t terminal_columns(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string coloured(std::string_view text, Colour colour, int descriptor) {
  static constexpr const char* codes[] = {"0", "1", "2", "31", "32", "33"};
  const char* no_color = std::getenv("NO_COLOR");
  const bool off = colour == Colour::plain || (no_color != nullptr && *no_color != '\0') ||
                   !is_terminal(descriptor);
  if (off) return std::string(text);
  return std::string("\x1b[") + codes[static_cast<std::size_t>(colour)] + "m" + std::string(text) +
         "\x1b[0m";
}

StatusLine::StatusLine() : on_(is_terminal(STDERR_FILENO)) {}

StatusLine::~StatusLine() { clear(); }

bool StatusLine::due() const {
  return on_ && std::chrono::steady_clock::now() - last_ >= std::chrono::milliseconds(100);
}

void StatusLine::draw(std::string_view text) {
  if (!on_) return;
  last_ = std::chrono::steady_clock::now();
  drawn_ = true;
  std::fprintf(stderr, "\r\x1b[K%.*s", static_cast<int>(text.size()), text.data());
  std::fflush(stderr);
}

void StatusLine::clear() {
  if (!drawn_) return;
  drawn_ = false;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

std::string progress_words(std::uint64_t done, std::uint64_t total, std::int64_t lines,
                           double seconds) {
  static constexpr std::size_t bar_columns = 24;
  const double rate = static_cast<double>(lines) / std::max(seconds, 0.001);
  std::string speed = grouped(lines) + " lines  " + grouped(std::llround(rate)) + " facts/s";
  if (total == 0) return speed;
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto full = static_cast<std::size_t>(share * bar_columns);
  std::string out;
  for (std::size_t i = 0; i < bar_columns; ++i) out += i < full ? "█" : "░";
  out += padded_left(std::to_string(static_cast<int>(share * 100)), 5) + " %  " + speed;
  if (share > 0 && seconds >= 1)
    out += "  " + duration_words(seconds * (1 - share) / share) + " left";
  return out;
}

}  // namespace z0::cli
