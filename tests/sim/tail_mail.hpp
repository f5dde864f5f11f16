// The way of spans: log lines of invocations are collected for a moment by the Tail Worker, as in
// bindings/tail/index.js, and handed to the core, which files them. And the receiver outside that kept
// traces are sent on to.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agenda.hpp"
#include "trouble.hpp"
#include "world.hpp"

namespace z0::sim {

class TailMail {
 public:
  TailMail(world::World& world, Agenda& agenda, Trouble& trouble, Random& random);

  // A span that ended, as JSON.
  void collect(std::string_view span);

  // Sees the spans of what is handed to the Tail Worker, before it and after: whether all went well.
  std::function<void()> before_delivery;
  std::function<void(const std::vector<std::string>& spans, bool done)> after_delivery;

  // -- the receiver
  world::World::Fetched receive(const FetchNeed& need);
  bool received(const std::string& span_id) const { return received_.contains(span_id); }
  std::int64_t taken() const { return taken_; }      // spans, as often as they came
  std::int64_t refused() const { return refused_; }  // for good

 private:
  void hand_over();
  void deliver(const std::vector<std::string>& spans);

  world::World& world_;
  Agenda& agenda_;
  Trouble& trouble_;
  Random& random_;
  std::vector<std::string> collected_;
  std::set<std::string> received_;  // ids, in hexadecimal digits
  std::int64_t taken_ = 0;
  std::int64_t refused_ = 0;
};

}  // namespace z0::sim
