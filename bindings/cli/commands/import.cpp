// z0 import: brings an export's ledgers to a z0, number by number, and compares roots on the way.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>

#include "audit/audit.hpp"
#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/raw_json.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "server/ledgers.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

// Below the server's 1,000 facts and 4 MiB a request, with room for what a line adds.
constexpr std::size_t chunk_lines_max = 1'000;
constexpr std::size_t chunk_bytes_max = std::size_t{3} << 20;

struct ImportOptions {
  std::string file;
  std::vector<std::string> keys;
  bool json = false;
};

struct Sums {
  std::set<std::string> ledgers;  // a file may hold one several times
  std::int64_t sent = 0;
  std::int64_t passed_over = 0;
};

// One ledger on its way. Facts that are there are passed over, once their root is the file's.
class LedgerImport {
 public:
  LedgerImport(Api& api, std::string_view header, Sums& sums)
      : api_(api), sums_(sums), audit_(header, 0, {}) {
    const auto head = api.find("/v1/entities/" + url_escaped(entity()));
    if (!head) return;
    there_ = integer_of(*head, "seq");
    root_there_ = text_of(*head, "root");
    if (text_of(*head, "tenant_id") != audit_.header().tenant_id) {
      throw Failure(entity() + " belongs to " + text_of(*head, "tenant_id") + " there, and to " +
                    audit_.header().tenant_id + " in the file: nothing of it was imported");
    }
    compare_longer();
  }

  void take(std::string_view line) {
    audit_.take(line, 0);
    if (audit_.facts() <= there_) {
      ++sums_.passed_over;
      if (audit_.facts() == there_) compare(there_, root_there_);
      return;
    }
    std::vector<RawMember> members;
    raw_members(line, members);
    chunk_ += "{\"record\":";
    chunk_ += raw_value(members, "record");
    chunk_ += "}\n";
    ++lines_;
    if (lines_ == chunk_lines_max || chunk_.size() >= chunk_bytes_max) send();
  }

  void finish() {
    send();
    sums_.ledgers.insert(entity());
  }

 private:
  const std::string& entity() const { return audit_.header().entity_id; }

  void compare(std::int64_t size, const std::string& root) {
    if (size == audit_.facts() && root == hex_of(audit_.root())) return;
    throw Failure(entity() + ": after fact " + std::to_string(audit_.facts()) +
                  " the file's root is " + hex_of(audit_.root()) + ", there it is " + root +
                  " at " + std::to_string(size) +
                  ". The ledger there has facts of its own; the import ends here");
  }

  // A ledger that is further on there has to begin with the file's facts.
  void compare_longer() {
    const ExportHeader& file = audit_.header();
    if (there_ <= file.size) return;
    const json proof = api_.get(
        path_with_query(ledger_path(entity(), "consistency"),
                        {{"from", std::to_string(file.size)}, {"size", std::to_string(there_)}}));
    std::vector<Digest> path;
    for (const json& hex : proof.at("proof"))
      parse_hex(hex.get<std::string>(), path.emplace_back());
    Digest old_root{};
    Digest root{};
    if (parse_hex(file.root, old_root) && parse_hex(root_there_, root) &&
        verify_consistency(file.size, there_, old_root, root, path)) {
      return;
    }
    throw Failure(
        entity() + " has " + std::to_string(there_) +
        " facts there, and they do not begin with the file's: nothing of it was imported");
  }

  void send() {
    if (lines_ == 0) return;
    if (interrupted()) throw Failure("interrupted: import the file again to go on");
    const json reply = api_.post(
        path_with_query(ledger_path(entity(), "import"), {{"tenant", audit_.header().tenant_id}}),
        std::move(chunk_), "application/x-ndjson");
    compare(integer_of(reply, "size"), text_of(reply, "root"));
    sums_.sent += static_cast<std::int64_t>(lines_);
    chunk_.clear();
    lines_ = 0;
  }

  Api& api_;
  Sums& sums_;
  LedgerAudit audit_;
  std::int64_t there_ = 0;
  std::string root_there_;
  std::string chunk_;
  std::size_t lines_ = 0;
};

void verify_first(const ImportOptions& options) {
  ExportAudit audit(read_keys(options.keys));
  read_export(options.file, "checking", [&audit](std::string_view line) { audit.take(line); });
  audit.finish();
  if (audit.sound()) return;
  throw Failure("the file is not sound, so nothing was imported: `z0 verify " + options.file +
                "` says what is wrong");
}

int run_import(const Connection& connection, const ImportOptions& options) {
  if (options.file == "-") {
    throw Failure("an import reads its file twice, to verify it first: name a file", exit_usage);
  }
  verify_first(options);
  Api api(connection);
  Sums sums;
  std::optional<LedgerImport> ledger;
  read_export(options.file, "importing", [&](std::string_view line) {
    if (trimmed(line).empty()) return;
    if (!is_export_header(line)) return ledger->take(line);
    if (ledger) ledger->finish();
    ledger.emplace(api, line, sums);
  });
  ledger->finish();
  if (options.json) {
    const json summary = {{"ledgers", sums.ledgers.size()},
                          {"imported", sums.sent},
                          {"already_there", sums.passed_over}};
    std::printf("%s\n", summary.dump().c_str());
  } else {
    std::printf("imported %s facts of %s ledgers; %s were there; every root is the file's\n",
                grouped(sums.sent).c_str(),
                grouped(static_cast<std::int64_t>(sums.ledgers.size())).c_str(),
                grouped(sums.passed_over).c_str());
  }
  return exit_ok;
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand("import", "Bring an export's ledgers to this z0");
  command->add_option("FILE", options->file, "What `z0 export` wrote, gzip as well")->required();
  command->add_option("--key", options->keys, "A key to trust, or a file of them, as z0 verify")
      ->type_name("KEY");
  command->add_flag("--json", options->json, "The summary as JSON");
  command->footer(
      "The file is verified first. Facts keep their numbers and commit times, so the roots have "
      "to\n"
      "become the file's; the first that does not ends the import. It may be run again: what is\n"
      "there is passed over. It needs a token with ops for all tenants.\n\n"
      "Example:\n  z0 import acme.ndjson --key keys.txt\n");
  command->callback([options, &context] {
    catch_interrupts();
    context.exit_code = run_import(connection_of(context), *options);
  });
}

}  // namespace z0::cli
