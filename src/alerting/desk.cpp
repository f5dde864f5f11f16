#include "z0/alerting/desk.hpp"

#include <algorithm>
#include <utility>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

// A rule with its labels, in few characters: what people and receivers know an alert by.
template <class Labels>
std::string alert_id(std::string_view rules_of, std::string_view rule, std::string_view tenant_id,
                     const Labels& labels) {
  std::string name;
  ByteWriter out(name);
  for (const std::string_view part : {rules_of, rule, tenant_id}) out.short_bytes(part);
  for (const std::string_view label : labels) out.short_bytes(label);
  std::string id;
  append_hex(id, bytes_of(sha256(name)).substr(0, 8));
  return id;
}

}  // namespace

Desk::Desk() : of_all_(book_.of_all()) {}

bool Desk::take(std::string_view bytes, std::int64_t now_ms, ShardReportReply& answer) {
  ShardReport report;
  if (!decode(bytes, report) || shards_.size() > limits::monitor_shards_max) return false;
  if (report.rules_hash != book_.hash()) {
    // What it judged by other rules is not looked at: it says it again by these.
    answer.rules_hash = book_.hash();
    for (const RuleBook::Source& source : book_.sources())
      answer.rules.push_back({source.config_id, source.tenant_id, source.settings});
    return true;
  }
  const std::string name(report.shard);
  HeardShard& shard = shards_[name];
  shard.heard_ms = now_ms;
  if (!report.rests) business_.wake();
  // One that was under way for long: what the shard said since stands. Further back it is its clock that
  // went back.
  if (report.at_ms < shard.at_ms && shard.at_ms - report.at_ms < limits::shard_silent_ms) {
    judge(now_ms);
    return true;
  }
  shard.at_ms = report.at_ms;
  shard.rests = report.rests;
  shard.left_out = report.left_out;
  shard.sums = report.sums;
  shard.alerts.clear();
  for (const AlertReport& one : report.alerts) {
    Known known{std::string(one.rules_of),
                std::string(one.rule),
                std::string(one.tenant_id),
                {},
                {},
                std::string(one.words),
                {}};
    known.labels.assign(one.labels.begin(), one.labels.end());
    known.state.phase = static_cast<AlertPhase>(
        std::min<std::int64_t>(one.phase, static_cast<std::int64_t>(AlertPhase::firing)));
    known.state.active_at_ms = one.active_at_ms;
    known.state.fired_at_ms = one.fired_at_ms;
    known.state.resolved_at_ms = one.resolved_at_ms;
    known.state.value = static_cast<double>(one.value_millionths) / 1e6;
    // Each shard may have one for the tenants that it had no room for.
    if (known.tenant_id == other_value) known.tenant_id = "(other of " + name + ')';
    shard.alerts.emplace(id_of(known), std::move(known));
  }
  note_awake(name, shard.is_awake());
  judge(now_ms);
  return true;
}

void Desk::note_awake(const std::string& name, bool awake) {
  if (awake == awake_.contains(name)) return;
  if (awake)
    awake_.insert(name);
  else
    awake_.erase(name);
  changed_shards_.insert(name);
}

std::vector<std::string> Desk::unheard() const {
  std::vector<std::string> names;
  for (const std::string& name : awake_)
    if (!shards_.contains(name)) names.push_back(name);
  return names;
}

// After a restart it is not yet known what every shard knows. One that never speaks again counts as silent,
// like one that stopped, and after the next restart, too.
Evaluator::Cover Desk::cover(std::int64_t now_ms) {
  // A clock that goes back makes nothing wait for longer.
  loaded_ms_ = std::min(loaded_ms_, now_ms);
  const std::int64_t waited_ms = now_ms - loaded_ms_;
  if (unheard().empty() || waited_ms > limits::shard_silent_ms) return Evaluator::Cover::all;
  return waited_ms > limits::shard_unheard_ms ? Evaluator::Cover::most : Evaluator::Cover::part;
}

