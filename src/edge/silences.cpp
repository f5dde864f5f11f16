// GET and POST /v1/silences, DELETE /v1/silences/{}.
#include "z0/calls/silences.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "alerts/checked_json.hpp"
#include "edge/handlers.hpp"
#include "operations/value.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/time.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

// A body with labels in it.
constexpr std::size_t silence_depth_max = 2;

struct SilenceBody {
  std::string rule;
  std::string tenant_id;
  std::map<std::string, std::string> labels;
  std::string author;
  std::string reason;
  std::int64_t starts_ms = 0;
  std::int64_t ends_ms = 0;
  std::int64_t for_ms = 0;
};

//   {"rule": "Replication*", "tenant_id": "acct_x", "labels": {"tool_id": "search"},
//    "author": "ann", "reason": "D1 moves", "starts_at": 1764547200000, "for": "2h"}
// with `expires_at` in place of `for`, where that is known.
class SilenceReader : private CheckedJson {
 public:
  SilenceReader(std::string_view text, std::int64_t now_ms, RuleError& error)
      : CheckedJson(text, silence_depth_max, error), now_ms_(now_ms) {}

  bool read(SilenceBody& body) {
    if (!object()) return fail("an object with author, reason, and what is to be silenced");
    std::string_view key;
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, shorten(name, limits::id_bytes_max));
      if (!read_member(name, body)) return false;
    }
    if (in_.error() != JsonError::none || !in_.at_end()) return fail("JSON in order");
    return complete(body);
  }

 private:
  // Another place for a * is no pattern.
  bool pattern(std::string& out, std::string_view what) {
    return text(out, what) && (out.find('*') >= out.size() - 1 || out.empty() ||
                               fail("a text with a * at its end at most"));
  }

  bool time(std::int64_t& out) {
    constexpr std::string_view what = "milliseconds since 1970, or a time as RFC 3339 has it";
    if (in_.peek() == JsonKind::string) {
      std::string value;
      return text(value, what) &&
             ((parse_rfc3339(value, out) && out >= 0) || fail(std::string(what)));
    }
    double value = 0;
    if (!number(value, 0, 9e15, what)) return false;
    out = static_cast<std::int64_t>(value);
    return static_cast<double>(out) == value || fail(std::string(what));
  }

  bool read_labels(SilenceBody& body) {
    if (!object()) return fail("an object of labels with their values");
    std::string_view key;
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, shorten(name, limits::id_bytes_max));
      if (body.labels.size() >= limits::silence_labels_max) return fail("fewer labels");
      if (name.empty() || name.size() > limits::id_bytes_max) return fail("the name of a label");
      if (!pattern(body.labels[name], "a text")) return false;
    }
    return in_.error() == JsonError::none || fail("JSON in order");
  }

  bool read_member(std::string_view name, SilenceBody& body) {
    if (name == "rule") return pattern(body.rule, "the name of a rule");
    if (name == "tenant_id") return pattern(body.tenant_id, "a tenant's id");
    if (name == "labels") return read_labels(body);
    if (name == "author") return text(body.author, "who says so");
    if (name == "reason") return text(body.reason, "why");
    if (name == "starts_at") return time(body.starts_ms);
    if (name == "expires_at") return time(body.ends_ms);
    if (name == "for") return duration(body.for_ms, 1'000, limits::silence_ms_max);
    return fail("a member of a silence, and this is none");
  }

  bool complete(const SilenceBody& body) {
    if (body.author.empty()) return fail_at("author", "who says so");
    if (body.reason.empty()) return fail_at("reason", "why");
    // As in Alertmanager: a label that may be whatever it is says nothing, and would silence everything.
    const bool any_label =
        std::any_of(body.labels.begin(), body.labels.end(),
                    [](const auto& label) { return !label.second.empty() && label.second != "*"; });
    if (body.rule.empty() && body.tenant_id.empty() && !any_label)
      return fail_at("rule", "a rule, a tenant or a label's value; a rule of * is everything");
    if ((body.ends_ms == 0) == (body.for_ms == 0))
      return fail_at("for", "how long, or a time expires_at, and not both");
    const std::int64_t starts_ms = std::max(body.starts_ms, now_ms_);
    if (starts_ms - now_ms_ > limits::silence_ms_max)
      return fail_at("starts_at", "within 30 days from now");
    if (body.for_ms != 0) return true;
    if (body.ends_ms <= starts_ms) return fail_at("expires_at", "a time after its start");
    return body.ends_ms - starts_ms <= limits::silence_ms_max ||
           fail_at("expires_at", "at most 30 days after its start");
  }

  std::int64_t now_ms_;
};

std::string_view state_of(const SilenceView& silence, std::int64_t now_ms) {
  if (now_ms >= silence.ends_ms) return "expired";
  return now_ms < silence.starts_ms ? "pending" : "active";
}

