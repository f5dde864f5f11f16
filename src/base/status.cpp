#include "z0/base/status.hpp"

#include <array>
#include <cstddef>

#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"

namespace z0 {
namespace {

struct Row {
  Status status;
  StatusInfo info;
};

// The name in answers is the enumerator's spelling, so it is written once. Undefined below the
// table.
#define Z0_ROW(name, http, category, sentence, remedy)                  \
  Row {                                                                 \
    Status::name, { #name, http, Category::category, sentence, remedy } \
  }

// The sentences are read by whoever a pager woke up: what is wrong, then what to do, no internals.
// unauthorized, forbidden and not_found say the same whether or not the thing asked for exists.
constexpr std::array status_rows = {
    Z0_ROW(recorded, 201, accepted, "The fact is recorded.", "Nothing to do."),
    Z0_ROW(duplicate, 200, accepted,
           "This fact was recorded before; the answer is its original receipt and nothing was "
           "written again.",
           "Nothing to do; sending a fact again under its id is safe."),

    Z0_ROW(too_large, 413, malformed,
           "The request body is larger than 4 MiB; nothing was recorded.",
           "Split it into smaller requests, each at most 4 MiB and 1,000 facts."),
    Z0_ROW(unsupported_encoding, 415, malformed,
           "The content type or content encoding of the body is not supported.",
           "Send application/json or application/x-ndjson in UTF-8, as it is or compressed with "
           "gzip."),
    Z0_ROW(not_gzip, 400, malformed,
           "The body says content-encoding: gzip, but it is not one whole gzip file.",
           "Compress the body once with gzip, or send it as it is without content-encoding."),
    Z0_ROW(not_utf8, 400, malformed, "The text is not well-formed UTF-8.",
           "Encode it as UTF-8, without a byte order mark."),
    Z0_ROW(lone_surrogate, 400, malformed,
           "The text holds an escape such as \\ud83d, half of a surrogate pair without the other "
           "half; it stands for no character.",
           "Cut texts between characters, not inside of one, before they become JSON; or replace "
           "the half by \\ufffd."),
    Z0_ROW(not_json, 400, malformed, "The text is not valid JSON.",
           "Check it with a JSON parser: no comments, trailing commas, single quotes or NaN; "
           "NDJSON has one object a line and the content type application/x-ndjson."),
    Z0_ROW(too_deep, 400, malformed, "The JSON is nested too deeply.",
           "Keep `data` to at most 16 levels, its own object counted as the first."),
    Z0_ROW(too_many_facts, 413, malformed,
           "The request holds more than 1,000 facts; nothing was recorded.",
           "Split it into requests of at most 1,000 facts."),
    Z0_ROW(no_facts, 400, malformed, "The request holds no fact.",
           "Send one JSON object, a non-empty array of them, or one object a line as NDJSON."),
    Z0_ROW(unauthorized, 401, unauthorized, "The request carries no valid token.",
           "Send `Authorization: Bearer <token>` with a token that is complete and has not "
           "expired; if it looks right, have a new one issued."),
    Z0_ROW(
        scope_missing, 403, forbidden, "The token is valid but lacks the scope this request needs.",
        "Use a token with the right scope: facts:write to record, facts:read to read, "
        "telemetry:write to send telemetry, config:write to change configs, ops to acknowledge and "
        "to silence alerts, and (for all tenants) for the live view and for operating z0."),
    Z0_ROW(not_found, 404, malformed, "There is nothing at this address for this token.",
           "Check the path and the id in it for a typing error, and that the token is of the right "
           "tenant."),
    Z0_ROW(method_not_allowed, 405, malformed, "This address does not take this HTTP method.",
           "Use POST to record facts and GET to read."),
    Z0_ROW(bad_parameter, 400, malformed,
           "A parameter of the address, or a header, is unknown, given twice, without a value or "
           "not of the expected form.",
           "Correct the parameter that `field` names: times are milliseconds since 1970, not "
           "seconds, or RFC 3339; "
           "counts are whole numbers, a cursor is sent back as it was received."),
    Z0_ROW(no_log_key, 404, malformed, "This z0 has no key to sign its logs with.",
           "An operator sets Z0_LOG_KEYS: Ed25519 keys as PKCS #8 in base64, separated by commas, "
           "the current one first."),

    Z0_ROW(not_an_object, 400, malformed, "A fact must be a JSON object.",
           "Wrap its members in { and }; an array may hold objects only."),
    Z0_ROW(duplicate_key, 400, malformed,
           "An object has the same key twice, so its meaning is unclear.", "Keep one of the two."),
    Z0_ROW(unknown_member, 422, invalid, "There is no field of this name.",
           "Check the spelling; move anything of your own into `data`."),
    Z0_ROW(wrong_type, 422, invalid, "The field has a value of the wrong JSON type.",
           "Numbers go without quotes, whole, without fraction or exponent; ids are strings; "
           "`data` is an object."),
    Z0_ROW(
        number_out_of_range, 422, invalid, "The number is outside the range of its field.",
        "Amounts are whole minor units (cents) up to 2^53 - 1, negative only in a correction, "
        "above zero for a deposit or credit; timestamps are milliseconds since 1970, not seconds."),
    Z0_ROW(missing_member, 422, invalid, "A field that is required is missing.",
           "Add the field that `field` names."),
    Z0_ROW(invalid_id, 422, invalid, "The value is not a valid id.",
           "Use 1 to 128 characters, each a letter, a digit or one of _ . : -"),
    Z0_ROW(invalid_type, 422, invalid, "The value is not a valid name of a type.",
           "Use 1 to 64 lower-case letters, digits and underscores, beginning with a letter."),
    Z0_ROW(unknown_type, 422, invalid, "This type or subtype is not one of those allowed here.",
           "Check the spelling against the list of fact types and their subtypes."),
    Z0_ROW(invalid_value, 422, invalid, "The value is not one that the field can have.",
           "Check its form: a currency is a code of ISO 4217 in capital letters, and a budget "
           "keeps its first; a trace_id is 32 lower-case hexadecimal digits and not all zero, "
           "config_id and config_version come together."),
    Z0_ROW(unknown_ledger, 422, invalid, "The entity is not of a kind that has a ledger.",
           "Use an entity_id that begins with acct_, ast_, con_ or deal_ and goes on after that; "
           "campaigns, tools, vendors and users are named in fields of their own."),
    Z0_ROW(data_too_large, 413, invalid,
           "The fact's `data` is larger than 64 KiB as minified JSON.",
           "Keep large content elsewhere and put a reference to it into `data`."),

    Z0_ROW(tenant_mismatch, 403, forbidden,
           "The fact names a tenant that the token does not act for.",
           "Leave out tenant_id, or use a token of the tenant it names."),
    Z0_ROW(reserved_type, 403, forbidden, "Facts of this type are written by z0 itself.",
           "Record it under a type of your own; for a change of money use `correction`."),
    Z0_ROW(trace_required, 422, invalid, "This fact must say which trace it belongs to.",
           "Add trace_id: every invocation and every fact whose data has an `error` carries one."),
    Z0_ROW(trace_mismatch, 422, invalid,
           "The fields trace_id and data.trace_id name different traces.",
           "Send one of the two, or the same value in both."),
    Z0_ROW(relaxes_limit, 422, invalid,
           "A wider scope enforces a smaller limit in this currency and period; a narrower one may "
           "only tighten it.",
           "Set a limit that is not above the one of the config that `field` names, or raise that "
           "one first."),

    Z0_ROW(forbidden, 403, forbidden, "This token may not do that.",
           "Check the entity_id for a typing error and that the token is of the right tenant."),
    Z0_ROW(conflict, 409, conflict,
           "This id is already taken by a fact with other content; that one stands unchanged.",
           "If this is a new fact, give it a new id; if it corrects the recorded one, send a "
           "`correction`; if it is a retry, send exactly what was sent first. `field` names the "
           "first difference."),
    Z0_ROW(version_conflict, 409, conflict,
           "The config has another current version than this change was made for; nothing was "
           "changed.",
           "Read the current version, decide again, and send the change with its number as "
           "expected_version."),
    Z0_ROW(batch_refused, 422, invalid,
           "The batch was sent as atomic and another fact in it was refused, so this one was not "
           "recorded.",
           "Mend or remove the facts that carry another status, then send the whole batch again."),
    Z0_ROW(entity_inactive, 409, conflict,
           "The entity is retiring or retired, or the lifecycle step does not follow from where it "
           "stands.",
           "Send facts to an active entity. A retiring one takes lifecycle facts only, a retired "
           "one takes none."),
    Z0_ROW(unknown_source, 422, invalid,
           "The correction names a source that is no fact of this ledger.",
           "Send the id of the fact to be corrected as source_id, to the entity that holds it, and "
           "not before that fact."),
    Z0_ROW(source_mismatch, 422, invalid, "The correction does not fit the fact that it names.",
           "Send the currency of that fact; a fact without an amount is corrected without one."),
    Z0_ROW(over_corrected, 422, invalid,
           "All corrections of a fact together may not take it below zero.",
           "Correct it by what is left of it at most; it may have been corrected before."),
    Z0_ROW(amount_overflow, 422, invalid,
           "With this amount a sum of the ledger would leave what can be counted exactly.",
           "Check the amount: sums of a ledger stay within 2^53 - 1 minor units."),
    Z0_ROW(ledger_full, 422, invalid,
           "The ledger holds as many currencies, users or configs as one ledger can.",
           "Use another entity for the rest; a user that was revoked makes room."),
    Z0_ROW(budget_exhausted, 402, budget,
           "The budget does not cover this amount; the fact was not recorded and no money moved.",
           "Charge less, or raise the limit of the budget that `budget` names, then send the same "
           "fact again under the same id."),

    Z0_ROW(overloaded, 503, transient,
           "There was too much to do at once; the fact was not written.",
           "Wait for the seconds in Retry-After, then send it again under the id given here. If it "
           "lasts, send fewer requests with more facts in each."),
    Z0_ROW(timeout, 504, transient,
           "No answer came in time, so it is not known whether the fact was recorded.",
           "Wait for the seconds in Retry-After, then send it again under the id given here: it "
           "cannot be recorded twice."),
    Z0_ROW(storage_error, 503, transient, "The fact could not be stored.",
           "Wait for the seconds in Retry-After, then send it again under the id given here: it "
           "cannot be recorded twice."),
    Z0_ROW(not_distributed, 503, transient,
           "The version is recorded, but not every ledger that it concerns could be told.",
           "Wait for the seconds in Retry-After, then send the same config again: no new version "
           "is made, and the distribution is completed."),

    Z0_ROW(ok, 200, accepted, "What was asked for is in the answer.", "Nothing to do."),
};

#undef Z0_ROW

static_assert(status_rows.size() == static_cast<std::size_t>(Status::count_),
              "a row for each status");

// The sentences name these numbers.
static_assert(limits::body_bytes_max == 4u << 20 && limits::facts_per_request_max == 1'000);
static_assert(limits::data_bytes_max == 64u << 10 && limits::data_depth_max == 16);
static_assert(limits::id_bytes_max == 128 && limits::type_bytes_max == 64);
static_assert(limits::amount_max == (std::int64_t{1} << 53) - 1);

constexpr bool rows_stand_in_order() {
  for (std::size_t i = 0; i < status_rows.size(); ++i) {
    if (status_rows[i].status != static_cast<Status>(i)) return false;
  }
  return true;
}
static_assert(rows_stand_in_order(), "the table is indexed by Status");

}  // namespace

const StatusInfo& info(Status status) {
  const auto index = static_cast<std::size_t>(status);
  if (index >= status_rows.size()) trap("each status has a row");
  return status_rows[index].info;
}

}  // namespace z0
