// What must be true of the ledgers, judged by nothing but what clients sent and what they were
// told. It knows facts as JSON, decides nothing as the core does and shares no code with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace z0::sim {

using Json = nlohmann::json;

// A law that does not hold, in words, and where.
struct Broken : std::logic_error {
  Broken(const std::string& which, const std::string& where)
      : std::logic_error(which + ": " + where), law(which) {}
  std::string law;
};

inline void hold(bool holds, const std::string& law, const std::string& where) {
  if (!holds) throw Broken(law, where);
}

// A fact as z0 shows it: what the client gave, the defaults, the trace in both places. Without
// `timestamp` when the client left the time to z0.
Json as_shown(const Json& given, const std::string& tenant_id);
// The same of a fact that z0 showed, for comparison with a given one: without what z0 adds.
Json without_numbers(Json shown, const Json& given);

struct Acknowledged {
  std::size_t version = 0;
  std::int64_t seq = 0;
  std::int64_t recorded_at = 0;
};

// One id in one ledger.
struct Entry {
  std::vector<Json> versions;      // each content that was submitted under it, as_shown
  std::set<std::size_t> possible;  // versions whose append has an unknown outcome
  std::size_t submissions = 0;
  std::optional<Acknowledged> acknowledged;
  bool heard_recorded = false;
};

struct LedgerModel {
  std::string entity_id;
  std::string tenant_id;
  std::map<std::string, Entry> entries;
  // Submitted without an id and never answered: contents that may be there, or not.
  std::vector<Json> nameless;
  std::map<std::int64_t, std::string> by_seq;

  std::int64_t last_seq() const { return by_seq.empty() ? 0 : by_seq.rbegin()->first; }
};

// What a request asks of one fact.
struct Item {
  Json given;
  std::string tenant_id;
  std::string entity_id;
  std::string id{};            // empty: z0 makes one
  std::string refusal{};       // the status that it must get for what it is; empty: none
  std::size_t version = 0;     // set by Model::sent
  bool was_submitted = false;  // before this request; set by Model::sent
  bool settled = false;        // answered for good; set by Model::answered
};

struct Request {
  std::string tenant_id;  // the credential's; empty: an operator
  std::vector<Item> items;
  bool atomic = false;
  bool single = false;
  bool lines = false;
  std::int64_t sent_at = 0;                         // by the edge's clock; set when it is sent
  std::map<std::string, std::int64_t> heads;        // the last acknowledged seq of each ledger then
  std::map<std::string, std::int64_t> clocks;       // what each ledger's clock shows meanwhile
  std::map<std::string, std::int64_t> heads_after;  // each ledger's last seq after the reply
};

// A refusal that depends on what the ledger held: right when it was right at one of the moments at
// which the ledger may have decided it.
struct StateRefusal {
  std::string status;
  Json fact;                 // as_shown
  std::vector<Json> before;  // of the same batch, which would have been recorded but for this one
  std::int64_t from = 0;     // the sequence numbers at which the ledger may have been
  std::int64_t to = 0;
  std::int64_t clock_ms = 0;
};

// What a ledger said of its tree.
struct TreeHead {
  std::string entity_id;
  std::int64_t size = 0;
  std::string root;
};

// A budget that somebody may change at any time.
struct ConfigModel {
  std::string config_id;
  std::string scope;
  std::string applies_to;  // an entity, where that is its scope
  std::string tenant_id;
  std::vector<Json> submitted;                // settings
  std::map<std::int64_t, Json> acknowledged;  // by version
  std::int64_t distributed = 0;               // everybody was told of this version, or will be
};

// Where an attempt is found again: ledger, id, time of the request.
using AttemptKey = std::tuple<std::string, std::string, std::int64_t>;

class Model {
 public:
  void add_ledger(const std::string& entity_id, const std::string& tenant_id);

  // A request is on its way; whatever becomes of it, its facts were submitted.
  void sent(Request& request);
  // Nobody heard what became of it.
  void unheard(const Request& request);
  // It was answered. `faults`: whether anything failed meanwhile, so that z0 may say so.
  // `attempts_kept`: whether its messages reached the queue, as far as is known here.
  void answered(Request& request, int http, bool retry_after, const std::string& body, bool faults,
                bool attempts_kept);

  std::map<std::string, LedgerModel>& ledgers() { return ledgers_; }
  const std::map<std::string, LedgerModel>& ledgers() const { return ledgers_; }
  // Attempts that must be in D1, and those that may be.
  const std::set<AttemptKey>& attempts() const { return attempts_; }
  const std::set<AttemptKey>& possible_attempts() const { return possible_attempts_; }
  // The codes that an attempt may have; an empty one stands for any.
  const std::map<AttemptKey, std::set<std::string>>& codes() const { return codes_; }
  std::map<std::string, ConfigModel>& configs() { return configs_; }
  const std::map<std::string, ConfigModel>& configs() const { return configs_; }
  const std::vector<TreeHead>& trees() const { return trees_; }
  const std::map<std::string, std::vector<StateRefusal>>& refusals() const { return refusals_; }
  std::string tenant_of(const std::string& entity_id) const;
  // Reconciliation facts that a ledger must have, and ledgers that may have more.
  std::map<std::string, std::int64_t> reconciled;
  std::set<std::string> damaged;
  // Their message was lost.
  void lost(const AttemptKey& attempt);

  std::size_t facts() const;

 private:
  void may_be_recorded(const Item& item);
  void answer(Request& request, std::size_t index, const Json& receipt, bool faults);
  void accept(Request& request, Item& item, const Json& receipt, bool recorded);
  void check_conflict(const Request& request, const Item& item, const std::string& field);
  void note_trees(const Request& request, const Json& reply);
  void note_refusals(const Request& request, const Json& results, const Json& trees);
  void check_http(const Request& request, const std::vector<std::string>& statuses,
                  const std::vector<int>& codes, int http, bool retry_after);

  std::map<std::string, LedgerModel> ledgers_;
  std::set<AttemptKey> attempts_;
  std::set<AttemptKey> possible_attempts_;
  std::set<AttemptKey> lost_attempts_;
  std::map<AttemptKey, std::set<std::string>> codes_;
  std::map<std::string, ConfigModel> configs_;
  std::vector<TreeHead> trees_;
  std::map<std::string, std::vector<StateRefusal>> refusals_;
};

}  // namespace z0::sim
