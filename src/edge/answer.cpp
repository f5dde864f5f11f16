// POST /v1/facts, second half: the ledgers have answered. Receipts for the caller, facts for the
// queue, attempts for what failed, a report for the monitor, points for Analytics Engine.
#include <algorithm>
#include <optional>

#include "base/shorten.hpp"
#include "calls/appended.hpp"
#include "edge/exceeded.hpp"
#include "edge/handlers.hpp"
#include "edge/post.hpp"
#include "edge/tallies.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/message.hpp"
#include "z0/calls/reports.hpp"
#include "z0/facts/fact.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/events.hpp"

namespace z0 {
namespace {

// The platform's own words in an attempt record.
constexpr std::size_t failure_bytes_max = 200;

struct Call {
  AppendRequest request;
  AppendReply reply;
  std::string_view failure;
  std::size_t next = 0;
};

// One item with all that is known of it.
struct Answered {
  AppendResult result;
  Fact fact;  // empty id for an item that was refused at the edge without one
  std::string_view tenant_id;
  std::string_view submission;
};

class Answer {
 public:
  Answer(const std::vector<std::string_view>& answers, const Context& context, const Frame& frame,
         Effects& effects)
      : answers_(answers),
        context_(context),
        frame_(frame),
        effects_(effects),
        facts_(MessageKind::facts, context.trace.traceparent()),
        attempts_(MessageKind::attempts, context.trace.traceparent()) {
    trace_.resize(16);
    if (!from_hex(context.trace.trace_id, trace_.data(), 16))
      trap("a context's trace id is hexadecimal");
  }

  void run(bool single, const PostItems& all) {
    read_calls();
    alone_ = single && all.items.size() == 1;
    for (std::size_t i = 0; i < all.items.size(); ++i) {
      const PostItem& item = all.items[i];
      if (!single) place_ = {i, all.line_of(i)};
      if (item.status == Status::recorded)
        add(from_call(item), {});
      else
        add(refused(item.status, all.refusal(item)), all.refusal(item).field);
    }
    for (const auto& call : calls_) queue_recorded(call);
    collect_latest(all);
    reply(all.items.size());
    for (const auto& message : facts_.take()) effects_.send(message);
    for (const auto& message : attempts_.take()) effects_.send(message);
    tell();
  }

 private:
  void read_calls() {
    calls_.resize(answers_.size());
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const CallAnswer answer = parse_call(answers_[i]);
      Call& call = calls_[i];
      if (!decode(answer.request, call.request))
        trap("a call comes back with the request that was sent");
      const std::size_t count = call.request.submissions.size();
      Status failed = Status::storage_error;
      if (answer.outcome == Z0_OK) {
        if (decode(answer.reply, call.reply) && call.reply.results.size() == count) continue;
        call.failure = "the ledger could not read its rows";
      } else {
        call.failure = shorten(answer.reply, failure_bytes_max);
        if (answer.outcome == Z0_OVERLOADED) failed = Status::overloaded;
        if (answer.outcome == Z0_TIMEOUT) failed = Status::timeout;
      }
      call.reply.results.assign(count, {failed, 0, 0, {}, {}, {}});
    }
  }

  // The item that a call's cursor stands at.
  Answered answered(const Call& call) const {
    if (call.next >= call.reply.results.size()) trap("each item of a call has a result");
    Answered a;
    a.result = call.reply.results[call.next];
    const std::string_view stamped = a.result.stamped;
    a.submission = stamped.empty() ? call.request.submissions[call.next] : stamped;
    a.tenant_id = call.request.tenant_id;
    if (!parse_submission(a.submission, call.request.entity_id, a.fact))
      trap("a ledger answers with submissions");
    a.fact.seq = a.result.seq;
    a.fact.recorded_at = a.result.recorded_at;
    return a;
  }

  Answered from_call(const PostItem& item) {
    if (item.index >= calls_.size()) trap("each item belongs to a call");
    Call& call = calls_[item.index];
    const Answered a = answered(call);
    ++call.next;
    if (leaves_attempt(a.result.status)) keep_attempt(a, call.failure);
    return a;
  }

  static Answered refused(Status status, const Refusal& refusal) {
    Answered a;
    a.result.status = status;
    a.fact.id = refusal.id;
    a.fact.entity_id = refusal.entity_id;
    a.tenant_id = refusal.tenant_id;
    return a;
  }

