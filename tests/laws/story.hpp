// One seeded run: callers, faults and time, over a whole z0 in one process, with everybody
// watching.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auditor.hpp"
#include "calls.hpp"
#include "random.hpp"
#include "shadow.hpp"
#include "tape.hpp"
#include "traffic.hpp"
#include "world.hpp"

namespace z0::laws {

// How often, in a thousand, each place fails.
struct FaultRates {
  unsigned call = 0;
  unsigned lose_reply = 0;
  unsigned commit = 0;
  unsigned query = 0;
  unsigned query_after_commit = 0;
  unsigned send = 0;
  unsigned crash = 0;      // while D1 or a ledger is asked
  unsigned intrusion = 0;  // another request while D1 or a directory is asked
};

class Story {
 public:
  Story(std::uint64_t seed, const std::string& d1_schema);

  // Does `operations` things in random order, then lets everything arrive. Returns the first law
  // that was broken, or nothing.
  std::string run(std::size_t operations);

  const Tape& tape() const { return tape_; }
  const Auditor& auditor() const { return auditor_; }

 private:
  struct Batch {
    std::vector<Item> items;
    std::string tenant_id;  // empty: an operator's
    bool lines = false;
    bool single = false;
    bool atomic = false;
  };
  // One item of a reply.
  struct Receipt {
    Status status = Status::count_;
    std::string id;
    std::string entity_id;
    std::int64_t seq = 0;
    std::int64_t recorded_at = 0;
  };

  void watch(std::string_view frame, std::string_view effects);
  void finished(bool committed);
  void install_faults();
  void disturb();

  void operate();
  void post();
  Batch make_batch();
  std::string body_of(const Batch& batch);
  void check_reply(const Batch& batch, const world::HttpReply& reply);
  std::vector<Receipt> receipts_of(const world::HttpReply& reply, bool single);
  void check_http(const Batch& batch, const world::HttpReply& reply,
                  const std::vector<Receipt>& receipts);
  void check_item(const Batch& batch, const Item& item, const Receipt& receipt);
  void check_atomic(const Batch& batch, const std::vector<Receipt>& receipts);

  void read();
  void read_ledger(const world::Headers& headers, bool by_operator);
  void refuse();
  void deliver();
  void move_clock();
  void change_faults();
  void settle();
  void walk_pages();
  void check_json(const world::HttpReply& reply, std::string_view what);
  void fail(std::string_view law, std::string_view where) { auditor_.fail(law, where); }

  Random random_;
  world::World world_;
  Traffic traffic_;
  world::Database json_;
  Auditor auditor_;
  Shadow shadow_;
  Calls calls_;
  Tape tape_;
  FaultRates rates_;
  std::deque<std::string> delivered_;
  std::int64_t latest_ms_ = 0;
  int depth_ = 0;
  bool something_lost_ =
      false;  // a message, or a reply and with it the messages that it would have sent
};

}  // namespace z0::laws
