// What goes wrong in one run: draws from the seed whether a fault strikes, and counts.
#pragma once

#include <cstdint>

#include "faults.hpp"

namespace z0::sim {

class Trouble {
 public:
  Trouble(Random& random, std::uint32_t allowed) : random_(random), rates_(random, allowed) {}

  // Always draws, so that a rate of zero changes nothing else.
  bool strikes(Fault fault) {
    if (calm_ > 0) return false;
    const bool strike = random_.permille(rates_.of(fault));
    struck_ += strike ? 1 : 0;
    return strike;
  }
  bool possible(Fault fault) const { return rates_.of(fault) > 0; }
  std::uint64_t struck() const { return struck_; }
  // Something that began earlier still has its effect.
  void still() { ++struck_; }
  void end() { rates_.end(); }

  // While one exists nothing fails: for those who only look.
  class Calm {
   public:
    explicit Calm(Trouble& trouble) : trouble_(trouble) { ++trouble_.calm_; }
    ~Calm() { --trouble_.calm_; }
    Calm(const Calm&) = delete;
    Calm& operator=(const Calm&) = delete;

   private:
    Trouble& trouble_;
  };
  bool calm() const { return calm_ > 0; }

 private:
  Random& random_;
  FaultRates rates_;
  std::uint64_t struck_ = 0;
  int calm_ = 0;
};

}  // namespace z0::sim
