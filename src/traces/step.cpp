// What a store of traces is asked, step by step: first its rows, where it does not know them yet.
#include <algorithm>

#include "calls/replying.hpp"
#include "traces/store.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/trace/otlp.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

namespace sql = traces_sql;

// Whose answers come next.
enum class TracesStage : std::uint8_t {
  begin,
  hydrate,
  oldest,
  outgoing,
  sent,
  bodies,
  summaries,
  count_
};

struct TracesCall {
  TracesStage stage = TracesStage::begin;
  TracesMethod method = TracesMethod::alarm;
  std::string_view request;
  std::string_view course;  // of what takes several rounds

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.code(self.stage);
    f.code(self.method);
    f.bytes(self.request);
    f.bytes(self.course);
  }
};

// How far a look-up came.
struct LookUp {
  std::int64_t after = 0;  // the last segment that was read
  std::vector<std::string_view> spans;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.after);
    f.list(self.spans);
  }
};

// How far a search came.
struct Search {
  std::int64_t segments = 0;
  SearchReply reply;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.segments);
    f.part(self.reply);
  }
};

class TracesStep {
 public:
  TracesStep(TraceStore& store, const TracesCall& call, const Frame& frame, Effects& effects)
      : store_(store), call_(call), frame_(frame), effects_(effects) {}

  void run() {
    // Meanwhile the state may have left memory; what was sent is known without it.
    if (call_.stage == TracesStage::sent) return sent();
    if (call_.stage == TracesStage::hydrate && !store_.hydrate(frame_)) return fail();
    if (!store_.hydrated()) {
      TraceStore::need_rows(effects_);
      return resume(TracesStage::hydrate, call_.course);
    }
    switch (call_.method) {
      case TracesMethod::alarm:
        return alarm();
      case TracesMethod::store:
        return store();
      case TracesMethod::get:
        return get();
      default:
        return search();
    }
  }

 private:
  void resume(TracesStage stage, std::string_view course) {
    TracesCall next = call_;
    next.stage = stage;
    next.course = course;
    effects_.resume(encode(next), steps_max);
  }

  // An alarm is owed no reply; its host tries it again.
  void fail() {
    if (call_.method == TracesMethod::alarm)
      effects_.alarm(frame_.now_ms + limits::trace_quiet_ms);
    else
      reply_status(effects_, Status::storage_error);
  }

  void alarm() {
    if (call_.stage == TracesStage::outgoing) return send();
    if (call_.stage != TracesStage::oldest) {
      store_.alarm_went_off();
      if (store_.begins_export(frame_)) {
        Outbox::ask_first(effects_);
        return resume(TracesStage::outgoing, {});
      }
      effects_.need_rows(sql::select_oldest, {});
      return resume(TracesStage::oldest, {});
    }
    store_.judge(answer().at(0, 0).integer, frame_, effects_);
  }

  void send() {
    SentBatch sent;
    std::string_view batch;
    if (!store_.outbox().read_first(answer(), sent, batch)) return fail();
    std::vector<Span> spans;
    for (ByteReader in(batch); !in.done();) {
      if (!decode(in.short_bytes(), spans.emplace_back())) trap("a batch holds spans");
    }
    const OtlpTarget target = settings_otlp(frame_.settings);
    Outbox::send(target.traces_url, target, write_otlp_traces(spans), effects_);
    resume(TracesStage::sent, encode(sent));
  }

  void sent() {
    SentBatch sent;
    if (!decode(call_.course, sent)) trap("a batch goes round as it was sent");
    const std::string_view bytes = frame_.answers.empty() ? std::string_view{} : frame_.answers[0];
    Outbox* known = store_.hydrated() ? &store_.outbox() : nullptr;
    const Outbox::Settled settled = Outbox::settle(sent, bytes, frame_, known, effects_);
    store_.go_on(settled, frame_.now_ms, effects_);
    Outbox::log_refused(settled, "traces", effects_);
  }

  void store() {
    StoreRequest request;
    if (!decode(call_.request, request)) return reply_status(effects_, Status::bad_parameter);
    const StoreReply reply = store_.take(request, frame_, effects_);
    reply_value(effects_, reply);
  }

