#include "z0/directory/directory.hpp"

#include "calls/replying.hpp"
#include "directory/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/facts/fact.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

// Above every id: their alphabet ends with z.
constexpr std::string_view after_all_tenants = "~";

constexpr std::string_view create_tables[] = {
    "CREATE TABLE IF NOT EXISTS ledgers (tenant_id TEXT NOT NULL, entity_id TEXT NOT NULL, "
    "created_at INTEGER NOT NULL, PRIMARY KEY (tenant_id, entity_id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS policies (config_id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, "
    "version INTEGER NOT NULL, submission BLOB NOT NULL)",
    // How far a policy was handed out, and the last tenant that it concerns.
    "CREATE TABLE IF NOT EXISTS pushes (config_id TEXT PRIMARY KEY, version INTEGER NOT NULL, "
    "after_tenant TEXT NOT NULL, after_entity TEXT NOT NULL, last_tenant TEXT NOT NULL)",
    // Ledgers that could not take a policy when it was their turn.
    "CREATE TABLE IF NOT EXISTS retries (tenant_id TEXT NOT NULL, entity_id TEXT NOT NULL, "
    "config_id TEXT NOT NULL, tried_at INTEGER NOT NULL, PRIMARY KEY (tenant_id, entity_id, "
    "config_id)) WITHOUT ROWID"};

constexpr std::string_view select_policies =
    "SELECT submission FROM policies WHERE tenant_id IN ('', ?1) ORDER BY tenant_id, config_id";
// ?1: [[tenant, entity], ...]
constexpr std::string_view put_ledgers =
    R"(INSERT OR IGNORE INTO ledgers (tenant_id, entity_id, created_at)
      SELECT value->>0, value->>1, ?2
      FROM json_each(?1))";
constexpr std::string_view select_version = "SELECT version FROM policies WHERE config_id = ?1";
constexpr std::string_view put_policy =
    R"(INSERT OR REPLACE INTO policies (config_id, tenant_id, version, submission)
      VALUES (?1, ?2, ?3, ?4))";
constexpr std::string_view put_push =
    R"(INSERT OR REPLACE INTO pushes (config_id, version, after_tenant, after_entity,
      last_tenant)
      VALUES (?1, ?2, ?3, '', ?4))";
constexpr std::string_view select_ledgers =
    R"(SELECT tenant_id, entity_id, created_at
      FROM ledgers
      WHERE (tenant_id, entity_id) > (?1, ?2) AND tenant_id <= ?3
      ORDER BY tenant_id, entity_id
      LIMIT ?4)";
namespace of_ledgers {
enum Column : std::size_t { tenant_id, entity_id, created_at };
}

Policies policies_in(const Rows& rows) {
  Policies policies;
  for (std::size_t i = 0; i < rows.size(); ++i) policies.submissions.push_back(rows.at(i, 0).bytes);
  return policies;
}

ListReply ledgers_in(const Rows& rows) {
  ListReply reply;
  for (std::size_t i = 0; i < rows.size(); ++i)
    reply.ledgers.push_back({rows.at(i, of_ledgers::tenant_id).bytes,
                             rows.at(i, of_ledgers::entity_id).bytes,
                             rows.at(i, of_ledgers::created_at).integer});
  return reply;
}

// A call that one select, and perhaps a few writes, answer.
class Call {
 public:
  Call(const DirectoryCall& call, const Frame& frame, Effects& effects)
      : call_(call), frame_(frame), effects_(effects) {}

  // False for a request that is none.
  bool read() {
    switch (call_.method) {
      case DirectoryMethod::register_ledger:
        return decode(call_.request, register_);
      case DirectoryMethod::policies:
        return decode(call_.request, policies_);
      case DirectoryMethod::publish:
        return decode(call_.request, publish_) &&
               parse_submission(publish_.submission, {}, policy_) && policy_.has(field_config);
      default:
        return decode(call_.request, list_);
    }
  }

  void ask() {
    need_directory_tables(effects_);
    if (call_.method == DirectoryMethod::publish) {
      effects_.need_rows(select_version, {Value::text(policy_.config_id)});
    } else if (call_.method == DirectoryMethod::list) {
      const bool one = !list_.tenant_id.empty();
      const bool begins = list_.after_tenant.empty();
      effects_.need_rows(
          select_ledgers,
          {Value::text(one && begins ? list_.tenant_id : list_.after_tenant),
           Value::text(list_.after_entity), Value::text(one ? list_.tenant_id : after_all_tenants),
           Value::of(list_.limit)});
    } else if (call_.method == DirectoryMethod::register_ledger) {
      for (const auto tenant : register_.tenants())
        effects_.need_rows(select_policies, {Value::text(tenant)});
    } else {
      effects_.need_rows(select_policies, {Value::text(policies_.tenant_id)});
    }
    resume_directory(effects_, call_.method, DirectoryStage::rows, call_.request);
  }

