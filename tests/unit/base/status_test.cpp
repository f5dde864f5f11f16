#include "z0/base/status.hpp"

#include <cctype>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "unit/catch.hpp"
#include "z0/base/remedies.hpp"

namespace {

using z0::Category;
using z0::Status;

constexpr int count = static_cast<int>(Status::count_);

// The contract with every client: programs switch on these names and codes, in this order.
struct Row {
  Status status;
  std::string_view name;
  int http;
  Category category;
};

const Row rows[] = {
    {Status::recorded, "recorded", 201, Category::accepted},
    {Status::duplicate, "duplicate", 200, Category::accepted},
    {Status::too_large, "too_large", 413, Category::malformed},
    {Status::unsupported_encoding, "unsupported_encoding", 415, Category::malformed},
    {Status::not_gzip, "not_gzip", 400, Category::malformed},
    {Status::not_utf8, "not_utf8", 400, Category::malformed},
    {Status::lone_surrogate, "lone_surrogate", 400, Category::malformed},
    {Status::not_json, "not_json", 400, Category::malformed},
    {Status::too_deep, "too_deep", 400, Category::malformed},
    {Status::too_many_facts, "too_many_facts", 413, Category::malformed},
    {Status::no_facts, "no_facts", 400, Category::malformed},
    {Status::unauthorized, "unauthorized", 401, Category::unauthorized},
    {Status::scope_missing, "scope_missing", 403, Category::forbidden},
    {Status::not_found, "not_found", 404, Category::malformed},
    {Status::method_not_allowed, "method_not_allowed", 405, Category::malformed},
    {Status::bad_parameter, "bad_parameter", 400, Category::malformed},
    {Status::no_log_key, "no_log_key", 404, Category::malformed},
    {Status::not_an_object, "not_an_object", 400, Category::malformed},
    {Status::duplicate_key, "duplicate_key", 400, Category::malformed},
    {Status::unknown_member, "unknown_member", 422, Category::invalid},
    {Status::wrong_type, "wrong_type", 422, Category::invalid},
    {Status::number_out_of_range, "number_out_of_range", 422, Category::invalid},
    {Status::missing_member, "missing_member", 422, Category::invalid},
    {Status::invalid_id, "invalid_id", 422, Category::invalid},
    {Status::invalid_type, "invalid_type", 422, Category::invalid},
    {Status::unknown_type, "unknown_type", 422, Category::invalid},
    {Status::invalid_value, "invalid_value", 422, Category::invalid},
    {Status::unknown_ledger, "unknown_ledger", 422, Category::invalid},
    {Status::data_too_large, "data_too_large", 413, Category::invalid},
    {Status::tenant_mismatch, "tenant_mismatch", 403, Category::forbidden},
    {Status::reserved_type, "reserved_type", 403, Category::forbidden},
    {Status::trace_required, "trace_required", 422, Category::invalid},
    {Status::trace_mismatch, "trace_mismatch", 422, Category::invalid},
    {Status::relaxes_limit, "relaxes_limit", 422, Category::invalid},
    {Status::forbidden, "forbidden", 403, Category::forbidden},
    {Status::conflict, "conflict", 409, Category::conflict},
    {Status::version_conflict, "version_conflict", 409, Category::conflict},
    {Status::batch_refused, "batch_refused", 422, Category::invalid},
    {Status::entity_inactive, "entity_inactive", 409, Category::conflict},
    {Status::unknown_source, "unknown_source", 422, Category::invalid},
    {Status::source_mismatch, "source_mismatch", 422, Category::invalid},
    {Status::over_corrected, "over_corrected", 422, Category::invalid},
    {Status::amount_overflow, "amount_overflow", 422, Category::invalid},
    {Status::ledger_full, "ledger_full", 422, Category::invalid},
    {Status::budget_exhausted, "budget_exhausted", 402, Category::budget},
    {Status::overloaded, "overloaded", 503, Category::transient},
    {Status::timeout, "timeout", 504, Category::transient},
    {Status::storage_error, "storage_error", 503, Category::transient},
    {Status::not_distributed, "not_distributed", 503, Category::transient},
    {Status::ok, "ok", 200, Category::accepted},
};

constexpr const char* internals[] = {"Durable", "SQL",     "D1",        "queue",  "WASM",
                                     "shard",   "segment", "signature", "secret", "exception"};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("Each status keeps its name, its HTTP code and its category", "[status]") {
  REQUIRE(std::size(rows) == static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const Row& row = rows[i];
    INFO(row.name);
    CHECK(static_cast<int>(row.status) == i);
    CHECK(z0::info(row.status).name == row.name);
    CHECK(z0::info(row.status).http == row.http);
    CHECK(z0::info(row.status).category == row.category);
  }
}

TEST_CASE("Each status says what is wrong and what to do, in sentences", "[status]") {
  std::set<std::string_view> sentences;
  for (int i = 0; i < count; ++i) {
    const z0::StatusInfo& info = z0::info(static_cast<Status>(i));
    INFO(info.name);
    for (const std::string_view text : {info.sentence, info.remedy}) {
      REQUIRE(text.size() >= 10);
      CHECK(std::isupper(static_cast<unsigned char>(text.front())));
      CHECK((text.back() == '.' || contains(text, "one of _ . : -")));
      CHECK_FALSE(contains(text, "  "));
      for (const char c : text) CHECK((c >= ' ' && c <= '~'));
    }
    CHECK(sentences.insert(info.sentence).second);
  }
}

TEST_CASE("No sentence shows how z0 is built", "[status]") {
  for (int i = 0; i < count; ++i) {
    const z0::StatusInfo& info = z0::info(static_cast<Status>(i));
    INFO(info.name);
    std::string text(info.sentence);
    text.append(" ").append(info.remedy);
    for (const char* internal : internals) CHECK_FALSE(contains(text, internal));
  }
}

TEST_CASE("Each remedy of a field is a whole sentence without internals", "[status]") {
  for (const z0::Remedy& row : z0::remedies()) {
    const std::string_view text = row.action;
    INFO(row.fields);
    CHECK(text.size() > 20);
    CHECK((text.back() == '.' || contains(text, "and _ . : -")));
    CHECK_FALSE(contains(text, "  "));
    CHECK(row.fields.front() == ',');
    CHECK(row.fields.back() == ',');
    CHECK(text != z0::info(row.status).remedy);
    for (const char* internal : internals) CHECK_FALSE(contains(text, internal));
  }
}

// What a stranger may not see is answered alike whether or not it is there.
TEST_CASE("Refusals do not tell what exists", "[status]") {
  for (const Status status : {Status::unauthorized, Status::forbidden, Status::not_found}) {
    const z0::StatusInfo& info = z0::info(status);
    INFO(info.name);
    std::string text(info.sentence);
    text.append(" ").append(info.remedy);
    for (const char* hint :
         {"exist", "other tenant", "another tenant", "belongs", "owner", "owned"}) {
      CHECK_FALSE(contains(text, hint));
    }
  }
}

TEST_CASE("Only the platform's statuses are worth a retry, and they say so", "[status]") {
  for (int i = 0; i < count; ++i) {
    const auto status = static_cast<Status>(i);
    INFO(z0::info(status).name);
    if (status == Status::ok) continue;  // no submission's
    CHECK(z0::transient(status) == (status >= Status::overloaded));
    CHECK(z0::accepted(status) == (status <= Status::duplicate));
    CHECK(z0::leaves_attempt(status) == (status >= Status::budget_exhausted));
    CHECK(z0::transient(status) == contains(z0::info(status).remedy, "Retry-After"));
    CHECK(z0::accepted(status) == (z0::info(status).http < 300));
    if (z0::transient(status)) CHECK(z0::info(status).http >= 500);
    if (!z0::transient(status)) CHECK(z0::info(status).http < 500);
  }
}
