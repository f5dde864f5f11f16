#include "audit/audit.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fields.hpp"
#include "base/raw_json.hpp"
#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/facts/fact.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

// Hashed in lanes; a few hundred leaves keep them full and the memory small.
constexpr std::size_t leaves_together = 256;

std::int64_t seq_of(const std::vector<RawMember>& members) {
  const json seq = json::parse(raw_value(members, "seq"), nullptr, false);
  return seq.is_number_integer() ? seq.get<std::int64_t>() : 0;
}

bool record_of(const std::vector<RawMember>& members, std::string& record) {
  const std::string_view text = raw_value(members, "record");
  return text.size() > 2 && text.front() == '"' && text.back() == '"' &&
         base64_decode(text.substr(1, text.size() - 2), record);
}

// The first member in which the two differ, for whoever looks for the cause.
std::string differing_member(std::string_view shown, std::string_view recorded) {
  std::vector<RawMember> left;
  std::vector<RawMember> right;
  if (!raw_members(shown, left) || !raw_members(recorded, right)) return "is no JSON object";
  for (const RawMember& member : right) {
    if (raw_value(left, member.key) != member.value)
      return "differs from the record in " + std::string(member.key);
  }
  for (const RawMember& member : left) {
    if (raw_value(right, member.key).empty())
      return "has " + std::string(member.key) + ", which the record has not";
  }
  return "is not written as z0 writes it";
}

}  // namespace

std::string hex_of(const Digest& digest) {
  std::string hex;
  append_hex(hex, bytes_of(digest));
  return hex;
}

bool parse_hex(std::string_view hex, Digest& out) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c - 'a' + 10; };
  const bool hexadecimal = std::all_of(hex.begin(), hex.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (hex.size() != 2 * out.size() || !hexadecimal) return false;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  return true;
}

bool fact_of_record(std::string_view record, std::string_view entity_id, std::string_view tenant_id,
                    std::int64_t& seq, std::int64_t& recorded_at, std::string& json) {
  std::string whole;
  ByteWriter(whole).short_bytes(record);
  ByteReader in(whole);
  Fact fact;
  if (!next_record(in, entity_id, fact)) return false;
  seq = fact.seq;
  recorded_at = fact.recorded_at;
  json.clear();
  append_fact_json(json, fact, tenant_id);
  return true;
}

// -- headers --------------------------------------------------------------------------------------

std::string write_export_header(const ExportHeader& header) {
  nlohmann::ordered_json line;
  line["z0_export"] = 1;
  line["entity_id"] = header.entity_id;
  line["tenant_id"] = header.tenant_id;
  line["origin"] = header.origin;
  line["size"] = header.size;
  line["root"] = header.root;
  line["checkpoint"] = header.checkpoint;
  line["keys"] = header.keys;
  return line.dump();
}

bool is_export_header(std::string_view line) {
  return trimmed(line).substr(0, 12) == "{\"z0_export\"";
}

std::string parse_export_header(std::string_view line, ExportHeader& out) {
  out = {};
  const json header = json::parse(line, nullptr, false);
  if (!header.is_object() || !header.contains("z0_export")) return "this is no header of an export";
  if (header["z0_export"] != 1) return "the export is of a version that this z0 does not know";
  for (const char* name : {"entity_id", "tenant_id", "origin", "root", "checkpoint"}) {
    const auto found = header.find(name);
    if (found == header.end() || !found->is_string())
      return std::string("the header has no ") + name;
  }
  if (!has_integer(header, "size")) return "the header has no size";
  out = {text_of(header, "entity_id"),
         text_of(header, "tenant_id"),
         text_of(header, "origin"),
         integer_of(header, "size"),
         text_of(header, "root"),
         text_of(header, "checkpoint"),
         {}};
  const auto keys = header.find("keys");
  if (keys == header.end() || !keys->is_array()) return "the header has no keys";
  for (const json& key : *keys) {
    if (!key.is_string()) return "a key of the header is no text";
    out.keys.push_back(key.get<std::string>());
  }
  return {};
}

// -- one ledger -----------------------------------------------------------------------------------

LedgerAudit::LedgerAudit(std::string_view header, std::size_t line,
                         const std::vector<VerifierKey>& trusted) {
  const std::string wrong = parse_export_header(header, header_);
  if (wrong.empty())
    judge_header(line, trusted);
  else
    find(line, 0, wrong);
}

