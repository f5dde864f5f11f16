// Rules about business among the desk's alerts, and what all of them cost.
#include <utility>

#include "z0/alerting/desk.hpp"

namespace z0 {

void Desk::list_business(std::int64_t now_ms) {
  of_business_.clear();
  for (const auto& [key, alert] : business_.alerts()) {
    Known known{alert.rules_of, alert.rule, alert.tenant_id, {},
                alert.state,    alert.seen, alert.money};
    const bool unseen = business_.judged_until_ms() == 0;
    if (unseen && known.state.phase != AlertPhase::inactive)
      known.money = business_.unknown_money(known.tenant_id);
    std::string id = id_of(known);
    of_business_.emplace(std::move(id), std::move(known));
  }
  price(own_, now_ms);
  for (auto& [name, shard] : shards_) price(shard.alerts, now_ms);
}

void Desk::price(std::map<std::string, Known>& alerts, std::int64_t now_ms) const {
  for (auto& [id, known] : alerts) {
    const Rule* const rule = known.state.phase == AlertPhase::inactive ? nullptr : rule_of(known);
    if (rule != nullptr)
      known.money = business_.money_of(*rule, known.tenant_id, known.state, now_ms);
  }
}

void Desk::take_look(const LookRequest& asked, const LookReply& found, std::int64_t now_ms) {
  business_.take(asked, found, book_, now_ms);
  list_business(now_ms);
}

}  // namespace z0
