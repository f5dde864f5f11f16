// PUT /v1/configs/{id}: judge the change, append the version to the config's own ledger, tell
// everybody whom it concerns.
//
// The version's number decides races: two changes ask for one id, and the ledger takes the first.
// What is sent again with the same content makes no version, but is handed out again; so a
// distribution that failed is completed by sending the config again.
#include <algorithm>

#include "calls/appended.hpp"
#include "edge/config_change.hpp"
#include "edge/handlers.hpp"
#include "operations/value.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/remedies.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/directory.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/calls/reports.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/notify/policy.hpp"

namespace z0 {
namespace {

using Stage = ConfigChange::Stage;

std::string_view answer_at(const Frame& frame, std::size_t i) {
  return i < frame.answers.size() ? frame.answers[i] : std::string_view{};
}

// What one append of one fact came to.
AppendResult result_in(const CallAnswer& answer, AppendReply& reply) {
  AppendResult failed;
  failed.status = status_of(answer.outcome);
  if (answer.outcome != Z0_OK || !decode(answer.reply, reply) || reply.results.size() != 1)
    return failed;
  return reply.results[0];
}

class PutConfig {
 public:
  PutConfig(ConfigChange& change, const Context& context, const Frame& frame, Effects& effects)
      : change_(change), context_(context), frame_(frame), effects_(effects) {}

  void ask() {
    StateRequest state;
    state.tenant_id = change_.tenant_id;
    state.entity_id = change_.config_id;
    state.what = state_of_configs;
    effects_.need_call(LedgerMethod::state, ledger_object_name(change_.config_id),
                       limits::read_timeout_ms, encode(state));
    effects_.need_call(DirectoryMethod::policies, directory_object_name(change_.config_id),
                       limits::read_timeout_ms, encode(PoliciesRequest{change_.tenant_id}));
    resume(Stage::judge);
  }

  void go_on() {
    if (change_.stage == Stage::judge) return judge();
    if (change_.stage == Stage::append) return appended();
    distributed();
  }

 private:
  void resume(Stage stage) {
    change_.stage = stage;
    std::string bytes;
    ByteWriter out(bytes);
    write_context(out, context_);
    change_.encode(out);
    effects_.resume(bytes);
  }

  void refuse(Status status, std::string_view field = {}) {
    reply_error(effects_, context_, status, field, config_remedy(status, field));
  }

  void judge() {
    const CallAnswer state_answer = parse_call(answer_at(frame_, 0));
    const CallAnswer policies_answer = parse_call(answer_at(frame_, 1));
    StateReply answered;
    const Status state_status = value_in(state_answer, answered);
    ConfigState state;
    // A config that is not there yet has no version.
    if (state_status != Status::not_found && state_status != Status::ok)
      return refuse(state_status);
    if (state_status == Status::ok && !state.decode(answered.value))
      return refuse(Status::storage_error);
    Policies policies;
    const Status policies_status = value_in(policies_answer, policies);
    if (policies_status != Status::ok) return refuse(policies_status);
    const KnownConfig* known = state.find(change_.config_id);
    const ConfigData content = change_.content();
    if (known != nullptr) {
      // Whom it concerns stays: else those that the last version concerned would keep it for ever.
      if (known->type != content.type) return refuse(Status::invalid_value, "type");
      if (known->scope != content.scope) return refuse(Status::invalid_value, "scope");
      if (known->applies_to != content.applies_to)
        return refuse(Status::invalid_value, "applies_to");
      if (other_currency(*known, content))
        return refuse(Status::invalid_value, "settings.currency");
      change_.version = known->version;
      change_.effective_at = known->effective_at;
    } else if (content.scope != ConfigScope::entity &&
               policies.submissions.size() >= limits::policies_per_tenant_max) {
      return refuse(Status::ledger_full, "scope");
    }
    std::string wider;
    if (relaxes(policies, content, wider)) return refuse(Status::relaxes_limit, wider);
    if (known != nullptr && known->content_hash == config_content_hash(change_.data))
      return distribute();
    if (change_.expected >= 0 && change_.expected != change_.version)
      return refuse(Status::version_conflict, "expected_version");
    ++change_.version;
    effects_.need_call(LedgerMethod::append, ledger_object_name(change_.config_id),
                       limits::append_timeout_ms,
                       encode_system_append(change_.tenant_id, change_.config_id,
                                            change_.submission(frame_.now_ms)));
    resume(Stage::append);
  }

