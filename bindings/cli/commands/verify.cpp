// z0 verify: checks what z0 gave away, without asking it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "audit/audit.hpp"
#include "audit/proofs.hpp"
#include "base/failure.hpp"
#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct VerifyOptions {
  std::string file;
  std::string proof;
  std::string checkpoint, older;
  std::vector<std::string> keys;
  bool json = false;
  bool csv = false;
};

json fault_json(const LedgerAudit& ledger) {
  const auto& fault = ledger.fault();
  if (!fault) return nullptr;
  return {{"line", fault->line}, {"seq", fault->seq}, {"reason", fault->reason}};
}

void print_json(const ExportAudit& audit, bool trusted) {
  json ledgers = json::array();
  for (const LedgerAudit& ledger : audit.ledgers()) {
    ledgers.push_back({{"entity_id", ledger.header().entity_id},
                       {"tenant_id", ledger.header().tenant_id},
                       {"size", ledger.header().size},
                       {"root", ledger.header().root},
                       {"signed_by", ledger.signer()},
                       {"fault", fault_json(ledger)}});
  }
  const json answer = {{"sound", audit.sound()},
                       {"trusted_keys", trusted},
                       {"repeated", audit.repeated()},
                       {"ledgers", ledgers}};
  std::printf("%s\n", answer.dump(1).c_str());
}

void print_csv(const ExportAudit& audit) {
  std::string rows = csv_row(
      {"entity_id", "tenant_id", "size", "root", "signed_by", "verdict", "line", "seq", "reason"});
  for (const LedgerAudit& ledger : audit.ledgers()) {
    const ExportHeader& header = ledger.header();
    std::vector<std::string> cells = {header.entity_id, header.tenant_id,
                                      std::to_string(header.size), header.root, ledger.signer()};
    const auto& fault = ledger.fault();
    cells.emplace_back(fault ? "fault" : "sound");
    cells.push_back(fault ? std::to_string(fault->line) : "");
    cells.push_back(fault && fault->seq > 0 ? std::to_string(fault->seq) : "");
    cells.push_back(fault ? fault->reason : "");
    rows += csv_row(cells);
  }
  std::fputs(rows.c_str(), stdout);
}

void print_table(const ExportAudit& audit) {
  Table table({"ledger", "tenant", ">facts", "root", "signed by", "verdict"});
  for (const LedgerAudit& ledger : audit.ledgers()) {
    const ExportHeader& header = ledger.header();
    table.add({header.entity_id, header.tenant_id, grouped(ledger.facts()),
               header.root.substr(0, 16), ledger.signer(),
               ledger.fault() ? coloured("fault", Colour::red) : coloured("sound", Colour::green)});
  }
  if (!table.empty()) std::fputs(table.text().c_str(), stdout);
}

void print_faults(const ExportAudit& audit) {
  for (const LedgerAudit& ledger : audit.ledgers()) {
    if (!ledger.fault()) continue;
    std::string where = "line " + std::to_string(ledger.fault()->line);
    if (!ledger.header().entity_id.empty()) where += ", " + ledger.header().entity_id;
    if (ledger.fault()->seq > 0) where += ", seq " + std::to_string(ledger.fault()->seq);
    std::printf("%s %s\n", coloured(where + ":", Colour::red).c_str(),
                ledger.fault()->reason.c_str());
  }
}

void warn_untrusted(const char* proves) {
  std::fprintf(stderr,
               "%s without --key this shows only that %s. Take the key from somebody you trust, "
               "not from the file\n",
               coloured("warning:", Colour::yellow, 2).c_str(), proves);
}

int run_export(const VerifyOptions& options) {
  ExportAudit audit(read_keys(options.keys));
  read_export(options.file, "checking", [&audit](std::string_view line) { audit.take(line); });
  audit.finish();
  const bool sound = audit.sound();
  if (options.json) {
    print_json(audit, !options.keys.empty());
  } else if (options.csv) {
    print_csv(audit);
  } else {
    print_table(audit);
    print_faults(audit);
    std::int64_t faulty = 0;
    for (const LedgerAudit& ledger : audit.ledgers()) faulty += ledger.fault() ? 1 : 0;
    const auto ledgers = static_cast<std::int64_t>(audit.ledgers().size());
    if (audit.repeated() > 0) {
      std::printf("%s exports repeat a ledger of this file; each ledger counts once\n",
                  grouped(audit.repeated()).c_str());
    }
    if (ledgers == 0) {
      std::puts("the file holds no ledger: give what `z0 export` wrote");
    } else if (sound) {
      std::printf("sound: %s ledgers, %s facts\n", grouped(ledgers).c_str(),
                  grouped(audit.facts()).c_str());
    } else {
      std::printf("not to be believed: %s of %s ledgers have a fault\n", grouped(faulty).c_str(),
                  grouped(ledgers).c_str());
    }
  }
  if (options.keys.empty()) warn_untrusted("the file agrees with itself");
  return sound ? exit_ok : exit_failed;
}

