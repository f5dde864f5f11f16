// Exports and proofs, judged without a server: each kind of thing that can be tampered with.
#include "bindings/cli/audit/audit.hpp"

#include <functional>
#include <string>
#include <vector>

#include "bindings/cli/audit/ed25519.hpp"
#include "bindings/cli/audit/proofs.hpp"
#include "unit/catch.hpp"
#include "z0/base/base64.hpp"
#include "z0/facts/fact.hpp"

namespace z0::cli {
namespace {

constexpr std::string_view entity = "acct_acme";
constexpr std::string_view tenant = "tenant_acme";
constexpr std::string_view origin = "z0.test/acct_acme";

struct Key {
  std::string secret = new_log_key();
  VerifierKey verifier() const {
    Ed25519Key key{};
    REQUIRE(public_key_of(secret, key));
    VerifierKey out;
    REQUIRE(parse_verifier_key(verifier_key("z0.test", key), out));
    return out;
  }
  std::string text() const { return verifier_key("z0.test", verifier().key); }
};

// A ledger of charges, and its export under one key.
struct Ledger {
  Key key;
  std::vector<std::string> leaves;
  std::vector<std::string> lines;  // the header first

  explicit Ledger(int facts) {
    for (int i = 1; i <= facts; ++i) add(i, 1'774'915'200'000 + i);
    seal();
  }

  void add(std::int64_t seq, std::int64_t recorded_at) {
    const std::string id = "fact_" + std::to_string(seq);
    Fact fact;
    fact.type = FactType::charge;
    fact.id = id;
    fact.entity_id = entity;
    fact.source_id = "out_1";
    fact.timestamp = 1'774'915'200'000;
    fact.amount = 100 + seq;
    fact.currency = default_currency;
    fact.data = R"({"price":1.50,"note":"a \"b\""})";
    fact.fields = field_source_id | field_amount | field_data;
    Buffer submission;
    append_submission(submission, fact);
    Buffer record;
    append_record(record, seq, recorded_at, submission.view());
    ByteReader in(record.view());
    RecordBytes bytes;
    REQUIRE(next_record_bytes(in, bytes));
    leaves.emplace_back(bytes.leaf);
  }

  Digest root(std::size_t size) const {
    MerkleRange tree;
    for (std::size_t i = 0; i < size; ++i) tree.append(merkle_leaf(leaves[i]));
    return tree.root();
  }

  std::string checkpoint(std::size_t size, const Digest& of) const {
    const std::string text = checkpoint_text(origin, static_cast<std::int64_t>(size), of);
    std::string signature;
    REQUIRE(ed25519_sign(key.secret, text, signature));
    return signed_note(text, "z0.test", key.verifier().key, signature);
  }
  std::string checkpoint(std::size_t size) const { return checkpoint(size, root(size)); }

  ExportHeader header() const {
    return {std::string(entity),
            std::string(tenant),
            std::string(origin),
            static_cast<std::int64_t>(leaves.size()),
            hex_of(root(leaves.size())),
            checkpoint(leaves.size()),
            {key.text()}};
  }

  static std::string line_of(const std::string& leaf) {
    std::int64_t seq = 0;
    std::int64_t recorded_at = 0;
    std::string json;
    REQUIRE(fact_of_record(leaf, entity, tenant, seq, recorded_at, json));
    return "{\"seq\":" + std::to_string(seq) + ",\"record\":\"" + base64_encode(leaf) +
           "\",\"fact\":" + json + "}";
  }

  void seal() {
    lines = {write_export_header(header())};
    for (const std::string& leaf : leaves) lines.push_back(line_of(leaf));
  }
};

ExportAudit audit_of(const std::vector<std::string>& lines, std::vector<VerifierKey> trusted = {}) {
  ExportAudit audit(std::move(trusted));
  for (const std::string& line : lines) audit.take(line);
  audit.finish();
  return audit;
}

// The first ledger's fault, which there has to be.
Fault fault_of(const ExportAudit& audit) {
  REQUIRE(!audit.sound());
  REQUIRE(!audit.ledgers().empty());
  REQUIRE(audit.ledgers()[0].fault().has_value());
  return *audit.ledgers()[0].fault();
}

