#include "campaign.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "simulation.hpp"

namespace z0::sim {
namespace {

constexpr std::size_t text_max = 2'000;

struct Failure {
  std::uint64_t seed = 0;
  char law[200] = {};
  char what[text_max] = {};
};

// What the processes share. Lock-free atomics work across processes.
struct Board {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> facts{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> faults{0};
  std::atomic<std::uint64_t> messages{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
  Failure failure;
};

template <class T>
class Shared {
 public:
  Shared() {
    void* at = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    value_ = new (at) T();
  }
  ~Shared() { munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() { return value_; }
  T& operator*() { return *value_; }

 private:
  T* value_;
};

void copy(char* to, std::size_t size, const std::string& from) {
  std::strncpy(to, from.c_str(), size - 1);
}

// False when a law was broken; then `failure` says which.
bool run_one(const Options& options, const std::string& d1_schema, Board* board, Failure& failure) {
  failure.seed = options.seed;
  try {
    Simulation simulation(options, d1_schema);
    simulation.run();
    if (board == nullptr) return true;
    const Totals& totals = simulation.totals();
    board->facts += totals.facts;
    board->requests += totals.requests;
    board->faults += totals.faults;
    board->messages += totals.messages;
    return true;
  } catch (const Broken& broken) {
    copy(failure.law, sizeof failure.law, broken.law);
    copy(failure.what, sizeof failure.what, broken.what());
  } catch (const world::Stuck& stuck) {
    copy(failure.law, sizeof failure.law, "every frame ends within its steps");
    copy(failure.what, sizeof failure.what, stuck.what());
  } catch (const std::exception& error) {
    copy(failure.law, sizeof failure.law, "the simulation goes on");
    copy(failure.what, sizeof failure.what, error.what());
  }
  return false;
}

void work(const Campaign& campaign, Board& board, std::atomic<std::uint64_t>& current) {
  while (!board.stop) {
    const std::uint64_t index = board.next++;
    if (campaign.seconds == 0 && index >= campaign.seeds) return;
    Options options = campaign.options;
    options.seed += index;
    current = options.seed;
    Failure failure;
    if (!run_one(options, campaign.d1_schema, &board, failure)) {
      if (!board.failed.exchange(true)) board.failure = failure;
      board.stop = true;
      return;
    }
    ++board.done;
  }
}

// In a process of its own, so that a trap is a law that was broken and not the end.
bool run_apart(const Options& options, const std::string& d1_schema, Failure& failure) {
  Shared<Failure> shared;
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stderr);
    const bool good = run_one(options, d1_schema, nullptr, *shared);
    std::fflush(stdout);
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  failure = *shared;
  failure.seed = options.seed;
  if (failure.law[0] == 0) {
    copy(failure.law, sizeof failure.law, "the core does not trap");
    copy(failure.what, sizeof failure.what,
         "the process ended with status " + std::to_string(status));
  }
  return false;
}

std::string command_of(const Options& options) {
  std::string command = "./scripts/sim --seed " + std::to_string(options.seed);
  if (options.steps != 0) command += " --steps " + std::to_string(options.steps);
  if (options.ledgers != 0) command += " --ledgers " + std::to_string(options.ledgers);
  if (options.faults == Options{}.faults) return command;
  std::string list;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    if ((options.faults >> i & 1) == 0) continue;
    list += list.empty() ? "" : ",";
    list += fault_names[i];
  }
  return command + " --faults " + (list.empty() ? "none" : list);
}

// Fewer kinds of fault, fewer ledgers, fewer requests, as long as the same law breaks.
Options shrink(const Options& broken, const std::string& law, const std::string& d1_schema) {
  Options best = broken;
  Failure failure;
  const auto take = [&](const Options& smaller) {
    if (run_apart(smaller, d1_schema, failure) || failure.law != law) return false;
    best = smaller;
    return true;
  };
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    Options smaller = best;
    smaller.faults &= ~(1u << i);
    if (smaller.faults != best.faults) take(smaller);
  }
  for (std::size_t ledgers = 1; ledgers < 5; ++ledgers) {
    Options smaller = best;
    smaller.ledgers = ledgers;
    if (take(smaller)) break;
  }
  for (std::size_t steps = 1; steps < 60; steps += 1 + steps / 8) {
    Options smaller = best;
    smaller.steps = steps;
    if (take(smaller)) break;
  }
  return best;
}

void tell_failure(const Campaign& campaign, const Failure& failure) {
  Options options = campaign.options;
  options.seed = failure.seed;
  std::printf("\nseed %llu breaks a law: %s\n  %s\n  replay: %s\n",
              static_cast<unsigned long long>(failure.seed), failure.law, failure.what,
              command_of(options).c_str());
  if (!campaign.shrink) return;
  const Options small = shrink(options, failure.law, campaign.d1_schema);
  std::printf("  shrunk: %s\n", command_of(small).c_str());
}

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

void tell_progress(Board& board, double seconds) {
  const auto done = static_cast<double>(board.done.load());
  std::printf("%s%.0f seeds, %.0f/s, %.0f facts/s%s", isatty(1) != 0 ? "\r" : "", done,
              done / seconds, static_cast<double>(board.facts.load()) / seconds,
              isatty(1) != 0 ? "\x1b[K" : "\n");
  std::fflush(stdout);
}

}  // namespace

int replay(const Campaign& campaign) {
  Options options = campaign.options;
  options.verbose = true;
  Failure failure;
  if (run_apart(options, campaign.d1_schema, failure)) {
    std::printf("every law holds\n");
    return 0;
  }
  std::printf("broken: %s\n", failure.what);
  return 1;
}

int run(const Campaign& campaign) {
  Shared<Board> board;
  std::vector<Shared<std::atomic<std::uint64_t>>> current(campaign.jobs);
  std::vector<pid_t> children;
  const auto began = std::chrono::steady_clock::now();
  std::fflush(stdout);
  for (std::uint64_t job = 0; job < campaign.jobs; ++job) {
    const pid_t child = fork();
    if (child == 0) {
      // Whoever stops the first process stops all.
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      work(campaign, *board, *current[job]);
      _exit(0);
    }
    children.push_back(child);
  }
  // Whoever did not end by itself trapped, on the seed that it had.
  std::size_t living = children.size();
  for (auto told = began; living > 0;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended > 0) {
      --living;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      const auto job = static_cast<std::size_t>(std::find(children.begin(), children.end(), ended) -
                                                children.begin());
      if (!board->failed.exchange(true)) {
        board->failure.seed = *current[job];
        copy(board->failure.law, sizeof board->failure.law, "the core does not trap");
        copy(board->failure.what, sizeof board->failure.what,
             "the process ended with status " + std::to_string(status));
      }
      board->stop = true;
      continue;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (campaign.seconds != 0 && seconds_since(began) >= static_cast<double>(campaign.seconds))
      board->stop = true;
    if (seconds_since(told) < (isatty(1) != 0 ? 1 : 15)) continue;
    told = std::chrono::steady_clock::now();
    tell_progress(*board, seconds_since(began));
  }
  if (board->failed) tell_failure(campaign, board->failure);
  const double seconds = seconds_since(began);
  const auto count = [](const std::atomic<std::uint64_t>& n) {
    return static_cast<unsigned long long>(n.load());
  };
  std::printf("\n%llu seeds in %.1f s: %llu requests, %llu facts, %llu messages, %llu faults\n",
              count(board->done), seconds, count(board->requests), count(board->facts),
              count(board->messages), count(board->faults));
  std::printf("%llu passed, %d failed\n", count(board->done), board->failed ? 1 : 0);
  return board->failed ? 1 : 0;
}

}  // namespace z0::sim
