// z0 step: takes recorded frames through the core again and says in words what it does.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/failure.hpp"
#include "base/files.hpp"
#include "base/terminal.hpp"
#include "commands/commands.hpp"
#include "native/core_host.hpp"
#include "native/frames.hpp"

namespace z0::cli {
namespace {

struct StepOptions {
  std::string file = "-";
};

void print_steps(const std::vector<std::string>& frames) {
  const Stepper step = core_stepper();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const std::string title =
        "frame " + std::to_string(i + 1) + " of " + std::to_string(frames.size());
    std::printf("%s, %zu bytes\n", coloured(title, Colour::bold).c_str(), frames[i].size());
    std::printf("%s\n", words_of_frame(frames[i]).c_str());
    std::fflush(stdout);  // it must be out when the step traps
    std::printf("%s\n", step(signed_again(frames[i])).c_str());
  }
  std::fflush(stdout);
}

// What the child's exit says. Neither number is one that a trap or a sanitizer ends a process with.
constexpr int steps_taken = 100;
constexpr int steps_refused = 101;

int take_steps(const std::vector<std::string>& frames) {
  try {
    print_steps(frames);
    return close_output() ? steps_taken : steps_refused;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "z0: %s\n", error.what());
    return steps_refused;
  }
}

// A trap ends the process that it happens in, which is what this command is there to show; so the
// steps are taken in a child.
int run_step(const StepOptions& options) {
  const std::vector<std::string> frames = frames_in(contents_of(options.file));
  if (frames.empty()) {
    throw Failure("no frame in there: give a log with z0.trap lines, base64, or a frame's bytes",
                  exit_usage);
  }
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) throw Failure("the system has no process left for the steps: try again later");
  if (child == 0) std::_Exit(take_steps(frames));
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == steps_taken) return exit_ok;
  if (WIFEXITED(status) && WEXITSTATUS(status) == steps_refused) return exit_failed;
  throw Failure("the core trapped in the last frame above: a debugger on `z0 step` shows where");
}

}  // namespace

void add_step(CLI::App& app, Context& context) {
  const auto options = std::make_shared<StepOptions>();
  CLI::App* command = app.add_subcommand("step", "Take recorded frames through the core again");
  command->add_option("FILE", options->file, "A log with z0.trap lines, base64, or a frame's bytes")
      ->capture_default_str();
  command->footer("Examples:\n  z0 step crash.log\n  npx wrangler tail --format json | z0 step\n");
  command->callback([options, &context] { context.exit_code = run_step(*options); });
}

}  // namespace z0::cli
