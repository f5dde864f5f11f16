// z0 replay: sends a recording.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <random>

#include "base/failure.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "base/times.hpp"
#include "commands/commands.hpp"
#include "sending/lane.hpp"
#include "sending/recording.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"

namespace z0::cli {
namespace {

struct ReplayOptions {
  std::string file;
  std::size_t batch = 500;
  std::size_t concurrency = 1;
  RetryPolicy retry;
  bool json = false;
};

constexpr std::size_t lines_shown = 20;

// The sums, the lines that were not taken, and the progress line, shared by the lanes.
class Progress {
 public:
  explicit Progress(std::uint64_t bytes_total) : bytes_total_(bytes_total) {}

  void settled(const Submission& submission, const Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    tally_.add(outcome);
    if (outcome.kind == Kind::refused || outcome.kind == Kind::failed) {
      lost_.emplace(submission.line, outcome);
      if (lost_.size() > lines_shown) lost_.erase(std::prev(lost_.end()));
    }
    // The payload is what counts towards the end; the envelope around it is a guess that averages
    // out.
    bytes_sent_ += submission.payload.size() + 1;
    if (line_.due())
      line_.draw(progress_words(bytes_done(), bytes_total_, tally_.total, seconds()));
  }

  void waiting(std::int64_t ms, const std::string& why) {
    const std::lock_guard lock(mutex_);
    line_.draw(why + "; trying again in " + duration_words(static_cast<double>(ms) / 1000));
  }

  void read(std::uint64_t recording_bytes, std::uint64_t payload_bytes) {
    const std::lock_guard lock(mutex_);
    recording_bytes_ = recording_bytes;
    payload_bytes_ += payload_bytes;
  }

