// The fact: its types, its encoding, and how it is read from JSON and written to it.
//
// A fact has two encoded forms. A *submission* is what the caller gave, checked and packed: it is
// what the edge hands to a ledger, and what two submissions of one id are compared by. A *record*
// is a submission with the ledger's sequence number and commit time in front; its bytes never
// change again, from the segment through the queue message to the consumer.
//
//   record      varint size, then: varint seq, varint recorded_at, submission
//   submission  u8 type (0 custom), varint field bits, varint timestamp, id, then in the order of
//               Field each field whose bit is set. Strings are varint length and bytes; amount is a
//               signed varint; currency 3 bytes; trace 16 bytes; data minified JSON. Of a correction
//               of money what it corrects: name of the type, then varint seq, recorded_at and what
//               the correction leaves of it.
//
// Not in the encoding: the ledger's entity and its tenant, which are the same for all of its facts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "z0/base/bytes.hpp"
#include "z0/base/status.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"

namespace z0 {

// The numbers are part of the encoding: never reuse one.
enum class FactType : std::uint8_t {
  custom = 0,
  invocation = 1,
  outcome = 2,
  charge = 3,
  cost = 4,
  payout = 5,
  deposit = 6,
  credit_issued = 7,
  lifecycle = 8,
  reconciliation = 9,
  access_granted = 10,
  access_modified = 11,
  access_revoked = 12,
  contact_merged = 13,
  correction = 14,
  alert = 15,
  count_ = 16,
};

// The name, or "custom".
std::string_view type_name(FactType type);
FactType type_of(std::string_view name);

// A bit for each known type and 15 hashed ones for custom types: which types a segment holds. A set
// bit may be wrong for a custom type, a clear one never is.
std::uint32_t type_bit(FactType type, std::string_view custom_name);

// Bits of a submission; the order is the order of the fields.
enum Field : std::uint32_t {
  field_custom_type = 1u << 0,
  field_subtype = 1u << 1,
  field_source_id = 1u << 2,
  field_asset_id = 1u << 3,
  field_asset_is_entity = 1u << 4,  // asset_id equals the entity; no bytes
  field_campaign_id = 1u << 5,
  field_tool_id = 1u << 6,
  field_user_id = 1u << 7,
  field_config = 1u << 8,  // id, then varint version
  field_amount = 1u << 9,
  field_currency = 1u << 10,  // other than USD
  field_trace = 1u << 11,
  field_data = 1u << 12,
  field_trace_in_data = 1u << 13,        // the data's text holds trace_id itself; no bytes
  field_timestamp_defaulted = 1u << 14,  // the caller gave none; no bytes
  field_config_stamped = 1u << 15,       // the ledger named the config; no bytes
  field_corrects = 1u << 16,             // the ledger says what is corrected
};

inline constexpr std::string_view default_currency = "USD";

// A fact, borrowed: views point into the encoding, the JSON text, or a Scratch.
struct Fact {
  FactType type = FactType::custom;
  std::uint32_t fields = 0;
  std::string_view custom_type;
  std::string_view id;
  std::string_view subtype;
  std::string_view entity_id;  // from the context, not the encoding
  std::string_view source_id;
  std::string_view asset_id;
  std::string_view campaign_id;
  std::string_view tool_id;
  std::string_view user_id;
  std::string_view config_id;
  std::int64_t config_version = 0;
  std::int64_t timestamp = 0;
  std::int64_t amount = 0;
  std::string_view currency;  // empty when the fact has no amount
  std::string_view trace;     // 16 bytes, or empty
  std::string_view data;      // minified JSON object, or empty
  // Of a correction of money, set by the ledger: the fact that it corrects, in the end, by its
  // type's name, number and commit time, and what the correction leaves of its amount.
  std::string_view corrects;
  std::int64_t corrects_seq = 0;
  std::int64_t corrects_at = 0;
  std::int64_t corrects_left = 0;
  // set by the ledger; 0 in a submission
  std::int64_t seq = 0;
  std::int64_t recorded_at = 0;

