#include "z0/facts/fact.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.hpp"
#include "unit/facts/fact_reading.hpp"
#include "z0/base/limits.hpp"

namespace {

using z0::Fact;
using z0::FactType;
using z0::Status;
using z0::test::encode;
using z0::test::fact;
using z0::test::now_ms;
using z0::test::Read;
using z0::test::read;

}  // namespace

TEST_CASE("Each type asks for what it needs", "[fact]") {
  struct Row {
    std::string_view type, members;
    Status status;
    std::string_view field;
  };
  const std::string_view tr = R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736")";
  const std::string with_trace = R"("tool_id":"t",)" + std::string(tr);
  const std::string error_with_trace = R"("data":{"error":{"code":1}},)" + std::string(tr);
  constexpr auto ok = Status::recorded;
  constexpr auto missing = Status::missing_member;
  constexpr auto range = Status::number_out_of_range;
  const Row rows[] = {
      {"invocation", with_trace, ok, ""},
      {"invocation", R"("tool_id":"t","data":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})", ok,
       ""},
      {"invocation", tr, missing, "tool_id"},
      {"invocation", R"("tool_id":"t")", Status::trace_required, "trace_id"},
      {"invocation", "", missing, "tool_id"},
      {"outcome", R"("source_id":"s","subtype":"sale")", ok, ""},
      {"outcome", R"("subtype":"sale")", missing, "source_id"},
      {"outcome", R"("source_id":"s")", missing, "subtype"},
      {"charge", R"("source_id":"s","amount":0)", ok, ""},
      {"charge", R"("source_id":"s","amount":9007199254740991)", ok, ""},
      {"charge", R"("source_id":"s","amount":9007199254740992)", range, "amount"},
      {"charge", R"("source_id":"s","amount":-1)", range, "amount"},
      {"charge", R"("source_id":"s")", missing, "amount"},
      {"charge", R"("amount":1)", missing, "source_id"},
      {"cost", R"("source_id":"s","amount":0)", ok, ""},
      {"cost", R"("source_id":"s","amount":-1)", range, "amount"},
      {"cost", R"("source_id":"s")", missing, "amount"},
      {"cost", R"("amount":0)", missing, "source_id"},
      {"payout", R"("source_id":"s","amount":0)", ok, ""},
      {"payout", R"("source_id":"s","amount":-1)", range, "amount"},
      {"payout", R"("amount":1)", missing, "source_id"},
      {"payout", R"("source_id":"s")", missing, "amount"},
      {"deposit", R"("amount":1)", ok, ""},
      {"deposit", R"("amount":0)", range, "amount"},
      {"deposit", R"("amount":-1)", range, "amount"},
      {"deposit", "", missing, "amount"},
      {"credit_issued", R"("amount":1)", ok, ""},
      {"credit_issued", R"("amount":0)", range, "amount"},
      {"credit_issued", "", missing, "amount"},
      {"lifecycle", R"("subtype":"created")", ok, ""},
      {"lifecycle", R"("subtype":"retiring")", ok, ""},
      {"lifecycle", R"("subtype":"retired")", ok, ""},
      {"lifecycle", R"("subtype":"config_updated")", Status::reserved_type, "subtype"},
      {"lifecycle", R"("subtype":"reborn")", Status::invalid_value, "subtype"},
      {"lifecycle", "", missing, "subtype"},
      {"reconciliation", R"("subtype":"mismatch_detected")", Status::reserved_type, "type"},
      {"alert", R"("subtype":"fired")", Status::reserved_type, "type"},
      {"access_granted", R"("user_id":"usr_1")", ok, ""},
      {"access_granted", R"("data":{"role":"buyer"})", ok, ""},
      {"access_granted", "", missing, "user_id"},
      {"access_granted", R"("data":{})", missing, "user_id"},
      {"access_modified", "", missing, "user_id"},
      {"access_modified", R"("user_id":"usr_1")", ok, ""},
      {"access_revoked", "", missing, "user_id"},
      {"access_revoked", R"("user_id":"usr_1")", ok, ""},
      {"contact_merged", "", missing, "user_id"},
      {"contact_merged", R"("data":{"into":"con_2"})", ok, ""},
      {"correction", R"("source_id":"s","data":{"reason":"typing error"})", ok, ""},
      {"correction", R"("source_id":"s","amount":-5,"data":{"reason":"r"})", ok, ""},
      {"correction", R"("source_id":"s","amount":-9007199254740991,"data":{"reason":"r"})", ok, ""},
      {"correction", R"("source_id":"s","amount":-9007199254740992,"data":{"reason":"r"})", range,
       "amount"},
      {"correction", R"("data":{"reason":"r"})", missing, "source_id"},
      {"correction", R"("source_id":"s")", missing, "data.reason"},
      {"correction", R"("source_id":"s","data":{"reason":5})", missing, "data.reason"},
      {"correction", R"("source_id":"s","data":{"why":{"reason":"r"}})", missing, "data.reason"},
      {"lead_scored", "", ok, ""},
      {"lead_scored", R"("amount":0)", ok, ""},
      {"lead_scored", R"("amount":-1)", range, "amount"},
      {"custom", "", ok, ""},
      // any type that tells of a failure
      {"lead_scored", R"("data":{"error":"late"})", Status::trace_required, "trace_id"},
      {"lead_scored", R"("data":{"error":{"code":1}})", Status::trace_required, "trace_id"},
      {"lead_scored", R"("data":{"error":null})", ok, ""},
      {"lead_scored", R"("data":{"x":{"error":"late"}})", ok, ""},
      {"lead_scored", R"("data":{"err\u006fr":"late"})", Status::trace_required, "trace_id"},
      {"lead_scored", error_with_trace, ok, ""},
      {"charge", R"("source_id":"s","amount":1,"data":{"error":"late"})", Status::trace_required,
       "trace_id"},
  };
  for (const auto& row : rows) {
    const std::string json = fact(row.type, row.members);
    const Read r = read(json);
    INFO(json);
    CHECK(z0::info(r.status).name == z0::info(row.status).name);
    CHECK(r.field == row.field);
  }
}

