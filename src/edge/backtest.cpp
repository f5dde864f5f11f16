// POST /v1/rules/backtest: rules over what D1's facts tell, a bounded part a step.
//
// A step gets the facts of a stretch of time, by kinds, plays them, and asks for the next one; the
// stretch is as long as its answer and its ticks are cheap. So nobody else waits long for a backtest,
// and none of it lies in memory between two steps: what the windows hold and what the alerts are
// travels in the continuation.
//
// Rules about anomalies learn from as many days before as the bounds on one request allow: they begin 35 days
// before, and where that would take too many stretches, all of it is forgotten and they begin again later.
#include "z0/alerts/backtest.hpp"

#include <algorithm>
#include <optional>

#include "edge/backtest_history.hpp"
#include "edge/handlers.hpp"
#include "z0/alerts/backtest_request.hpp"
#include "z0/base/fields.hpp"
#include "z0/base/trap.hpp"

namespace z0 {
namespace {

constexpr std::int64_t default_length_ms = std::int64_t{7} * 86'400'000;
// Rules of a few hundred bytes and incidents.
constexpr std::size_t body_bytes_max = 256 << 10;
// Alerts that one step looks at, at some 10 ns each: 20 ms.
constexpr std::int64_t looks_max = 2'000'000;
// Measurements that windows hold between two steps: 3 MB of continuation.
constexpr std::size_t held_max = 100'000;
constexpr std::size_t stretches_max = 600;
// Each is a query for each database, of 1,000 that an invocation may make.
constexpr std::size_t questions_max = 900;
constexpr std::int64_t first_stretch_ms = 3'600'000;
constexpr std::size_t answered_firings_max = 2'000;
// What is usual, for so many series of each version of the rules: 2.4 MB of continuation.
constexpr std::size_t baselines_max = 1'000;
// How many stretches an answer takes can be told once they are as long as they get.
constexpr std::int64_t stretches_told = 8;
// Of those that are left, what is asked for may take so much.
constexpr std::int64_t planned_share = 90;

// Where a backtest stands between two steps.
struct BacktestRun {
  std::string_view body;
  std::string_view tenant_id;
  std::int64_t from_ms = 0, to_ms = 0;
  std::int64_t learn_from_ms = 0;
  std::int64_t at_ms = 0;   // what comes next
  std::int64_t end_ms = 0;  // of the stretch that is asked for
  std::int64_t stretches = 0;
  std::int64_t begun_ms = 0, begun_stretches = 0;  // where it began, or began again
  std::int64_t measurements = 0;
  std::string_view history, outcome, against;  // empty before the first stretch

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.bytes(self.body);
    f.text(self.tenant_id);
    for (auto* n : {&self.from_ms, &self.to_ms, &self.learn_from_ms, &self.at_ms, &self.end_ms,
                    &self.stretches, &self.begun_ms, &self.begun_stretches, &self.measurements})
      f.number(*n);
    f.bytes(self.history);
    f.bytes(self.outcome);
    f.bytes(self.against);
  }
};

// Whether a rule tells subtypes or assets of facts apart.
bool tells_assets(const std::vector<Rule>& rules) {
  const auto names = info(Metric::facts_written).labels;
  const auto is_finer = [](const Selector::Match& match) { return match.label > 0; };
  for (const Rule& rule : rules) {
    for (std::size_t i = 1; i < names.size(); ++i)
      if (std::find(rule.by.begin(), rule.by.end(), names[i]) != rule.by.end()) return true;
    for (const auto* selectors : {&rule.of, &rule.to})
      for (const Selector& one : *selectors)
        if (one.metric == Metric::facts_written &&
            std::any_of(one.where.begin(), one.where.end(), is_finer))
          return true;
  }
  return false;
}

class BacktestStep {
 public:
  BacktestStep(BacktestRun& run, const BacktestRequest& request, const Context& context,
               const Frame& frame, Effects& effects)
      : run_(run),
        request_(request),
        context_(context),
        frame_(frame),
        effects_(effects),
        outcome_(request.rules, request.step_ms, answered_firings_max),
        warm_up_ms_(outcome_.warm_up_ms()) {
    outcome_.limit_baselines(baselines_max);
    if (!request.compares) return;
    against_.emplace(request.against, request.step_ms, answered_firings_max);
    against_->limit_baselines(baselines_max);
    warm_up_ms_ = std::max(warm_up_ms_, against_->warm_up_ms());
  }

