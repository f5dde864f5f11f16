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

struct ReportOptions {
  std::string tenant;
  bool settled = false;
  bool json = false;
  bool csv = false;
};

void print_titled(const char* title, const Table& table) {
  if (table.empty()) return;
  std::printf("%s\n%s\n", coloured(title, Colour::bold).c_str(), table.text().c_str());
}

// Whether an amount is of another currency than USD: then each row says which its own are of.
bool has_currencies(const json& lists) {
  return std::any_of(lists.begin(), lists.end(),
                     [](const json& sums) { return !object_of(sums, "other_currencies").empty(); });
}

Table table_of(std::vector<std::string> titles, bool currencies) {
  if (currencies) titles.emplace_back("currency");
  return Table(std::move(titles));
}

void add_amounts(Table& table, std::vector<std::string> cells,
                 const std::vector<std::int64_t>& amounts, const std::string& currency) {
  for (const std::int64_t amount : amounts) cells.push_back(money(amount, currency));
  cells.push_back(currency);  // a table without that column drops it
  table.add(std::move(cells));
}

// A row for each currency: nothing is added up across.
Table tenants_table(const json& report) {
  const json tenants = object_of(report, "tenants");
  Table table = table_of({"tenant", ">invocations", ">outcomes", ">charges", ">revenue", ">payouts",
                          ">costs", ">margin"},
                         has_currencies(tenants));
  const auto add = [&table](std::vector<std::string> cells, std::int64_t revenue,
                            std::int64_t payout, std::int64_t cost, const std::string& currency) {
    add_amounts(table, std::move(cells), {revenue, payout, cost, revenue - payout - cost},
                currency);
  };
  for (const auto& [tenant, sums] : tenants.items()) {
    add({tenant, grouped(integer_of(sums, "invocations")), grouped(integer_of(sums, "outcomes")),
         grouped(integer_of(sums, "charges"))},
        integer_of(sums, "revenue_cents"), integer_of(sums, "payout_cents"),
        integer_of(sums, "cost_cents"), "USD");
    const json others = object_of(sums, "other_currencies");
    for (const auto& [currency, other] : others.items()) {
      add({tenant, "", "", ""}, integer_of(other, "charge"), integer_of(other, "payout"),
          integer_of(other, "cost"), currency);
    }
  }
  return table;
}

// Accounts through which money went; the others would be rows of zeros.
Table accounts_table(const json& report) {
  const json accounts = object_of(report, "accounts");
  Table table = table_of({"account", ">deposited", ">credits", ">spent", ">remaining"},
                         has_currencies(accounts));
  const auto add = [&table](const std::string& account, const json& sums,
                            const std::string& currency) {
    const std::int64_t deposited = integer_of(sums, "deposited");
    const std::int64_t credits = integer_of(sums, "credits");
    const std::int64_t spent = integer_of(sums, "spent");
    if (deposited == 0 && credits == 0 && spent == 0) return;
    add_amounts(table, {account}, {deposited, credits, spent, integer_of(sums, "remaining")},
                currency);
  };
  for (const auto& [account, sums] : accounts.items()) {
    add(account, sums, "USD");
    const json others = object_of(sums, "other_currencies");
    for (const auto& [currency, other] : others.items()) add(account, other, currency);
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

int run_report(const Connection& connection, const ReportOptions& options) {
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
  const auto options = std::make_shared<ReportOptions>();
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
      [options, &context] { context.exit_code = run_report(connection_of(context), *options); });
}

}  // namespace z0::cli
