// Any bytes as a history, line by line, as an incident, and as what a backtest is asked: each line is read
// whole or refused with a reason, what is read is written in one form, and a history that is put away and
// taken out again says the same.
//
// The first byte says which: 0 a history, 1 an incident, 2 a request.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "step_law.hpp"
#include "z0/alerts/backtest_history.hpp"
#include "z0/alerts/backtest_request.hpp"

namespace {

using namespace z0;
using step_law::broken;

void has_reason(const RuleError& error) {
  if (error.why.empty()) broken("what is refused has a reason");
}

// One form: what it is written as is read as the same.
void check_sample(const HistorySample& sample) {
  HistoryLine again;
  RuleError error;
  if (!read_history_line(history_line(sample), again, error)) broken("a sample's line is read");
  if (again.samples.size() != 1 || again.samples[0] != sample) broken("a sample has one form");
}

std::string outcome(History& history, std::int64_t from_ms) {
  std::vector<Rule> rules;
  RuleError error;
  static_cast<void>(read_rules(default_rules_json(), rules, error));
  Backtest backtest(std::move(rules), 60'000);
  const std::int64_t to_ms = from_ms + 3'600'000;
  HistoryPlay play(history, backtest, from_ms, to_ms);
  while (play.step()) {
  }
  std::string json = backtest_json(backtest, from_ms, to_ms, {});
  if (!step_law::is_json(json)) broken("an outcome is JSON");
  return json;
}

void check_history(std::string_view lines) {
  History history;
  while (!lines.empty() && history.size() < 1'000) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    HistoryLine read;
    RuleError error;
    if (!read_history_line(line, read, error)) {
      has_reason(error);
      if (!read.samples.empty() || read.fact.has_value())
        broken("of a line that is refused nothing counts");
      continue;
    }
    for (const HistorySample& sample : read.samples) {
      check_sample(sample);
      history.add(sample);
    }
  }
  std::string bytes;
  ByteWriter out(bytes);
  const std::int64_t first_ms = history.first_ms();
  static_cast<void>(history.encode(0, out));
  History again;
  ByteReader in(bytes);
  if (!again.decode(in) || again.size() != history.size()) broken("a history can be put away");
  if (outcome(history, first_ms) != outcome(again, first_ms))
    broken("a history that was put away says the same");
}

void check_incident(std::string_view text) {
  Incident incident;
  RuleError error;
  if (!read_incident(text, incident, error)) return has_reason(error);
  if (incident.from_ms > incident.to_ms) broken("an incident begins before it ends");
  for (const std::int64_t at : {incident.from_ms, (incident.from_ms + incident.to_ms) / 2,
                                incident.to_ms, incident.to_ms + 1}) {
    const std::int64_t lost = lost_until(incident, at);
    if (lost < 0 || lost > incident.lost) broken("no more is lost than was");
  }
}

void check_request(std::string_view text) {
  BacktestRequest request;
  RuleError error;
  if (!read_backtest_request(text, request, error)) return has_reason(error);
  if (request.step_ms < backtest_step_ms_min || request.step_ms > backtest_step_ms_max)
    broken("steps keep their limits");
  if (request.incidents.size() > backtest_incidents_max) broken("incidents have a limit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      check_history(bytes);
      break;
    case 1:
      check_incident(bytes);
      break;
    default:
      check_request(bytes);
  }
  return 0;
}
