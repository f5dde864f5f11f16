// What became of submissions: one outcome each, and the sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace z0::cli {

enum class Kind { recorded, duplicate, conflict, refused, failed };

struct Outcome {
  Kind kind = Kind::failed;
  std::string status;  // the server's name, or "network"
  std::int64_t seq = 0;
  std::string field;
  std::string message;
  std::string action;
};

// The outcome that an item of the server's answer tells. Anything without a known shape has failed.
Outcome outcome_of(const nlohmann::json& item, int http);

// "line 40: conflict at amount: This id was used for other content. Send a new id.", for people;
// coloured where that descriptor is a terminal.
std::string outcome_words(std::size_t line, const Outcome& outcome, int descriptor);

struct Tally {
  std::int64_t total = 0;
  std::int64_t recorded = 0;
  std::int64_t duplicate = 0;
  std::int64_t conflict = 0;
  std::int64_t refused = 0;
  std::int64_t failed = 0;
  std::map<std::string, std::int64_t> refused_by_status;
  std::map<std::string, std::int64_t> failed_by_status;

  void add(const Outcome& outcome);
  double facts_per_second(double seconds) const;
};

nlohmann::json tally_json(const Tally& tally, double seconds);
// A few lines for people, each ending with a line feed.
std::string tally_words(const Tally& tally, double seconds);

}  // namespace z0::cli
