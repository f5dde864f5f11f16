#include "sending/tally.hpp"

#include <algorithm>
#include <cmath>

#include "base/fields.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"

namespace z0::cli {
namespace {

std::string by_status(const std::map<std::string, std::int64_t>& counts) {
  std::string out;
  for (const auto& [status, count] : counts) {
    out += out.empty() ? "   " : ", ";
    out += status + " " + grouped(count);
  }
  return out;
}

}  // namespace

Outcome outcome_of(const nlohmann::json& item, int http) {
  Outcome outcome;
  if (!item.is_object()) return outcome;
  outcome.status = text_of(item, "status");
  outcome.field = text_of(item, "field");
  outcome.message = text_of(item, "message");
  outcome.action = text_of(item, "action");
  outcome.seq = integer_of(item, "seq");
  if (outcome.status == "recorded") {
    outcome.kind = Kind::recorded;
  } else if (outcome.status == "duplicate") {
    outcome.kind = Kind::duplicate;
  } else if (outcome.status == "conflict") {
    outcome.kind = Kind::conflict;
  } else if (http >= 400 && http < 500 && http != 429) {
    outcome.kind = Kind::refused;
  }
  return outcome;
}

std::string outcome_words(std::size_t line, const Outcome& outcome, int descriptor) {
  std::string words = "line " + std::to_string(line) + ": ";
  if (outcome.kind == Kind::recorded) {
    return words + "recorded as seq " + std::to_string(outcome.seq);
  }
  if (outcome.kind == Kind::duplicate) {
    return words + coloured("duplicate", Colour::yellow, descriptor) + " of seq " +
           std::to_string(outcome.seq);
  }
  words += coloured(outcome.status, Colour::red, descriptor);
  if (!outcome.field.empty()) words += " at " + outcome.field;
  if (!outcome.message.empty()) words += ": " + outcome.message;
  if (!outcome.action.empty()) words += " " + outcome.action;
  return words;
}

void Tally::add(const Outcome& outcome) {
  ++total;
  switch (outcome.kind) {
    case Kind::recorded:
      ++recorded;
      break;
    case Kind::duplicate:
      ++duplicate;
      break;
    case Kind::conflict:
      ++conflict;
      break;
    case Kind::refused:
      ++refused;
      ++refused_by_status[outcome.status];
      break;
    case Kind::failed:
      ++failed;
      ++failed_by_status[outcome.status];
      break;
  }
}

double Tally::facts_per_second(double seconds) const {
  return static_cast<double>(total) / std::max(seconds, 0.001);
}

nlohmann::json tally_json(const Tally& tally, double seconds) {
  const auto rounded = [](double value) { return std::round(value * 1000) / 1000; };
  return {{"lines",
           {{"total", tally.total},
            {"recorded", tally.recorded},
            {"duplicate", tally.duplicate},
            {"conflict", tally.conflict},
            {"refused", tally.refused}}},
          {"refused_by_status", tally.refused_by_status},
          {"failed", tally.failed},
          {"seconds", rounded(seconds)},
          {"facts_per_second", rounded(tally.facts_per_second(seconds))}};
}

std::string tally_words(const Tally& tally, double seconds) {
  const auto line = [](const char* name, std::int64_t count, const std::string& more = {}) {
    return padded_right(name, 10) + padded_left(grouped(count), 12) + more + "\n";
  };
  return line("lines", tally.total) + line("recorded", tally.recorded) +
         line("duplicate", tally.duplicate) + line("conflict", tally.conflict) +
         line("refused", tally.refused, by_status(tally.refused_by_status)) +
         line("failed", tally.failed, by_status(tally.failed_by_status)) +
         line("facts/s", std::llround(tally.facts_per_second(seconds)),
              "   in " + duration_words(seconds));
}

}  // namespace z0::cli
