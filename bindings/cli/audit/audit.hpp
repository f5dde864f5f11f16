// An export, judged without a network: what it says of a ledger must follow from its facts' bytes.
//
// An export is NDJSON. A header begins each ledger, then comes a line for each fact in order:
//
//   {"z0_export":1,"entity_id","tenant_id","origin","size","root","checkpoint","keys":[...]}
//   {"seq","record","fact":{...}}
//
// "record" is the base64 of the bytes that the tree hashes; "fact" says the same as z0 shows it.
// A ledger's judgement ends with its first fault: what follows may be wrong for that reason alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/trust.hpp"
#include "z0/tree/merkle.hpp"

namespace z0::cli {

struct ExportHeader {
  std::string entity_id;
  std::string tenant_id;
  std::string origin;
  std::int64_t size = 0;
  std::string root;        // hex
  std::string checkpoint;  // the signed note
  std::vector<std::string> keys;
};

// Without a newline.
std::string write_export_header(const ExportHeader& header);
// What is wrong with the line; empty when it is a header.
std::string parse_export_header(std::string_view line, ExportHeader& out);
bool is_export_header(std::string_view line);

struct Fault {
  std::size_t line = 0;
  std::int64_t seq = 0;  // 0: of the ledger as a whole
  std::string reason;
};

// Lower-case hex.
std::string hex_of(const Digest& digest);
bool parse_hex(std::string_view hex, Digest& out);

// The fact in the bytes that the tree hashes, as JSON; false for bytes that are no fact.
bool fact_of_record(std::string_view record, std::string_view entity_id, std::string_view tenant_id,
                    std::int64_t& seq, std::int64_t& recorded_at, std::string& json);

class LedgerAudit {
 public:
  // Reads the header's line and judges it. Without trusted keys the header's own are used, which
  // shows only that the file agrees with itself.
  LedgerAudit(std::string_view header, std::size_t line, const std::vector<VerifierKey>& trusted);

  // The next fact's line.
  void take(std::string_view line, std::size_t number);
  // After the last one. `number` is the line where the ledger ends.
  void finish(std::size_t number);
  // After finish(): another sound export of this ledger says something else.
  void contradict(std::size_t line, const ExportHeader& other);

  const ExportHeader& header() const { return header_; }
  std::int64_t facts() const { return seq_; }
  const std::optional<Fault>& fault() const { return fault_; }
  const std::string& signer() const { return signer_; }
  // The root of the facts taken so far.
  Digest root();

 private:
  void find(std::size_t line, std::int64_t seq, std::string reason);
  void judge_header(std::size_t line, const std::vector<VerifierKey>& trusted);
  void hash_pending();

  ExportHeader header_;
  std::optional<Fault> fault_;
  std::string signer_;
  std::int64_t seq_ = 0;
  std::int64_t recorded_at_ = 0;
  MerkleRange tree_;
  std::vector<std::string> pending_;  // leaves to be hashed together
};

// A whole file, line by line. Blank lines say nothing. A ledger that is exported several times
// counts once, with the most facts.
class ExportAudit {
 public:
  explicit ExportAudit(std::vector<VerifierKey> trusted) : trusted_(std::move(trusted)) {}

  void take(std::string_view line);
  void finish();

  const std::vector<LedgerAudit>& ledgers() const { return ledgers_; }
  std::size_t lines() const { return line_; }
  std::int64_t facts() const;
  bool sound() const;
  // Exports of ledgers that stand in the file already.
  std::int64_t repeated() const { return repeated_; }

 private:
  void end_ledger(std::size_t line);

  std::vector<VerifierKey> trusted_;
  std::vector<LedgerAudit> ledgers_;
  std::size_t line_ = 0;
  std::int64_t repeated_ = 0;
};

}  // namespace z0::cli
