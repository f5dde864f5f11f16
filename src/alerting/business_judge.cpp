// What the rules about business find, and the states of their alerts.
#include <algorithm>
#include <cmath>
#include <utility>

#include "alerting/business_limits.hpp"
#include "z0/alerting/business.hpp"
#include "z0/facts/currency.hpp"

namespace z0 {
namespace {

std::string grouped_text(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; text.insert(at, 1, ',')) at -= 3;
  return text;
}

// "1 in 2,400,000": two digits are what it is worth.
std::string chance_words(double chance) {
  if (chance <= 1e-12) return "less than 1 in a million million";
  const double pauses = 1 / chance;
  const double unit = std::pow(10, std::max(0.0, std::floor(std::log10(pauses)) - 1));
  return "1 in " + grouped_text(static_cast<std::int64_t>(std::round(pauses / unit) * unit));
}

std::string silence_words(const Lull& lull, std::string_view what) {
  return "No " + std::string(what) + " for " + grouped_text(lull.minutes) + " min, in which " +
         grouped_text(std::llround(lull.expected)) +
         " minutes usually bring one. Such a pause is chance: " + chance_words(lull.chance) + '.';
}

double minutes_of(std::int64_t ms) {
  return static_cast<double>(ms) / static_cast<double>(week::minute_ms);
}

}  // namespace

bool BusinessWatch::gone(const Tenant& tenant) const {
  const std::int64_t newest = std::max(tenant.invocations.newest_ms, tenant.charges.newest_ms);
  return seen_until_ms_ - newest > business_limits::gone_ms;
}

bool BusinessWatch::active(const Tenant& tenant, const Stream& stream) const {
  const std::int64_t newest = std::max(tenant.invocations.newest_ms, tenant.charges.newest_ms);
  if (tenant.suspended_ms >= newest || stream.cadence.empty()) return false;
  const std::int64_t silent_ms = seen_until_ms_ - stream.newest_ms;
  const bool known = stream.cadence.known_ms(seen_until_ms_) >= business_limits::gone_ms;
  return silent_ms <= (known ? business_limits::gone_ms : business_limits::day_ms);
}

// Most looks find that something came, or is not due: that is seen without reckoning.
void BusinessWatch::see_stream(Tenant& tenant, StreamOf which, Others& others) {
  Stream& stream = tenant.*which;
  const bool invoked = which == &Tenant::invocations;
  stream.since_ms = invoked ? stream.newest_ms : std::max(stream.newest_ms, tenant.resumed_ms);
  stream.day = Day{};
  stream.lull = Lull{};
  stream.lull.minutes = (seen_until_ms_ - stream.since_ms) / week::minute_ms;
  if (!active(tenant, stream) || !stream.cadence.due_at(seen_until_ms_)) return;
  for (const Hour& hour : tenant.hours)
    if (hour.hour >= learned_until_ms_ / week::hour_ms)
      stream.cadence.see(hour.hour, invoked ? hour.invocations : hour.charges);
  const Hour& last = tenant.hours.empty() ? Hour{} : tenant.hours.back();
  const std::int64_t now_hour = seen_until_ms_ / week::hour_ms;
  if (last.hour != now_hour) stream.cadence.see(now_hour, 0);
  stream.day = stream.cadence.day(seen_until_ms_);
  if (stream.lull.minutes * week::minute_ms >= business_limits::doubt_ms)
    stream.lull = stream.cadence.lull(stream.since_ms, seen_until_ms_);
  else
    stream.lull.due = true;
  if (stream.day.rested && stream.day.usual >= business_limits::begun_minutes)
    ++(stream.day.begun() ? others.awake : others.quiet);
}

void BusinessWatch::see_streams() {
  invocations_others_ = charges_others_ = Others{};
  for (auto& [id, tenant] : tenants_) {
    see_stream(tenant, &Tenant::invocations, invocations_others_);
    see_stream(tenant, &Tenant::charges, charges_others_);
  }
}

