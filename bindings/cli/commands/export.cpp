// z0 export: ledgers as a file that proves itself.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "audit/audit.hpp"
#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/raw_json.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "server/ledgers.hpp"
#include "z0/base/limits.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct ExportOptions {
  Selection selection;
  std::string file = "-";
};

// The elements of an array, as raw text: numbers in data have to stay as they were written.
class RawFacts {
 public:
  explicit RawFacts(std::string body) : body_(std::move(body)) {
    std::vector<RawMember> members;
    if (!raw_members(body_, members)) throw Failure("what answers there is not z0: check --url");
    facts_ = raw_value(members, "facts");
    const std::string_view next = raw_value(members, "next_seq");
    if (next != "null") next_seq_ = std::string(next);
    if (facts_.size() < 2 || facts_.front() != '[')
      throw Failure("what answers there is not z0: check --url");
    facts_ = facts_.substr(1, facts_.size() - 2);
  }

  const std::string& next_seq() const { return next_seq_; }

  // The line of the next fact; false at the end.
  bool next(std::string& line) {
    if (facts_.empty()) return false;
    const std::string_view whole = take_object();
    const std::size_t record = whole.rfind(",\"record\":\"");
    std::vector<RawMember> members;
    if (record == std::string_view::npos || !raw_members(whole, members))
      throw Failure("this z0 gives no records: it is older than this tool");
    line = "{\"seq\":";
    line += raw_value(members, "seq");
    line += whole.substr(record, whole.size() - record - 1);
    line += ",\"fact\":";
    line += whole.substr(0, record);
    line += "}}";
    return true;
  }

 private:
  std::string_view take_object() {
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      const char c = facts_[i];
      if (quoted) {
        if (c == '\\') ++i;
        if (c == '"') quoted = false;
      } else if (c == '"') {
        quoted = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        const std::string_view object = facts_.substr(0, i + 1);
        facts_.remove_prefix(i + 1);
        if (!facts_.empty()) facts_.remove_prefix(1);  // the comma
        return object;
      }
    }
    throw Failure("the server's answer ends too early");
  }

  std::string body_;
  std::string_view facts_;
  std::string next_seq_;
};

ExportHeader header_of(Api& api, const LedgerName& ledger, const std::vector<std::string>& keys) {
  ExportHeader header;
  header.entity_id = ledger.entity_id;
  header.tenant_id = ledger.tenant_id;
  header.checkpoint = api.text(ledger_path(ledger.entity_id, "checkpoint"));
  header.keys = keys;
  TrustedCheckpoint checkpoint;
  const std::string wrong = check_checkpoint(header.checkpoint, ledger.entity_id, {}, checkpoint);
  if (!wrong.empty()) throw Failure(ledger.entity_id + ": " + wrong);
  header.origin = checkpoint.head.origin;
  header.size = checkpoint.head.size;
  header.root = hex_of(checkpoint.head.root);
  return header;
}

// Facts recorded after the checkpoint are left out; the next export has them.
void export_ledger(Api& api, const ExportHeader& header, OutputFile& out,
                   LedgerProgress& progress) {
  const std::string first = write_export_header(header);
  LedgerAudit audit(first, 1, {});
  out.write(first + '\n');
  std::string from = "1";
  while (audit.facts() < header.size && !audit.fault()) {
    if (interrupted()) throw Failure("interrupted: the export is not whole");
    const std::int64_t left = header.size - audit.facts();
    const auto most = std::min(left, static_cast<std::int64_t>(limits::page_facts_max));
    RawFacts page(api.text(path_with_query(
        "/v1/facts/" + url_escaped(header.entity_id),
        {{"from_seq", from}, {"limit", std::to_string(most)}, {"records", "true"}})));
    const std::int64_t before = audit.facts();
    for (std::string line; audit.facts() < header.size && !audit.fault() && page.next(line);) {
      audit.take(line, 0);
      out.write(line + '\n');
    }
    progress.facts(audit.facts() - before);
    if (audit.facts() == before) break;
    from = std::to_string(audit.facts() + 1);
  }
  audit.finish(0);
  if (audit.fault()) {
    const std::string seq =
        audit.fault()->seq > 0 ? ", fact " + std::to_string(audit.fault()->seq) : std::string();
    throw Failure(
        header.entity_id + seq + ": " + audit.fault()->reason +
        ". What the server gives does not follow from its own records: run `z0 reconcile " +
        header.entity_id + " --full`");
  }
}

int run_export(const Connection& connection, const ExportOptions& options) {
  Api api(connection);
  const auto ledgers = ledgers_of(api, options.selection, false);
  const auto keys = api.get("/v1/keys").at("keys").get<std::vector<std::string>>();
  OutputFile out(options.file);
  LedgerProgress progress(ledgers.size());
  std::int64_t exported = 0;
  for (const LedgerName& ledger : ledgers) {
    try {
      export_ledger(api, header_of(api, ledger, keys), out, progress);
      ++exported;
    } catch (const NotFound&) {
      // Known to the directory, but its first fact was refused: there is nothing to export.
    }
    progress.ledger_done();
  }
  progress.finish();
  out.commit();
  std::fprintf(stderr, "exported %s facts of %s ledgers; every root is its checkpoint's\n",
               grouped(progress.facts_done()).c_str(), grouped(exported).c_str());
  return exit_ok;
}

}  // namespace

void add_export(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Ledgers as a file that proves itself");
  add_selection(command, options->selection);
  command->add_option("-o,--output", options->file, "The file; - is the standard output")
      ->capture_default_str();
  command->footer(
      "Of each ledger: its signed checkpoint and every fact up to it, with the bytes that were\n"
      "hashed. `z0 verify` checks such a file without a server, `z0 import` brings it to "
      "another.\n\n"
      "Examples:\n"
      "  z0 export acct_acme > acct_acme.ndjson\n"
      "  z0 export --tenant tenant_acme -o acme.ndjson\n"
      "  z0 export --all | gzip > all.ndjson.gz && z0 verify all.ndjson.gz\n");
  command->callback([options, &context] {
    catch_interrupts();
    context.exit_code = run_export(connection_of(context), *options);
  });
}

}  // namespace z0::cli
