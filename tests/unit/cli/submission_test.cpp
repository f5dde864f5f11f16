#include "bindings/cli/sending/submission.hpp"

#include "bindings/cli/base/raw_json.hpp"
#include "unit/catch.hpp"

namespace z0::cli {

TEST_CASE("cli: a line becomes what is sent, byte for byte") {
  struct Row {
    const char* line;
    const char* payload;
    const char* entity_id;
    bool nameless;
    bool other_tenant;
  };
  const Row rows[] = {
      {R"({"tenant":"t","fact":{"id":"a","entity_id":"e"}})",
       R"({"tenant_id":"t","id":"a","entity_id":"e"})", "e", false, false},
      {R"( { "fact" : { "id" : "a" } , "tenant" : "t" } )", R"({"tenant_id":"t", "id" : "a" })", "",
       false, false},
      {R"({"tenant":"t","fact":{ }})", R"({"tenant_id":"t" })", "", true, false},
      {R"({"tenant":7,"fact":{"a":1.0e1}})", R"({"tenant_id":7,"a":1.0e1})", "", true, false},
      {R"({"tenant":"t","fact":{"tenant_id":"t"}})", R"({"tenant_id":"t"})", "", true, false},
      {R"({"tenant":"t","fact":{"tenant_id":"\u0074"}})", R"({"tenant_id":"\u0074"})", "", true,
       false},
      {R"({"tenant":"t","fact":{"tenant_id":"u"}})", R"({"tenant_id":"u"})", "", true, true},
      {R"({"tenant":"t","fact":[{"id":"a"}]})", R"([{"id":"a"}])", "", false, false},
      {R"({"tenant":"t","fact":null})", "null", "", false, false},
      {R"({"fact":{"id":"a"}})", R"({"id":"a"})", "", false, false},
      {R"({"tenant":"t"})", R"({"tenant":"t"})", "", true, false},
      {R"({"id":"a","entity_id":"x\"}{"})", R"({"id":"a","entity_id":"x\"}{"})", R"(x\"}{)", false,
       false},
      {R"({"data":{"id":"a","entity_id":"e"}})", R"({"data":{"id":"a","entity_id":"e"}})", "", true,
       false},
      {R"({"tenant":"t","fact":{"id":"a"})", R"({"tenant":"t","fact":{"id":"a"})", "", false,
       false},
      {R"({"tenant":"t","fact":{"id" "a"}})", R"({"id" "a"})", "", false, false},
      {"nonsense\r", "nonsense", "", false, false},
      {"{}", "{}", "", true, false},
      {"{\"a", "{\"a", "", false, false},
      {"{\"a\\", "{\"a\\", "", false, false},
  };
  for (const Row& row : rows) {
    INFO(row.line);
    const auto submission = read_submission(row.line, 7);
    REQUIRE(submission);
    CHECK(submission->line == 7);
    CHECK(submission->payload == row.payload);
    CHECK(submission->entity_id == row.entity_id);
    CHECK(submission->nameless == row.nameless);
    CHECK(submission->other_tenant == row.other_tenant);
  }
}

TEST_CASE("cli: a fact without an id is given one, and nothing else is touched") {
  struct Row {
    const char* line;
    const char* payload;
  };
  for (const Row& row :
       {Row{R"({"tenant":"t","fact":{"type":"deposit"}})",
            R"({"id":"fact_1","tenant_id":"t","type":"deposit"})"},
        Row{R"({ "type":"deposit"})", R"({"id":"fact_1", "type":"deposit"})"},
        Row{"{ }", R"({"id":"fact_1" })"}, Row{R"({"id":"a"})", R"({"id":"a"})"},
        Row{R"({"id":null})", R"({"id":null})"}, Row{R"([{"a":1}])", R"([{"a":1}])"},
        Row{R"({"a" 1})", R"({"a" 1})"}, Row{"nonsense", "nonsense"}}) {
    INFO(row.line);
    auto submission = read_submission(row.line, 1);
    REQUIRE(submission);
    give_id(*submission, "fact_1");
    CHECK(submission->payload == row.payload);
    give_id(*submission, "fact_2");
    CHECK(submission->payload == row.payload);
  }
}

TEST_CASE("cli: a blank line is no submission") {
  CHECK_FALSE(read_submission("", 1));
  CHECK_FALSE(read_submission(" \t\r", 1));
}

TEST_CASE("cli: a batch ends by count, by bytes, and before a giant") {
  const auto of = [](std::size_t bytes) {
    Submission submission;
    submission.payload = std::string(bytes, 'x');
    return submission;
  };
  Batcher batcher(3, 100);
  CHECK(batcher.add(of(10)).empty());
  CHECK(batcher.add(of(10)).empty());
  CHECK(batcher.add(of(10)).empty());
  CHECK(batcher.add(of(88)).size() == 3);
  CHECK(batcher.add(of(9)).empty());  // 89 + 10 is below 100
  CHECK(batcher.add(of(200)).size() == 2);
  CHECK(batcher.add(of(1)).size() == 1);  // the giant goes alone
  CHECK(batcher.take().size() == 1);
  CHECK(batcher.take().empty());
}

}  // namespace z0::cli
