// The directory's alarm: hands policies out, a few ledgers at a time.
//
// A push goes through the ledgers in order and remembers how far it came. A ledger that fails does
// not stop it: it is written down and tried again when nothing else is to do.
#include "calls/appended.hpp"
#include "directory/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/metrics/events.hpp"
#include "z0/metrics/registry.hpp"
#include "z0/trace/context.hpp"

namespace z0 {
namespace {

constexpr std::string_view select_push =
    R"(SELECT config_id, version, submission
      FROM pushes
      JOIN policies USING (config_id, version)
      ORDER BY config_id
      LIMIT 1)";
namespace of_push {
enum Column : std::size_t { config_id, version, submission };
}
// A config's own ledger takes no others.
constexpr std::string_view select_targets =
    R"(SELECT l.tenant_id, l.entity_id
      FROM (SELECT * FROM pushes ORDER BY config_id LIMIT 1) AS p
      JOIN ledgers AS l ON (l.tenant_id, l.entity_id) > (p.after_tenant, p.after_entity) AND
      l.tenant_id <= p.last_tenant
      WHERE substr(l.entity_id, 1, 4) <> 'cfg_'
      ORDER BY l.tenant_id, l.entity_id
      LIMIT ?1)";
constexpr std::string_view select_retries =
    R"(SELECT tenant_id, entity_id, submission
      FROM (SELECT tenant_id, entity_id, config_id, tried_at FROM retries)
      JOIN (SELECT config_id, submission FROM policies) USING (config_id)
      ORDER BY tried_at, tenant_id, entity_id
      LIMIT ?1)";
// Of what is told: targets begin with the same two.
namespace of_retries {
enum Column : std::size_t { tenant_id, entity_id, submission };
}
constexpr std::string_view end_push = "DELETE FROM pushes WHERE config_id = ?1 AND version = ?2";
// Of this version only: meanwhile another one may have begun.
constexpr std::string_view move_push =
    "UPDATE pushes SET after_tenant = ?3, after_entity = ?4 WHERE config_id = ?1 AND version = ?2";
constexpr std::string_view put_retry =
    R"(INSERT OR REPLACE INTO retries (tenant_id, entity_id, config_id, tried_at)
      VALUES (?1, ?2, ?3, ?4))";
constexpr std::string_view end_retry =
    "DELETE FROM retries WHERE tenant_id = ?1 AND entity_id = ?2 AND config_id = ?3";

class Push {
 public:
  Push(const DirectoryCall& call, const Frame& frame, Effects& effects)
      : call_(call), frame_(frame), effects_(effects) {}

  void run() {
    if (call_.stage == DirectoryStage::begin) return ask();
    if (call_.stage == DirectoryStage::rows) return choose();
    settle();
  }

 private:
  void ask() {
    need_directory_tables(effects_);
    effects_.need_rows(select_push, {});
    effects_.need_rows(select_targets, {Value::of(ledgers_per_run)});
    effects_.need_rows(select_retries, {Value::of(ledgers_per_run)});
    resume_directory(effects_, call_.method, DirectoryStage::rows, {});
  }

  void choose() {
    const Rows push = directory_rows(frame_, 0);
    const Rows targets = directory_rows(frame_, 1);
    const Rows retries = directory_rows(frame_, 2);
    if (push.failed || targets.failed || retries.failed)
      return effects_.alarm(frame_.now_ms + retry_pause_ms);
    if (push.size() == 0) return try_again(retries);
    // A row that was damaged can be told to nobody; sending the config again mends it.
    const std::string_view policy = push.at(0, of_push::submission).bytes;
    if (targets.size() == 0 || !readable(policy)) {
      effects_.write(end_push, {push.at(0, of_push::config_id), push.at(0, of_push::version)});
      return effects_.alarm(frame_.now_ms);
    }
    std::string extra;
    ByteWriter out(extra);
    out.short_bytes(push.at(0, of_push::config_id).bytes);
    out.varint(static_cast<std::uint64_t>(push.at(0, of_push::version).integer));
    for (std::size_t i = 0; i < targets.size(); ++i) append(targets, i, policy);
    resume_directory(effects_, call_.method, DirectoryStage::called, extra);
  }

