#include "sending/lane.hpp"

#include <algorithm>

namespace z0::cli {
namespace {

// Batches read ahead of each lane: enough that a lane never waits for the file.
constexpr std::size_t batches_ahead = 2;

}  // namespace

Lanes::Lanes(std::size_t count, std::size_t batch_facts, std::size_t batch_bytes,
             const std::function<Sender()>& make_sender, std::function<bool()> stop)
    : stop_(std::move(stop)) {
  for (std::size_t i = 0; i < count; ++i) {
    lanes_.push_back(std::make_unique<Lane>(make_sender(), Batcher(batch_facts, batch_bytes)));
  }
  for (const auto& lane : lanes_) {
    lane->thread = std::thread([this, &to = *lane] { run(to); });
  }
}

Lanes::~Lanes() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = broken_ = true;
  }
  changed_.notify_all();
  for (const auto& lane : lanes_) {
    if (lane->thread.joinable()) lane->thread.join();
  }
}

bool Lanes::add(Submission submission) {
  Lane& lane = *lanes_[std::hash<std::string>{}(submission.entity_id) % lanes_.size()];
  std::vector<Submission> full = lane.batcher.add(std::move(submission));
  return full.empty() || hand_over(lane, std::move(full));
}

bool Lanes::finish() {
  for (const auto& lane : lanes_) {
    std::vector<Submission> rest = lane->batcher.take();
    if (!rest.empty()) hand_over(*lane, std::move(rest));
  }
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (const auto& lane : lanes_) lane->thread.join();
  if (thrown_) std::rethrow_exception(thrown_);
  return !broken_;
}

bool Lanes::hand_over(Lane& lane, std::vector<Submission> batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return broken_ || lane.queue.size() < batches_ahead; });
  if (broken_) return false;
  lane.queue.push_back(std::move(batch));
  changed_.notify_all();
  return true;
}

void Lanes::run(Lane& lane) {
  for (;;) {
    std::vector<Submission> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return closed_ || broken_ || !lane.queue.empty(); });
      if (broken_ || lane.queue.empty()) return;
      batch = std::move(lane.queue.front());
      lane.queue.pop_front();
      changed_.notify_all();
    }
    bool ended = false;
    std::exception_ptr thrown;
    try {
      ended = !stop_() && lane.sender.send(batch) == SendEnd::done;
    } catch (...) {
      thrown = std::current_exception();
    }
    if (ended) continue;
    {
      const std::lock_guard lock(mutex_);
      broken_ = true;
      if (!thrown_) thrown_ = thrown;
    }
    changed_.notify_all();
    return;
  }
}

}  // namespace z0::cli
