// What to do about a refusal: by status and field, where there is more to say than the status alone
// can know. Every answer that names a status asks here for its `action`.
#pragma once

#include <span>
#include <string_view>

#include "z0/base/status.hpp"

namespace z0 {

struct Remedy {
  Status status;
  std::string_view fields;  // names, each between commas; one that ends with * is a beginning
  std::string_view action;
};

// The whole table. Of two rows for a field the first one counts.
std::span<const Remedy> remedies();

// What to do about this status of this field of a fact or of the request.
std::string_view remedy(Status status, std::string_view field);
// The same for a config, whose fields stand in the table as `config.NAME`.
std::string_view config_remedy(Status status, std::string_view field);

// The name in place of a byte's number where a text begins with a byte order mark.
inline constexpr std::string_view byte_order_mark = "byte order mark";

}  // namespace z0
