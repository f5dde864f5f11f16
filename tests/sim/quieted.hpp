// Silences as people asked for them in a run, and what each of them is about: judged by nothing but what was
// asked for and what was answered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "receivers.hpp"

namespace z0::sim {

struct Quieted {
  std::string id;        // empty: nobody heard whether there is one
  std::string made_for;  // the tenant whose credentials made it; empty: the platform's
  std::string rule;      // as the requests have them
  std::string tenant_id;
  std::string label;  // the value of the label `result`; empty: it is not asked for
  std::int64_t starts_ms = 0;
  std::int64_t ends_ms = 0;
  std::uint64_t made_at = 0;   // in the order of what happened
  std::uint64_t ended_at = 0;  // before its time; 0: nobody ended it
};

class QuietedBook {
 public:
  // Rules of tenants, by their names; others are the platform's.
  explicit QuietedBook(std::string own_rule, std::string owner)
      : own_rule_(std::move(own_rule)), owner_(std::move(owner)) {}

  void add(Quieted one) { all_.push_back(std::move(one)); }
  std::vector<Quieted>& all() { return all_; }

  // Whether it is about an alert, as the platform's channels hear of it.
  bool is_about(const Quieted& one, const AlertName& alert) const;
  // One that is known to hold for an alert of which something was decided then; null: none.
  const Quieted* known(const AlertName& alert, std::int64_t decided_ms, std::uint64_t at) const;
  // Whether one may have held for it at some moment of a stretch.
  bool possible(const AlertName& alert, std::int64_t from_ms, std::int64_t to_ms) const;

 private:
  std::string own_rule_;
  std::string owner_;
  std::vector<Quieted> all_;
};

}  // namespace z0::sim
