// What nobody wants to hear of for a while, who said so, and why.
//
// A silence of the platform silences for everybody. One made with a tenant's credentials is about that
// tenant's alerts alone: it silences the rules that are the tenant's own, and what the tenant's own
// channels would hear. What the platform's channels hear of the platform's rules it leaves alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace z0 {

struct Silence {
  std::string id;
  std::string made_for;  // the tenant whose credentials made it; empty: the platform's
  // What it is about: all of these hold. Texts are compared as they are; a * at the end stands for
  // any rest. Empty: any. A label that an alert does not have is an empty one.
  std::string rule;
  std::string tenant_id;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string author;
  std::string reason;
  std::int64_t made_ms = 0;
  std::int64_t starts_ms = 0;
  std::int64_t ends_ms = 0;  // from then on it silences no more

  friend bool operator==(const Silence&, const Silence&) = default;
};

// Texts of a silence: as above.
bool fits_pattern(std::string_view pattern, std::string_view text);

// An alert as silences see it. Borrows.
struct SilencedBy {
  std::string_view rules_of;
  std::string_view rule;
  std::string_view tenant_id;
  const std::vector<std::pair<std::string, std::string>>* labels = nullptr;
};

class Silences {
 public:
  // False where there are as many as may be: of all, or of one tenant.
  [[nodiscard]] bool add(Silence silence, std::int64_t now_ms);
  // Ends it now. Null where there is none of this id that whoever asks made; all: who may end any.
  const Silence* end(std::string_view id, std::string_view made_for, bool all, std::int64_t now_ms);
  // What is over for limits::silence_kept_ms is forgotten; the ids of what was.
  std::vector<std::string> forget(std::int64_t now_ms);

  // By which an alert is silenced at that time for a listener of a tenant (empty: of the platform);
  // null: none.
  const Silence* find(const SilencedBy& alert, std::string_view listener_tenant,
                      std::int64_t at_ms) const;
  // When one begins or ends next; 0: never.
  std::int64_t next_ms(std::int64_t now_ms) const;

  const std::map<std::string, Silence, std::less<>>& all() const { return all_; }

  // Rows: one each.
  std::string encode(std::string_view id) const;  // empty where there is none
  [[nodiscard]] bool load(std::string_view id, std::string_view bytes);

 private:
  std::map<std::string, Silence, std::less<>> all_;
};

}  // namespace z0
