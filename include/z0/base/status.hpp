// What a submission can get: every status with its name, HTTP code, sentence and remedy.
//
// Statuses are in order of precedence: where several apply, the one that stands first is reported.
// The names are stable; programs switch on them.
#pragma once

#include <cstdint>
#include <string_view>

namespace z0 {

enum class Status : std::uint8_t {
  recorded,
  duplicate,
  // the request as a whole
  too_large,
  unsupported_encoding,
  not_gzip,
  not_utf8,
  lone_surrogate,
  not_json,
  too_deep,
  too_many_facts,
  no_facts,
  unauthorized,
  scope_missing,
  not_found,
  method_not_allowed,
  bad_parameter,
  no_log_key,
  // one fact: its shape
  not_an_object,
  duplicate_key,
  unknown_member,
  wrong_type,
  number_out_of_range,
  missing_member,
  invalid_id,
  invalid_type,
  unknown_type,
  invalid_value,
  unknown_ledger,
  data_too_large,
  // one fact: its rules
  tenant_mismatch,
  reserved_type,
  trace_required,
  trace_mismatch,
  relaxes_limit,
  // the ledger's answer
  forbidden,
  conflict,
  version_conflict,
  batch_refused,
  entity_inactive,
  unknown_source,
  source_mismatch,
  over_corrected,
  amount_overflow,
  ledger_full,
  budget_exhausted,
  // the platform's
  overloaded,
  timeout,
  storage_error,
  not_distributed,
  // no submission's: what was asked for, and not recorded, is there
  ok,
  count_,
};

enum class Category : std::uint8_t {
  accepted,
  malformed,
  invalid,
  unauthorized,
  forbidden,
  conflict,
  budget,
  transient
};

struct StatusInfo {
  std::string_view name;  // in answers, metrics and tables
  std::uint16_t http;
  Category category;
  std::string_view sentence;  // what is wrong, in words that need no context but `field`
  std::string_view remedy;    // what to do
};

// Total: every Status below count_ has an entry.
const StatusInfo& info(Status status);

// Whether the same request may succeed later without a change.
inline bool transient(Status s) { return info(s).category == Category::transient; }
inline bool accepted(Status s) { return info(s).category == Category::accepted; }
// Whether the append was tried and failed: then an attempt record is due.
inline bool leaves_attempt(Status s) { return transient(s) || s == Status::budget_exhausted; }

}  // namespace z0