TEST_CASE("A fact's time is a moment from 2000 to a day from now", "[fact]") {
  const auto judged = [](const std::string& time) {
    const Read r = read(fact("note", "\"timestamp\":" + time));
    CHECK(r.field == (r.status == Status::recorded ? "" : "timestamp"));
    return r.status;
  };
  constexpr std::int64_t day_ms = 86'400'000;
  CHECK(judged(std::to_string(now_ms + day_ms)) == Status::recorded);
  CHECK(judged(std::to_string(now_ms + day_ms + 1)) == Status::number_out_of_range);
  CHECK(judged("\"2000-01-01T00:00:00Z\"") == Status::recorded);
  CHECK(judged("\"1999-12-31T23:59:59.999Z\"") == Status::number_out_of_range);
  // now_ms is 2023-11-14T22:13:20Z.
  CHECK(judged("\"2023-11-16T00:13:20+02:00\"") == Status::recorded);
  CHECK(judged("\"2023-11-16T00:13:20.001+02:00\"") == Status::number_out_of_range);
  CHECK(judged("\"2023-11-14T22:13:20\"") == Status::invalid_value);
  CHECK(judged("\"14.11.2023\"") == Status::invalid_value);
  // Seconds are not guessed at.
  CHECK(judged(std::to_string(now_ms / 1'000)) == Status::number_out_of_range);
  CHECK(judged("true") == Status::wrong_type);
}

TEST_CASE("A time is the same however it is written", "[fact]") {
  const std::string number = fact("note", "\"timestamp\":1700000000250");
  for (const char* text : {"2023-11-14T22:13:20.250Z", "2023-11-14t23:13:20.25+01:00",
                           "2023-11-14\\u005422:13:20.2509999z"}) {
    INFO(text);
    const Read r = read(fact("note", "\"timestamp\":\"" + std::string(text) + '"'));
    CHECK(r.status == Status::recorded);
    CHECK(r.submission == read(number).submission);
  }
}

TEST_CASE("Each field takes its own form and no other", "[fact]") {
  struct Row {
    std::string members;
    Status status;
    std::string_view field;
  };
  constexpr auto ok = Status::recorded;
  const std::string id128(128, 'i');
  const std::string id129(129, 'i');
  const std::string type64(64, 't');
  const std::string type65(65, 't');
  const auto quoted = [](std::string_view name, std::string_view value) {
    return '"' + std::string(name) + "\":\"" + std::string(value) + '"';
  };
  std::vector<Row> rows = {
      {R"("subtype":"a_b9")", ok, ""},
      {R"("subtype":"Sale")", Status::invalid_value, "subtype"},
      {R"("subtype":"")", Status::invalid_value, "subtype"},
      {quoted("subtype", type64), ok, ""},
      {quoted("subtype", type65), Status::invalid_value, "subtype"},
      {R"("timestamp":946684800000)", ok, ""},
      {R"("timestamp":946684799999)", Status::number_out_of_range, "timestamp"},
      {R"("timestamp":-1)", Status::number_out_of_range, "timestamp"},
      {R"("timestamp":"0")", Status::invalid_value, "timestamp"},
      {R"("timestamp":"")", Status::invalid_value, "timestamp"},
      {R"("timestamp":1e3)", Status::wrong_type, "timestamp"},
      {R"("timestamp":1.0)", Status::wrong_type, "timestamp"},
      {R"("timestamp":99999999999999999999)", Status::number_out_of_range, "timestamp"},
      {R"("timestamp":null)", Status::wrong_type, "timestamp"},
      {R"("tenant_id":"north")", ok, ""},
      {R"("tenant_id":"south")", Status::tenant_mismatch, "tenant_id"},
      {R"("tenant_id":"")", Status::invalid_value, "tenant_id"},
      {R"("config_id":"c","config_version":1)", ok, ""},
      {R"("config_id":"c","config_version":9007199254740991)", ok, ""},
      {R"("config_id":"c","config_version":9007199254740992)", Status::number_out_of_range,
       "config_version"},
      {R"("config_id":"c","config_version":0)", Status::number_out_of_range, "config_version"},
      {R"("config_id":"c")", Status::missing_member, "config_version"},
      {R"("config_version":1)", Status::missing_member, "config_id"},
      {R"("amount":1,"currency":"EUR")", ok, ""},
      {R"("amount":1,"currency":"EURO")", Status::invalid_value, "currency"},
      {R"("amount":1,"currency":"eur")", Status::invalid_value, "currency"},
      {R"("amount":1,"currency":978)", Status::wrong_type, "currency"},
      {R"("currency":"EUR")", Status::missing_member, "amount"},
      {R"("amount":1.5)", Status::wrong_type, "amount"},
      {R"("amount":"1")", Status::wrong_type, "amount"},
      {R"("amount":true)", Status::wrong_type, "amount"},
      {R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736")", ok, ""},
      {R"("trace_id":"4BF92F3577B34DA6A3CE929D0E0E4736")", Status::invalid_value, "trace_id"},
      {R"("trace_id":"00000000000000000000000000000000")", Status::invalid_value, "trace_id"},
      {R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e473")", Status::invalid_value, "trace_id"},
      {R"("trace_id":5)", Status::wrong_type, "trace_id"},
      {R"("data":{"trace_id":"4bf9"})", Status::invalid_value, "data.trace_id"},
      {R"("data":{"trace_id":null})", Status::invalid_value, "data.trace_id"},
      {R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","data":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})",
       ok, ""},
      {R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","data":{"trace_id":"aaf92f3577b34da6a3ce929d0e0e4736"})",
       Status::trace_mismatch, "data.trace_id"},
      {R"("data":{})", ok, ""},
      {R"("data":[])", Status::wrong_type, "data"},
      {R"("data":"{}")", Status::wrong_type, "data"},
      {R"("data":null)", Status::wrong_type, "data"},
      {R"("data":{"n":1e308})", ok, ""},
      {R"("data":{"n":1e309})", Status::number_out_of_range, "data"},
      {R"("colour":"red")", Status::unknown_member, "colour"},
      {R"("seq":1)", Status::unknown_member, "seq"},
      {R"("recorded_at":1)", Status::unknown_member, "recorded_at"},
      {R"("status":"recorded")", Status::unknown_member, "status"},
      {R"("user_id":"u","user_id":"u")", Status::duplicate_key, "user_id"},
      {R"("user_id":"u","user\u005fid":"u")", Status::duplicate_key, "user_id"},
      {R"("us\u0065r_id":"\u0075")", ok, ""},
  };
  for (const auto name : {"source_id", "asset_id", "campaign_id", "tool_id", "user_id"}) {
    rows.push_back({quoted(name, "aZ09_.:-"), ok, ""});
    rows.push_back({quoted(name, id128), ok, ""});
    rows.push_back({quoted(name, id129), Status::invalid_id, name});
    rows.push_back({quoted(name, "a b"), Status::invalid_id, name});
    rows.push_back({quoted(name, "\xc3\xb6"), Status::invalid_id, name});
    rows.push_back({quoted(name, ""), Status::invalid_value, name});
    rows.push_back({'"' + std::string(name) + "\":7", Status::wrong_type, name});
    rows.push_back({'"' + std::string(name) + "\":null", Status::wrong_type, name});
    rows.push_back({'"' + std::string(name) + "\":{\"x\":[1,{}]}", Status::wrong_type, name});
  }
  for (const auto& row : rows) {
    const std::string json = fact("note", row.members);
    const Read r = read(json);
    INFO(json);
    CHECK(z0::info(r.status).name == z0::info(row.status).name);
    CHECK(r.field == row.field);
  }
}

TEST_CASE("The identity of a fact is checked member by member", "[fact]") {
  struct Row {
    std::string json;
    Status status;
    std::string_view field;
  };
  const std::string id128(128, 'i');
  const std::string entity128 = "acct_" + std::string(123, 'e');
  const Row rows[] = {
      {R"({"type":"note","entity_id":"acct_1"})", Status::recorded, ""},
      {R"({"type":"note","entity_id":"ast_1"})", Status::recorded, ""},
      {R"({"type":"note","entity_id":"con_1"})", Status::recorded, ""},
      {R"({"type":"note","entity_id":"deal_1"})", Status::recorded, ""},
      {R"({"type":"note","entity_id":"cmp_1"})", Status::unknown_ledger, "entity_id"},
      {R"({"type":"note","entity_id":"acct_"})", Status::unknown_ledger, "entity_id"},
      {R"({"type":"note","entity_id":"cfg_b"})", Status::unknown_ledger, "entity_id"},
      {R"({"type":"note","entity_id":"acct_b","id":"cfg_b:1"})", Status::reserved_type, "id"},
      {R"({"type":"note","entity_id":"ACCT_1"})", Status::unknown_ledger, "entity_id"},
      {R"({"type":"note","entity_id":"acct 1"})", Status::invalid_id, "entity_id"},
      {R"({"type":"note","entity_id":1})", Status::wrong_type, "entity_id"},
      {R"({"type":"note"})", Status::missing_member, "entity_id"},
      {R"({"entity_id":"acct_1"})", Status::missing_member, "type"},
      {R"({})", Status::missing_member, "entity_id"},
      {R"({"type":"Note","entity_id":"acct_1"})", Status::invalid_type, "type"},
      {R"({"type":"9note","entity_id":"acct_1"})", Status::invalid_type, "type"},
      {R"({"type":"","entity_id":"acct_1"})", Status::invalid_value, "type"},
      {R"({"type":5,"entity_id":"acct_1"})", Status::wrong_type, "type"},
      {R"({"type":")" + std::string(64, 't') + R"(","entity_id":"acct_1"})", Status::recorded, ""},
      {R"({"type":")" + std::string(65, 't') + R"(","entity_id":"acct_1"})", Status::invalid_type,
       "type"},
      {R"({"type":"note","entity_id":"acct_1","id":")" + id128 + "\"}", Status::recorded, ""},
      {R"({"type":"note","entity_id":"acct_1","id":")" + id128 + "i\"}", Status::invalid_id, "id"},
      {R"({"type":"note","entity_id":")" + entity128 + "\"}", Status::recorded, ""},
      {R"({"type":"note","entity_id":")" + entity128 + "e\"}", Status::invalid_id, "entity_id"},
      {R"([])", Status::not_an_object, ""},
      {R"("charge")", Status::not_an_object, ""},
      {R"(null)", Status::not_an_object, ""},
      {R"(17)", Status::not_an_object, ""},
  };
  for (const auto& row : rows) {
    const Read r = read(row.json);
    INFO(row.json);
    CHECK(z0::info(r.status).name == z0::info(row.status).name);
    CHECK(r.field == row.field);
  }
}

