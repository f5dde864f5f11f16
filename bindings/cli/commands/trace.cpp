// z0 trace: the latest traces, or one of them as a waterfall with its facts and its money.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "server/settings.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

struct TraceOptions {
  std::string trace_id;
  std::string tenant, operation, money, from, to;
  std::size_t min_ms = 0;
  std::size_t limit = 20;
  bool error = false;
  bool json = false;
  bool csv = false;
};

constexpr std::size_t name_width_max = 52;
constexpr std::size_t bar_width_min = 20;
constexpr std::size_t bar_width_max = 60;

// "12.3 ms"; a duration that the clock did not see has no number.
std::string span_duration(const json& span) {
  const auto found = span.find("duration_us");
  if (found == span.end() || !found->is_number()) return "not seen";
  const std::int64_t us = integer_of(*found);
  if (us == 0) return "< 1 ms";
  char text[32];
  if (us < 1'000'000)
    std::snprintf(text, sizeof text, us < 10'000 ? "%.1f ms" : "%.0f ms",
                  static_cast<double>(us) / 1'000);
  else
    std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(us) / 1'000'000);
  return text;
}

// Where a span lies between the first start and the last end, in columns.
std::string bar_of(const json& span, std::int64_t from, std::int64_t to, std::size_t width) {
  const auto column = [&](std::int64_t us) {
    const double share =
        static_cast<double>(us - from) / static_cast<double>(std::max(to - from, std::int64_t{1}));
    return std::min(width - 1, static_cast<std::size_t>(share * static_cast<double>(width)));
  };
  const std::size_t first = column(integer_of(span, "start_us"));
  const std::size_t last = std::max(
      first, column(std::max(integer_of(span, "end_us") - 1, integer_of(span, "start_us"))));
  return bar_between(first, last, width, text_of(span, "clock") != "stood");
}

// What a span says beside its name: what went wrong, whose it was, what became of the money.
std::string remarks(const json& span) {
  std::string out;
  const auto add = [&out](const std::string& text) {
    if (!text.empty()) out += (out.empty() ? "" : "  ") + text;
  };
  add(text_of(span, "error_code"));
  add(text_of(span, "message"));
  if (const std::string money = text_of(span, "money"); !money.empty()) add("money " + money);
  add(text_of(span, "entity_id"));
  return out;
}

void print_spans(const json& spans) {
  if (spans.empty()) return;
  std::int64_t from = integer_of(spans[0], "start_us");
  std::int64_t to = from;
  std::size_t names = 0;
  for (const json& span : spans) {
    from = std::min(from, integer_of(span, "start_us"));
    to = std::max(to, integer_of(span, "end_us"));
    const auto indent = static_cast<std::size_t>(2 * integer_of(span, "depth"));
    names = std::max(names, std::min(name_width_max, indent + text_of(span, "name").size()));
  }
  const std::size_t columns = terminal_columns(1);
  const std::size_t rest = columns > names + 14 ? columns - names - 14 : 0;
  const std::size_t width = std::clamp(rest / 2, bar_width_min, bar_width_max);
  for (const json& span : spans) {
    const auto indent = static_cast<std::size_t>(2 * integer_of(span, "depth"));
    std::string name =
        std::string(std::min(indent, name_width_max / 2), ' ') + text_of(span, "name");
    if (name.size() > names) name.resize(names);
    const bool failed = text_of(span, "status") == "error";
    const Colour colour = failed ? Colour::red : Colour::plain;
    std::printf(
        "%s %s %s  %s\n", coloured(padded_right(name, names), colour).c_str(),
        padded_left(span_duration(span), 9).c_str(),
        coloured(bar_of(span, from, to, width), failed ? Colour::red : Colour::green).c_str(),
        coloured(remarks(span), Colour::dim).c_str());
  }
}

void print_facts(const json& answer) {
  const json facts = answer.value("facts", json::array());
  if (!facts.empty()) {
    Table table({"fact", "", "ledger", ">amount", "", "error"});
    for (const json& fact : facts)
      table.add({text_of(fact, "id"), text_of(fact, "type"), text_of(fact, "entity_id"),
                 amount_of(fact), text_of(fact, "status"), text_of(fact, "error_code")});
    std::printf("\n%s", table.text().c_str());
  }
  const json money = object_of(answer, "money");
  for (const char* what : {"moved", "failed"}) {
    for (const json& sum : money.value(what, json::array()))
      std::printf("\n%s %s in %s %ss", what, amount_of(sum).c_str(),
                  grouped(integer_of(sum, "count")).c_str(), text_of(sum, "type").c_str());
  }
  if (!money.value("moved", json::array()).empty() || !money.value("failed", json::array()).empty())
    std::printf("\n");
}

