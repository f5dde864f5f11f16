// z0 closure: money and outcomes whose cause is nowhere recorded.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "server/settings.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct ClosureOptions {
  std::string tenant, from, to;
  std::size_t limit = 1'000;
  bool fail_on_orphan = false;
  bool json = false;
  bool csv = false;
};

void print(const std::vector<json>& orphans, const json& counts) {
  Table table({"tenant", "type", "lacks its", "ledger", ">seq", "id", "source", ">amount", ">age"});
  for (const json& o : orphans) {
    table.add({text_of(o, "tenant_id"), text_of(o, "type"), text_of(o, "missing"),
               text_of(o, "entity_id"), text_of(o, "seq"), text_of(o, "id"),
               text_of(o, "source_id"), amount_of(o),
               duration_words(static_cast<double>(integer_of(o, "age_ms")) / 1'000)});
  }
  if (!table.empty()) std::printf("%s\n", table.text().c_str());
  for (const auto& [name, count] : counts.items())
    std::printf("%s %s\n", padded_right(name, 16).c_str(), count.dump().c_str());
  if (orphans.empty()) std::puts("every charge has its outcome, every cost its invocation");
}

int run_closure(const Connection& connection, const ClosureOptions& options) {
  Api api(connection);
  std::vector<json> orphans;
  const json last = api.each("/v1/closure",
                             {{"tenant", options.tenant},
                              {"from", time_parameter(options.from, "--from")},
                              {"to", time_parameter(options.to, "--to")}},
                             "orphans", [&](const json& orphan) {
                               orphans.push_back(orphan);
                               return orphans.size() < options.limit;
                             });
  const json counts = object_of(last, "counts");
  if (options.json)
    std::printf("%s\n", json{{"orphans", orphans}, {"counts", counts}}.dump(1).c_str());
  else if (options.csv)
    std::fputs(csv_of(orphans, {"tenant_id", "type", "missing", "entity_id", "seq", "id",
                                "source_id", "amount", "currency", "age_ms"})
                   .c_str(),
               stdout);
  else
    print(orphans, counts);
  return options.fail_on_orphan && !orphans.empty() ? exit_failed : exit_ok;
}

}  // namespace

void add_closure(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ClosureOptions>();
  CLI::App* command =
      app.add_subcommand("closure", "Charges without an outcome, costs without an invocation");
  command->add_option("--tenant", options->tenant, "Only this tenant");
  command->add_option("--from", options->from, "From this time: 2026-03-31T10:15, or 1h ago");
  command->add_option("--to", options->to, "Up to this time");
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  command->add_flag("--fail-on-orphan", options->fail_on_orphan, "Exit code 1 when there is one");
  add_formats(command, options->json, options->csv);
  command->footer(
      "A young orphan may only be early: facts of two ledgers arrive in any order.\n\n"
      "Examples:\n"
      "  z0 closure --tenant tenant_acme\n"
      "  z0 closure --from 1d --to 10m --fail-on-orphan\n");
  command->callback(
      [options, &context] { context.exit_code = run_closure(connection_of(context), *options); });
}

}  // namespace z0::cli