TEST_CASE("Data is limited by its minified size and by its depth", "[fact]") {
  const auto of_size = [](std::size_t bytes) {
    return R"("data":{ "a" : ")" + std::string(bytes - 8, 'x') + "\" }";  // {"a":""} are 8
  };
  CHECK(read(fact("note", of_size(z0::limits::data_bytes_max))).status == Status::recorded);
  const Read large = read(fact("note", of_size(z0::limits::data_bytes_max + 1)));
  CHECK(large.status == Status::data_too_large);
  CHECK(large.field == "data");

  const auto nested = [](std::size_t depth) {
    std::string json;
    for (std::size_t i = 0; i < depth; ++i) json += "{\"a\":";
    return fact("note", "\"data\":" + json + "1" + std::string(depth, '}'));
  };
  CHECK(read(nested(z0::limits::data_depth_max)).status == Status::recorded);
  const std::string deep = nested(z0::limits::data_depth_max + 1);
  z0::JsonReader in(deep, z0::limits::json_depth_max);
  z0::Scratch scratch;
  z0::ReadFact ignored;
  z0::read_fact(in, {"north", now_ms}, scratch, ignored);
  CHECK(in.error() == z0::JsonError::depth);
}

// Everything that can be broken on its own, in order of precedence. `slot` is what a fault uses up,
// so that two of one slot are never combined.
TEST_CASE("Of two broken rules the one of higher precedence is reported, in either order",
          "[fact]") {
  struct Fault {
    Status status;
    std::string_view slot, members;
  };
  const std::string large =
      R"("data":{"a":")" + std::string(z0::limits::data_bytes_max, 'x') + "\"}";
  const Fault faults[] = {
      {Status::duplicate_key, "user", R"("user_id":"u","user_id":"u")"},
      {Status::unknown_member, "unknown", R"("colour":"red")"},
      {Status::wrong_type, "campaign", R"("campaign_id":7)"},
      {Status::number_out_of_range, "timestamp", R"("timestamp":-1)"},
      {Status::missing_member, "config", R"("config_id":"c")"},
      {Status::invalid_id, "asset", R"("asset_id":"a b")"},
      {Status::invalid_type, "type", R"("type":"Bad")"},
      {Status::invalid_value, "subtype", R"("subtype":"Bad")"},
      {Status::unknown_ledger, "entity", R"("entity_id":"cmp_1")"},
      {Status::data_too_large, "data", large},
      {Status::tenant_mismatch, "tenant", R"("tenant_id":"south")"},
      {Status::reserved_type, "type", R"("type":"alert")"},
      {Status::trace_required, "data", R"("data":{"error":"late"})"},
      {Status::trace_mismatch, "data",
       R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","data":{"trace_id":"aaf92f3577b34da6a3ce929d0e0e4736"})"},
  };
  int pairs = 0;
  for (const auto& a : faults) {
    for (const auto& b : faults) {
      if (a.slot == b.slot) continue;
      std::string json = R"({"id":"f_1",)" + std::string(a.members) + ',' + std::string(b.members);
      if (a.slot != "type" && b.slot != "type") json += R"(,"type":"note")";
      if (a.slot != "entity" && b.slot != "entity") json += R"(,"entity_id":"acct_1")";
      const Status expected = std::min(a.status, b.status);
      INFO(z0::info(a.status).name << " with " << z0::info(b.status).name);
      CHECK(z0::info(read(json + '}').status).name == z0::info(expected).name);
      ++pairs;
    }
  }
  CHECK(pairs > 150);
}

TEST_CASE("Of two equal refusals the first is reported", "[fact]") {
  CHECK(read(fact("note", R"("tool_id":1,"user_id":2)")).field == "tool_id");
  CHECK(read(fact("note", R"("user_id":2,"tool_id":1)")).field == "user_id");
}

TEST_CASE("The name of an unknown member is cut between characters", "[fact]") {
  // 128 bytes end in the middle of a two-byte character.
  std::string name = "x";
  while (name.size() < 200) name += "\xc3\xb6";
  const Read r = read(fact("note", '"' + name + "\":1"));
  CHECK(r.status == Status::unknown_member);
  CHECK(r.field.size() >= 126);
  CHECK(r.field.size() <= z0::limits::id_bytes_max);
  CHECK(z0::valid_utf8(r.field));
}

TEST_CASE("An operator's facts name their tenant", "[fact]") {
  CHECK(read(fact("note", R"("tenant_id":"south")"), "").status == Status::recorded);
  const Read r = read(fact("note", ""), "");
  CHECK(r.status == Status::missing_member);
  CHECK(r.field == "tenant_id");
}
