// The tree of a ledger: what a receipt says of it, proofs by rows, imports that give the same root.
#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/tree/checkpoint.hpp"
#include "z0/tree/merkle.hpp"

namespace {

using z0::Digest;
using z0::test::deposit;
using z0::test::deposits;
using z0::test::Json;
using z0::test::Reply;
using z0::test::TestWorld;

Digest digest_of(const std::string& hex) {
  Digest digest;
  std::string bytes(32, '\0');
  REQUIRE(z0::from_hex(hex, bytes.data(), 32));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(digest.data()));
  return digest;
}

std::vector<Digest> proof_of(const Json& json) {
  std::vector<Digest> proof;
  for (const auto& hash : json.at("proof")) proof.push_back(digest_of(hash.get<std::string>()));
  return proof;
}

std::string leaf_of(const Json& json) {
  std::string leaf;
  REQUIRE(z0::base64_decode(json.at("record").get<std::string>(), leaf));
  return leaf;
}

// MTH as RFC 6962 defines it, over leaf hashes.
Digest naive_root(const std::vector<Digest>& leaves, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return leaves[begin];
  std::size_t k = 1;
  while (2 * k < end - begin) k *= 2;
  return z0::merkle_node(naive_root(leaves, begin, begin + k), naive_root(leaves, begin + k, end));
}

std::vector<Digest> leaves_of(TestWorld& w) {
  std::vector<Digest> leaves;
  Json next = 1;
  while (!next.is_null()) {
    const Json page =
        w.get("/v1/facts/acct_a?records=true&limit=1000&from_seq=" + next.dump()).json;
    for (const auto& fact : page.at("facts")) leaves.push_back(z0::merkle_leaf(leaf_of(fact)));
    next = page.at("next_seq");
  }
  return leaves;
}

std::string root_of(TestWorld& w) {
  return w.get("/v1/entities/acct_a").json.at("root").get<std::string>();
}

TEST_CASE("A receipt names the tree that its fact is in, and the root is that of all records") {
  TestWorld w;
  const Reply one = w.post(deposit("d_0"));
  CHECK(one.json.at("tree").at("size") == 1);
  const Reply many = w.post(deposits("d_", 1, 700));
  const Json tree = many.json.at("trees").at(0);
  CHECK(tree.at("size") == 701);
  CHECK(tree.at("entity_id") == "acct_a");
  w.crash();
  const auto leaves = leaves_of(w);
  REQUIRE(leaves.size() == 701);
  const Digest root = naive_root(leaves, 0, leaves.size());
  CHECK((digest_of(tree.at("root").get<std::string>()) == root));
  CHECK((digest_of(root_of(w)) == root));
}

TEST_CASE("Every fact of a ledger is proven, at its own size and at an earlier one") {
  TestWorld w;
  w.post(deposits("d_", 0, 300));
  const Digest early = digest_of(root_of(w));
  w.post(deposits("d_", 300, 330));
  const Digest late = digest_of(root_of(w));
  for (const int seq : {1, 2, 255, 256, 257, 300, 511, 512, 513, 629, 630}) {
    CAPTURE(seq);
    const Reply now = w.get("/v1/ledgers/acct_a/proof?seq=" + std::to_string(seq));
    REQUIRE(now.status == 200);
    CHECK(now.json.at("size") == 630);
    const Digest leaf = z0::merkle_leaf(leaf_of(now.json));
    CHECK(z0::verify_inclusion(leaf, seq - 1, 630, proof_of(now.json), late));
    CHECK_FALSE(z0::verify_inclusion(leaf, seq, 630, proof_of(now.json), late));
    const Reply then = w.get("/v1/ledgers/acct_a/proof?size=300&seq=" + std::to_string(seq));
    if (seq > 300) {
      CHECK(then.status == 400);
      continue;
    }
    CHECK(z0::verify_inclusion(leaf, seq - 1, 300, proof_of(then.json), early));
  }
}

TEST_CASE("A later tree is proven to hold an earlier one") {
  TestWorld w;
  w.post(deposits("d_", 0, 257));
  const Digest early = digest_of(root_of(w));
  w.post(deposits("d_", 257, 600));
  const Digest late = digest_of(root_of(w));
  const Reply reply = w.get("/v1/ledgers/acct_a/consistency?from=257");
  REQUIRE(reply.status == 200);
  const auto proof = proof_of(reply.json);
  CHECK(z0::verify_consistency(257, 857, early, late, proof));
  CHECK_FALSE(z0::verify_consistency(256, 857, early, late, proof));
  CHECK(w.get("/v1/ledgers/acct_a/consistency?from=857").json.at("proof").empty());
  CHECK(w.get("/v1/ledgers/acct_a/consistency?from=858").status == 400);
}