  void keep_attempt(const Answered& a, std::string_view failure) {
    Attempt attempt;
    attempt.tenant_id = a.tenant_id;
    attempt.entity_id = a.fact.entity_id;
    attempt.attempted_at = context_.started_ms;
    attempt.code = info(a.result.status).name;
    attempt.message = failure.empty() ? info(a.result.status).sentence : failure;
    std::string words;
    ExceededBudget budget;
    if (exceeded(a, budget)) attempt.message = words = budget_words(budget, a.fact.amount);
    attempt.span = span_of(LedgerMethod::append).text();
    attempt.trace = a.fact.trace.empty() ? std::string_view(trace_) : a.fact.trace;
    attempt.submission = a.submission;
    attempts_.add_attempt(attempt);
  }

  // Appends the item's JSON and counts it.
  void add(const Answered& a, std::string_view field) {
    const Status status = a.result.status;
    if (first_refusal_ == Status::recorded && !accepted(status)) first_refusal_ = status;
    retry_helps_ = retry_helps_ || transient(status);
    if (status == Status::recorded) {
      ++report_.recorded;
      report_.recorded_by_type.add(a.fact.type, a.fact.custom_type);
    } else if (status == Status::duplicate) {
      ++report_.duplicate;
    } else if (status == Status::conflict) {
      ++report_.conflict;
    } else if (transient(status)) {
      ++report_.failed;
    } else {
      ++report_.refused;
    }
    if (status == Status::recorded || leaves_attempt(status))
      tallies_.add(status, a.tenant_id, a.fact);
    note(a);
    if (accepted(status))
      add_receipt(a);
    else
      add_error(a, field.empty() ? a.result.field : field);
  }

  // Ids are of an alphabet that needs no escapes.
  void add_receipt(const Answered& a) {
    constexpr std::size_t around = 256;  // the names, three numbers and a root
    char* p = results_.room(a.fact.id.size() + a.fact.entity_id.size() + around);
    {
      JsonRoomWriter json(p, results_.size() > 0);
      json.object();
      json.plain("status", a.result.status == Status::recorded ? "recorded" : "duplicate");
      json.plain("id", a.fact.id).plain("entity_id", a.fact.entity_id);
      json.integer("seq", a.result.seq).integer("recorded_at", a.result.recorded_at);
      if (alone_) {
        json.object("tree");
        write_tree(json, calls_[0]);
        json.end();
      }
      json.end();
    }
    results_.end_at(p);
  }

  // The ledger's size and root when it answered: what a caller keeps to ask for a proof later.
  template <class Json>
  static void write_tree(Json& json, const Call& call) {
    std::string root;
    append_hex(root, bytes_of(call.reply.root));
    json.integer("size", call.reply.size).plain("root", root);
  }

  void add_error(const Answered& a, std::string_view field) {
    std::string identity;
    JsonWriter members(identity);
    if (place_) write_place(members, place_->item, place_->line);
    members.text_if_any("id", a.fact.id).text_if_any("entity_id", a.fact.entity_id);
    std::string action;
    ExceededBudget budget;
    if (exceeded(a, budget)) {
      write_budget(members, budget);
      action = budget_remedy(budget, a.fact.amount);
    } else {
      action = a.result.detail;
    }
    const std::string error = error_json(context_, a.result.status, field, identity, action);
    char* p = results_.room(error.size() + 1);
    JsonRoomWriter(p, results_.size() > 0).raw(error);
    results_.end_at(p);
  }

  static bool exceeded(const Answered& a, ExceededBudget& budget) {
    return a.result.status == Status::budget_exhausted && decode(a.result.detail, budget);
  }

  // The last few facts of the request, for the live page. They are read once more, so that the many
  // that nobody will see cost nothing.
  void collect_latest(const PostItems& all) {
    for (auto& call : calls_) call.next = call.reply.results.size();
    for (std::size_t i = all.items.size();
         i-- > 0 && report_.latest.size() < limits::latest_per_report;) {
      const PostItem& item = all.items[i];
      const bool refused_here = item.status != Status::recorded;
      if (!refused_here) --calls_[item.index].next;
      const Answered a =
          refused_here ? refused(item.status, all.refusal(item)) : answered(calls_[item.index]);
      if (a.result.status != Status::duplicate) report_.latest.push_back(latest_json(a));
    }
    std::reverse(report_.latest.begin(), report_.latest.end());
  }