  // A budget of another currency is another budget: its limit would free what was spent in the first.
  static bool other_currency(const KnownConfig& known, const ConfigData& content) {
    Budget budget;
    std::string field;
    return known.is_budget && read_budget(content.settings, budget, field) == Status::recorded &&
           known.budget.currency != budget.currency;
  }

  // Whether a wider scope enforces a smaller limit; `wider` says which config.
  static bool relaxes(const Policies& policies, const ConfigData& content, std::string& wider) {
    Budget budget;
    Budget other;
    std::string field;
    if (content.type != budget_type ||
        read_budget(content.settings, budget, field) != Status::recorded) {
      return false;
    }
    for (const auto submission : policies.submissions) {
      Fact fact;
      ConfigData policy;
      const bool counts = parse_submission(submission, {}, fact) &&
                          read_config_data(fact.data, policy) && policy.type == budget_type &&
                          policy.scope < content.scope &&
                          read_budget(policy.settings, other, field) == Status::recorded;
      if (!counts || !other.enforce || other.limit >= budget.limit) continue;
      if (other.currency != budget.currency || other.period != budget.period) continue;
      wider = fact.config_id;
      return true;
    }
    return false;
  }

  void appended() {
    const CallAnswer answer = parse_call(answer_at(frame_, 0));
    AppendReply reply;
    const AppendResult result = result_in(answer, reply);
    if (result.status == Status::conflict)
      return refuse(Status::version_conflict, "expected_version");
    if (!accepted(result.status)) return refuse(result.status);
    change_.written = result.status == Status::recorded;
    change_.effective_at = result.recorded_at;
    change_.request = answer.request;
    change_.reply = answer.reply;
    distribute();
  }

  void distribute() {
    const ConfigData content = change_.content();
    const std::string copy = change_.submission(change_.effective_at);
    if (content.scope == ConfigScope::entity) {
      effects_.need_call(LedgerMethod::append, ledger_object_name(content.applies_to),
                         limits::append_timeout_ms,
                         encode_system_append(change_.tenant_id, content.applies_to, copy));
    } else {
      const bool all = content.scope == ConfigScope::platform;
      const std::string publish =
          encode(PublishRequest{all ? std::string_view{} : change_.tenant_id, copy});
      for (std::size_t shard = 0; shard < directory_shards; ++shard) {
        effects_.need_call(DirectoryMethod::publish, directory_shard_name(shard),
                           limits::read_timeout_ms, publish);
      }
      const bool rules = content.type == alert_rules_type;
      if (rules || content.type == alert_channels_type) {
        const RulesSource source{change_.config_id,
                                 all ? std::string_view{} : std::string_view(change_.tenant_id),
                                 content.settings};
        effects_.need_call(rules ? AlertsMethod::publish_rules : AlertsMethod::publish_channels,
                           alerts_object, limits::read_timeout_ms, encode(source));
      }
    }
    resume(Stage::distribute);
  }

  void distributed() {
    Status worst = Status::recorded;
    MessagePacker packer(MessageKind::facts, context_.trace.traceparent());
    // Its own ledger first: the queue keeps an order as long as nothing goes wrong.
    queue(packer, change_.request, change_.reply);
    const bool for_entity = change_.content().scope == ConfigScope::entity;
    for (const auto bytes : frame_.answers) {
      const CallAnswer answer = parse_call(bytes);
      AppendReply reply;
      Status status = for_entity ? result_in(answer, reply).status : status_in(answer);
      if (for_entity && answer.outcome == Z0_OK) queue(packer, answer.request, answer.reply);
      if (!accepted(status)) worst = transient(status) ? Status::not_distributed : status;
    }
    reply(worst);
    for (const auto& message : packer.take()) effects_.send(message);
    effects_.tell(encode_report(report_));
    const std::string_view trace = context_.trace.trace_id;
    if (transient(worst)) {
      count_error(effects_, change_.tenant_id, "worker", "config_put", info(worst).name, trace);
    }
    if (!change_.written) return;
    const std::string_view type = change_.content().type;
    count(effects_, Metric::config_updates, change_.tenant_id, {type}, 1, trace);
    observe(effects_, Metric::config_update_duration, change_.tenant_id, {type},
            frame_.now_ms - context_.started_ms, 1, trace);
  }

