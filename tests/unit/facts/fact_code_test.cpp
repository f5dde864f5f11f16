// The encoding of facts, and when two of them are the same.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.hpp"
#include "unit/facts/fact_reading.hpp"
#include "z0/base/limits.hpp"
#include "z0/facts/fact.hpp"

namespace {

using z0::Fact;
using z0::FactType;
using z0::Status;
using z0::test::encode;
using z0::test::fact;
using z0::test::now_ms;
using z0::test::Read;
using z0::test::read;

constexpr std::string_view trace = "4bf92f3577b34da6a3ce929d0e0e4736";

Fact parse(const std::string& submission, std::string_view entity_id = "acct_1") {
  Fact f;
  REQUIRE(z0::parse_submission(submission, entity_id, f));
  return f;
}

std::string shown(const std::string& json) {
  const Read r = read(json);
  REQUIRE(r.status == Status::recorded);
  std::string out;
  z0::append_fact_json(out, parse(r.submission), "north");
  return out;
}

}  // namespace

TEST_CASE("A submission keeps every field through its encoding", "[fact]") {
  const std::string json = fact(
      "correction",
      R"("subtype":"refund","timestamp":1700000000001,"tenant_id":"north","source_id":"s","asset_id":"acct_1",)"
      R"("campaign_id":"cmp_1","tool_id":"tool_1","user_id":"usr_1","config_id":"cfg","config_version":7,)"
      R"("amount":-12,"currency":"EUR","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",)"
      R"("data":{ "reason" : "a\/b\u00e9" , "n" : [ 1.50 , null ] })");
  CHECK(
      shown(json) ==
      R"({"id":"f_1","type":"correction","subtype":"refund","timestamp":1700000000001,"tenant_id":"north",)"
      R"("entity_id":"acct_1","source_id":"s","asset_id":"acct_1","campaign_id":"cmp_1",)"
      R"("tool_id":"tool_1","user_id":"usr_1","config_id":"cfg","config_version":7,"amount":-12,)"
      R"("currency":"EUR","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","seq":0,"recorded_at":0,)"
      R"("status":"recorded","data":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","reason":"a/bé",)"
      R"("n":[1.50,null]}})");
  // The smallest: nothing optional, times and currency by default.
  CHECK(
      shown(fact("note", "")) ==
      R"({"id":"f_1","type":"note","timestamp":1700000000000,"tenant_id":"north","entity_id":"acct_1",)"
      R"("seq":0,"recorded_at":0,"status":"recorded","data":{}})");
  CHECK(shown(fact("note", R"("amount":0)")).find(R"("amount":0,"currency":"USD")") !=
        std::string::npos);
}

TEST_CASE("The trace shows in data wherever it was given", "[fact]") {
  const std::string id(trace);
  const std::string in_data = R"("data":{"x":1,"trace_id":")" + id + "\"}";
  const std::string on_top = R"("trace_id":")" + id + R"(","data":{"x":1})";
  CHECK(shown(fact("note", in_data)).find(R"("data":{"x":1,"trace_id":")" + id) !=
        std::string::npos);
  CHECK(shown(fact("note", on_top)).find(R"("data":{"trace_id":")" + id + R"(","x":1})") !=
        std::string::npos);
  CHECK(shown(fact("note", R"("trace_id":")" + id + '"'))
            .find(R"("data":{"trace_id":")" + id + "\"}") != std::string::npos);
}

TEST_CASE("Cut or foreign bytes are no submission and no record", "[fact]") {
  const std::string submission =
      read(fact("charge", R"("source_id":"s","amount":5,"data":{"a":1})")).submission;
  Fact f;
  for (std::size_t n = 0; n < submission.size(); ++n) {
    CHECK_FALSE(z0::parse_submission(submission.substr(0, n), "acct_1", f));
  }
  CHECK_FALSE(z0::parse_submission(submission + 'x', "acct_1", f));
  std::string foreign = submission;
  foreign[0] = static_cast<char>(FactType::count_);
  CHECK_FALSE(z0::parse_submission(foreign, "acct_1", f));

  z0::Buffer bytes;
  z0::append_record(bytes, 300, now_ms, submission);
  const std::string record(bytes.view());
  z0::ByteReader whole(record);
  REQUIRE(z0::next_record(whole, "acct_1", f));
  CHECK(f.seq == 300);
  CHECK(f.recorded_at == now_ms);
  CHECK(whole.done());
  CHECK_FALSE(z0::next_record(whole, "acct_1", f));
  for (std::size_t n = 0; n < record.size(); ++n) {
    const std::string cut = record.substr(0, n);
    z0::ByteReader in(cut);
    CHECK_FALSE(z0::next_record(in, "acct_1", f));
  }
}

