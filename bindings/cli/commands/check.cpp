// z0 check: what a recording would get, line by line, without a server.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "native/core_host.hpp"
#include "sending/recording.hpp"
#include "sending/send.hpp"
#include "z0/base/limits.hpp"

namespace z0::cli {
namespace {

struct CheckOptions {
  std::string file;
  bool all = false;
  bool json = false;
  bool csv = false;
};

const std::vector<std::string> csv_members = {"line", "outcome", "status",  "entity_id",
                                              "seq",  "field",   "message", "action"};

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::recorded:
      return "recorded";
    case Kind::duplicate:
      return "duplicate";
    case Kind::conflict:
      return "conflict";
    case Kind::refused:
      return "refused";
    case Kind::failed:
      return "failed";
  }
  return "";
}

nlohmann::ordered_json json_of(const Submission& submission, const Outcome& outcome) {
  nlohmann::ordered_json line{
      {"line", submission.line}, {"outcome", name_of(outcome.kind)}, {"status", outcome.status}};
  if (!submission.entity_id.empty()) line["entity_id"] = submission.entity_id;
  if (outcome.seq > 0) line["seq"] = outcome.seq;
  if (!outcome.field.empty()) line["field"] = outcome.field;
  if (!outcome.message.empty()) line["message"] = outcome.message;
  if (!outcome.action.empty()) line["action"] = outcome.action;
  return line;
}

void print(const CheckOptions& options, const Submission& submission, const Outcome& outcome) {
  if (outcome.kind == Kind::recorded && !options.all) return;
  if (!options.json && !options.csv) {
    std::printf("%s\n", outcome_words(submission.line, outcome, 1).c_str());
    return;
  }
  // Bytes that are no UTF-8 can come back in a message; they are shown as what they are not.
  const std::string line =
      json_of(submission, outcome).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::fputs(options.json ? (line + '\n').c_str()
                          : csv_row_of(nlohmann::json::parse(line), csv_members).c_str(),
             stdout);
}

int run_check(const CheckOptions& options) {
  catch_interrupts();
  const auto begin = std::chrono::steady_clock::now();
  Recording recording(options.file);
  if (options.csv) std::fputs(csv_row(csv_members).c_str(), stdout);
  Tally tally;
  SenderHost host;
  host.exchange = offline_z0();
  host.settled = [&](const Submission& submission, const Outcome& outcome) {
    tally.add(outcome);
    print(options, submission, outcome);
  };
  host.wait = [](std::int64_t, const std::string&) { return !interrupted(); };
  host.random = [] { return 0.5; };
  Sender sender(host, {});
  Batcher batcher(limits::facts_per_request_max, limits::body_bytes_max);
  while (!interrupted()) {
    auto submission = recording.next();
    if (!submission) break;
    sender.send(batcher.add(std::move(*submission)));
  }
  sender.send(batcher.take());

  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (options.json) {
    std::printf("%s\n", tally_json(tally, seconds).dump().c_str());
  } else if (!options.csv) {
    std::fputs(tally_words(tally, seconds).c_str(), stdout);
  }
  const bool clean = tally.conflict == 0 && tally.refused == 0 && tally.failed == 0;
  return clean && !interrupted() ? exit_ok : exit_failed;
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      app.add_subcommand("check", "What each line of a recording would get, without a server");
  command
      ->add_option("FILE", options->file,
                   "The recording (NDJSON, gzip as well), or - for the standard input")
      ->required();
  command->add_flag("--all", options->all, "Also the lines that are plainly recorded");
  add_formats(command, options->json, options->csv, "As NDJSON, the summary last");
  command->footer(
      "The lines meet the real core and empty ledgers, in memory. The exit code is 1 when a line "
      "is\n"
      "refused or in conflict; duplicates are fine.\n\n"
      "Examples:\n"
      "  z0 check day.ndjson\n"
      "  z0 check day.ndjson --json | jq 'select(.outcome == \"refused\")'\n"
      "  z0 check day.ndjson --csv > refused.csv\n");
  command->callback([options, &context] { context.exit_code = run_check(*options); });
}

}  // namespace z0::cli