  void finish() {
    const std::lock_guard lock(mutex_);
    line_.clear();
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  const Tally& tally() const { return tally_; }

  // The first lines that were refused or failed, by name; what became of the others is a number.
  void print_lost(const std::string& file) const {
    for (const auto& [line, outcome] : lost_)
      std::fprintf(stderr, "%s\n", outcome_words(line, outcome, 2).c_str());
    const std::int64_t more =
        tally_.refused + tally_.failed - static_cast<std::int64_t>(lost_.size());
    if (more <= 0) return;
    std::fprintf(stderr, "and %s lines more%s\n", grouped(more).c_str(),
                 file == "-" ? "" : (": `z0 check " + file + "` shows them all").c_str());
  }

 private:
  // Bytes of the recording that are behind us, by the share of what was read that is settled.
  std::uint64_t bytes_done() const {
    if (payload_bytes_ == 0) return 0;
    return static_cast<std::uint64_t>(static_cast<double>(recording_bytes_) *
                                      static_cast<double>(bytes_sent_) /
                                      static_cast<double>(payload_bytes_));
  }

  std::mutex mutex_;
  Tally tally_;
  std::map<std::size_t, Outcome> lost_;  // by line
  StatusLine line_;
  std::uint64_t bytes_total_;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t recording_bytes_ = 0;
  std::uint64_t payload_bytes_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Ids for the facts of a recording that have none, as z0 would make them: then a line that is tried
// again within this run is recorded once.
class Namer {
 public:
  void name(Submission& submission) {
    if (!submission.nameless) return;
    ++named_;
    give_id(submission, "fact_" + ulid(now_ms(), random_, named_));
  }
  std::uint64_t named() const { return named_; }

 private:
  static std::string random_bytes() {
    std::random_device source;
    std::string bytes;
    while (bytes.size() < 10) bytes += static_cast<char>(source());
    return bytes;
  }

  std::string random_ = random_bytes();
  std::uint64_t named_ = 0;
};

// What to do with a recording that was not sent to its end.
std::string again_words(const Namer& namer) {
  if (namer.named() == 0) return "replay the file again, what is recorded stays recorded\n";
  return "what is recorded stays recorded; to replay the file again would record its lines without "
         "an id twice, so give them ids first\n";
}

Sender make_sender(const Connection& connection, const RetryPolicy& policy, Progress& progress) {
  const auto http = std::make_shared<Http>(connection);
  const auto random = std::make_shared<std::mt19937>(std::random_device{}());
  SenderHost host;
  host.exchange = [http](const Request& request) { return http->exchange(request); };
  host.settled = [&progress](const Submission& submission, const Outcome& outcome) {
    progress.settled(submission, outcome);
  };
  host.wait = [&progress](std::int64_t ms, const std::string& why) {
    progress.waiting(ms, why);
    return sleep_ms(ms);
  };
  host.random = [random] { return std::uniform_real_distribution<double>(0, 1)(*random); };
  return {std::move(host), policy};
}

int run_replay(const Connection& connection, const ReplayOptions& options) {
  Recording recording(options.file);
  Progress progress(recording.bytes_total());
  Namer namer;
  bool ended = true;
  {
    Lanes lanes(
        options.concurrency, options.batch, limits::body_bytes_max,
        [&] { return make_sender(connection, options.retry, progress); }, interrupted);
    while (!interrupted()) {
      auto submission = recording.next();
      if (!submission) break;
      namer.name(*submission);
      progress.read(recording.bytes_read(), submission->payload.size() + 1);
      if (!lanes.add(std::move(*submission))) break;
    }
    ended = lanes.finish();
  }
  progress.finish();

  const Tally& tally = progress.tally();
  const bool complete = ended && !interrupted();
  if (options.json) {
    nlohmann::json summary = tally_json(tally, progress.seconds());
    if (!complete) summary["interrupted"] = true;
    std::printf("%s\n", summary.dump().c_str());
  } else {
    std::fputs(tally_words(tally, progress.seconds()).c_str(), stdout);
  }
  progress.print_lost(options.file);
  const bool nothing = tally.total > 0 && tally.refused + tally.failed == tally.total;
  if (nothing && tally.refused > 0) {
    std::fprintf(stderr,
                 "z0: no line of %s was taken: it is no recording, or one for another z0. A line "
                 "is {\"tenant\": ..., \"fact\": {...}} or a plain fact\n",
                 options.file.c_str());
  }
  if (!ended && !interrupted()) {
    std::fprintf(stderr, "z0: stopped, because %s stopped answering: %s", connection.url.c_str(),
                 again_words(namer).c_str());
  } else if (!complete) {
    std::fprintf(stderr, "z0: interrupted: %s", again_words(namer).c_str());
  }
  return complete && tally.failed == 0 && !nothing ? exit_ok : exit_failed;
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App* command = app.add_subcommand("replay", "Send a recording, one submission a line");
  command
      ->add_option("FILE", options->file,
                   "The recording (NDJSON, gzip as well), or - for the standard input")
      ->required();
  command->add_option("--batch", options->batch, "Facts in a request")
      ->check(CLI::Range(std::size_t{1}, limits::facts_per_request_max))
      ->capture_default_str();
  command
      ->add_option("--concurrency", options->concurrency,
                   "Requests side by side; facts of one entity keep their order")
      ->check(CLI::Range(std::size_t{1}, std::size_t{64}))
      ->capture_default_str();
  command->add_option("--retries", options->retry.retries, "How often a line is tried again")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command
      ->add_option("--pause", options->retry.pause_ms_first,
                   "The first pause before a retry, in ms; each next one is twice as long")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{60'000}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "The summary as JSON");
  command->footer(
      "A line is {\"tenant\": ..., \"fact\": {...}} or a plain fact. Conflicts and refusals are "
      "answers\n"
      "and no failures; the lines that were refused are named. The exit code is 1 when a line got "
      "no\n"
      "answer, and when no line at all was taken.\n\n"
      "Examples:\n"
      "  z0 replay day.ndjson\n"
      "  z0 replay day.ndjson --concurrency 4 --json\n"
      "  tail -n 100 day.ndjson | z0 replay -\n");
  command->callback([options, &context] {
    catch_interrupts();
    context.exit_code = run_replay(connection_of(context), *options);
  });
}

}  // namespace z0::cli