void Desk::judge(std::int64_t now_ms) {
  judged_ms_ = now_ms;
  of_all_.clear_sums();
  for (auto& [number, shard] : shards_) {
    // One that says nothing for so long has lost its windows, or cannot be reached: what it said last
    // would hold for ever.
    if (now_ms - shard.heard_ms > limits::shard_silent_ms) shard.sums.clear();
    ByteReader in(shard.sums);
    if (!shard.sums.empty() && !of_all_.add_sums(in)) shard.sums.clear();
  }
  std::vector<Evaluator::Target> targets;
  for (const auto& [metric, value] : own_gauges_) {
    targets.clear();
    of_all_.targets(metric, {}, {}, targets);
    for (const Evaluator::Target& target : targets) of_all_.merge_gauge(target, value, now_ms);
  }
  const Evaluator::Cover cover = this->cover(now_ms);
  all_heard_ = cover == Evaluator::Cover::all;
  of_all_.tick(now_ms, cover);
  list_own(now_ms);
  if (all_heard_) forget_words();
}

void Desk::end_loading(std::int64_t now_ms) {
  loaded_ = true;
  loaded_ms_ = now_ms;
  list_own(now_ms);
}

void Desk::list_own(std::int64_t now_ms) {
  own_.clear();
  for (const Evaluator::Alert& alert : of_all_.alerts()) {
    Known known{{}, alert.rule->name, std::string(alert.tenant_id), {}, *alert.state, alert.words,
                {}};
    known.labels.assign(alert.labels.begin(), alert.labels.end());
    own_.emplace(alert_id({}, known.rule, known.tenant_id, known.labels), std::move(known));
  }
  list_business(now_ms);
}

std::string Desk::id_of(const Known& known) {
  return alert_id(known.rules_of, known.rule, known.tenant_id, known.labels);
}

// What was said of an alert ends with it.
void Desk::forget_words() {
  std::erase_if(words_, [this](const auto& item) {
    const auto awake = [&item](const std::map<std::string, Known>& alerts) {
      const auto found = alerts.find(item.first);
      return found != alerts.end() && found->second.state.phase != AlertPhase::inactive;
    };
    const bool heard = awake(own_) || awake(of_business_) ||
                       std::any_of(shards_.begin(), shards_.end(),
                                   [&](const auto& s) { return awake(s.second.alerts); });
    if (!heard) changed_words_.push_back(item.first);
    return !heard;
  });
}

void Desk::set_rules(const RulesSource& source) {
  std::vector<RuleBook::Source> sources = book_.sources();
  std::erase_if(sources,
                [&](const RuleBook::Source& one) { return one.config_id == source.config_id; });
  sources.push_back(
      {std::string(source.config_id), std::string(source.tenant_id), std::string(source.settings)});
  std::sort(sources.begin(), sources.end(),
            [](const RuleBook::Source& a, const RuleBook::Source& b) {
              return a.config_id < b.config_id;
            });
  const std::string states = encode_states();
  book_ = RuleBook(std::move(sources));
  of_all_ = Evaluator(book_.of_all());
  ByteReader in(states);
  static_cast<void>(of_all_.decode_states(in));
  // Shards say again by these rules what they know.
  for (auto& [number, shard] : shards_) shard.sums.clear();
  changed_rules_.emplace_back(source.config_id);
}

std::int64_t Desk::overdue_ms(std::int64_t now_ms) const {
  std::int64_t longest = 0;
  for (const auto& [number, shard] : shards_)
    if (!shard.rests) longest = std::max(longest, now_ms - shard.heard_ms - limits::alert_quiet_ms);
  return longest;
}

const Desk::Known* Desk::find(const std::string& id) const {
  for (const auto* alerts : {&own_, &of_business_})
    if (const auto found = alerts->find(id); found != alerts->end()) return &found->second;
  for (const auto& [number, shard] : shards_)
    if (const auto found = shard.alerts.find(id); found != shard.alerts.end())
      return &found->second;
  return nullptr;
}