  // What is usual is learned first, and windows reach back: so facts from before are asked for, too; those
  // steps are not judged.
  void begin() {
    run_.learn_from_ms = outcome_.learns_from_ms(0, run_.from_ms);
    if (against_)
      run_.learn_from_ms = std::min(run_.learn_from_ms, against_->learns_from_ms(0, run_.from_ms));
    begin_at(run_.learn_from_ms);
    ask(std::max(request_.step_ms, first_stretch_ms));
  }

  void ask(std::int64_t span_ms) {
    run_.end_ms = std::min(run_.to_ms, run_.at_ms + span_ms);
    need_history(frame_, page(), effects_);
    std::string continuation;
    ByteWriter out(continuation);
    write_context(out, context_);
    out.bytes(encode(run_));
    effects_.resume(continuation, stretches_max + 2);
  }

  void go_on() {
    HistoryAnswer answer;
    if (!read_history(frame_, page(), answer))
      return reply_error(effects_, context_, Status::storage_error, {});
    if (answer.reached_ms <= run_.at_ms) return refuse_size();
    History history;
    restore(history, run_.history);
    for (const HistorySample& sample : answer.samples) history.add(sample);
    run_.measurements += static_cast<std::int64_t>(answer.samples.size());

    restore(outcome_, run_.outcome);
    play(history, outcome_, answer.reached_ms);
    if (against_) {
      restore(*against_, run_.against);
      play(history, *against_, answer.reached_ms);
    }
    if (answer.reached_ms >= run_.to_ms) return reply(history);
    keep(history, answer);
  }

 private:
  template <class Kept>
  static void restore(Kept& into, std::string_view bytes) {
    ByteReader in(bytes);
    if (!bytes.empty() && !into.decode(in)) trap("a backtest reads what it wrote");
  }

  std::int64_t most_stretches() const {
    const std::size_t databases = databases_for(frame_, run_.tenant_id).size();
    return static_cast<std::int64_t>(
        std::min(stretches_max, questions_max / std::max<std::size_t>(databases, 1)));
  }

  // The first step that windows need for one that is learned or judged then.
  void begin_at(std::int64_t ms) {
    run_.at_ms = std::max<std::int64_t>(std::max(ms - warm_up_ms_, run_.at_ms), 0);
    run_.at_ms -= run_.at_ms % request_.step_ms;
    run_.begun_ms = run_.at_ms;
    run_.begun_stretches = run_.stretches;
  }

  // Where the rest would take too many stretches, as long as they were so far, less is learned, and what was
  // learned is forgotten: what is usual has no holes.
  void learn_less_if_long() {
    const std::int64_t took = run_.stretches - run_.begun_stretches;
    if (took < stretches_told || run_.at_ms >= run_.from_ms - warm_up_ms_) return;
    const std::int64_t mean_ms = std::max<std::int64_t>((run_.at_ms - run_.begun_ms) / took, 1);
    const std::int64_t left = (most_stretches() - run_.stretches) * planned_share / 100;
    if ((run_.to_ms - run_.at_ms) / mean_ms <= left) return;
    run_.learn_from_ms = std::max(run_.at_ms, run_.to_ms - left * mean_ms);
    run_.learn_from_ms -= run_.learn_from_ms % request_.step_ms;
    // Too little to settle on.
    if (run_.from_ms - run_.learn_from_ms < Baseline::settled_ms) run_.learn_from_ms = run_.from_ms;
    begin_at(run_.learn_from_ms);
    run_.history = run_.outcome = run_.against = {};
  }

  HistoryPage page() const {
    HistoryPage page;
    page.tenant_id = run_.tenant_id;
    page.from_ms = run_.at_ms;
    page.to_ms = run_.end_ms;
    page.step_ms = request_.step_ms;
    page.by_asset = tells_assets(request_.rules) || tells_assets(request_.against);
    return page;
  }