TEST_CASE("The same content in another spelling is the same", "[fact]") {
  struct Row {
    std::string a, b;
    std::string_view field;  // of the first difference; empty when there is none
  };
  const std::string tr = R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736")";
  const std::string other_trace = R"("trace_id":"aaf92f3577b34da6a3ce929d0e0e4736")";
  const Row rows[] = {
      {R"("data":{"a":1,"b":{"c":2,"d":3}})", R"("data":{ "b" : {"d":3,"c":2}, "a":1 })", ""},
      {R"("data":{"a":"\u0041\/"})", R"("data":{"\u0061":"A/"})", ""},
      {R"("data":{})", "", ""},
      {R"("amount":5)", R"("currency":"USD","amount":5)", ""},
      {tr, R"("data":{)" + tr + "}", ""},
      {tr + R"(,"data":{"x":1})", R"("data":{"x":1,)" + tr + "}", ""},
      {tr + R"(,"data":{"x":1})", tr + R"(,"data":{"x":1,)" + tr + "}", ""},
      {R"("tool_id":"\u0074")", R"("tool_id":"t")", ""},
      {R"("asset_id":"acct_1")", R"("asset_id":"acct\u005f1")", ""},
      {"", "", ""},
      {R"("data":{"a":1})", R"("data":{"a":1.0})", "data"},
      {R"("data":{"a":[1,2]})", R"("data":{"a":[2,1]})", "data"},
      {R"("data":{"a":1})", "", "data"},
      {R"("subtype":"a")", R"("subtype":"b")", "subtype"},
      {R"("timestamp":1700000000001)", R"("timestamp":1700000000002)", "timestamp"},
      {R"("timestamp":1700000000001)", "", "timestamp"},
      {R"("source_id":"a")", R"("source_id":"b")", "source_id"},
      {R"("asset_id":"a")", R"("asset_id":"acct_1")", "asset_id"},
      {R"("campaign_id":"a")", "", "campaign_id"},
      {R"("tool_id":"a")", R"("tool_id":"b")", "tool_id"},
      {"", R"("user_id":"b")", "user_id"},
      {R"("config_id":"a","config_version":1)", R"("config_id":"b","config_version":1)",
       "config_id"},
      {R"("config_id":"a","config_version":1)", R"("config_id":"a","config_version":2)",
       "config_version"},
      {R"("amount":0)", "", "amount"},
      {R"("amount":1)", R"("amount":2)", "amount"},
      {R"("amount":1)", R"("amount":1,"currency":"EUR")", "currency"},
      {tr, other_trace, "trace_id"},
      {tr, "", "trace_id"},
      // the first of several, in the order of the table and not of the members
      {R"("data":{"a":1},"amount":1,"tool_id":"a")", R"("data":{"a":2},"amount":2,"tool_id":"b")",
       "tool_id"},
      {R"("amount":1)", R"("amount":2,"timestamp":1700000000006)", "timestamp"},
  };
  for (const auto& row : rows) {
    const std::string a = read(fact("note", row.a)).submission;
    const std::string b = read(fact("note", row.b)).submission;
    INFO(row.a << " and " << row.b);
    for (const bool swapped : {false, true}) {
      std::string_view field;
      const bool same = swapped ? z0::same_content(parse(b), parse(a), field)
                                : z0::same_content(parse(a), parse(b), field);
      CHECK(same == row.field.empty());
      CHECK(field == row.field);
    }
  }
  std::string_view field;
  CHECK_FALSE(z0::same_content(parse(read(fact("note", "")).submission),
                               parse(read(fact("memo", "")).submission), field));
  CHECK(field == "type");
}

TEST_CASE("A default timestamp is not part of the content", "[fact]") {
  z0::Scratch scratch;
  const std::string json = fact("note", "");
  std::string early;
  std::string late;
  for (const std::int64_t now : {now_ms, now_ms + 60'000}) {
    z0::JsonReader in(json, z0::limits::json_depth_max);
    z0::ReadFact r;
    z0::read_fact(in, {"north", now}, scratch, r);
    (now == now_ms ? early : late) = encode(r.fact);
  }
  CHECK(early != late);
  std::string_view field;
  CHECK(z0::same_content(parse(early), parse(late), field));
}

TEST_CASE("Each known type has a bit of its own and custom types share the others", "[fact]") {
  std::uint32_t all = 0;
  for (int i = 1; i < static_cast<int>(FactType::count_); ++i) {
    const auto type = static_cast<FactType>(i);
    CHECK(z0::type_of(z0::type_name(type)) == type);
    const auto bit = z0::type_bit(type, {});
    CHECK((all & bit) == 0);
    all |= bit;
  }
  CHECK(z0::type_of("custom") == FactType::custom);
  CHECK(z0::type_of("lead_scored") == FactType::custom);
  for (const auto name : {"a", "b", "lead_scored", "custom"}) {
    const auto bit = z0::type_bit(FactType::custom, name);
    CHECK(bit != 0);
    CHECK((bit & all) == 0);
    CHECK((bit & (bit - 1)) == 0);
  }
}
