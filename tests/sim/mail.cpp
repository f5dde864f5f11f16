#include "mail.hpp"

#include <utility>

#include "z0/base/limits.hpp"

namespace z0::sim {
namespace {

constexpr std::int64_t retry_ms = 10'000;
// As in bindings/worker/collect.js, whose work `send` to `hand_over` do.
constexpr std::int64_t again_ms = 2'000;

}  // namespace

Mail::Mail(world::World& world, Agenda& agenda, Trouble& trouble, Random& random)
    : world_(world),
      agenda_(agenda),
      trouble_(trouble),
      random_(random),
      collect_ms_(random.percent(70) ? 100 : 0),
      deliveries_max_(static_cast<int>(random.between(2, 20))) {}

void Mail::send(std::string_view body) {
  ++sent_;
  if (collected_bytes_ + body.size() > limits::message_bytes_max) collect();
  collected_.emplace_back(body);
  collected_bytes_ += body.size();
  if (collected_.size() > 1) return;
  const std::uint64_t collection = collection_;
  agenda_.at(world_.now_ms + collect_ms_, [this, collection] {
    if (collection == collection_) collect();
  });
}

// What was collected becomes one message.
void Mail::collect() {
  std::string joined;
  for (const auto& body : collected_) joined += body;
  collected_.clear();
  collected_bytes_ = 0;
  ++collection_;
  if (joined.empty()) return;
  if (trouble_.strikes(Fault::collect)) return lose(joined);
  kept_.push_back(std::move(joined));
  hand_over_in(0);
}

void Mail::hand_over_in(std::int64_t ms) {
  const std::uint64_t life = life_;
  agenda_.at(world_.now_ms + ms, [this, life] {
    if (life == life_) hand_over();
  });
}

// To the queue; a message that it does not take goes to the consumer from here, and is kept where
// that fails, too.
void Mail::hand_over() {
  const std::uint64_t life = life_;
  std::deque<std::string> messages = std::exchange(kept_, {});
  in_hand_ += messages.size();
  while (!messages.empty()) {
    bool taken = true;
    if (trouble_.strikes(Fault::send))
      taken = world_.deliver_copy(messages.front());
    else
      queue(messages.front(), false);
    if (life != life_ || !taken) break;
    messages.pop_front();
    --in_hand_;
  }
  in_hand_ -= messages.size();
  if (life != life_) {
    // The process died while D1 was asked.
    for (const auto& message : messages) lose(message);
  } else if (!messages.empty()) {
    trouble_.still();
    kept_.insert(kept_.begin(), messages.begin(), messages.end());
    hand_over_in(again_ms);
  }
}

void Mail::send_garbage() {
  ++garbage_.sent;
  queue("no message", true);
}

void Mail::process_died() {
  for (const auto& body : collected_) lose(body);
  for (const auto& message : kept_) lose(message);
  collected_.clear();
  collected_bytes_ = 0;
  kept_.clear();
  ++collection_;
  ++life_;
  if (trouble_.strikes(Fault::queue_loss)) ++queue_life_;
}

void Mail::queue(std::string body, bool garbage) {
  ++under_way_;
  std::int64_t after = random_.between(5, 60);
  if (trouble_.strikes(Fault::delay)) after = random_.between(1'000, message_late_ms_max);
  Letter letter{std::move(body), ++numbers_, 0, garbage, queue_life_};
  agenda_.at(world_.now_ms + after, [this, letter] { deliver(letter); });
}

bool Mail::gone(const Letter& letter) {
  if (letter.queue_life == queue_life_) return false;
  if (!letter.garbage) lose(letter.body);
  return true;
}

void Mail::deliver(Letter letter) {
  --under_way_;
  if (gone(letter)) return;
  const bool acknowledged = world_.deliver_copy(letter.body);
  ++letter.deliveries;
  std::int64_t after = random_.between(1, 60'000);
  if (acknowledged) {
    if (!trouble_.strikes(Fault::redelivery)) return;
  } else {
    after = letter.garbage ? 10 : retry_ms + random_.between(0, 2'000);
    if (letter.deliveries >= deliveries_max_) {
      ++under_way_;
      letter.deliveries = 0;
      return agenda_.at(world_.now_ms + after, [this, letter] { deliver_dead(letter); });
    }
  }
  ++under_way_;
  agenda_.at(world_.now_ms + after, [this, letter] { deliver(letter); });
}

void Mail::deliver_dead(Letter letter) {
  --under_way_;
  if (gone(letter)) return;
  if (world_.dead_letter("m" + std::to_string(letter.number), letter.body)) {
    garbage_.kept += letter.garbage ? 1 : 0;
    return;
  }
  // Nobody takes what the dead-letter queue gives up.
  if (++letter.deliveries >= deliveries_max_) return letter.garbage ? void() : lose(letter.body);
  ++under_way_;
  agenda_.at(world_.now_ms + retry_ms, [this, letter] { deliver_dead(letter); });
}

void Mail::lose(std::string_view body) {
  trouble_.still();
  on_lost(body);
}

}  // namespace z0::sim
