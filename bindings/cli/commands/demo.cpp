// z0 demo: makes up a day and sends it as it happens.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <random>

#include "base/failure.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "sending/send.hpp"
#include "sending/traffic.hpp"
#include "z0/base/limits.hpp"

namespace z0::cli {
namespace {

// How often what is due is sent: short enough to look live, long enough to make batches.
constexpr std::int64_t beat_ms = 200;

constexpr double facts_per_second_calm = 5;

struct DemoOptions {
  double speed = 10;
  double seconds = 0;
  bool json = false;
};

std::string status_words(const Tally& tally, double seconds) {
  return grouped(tally.recorded) + " recorded, " + grouped(tally.duplicate) + " duplicate, " +
         grouped(tally.conflict) + " conflict, " + grouped(tally.refused) + " refused, " +
         grouped(tally.failed) + " failed  " +
         grouped(std::llround(tally.facts_per_second(seconds))) + " facts/s  Ctrl-C ends it";
}

SendEnd send_lines(Sender& sender, const std::vector<std::string>& lines) {
  Batcher batcher(limits::facts_per_request_max, limits::body_bytes_max);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto submission = read_submission(lines[i], i + 1);
    const auto full = batcher.add(std::move(*submission));
    if (full.empty()) continue;
    if (const SendEnd end = sender.send(full); end != SendEnd::done) return end;
  }
  return sender.send(batcher.take());
}

int run_demo(const Connection& connection, const DemoOptions& options) {
  catch_interrupts();
  Http http(connection);
  StatusLine line;
  Tally tally;
  std::mt19937_64 random(std::random_device{}());
  SenderHost host;
  host.exchange = [&](const Request& request) { return http.exchange(request); };
  host.settled = [&](const Submission&, const Outcome& outcome) { tally.add(outcome); };
  host.wait = [&](std::int64_t ms, const std::string& why) {
    line.draw(why + "; trying again in " + duration_words(static_cast<double>(ms) / 1000));
    return sleep_ms(ms);
  };
  host.random = [&] { return std::uniform_real_distribution<double>(0, 1)(random); };
  Sender sender(host, {});

  const std::int64_t start_ms = now_ms();
  Traffic traffic(static_cast<std::uint64_t>(start_ms), start_ms,
                  facts_per_second_calm * options.speed);
  const auto seconds = [&] { return static_cast<double>(now_ms() - start_ms) / 1000; };
  SendEnd end = SendEnd::done;
  for (;;) {
    end = send_lines(sender, traffic.until(now_ms()));
    line.draw(status_words(tally, seconds()));
    const bool over = options.seconds > 0 && seconds() >= options.seconds;
    if (end != SendEnd::done || over || !sleep_ms(beat_ms)) break;
  }
  line.clear();
  if (options.json) {
    std::printf("%s\n", tally_json(tally, seconds()).dump().c_str());
  } else {
    std::fputs(tally_words(tally, seconds()).c_str(), stdout);
  }
  if (end == SendEnd::unreachable) {
    throw Failure(connection.url + " stopped answering: start ./scripts/dev again");
  }
  return tally.failed == 0 ? exit_ok : exit_failed;
}

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  const auto options = std::make_shared<DemoOptions>();
  CLI::App* command = app.add_subcommand("demo", "Make up a lively day and send it, until Ctrl-C");
  command->add_option("--speed", options->speed, "1 is calm, about 5 facts a second")
      ->check(CLI::Range(0.1, 1000.0))
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "Stop after so many seconds")
      ->check(CLI::PositiveNumber);
  command->add_flag("--json", options->json, "The summary as JSON");
  command->footer(
      "Eight tenants with buyers, publishers and phone numbers; a day's rise and fall passes in "
      "ten\n"
      "minutes. Some lines are duplicates, conflicts, refusals and failed calls, as in life.\n\n"
      "Examples:\n"
      "  z0 demo\n"
      "  z0 demo --speed 100 --seconds 60\n");
  command->callback(
      [options, &context] { context.exit_code = run_demo(connection_of(context), *options); });
}

}  // namespace z0::cli
