// z0 replication: how far the database has what the ledgers have, and whether it is the same.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "server/ledgers.hpp"
#include "z0/base/limits.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

constexpr std::size_t ledgers_shown = 50;

struct ReplicationOptions {
  std::string tenant;
  bool verify = false;
  bool json = false;
  bool csv = false;
  std::size_t together = 8;
};

// By status; one of a tenant, one of all.
struct Counts {
  std::int64_t ledgers = 0;
  std::int64_t proven = 0;
  std::int64_t behind = 0;
  std::int64_t broken = 0;
  std::int64_t facts = 0;
  std::int64_t replicated = 0;
  std::int64_t facts_left = 0;

  void add(const json& ledger) {
    const std::string status = text_of(ledger, "status");
    ++ledgers;
    proven += status == "proven" ? 1 : 0;
    behind += status == "behind" ? 1 : 0;
    broken += status == "broken" ? 1 : 0;
    const std::int64_t seq = integer_of(ledger, "seq");
    const std::int64_t there = integer_of(ledger, "replicated_seq");
    facts += seq;
    replicated += there;
    facts_left += std::max<std::int64_t>(0, seq - there);
  }
  json totals() const {
    return {{"ledgers", ledgers}, {"proven", proven}, {"behind", behind},
            {"broken", broken},   {"seq", facts},     {"replicated_seq", replicated}};
  }
};

std::string status_words(const std::string& status) {
  if (status == "proven") return coloured(status, Colour::green);
  return coloured(status, status == "broken" ? Colour::red : Colour::yellow);
}

void add_counts(Table& table, const std::string& name, const Counts& c) {
  table.add({name, grouped(c.ledgers), grouped(c.proven), grouped(c.behind), grouped(c.broken),
             grouped(c.facts), grouped(c.facts_left)});
}

// Every tenant, and the ledgers that somebody should look at: all, where there are few.
void print_ledgers(const std::vector<json>& ledgers, const Counts& all) {
  std::map<std::string, Counts> tenants;
  for (const json& ledger : ledgers) tenants[text_of(ledger, "tenant_id")].add(ledger);
  Table sums({"tenant", ">ledgers", ">proven", ">behind", ">broken", ">facts", ">not in D1"});
  for (const auto& [tenant, counts] : tenants) add_counts(sums, tenant, counts);
  if (tenants.size() > 1) add_counts(sums, "all", all);
  if (sums.empty()) return void(std::puts("there are no ledgers"));
  std::printf("%s\n", sums.text().c_str());

  const bool few = ledgers.size() <= ledgers_shown;
  Table table({"ledger", "tenant", ">seq", ">seq in D1", "root", "root in D1", "status"});
  std::size_t shown = 0;
  for (const json& ledger : ledgers) {
    const std::string status = text_of(ledger, "status");
    if ((!few && status == "proven") || shown == ledgers_shown) continue;
    ++shown;
    table.add({text_of(ledger, "entity_id"), text_of(ledger, "tenant_id"), text_of(ledger, "seq"),
               text_of(ledger, "replicated_seq"), text_of(ledger, "root").substr(0, 16),
               text_of(ledger, "replicated_root").substr(0, 16), status_words(status)});
  }
  if (!table.empty()) std::fputs(table.text().c_str(), stdout);
}

struct Verified {
  std::mutex mutex;
  std::int64_t checked = 0;
  std::int64_t repaired = 0;
  json missing = json::array();    // {entity_id, seq}
  json differing = json::array();  // {entity_id, seq, fields}

  std::int64_t found() const {
    return static_cast<std::int64_t>(missing.size() + differing.size());
  }
};

