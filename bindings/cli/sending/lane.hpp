// Lanes: threads that send batches side by side, each over its own connection.
//
// A lane sends one batch at a time, and a submission's lane depends on its entity alone, so the
// facts of one entity arrive in the order of the recording however many lanes there are.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sending/send.hpp"

namespace z0::cli {

class Lanes {
 public:
  // `make_sender` is called once a lane, in the caller's thread. `stop` is asked before each batch.
  Lanes(std::size_t count, std::size_t batch_facts, std::size_t batch_bytes,
        const std::function<Sender()>& make_sender, std::function<bool()> stop);
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Waits while the lane has enough to do. False when no more batches will be sent.
  bool add(Submission submission);
  // Sends what is left and waits for it. Throws what a lane threw. Returns whether every batch was
  // sent.
  bool finish();

 private:
  struct Lane {
    Lane(Sender s, Batcher b) : sender(std::move(s)), batcher(std::move(b)) {}
    Sender sender;
    Batcher batcher;
    std::deque<std::vector<Submission>> queue;
    std::thread thread;
  };

  void run(Lane& lane);
  bool hand_over(Lane& lane, std::vector<Submission> batch);

  std::function<bool()> stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  bool broken_ = false;
  std::exception_ptr thrown_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace z0::cli
