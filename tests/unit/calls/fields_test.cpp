// The bytes of calls and replies: what is written is read, whole or not at all.
#include "z0/base/fields.hpp"

#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/ledger_repairs.hpp"
#include "z0/calls/reply.hpp"

using namespace z0;

namespace {

constexpr Digest root = {1, 2, 3};

// Whether the bytes of a value are read as it, and none of their beginnings, nor anything longer.
template <class T>
void check_bytes(const T& value) {
  const std::string bytes = encode(value);
  T read;
  REQUIRE(decode(bytes, read));
  CHECK(encode(read) == bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    T cut;
    CHECK_FALSE(decode(std::string_view(bytes).substr(0, i), cut));
  }
  T longer;
  CHECK_FALSE(decode(bytes + '\0', longer));
}

AppendReply append_reply() {
  AppendReply reply;
  reply.results = {{Status::recorded, 7, 1'774'915'000'000, {}, {}, "changed"},
                   {Status::duplicate, 3, 5, {}, {}, {}},
                   {Status::conflict, 0, 0, "amount", {}, {}},
                   {Status::budget_exhausted, 0, 0, "amount", "detail", {}}};
  reply.size = 7;
  reply.root = root;
  reply.extra = "records";
  return reply;
}

}  // namespace

TEST_CASE("Each call's bytes are read to their end, or refused", "[calls]") {
  check_bytes(ExceededBudget{"cfg_a", "USD", 500, -2, Period::month});
  check_bytes(append_reply());
  check_bytes(ReadRequest{"north", "acct_a", 1, 100, "charge,cost", true});
  check_bytes(ReadReply{"north", "records", 101});
  check_bytes(HeadReply{"acct_a", "north", 1, Lifecycle::retiring, 9, root, 2, 8, 7, "counts"});
  check_bytes(StateRequest{"north", "acct_a", 2, 5, 0});
  check_bytes(StateReply{"acct_a", "north", 9, 1, StateSource::facts, 4, "value", "configs"});
  check_bytes(ProofRequest{"north", "acct_a", ProofRequest::Kind::consistency, 3, 9});
  check_bytes(TreeHead{9, root});
  check_bytes(ProofReply{"north", 9, "leaf", {root, {}}});
  check_bytes(ImportRequest{"north", "acct_a", "records"});
  check_bytes(ReconcileRequest{"north", "acct_a", true});
  check_bytes(ReconcileReply{"acct_a", "north", 9, 8, false, 1, 5, {"{}", "{}"}});
  check_bytes(ReplicateRequest{true, "north"});
  check_bytes(ReplicateReply{"acct_a", "north", 9, root, 8, {}});
  check_bytes(VerifyRequest{1, "north"});
  check_bytes(VerifyReply{"acct_a", 3, 4, {{1}, {{2, "data,"}}, {3, 300}}, 3});
}

TEST_CASE("A batch is read with the policies that a registration added", "[calls]") {
  std::string packed;
  ByteWriter(packed).short_bytes("one");
  const std::string bytes = encode_append_request(
      AppendRequest::registers_flag | AppendRequest::atomic_flag, "north", "acct_a", 1, packed);
  AppendRequest request;
  REQUIRE(decode(bytes, request));
  CHECK(request.registers());
  CHECK(request.atomic());
  CHECK(encode(request) == bytes);
  AppendRequest again;
  const std::string registered = registered_append(bytes, {"policy"});
  REQUIRE(decode(registered, again));
  CHECK(again.registered());
  CHECK_FALSE(again.registers());
  CHECK(again.submissions == std::vector<std::string_view>{"one"});
  CHECK(again.policies == std::vector<std::string_view>{"policy"});
  check_bytes(again);
}

TEST_CASE("Values that no writer writes are refused", "[calls]") {
  HeadReply head;
  std::string bytes = encode(HeadReply{});
  bytes[3] = static_cast<char>(Lifecycle::count_);
  CHECK_FALSE(decode(bytes, head));
  ReconcileRequest reconcile;
  bytes = encode(ReconcileRequest{"north", "acct_a", true});
  bytes.back() = 2;
  CHECK_FALSE(decode(bytes, reconcile));
  ReadRequest read;
  StateRequest state;
  CHECK_FALSE(decode(encode(ReadRequest{"north", "acct_a", 0, 100, {}, false}), read));
  CHECK_FALSE(decode(encode(ReadRequest{"north", "acct_a", 1, 1'001, {}, false}), read));
  CHECK_FALSE(decode(encode(StateRequest{"north", "acct_a", 7, 0, 0}), state));
}

TEST_CASE("A list that announces more than there is asks for no memory", "[calls]") {
  std::string bytes;
  ByteWriter(bytes).varint(std::uint64_t{1} << 60);
  Differences differences;
  CHECK_FALSE(decode(bytes, differences));
  CHECK(differences.missing.capacity() == 0);
}

TEST_CASE("A reply is a value behind ok, or a refusal alone", "[calls]") {
  TreeHead head;
  CHECK(decode_reply(encode_reply(TreeHead{9, root}), head) == Status::ok);
  CHECK(head.size == 9);
  CHECK(head.root == root);
  CHECK(decode_reply(std::string(1, static_cast<char>(Status::not_found)), head) ==
        Status::not_found);
  CHECK(decode_reply({}, head) == Status::storage_error);
  CHECK(decode_reply(std::string(1, '\x7f'), head) == Status::storage_error);
  CHECK(decode_reply(std::string(1, static_cast<char>(Status::ok)), head) == Status::storage_error);
}

TEST_CASE("What an object of another version says in JSON is a failure that goes away", "[calls]") {
  TreeHead head;
  std::string bytes(1, static_cast<char>(Status::recorded));
  bytes += R"({"entity_id":"acct_a","seq":1})";
  const Status status = decode_reply(bytes, head);
  CHECK(status == Status::storage_error);
  CHECK(transient(status));
}