void verify(Api& api, const LedgerName& ledger, LedgerProgress& progress, Verified& verified) {
  const std::string path = ledger_path(ledger.entity_id, "verify");
  for (std::string from = "1"; !from.empty();) {
    if (interrupted()) throw Failure("interrupted at fact " + from);
    const json step = api.post(path_with_query(path, {{"from_seq", from}}));
    progress.facts(integer_of(step, "checked"));
    const std::lock_guard lock(verified.mutex);
    verified.checked += integer_of(step, "checked");
    verified.repaired += integer_of(step, "repaired");
    for (const json& seq : step.value("missing", json::array()))
      verified.missing.push_back({{"entity_id", ledger.entity_id}, {"seq", seq}});
    for (json differing : step.value("differing", json::array())) {
      differing["entity_id"] = ledger.entity_id;
      verified.differing.push_back(std::move(differing));
    }
    const std::string next = text_of(step, "next_seq");
    if (next == from) throw Failure("the server does not get past fact " + from);
    from = next;
  }
  progress.ledger_done();
}

void print_verified(const Verified& v) {
  Table table({"ledger", ">seq", "in D1"});
  for (const json& fact : v.missing)
    table.add({text_of(fact, "entity_id"), text_of(fact, "seq"), "missing"});
  for (const json& fact : v.differing) {
    table.add({text_of(fact, "entity_id"), text_of(fact, "seq"),
               "differs in " + fact.value("fields", json::array()).dump()});
  }
  if (!table.empty()) std::printf("\n%s", table.text().c_str());
  std::printf(
      "\n%s facts compared: %s missing, %s differing, %s repaired\n", grouped(v.checked).c_str(),
      grouped(static_cast<std::int64_t>(v.missing.size())).c_str(),
      grouped(static_cast<std::int64_t>(v.differing.size())).c_str(), grouped(v.repaired).c_str());
}

std::vector<LedgerFailure> verify_all(const Connection& connection,
                                      const ReplicationOptions& options,
                                      const std::vector<json>& ledgers, Verified& verified) {
  std::vector<LedgerName> names;
  for (const json& ledger : ledgers)
    names.push_back({text_of(ledger, "entity_id"), text_of(ledger, "tenant_id")});
  LedgerProgress progress(names.size());
  auto failures = for_each_ledger(
      connection, names, options.together,
      [&](Api& own, const LedgerName& ledger) { verify(own, ledger, progress, verified); });
  progress.finish();
  return failures;
}

// The ledgers of which the database has heard. A page asks a hundred of them for their heads, so the
// directory's names are taken for ranges of a page each, and those are asked for several at a time.
// What the directory does not know lies in one of the ranges, too.
std::vector<json> heard_of(const Connection& connection, const ReplicationOptions& options,
                           const std::vector<LedgerName>& names) {
  std::vector<std::string> bounds;
  for (const LedgerName& name : names) bounds.push_back(name.entity_id);
  std::sort(bounds.begin(), bounds.end());
  constexpr auto page = static_cast<std::size_t>(limits::page_ledgers_max);
  // Less than a page each: behind a full one there could be another.
  const std::size_t ranges = bounds.size() / page + 1;
  const auto bound = [&](std::size_t range) {
    return range == 0 || range == ranges ? std::string() : bounds[range * bounds.size() / ranges];
  };
  std::vector<std::vector<json>> found(ranges);
  std::vector<std::string> failures(ranges);
  side_by_side(connection, ranges, options.together, [&](Api& own, std::size_t range) {
    try {
      if (interrupted()) throw Failure("interrupted");
      own.each("/v1/replication",
               {{"tenant", options.tenant}, {"after", bound(range)}, {"until", bound(range + 1)}},
               "ledgers", [&](const json& ledger) {
                 found[range].push_back(ledger);
                 return true;
               });
    } catch (const std::exception& error) {
      failures[range] = error.what();
    }
  });
  for (const std::string& failure : failures) {
    if (!failure.empty()) throw Failure(failure);
  }
  std::vector<json> ledgers;
  for (auto& range : found) std::move(range.begin(), range.end(), std::back_inserter(ledgers));
  return ledgers;
}