  void play(History& history, Backtest& backtest, std::int64_t reached_ms) const {
    if (reached_ms <= std::min(run_.learn_from_ms, run_.from_ms)) return;
    HistoryPlay steps(
        history, backtest,
        {std::max(run_.at_ms, run_.learn_from_ms), std::max(run_.at_ms, run_.from_ms), reached_ms});
    while (steps.step()) {
    }
  }

  void refuse_size() {
    reply_error(
        effects_, context_, Status::bad_parameter, "step",
        "This takes more than one request may. Ask for a shorter time, a longer step or one "
        "tenant, or run z0 backtest, which has no such limit.");
  }

  void keep(const History& history, const HistoryAnswer& answer) {
    auto looks = static_cast<std::int64_t>(outcome_.alerts_a_tick() + 1);
    std::string held;
    std::string states;
    std::string other_states;
    ByteWriter states_out(states);
    outcome_.encode(states_out);
    if (against_) {
      looks += static_cast<std::int64_t>(against_->alerts_a_tick());
      ByteWriter other_out(other_states);
      against_->encode(other_out);
    }
    ByteWriter held_out(held);
    const std::size_t count = history.encode(answer.reached_ms - warm_up_ms_, held_out);
    if (count > held_max || ++run_.stretches >= most_stretches()) return refuse_size();
    run_.history = held;
    run_.outcome = states;
    run_.against = other_states;
    const std::int64_t cheap_ms = std::max<std::int64_t>(1, looks_max / looks) * request_.step_ms;
    const std::int64_t span_ms = std::min(next_span_ms(answer, page()), cheap_ms);
    run_.at_ms = answer.reached_ms;
    learn_less_if_long();
    ask(span_ms);
  }

  void reply(const History& history) {
    std::string out;
    JsonWriter json(out);
    json.object().integer("from", run_.from_ms).integer("to", run_.to_ms);
    json.integer("step_ms", request_.step_ms).integer("measurements", run_.measurements);
    json.integer("series", static_cast<std::int64_t>(history.series_count()));
    json.raw("outcome", backtest_json(outcome_, run_.from_ms, run_.to_ms, request_.incidents));
    if (against_)
      json.raw("against", backtest_json(*against_, run_.from_ms, run_.to_ms, request_.incidents));
    json.end();
    reply_json(effects_, context_, 200, out);
  }

  BacktestRun& run_;
  const BacktestRequest& request_;
  const Context& context_;
  const Frame& frame_;
  Effects& effects_;
  Backtest outcome_;
  std::optional<Backtest> against_;  // where two versions are compared
  std::int64_t warm_up_ms_;          // how far windows reach back
};

}  // namespace

void post_backtest(const RouteCall& call) {
  const auto& [request, claims, context, frame, id, effects] = call;
  std::string_view field;
  const Status body = judge_body(request, field);
  if (body != Status::recorded) return reply_error(effects, context, body, field);
  if (request.body.size() > body_bytes_max)
    return reply_error(effects, context, Status::too_large, "body");
  BacktestRun run;
  if (!tenant_for(request, claims, run.tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  BacktestRequest asked;
  RuleError error;
  const auto refuse = [&](std::string_view where, const std::string& why) {
    reply_error(call.effects, call.context, Status::invalid_value, where,
                "Expected is " + why + '.');
  };
  if (!read_backtest_request(request.body, asked, error)) return refuse(error.where, error.why);
  run.body = request.body;
  run.to_ms = asked.to_ms == 0 ? frame.now_ms : asked.to_ms;
  run.from_ms =
      asked.from_ms == 0 ? std::max<std::int64_t>(run.to_ms - default_length_ms, 0) : asked.from_ms;
  run.from_ms -= run.from_ms % asked.step_ms;
  if (run.to_ms <= run.from_ms || run.to_ms - run.from_ms > backtest_ms_max)
    return refuse("to", "a time after from, and at most 31 days later");
  BacktestStep(run, asked, context, frame, effects).begin();
}

void resume_backtest(const RouteResume& resumed) {
  const std::string_view kept = resumed.in.bytes();
  BacktestRun run;
  BacktestRequest asked;
  RuleError error;
  if (!decode(kept, run) || !read_backtest_request(run.body, asked, error))
    trap("a backtest goes on with what it wrote");
  BacktestStep(run, asked, resumed.context, resumed.frame, resumed.effects).go_on();
}

}  // namespace z0