  void answer() {
    const Rows rows = directory_rows(frame_, 0);
    if (rows.failed) return reply_status(effects_, Status::storage_error);
    if (call_.method == DirectoryMethod::list) return reply_value(effects_, ledgers_in(rows));
    if (call_.method == DirectoryMethod::publish) return publish(rows);
    if (call_.method == DirectoryMethod::register_ledger) return enter();
    reply_value(effects_, policies_in(rows));
  }

 private:
  void enter() {
    RegisterReply reply;
    std::vector<Rows> rows;
    const std::size_t tenants = register_.tenants().size();
    for (std::size_t i = 0; i < tenants; ++i) {
      rows.push_back(directory_rows(frame_, i));
      if (rows.back().failed) return reply_status(effects_, Status::storage_error);
      // A config says under which versions others decided, not under which it was made.
      const bool own = is_config_ledger(register_.ledgers[0].entity_id);
      reply.policies.push_back(own ? Policies{} : policies_in(rows.back()));
    }
    std::string names;
    JsonWriter json(names);
    json.array();
    for (const LedgerName& ledger : register_.ledgers)
      json.array().text(ledger.tenant_id).text(ledger.entity_id).end();
    json.end();
    effects_.write(put_ledgers, {Value::text(names), Value::of(register_.created_at)});
    reply_value(effects_, reply);
  }

  void publish(const Rows& known) {
    if (known.size() == 0 || known.at(0, 0).integer <= policy_.config_version) {
      const Value id = Value::text(policy_.config_id);
      const Value version = Value::of(policy_.config_version);
      const std::string_view last =
          publish_.tenant_id.empty() ? after_all_tenants : publish_.tenant_id;
      effects_.write(put_policy, {id, Value::text(publish_.tenant_id), version,
                                  Value::blob(publish_.submission)});
      effects_.write(put_push, {id, version, Value::text(publish_.tenant_id), Value::text(last)});
      effects_.alarm(frame_.now_ms);
    }
    reply_status(effects_, Status::ok);
  }

  const DirectoryCall& call_;
  const Frame& frame_;
  Effects& effects_;
  RegisterRequest register_;
  PublishRequest publish_;
  ListRequest list_;
  Fact policy_;
  PoliciesRequest policies_;
};

}  // namespace

void need_directory_tables(Effects& effects) {
  for (const auto sql : create_tables) effects.need_rows(sql, {});
}

Rows directory_rows(const Frame& frame, std::size_t n) {
  const std::size_t at = std::size(create_tables) + n;
  return parse_rows(at < frame.answers.size() ? frame.answers[at] : std::string_view{});
}

void resume_directory(Effects& effects, DirectoryMethod method, DirectoryStage stage,
                      std::string_view request) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(stage));
  out.u8(static_cast<std::uint8_t>(method));
  out.bytes(request);
  effects.resume(bytes);
}

void step_directory(const Frame& frame, Effects& effects) {
  DirectoryCall call;
  if (frame.kind == Z0_FRAME_RESUME) {
    ByteReader in(frame.part(0));
    call.stage = static_cast<DirectoryStage>(in.u8());
    call.method = static_cast<DirectoryMethod>(in.u8());
    call.request = in.bytes();
    if (!in.ok() || !in.done()) trap("a continuation of a directory is read to its end");
  } else if (frame.kind == Z0_FRAME_CALL) {
    call.method = static_cast<DirectoryMethod>(frame.method);
    call.request = frame.part(1);
    if (call.method == DirectoryMethod::alarm) trap("nobody calls a directory's alarm");
  } else if (frame.kind != Z0_FRAME_ALARM) {
    trap("calls, alarms and continuations alone come to a directory");
  }
  if (call.method >= DirectoryMethod::count_) trap("each method of a directory is known");
  if (call.method == DirectoryMethod::alarm) return directory_alarm(call, frame, effects);
  Call todo(call, frame, effects);
  if (!todo.read()) return reply_status(effects, Status::bad_parameter);
  if (call.stage == DirectoryStage::begin) return todo.ask();
  todo.answer();
}

}  // namespace z0