void write_silence(JsonWriter& json, const SilenceView& silence, std::int64_t now_ms) {
  json.object().text("id", silence.id).plain("state", state_of(silence, now_ms));
  json.text_if_any("made_for", silence.made_for);
  json.text_if_any("rule", silence.rule).text_if_any("tenant_id", silence.tenant_id);
  json.object("labels");
  for (std::size_t i = 0; i + 1 < silence.labels.size(); i += 2)
    json.any_key(silence.labels[i]).text(silence.labels[i + 1]);
  json.end().text("author", silence.author).text("reason", silence.reason);
  json.integer("created_at", silence.made_ms).integer("starts_at", silence.starts_ms);
  json.integer("expires_at", silence.ends_ms).end();
}

std::string no_such_rule_action(const std::vector<std::string_view>& similar) {
  std::string action = "No rule has this name, so it would silence nothing.";
  for (std::size_t i = 0; i < similar.size(); ++i)
    action.append(i == 0 ? " Is it " : i + 1 == similar.size() ? " or " : ", ").append(similar[i]);
  return action + (similar.empty() ? "" : "?") + " GET /v1/rules lists those that there are.";
}

void reply_silence(const RouteResume& resumed, std::uint16_t http) {
  SilencesReply reply;
  if (!value_or_refuse(resumed, reply)) return;
  if (reply.no_such_rule)
    return reply_error(resumed.effects, resumed.context, Status::invalid_value, "rule",
                       no_such_rule_action(reply.similar_rules));
  if (reply.silences.empty())
    return reply_error(resumed.effects, resumed.context, Status::conflict, {},
                       "There are as many silences as may be: end some that are not needed.");
  std::string out;
  JsonWriter json(out);
  write_silence(json, reply.silences[0], reply.now_ms);
  reply_json(resumed.effects, resumed.context, http, out);
}

}  // namespace

void get_silences(const RouteCall& call) {
  std::string_view tenant_id;
  if (!tenant_for(call.request, call.claims, tenant_id))
    return reply_error(call.effects, call.context, Status::not_found, "tenant");
  const SilencesRequest request{tenant_id, tenant_id.empty()};
  call.effects.need_call(AlertsMethod::silences, alerts_object, limits::read_timeout_ms,
                         encode(request));
  resume_with(call.context, call.effects);
}

void resume_silences(const RouteResume& resumed) {
  SilencesReply reply;
  if (!value_or_refuse(resumed, reply)) return;
  // What ends first comes first; what is over comes last.
  std::stable_sort(reply.silences.begin(), reply.silences.end(),
                   [&reply](const SilenceView& a, const SilenceView& b) {
                     const bool a_over = a.ends_ms <= reply.now_ms;
                     const bool b_over = b.ends_ms <= reply.now_ms;
                     return a_over != b_over ? b_over : a.ends_ms < b.ends_ms;
                   });
  std::string out;
  JsonWriter json(out);
  json.object().array("silences");
  for (const SilenceView& silence : reply.silences) write_silence(json, silence, reply.now_ms);
  json.end().end();
  reply_json(resumed.effects, resumed.context, 200, out);
}

void post_silence(const RouteCall& call) {
  if (!body_or_refuse(call)) return;
  SilenceBody body;
  RuleError error;
  if (!SilenceReader(call.request.body, call.frame.now_ms, error).read(body))
    return reply_error(call.effects, call.context, Status::invalid_value,
                       error.where == "settings" ? std::string_view() : error.where,
                       "Expected is " + error.why + '.');
  const bool all = call.claims.all_tenants;
  // A tenant's silences are about its own alerts, whether it says so or not.
  if (!all && !body.tenant_id.empty() && body.tenant_id != call.claims.tenant_id)
    return reply_error(call.effects, call.context, Status::not_found, "tenant_id");
  SilenceRequest request;
  SilenceView& silence = request.silence;
  silence.made_for = all ? std::string_view() : std::string_view(call.claims.tenant_id);
  silence.rule = body.rule;
  silence.tenant_id = all ? std::string_view(body.tenant_id) : silence.made_for;
  for (const auto& [name, value] : body.labels) {
    silence.labels.push_back(name);
    silence.labels.push_back(value);
  }
  silence.author = body.author;
  silence.reason = body.reason;
  silence.starts_ms = body.starts_ms;
  silence.ends_ms = body.ends_ms;
  request.for_ms = body.for_ms;
  call.effects.need_call(AlertsMethod::silence, alerts_object, limits::read_timeout_ms,
                         encode(request));
  resume_with(call.context, call.effects);
}

void resume_silence(const RouteResume& resumed) { reply_silence(resumed, 201); }

void delete_silence(const RouteCall& call) {
  const bool all = call.claims.all_tenants;
  const UnsilenceRequest request{
      call.id, all ? std::string_view() : std::string_view(call.claims.tenant_id), all};
  call.effects.need_call(AlertsMethod::unsilence, alerts_object, limits::read_timeout_ms,
                         encode(request));
  resume_with(call.context, call.effects);
}

void resume_delete_silence(const RouteResume& resumed) { reply_silence(resumed, 200); }

}  // namespace z0
