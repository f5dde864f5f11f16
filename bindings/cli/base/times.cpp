#include "base/times.hpp"

#include <chrono>

#include "base/failure.hpp"
#include "base/text.hpp"

namespace z0::cli {

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string time_parameter(const std::string& text, const char* option) {
  if (text.empty()) return {};
  const auto ms = parse_time_ms(text, now_ms());
  if (!ms) {
    throw Failure(std::string(option) +
                      " takes a time like 2026-03-31T10:15, ms since 1970, or 15m "
                      "for 15 minutes ago, not " +
                      text,
                  exit_usage);
  }
  return std::to_string(*ms);
}

}  // namespace z0::cli