TEST_CASE("Proofs are for those who may read the ledger") {
  TestWorld w;
  w.post(deposit("d_1"));
  CHECK(w.get("/v1/ledgers/acct_a/proof?seq=1", "south").status == 404);
  CHECK(w.get("/v1/ledgers/acct_a/consistency?from=1", "south").status == 404);
  CHECK(w.get("/v1/ledgers/acct_a/checkpoint", "south").status == 404);
  CHECK(w.get("/v1/ledgers/acct_b/checkpoint").status == 404);
}

TEST_CASE("A checkpoint is a note over the ledger's head, signed by every key") {
  TestWorld w;
  w.settings = R"({"origin":"z0.example"})";
  w.post(deposits("d_", 0, 3));
  CHECK(w.get("/v1/ledgers/acct_a/checkpoint").text("status") == "no_log_key");
  std::string asked;
  w.sign = [&asked](std::string_view text) {
    asked = text;
    std::string bytes;
    z0::ByteWriter out(bytes);
    out.u8(0);
    out.u16(2);
    for (const char key : {'a', 'b'}) {
      out.bytes(std::string(64, key));
      out.bytes(std::string(32, key));
    }
    return bytes;
  };
  const auto reply = w.request("GET", "/v1/ledgers/acct_a/checkpoint",
                               w.authorization("north", z0::test::all_scopes), {});
  REQUIRE(reply.status == 200);
  z0::Note note;
  REQUIRE(z0::parse_note(reply.body, note));
  CHECK(note.text == asked);
  REQUIRE(note.signatures.size() == 2);
  CHECK(note.signatures[0].name == "z0.example");
  z0::Checkpoint checkpoint;
  REQUIRE(z0::parse_checkpoint(note.text, checkpoint));
  CHECK(checkpoint.origin == "z0.example/acct_a");
  CHECK(checkpoint.size == 3);
  CHECK((checkpoint.root == digest_of(root_of(w))));
  const Json keys = w.get("/v1/keys").json;
  CHECK(keys.at("keys").size() == 2);
  z0::VerifierKey key;
  CHECK(z0::parse_verifier_key(keys.at("keys").at(0).get<std::string>(), key));
  CHECK(key.key_id == note.signatures[0].key_id);
}

// The lines of an export, as the import takes them.
std::string exported(TestWorld& w, int from, int count) {
  std::string lines;
  const Json page = w.get("/v1/facts/acct_a?records=true&limit=" + std::to_string(count) +
                          "&from_seq=" + std::to_string(from))
                        .json;
  for (const auto& fact : page.at("facts"))
    lines += Json{{"record", fact.at("record")}}.dump() + "\n";
  return lines;
}

TEST_CASE("An import into an empty z0 gives the same facts, the same root, the same state") {
  TestWorld from(1);
  from.post(deposits("d_", 0, 400));
  from.now_ms += 1000;
  from.post(deposits("d_", 400, 100));
  TestWorld to(2);
  to.now_ms = from.now_ms + 5000;
  const char* url = "/v1/ledgers/acct_a/import?tenant=north";
  const Reply first = to.ask("POST", url, "", exported(from, 1, 300), {});
  REQUIRE(first.status == 200);
  CHECK(first.json.at("size") == 300);
  // The same again and more: what is there is passed over.
  const Reply rest = to.ask("POST", url, "", exported(from, 200, 1000), {});
  CHECK(rest.json.at("size") == 500);
  CHECK(rest.json.at("root") == root_of(from));
  CHECK(to.get("/v1/facts/acct_a?limit=1000").body == from.get("/v1/facts/acct_a?limit=1000").body);
  CHECK(to.post(deposit("d_7")).text("status") == "duplicate");
  to.now_ms += 20'000;
  to.run_alarms();
  CHECK(to.d1_count("SELECT count(*) FROM facts") == 500);
  CHECK(to.get("/v1/entities/acct_a/state?cache=BudgetState").json.at("state") ==
        from.get("/v1/entities/acct_a/state?cache=BudgetState").json.at("state"));
}

TEST_CASE("An import that does not go on where the ledger ends is refused and changes nothing") {
  TestWorld from(1);
  from.post(deposits("d_", 0, 20));
  TestWorld to(2);
  const char* url = "/v1/ledgers/acct_a/import?tenant=north";
  CHECK(to.ask("POST", url, "", exported(from, 2, 5), {}).status == 409);
  CHECK(to.get("/v1/entities/acct_a").status == 404);
  CHECK(to.ask("POST", url, "", "{\"record\":\"!\"}\n", {}).status == 422);
  CHECK(to.ask("POST", url, "", "", {}).text("status") == "no_facts");
  CHECK(to.ask("POST", url, "", exported(from, 1, 5), {}).status == 200);
  CHECK(to.ask("POST", "/v1/ledgers/acct_a/import?tenant=south", "", exported(from, 1, 9), {})
            .status == 403);
  CHECK(to.ask("POST", url, "north", exported(from, 1, 9), {}).status == 403);
  to.now_ms = from.now_ms - 1000;
  CHECK(to.ask("POST", url, "", exported(from, 1, 9), {}).status == 409);
}

}  // namespace