void print_missing(const json& answer) {
  const json missing = object_of(answer, "missing");
  std::string out;
  if (const auto parents = missing.value("parents", json::array()); !parents.empty())
    out += "The callers of " + grouped(static_cast<std::int64_t>(parents.size())) +
           " spans did not tell z0 of theirs.\n";
  if (const auto stood = integer_of(missing, "durations"); stood > 0)
    out += "The clock stood still during " + grouped(stood) +
           " spans: how long they took is not known.\n";
  if (missing.value("more_spans", false)) out += "There are more spans than are shown.\n";
  if (missing.value("open", false)) out += "Spans may still come.\n";
  for (const json& span : answer.value("linked", json::array()))
    out += "Linked: " + text_of(span, "name") + " of trace " + text_of(span, "trace_id") + "\n";
  if (!out.empty()) std::printf("\n%s", coloured(out, Colour::dim).c_str());
}

int show_trace(const Connection& connection, const TraceOptions& options) {
  Api api(connection);
  const json answer = api.get("/v1/traces/" + options.trace_id);
  if (options.json) {
    std::printf("%s\n", answer.dump(1).c_str());
    return exit_ok;
  }
  std::printf("trace %s, %s\n\n", text_of(answer, "trace_id").c_str(),
              time_words(integer_of(answer, "start_us") / 1'000).c_str());
  print_spans(answer.value("spans", json::array()));
  print_facts(answer);
  print_missing(answer);
  return exit_ok;
}

int list_traces(const Connection& connection, const TraceOptions& options) {
  Api api(connection);
  std::vector<json> traces;
  const json last = api.each("/v1/traces",
                             {{"tenant", options.tenant},
                              {"operation", options.operation},
                              {"min_ms", options.min_ms == 0 ? "" : std::to_string(options.min_ms)},
                              {"error", options.error ? "true" : ""},
                              {"money", options.money},
                              {"from", time_parameter(options.from, "--from")},
                              {"to", time_parameter(options.to, "--to")},
                              {"limit", std::to_string(std::min<std::size_t>(options.limit, 200))}},
                             "traces", [&](const json& trace) {
                               traces.push_back(trace);
                               return traces.size() < options.limit;
                             });
  if (options.json) {
    std::printf(
        "%s\n",
        json{{"traces", traces}, {"sampling", object_of(last, "sampling")}}.dump(1).c_str());
    return exit_ok;
  }
  if (options.csv) {
    std::fputs(csv_of(traces, {"trace_id", "operation", "service", "start_us", "duration_us",
                               "spans", "errors", "error_code", "money", "one_in"})
                   .c_str(),
               stdout);
    return exit_ok;
  }
  if (traces.empty()) {
    std::puts("no trace that was kept is like that");
    return exit_ok;
  }
  Table table(
      {"trace", "began", ">took", "operation", "service", ">spans", ">errors", "money", "error"});
  for (const json& trace : traces)
    table.add({text_of(trace, "trace_id"), time_words(integer_of(trace, "start_us") / 1'000),
               span_duration(trace), text_of(trace, "operation"), text_of(trace, "service"),
               grouped(integer_of(trace, "spans")), grouped(integer_of(trace, "errors")),
               text_of(trace, "money") == "none" ? "" : text_of(trace, "money"),
               text_of(trace, "error_code")});
  std::fputs(table.text().c_str(), stdout);
  return exit_ok;
}

}  // namespace

void add_trace(CLI::App& app, Context& context) {
  const auto options = std::make_shared<TraceOptions>();
  CLI::App* command =
      app.add_subcommand("trace", "The latest traces, or one as a waterfall with its money");
  command->add_option("TRACE_ID", options->trace_id, "32 hexadecimal digits");
  command->add_option("--tenant", options->tenant, "Only of this tenant");
  command->add_option("--operation", options->operation, "Only with this root");
  command->add_option("--min-ms", options->min_ms, "Only those that took so long");
  command->add_flag("--error", options->error, "Only those with an error");
  command->add_option("--money", options->money, "Only those that did this to money")
      ->check(CLI::IsMember({"moved", "failed", "any"}));
  command->add_option("--from", options->from, "From this time: 2026-03-31T10:15, or 1h ago");
  command->add_option("--to", options->to, "Up to this time");
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}))
      ->capture_default_str();
  add_formats(command, options->json, options->csv);
  command->footer(
      "A trace is listed some seconds after its last span, when it has been kept.\n\n"
      "Examples:\n"
      "  z0 trace --money failed --from 1h\n"
      "  z0 trace 4bf92f3577b34da6a3ce929d0e0e4736\n");
  command->callback([options, &context] {
    const Connection connection = connection_of(context);
    context.exit_code = options->trace_id.empty() ? list_traces(connection, *options)
                                                  : show_trace(connection, *options);
  });
}

}  // namespace z0::cli