// Ledgers of which the database has heard nothing, which is all of them right after it was lost. Each
// is asked for its head, several at a time.
std::vector<json> unheard_of(const Connection& connection, const ReplicationOptions& options,
                             std::vector<LedgerName> names, const std::vector<json>& heard_of) {
  std::set<std::string> known;
  for (const json& ledger : heard_of) known.insert(text_of(ledger, "entity_id"));
  std::vector<LedgerName> unknown;
  for (LedgerName& name : names) {
    if (!known.contains(name.entity_id)) unknown.push_back(std::move(name));
  }
  std::mutex mutex;
  std::map<std::string, json> ledgers;  // in order, whoever answers first
  const auto failures =
      for_each_ledger(connection, unknown, options.together, [&](Api& own, const LedgerName& name) {
        const auto head = own.find("/v1/entities/" + url_escaped(name.entity_id));
        if (!head) return;  // no fact of it was ever recorded
        const std::lock_guard lock(mutex);
        ledgers[name.entity_id] = {{"entity_id", name.entity_id},
                                   {"tenant_id", name.tenant_id},
                                   {"seq", integer_of(*head, "seq")},
                                   {"root", text_of(*head, "root")},
                                   {"replicated_seq", 0},
                                   {"replicated_root", nullptr},
                                   {"status", "behind"}};
      });
  if (!failures.empty()) throw Failure(failures.front().entity_id + ": " + failures.front().reason);
  std::vector<json> in_order;
  for (auto& [name, ledger] : ledgers) in_order.push_back(std::move(ledger));
  return in_order;
}

int run_replication(const Connection& connection, const ReplicationOptions& options) {
  Api api(connection);
  Selection selection;
  selection.tenant = options.tenant;
  std::vector<LedgerName> names = ledgers_of(api, selection, true);
  std::vector<json> ledgers = heard_of(connection, options, names);
  for (json& ledger : unheard_of(connection, options, std::move(names), ledgers))
    ledgers.push_back(std::move(ledger));
  Counts all;
  for (const json& ledger : ledgers) all.add(ledger);
  if (options.csv) {
    std::fputs(csv_of(ledgers, {"entity_id", "tenant_id", "seq", "replicated_seq", "root",
                                "replicated_root", "status"})
                   .c_str(),
               stdout);
  } else if (!options.json) {
    print_ledgers(ledgers, all);
  }
  Verified verified;
  std::vector<LedgerFailure> failures;
  if (options.verify) failures = verify_all(connection, options, ledgers, verified);
  if (options.json) {
    json summary = {{"ledgers", ledgers}, {"totals", all.totals()}};
    if (options.verify) {
      summary["verified"] = {{"checked", verified.checked},
                             {"missing", verified.missing},
                             {"differing", verified.differing},
                             {"repaired", verified.repaired},
                             {"failures", failures.size()}};
    }
    std::printf("%s\n", summary.dump(1).c_str());
  } else if (options.verify && !options.csv) {
    print_verified(verified);
  }
  print_failures(failures);
  const bool well = all.broken == 0 && failures.empty() && verified.found() <= verified.repaired;
  return well ? exit_ok : exit_failed;
}

}  // namespace

void add_replication(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ReplicationOptions>();
  CLI::App* command =
      app.add_subcommand("replication", "Whether the database has what the ledgers have");
  command->add_option("--tenant", options->tenant, "Only this tenant");
  command->add_flag("--verify", options->verify,
                    "Compare every fact, field by field, and repair what differs");
  command->add_option("--together", options->together, "Ledgers side by side")
      ->check(CLI::Range(std::size_t{1}, std::size_t{32}))
      ->capture_default_str();
  add_formats(command, options->json, options->csv);
  command->footer(
      "proven: seq and root in the database are the ledger's. behind: facts are on their way.\n"
      "broken: the roots differ, see `z0 rebuild`. Exit code 1 when a ledger is broken, or when\n"
      "--verify found what it could not repair.\n\n"
      "Examples:\n"
      "  z0 replication\n"
      "  z0 replication --tenant tenant_acme --verify\n");
  command->callback([options, &context] {
    catch_interrupts();
    context.exit_code = run_replication(connection_of(context), *options);
  });
}

}  // namespace z0::cli
