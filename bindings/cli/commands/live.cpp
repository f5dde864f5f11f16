// z0 live: what happens right now, redrawn every second.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
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

constexpr std::int64_t redraw_ms = 1'000;
constexpr std::size_t latest_shown = 12;

struct LiveOptions {
  bool once = false;
  bool json = false;
};

std::string band_words(const std::string& band) {
  if (band == "healthy") return coloured(band, Colour::green);
  return coloured(band, band == "degraded" ? Colour::yellow : Colour::red);
}

std::string rate_lines(const json& live) {
  std::vector<double> rates;
  for (const json& rate : live.value("facts_per_second", json::array())) {
    rates.push_back(rate.is_number() ? rate.get<double>() : 0);
  }
  const double last = rates.size() >= 2 ? rates[rates.size() - 2] : 0;  // the last whole second
  const double most = rates.empty() ? 0 : *std::max_element(rates.begin(), rates.end());
  const std::size_t columns = std::max<std::size_t>(terminal_columns(1), 40) - 2;
  return coloured("facts/s ", Colour::bold) + grouped(static_cast<std::int64_t>(last)) +
         coloured("   most " + grouped(static_cast<std::int64_t>(most)), Colour::dim) + "\n" +
         coloured(sparkline(rates, std::min<std::size_t>(columns, 120)), Colour::green) + "\n";
}

std::string totals_line(const json& live) {
  std::string out = coloured("10 min  ", Colour::bold);
  for (const char* name : {"recorded", "duplicate", "conflict", "refused", "failed"}) {
    out += std::string(name) + " " + grouped(integer_of(live, name)) + "   ";
  }
  return out + "\n";
}

std::string replication_line(const json& live) {
  const json to = object_of(live, "replication");
  return coloured("to D1   ", Colour::bold) + band_words(text_of(to, "band")) + "   lag " +
         grouped(integer_of(to, "lag_ms")) + " ms (p99 " + grouped(integer_of(to, "lag_p99_ms")) +
         ")   depth " + grouped(integer_of(to, "depth")) + "   oldest " +
         grouped(integer_of(to, "oldest_age_ms")) + " ms   failures " +
         grouped(integer_of(to, "failures")) + "   retries " + grouped(integer_of(to, "retries")) +
         "   dead letters " + grouped(integer_of(to, "dead_letters")) + "\n";
}

std::string types_line(const json& live) {
  std::string out = coloured("types   ", Colour::bold);
  const json types = object_of(live, "by_type");
  for (const auto& [type, count] : types.items()) {
    out += type + " " + grouped(integer_of(count)) + "   ";
  }
  return types.empty() ? std::string() : out + "\n";
}

std::string latest_table(const json& live) {
  Table table({"time (UTC)", "type", "entity", ">amount", "status"});
  std::size_t shown = 0;
  for (const json& fact : live.value("latest", json::array())) {
    if (!fact.is_object() || shown++ == latest_shown) break;
    const std::string subtype = text_of(fact, "subtype");
    table.add({time_words(integer_of(fact, "recorded_at")).substr(11),
               text_of(fact, "type") + (subtype.empty() ? "" : "/" + subtype),
               text_of(fact, "entity_id"),
               has_integer(fact, "amount")
                   ? amount_words(integer_of(fact, "amount"), text_of(fact, "currency"))
                   : "",
               text_of(fact, "status")});
  }
  return table.empty() ? std::string() : "\n" + table.text();
}

std::string screen(const json& live) {
  return rate_lines(live) + totals_line(live) + replication_line(live) + types_line(live) +
         latest_table(live);
}

int run_live(const Connection& connection, const LiveOptions& options) {
  Http http(connection);
  catch_interrupts();
  const bool redraw = is_terminal(1) && !options.once && !options.json;
  do {
    const json live = http.get("/v1/live");
    std::string text = options.json ? live.dump() + "\n" : screen(live);
    // Home, and erase line by line and below: a cleared screen would flicker.
    if (redraw) {
      for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 4) {
        text.insert(at, "\x1b[K");
      }
      text = "\x1b[H" + text + "\x1b[J";
    }
    std::fputs(text.c_str(), stdout);
    if (std::fflush(stdout) != 0) return exit_failed;  // main says what is wrong
  } while (!options.once && sleep_ms(redraw_ms));
  return exit_ok;
}

}  // namespace

void add_live(CLI::App& app, Context& context) {
  const auto options = std::make_shared<LiveOptions>();
  CLI::App* command = app.add_subcommand("live", "What happens right now, until Ctrl-C");
  command->add_flag("--once", options->once, "Once, and no more");
  command->add_flag("--json", options->json, "As NDJSON, one line a second");
  command->footer("Examples:\n  z0 live\n  z0 live --once --json | jq .replication\n");
  command->callback(
      [options, &context] { context.exit_code = run_live(connection_of(context), *options); });
}

}  // namespace z0::cli
