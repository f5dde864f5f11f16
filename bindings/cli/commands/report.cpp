// z0 report: the money by tenant and account.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct Options {
  std::string tenant;
  bool settled = false;
  bool json = false;
  bool csv = false;
};

void print_titled(const char* title, const Table& table) {
  if (table.empty()) return;
  std::printf("%s\n%s\n", coloured(title, Colour::bold).c_str(), table.text().c_str());
}

Table tenants_table(const json& report) {
  Table table({"tenant", ">invocations", ">outcomes", ">charges", ">revenue", ">payouts", ">costs",
               ">margin"});
  const json tenants = object_of(report, "tenants");
  for (const auto& [tenant, sums] : tenants.items()) {
    const std::int64_t revenue = integer_of(sums, "revenue_cents");
    const std::int64_t payout = integer_of(sums, "payout_cents");
    const std::int64_t cost = integer_of(sums, "cost_cents");
    table.add({tenant, grouped(integer_of(sums, "invocations")),
               grouped(integer_of(sums, "outcomes")), grouped(integer_of(sums, "charges")),
               money(revenue), money(payout), money(cost), money(revenue - payout - cost)});
  }
  return table;
}

// Accounts through which money went; the others would be rows of zeros.
Table accounts_table(const json& report) {
  Table table({"account", ">deposited", ">credits", ">spent", ">remaining"});
  const json accounts = object_of(report, "accounts");
  for (const auto& [account, sums] : accounts.items()) {
    const std::int64_t deposited = integer_of(sums, "deposited");
    const std::int64_t credits = integer_of(sums, "credits");
    const std::int64_t spent = integer_of(sums, "spent");
    if (deposited == 0 && credits == 0 && spent == 0) continue;
    table.add({account, money(deposited), money(credits), money(spent),
               money(integer_of(sums, "remaining"))});
  }
  return table;
}

Table assets_table(const json& report, std::size_t most) {
  Table table({"tenant", "asset", ">invocations"});
  const json tenants = object_of(report, "tenants");
  for (const auto& [tenant, sums] : tenants.items()) {
    std::vector<std::pair<std::int64_t, std::string>> assets;
    const json counts = object_of(sums, "top_assets");
    for (const auto& [asset, count] : counts.items()) {
      assets.emplace_back(integer_of(count), asset);
    }
    std::sort(assets.begin(), assets.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    if (assets.size() > most) assets.resize(most);
    for (const auto& [count, asset] : assets) table.add({tenant, asset, grouped(count)});
  }
  return table;
}

Table types_table(const json& report) {
  Table table({"type", ">recorded"});
  const json types = object_of(report, "recorded_by_type");
  for (const auto& [type, count] : types.items()) {
    table.add({type, grouped(integer_of(count))});
  }
  return table;
}

// Every number of the report in a row of its own, whatever members it has: a spreadsheet makes tables
// of that.
void add_numbers(const json& value, std::vector<std::string>& path, std::string& out) {
  if (value.is_object()) {
    for (const auto& [name, inner] : value.items()) {
      path.push_back(name);
      add_numbers(inner, path, out);
      path.pop_back();
    }
    return;
  }
  std::vector<std::string> cells = {path[0], path.size() > 2 ? path[1] : std::string(), ""};
  for (std::size_t i = path.size() > 2 ? 2 : 1; i < path.size(); ++i)
    cells[2] += (cells[2].empty() ? "" : ".") + path[i];
  cells.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  out += csv_row(cells);
}

// The report is read from D1, which follows the ledgers; right after a replay it is still behind.
// The monitor hears of facts a moment after they are recorded, so one look at an empty way is not
// enough.
void wait_until_settled(Http& http) {
  catch_interrupts();
  StatusLine line;
  for (int empty_looks = 0; empty_looks < 2;) {
    const std::int64_t depth = integer_of(object_of(http.get("/v1/live"), "replication"), "depth");
    empty_looks = depth == 0 ? empty_looks + 1 : 0;
    if (depth > 0)
      line.draw("waiting for " + grouped(depth) + " facts on their way to the database");
    if (!sleep_ms(300)) throw Failure("interrupted before all facts had arrived");
  }
}

int run(const Connection& connection, const Options& options) {
  Http http(connection);
  if (options.settled) wait_until_settled(http);
  const json report = http.get(path_with_query("/v1/report", {{"tenant", options.tenant}}));
  if (options.json) {
    std::printf("%s\n", report.dump(1).c_str());
    return exit_ok;
  }
  if (options.csv) {
    std::string rows = csv_row({"list", "of", "name", "value"});
    std::vector<std::string> path;
    add_numbers(report, path, rows);
    std::fputs(rows.c_str(), stdout);
    return exit_ok;
  }
  print_titled("Tenants", tenants_table(report));
  print_titled("Accounts", accounts_table(report));
  print_titled("Top assets", assets_table(report, options.tenant.empty() ? 1 : 20));
  print_titled("Facts", types_table(report));
  if (object_of(report, "tenants").empty()) {
    std::printf("nothing is recorded yet%s\n",
                options.tenant.empty() ? "" : (" for " + options.tenant).c_str());
  }
  return exit_ok;
}

}  // namespace

void add_report(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("report", "Money and counts, by tenant and account");
  command->add_option("--tenant", options->tenant, "Only this tenant");
  command->add_flag("--settled", options->settled,
                    "First wait until every recorded fact is in the database");
  add_formats(command, options->json, options->csv, "As JSON, keys sorted");
  command->footer(
      "Examples:\n"
      "  z0 report\n"
      "  z0 report --tenant tenant_acme\n"
      "  z0 report --settled --json > report.json\n");
  command->callback(
      [options, &context] { context.exit_code = run(connection_of(context), *options); });
}

}  // namespace z0::cli
