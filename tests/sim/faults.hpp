// The kinds of trouble a run may have, and how much of each this one has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "laws/random.hpp"

namespace z0::sim {

using laws::Random;

enum class Fault : std::uint8_t {
  commit,        // an object's transaction fails
  death,         // an object, the edge's isolate or the whole process dies between two phases
  eviction,      // an object leaves memory; that of alerts in the middle of its turn, too
  overload,      // an object refuses a call, or an isolate's flush, before it arrives
  lost_reply,    // an object's reply is lost; a receiver of alerts takes a word and does not say so
  late_call,     // a call arrives after its caller gave up on it
  client,        // the client loses the reply, and some clients then give up
  d1,            // a D1 batch fails at once
  d1_middle,     // a D1 batch fails at one of its statements
  d1_timeout,    // a D1 batch is committed, and nobody hears of it
  outage,        // D1 is down for up to an hour, a receiver of alerts for minutes
  send,          // the queue takes no message, a receiver of traces no batch, one of alerts no word
  collect,       // what was collected for one call, messages, points or spans, is lost
  redelivery,    // an acknowledged message comes again; a flush or a delivery of spans, too
  delay,         // it comes minutes late, after younger ones
  queue_loss,    // the queue's memory dies with the process
  clock,         // clocks jump ahead, go back a little or stand still, each on its own
  late_alarm,    // an alarm goes off minutes late
  double_alarm,  // an alarm goes off twice for one setting
  lost_alarm,    // an alarm never goes off
  interleave,    // something else happens while somebody waits
  cache,         // the snapshot of cached states beside a ledger's last segment is damaged
  tamper,        // somebody alters a row of D1
  wipe,          // D1 is lost and has to be made again
  corrected,     // a row that says what is left of a corrected fact is damaged
  count_
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(Fault::count_);

inline constexpr std::array<std::string_view, fault_kinds> fault_names = {
    "commit", "death",      "eviction",   "overload",   "lost_reply",   "late_call",  "client",
    "d1",     "d1_middle",  "d1_timeout", "outage",     "send",         "collect",    "redelivery",
    "delay",  "queue_loss", "clock",      "late_alarm", "double_alarm", "lost_alarm", "interleave",
    "cache",  "tamper",     "wipe",       "corrected"};

// One run. The same options make the same run; leaving a kind of fault out changes none of the
// others' rates.
struct Options {
  std::uint64_t seed = 1;
  std::size_t steps = 0;    // requests of clients; 0: as many as the seed says
  std::size_t ledgers = 0;  // at most so many; 0: as many as the seed says
  std::uint32_t faults = (1u << fault_kinds) - 1;  // a bit for each kind that may be
  bool verbose = false;
};

// How often, in a thousand opportunities. Some runs have none of a kind and some have much of it:
// a fault that needs a quiet world to do harm finds one (Groce and others: Swarm testing, 2012).
class FaultRates {
 public:
  FaultRates(Random& random, std::uint32_t allowed) {
    for (std::size_t i = 0; i < fault_kinds; ++i) {
      const std::size_t dice = random.below(100);
      const auto little = static_cast<unsigned>(random.between(5, 60));
      const auto much = static_cast<unsigned>(random.between(100, 450));
      const unsigned rate = dice < 45 ? 0 : dice < 80 ? little : much;
      rates_[i] = (allowed >> i & 1) != 0 ? rate : 0;
    }
  }
  unsigned of(Fault fault) const { return rates_[static_cast<std::size_t>(fault)]; }
  void end() { rates_ = {}; }

 private:
  std::array<unsigned, fault_kinds> rates_{};
};

}  // namespace z0::sim
