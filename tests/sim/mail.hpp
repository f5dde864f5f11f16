// The way from a send to the consumer: messages are collected for a moment and joined, queued,
// delivered at least once in whatever order, given to the dead-letter queue when they keep failing.
// A message that the queue does not take is not lost, as in bindings/worker/collect.js: its
// consumer's work is done at once, or again and again until it succeeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agenda.hpp"
#include "final_checks.hpp"
#include "trouble.hpp"
#include "world.hpp"

namespace z0::sim {

// The latest that a message comes, when nothing fails any more.
inline constexpr std::int64_t message_late_ms_max = 5 * 60'000;

class Mail {
 public:
  Mail(world::World& world, Agenda& agenda, Trouble& trouble, Random& random);

  void send(std::string_view body);
  // Bytes that are no message.
  void send_garbage();
  // The process died: what was collected or kept is gone, and perhaps the queue, too.
  void process_died();

  // Told of each body that is lost: the queue never had it, or gave it up.
  std::function<void(std::string_view body)> on_lost;

  // Nothing is collected, kept, queued or waits for another delivery.
  bool empty() const {
    return under_way_ == 0 && collected_.empty() && kept_.empty() && in_hand_ == 0;
  }
  std::uint64_t sent() const { return sent_; }
  const Garbage& garbage() const { return garbage_; }

 private:
  struct Letter {
    std::string body;
    std::uint64_t number = 0;
    int deliveries = 0;
    bool garbage = false;
    std::uint64_t queue_life = 0;
  };

  void collect();
  void hand_over();
  void hand_over_in(std::int64_t ms);
  void queue(std::string body, bool garbage);
  void deliver(Letter letter);
  void deliver_dead(Letter letter);
  void lose(std::string_view body);
  bool gone(const Letter& letter);

  world::World& world_;
  Agenda& agenda_;
  Trouble& trouble_;
  Random& random_;
  std::int64_t collect_ms_;
  int deliveries_max_;
  std::vector<std::string> collected_;
  std::size_t collected_bytes_ = 0;
  std::uint64_t collection_ = 0;  // counts messages that were joined
  std::deque<std::string> kept_;  // messages that are to be handed over
  std::size_t in_hand_ = 0;       // that are being handed over
  std::uint64_t life_ = 0;        // of the process
  std::size_t under_way_ = 0;
  std::uint64_t queue_life_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t numbers_ = 0;
  Garbage garbage_;
};

}  // namespace z0::sim
