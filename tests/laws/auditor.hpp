// Watches every step of a run and keeps the books that the core should agree with.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "book.hpp"
#include "calls.hpp"
#include "world.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/message.hpp"

namespace z0::laws {

class Auditor {
 public:
  // Phases in order, needs alone, one reply, bounded effects, no message that its step did not
  // earn. `call`: the one that an object's frame belongs to.
  void step(const Frame& frame, std::string_view effect_bytes, const std::vector<Effect>& effects,
            CallKind call);
  // A call of a ledger or a directory ended. Rows and receipts say the same, and what was recorded
  // before is unchanged.
  void finished(const CallSeen& call);
  // The consumer acknowledged a message.
  void landed(std::string_view message);
  // After everything was delivered: each fact once in its ledger and once in D1, heads contiguous,
  // attempts for what failed.
  void settle(world::World& world);
  // D1's heads have reached every fact, and nothing waits for a gap.
  void settle_heads(world::World& world);

  // What the last answer of the edge sent to the queue.
  std::size_t facts_sent() const { return facts_sent_; }
  std::size_t attempts_sent() const { return attempts_sent_; }
  // The id of a recorded fact; empty when there is none.
  std::string_view recorded(const std::string& entity_id, std::int64_t seq) const;
  std::size_t facts() const;

  // The first law that was broken, in words.
  const std::string& broken() const { return broken_; }
  void fail(std::string_view law, std::string_view where);

 private:
  void check_phases(const Frame& frame, const std::vector<Effect>& effects, CallKind call);
  void check_bounds(const Frame& frame, std::string_view effect_bytes,
                    const std::vector<Effect>& effects, CallKind call);
  void check_sent(const std::vector<Effect>& effects);
  void check_directory(const CallSeen& call, const std::vector<Effect>& effects);
  void check_append(const CallSeen& call, const std::vector<Effect>& effects);
  // What an append did, as its effects tell it.
  struct Append {
    std::string entity_id;
    AppendRequest request;
    AppendReply reply;
    std::size_t before = 0;  // facts of the ledger
    std::size_t own = 0;     // facts that the ledger added of its own accord
    std::size_t owners = 0;  // rows of each kind
    std::size_t nodes = 0;
    std::size_t alarms = 0;
  };
  void read_append(const std::vector<Effect>& effects, Book& book, Append& out);
  void check_own(const Book& book, Append& append);
  void check_receipts(const Book& book, const Append& append);
  void check_node(const Book& book, const Statement& statement, const std::string& entity_id);
  void check_segment(Book& book, const Statement& statement, const std::string& entity_id);
  void settle_ledger(world::World& world, const std::string& entity_id, const Book& book);
  void settle_d1(world::World& world);

  std::map<std::string, Book, std::less<>> books_;
  std::set<std::string, std::less<>> registered_;
  std::set<std::string> attempts_landed_;
  std::size_t facts_sent_ = 0;
  std::size_t attempts_sent_ = 0;
  std::string broken_;
};

}  // namespace z0::laws