  std::string latest_json(const Answered& a) const {
    std::string out;
    JsonWriter json(out);
    json.object().plain("status", info(a.result.status).name).text_if_any("id", a.fact.id);
    if (!a.submission.empty()) json.text_if_any("type", a.fact.name());
    json.text_if_any("subtype", a.fact.subtype).text_if_any("entity_id", a.fact.entity_id);
    json.text_if_any("tenant_id", a.tenant_id);
    if (a.fact.has(field_amount)) json.integer("amount", a.fact.amount);
    json.text_if_any("currency", a.fact.currency);
    if (!a.fact.trace.empty()) json.hex("trace_id", a.fact.trace);
    const std::int64_t at = a.result.recorded_at == 0 ? frame_.now_ms : a.result.recorded_at;
    json.integer("recorded_at", at).end();
    return out;
  }

  // The records as the ledger wrote them, for the queue; and its new head, for the monitor.
  void queue_recorded(const Call& call) {
    add_appended(facts_, call.request, call.reply);
    RequestReport::Head head{call.request.entity_id, 0, 0};
    for (const AppendResult& r : call.reply.results) {
      if (r.status != Status::recorded) continue;
      head.seq = r.seq;
      head.recorded_at = r.recorded_at;
    }
    if (head.seq > 0) report_.heads.push_back(head);
  }

  void reply(std::size_t count) {
    const std::int64_t good = report_.recorded + report_.duplicate;
    if (alone_) {
      const Status status = first_refusal_ != Status::recorded ? first_refusal_
                            : report_.duplicate > 0            ? Status::duplicate
                                                               : Status::recorded;
      return reply_json(effects_, context_, info(status).http, results_.view(), retry_helps_);
    }
    std::uint16_t http = 200;
    if (first_refusal_ != Status::recorded) http = good > 0 ? 207 : info(first_refusal_).http;
    std::string out;
    JsonWriter json(out);
    json.object().plain("trace_id", context_.trace.trace_id);
    json.integer("recorded", report_.recorded).integer("duplicate", report_.duplicate);
    json.integer("refused", static_cast<std::int64_t>(count) - good);
    json.array("results").parts(results_.view()).end();
    json.array("trees");
    for (const Call& call : calls_) {
      if (call.reply.size == 0) continue;
      json.object().text("entity_id", call.request.entity_id);
      write_tree(json, call);
      json.end();
    }
    json.end().end();
    reply_json(effects_, context_, http, out, retry_helps_);
  }

  void tell() {
    effects_.tell(encode_report(report_));
    tallies_.emit(context_, frame_.now_ms, effects_);
  }

  // What the request's span says of the facts.
  void note(const Answered& a) {
    SpanNotes& notes = effects_.notes;
    const Status status = a.result.status;
    const bool failed = leaves_attempt(status);
    if (!accepted(status) && notes.error_code.empty()) notes.error_code = info(status).name;
    if (status != Status::recorded && !failed) return;
    if (notes.tenant_id.empty()) notes.tenant_id = a.tenant_id;
    if (alone_) notes.entity_id = a.fact.entity_id;
    if (failed && !notes.failed) notes.error_code = info(status).name;
    if (failed)
      notes.failed = true;
    else
      ++notes.facts;
    if (a.fact.has(field_amount)) (failed ? notes.money_failed : notes.money_moved) = true;
  }

  const std::vector<std::string_view>& answers_;  // the ledgers', in the order of the calls
  const Context& context_;
  const Frame& frame_;
  Effects& effects_;
  MessagePacker facts_;
  MessagePacker attempts_;
  std::string trace_;
  std::vector<Call> calls_;
  Buffer results_;
  RequestReport report_;
  Tallies tallies_;
  std::optional<LineRun> place_;  // of the item at hand, in a batch
  Status first_refusal_ = Status::recorded;
  bool alone_ = false;        // one fact, and no list around it
  bool retry_helps_ = false;  // where a budget is exhausted it does not
};

}  // namespace

void answer_post(bool single, const PostItems& items, const std::vector<std::string_view>& answers,
                 const Context& context, const Frame& frame, Effects& effects) {
  Answer(answers, context, frame, effects).run(single, items);
}

}  // namespace z0
