// Any bytes as a submission, and any text as a fact's JSON: what is read is written as it was read,
// and is the same content as itself.
//
// The first byte says which: even an encoding, odd JSON.
#include "step_law.hpp"
#include "z0/base/limits.hpp"
#include "z0/facts/fact.hpp"

namespace {

using namespace z0;
using namespace z0::step_law;

constexpr std::string_view entity_id = "deal_1";

void check(const Fact& fact, std::string_view entity) {
  std::string_view field;
  if (!same_content(fact, fact, field)) broken("a fact is the same content as itself");
  Buffer room;
  append_submission(room, fact);
  const std::string_view encoded = room.view();
  Fact again;
  if (!parse_submission(encoded, entity, again)) broken("what was encoded can be read");
  if (!same_content(fact, again, field) || !same_content(again, fact, field))
    broken("encoding keeps the content");
  if (again.timestamp != fact.timestamp || again.id != fact.id || again.fields != fact.fields) {
    broken("encoding keeps the fields");
  }
  Buffer twice;
  append_submission(twice, again);
  if (twice.view() != encoded) broken("an encoding has one spelling");
  if (submission_id(encoded) != fact.id) broken("the id stands where it is looked for");

  Buffer record;
  append_record(record, 7, 1'774'915'200'000, encoded);
  ByteReader in(record.view());
  if (!next_record(in, entity, again) || !in.done()) broken("a record can be read");
  if (again.seq != 7 || again.recorded_at != 1'774'915'200'000 ||
      !same_content(fact, again, field)) {
    broken("a record keeps its fact");
  }
}

void read_text(std::string_view text) {
  JsonReader in(text, limits::json_depth_max);
  Scratch scratch;
  ReadFact read;
  read_fact(in, {"ten_amber", 1'774'915'200'000}, scratch, read);
  if (in.error() != JsonError::none || read.status != Status::recorded) return;
  check(read.fact, read.fact.entity_id);
  std::string json;
  append_fact_json(json, read.fact, read.tenant_id);
  if (!is_json(json)) broken("a fact is shown as JSON");
  if (read.fact.data.size() > limits::data_bytes_max) broken("data is limited");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  Fact fact;
  if (data[0] % 2 == 1)
    read_text(rest);
  else if (parse_submission(rest, entity_id, fact))
    check(fact, entity_id);
  return 0;
}
