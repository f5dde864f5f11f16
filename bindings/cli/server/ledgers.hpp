// Which ledgers a command is about, and doing something with each of them, several at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/terminal.hpp"
#include "server/api.hpp"

namespace CLI {
class App;
}

namespace z0::cli {

struct LedgerName {
  std::string entity_id;
  std::string tenant_id;
};

struct Selection {
  std::vector<std::string> entities;
  std::string tenant;
  bool all = false;
};

// ENTITY..., --tenant and --all.
void add_selection(CLI::App* command, Selection& selection);
// Throws Failure when nothing, or two things, were chosen, and for an entity without a ledger.
// `all_by_default`: nothing chosen means all.
std::vector<LedgerName> ledgers_of(Api& api, const Selection& selection, bool all_by_default);

// "3/40 ledgers  12,345 facts  812 facts/s", on a terminal. May be told from several threads.
class LedgerProgress {
 public:
  explicit LedgerProgress(std::size_t ledgers) : ledgers_(ledgers) {}

  void facts(std::int64_t more);
  void ledger_done();
  void finish();
  std::int64_t facts_done() const { return facts_; }
  double seconds() const;

 private:
  void draw();

  std::mutex mutex_;
  StatusLine line_;
  std::size_t ledgers_;
  std::size_t done_ = 0;
  std::int64_t facts_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Does `work` for each number below `count`, `together` at a time, each thread with a connection of
// its own. `work` does not throw.
void side_by_side(const Connection& connection, std::size_t count, std::size_t together,
                  const std::function<void(Api&, std::size_t)>& work);

struct LedgerFailure {
  std::string entity_id;
  std::string reason;
};

// Does `work` for each ledger, `together` at a time, each thread with a connection of its own. What
// it throws for one ledger stops no other one, and a ledger without a fact is passed over. After an
// interrupt no further ledger is begun; those are failures too.
std::vector<LedgerFailure> for_each_ledger(
    const Connection& connection, const std::vector<LedgerName>& ledgers, std::size_t together,
    const std::function<void(Api&, const LedgerName&)>& work);

// To the error output, the first of them by name.
void print_failures(const std::vector<LedgerFailure>& failures);

// "/v1/ledgers/ENTITY/what".
std::string ledger_path(const std::string& entity_id, const char* what);

}  // namespace z0::cli
