// POST /v1/rules/backtest: rules over what D1's facts tell, a bounded part a step.
//
// A step gets the facts of a stretch of time, by kinds, plays them, and asks for the next one; the
// stretch is as long as its answer and its ticks are cheap. So nobody else waits long for a backtest,
// and none of it lies in memory between two steps: what the windows hold and what the alerts are
// travels in the continuation.
//
// Rules about anomalies and about business learn from as many days before as the bounds on one request allow:
// they begin 35 and 28 days before, and where that would take too many stretches, all of it is forgotten and
// they begin again later. Rules about business need each minute's facts and hold what is known of each tenant.
// Where that is more than one request may, they are given up, with the reason, and the others go on.
#include "z0/alerts/backtest.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "edge/backtest_history.hpp"
#include "edge/backtest_run.hpp"
#include "edge/handlers.hpp"
#include "z0/alerting/business_backtest.hpp"
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
// Measurements that windows hold between two steps, 3 MB of continuation, and series that were met.
constexpr std::size_t held_max = 100'000;
constexpr std::size_t stretches_max = 600;
// Each is a query for each database, of 1,000 that an invocation may make.
constexpr std::size_t questions_max = 900;
constexpr std::int64_t first_stretch_ms = 3'600'000;
constexpr std::size_t answered_firings_max = 2'000;
// What is usual, for so many series of each version of the rules: 2.4 MB of continuation.
constexpr std::size_t baselines_max = 1'000;
// Tenants that rules about business follow, in both versions of the rules together: 2.8 MB of continuation.
constexpr std::size_t tenants_max = 500;
// Minutes of theirs that are asked for again: 1.5 MB.
constexpr std::size_t minutes_max = 150'000;
// What a look at a tenant takes, with the five rules that ship some 1.3 us natively, and what learning a
// minute of it does, 35 ns: in looks at an alert.
constexpr std::int64_t looks_of_tenant = 100;
constexpr std::int64_t looks_of_learning = 5;
// How many stretches an answer takes can be told once they are as long as they get.
constexpr std::int64_t stretches_told = 8;
// Of those that are left, what is asked for may take so much.
constexpr std::int64_t planned_share = 90;

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
    run_.facts_from_ms = run_.from_ms;
    if (asks_of_business(request_.rules) || asks_of_business(request_.against)) {
      run_.business = OfBusiness::judged;
      const std::int64_t first_tick_ms = run_.from_ms + request_.step_ms;
      run_.facts_from_ms = std::max<std::int64_t>(
          first_tick_ms - first_tick_ms % week::hour_ms - backtest_business_ms_max, 0);
    }
    begin_again();
    ask(first_stretch_ms);
  }

  void ask(std::int64_t span_ms) {
    pass_over();
    // A step that is cut would be judged twice, and first by a part of it.
    span_ms = std::max(request_.step_ms, span_ms - span_ms % request_.step_ms);
    run_.end_ms = std::min(run_.to_ms, run_.at_ms + span_ms);
    // A stretch of what is learned may be longer than one that is judged.
    for (const std::int64_t border_ms : {run_.facts_from_ms, run_.from_ms})
      if (judges_business() && run_.at_ms < border_ms)
        run_.end_ms = std::min(run_.end_ms, rounded_up(border_ms, request_.step_ms));
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
    if (answer.reached_ms <= run_.at_ms) {
      if (!page().money || ++run_.stretches >= most_stretches()) return refuse_size();
      // Steps may be longer than minutes.
      give_up_business(OfBusiness::too_long);
      return ask(run_.end_ms - run_.at_ms);
    }
    History history;
    restore(history, run_.history);
    for (const HistorySample& sample : answer.samples) history.add(sample, request_.step_ms);
    run_.measurements += static_cast<std::int64_t>(answer.samples.size());
    BusinessHistory facts;
    restore(facts, run_.facts);
    for (const HistoryFact& sum : answer.sums)
      if (sum.at_ms >= run_.facts_from_ms) facts.add(sum);

    const Stretch first = play(history, facts, outcome_, {run_.outcome, run_.watch}, answer);
    Stretch second;
    if (against_)
      second = play(history, facts, *against_, {run_.against, run_.other_watch}, answer);
    if (first.full || second.full) give_up_business(OfBusiness::too_many);
    if (answer.reached_ms >= run_.to_ms) return reply(history);
    keep(history, facts, first, second, answer);
  }

 private:
  // What one version of the rules has come to, between two steps.
  struct Kept {
    std::string_view outcome;
    std::string_view watch;
  };
  struct Stretch {
    std::string outcome;
    std::string watch;
    std::int64_t looks = 0;    // that a tick takes
    std::int64_t tenants = 0;  // that are looked at
    std::int64_t needs_from_ms = INT64_MAX;
    bool full = false;  // there are more
  };

  template <class T>
  static void restore(T& into, std::string_view bytes) {
    ByteReader in(bytes);
    if (!bytes.empty() && !into.decode(in)) trap("a backtest reads what it wrote");
  }

  std::int64_t most_stretches() const {
    const std::size_t databases = databases_for(frame_, run_.tenant_id).size();
    return static_cast<std::int64_t>(
        std::min(stretches_max, questions_max / std::max<std::size_t>(databases, 1)));
  }

  static std::int64_t rounded_up(std::int64_t ms, std::int64_t unit_ms) {
    return (ms + unit_ms - 1) / unit_ms * unit_ms;
  }
  bool judges_business() const { return run_.business == OfBusiness::judged; }

  void give_up_business(OfBusiness why) {
    run_.business = why;
    run_.facts = run_.watch = run_.other_watch = {};
    begin_count();
  }

  // What rules about business were to learn, and nobody else needs, is not read once they are given up.
  void pass_over() {
    std::int64_t needed_ms = run_.learn_from_ms - warm_up_ms_;
    needed_ms -= needed_ms % request_.step_ms;
    if (judges_business() || run_.at_ms >= needed_ms) return;
    run_.at_ms = needed_ms;
    run_.history = {};
    begin_count();
  }

  // From now on stretches are of other lengths.
  void begin_count() {
    run_.begun_ms = run_.at_ms;
    run_.begun_stretches = run_.stretches;
  }

  // The first step that windows need for one that is learned or judged, or whose facts are.
  void begin_again() {
    const std::int64_t first_ms = std::min(run_.learn_from_ms - warm_up_ms_, run_.facts_from_ms);
    run_.at_ms = std::max<std::int64_t>(std::max(first_ms, run_.at_ms), 0);
    run_.at_ms -= run_.at_ms % request_.step_ms;
    begin_count();
    run_.history = run_.outcome = run_.against = {};
    run_.facts = run_.watch = run_.other_watch = {};
  }

  // How much time may be played in one step whose ticks take so much each.
  std::int64_t cheap_ms(std::int64_t looks) const {
    return std::max<std::int64_t>(1, looks_max / looks) * request_.step_ms;
  }

  // Where the rest would take too many stretches, as long as they were so far, less is learned, and what was
  // learned is forgotten: what is usual has no holes. Where that no longer helps, rules about business are
  // given up.
  void take_less_if_long(std::int64_t judged_span_ms) {
    const std::int64_t took = run_.stretches - run_.begun_stretches;
    const bool learns = run_.at_ms < run_.from_ms - warm_up_ms_;
    if (took < stretches_told || !(learns || judges_business())) return;
    const std::int64_t mean_ms = std::max<std::int64_t>((run_.at_ms - run_.begun_ms) / took, 1);
    const std::int64_t left = (most_stretches() - run_.stretches) * planned_share / 100;
    const std::int64_t of_judging =
        (run_.to_ms - std::max(run_.at_ms, run_.from_ms)) / std::min(mean_ms, judged_span_ms);
    const std::int64_t of_learning = left - of_judging;
    if (!learns && of_learning < 0) return give_up_business(OfBusiness::too_long);
    if (!learns || (run_.from_ms - run_.at_ms) / mean_ms <= of_learning) return;
    const std::int64_t since_ms = std::max(run_.at_ms, run_.from_ms - of_learning * mean_ms);
    // Less than two weeks would be too little for a baseline to settle on.
    run_.learn_from_ms = run_.from_ms - since_ms < Baseline::settled_ms
                             ? run_.from_ms
                             : std::max(run_.learn_from_ms, since_ms - since_ms % request_.step_ms);
    run_.facts_from_ms =
        std::min(run_.from_ms, rounded_up(std::max(run_.facts_from_ms, since_ms), week::hour_ms));
    begin_again();
  }

  HistoryPage page() const {
    HistoryPage page;
    page.tenant_id = run_.tenant_id;
    page.from_ms = run_.at_ms;
    page.to_ms = run_.end_ms;
    page.step_ms = page.whole_ms = request_.step_ms;
    page.money = judges_business() && run_.end_ms > run_.facts_from_ms;
    if (page.money) page.step_ms = std::gcd(request_.step_ms, week::minute_ms);
    page.by_asset = tells_assets(request_.rules) || tells_assets(request_.against);
    return page;
  }

  Stretch play(History& history, BusinessHistory& facts, Backtest& backtest, const Kept& kept,
               const HistoryAnswer& answer) const {
    restore(backtest, kept.outcome);
    std::optional<BusinessPlay> business;
    if (judges_business()) {
      business.emplace(facts, backtest, run_.from_ms, run_.to_ms);
      business->limit_tenants(tenants_max / (against_ ? 2 : 1));
      restore(*business, kept.watch);
      if (run_.at_ms < run_.from_ms) business->learn(answer.reached_ms);
    }
    if (answer.reached_ms > std::min(run_.learn_from_ms, run_.from_ms)) {
      HistoryPlay steps(history, backtest,
                        {std::max(run_.at_ms, run_.learn_from_ms),
                         std::max(run_.at_ms, run_.from_ms), answer.reached_ms});
      while (steps.step())
        if (business && steps.judged()) business->tick(steps.now_ms());
    }
    Stretch stretch;
    ByteWriter outcome(stretch.outcome);
    backtest.encode(outcome);
    stretch.looks = static_cast<std::int64_t>(backtest.alerts_a_tick());
    if (!business) return stretch;
    ByteWriter watch(stretch.watch);
    business->encode(watch);
    stretch.tenants = static_cast<std::int64_t>(business->tenants());
    stretch.needs_from_ms = business->needs_from_ms();
    stretch.full = business->left_out() > 0;
    return stretch;
  }

  void refuse_size() {
    reply_error(
        effects_, context_, Status::bad_parameter, "step",
        "This takes more than one request may. Ask for a shorter time, a longer step or one "
        "tenant, or run z0 backtest, which has no such limit.");
  }

  void keep(const History& history, BusinessHistory& facts, const Stretch& first,
            const Stretch& second, const HistoryAnswer& answer) {
    std::string held;
    std::string held_facts;
    ByteWriter held_out(held);
    const std::size_t count = history.encode(answer.reached_ms - warm_up_ms_, held_out);
    if (std::max(count, history.series_count()) > held_max || ++run_.stretches >= most_stretches())
      return refuse_size();
    if (judges_business()) {
      ByteWriter facts_out(held_facts);
      const std::int64_t since_ms = std::min(first.needs_from_ms, second.needs_from_ms);
      if (facts.encode(since_ms, facts_out) > minutes_max) give_up_business(OfBusiness::too_many);
    }
    run_.history = held;
    run_.outcome = first.outcome;
    run_.against = second.outcome;
    if (judges_business()) {
      run_.facts = held_facts;
      run_.watch = first.watch;
      run_.other_watch = second.watch;
    }
    std::int64_t span_ms = next_span_ms(answer, page());
    const bool learned = run_.at_ms < run_.from_ms;
    run_.at_ms = answer.reached_ms;
    const bool learns = run_.at_ms < run_.from_ms;
    if (learned && !learns) {
      begin_count();
      // How many tenants and alerts there are may only turn out now.
      span_ms = std::min(span_ms, first_stretch_ms);
    }
    const std::int64_t looks = first.looks + second.looks + 1;
    const std::int64_t tenants = first.tenants + second.tenants;
    const std::int64_t judged_span_ms = cheap_ms(looks + tenants * looks_of_tenant);
    take_less_if_long(judged_span_ms);
    ask(std::min(span_ms, learns ? cheap_ms(looks + tenants * looks_of_learning) : judged_span_ms));
  }

  void leave_out_business(Backtest& backtest) const {
    for (std::size_t i = 0; i < backtest.rules().size(); ++i)
      if (backtest.rules()[i].kind == SignalKind::business)
        backtest.leave_out(i, why_given_up(run_.business));
  }

  void reply(const History& history) {
    if (run_.business > OfBusiness::judged) {
      leave_out_business(outcome_);
      if (against_) leave_out_business(*against_);
    }
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
  if (!body_or_refuse(call)) return;
  BacktestRun run;
  if (!tenant_for(request, claims, run.tenant_id))
    return reply_error(effects, context, Status::not_found, "tenant");
  BacktestRequest asked;
  RuleError error;
  const auto refuse = [&](std::string_view where, const std::string& why) {
    reply_error(call.effects, call.context, Status::invalid_value,
                where == "settings" ? std::string_view("body") : where, "Expected is " + why + '.');
  };
  if (request.body.size() > body_bytes_max)
    return refuse("body", "at most 256 KiB of rules and incidents: what happened is z0's to know");
  if (!read_backtest_request(request.body, asked, error)) return refuse(error.where, error.why);
  run.body = request.body;
  run.to_ms = asked.to_ms == 0 ? frame.now_ms : asked.to_ms;
  run.from_ms =
      asked.from_ms == 0 ? std::max<std::int64_t>(run.to_ms - default_length_ms, 0) : asked.from_ms;
  if (run.to_ms <= run.from_ms || run.to_ms - run.from_ms > backtest_ms_max)
    return refuse("to", "a time after from, and at most 31 days later");
  run.from_ms -= run.from_ms % asked.step_ms;
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
