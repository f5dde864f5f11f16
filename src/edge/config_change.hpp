// Between the steps of PUT /v1/configs/{id}: what is asked for, and how far it came.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "folds/config_data.hpp"
#include "http/http.hpp"
#include "z0/calls/alerts.hpp"

namespace z0 {

struct ConfigChange {
  enum class Stage : std::uint8_t { judge = 0, append = 1, distribute = 2 };
  Stage stage = Stage::judge;  // whose answers come next
  std::string tenant_id;
  std::string config_id;
  std::string data;            // the version's, minified
  std::int64_t expected = -1;  // the version that it is to follow; -1: any
  std::int64_t version = 0;
  std::int64_t effective_at = 0;
  bool written = false;  // else the version was there
  // What the config's own ledger was asked and answered, for the queue.
  std::string request;
  std::string reply;
  std::string action;  // what to do about a fault, where there is more to say than of its status

  void encode(ByteWriter& out) const;
  [[nodiscard]] bool decode(ByteReader& in);
  ConfigData content() const;
  // The version as a submission. timestamp: of its commit, for a copy.
  std::string submission(std::int64_t timestamp) const;
};

// The id of a config: of the form that a ledger's has, and short enough for the ids of its
// versions.
bool valid_config_id(std::string_view id);

// Reads the body and judges it by every rule that needs nobody else. Not `recorded`: what is wrong,
// and `field` names the member.
Status read_config_change(const Request& request, const Claims& claims, std::string_view config_id,
                          ConfigChange& out, std::string& field);

}  // namespace z0
