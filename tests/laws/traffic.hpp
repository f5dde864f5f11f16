// What callers of a seeded run send: facts of every type, retries, respelled retries, conflicts,
// and items that are broken in every way the rules name.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "random.hpp"

namespace z0::laws {

// The members of a fact, each with its value as JSON text.
using Members = std::vector<std::pair<std::string, std::string>>;

// A fact that was sent under an id of the caller's.
struct Sent {
  std::string tenant_id;
  std::string entity_id;
  std::string id;
  Members members;
  // From the first receipt; 0 before.
  std::int64_t seq = 0;
  std::int64_t recorded_at = 0;
};

// What a reply may say of an item, when nothing fails.
enum class Expect : std::uint8_t {
  fresh,  // recorded
  retry,  // the original receipt; recorded where the original was never acknowledged
  clash,  // a conflict, and never accepted
  bad,    // refused by the edge
};

struct Item {
  Expect expect = Expect::fresh;
  std::string tenant_id;
  std::string entity_id;
  std::string json;
  // Its index in Traffic::sent(), or -1.
  std::int64_t sent = -1;
  // Several tenants send to this ledger: the first one owns it, the others are forbidden.
  bool contested = false;
  // A correction of a fact that may not be there, or not have so much left.
  bool corrects = false;
};

class Traffic {
 public:
  explicit Traffic(std::uint64_t seed);

  static constexpr std::string_view tenants[] = {"ten_amber", "ten_birch", "ten_cedar"};

  // An item for a ledger of the tenant. An operator's names its tenant, a tenant's own need not.
  Item item(const std::string& tenant_id, bool by_operator, std::int64_t now_ms);
  std::string entity_of(const std::string& tenant_id);
  Sent& sent(std::int64_t index) { return sent_[static_cast<std::size_t>(index)]; }

 private:
  Item fresh(const std::string& tenant_id, std::int64_t now_ms);
  Item again(std::int64_t index, bool clash);
  Item broken(const std::string& tenant_id, std::int64_t now_ms);
  Members members_for(const std::string& entity_id, std::int64_t now_ms);
  void add_type(Members& members, const std::string& entity_id);
  void add_correction(Members& members, const std::string& entity_id);
  void add_money(Members& members, bool positive);
  void add_options(Members& members, const std::string& entity_id);
  std::string data();
  std::string text_value();
  std::string trace_id();
  std::string spell(const Members& members, bool otherwise);

  Random random_;
  bool by_operator_ = false;
  std::deque<Sent> sent_;
  std::map<std::string, std::vector<std::int64_t>> sent_by_tenant_;
  std::map<std::string, std::int64_t> last_id_;
};

}  // namespace z0::laws