  bool has(Field f) const { return (fields & f) != 0; }
  std::string_view name() const { return type == FactType::custom ? custom_type : type_name(type); }
};

// -- encoding -----------------------------------------------------------------------------------

void append_submission(Buffer& out, const Fact& fact);
// False for bytes that are no submission. `entity_id` is the ledger's.
[[nodiscard]] bool parse_submission(std::string_view bytes, std::string_view entity_id, Fact& out);

// A record with its leading size, at most record_bytes_max(submission.size()).
void append_record(Buffer& out, std::int64_t seq, std::int64_t recorded_at,
                   std::string_view submission);
constexpr std::size_t record_bytes_max(std::size_t submission_bytes) {
  return submission_bytes + 3 * put::varint_bytes_max;
}
// The next record of `in`, without its size; false at the end and for bytes that are no record.
[[nodiscard]] bool next_record(ByteReader& in, std::string_view entity_id, Fact& out);
// As next_record, but only the numbers, and the bytes of the submission and of the whole record.
struct RecordBytes {
  std::int64_t seq = 0;
  std::int64_t recorded_at = 0;
  std::string_view submission;
  std::string_view leaf;  // what the Merkle tree hashes: all but the size
  std::string_view whole;
};
[[nodiscard]] bool next_record_bytes(ByteReader& in, RecordBytes& out);

// Whether the ledger changed the submission: it says more than the caller did.
inline bool stamped(const Fact& fact) {
  return (fact.fields & (field_config_stamped | field_corrects)) != 0;
}

// Whether a fact is a correction of money of this type.
inline bool corrects(const Fact& fact, FactType type) {
  return fact.has(field_corrects) && type_of(fact.corrects) == type;
}

// The id alone, for the duplicate check; empty for bytes that are no submission.
std::string_view submission_id(std::string_view submission);

// Whether two submissions of one id are the same content: all that the caller gave, data by value
// (members in any order, numbers as written), the trace wherever it was given, USD given or not.
// When not, `field` names the first field that differs, in the order that a fact is told in.
bool same_content(const Fact& a, const Fact& b, std::string_view& field);
// For two facts that differ in `data`: the member that does, as "data.a.b[2]".
std::string data_difference(const Fact& a, const Fact& b);

// -- JSON ---------------------------------------------------------------------------------------

// Text of one fact that could not be borrowed: strings with escapes, minified data, the trace as
// bytes.
struct Scratch {
  std::string strings[16];
  std::size_t used = 0;
  std::string data;
  std::string trace;
  std::string field;  // the name of an offending member
  void clear() {
    used = 0;
    data.clear();
    trace.clear();
  }
};

// Who submits, and the defaults.
struct Submitter {
  std::string_view tenant_id;  // empty: any tenant, and each fact names its own
  std::int64_t now_ms = 0;
};

struct ReadFact {
  Status status = Status::recorded;  // recorded: nothing is wrong so far
  std::string_view field;            // the member at fault; valid until the Scratch is used again
  std::string_view tenant_id;
  Fact fact;
};

// Reads the next value of `in` as one fact and judges it by every rule that needs no ledger. The
// whole value is consumed unless the reader itself fails (in.error()): then the text is not JSON as
// z0 takes it and nothing can be said of what follows. A fact without id keeps `fact.id` empty: the
// caller makes one. Where several rules are broken, the status of highest precedence is reported.
void read_fact(JsonReader& in, const Submitter& who, Scratch& scratch, ReadFact& out);

// The rules by type alone, for a fact whose fields are each valid. `field` names the member at fault.
Status check_type_rules(const Fact& fact, bool data_has_error, bool data_has_reason,
                        std::string_view& field);

// A stored fact as JSON. data shows trace_id, whichever way it was given.
void append_fact_json(std::string& out, const Fact& fact, std::string_view tenant_id);
// Its members alone, for an object that holds more.
void write_fact(JsonWriter& json, const Fact& fact, std::string_view tenant_id);
// data as it is stored in D1 and shown: "{}" when absent, with trace_id inside when there is a
// trace.
void append_data_json(std::string& out, const Fact& fact);

}  // namespace z0