// What the others say, without the one that is looked at, whose day has not begun.
BusinessWatch::DayOff BusinessWatch::day_off(StreamOf which, Stream& stream) const {
  if (seen_until_ms_ < stream.off_until_ms) return DayOff::yes;
  Others others = which == &Tenant::invocations ? invocations_others_ : charges_others_;
  if (stream.day.usual >= business_limits::begun_minutes) --others.quiet;
  const bool many = others.quiet >= 2 && others.quiet * 4 >= others.quiet + others.awake;
  if (!many) return others.awake >= 2 ? DayOff::no : DayOff::unknown;
  if (others.awake == 0) return DayOff::unknown;
  // In the evening, when the others are done, it is still the same day.
  stream.off_until_ms = seen_until_ms_ + business_limits::day_off_ms;
  return DayOff::yes;
}

// Whether a silence is one to be told of, which was not told of until now.
bool BusinessWatch::begins_silent(StreamOf which, Tenant& tenant, std::int64_t window_ms) const {
  Stream& stream = tenant.*which;
  const Lull& lull = stream.lull;
  if (!lull.due || lull.chance >= silence_chance_max || !stream.asked) return false;
  if (stream.day.begun()) return true;
  if (stream.cadence.known_ms(seen_until_ms_) < business_limits::gone_ms) return false;
  const DayOff off = day_off(which, stream);
  const auto window = static_cast<std::int64_t>(minutes_of(window_ms));
  return off != DayOff::yes &&
         stream.day.minutes > std::max(window, off == DayOff::no
                                                   ? business_limits::late_start_minutes
                                                   : business_limits::alone_minutes);
}

BusinessWatch::Finding BusinessWatch::find_silence(StreamOf which, const std::string& id,
                                                   Tenant& tenant, const Rule& rule,
                                                   const AlertState& state) {
  Stream& stream = tenant.*which;
  Finding found;
  found.value = static_cast<double>(stream.lull.minutes);
  const bool known = stream.told_ms == stream.since_ms;
  if (!active(tenant, stream) || known || found.value <= minutes_of(rule.window_ms)) return found;
  const bool told = state.phase == AlertPhase::firing;
  if (told && seen_until_ms_ - state.fired_at_ms >= business_limits::told_ms_max) {
    stream.told_ms = stream.since_ms;
    // Nothing else of a silent tenant is written, and after a restart it is known by then, too.
    to_save_.insert(id);
    return found;
  }
  found.holds = state.phase != AlertPhase::inactive || begins_silent(which, tenant, rule.window_ms);
  if (!found.holds) return found;
  const bool invoked = which == &Tenant::invocations;
  if (stream.lull.due) found.seen = silence_words(stream.lull, invoked ? "invocation" : "charge");
  found.money = missing(id, tenant, stream.since_ms);
  return found;
}

BusinessWatch::Finding BusinessWatch::find_low(const std::string& id, Tenant& tenant,
                                               const Rule& rule) {
  Finding found;
  const std::int64_t hours = std::clamp(rule.window_ms / week::hour_ms, Takings::window_hours_min,
                                        static_cast<std::int64_t>(Takings::recent_hours));
  const Shortfall low = tenant.takings.shortfall(hours);
  found.value = low.share;
  if (!low.far_short || !active(tenant, tenant.charges)) return found;
  const double due = tenant.charges.cadence.expected(
      learned_until_ms_ - Takings::window_hours_min * week::hour_ms, learned_until_ms_);
  // Where nothing comes at all, that is the matter.
  const bool silent = std::max(tenant.charges.lull.minutes, tenant.invocations.lull.minutes) > 60;
  Stream& charges = tenant.charges;
  const bool off = !charges.day.begun() && (day_off(&Tenant::charges, charges) == DayOff::yes ||
                                            charges.day.minutes < 2 * hours * 60);
  found.holds = due >= business_limits::busy_minutes && !silent && !off;
  if (!found.holds) return found;
  found.seen = grouped_text(std::llround(low.share * 100)) + " % of the usual revenue in " +
               grouped_text(hours) + " hours. The lowest share of such hours was " +
               grouped_text(std::llround(low.lowest_share * 100)) + " %.";
  found.money = missing(id, tenant, learned_until_ms_ - hours * week::hour_ms);
  return found;
}

