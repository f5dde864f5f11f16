// Refusals in a batch: how far an array is judged item by item, and how each refusal names its place.
#include <string>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"

namespace {

using z0::test::deposit;
using z0::test::deposits;
using z0::test::list;
using z0::test::Reply;
using z0::test::TestWorld;

constexpr const char* atomic_url = "/v1/facts?atomic=true";

std::int64_t seq_of(TestWorld& w, const char* entity_id) {
  const Reply r = w.get(std::string("/v1/entities/") + entity_id);
  return r.status == 200 ? r.json.at("seq").get<std::int64_t>() : 0;
}

}  // namespace

TEST_CASE("An array is judged item by item as far as its text can be read", "[edge]") {
  const auto with_data = [](std::string_view data) {
    return R"({"id":"f_x","type":"note","entity_id":"acct_b","data":)" + std::string(data) + '}';
  };
  std::string members = "{\"a\":1";
  for (int i = 0; i < 1'100; ++i) members += ",\"m" + std::to_string(i) + "\":[]";
  struct Row {
    std::string item;
    const char* status;
  };
  const Row rows[] = {
      {with_data(R"({"a":1,"a":2})"), "duplicate_key"},
      {with_data(R"({"a":1,"a":"]}\"\\"})"), "duplicate_key"},
      {with_data(R"({"a":)" + std::string(16, '[') + std::string(16, ']') + '}'), "too_deep"},
      {with_data(R"({"a":)" + std::string(300'000, '[') + std::string(300'000, ']') + '}'),
       "too_deep"},
      {with_data(R"({"title":"cut \ud83d"})"), "lone_surrogate"},
      {with_data(R"({"title":"cut \ude00\ud83d","b":[{},"x"]})"), "lone_surrogate"},
      {with_data("{\"title\":\"\xe2\x28\xa1\"}"), "not_utf8"},
      {with_data("{\"title\":\"\xff\"}"), "not_utf8"},
      {with_data(members + '}'), "data_too_large"},
      {R"({"data":{"a":1,"a":2},"entity_id":"acct_b","id":"f_x","type":"note"})", "duplicate_key"},
  };
  for (const auto& row : rows) {
    TestWorld w;
    INFO(row.item.substr(0, 100));
    const Reply r = w.post(list({deposit("f_1"), row.item, deposit("f_2")}));
    REQUIRE(r.status == 207);
    CHECK(r.statuses() == std::string("recorded ") + row.status + " recorded");
    CHECK(r.item(1).at("index") == 1);
    CHECK(r.item(1).at("id") == "f_x");
    CHECK(r.item(1).at("entity_id") == "acct_b");
    CHECK(r.text("trace_id") == r.item(1).at("trace_id"));
    // The place counts from the body's first byte, as that of NDJSON from its line's.
    const std::string field = r.item(1).at("field");
    CHECK(std::stoul(field.substr(5)) > deposit("f_1").size());
    CHECK(seq_of(w, "acct_a") == 2);
    CHECK(seq_of(w, "acct_b") == 0);
    // Alone it is refused by the same name, and atomic it takes the others of its ledger with it.
    CHECK(w.post(row.item).text("status") == row.status);
    CHECK(w.post(list({deposit("f_3", "acct_b"), row.item}), "north", atomic_url).statuses() ==
          std::string("batch_refused ") + row.status);
  }
}

TEST_CASE("A fault of the grammar refuses a whole array and names its place", "[edge]") {
  const std::string one = deposit("f_1");
  struct Row {
    std::string body;
    int index;
    const char* id;
  };
  const Row rows[] = {
      {"[" + one + "," + R"({"id":"f_2","type":})" + "," + one + "]", 1, "f_2"},
      {"[" + one + "," + R"({"type":,"id":"f_2"})" + "]", 1, ""},
      {"[" + one + " " + one + "]", 1, ""},
      {"[" + one + ",]", 1, ""},
      {"[" + one + "," + one, 2, ""},
      {"[" + one + "," + R"({"id":"f_2","data":{"a":1,"a":2}},{"id":"f_3","data":{"a":1,"a":2},})" +
           "]",
       2, "f_3"},
      {"[" + one + "," + R"({"id":"a b","type":tru})" + "]", 1, ""},
      {std::string(200'000, '['), 0, ""},
  };
  for (const auto& row : rows) {
    TestWorld w;
    INFO(row.body.substr(0, 200));
    const Reply r = w.post(row.body);
    CHECK(r.status == 400);
    CHECK(r.text("status") == "not_json");
    CHECK(r.json.at("index") == row.index);
    CHECK(r.text("id") == row.id);
    CHECK(r.text("field").substr(0, 5) == "byte ");
    CHECK(seq_of(w, "acct_a") == 0);
  }
}

TEST_CASE("Every refusal of a batch names its place, of a single fact none", "[edge]") {
  TestWorld w;
  const std::string conflict = deposit("f_1", "acct_a", 6);
  CHECK(w.post(list({deposit("f_1"), conflict, deposit("f_2", "acct_a", 0)})).statuses() ==
        "recorded conflict number_out_of_range");
  const Reply array = w.post(list({deposit("f_1"), conflict, deposit("f_2", "acct_a", 0), "5"}));
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(array.item(i).at("index") == i);
    CHECK_FALSE(array.item(i).contains("line"));
  }
  CHECK_FALSE(array.item(0).contains("index"));
  const Reply lines = w.post_lines("\n" + conflict + "\n" + deposit("f_1") + "\n\n\n" + conflict +
                                   "\n" + deposit("f_2", "acct_a", 0));
  const int numbers[] = {2, 3, 6, 7};
  for (std::size_t i = 0; i < 4; ++i) {
    if (i == 1) continue;
    CHECK(lines.item(i).at("index") == i);
    CHECK(lines.item(i).at("line") == numbers[i]);
  }
  CHECK_FALSE(w.post(conflict).json.contains("index"));
  CHECK_FALSE(w.post(deposit("f_2", "acct_a", 0)).json.contains("index"));
  CHECK(w.post(deposits("h_", 0, 1001)).json.at("index") == 1000);
  std::string many = "\n";
  for (int i = 0; i < 1'001; ++i) many += deposit("i_" + std::to_string(i)) + "\n";
  CHECK(w.post_lines(many).json.at("line") == 1002);
}
