// z0 facts, z0 ledgers and z0 entity: what stands in the ledgers and in the database.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "z0/base/limits.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct FactsOptions {
  std::string entity;
  std::string tenant, types, status, trace_id, from, to;
  std::string from_seq;
  std::size_t limit = limits::page_facts_default;
  bool json = false;
  bool csv = false;
};

// All pages until the limit. `cursor` is the parameter that chooses the page, with its first value;
// `next` is the member of a page that brings the value for the page after it.
std::vector<json> read_pages(Http& http, const std::string& path, Parameters parameters,
                             std::pair<std::string, std::string> cursor, const char* next,
                             std::size_t limit) {
  std::vector<json> facts;
  parameters.emplace_back("limit", "");
  parameters.push_back(std::move(cursor));
  while (facts.size() < limit) {
    const std::size_t most = std::min(limit - facts.size(), limits::page_facts_max);
    (parameters.end() - 2)->second = std::to_string(most);
    const json page = http.get(path_with_query(path, parameters));
    const auto found = page.find("facts");
    if (found == page.end() || !found->is_array()) {
      throw Failure("what answers there is not z0: check --url");
    }
    for (const json& fact : *found) {
      if (facts.size() < limit) facts.push_back(fact);
    }
    parameters.back().second = text_of(page, next);
    // A page may be empty and still not be the last: a filter looked through its share in vain.
    if (parameters.back().second.empty()) break;
  }
  return facts;
}

std::vector<json> read_entity(Http& http, const FactsOptions& options) {
  const bool searches = !options.tenant.empty() || !options.status.empty() ||
                        !options.trace_id.empty() || !options.from.empty() || !options.to.empty();
  if (searches) {
    throw Failure(
        "with ENTITY only --type, --from-seq and --limit apply: leave ENTITY out to search",
        exit_usage);
  }
  return read_pages(http, "/v1/facts/" + url_escaped(options.entity), {{"types", options.types}},
                    {"from_seq", options.from_seq}, "next_seq", options.limit);
}

std::vector<json> search(Http& http, const FactsOptions& options) {
  if (!options.from_seq.empty()) {
    throw Failure("--from-seq counts within one ledger: name its ENTITY", exit_usage);
  }
  return read_pages(http, "/v1/facts",
                    {{"tenant", options.tenant},
                     {"type", options.types},
                     {"status", options.status},
                     {"trace_id", options.trace_id},
                     {"from", time_parameter(options.from, "--from")},
                     {"to", time_parameter(options.to, "--to")}},
                    {"cursor", ""}, "cursor", options.limit);
}

std::string type_of(const json& fact) {
  const std::string subtype = text_of(fact, "subtype");
  return text_of(fact, "type") + (subtype.empty() ? "" : "/" + subtype);
}

void print_facts(const std::vector<json>& facts) {
  Table table({"recorded (UTC)", "type", "entity", ">seq", ">amount", "status", "id", "trace"});
  for (const json& fact : facts) {
    const std::string at = has_integer(fact, "recorded_at")
                               ? time_words(integer_of(fact, "recorded_at"))
                               : std::string();
    table.add({at, type_of(fact), text_of(fact, "entity_id"), text_of(fact, "seq"), amount_of(fact),
               text_of(fact, "status"), text_of(fact, "id"), text_of(fact, "trace_id")});
  }
  if (table.empty()) {
    std::puts("no facts");
  } else {
    std::fputs(table.text().c_str(), stdout);
  }
}

int run_facts(const Connection& connection, const FactsOptions& options) {
  Http http(connection);
  const auto facts = options.entity.empty() ? search(http, options) : read_entity(http, options);
  if (options.json) {
    for (const json& fact : facts) std::printf("%s\n", fact.dump().c_str());
  } else if (options.csv) {
    std::fputs(csv_of(facts, {"id", "type", "subtype", "timestamp", "recorded_at", "tenant_id",
                              "entity_id", "seq", "source_id", "amount", "currency", "status",
                              "trace_id", "data"})
                   .c_str(),
               stdout);
  } else {
    print_facts(facts);
  }
  return exit_ok;
}