void LedgerAudit::judge_header(std::size_t line, const std::vector<VerifierKey>& trusted) {
  std::vector<VerifierKey> keys = trusted;
  for (const std::string& text : header_.keys) {
    VerifierKey key;
    if (!parse_verifier_key(text, key)) return find(line, 0, "a key of the header is no key");
    if (trusted.empty()) keys.push_back(key);
  }
  if (keys.empty()) return find(line, 0, "there is no key to check the checkpoint with");
  TrustedCheckpoint checkpoint;
  const std::string wrong =
      check_checkpoint(header_.checkpoint, header_.entity_id, keys, checkpoint);
  if (!wrong.empty()) return find(line, 0, wrong);
  signer_ = checkpoint.signer;
  const Checkpoint& head = checkpoint.head;
  if (head.origin != header_.origin) find(line, 0, "origin is not the checkpoint's");
  if (head.size != header_.size) find(line, 0, "size is not the checkpoint's");
  if (hex_of(head.root) != header_.root) find(line, 0, "root is not the checkpoint's");
}

void LedgerAudit::find(std::size_t line, std::int64_t seq, std::string reason) {
  if (!fault_) fault_ = Fault{line, seq, std::move(reason)};
}

void LedgerAudit::take(std::string_view line, std::size_t number) {
  if (fault_) return;
  const std::int64_t due = seq_ + 1;
  std::vector<RawMember> members;
  if (!raw_members(line, members)) return find(number, due, "this is no JSON object");
  const std::int64_t seq = seq_of(members);
  if (due > header_.size)
    return find(number, seq, "the checkpoint has only " + std::to_string(header_.size) + " facts");
  if (seq != due) {
    return find(number, due,
                "fact " + std::to_string(seq) + " stands where " + std::to_string(due) + " is due");
  }
  std::string record;
  if (!record_of(members, record)) return find(number, seq, "record is no base64");
  std::int64_t own_seq = 0;
  std::int64_t recorded_at = 0;
  std::string fact;
  if (!fact_of_record(record, header_.entity_id, header_.tenant_id, own_seq, recorded_at, fact))
    return find(number, seq, "the record's bytes are no fact");
  if (own_seq != seq)
    return find(number, seq, "the record is that of fact " + std::to_string(own_seq));
  if (recorded_at < recorded_at_)
    return find(number, seq, "recorded_at lies before that of the fact before");
  const std::string_view shown = raw_value(members, "fact");
  if (shown != fact) return find(number, seq, "the fact " + differing_member(shown, fact));
  seq_ = seq;
  recorded_at_ = recorded_at;
  pending_.push_back(std::move(record));
  if (pending_.size() == leaves_together) hash_pending();
}

void LedgerAudit::hash_pending() {
  const std::vector<std::string_view> leaves(pending_.begin(), pending_.end());
  std::vector<Digest> hashes(leaves.size());
  merkle_leaves(leaves, hashes.data());
  tree_.append(hashes);
  pending_.clear();
}

Digest LedgerAudit::root() {
  hash_pending();
  return tree_.root();
}

void LedgerAudit::contradict(std::size_t line, const ExportHeader& other) {
  find(line, 0,
       "the file holds another history of this ledger, too, of as many facts and with the root " +
           other.root + ": ask who signed both");
}

void LedgerAudit::finish(std::size_t number) {
  if (fault_) return;
  if (seq_ < header_.size) {
    return find(number, seq_ + 1,
                "the ledger ends after " + std::to_string(seq_) + " of " +
                    std::to_string(header_.size) + " facts");
  }
  if (hex_of(root()) != header_.root) {
    find(number, 0,
         "the root of the facts is " + hex_of(root()) + ", the checkpoint's is " + header_.root);
  }
}

// -- a file ---------------------------------------------------------------------------------------

void ExportAudit::take(std::string_view line) {
  ++line_;
  if (trimmed(line).empty()) return;
  if (is_export_header(line) || ledgers_.empty()) {
    end_ledger(line_ - 1);
    ledgers_.emplace_back(line, line_, trusted_);
    return;
  }
  ledgers_.back().take(line, line_);
}

void ExportAudit::finish() { end_ledger(line_); }

void ExportAudit::end_ledger(std::size_t line) {
  if (ledgers_.empty()) return;
  LedgerAudit& last = ledgers_.back();
  last.finish(line);
  if (last.fault()) return;
  const auto before = std::find_if(ledgers_.begin(), ledgers_.end() - 1, [&](const auto& ledger) {
    return !ledger.fault() && ledger.header().origin == last.header().origin;
  });
  if (before == ledgers_.end() - 1) return;
  // Both are signed, and no ledger has two histories of one length.
  if (before->header().size == last.header().size && before->header().root != last.header().root) {
    last.contradict(line, before->header());
    return;
  }
  if (before->header().size < last.header().size) *before = std::move(last);
  ledgers_.pop_back();
  ++repeated_;
}

std::int64_t ExportAudit::facts() const {
  std::int64_t sum = 0;
  for (const LedgerAudit& ledger : ledgers_) sum += ledger.facts();
  return sum;
}

bool ExportAudit::sound() const {
  return !ledgers_.empty() && std::none_of(ledgers_.begin(), ledgers_.end(),
                                           [](const LedgerAudit& l) { return l.fault(); });
}

}  // namespace z0::cli