  void queue(MessagePacker& packer, std::string_view request_bytes, std::string_view reply_bytes) {
    AppendRequest request;
    AppendReply reply;
    if (!decode(request_bytes, request) || !decode(reply_bytes, reply)) return;
    add_appended(packer, request, reply);
    // The views borrow the change and the frame, which outlive the report.
    for (const auto& result : reply.results) {
      if (result.status != Status::recorded) continue;
      ++report_.recorded;
      report_.recorded_by_type.add(FactType::lifecycle, {});
      report_.heads.push_back({request.entity_id, result.seq, result.recorded_at});
    }
  }

  void reply(Status worst) {
    std::string identity;
    JsonWriter(identity).text("config_id", change_.config_id).integer("version", change_.version);
    if (worst != Status::recorded) {
      return reply_json(effects_, context_, info(worst).http,
                        error_json(context_, worst, {}, identity), transient(worst));
    }
    std::string out;
    JsonWriter json(out);
    json.object().parts(identity).text("tenant_id", change_.tenant_id);
    json.integer("effective_at", change_.effective_at).parts(members_of(change_.data)).end();
    reply_json(effects_, context_, change_.written ? 201 : 200, out);
  }

  ConfigChange& change_;
  const Context& context_;
  const Frame& frame_;
  Effects& effects_;
  RequestReport report_;
};

// Channels with business hours, of a config that names some: where each is, and its zone.
std::vector<std::pair<std::string, std::string>> zones_of(const ConfigData& content) {
  std::vector<std::pair<std::string, std::string>> zones;
  ChannelSettings settings;
  RuleError error;
  if (content.type != alert_channels_type ||
      !read_channel_settings(content.settings, settings, error))
    return zones;
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    const auto& hours = settings.channels[i].business_hours;
    if (hours)
      zones.emplace_back("settings.channels[" + std::to_string(i) + "].business_hours.time_zone",
                         hours->time_zone);
  }
  return zones;
}

// The route's second step.
constexpr std::uint8_t zones_step = 1;

}  // namespace

void put_config(const RouteCall& call) {
  const auto& [request, claims, context, frame, config_id, effects] = call;
  if (!valid_config_id(config_id))
    return reply_error(effects, context, Status::invalid_id, "config_id",
                       config_remedy(Status::invalid_id, "config_id"));
  ConfigChange change;
  std::string field;
  const Status status = read_config_change(request, claims, config_id, change, field);
  if (status != Status::recorded)
    return reply_error(effects, context, status, field,
                       change.action.empty() ? config_remedy(status, field) : change.action);
  const auto zones = zones_of(change.content());
  if (zones.empty()) return PutConfig(change, context, frame, effects).ask();
  // Only the host knows which zones there are.
  for (const auto& [where, zone] : zones) effects.need_zone(zone, frame.now_ms);
  std::string bytes;
  ByteWriter out(bytes);
  write_context(out, context, zones_step);
  change.encode(out);
  effects.resume(bytes);
}

void resume_config_zones(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  ConfigChange change;
  if (!change.decode(in)) trap("a config's change goes round as it was written");
  const auto zones = zones_of(change.content());
  for (std::size_t i = 0; i < zones.size(); ++i) {
    std::int64_t offset_min = 0;
    std::int64_t until_ms = 0;
    if (!parse_zone(answer_at(frame, i), offset_min, until_ms))
      return reply_error(effects, context, Status::invalid_value, zones[i].first,
                         "Expected is a zone of the IANA database, such as Europe/Berlin.");
  }
  PutConfig(change, context, frame, effects).ask();
}

void resume_put_config(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  ConfigChange change;
  if (!change.decode(in)) trap("a config's change goes round as it was written");
  PutConfig(change, context, frame, effects).go_on();
}

}  // namespace z0