int run_ledgers(const Connection& connection, const FactsOptions& options) {
  Api api(connection);
  std::vector<json> ledgers;
  api.each("/v1/ledgers",
           {{"tenant", options.tenant}, {"limit", std::to_string(limits::page_facts_max)}},
           "ledgers", [&ledgers](const json& ledger) {
             ledgers.push_back(ledger);
             return true;
           });
  if (options.csv) {
    std::fputs(csv_of(ledgers, {"entity_id", "tenant_id"}).c_str(), stdout);
    return exit_ok;
  }
  Table table({"ledger", "tenant"});
  for (const json& ledger : ledgers) {
    if (options.json) std::printf("%s\n", ledger.dump().c_str());
    table.add({text_of(ledger, "entity_id"), text_of(ledger, "tenant_id")});
  }
  if (!options.json) std::fputs(ledgers.empty() ? "no ledgers\n" : table.text().c_str(), stdout);
  return exit_ok;
}

int run_entity(const Connection& connection, const FactsOptions& options) {
  Http http(connection);
  const json entity = http.get("/v1/entities/" + url_escaped(options.entity));
  if (options.json) {
    std::printf("%s\n", entity.dump(1).c_str());
    return exit_ok;
  }
  for (const auto& [name, value] : entity.items()) {
    if (name == "counts") continue;
    const bool time =
        name.size() > 3 && name.substr(name.size() - 3) == "_at" && value.is_number_integer();
    std::printf("%s %s\n", padded_right(name, 16).c_str(),
                time ? time_words(value.get<std::int64_t>()).c_str()
                     : text_of(entity, name.c_str()).c_str());
  }
  if (entity.contains("counts") && entity["counts"].is_object()) {
    for (const auto& [type, count] : entity["counts"].items()) {
      std::printf("%s %s\n", padded_right("  " + type, 16).c_str(), count.dump().c_str());
    }
  }
  return exit_ok;
}

}  // namespace

void add_facts(CLI::App& app, Context& context) {
  const auto options = std::make_shared<FactsOptions>();
  CLI::App* command = app.add_subcommand("facts", "Facts of a ledger, or found in the database");
  command->add_option("ENTITY", options->entity, "Read this entity's ledger, in order of seq");
  command->add_option("--tenant", options->tenant, "Only this tenant");
  command->add_option("--type", options->types,
                      "Only this type; with ENTITY a list like charge,cost");
  command
      ->add_option("--status", options->status,
                   "recorded, or failed: attempts that did not succeed")
      ->check(CLI::IsMember({"recorded", "failed"}));
  command->add_option("--trace-id", options->trace_id, "Only facts of this trace");
  command->add_option("--from", options->from,
                      "From this time: 2026-03-31T10:15, or 15m for 15 min ago");
  command->add_option("--to", options->to, "Up to this time");
  command->add_option("--from-seq", options->from_seq, "With ENTITY: from this number on");
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  add_formats(command, options->json, options->csv, "As NDJSON, a fact a line");
  command->footer(
      "Examples:\n"
      "  z0 facts acct_acme_buyer0\n"
      "  z0 facts --tenant tenant_acme --type charge --status failed --from 1h\n"
      "  z0 facts --trace-id 2abc5a2e5c0732a339b40fb2d7a43624 --json\n"
      "  z0 facts --type charge --limit 100000 --csv > charges.csv\n");
  command->callback(
      [options, &context] { context.exit_code = run_facts(connection_of(context), *options); });
}

void add_ledgers(CLI::App& app, Context& context) {
  const auto options = std::make_shared<FactsOptions>();
  CLI::App* command = app.add_subcommand("ledgers", "The ledgers there are, with their tenants");
  command->add_option("--tenant", options->tenant, "Only this tenant");
  add_formats(command, options->json, options->csv, "As NDJSON, a ledger a line");
  command->footer("Examples:\n  z0 ledgers --tenant tenant_acme\n  z0 ledgers --csv\n");
  command->callback(
      [options, &context] { context.exit_code = run_ledgers(connection_of(context), *options); });
}

void add_entity(CLI::App& app, Context& context) {
  const auto options = std::make_shared<FactsOptions>();
  CLI::App* command =
      app.add_subcommand("entity", "An entity: its owner, its ledger's head, its counts");
  command->add_option("ID", options->entity, "For example acct_acme_buyer0")->required();
  command->add_flag("--json", options->json, "As JSON");
  command->footer("Example:\n  z0 entity acct_acme_buyer0\n");
  command->callback(
      [options, &context] { context.exit_code = run_entity(connection_of(context), *options); });
}

}  // namespace z0::cli