// Of the last hour that was learned. Amounts are said in whole units of the currency.
BusinessWatch::Finding BusinessWatch::find_unusual(const std::string& id, const Tenant& tenant,
                                                   const Rule& rule) const {
  Finding found;
  const Reading& last = tenant.last_revenue;
  found.value = last.score;
  found.holds = last.settled && z0::holds(rule.comparison, rule.threshold, last.score) &&
                active(tenant, tenant.charges);
  if (!found.holds) return found;
  const double unit = std::pow(10, std::max(minor_digits(tenant.currency), 0));
  Reading said = last;
  said.seen /= unit;
  said.usual /= unit;
  found.seen = "Revenue an hour, in " + tenant.currency + ": " + words_of(said);
  const std::int64_t hours = std::min<std::int64_t>(last.points, Takings::recent_hours);
  if (!last.above) found.money = missing(id, tenant, learned_until_ms_ - hours * week::hour_ms);
  return found;
}

BusinessWatch::Finding BusinessWatch::find(const std::string& id, Tenant& tenant, const Rule& rule,
                                           const AlertState& state) {
  if (rule.business == Business::zero_invocations)
    return find_silence(&Tenant::invocations, id, tenant, rule, state);
  if (rule.business == Business::revenue_low) return find_low(id, tenant, rule);
  if (rule.business == Business::revenue_unusual) return find_unusual(id, tenant, rule);
  if (rule.business == Business::budget_ends) {
    const Budgets::Finding ends = budgets_.find(id, rule.window_ms, seen_until_ms_);
    return {ends.holds, ends.hours_left, ends.seen, ends.money};
  }
  if (rule.business != Business::no_charges) return {};
  // Where nothing is invoked, nothing is due; that is another rule's matter.
  const Stream& invoked = tenant.invocations;
  const bool idle = active(tenant, invoked) &&
                    static_cast<double>(invoked.lull.minutes) >= minutes_of(rule.window_ms);
  if (idle) return {};
  return find_silence(&Tenant::charges, id, tenant, rule, state);
}

void BusinessWatch::judge_rule(const std::string& rules_of, const Rule& rule, const std::string& id,
                               Tenant& tenant, std::int64_t now_ms) {
  const std::string key = business_key(rules_of, rule.name, id);
  const auto known = alerts_.find(key);
  const Finding found =
      find(id, tenant, rule, known == alerts_.end() ? AlertState{} : known->second.state);
  if (!found.holds && known == alerts_.end()) return;
  Alert& alert = known != alerts_.end() ? known->second : alerts_[key];
  alert.rules_of = rules_of;
  alert.rule = rule.name;
  alert.tenant_id = id;
  step(alert.state, {rule.for_ms, rule.keep_firing_ms}, found.holds, found.value, now_ms);
  if (!found.holds) return;
  // At an hour at which nothing is usual it stays as it was.
  if (!found.seen.empty()) alert.seen = found.seen;
  alert.money = found.money;
}

void BusinessWatch::judge(const RuleBook& book, std::int64_t now_ms) {
  judged_until_ms_ = seen_until_ms_;
  std::vector<std::string> judged;
  const auto all = [&](const std::string& rules_of, const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) {
      if (rule.kind != SignalKind::business) continue;
      for (auto& [id, tenant] : tenants_) {
        if (!rules_of.empty() && rules_of != id) continue;
        judge_rule(rules_of, rule, id, tenant, now_ms);
        judged.push_back(business_key(rules_of, rule.name, id));
      }
    }
  };
  all({}, book.per_tenant());
  all({}, book.of_all());
  for (const RuleBook::OfTenant& of : book.tenants()) all(of.tenant_id, of.rules);
  std::sort(judged.begin(), judged.end());
  std::erase_if(alerts_, [&judged](const auto& one) {
    return one.second.state.idle() || !std::binary_search(judged.begin(), judged.end(), one.first);
  });
}

}  // namespace z0
