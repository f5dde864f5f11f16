// Any bytes as a baseline in storage, and any points after it: scores stay between 0 and 1, and what is
// stored is read back as the same bytes and says the same of the next point.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "step_law.hpp"
#include "z0/alerts/baseline.hpp"

namespace {

using namespace z0;
using step_law::broken;

std::string stored(const Baseline& baseline) {
  std::string bytes;
  baseline.store(bytes);
  return bytes;
}

void check_point(Baseline& baseline, std::int64_t time_ms, double value) {
  const std::string before = stored(baseline);
  Baseline again;
  if (!again.restore(before)) broken("what was stored is a baseline");
  if (stored(again) != before) broken("a baseline has one form");
  const Reading reading = baseline.add(time_ms, value);
  if (again.add(time_ms, value) != reading) broken("a restored baseline says the same");
  if (!(reading.score >= 0 && reading.score < 1)) broken("scores are between 0 and 1");
  for (const double number : {reading.seen, reading.usual, reading.deviations})
    if (!std::isfinite(number)) broken("what is said is finite");
  if (words_of(reading).empty() != (reading.score == 0)) broken("each score has a reason");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Baseline baseline;
  const std::size_t head = std::min(size, Baseline::stored_bytes);
  if (baseline.restore(bytes.substr(0, head))) {
    if (stored(baseline) != bytes.substr(0, head)) broken("a baseline has one form");
    bytes.remove_prefix(head);
  }
  std::int64_t time_ms = 0;
  for (; bytes.size() >= 12; bytes.remove_prefix(12)) {
    std::uint32_t later;
    double value;
    std::memcpy(&later, bytes.data(), sizeof later);
    std::memcpy(&value, bytes.data() + 4, sizeof value);
    time_ms += static_cast<std::int64_t>(later) - (1 << 20);
    check_point(baseline, time_ms, value);
  }
  return 0;
}
