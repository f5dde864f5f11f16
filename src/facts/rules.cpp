// What the type of a fact asks of it.
#include "z0/facts/fact.hpp"

namespace z0 {
namespace {

bool lifecycle_subtype(std::string_view s) {
  return s == "created" || s == "retiring" || s == "retired" || s == "config_updated";
}

}  // namespace

Status check_type_rules(const Fact& f, bool data_has_error, bool data_has_reason,
                        std::string_view& field) {
  Status status = Status::recorded;
  const auto require = [&](bool holds, Status otherwise, std::string_view name) {
    if (holds || (status != Status::recorded && status <= otherwise)) return;
    status = otherwise;
    field = name;
  };
  const bool money_in = f.type == FactType::deposit || f.type == FactType::credit_issued;
  const bool money_out =
      f.type == FactType::charge || f.type == FactType::cost || f.type == FactType::payout;
  require(!((money_in || money_out) && !f.has(field_amount)), Status::missing_member, "amount");
  if (f.has(field_amount)) {
    require(f.amount >= 0 || f.type == FactType::correction, Status::number_out_of_range, "amount");
    require(!money_in || f.amount > 0, Status::number_out_of_range, "amount");
  }
  const bool has_source = !f.source_id.empty();
  switch (f.type) {
    case FactType::invocation:
      require(!f.tool_id.empty(), Status::missing_member, "tool_id");
      require(!f.trace.empty(), Status::trace_required, "trace_id");
      break;
    case FactType::outcome:
      require(has_source, Status::missing_member, "source_id");
      require(!f.subtype.empty(), Status::missing_member, "subtype");
      break;
    case FactType::charge:
    case FactType::cost:
    case FactType::payout:
      require(has_source, Status::missing_member, "source_id");
      break;
    case FactType::lifecycle:
      require(!f.subtype.empty(), Status::missing_member, "subtype");
      require(lifecycle_subtype(f.subtype), Status::invalid_value, "subtype");
      require(f.subtype != "config_updated", Status::reserved_type, "subtype");
      break;
    case FactType::access_granted:
    case FactType::access_modified:
    case FactType::access_revoked:
    case FactType::contact_merged:
      require(!f.user_id.empty() || f.has(field_data), Status::missing_member, "user_id");
      break;
    case FactType::correction:
      require(has_source, Status::missing_member, "source_id");
      require(data_has_reason, Status::missing_member, "data.reason");
      break;
    case FactType::reconciliation:
    case FactType::alert:
      require(false, Status::reserved_type, "type");
      break;
    case FactType::deposit:
    case FactType::credit_issued:
    case FactType::custom:
    case FactType::count_:
      break;
  }
  require(!data_has_error || !f.trace.empty(), Status::trace_required, "trace_id");
  return status;
}

}  // namespace z0
