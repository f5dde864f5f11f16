// Sends batches of submissions until each has its outcome.
//
// Only what may succeed later is sent again, and only those items: 429 and the server's errors, and
// exchanges that broke. Whatever was said of a try, it may have been recorded, so each fact has an
// id (give_id). A request that is refused as a whole is halved until the line that spoils it stands
// alone, so one bad line costs no other line its record.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/retry.hpp"
#include "sending/submission.hpp"
#include "sending/tally.hpp"
#include "server/transport.hpp"

namespace z0::cli {

// What a sender needs from the world.
struct SenderHost {
  Transport exchange;
  // Each submission's outcome, once it is final. The status and texts are the server's.
  std::function<void(const Submission&, const Outcome&)> settled;
  // Waits before a retry; `why` is for people. False when the wait was broken off.
  std::function<bool(std::int64_t ms, const std::string& why)> wait;
  std::function<double()> random;  // in [0, 1)
};

enum class SendEnd {
  done,
  stopped,      // the wait before a retry was broken off
  unreachable,  // no exchange succeeded in all retries: there is no use in going on
};

class Sender {
 public:
  Sender(SenderHost host, RetryPolicy policy) : host_(std::move(host)), policy_(policy) {}

  // Settles every submission of the batch, in every case. Throws Failure when the server refuses
  // the credential, or is no z0: then no later batch can do better.
  SendEnd send(const std::vector<Submission>& batch);

 private:
  // A submission and the last thing that was heard about it.
  struct Waiting {
    const Submission* submission;
    Outcome last;
  };
  using Pending = std::vector<Waiting>;

  SendEnd send_pending(Pending pending);
  SendEnd send_halves(const Pending& pending);
  void settle_failed(const Pending& pending);

  SenderHost host_;
  RetryPolicy policy_;
  bool answered_ = false;  // whether the server ever answered
};

}  // namespace z0::cli