void check_fault(const std::vector<std::string>& lines, std::size_t line, std::int64_t seq,
                 const std::string& words) {
  const Fault fault = fault_of(audit_of(lines));
  INFO(fault.reason);
  CHECK(fault.line == line);
  CHECK(fault.seq == seq);
  CHECK(fault.reason.find(words) != std::string::npos);
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("cli: an export as it was written is sound, by its own keys and by a trusted one") {
  const Ledger ledger(600);  // more than are hashed together
  CHECK(audit_of(ledger.lines).sound());
  const ExportAudit trusted = audit_of(ledger.lines, {ledger.key.verifier()});
  CHECK(trusted.sound());
  CHECK(trusted.facts() == 600);
  CHECK(trusted.ledgers()[0].signer().substr(0, 8) == "z0.test+");
  CHECK_FALSE(audit_of({}).sound());
  CHECK(audit_of(Ledger(0).lines).sound());
}

TEST_CASE("cli: any byte of any record that changes is found") {
  const Ledger ledger(3);
  for (std::size_t i = 0; i < ledger.leaves[1].size(); ++i) {
    std::string leaf = ledger.leaves[1];
    leaf[i] = static_cast<char>(leaf[i] ^ 1);
    std::vector<std::string> lines = ledger.lines;
    replace(lines[2], base64_encode(ledger.leaves[1]), base64_encode(leaf));
    INFO("byte " << i);
    CHECK_FALSE(audit_of(lines).sound());
    // Whoever changes the fact beside it too is found by the root.
    std::int64_t seq = 0;
    std::int64_t at = 0;
    std::string json;
    if (!fact_of_record(leaf, entity, tenant, seq, at, json) || seq != 2) continue;
    lines[2] = Ledger::line_of(leaf);
    CHECK_FALSE(audit_of(lines).sound());
  }
}

TEST_CASE("cli: a fact that is not its record is found, and its member named") {
  const Ledger ledger(3);
  std::vector<std::string> lines = ledger.lines;
  replace(lines[2], "\"amount\":102", "\"amount\":103");
  check_fault(lines, 3, 2, "differs from the record in amount");
  lines = ledger.lines;
  replace(lines[3], "1.50", "1.5");
  check_fault(lines, 4, 3, "differs from the record in data");
  lines = ledger.lines;
  replace(lines[1], "{\"seq\":1,\"record\"", "{\"seq\":1,\"recorded\"");
  check_fault(lines, 2, 1, "record is no base64");
  lines = ledger.lines;
  lines[2] = lines[2].substr(0, lines[2].size() / 2);
  check_fault(lines, 3, 2, "no JSON object");
}

TEST_CASE("cli: facts that are missing, twice, swapped or too many are found where they stand") {
  const Ledger ledger(4);
  std::vector<std::string> lines = ledger.lines;
  lines.erase(lines.begin() + 2);
  check_fault(lines, 3, 2, "fact 3 stands where 2 is due");
  lines = ledger.lines;
  std::swap(lines[2], lines[3]);
  check_fault(lines, 3, 2, "fact 3 stands where 2 is due");
  lines = ledger.lines;
  lines.insert(lines.begin() + 2, lines[1]);
  check_fault(lines, 3, 2, "fact 1 stands where 2 is due");
  lines = ledger.lines;
  lines.pop_back();
  check_fault(lines, 4, 4, "after 3 of 4 facts");
  lines = ledger.lines;
  lines.push_back(lines.back());
  check_fault(lines, 6, 4, "has only 4 facts");
  lines = ledger.lines;
  replace(lines[2], "{\"seq\":2", "{\"seq\":3");
  check_fault(lines, 3, 2, "fact 3 stands where 2 is due");
}

TEST_CASE("cli: a commit time that runs back is found though root and signature are right") {
  Ledger ledger(2);
  ledger.add(3, 1'774'915'199'999);
  ledger.seal();
  check_fault(ledger.lines, 4, 3, "recorded_at lies before");
}

TEST_CASE("cli: a header that does not say what its checkpoint says is found") {
  const Ledger ledger(3);
  const auto with = [&](const std::function<void(ExportHeader&)>& change) {
    ExportHeader header = ledger.header();
    change(header);
    std::vector<std::string> lines = ledger.lines;
    lines[0] = write_export_header(header);
    return lines;
  };
  check_fault(with([](ExportHeader& h) { h.root[0] = h.root[0] == '0' ? '1' : '0'; }), 1, 0,
              "root is not the checkpoint's");
  check_fault(with([](ExportHeader& h) { h.size = 2; }), 1, 0, "size is not the checkpoint's");
  check_fault(with([](ExportHeader& h) { h.origin = "z0.other/acct_acme"; }), 1, 0, "origin");
  check_fault(with([](ExportHeader& h) { h.entity_id = "acct_other"; }), 1, 0, "another ledger");
  check_fault(with([](ExportHeader& h) { h.checkpoint = "z0"; }), 1, 0, "no signed note");
  check_fault(with([](ExportHeader& h) { h.keys.clear(); }), 1, 0, "no key");
  check_fault(with([](ExportHeader& h) { h.tenant_id = "tenant_b"; }), 2, 1, "tenant_id");
  check_fault({"{\"z0_export\":2}"}, 1, 0, "version");
  check_fault({ledger.lines[1]}, 1, 0, "no header");
}

TEST_CASE("cli: a root that was signed, and is not the facts', is found at the ledger's end") {
  const Ledger ledger(3);
  Digest wrong = ledger.root(3);
  wrong[5] ^= 1;
  ExportHeader header = ledger.header();
  header.root = hex_of(wrong);
  header.checkpoint = ledger.checkpoint(3, wrong);
  std::vector<std::string> lines = ledger.lines;
  lines[0] = write_export_header(header);
  check_fault(lines, 4, 0, "the root of the facts is");
}

TEST_CASE("cli: a signature that is false, or of a key that nobody trusts, is found") {
  const Ledger ledger(2);
  Note note;
  REQUIRE(parse_note(ledger.checkpoint(2), note));
  note.signatures[0].bytes[10] = static_cast<char>(note.signatures[0].bytes[10] ^ 4);
  ExportHeader header = ledger.header();
  header.checkpoint = write_note(note);
  std::vector<std::string> lines = ledger.lines;
  lines[0] = write_export_header(header);
  check_fault(lines, 1, 0, "is false");

  const Fault stranger = fault_of(audit_of(ledger.lines, {Key().verifier()}));
  CHECK(stranger.reason == "no trusted key signed the checkpoint");

  // Another deployment's key may not speak of this one's ledgers.
  const std::string text = checkpoint_text("z0.other/acct_acme", 1, ledger.root(1));
  std::string signature;
  REQUIRE(ed25519_sign(ledger.key.secret, text, signature));
  TrustedCheckpoint out;
  const std::string foreign = signed_note(text, "z0.test", ledger.key.verifier().key, signature);
  CHECK(check_checkpoint(foreign, entity, {ledger.key.verifier()}, out).find("may not speak") !=
        std::string::npos);
}

TEST_CASE("cli: after a rotation both keys sign, and either is enough") {
  const Ledger ledger(2);
  const Key newer;
  Note note;
  REQUIRE(parse_note(ledger.checkpoint(2), note));
  std::string signature;
  REQUIRE(ed25519_sign(newer.secret, note.text, signature));
  note.signatures.insert(note.signatures.begin(), {"z0.test", newer.verifier().key_id, signature});
  TrustedCheckpoint out;
  CHECK(check_checkpoint(write_note(note), entity, {ledger.key.verifier()}, out).empty());
  CHECK(check_checkpoint(write_note(note), entity, {newer.verifier()}, out).empty());
  CHECK_FALSE(check_checkpoint(ledger.checkpoint(2), entity, {newer.verifier()}, out).empty());
}

TEST_CASE("cli: one ledger's fault does not condemn the others of a file") {
  Ledger first(3);
  const Ledger second(2);
  first.lines.erase(first.lines.begin() + 1);
  first.lines.insert(first.lines.end(), second.lines.begin(), second.lines.end());
  const ExportAudit audit = audit_of(first.lines);
  CHECK_FALSE(audit.sound());
  REQUIRE(audit.ledgers().size() == 2);
  CHECK(audit.ledgers()[0].fault()->line == 2);
  CHECK_FALSE(audit.ledgers()[1].fault());
}

TEST_CASE("cli: a ledger that is exported twice counts once, with the most facts") {
  Ledger ledger(2);
  std::vector<std::string> file = ledger.lines;
  ledger.add(3, 1'774'915'300'000);
  ledger.seal();
  file.insert(file.end(), ledger.lines.begin(), ledger.lines.end());
  file.insert(file.end(), ledger.lines.begin(), ledger.lines.end());
  const ExportAudit audit = audit_of(file);
  CHECK(audit.sound());
  REQUIRE(audit.ledgers().size() == 1);
  CHECK(audit.facts() == 3);
  CHECK(audit.repeated() == 2);
}

TEST_CASE("cli: two signed histories of one ledger with as many facts are a fault") {
  const Ledger one(3);
  Ledger other(2);
  other.key = one.key;
  other.add(3, 1'774'915'300'000);
  other.seal();
  std::vector<std::string> file = one.lines;
  file.insert(file.end(), other.lines.begin(), other.lines.end());
  const ExportAudit audit = audit_of(file);
  CHECK_FALSE(audit.sound());
  REQUIRE(audit.ledgers().size() == 2);
  REQUIRE(audit.ledgers()[1].fault().has_value());
  CHECK(audit.ledgers()[1].fault()->reason.find("another history") != std::string::npos);
}

TEST_CASE("cli: blank lines of an export say nothing") {
  const Ledger ledger(2);
  std::vector<std::string> file = {"", " \t\r"};
  for (const std::string& line : ledger.lines) file.insert(file.end(), {line, ""});
  const ExportAudit audit = audit_of(file);
  CHECK(audit.sound());
  CHECK(audit.facts() == 2);
}

TEST_CASE("cli: a fact's proof holds for its checkpoint and for nothing else") {
  const Ledger ledger(3);
  Checkpoint head;
  head.origin = origin;
  head.size = 3;
  head.root = ledger.root(3);
  // PATH(1, D[3]): the leaf beside it, then the right half.
  nlohmann::json proof = {
      {"entity_id", entity},
      {"tenant_id", tenant},
      {"seq", 2},
      {"size", 3},
      {"record", base64_encode(ledger.leaves[1])},
      {"proof", {hex_of(merkle_leaf(ledger.leaves[0])), hex_of(merkle_leaf(ledger.leaves[2]))}}};
  std::string fact;
  CHECK(check_inclusion(proof, head, fact).empty());
  CHECK(fact.find("\"id\":\"fact_2\"") != std::string::npos);

  const auto wrong = [&](const char* member, const nlohmann::json& value) {
    nlohmann::json other = proof;
    other[member] = value;
    return check_inclusion(other, head, fact);
  };
  CHECK(wrong("record", base64_encode(ledger.leaves[0])).find("fact 1") != std::string::npos);
  CHECK(wrong("size", 4).find("size") != std::string::npos);
  CHECK(wrong("entity_id", "acct_other").find("acct_other") != std::string::npos);
  CHECK(wrong("proof", nlohmann::json::array()).find("does not lead") != std::string::npos);
  CHECK(wrong("proof", "x") == "this is no proof of a fact");
  head.root[0] ^= 1;
  CHECK(check_inclusion(proof, head, fact).find("does not lead") != std::string::npos);
  CHECK(check_inclusion(nlohmann::json(), head, fact) == "this is no proof of a fact");
}

TEST_CASE("cli: a history's proof holds for its two checkpoints and for nothing else") {
  const Ledger ledger(3);
  const Checkpoint older{std::string(origin), 2, ledger.root(2), {}};
  Checkpoint newer{std::string(origin), 3, ledger.root(3), {}};
  const nlohmann::json proof = {
      {"old_size", 2}, {"size", 3}, {"proof", {hex_of(merkle_leaf(ledger.leaves[2]))}}};
  CHECK(check_consistency(proof, older, newer).empty());
  CHECK(check_consistency(proof, newer, older).find("old size") != std::string::npos);
  CHECK(check_consistency(nlohmann::json::array(), older, newer) ==
        "this is no proof of a history");
  newer.root[31] ^= 1;
  CHECK(check_consistency(proof, older, newer).find("history was rewritten") != std::string::npos);
  newer.origin = "z0.test/acct_other";
  CHECK(check_consistency(proof, older, newer).find("two logs") != std::string::npos);
}

TEST_CASE("cli: signatures are those of RFC 8032") {
  // Its test 1 of section 7.1: an empty message.
  Digest bytes{};
  REQUIRE(parse_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", bytes));
  const Ed25519Key key = bytes;
  std::string signature;
  for (const char* half : {"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
                           "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"}) {
    REQUIRE(parse_hex(half, bytes));
    signature.append(bytes.begin(), bytes.end());
  }
  CHECK(ed25519_verify(key, "", signature));
  CHECK_FALSE(ed25519_verify(key, "x", signature));
  signature.pop_back();
  CHECK_FALSE(ed25519_verify(key, "", signature));
  CHECK_FALSE(ed25519_verify(key, "", {}));
}

}  // namespace z0::cli