Checkpoint checkpoint_in(const std::string& file, const std::vector<VerifierKey>& keys,
                         std::string& signer) {
  TrustedCheckpoint checkpoint;
  const std::string wrong = check_checkpoint(contents_of(file), {}, keys, checkpoint);
  if (!wrong.empty()) throw Failure(file + ": " + wrong);
  signer = checkpoint.signer;
  return checkpoint.head;
}

json proof_in(const std::string& file) {
  json proof = json::parse(contents_of(file), nullptr, false);
  if (proof.is_object()) return proof;
  throw Failure(file + " is no JSON object: give what `z0 proof` wrote");
}

std::string signed_words(const std::string& signer) {
  return signer.empty() ? "whose signature was not checked" : "signed by " + signer;
}

int run_fact(const VerifyOptions& options) {
  const auto keys = read_keys(options.keys);
  std::string signer;
  const Checkpoint head = checkpoint_in(options.checkpoint, keys, signer);
  std::string fact;
  const std::string wrong = check_inclusion(proof_in(options.proof), head, fact);
  if (!wrong.empty()) throw Failure(options.proof + ": " + wrong);
  std::printf("%s\n", fact.c_str());
  std::fprintf(stderr, "sound: this fact is in the %s facts of %s, %s\n",
               grouped(head.size).c_str(), head.origin.c_str(), signed_words(signer).c_str());
  if (keys.empty()) warn_untrusted("proof and checkpoint agree");
  return exit_ok;
}

int run_history(const VerifyOptions& options) {
  const auto keys = read_keys(options.keys);
  std::string signer;
  const Checkpoint older = checkpoint_in(options.older, keys, signer);
  const Checkpoint newer = checkpoint_in(options.checkpoint, keys, signer);
  const std::string wrong = check_consistency(proof_in(options.proof), older, newer);
  if (!wrong.empty()) throw Failure(options.proof + ": " + wrong);
  std::printf("sound: the first %s of %s facts of %s are unchanged, %s\n",
              grouped(older.size).c_str(), grouped(newer.size).c_str(), newer.origin.c_str(),
              signed_words(signer).c_str());
  if (keys.empty()) warn_untrusted("proof and checkpoints agree");
  return exit_ok;
}

void add_keys_option(CLI::App* command, VerifyOptions& options) {
  command
      ->add_option("--key", options.keys,
                   "A key to trust, as `z0 keys` prints it, or a file of them; may be repeated")
      ->type_name("KEY");
}

void add_fact(CLI::App* verify, const std::shared_ptr<VerifyOptions>& options, Context& context) {
  CLI::App* fact = verify->add_subcommand("fact", "That a fact is in a ledger");
  fact->add_option("PROOF", options->proof, "What `z0 proof ENTITY SEQ` gave")->required();
  fact->add_option("CHECKPOINT", options->checkpoint, "What `z0 checkpoint ENTITY` gave")
      ->required();
  add_keys_option(fact, *options);
  fact->footer("Example:\n  z0 verify fact proof.json checkpoint.txt --key keys.txt\n");
  fact->callback([options, &context] { context.exit_code = run_fact(*options); });
}

void add_history(CLI::App* verify, const std::shared_ptr<VerifyOptions>& options,
                 Context& context) {
  CLI::App* history =
      verify->add_subcommand("history", "That a ledger was only added to between two checkpoints");
  history->add_option("OLDER", options->older, "The older checkpoint")->required();
  history->add_option("NEWER", options->checkpoint, "The newer one")->required();
  history->add_option("PROOF", options->proof, "What `z0 proof ENTITY --since SIZE` gave")
      ->required();
  add_keys_option(history, *options);
  history->footer("Example:\n  z0 verify history march.txt april.txt proof.json --key keys.txt\n");
  history->callback([options, &context] { context.exit_code = run_history(*options); });
}

}  // namespace

void add_verify(CLI::App& app, Context& context) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = app.add_subcommand("verify", "Check an export or a proof, without a server");
  CLI::Option* file = command->add_option("FILE", options->file,
                                          "An export, gzip as well; - is the standard input");
  add_keys_option(command, *options);
  add_formats(command, options->json, options->csv, "The verdict as JSON");
  add_fact(command, options, context);
  add_history(command, options, context);
  command->footer(
      "Of an export: each record's bytes are the fact beside it, numbers are dense, commit times\n"
      "never run back, the facts' root is the checkpoint's, and a trusted key signed it. The exit\n"
      "code is 1 when something is wrong, with the line, the fact and the reason.\n\n"
      "Examples:\n"
      "  z0 verify acme.ndjson --key keys.txt\n"
      "  z0 verify acme.ndjson --key keys.txt --csv > ledgers.csv\n"
      "  z0 verify fact proof.json checkpoint.txt --key z0.local+1a2b3c4d+AQ...\n"
      "  z0 verify history march.txt april.txt proof.json --key keys.txt\n");
  command->callback([command, file, options, &context] {
    if (!command->get_subcommands().empty()) return;
    if (file->count() == 0)
      throw Failure("name the export, or what else to verify: z0 verify --help", exit_usage);
    catch_interrupts();
    context.exit_code = run_export(*options);
  });
}

}  // namespace z0::cli
