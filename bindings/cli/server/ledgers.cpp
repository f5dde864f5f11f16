#include "server/ledgers.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <thread>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "z0/base/limits.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

constexpr std::size_t failures_shown = 20;

// A ledger is known to the directory before its first fact is recorded, and for ever if that fails.
bool is_empty(Api& api, const std::string& entity_id) {
  return !api.find("/v1/entities/" + url_escaped(entity_id));
}

// What went wrong; empty when nothing did.
std::string try_work(Api& api, const LedgerName& ledger,
                     const std::function<void(Api&, const LedgerName&)>& work) {
  if (interrupted()) return "not begun, because of the interrupt";
  try {
    try {
      work(api, ledger);
    } catch (const NotFound&) {
      if (!is_empty(api, ledger.entity_id)) throw;
    }
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

void add_selection(CLI::App* command, Selection& selection) {
  command->add_option("ENTITY", selection.entities, "Ledgers by name, for example acct_acme");
  command->add_option("--tenant", selection.tenant, "All ledgers of this tenant");
  command->add_flag("--all", selection.all, "All ledgers");
}

std::vector<LedgerName> ledgers_of(Api& api, const Selection& selection, bool all_by_default) {
  const int chosen = (selection.entities.empty() ? 0 : 1) + (selection.tenant.empty() ? 0 : 1) +
                     (selection.all ? 1 : 0);
  if (chosen > 1) throw Failure("ENTITY, --tenant and --all exclude each other", exit_usage);
  if (chosen == 0 && !all_by_default)
    throw Failure("name an ENTITY, or give --tenant or --all", exit_usage);
  std::vector<LedgerName> ledgers;
  for (const std::string& entity : selection.entities) {
    const auto head = api.find("/v1/entities/" + url_escaped(entity));
    if (!head) throw Failure("there is no ledger " + entity);
    ledgers.push_back({entity, text_of(*head, "tenant_id")});
  }
  if (!selection.entities.empty()) return ledgers;
  api.each("/v1/ledgers",
           {{"tenant", selection.tenant}, {"limit", std::to_string(limits::page_facts_max)}},
           "ledgers", [&ledgers](const json& item) {
             ledgers.push_back({text_of(item, "entity_id"), text_of(item, "tenant_id")});
             return true;
           });
  return ledgers;
}

void LedgerProgress::facts(std::int64_t more) {
  const std::lock_guard lock(mutex_);
  facts_ += more;
  draw();
}

void LedgerProgress::ledger_done() {
  const std::lock_guard lock(mutex_);
  ++done_;
  draw();
}

void LedgerProgress::finish() {
  const std::lock_guard lock(mutex_);
  line_.clear();
}

double LedgerProgress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void LedgerProgress::draw() {
  if (!line_.due()) return;
  const double rate = static_cast<double>(facts_) / std::max(seconds(), 0.001);
  line_.draw(grouped(static_cast<std::int64_t>(done_)) + "/" +
             grouped(static_cast<std::int64_t>(ledgers_)) + " ledgers  " + grouped(facts_) +
             " facts  " + grouped(std::llround(rate)) + " facts/s");
}

void side_by_side(const Connection& connection, std::size_t count, std::size_t together,
                  const std::function<void(Api&, std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    Api api(connection);
    for (std::size_t i = next++; i < count; i = next++) work(api, i);
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(together, count); ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
}

std::vector<LedgerFailure> for_each_ledger(
    const Connection& connection, const std::vector<LedgerName>& ledgers, std::size_t together,
    const std::function<void(Api&, const LedgerName&)>& work) {
  std::mutex mutex;
  std::vector<LedgerFailure> failures;
  side_by_side(connection, ledgers.size(), together, [&](Api& api, std::size_t i) {
    std::string reason = try_work(api, ledgers[i], work);
    if (reason.empty()) return;
    const std::lock_guard lock(mutex);
    failures.push_back({ledgers[i].entity_id, std::move(reason)});
  });
  std::sort(failures.begin(), failures.end(),
            [](const auto& a, const auto& b) { return a.entity_id < b.entity_id; });
  return failures;
}

void print_failures(const std::vector<LedgerFailure>& failures) {
  for (std::size_t i = 0; i < std::min(failures.size(), failures_shown); ++i) {
    const std::string name = coloured(failures[i].entity_id + ":", Colour::red, 2);
    std::fprintf(stderr, "%s %s\n", name.c_str(), failures[i].reason.c_str());
  }
  if (failures.size() > failures_shown)
    std::fprintf(stderr, "and %zu more\n", failures.size() - failures_shown);
}

std::string ledger_path(const std::string& entity_id, const char* what) {
  return "/v1/ledgers/" + url_escaped(entity_id) + "/" + what;
}

}  // namespace z0::cli