  void try_again(const Rows& retries) {
    if (retries.size() == 0) return;
    for (std::size_t i = 0; i < retries.size(); ++i) {
      if (readable(retries.at(i, of_retries::submission).bytes))
        append(retries, i, retries.at(i, of_retries::submission).bytes);
    }
    if (!effects_.needs()) return effects_.alarm(frame_.now_ms + retry_pause_ms);
    resume_directory(effects_, call_.method, DirectoryStage::called, {});
  }

  static bool readable(std::string_view submission) {
    Fact fact;
    return parse_submission(submission, {}, fact);
  }

  void append(const Rows& rows, std::size_t i, std::string_view submission) {
    const std::string_view entity_id = rows.at(i, of_retries::entity_id).bytes;
    effects_.need_call(
        LedgerMethod::append, ledger_object_name(entity_id), limits::append_timeout_ms,
        encode_system_append(rows.at(i, of_retries::tenant_id).bytes, entity_id, submission));
  }

  void settle() {
    MessagePacker packer(MessageKind::facts,
                         trace_context({}, {}, frame_.entropy.trace()).traceparent());
    bool settled_any = false;
    AppendRequest request;
    std::vector<std::string> refusals;
    for (const auto bytes : frame_.answers) {
      const CallAnswer answer = parse_call(bytes);
      AppendReply reply;
      Fact fact;
      request = AppendRequest{};
      const bool ours = decode(answer.request, request) && request.submissions.size() == 1 &&
                        parse_submission(request.submissions[0], request.entity_id, fact);
      if (!ours) trap("a push comes back with the request that was sent");
      Status status = Status::storage_error;
      if (answer.outcome == Z0_OK && decode(answer.reply, reply) && reply.results.size() == 1) {
        status = reply.results[0].status;
        add_appended(packer, request, reply);
      }
      const Value tenant = Value::text(request.tenant_id);
      const Value entity = Value::text(request.entity_id);
      const Value config = Value::text(fact.config_id);
      if (transient(status)) {
        effects_.write(put_retry, {tenant, entity, config, Value::of(frame_.now_ms)});
        continue;
      }
      settled_any = true;
      effects_.write(end_retry, {tenant, entity, config});
      // A retired entity needs no config any more; one that another tenant began meanwhile, none of
      // this one's.
      const bool needs_none = status == Status::entity_inactive || status == Status::forbidden;
      if (!accepted(status) && !needs_none)
        refusals.push_back(refusal(request.entity_id, fact.config_id, status));
    }
    move_on(request, settled_any);
    for (const auto& message : packer.take()) effects_.send(message);
    if (refusals.empty()) return;
    log_event(effects_, Event::config_refused, {std::span<const std::string>(refusals)});
    count(effects_, Metric::errors, {}, {"do", "directory", "config_refused"},
          static_cast<std::int64_t>(refusals.size()), {});
  }

  // The push goes on after its last ledger; without one this was a round of retries.
  void move_on(const AppendRequest& last, bool settled_any) {
    bool pause = !settled_any;
    if (!call_.request.empty()) {
      ByteReader in(call_.request);
      const std::string_view config_id = in.short_bytes();
      const auto version = static_cast<std::int64_t>(in.varint());
      effects_.write(move_push, {Value::text(config_id), Value::of(version),
                                 Value::text(last.tenant_id), Value::text(last.entity_id)});
      pause = false;
    }
    effects_.alarm(frame_.now_ms + (pause ? retry_pause_ms : 0));
  }

  // A ledger that will never take it, as one that is full of configs: a person has to know.
  static std::string refusal(std::string_view entity_id, std::string_view config_id,
                             Status status) {
    std::string words(entity_id);
    return words.append(" ").append(config_id).append(" ").append(info(status).name);
  }

  const DirectoryCall& call_;
  const Frame& frame_;
  Effects& effects_;
};

}  // namespace

void directory_alarm(const DirectoryCall& call, const Frame& frame, Effects& effects) {
  Push(call, frame, effects).run();
}

}  // namespace z0