  void get() {
    TraceRequest request;
    if (!decode(call_.request, request)) return reply_status(effects_, Status::bad_parameter);
    LookUp course;
    if (!call_.course.empty() && !decode(call_.course, course))
      trap("a look-up goes on where it was");
    if (call_.stage == TracesStage::bodies) {
      const Rows rows = answer();
      if (rows.failed) return fail();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!find_trace(rows.at(i, 1).bytes, request.trace_id, course.spans)) return fail();
        course.after = rows.at(i, 0).integer;
      }
      const bool more = static_cast<std::int64_t>(rows.size()) == limits::trace_bodies_per_step &&
                        course.spans.size() < limits::trace_spans_max;
      if (!more) return reply_trace(request, course.spans);
    }
    const std::string hash = trace_hash(request.trace_id);
    effects_.need_rows(sql::select_bodies, {Value::blob(hash), Value::of(course.after),
                                            Value::of(limits::trace_bodies_per_step)});
    resume(TracesStage::bodies, encode(course));
  }

  void reply_trace(const TraceRequest& request, std::vector<std::string_view> spans) {
    TraceReply reply;
    const auto open = store_.open_spans(request.trace_id);
    reply.open = !open.empty();
    spans.insert(spans.end(), open.begin(), open.end());
    // A span may have come twice, the second time when its trace had been judged.
    std::unordered_set<std::string_view> known;
    for (const std::string_view bytes : spans) {
      Span span;
      if (!decode(bytes, span)) return fail();
      if (!request.tenant_id.empty() && span.tenant_id != request.tenant_id) continue;
      ByteReader in(bytes);
      in.short_bytes();
      if (!known.insert(in.short_bytes()).second) continue;
      reply.cut = reply.spans.size() == limits::trace_spans_max;
      if (reply.cut) break;
      reply.spans.push_back(bytes);
    }
    reply_value(effects_, reply);
  }

  void search() {
    SearchRequest request;
    if (!decode(call_.request, request)) return reply_status(effects_, Status::bad_parameter);
    Search course;
    if (!call_.course.empty() && !decode(call_.course, course))
      trap("a search goes on where it was");
    if (course.segments == 0 && call_.stage != TracesStage::summaries) {
      course.reply.segment = request.segment == 0 ? limits::version_max : request.segment;
      course.reply.index = request.segment == 0 ? limits::version_max : request.index;
    }
    if (call_.stage == TracesStage::summaries) {
      const Rows rows = answer();
      if (rows.failed) return fail();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!look_through(rows.at(i, 0).integer, rows.at(i, 1).bytes, request, course.reply))
          return reply_found(course.reply, true);
      }
      course.segments += static_cast<std::int64_t>(rows.size());
      const bool all = static_cast<std::int64_t>(rows.size()) < limits::trace_segments_per_step;
      if (all || course.segments >= limits::trace_segments_per_search)
        return reply_found(course.reply, !all);
    }
    const std::int64_t to = request.to_us == 0 ? limits::version_max : request.to_us;
    effects_.need_rows(sql::select_summaries,
                       {Value::of(course.reply.segment), Value::of(request.from_us), Value::of(to),
                        Value::of(limits::trace_segments_per_step)});
    resume(TracesStage::summaries, encode(course));
  }

  // The traces of a segment that match, the newest first, from the place on where the search is. False
  // when there are as many as were asked for.
  static bool look_through(std::int64_t n, std::string_view summaries, const SearchRequest& request,
                           SearchReply& reply) {
    std::vector<TraceSummary> all;
    for (ByteReader in(summaries); !in.done();) {
      if (!decode(in.short_bytes(), all.emplace_back())) break;
    }
    auto i = static_cast<std::int64_t>(all.size());
    if (n == reply.segment) i = std::min(i, reply.index);
    while (i-- > 0) {
      reply.segment = n;
      reply.index = i;
      TraceSummary& trace = all[static_cast<std::size_t>(i)];
      if (!matches(trace, request)) continue;
      reply.found.push_back({std::move(trace), n, i});
      if (static_cast<std::int64_t>(reply.found.size()) >= request.limit) return false;
    }
    reply.segment = n - 1;
    reply.index = limits::version_max;
    return true;
  }

  void reply_found(SearchReply& reply, bool more) {
    reply.more = more && reply.segment > 0;
    reply.kept = store_.counts().kept;
    reply.dropped = store_.counts().dropped;
    reply.spans_refused = store_.counts().spans_refused;
    reply.exported = store_.outbox().taken();
    reply.export_lost = store_.outbox().lost();
    reply_value(effects_, reply);
  }

  Rows answer() const {
    return parse_rows(frame_.answers.empty() ? std::string_view{} : frame_.answers[0]);
  }

  // A look-up reads a few segments a round, a search many: both end, and no round asks for what another
  // one had.
  static constexpr std::size_t steps_max = 4'096;

  TraceStore& store_;
  const TracesCall& call_;
  const Frame& frame_;
  Effects& effects_;
};

}  // namespace

z0_effect_kind traces_asked(std::string_view continuation) {
  const auto stage = static_cast<TracesStage>(ByteReader(continuation).u8());
  return stage == TracesStage::sent ? Z0_NEED_FETCH : Z0_NEED_ROWS;
}

void step_traces(TraceStore& store, const Frame& frame, Effects& effects) {
  TracesCall call;
  if (frame.kind == Z0_FRAME_RESUME) {
    if (!decode(frame.part(0), call)) trap("a continuation of a trace store is read to its end");
  } else if (frame.kind == Z0_FRAME_CALL) {
    call.method = static_cast<TracesMethod>(frame.method);
    call.request = frame.part(1);
    if (call.method == TracesMethod::alarm || call.method >= TracesMethod::count_)
      trap("each method of a trace store is known, and nobody calls its alarm");
  } else if (frame.kind != Z0_FRAME_ALARM) {
    trap("calls, alarms and continuations alone come to a trace store");
  }
  TracesStep(store, call, frame, effects).run();
}

}  // namespace z0