bool Desk::acknowledge(const AcknowledgeRequest& request, std::int64_t now_ms, AlertsReply& reply) {
  const std::string id(request.id);
  const Known* known = find(id);
  const bool may = known != nullptr && known->state.phase != AlertPhase::inactive &&
                   (request.all_tenants || known->tenant_id == request.tenant_id);
  if (!may) return false;
  // The platform's word stands for everybody; a tenant's does not take its place.
  const auto said = words_.find(id);
  const bool stands = said != words_.end() && said->second.holds(now_ms) &&
                      said->second.said_for.empty() && !request.all_tenants &&
                      known->rules_of != request.tenant_id;
  if (!stands) {
    words_.insert_or_assign(
        id, Words{std::string(request.author), std::string(request.reason), now_ms,
                  request.for_ms == 0 ? 0 : now_ms + request.for_ms,
                  request.all_tenants ? std::string() : std::string(request.tenant_id)});
    changed_words_.push_back(id);
  }
  AlertsRequest of;
  of.tenant_id = request.tenant_id;
  of.all_tenants = request.all_tenants;
  reply = answer(of, now_ms);
  std::erase_if(reply.alerts, [&id](const AlertsReply::Alert& one) { return one.id != id; });
  return true;
}

std::int64_t Desk::next_ms(std::int64_t now_ms) const {
  const bool rests =
      of_all_.at_rest() && std::all_of(shards_.begin(), shards_.end(),
                                       [](const auto& shard) { return !shard.second.is_awake(); });
  std::int64_t next = rests ? 0 : now_ms + limits::alert_quiet_ms;
  if (dispatch_.next_ms() != 0 && (next == 0 || dispatch_.next_ms() < next))
    next = std::max(dispatch_.next_ms(), now_ms + 1);
  const std::int64_t waited_ms = now_ms - loaded_ms_;
  if (unheard().empty() || (asked_ && waited_ms > limits::shard_silent_ms)) return next;
  // Then it is judged without them, and later what they alone know is over.
  const std::int64_t waits_ms =
      waited_ms <= limits::shard_unheard_ms ? limits::shard_unheard_ms : limits::shard_silent_ms;
  const std::int64_t at_ms = asked_ ? loaded_ms_ + waits_ms + 1 : now_ms;
  return next == 0 || at_ms < next ? at_ms : next;
}

std::string Desk::rules_of(std::string_view config_id) const {
  for (const RuleBook::Source& one : book_.sources())
    if (one.config_id == config_id)
      return encode(RulesSource{one.config_id, one.tenant_id, one.settings});
  return {};
}

std::string Desk::encode_states() const {
  std::string bytes;
  ByteWriter out(bytes);
  of_all_.encode_states(out);
  return bytes;
}

std::string Desk::encode_words(std::string_view id) const {
  const auto found = words_.find(id);
  if (found == words_.end()) return {};
  return encode(found->second);
}

bool Desk::load(std::int64_t kind, std::string_view id, std::string_view bytes) {
  ByteReader in(bytes);
  if (kind == rules_row) {
    RulesSource source;
    if (!decode(bytes, source) || source.config_id != id) return false;
    set_rules(source);
    changed_rules_.clear();
    return true;
  }
  if (kind == states_row) {
    saved_states_ = bytes;
    return of_all_.decode_states(in);
  }
  if (kind == silences_row) return silences_.load(id, bytes);
  if (kind == tenants_row) return business_.load_tenant(id, bytes);
  if (kind == business_row) return business_.load_state(id, bytes);
  if (kind == groups_row) return dispatch_.load_group(id, bytes);
  if (kind == zones_row) return load_zones(bytes);
  if (kind == shards_row) return awake_.insert(std::string(id)).second;
  if (kind == listeners_row) return dispatch_.load_listeners(bytes);
  Words words;
  if (kind != words_row || !decode(bytes, words)) return false;
  words_.emplace(std::string(id), std::move(words));
  return true;
}

}  // namespace z0
