// Looks, and what is learned of them.
#include "z0/alerting/business.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "alerting/business_limits.hpp"
#include "z0/base/bytes.hpp"
#include "z0/base/limits.hpp"

namespace z0 {
namespace {

constexpr std::int64_t floor_to(std::int64_t at_ms, std::int64_t unit_ms) {
  return at_ms / unit_ms * unit_ms;
}

}  // namespace

std::int64_t BusinessWatch::next_ms(std::int64_t now_ms) const {
  // The answer of one that never came back is not waited for.
  if (looking_) return began_ms_ + 2 * business_limits::look_every_ms;
  if (behind_) return began_ms_ + business_limits::catch_up_every_ms;
  const bool watched = awake_ || !alerts_.empty() ||
                       std::any_of(tenants_.begin(), tenants_.end(),
                                   [this](const auto& one) { return !gone(one.second); });
  return watched ? std::max(began_ms_ + business_limits::look_every_ms, now_ms) : 0;
}

// Whole hours that are over and had time for what is late, else what came since the last look.
LookRequest BusinessWatch::begin_look(std::int64_t now_ms) {
  looking_ = true;
  awake_ = false;
  began_ms_ = now_ms;
  const std::int64_t horizon_ms = floor_to(now_ms - business_limits::settle_ms, week::minute_ms);
  const std::int64_t first_ms =
      floor_to(now_ms, week::hour_ms) - business_limits::learned_weeks * 168 * week::hour_ms;
  learned_until_ms_ = std::max(learned_until_ms_, first_ms);
  const std::int64_t ripe_hours =
      (horizon_ms - business_limits::late_ms - learned_until_ms_) / week::hour_ms;
  LookRequest request;
  if (ripe_hours > 0) {
    request.from_ms = learned_until_ms_;
    request.until_ms = learned_until_ms_ + std::min(ripe_hours, step_hours_) * week::hour_ms;
    return request;
  }
  request.from_ms = std::max(seen_until_ms_, learned_until_ms_);
  request.until_ms = std::max(request.from_ms, horizon_ms);
  for (auto& [id, tenant] : tenants_) {
    for (const auto& [which, kind] : {std::pair(&Tenant::invocations, LookKind::invocation),
                                      std::pair(&Tenant::charges, LookKind::charge)}) {
      Stream& stream = tenant.*which;
      const std::int64_t silent_ms = request.until_ms - stream.newest_ms;
      stream.asked = !stream.cadence.empty() && !gone(tenant) &&
                     silent_ms >= business_limits::doubt_ms &&
                     request.doubts.size() < business_limits::doubts_max &&
                     (stream.lull.due || stream.lull.chance < 1e-3);
      if (stream.asked) request.doubts.push_back({id, kind});
    }
  }
  budgets_.ask(now_ms, request.accounts);
  return request;
}

void BusinessWatch::missed(std::int64_t now_ms) {
  looking_ = false;
  behind_ = false;
  awake_ = true;
  // A D1 that is slow is asked for less, and not at once.
  step_hours_ = std::max<std::int64_t>(1, step_hours_ / 2);
  began_ms_ = now_ms;
}

void BusinessWatch::take(const LookRequest& asked, const LookReply& found, const RuleBook& book,
                         std::int64_t now_ms) {
  looking_ = false;
  const bool learns =
      asked.from_ms == learned_until_ms_ && (asked.until_ms - asked.from_ms) % week::hour_ms == 0 &&
      asked.until_ms > asked.from_ms && asked.until_ms + business_limits::late_ms <= now_ms;
  if (learns) {
    learn(asked, found);
    if (found.hours.size() > business_limits::hours_per_look)
      step_hours_ = std::max<std::int64_t>(1, step_hours_ / 2);
    else if (found.hours.size() < business_limits::hours_per_look / 4)
      step_hours_ = std::min<std::int64_t>(168, step_hours_ * 2);
    behind_ = true;
    return;
  }
  behind_ = false;
  // Of a look that took so long that another one came before it, what it found is known.
  if (asked.from_ms != std::max(seen_until_ms_, learned_until_ms_)) return;
  for (const LookReply::Hour& hour : found.hours) note(hour);
  for (const LookReply::Newest& newest : found.newest) note_newest(newest);
  budgets_.take(found, now_ms);
  seen_until_ms_ = asked.until_ms;
  see_streams();
  judge(book, now_ms);
}

BusinessWatch::Tenant* BusinessWatch::tenant_of(const LookReply::Hour& found) {
  const auto known = tenants_.find(found.tenant_id);
  if (known != tenants_.end()) return &known->second;
  if (found.kind != LookKind::invocation && found.kind != LookKind::charge) return nullptr;
  if (tenants_.size() >= std::min(tenants_max_, business_limits::tenants_max)) {
    ++left_out_;
    return nullptr;
  }
  Tenant& made = tenants_[std::string(found.tenant_id)];
  made.learned_hour = learned_until_ms_ / week::hour_ms - 1;
  return &made;
}

// Charges are due once something is invoked again.
void BusinessWatch::note_resumed(Tenant& tenant, const LookReply::Hour& found) {
  const int minute = std::countr_zero(static_cast<std::uint64_t>(found.minutes));
  const std::int64_t first_ms = found.hour * week::hour_ms + minute * week::minute_ms;
  if (first_ms - tenant.invocations.newest_ms >= business_limits::resumed_after_ms)
    tenant.resumed_ms = first_ms;
}

void BusinessWatch::note(const LookReply::Hour& found) {
  Tenant* const tenant = tenant_of(found);
  if (tenant == nullptr) return;
  const auto place =
      std::lower_bound(tenant->hours.begin(), tenant->hours.end(), found.hour,
                       [](const Hour& one, std::int64_t hour) { return one.hour < hour; });
  Hour& hour = place != tenant->hours.end() && place->hour == found.hour
                   ? *place
                   : *tenant->hours.insert(place, Hour{found.hour, 0, 0, 0, 0});
  if (found.kind == LookKind::charge && tenant->currency.empty()) tenant->currency = found.currency;
  const bool ours = found.currency == tenant->currency;
  const auto minutes = static_cast<std::uint64_t>(found.minutes);
  switch (found.kind) {
    case LookKind::invocation:
      note_resumed(*tenant, found);
      hour.invocations |= minutes;
      tenant->invocations.newest_ms = std::max(tenant->invocations.newest_ms, found.newest_ms);
      break;
    case LookKind::charge:
      hour.charges |= minutes;
      tenant->charges.newest_ms = std::max(tenant->charges.newest_ms, found.newest_ms);
      if (ours) add_up(hour.taken, found.amount);
      break;
    case LookKind::correction:
      if (ours) add_up(hour.taken, found.amount);
      break;
    case LookKind::failed_charge:
      if (ours) add_up(hour.failed, found.amount);
      break;
    default:
      tenant->suspended_ms = std::max(tenant->suspended_ms, found.newest_ms);
  }
}

void BusinessWatch::note_newest(const LookReply::Newest& found) {
  const auto known = tenants_.find(found.tenant_id);
  if (known == tenants_.end()) return;
  Stream& stream =
      found.kind == LookKind::invocation ? known->second.invocations : known->second.charges;
  stream.newest_ms = std::max(stream.newest_ms, found.at_ms);
}

void BusinessWatch::learn_hour(Tenant& tenant, const Hour& hour) {
  if (hour.hour <= tenant.learned_hour) return;
  tenant.learned_hour = hour.hour;
  tenant.invocations.cadence.learn(hour.hour, hour.invocations);
  tenant.charges.cadence.learn(hour.hour, hour.charges);
  const std::int64_t end_ms = (hour.hour + 1) * week::hour_ms;
  const double due =
      tenant.charges.cadence.expected(end_ms - Takings::window_hours_min * week::hour_ms, end_ms);
  tenant.takings.learn(hour.hour, static_cast<double>(hour.taken),
                       due >= business_limits::busy_minutes);
  tenant.last_revenue =
      tenant.revenue.add(hour.hour * week::hour_ms, static_cast<double>(hour.taken));
}

// What is known of these hours is forgotten and read again, but for failures: those are kept.
void BusinessWatch::learn(const LookRequest& asked, const LookReply& found) {
  const std::int64_t from_hour = asked.from_ms / week::hour_ms;
  const std::int64_t until_hour = asked.until_ms / week::hour_ms;
  for (auto& [id, tenant] : tenants_) {
    for (Hour& hour : tenant.hours)
      if (hour.hour >= from_hour && hour.hour < until_hour) hour = Hour{hour.hour, 0, 0, 0, 0};
  }
  for (const LookReply::Hour& hour : found.hours) note(hour);
  learned_until_ms_ = asked.until_ms;
  learned_ = true;
  seen_until_ms_ = std::max(seen_until_ms_, learned_until_ms_);
  for (auto& [id, tenant] : tenants_) {
    bool any = false;
    auto next = tenant.hours.begin();
    for (std::int64_t hour = from_hour; hour < until_hour; ++hour) {
      while (next != tenant.hours.end() && next->hour < hour) ++next;
      const bool came = next != tenant.hours.end() && next->hour == hour;
      any = any || came;
      learn_hour(tenant, came ? *next : Hour{hour, 0, 0, 0, 0});
    }
    std::erase_if(tenant.hours, [&](const Hour& hour) {
      return hour.hour < until_hour &&
             (hour.failed == 0 || hour.hour < until_hour - business_limits::failed_hours);
    });
    if (any) to_save_.insert(id);
  }
  std::erase_if(tenants_, [this](const auto& one) {
    const std::int64_t newest =
        std::max(one.second.invocations.newest_ms, one.second.charges.newest_ms);
    const bool forgotten =
        learned_until_ms_ - newest > business_limits::learned_weeks * 168 * week::hour_ms;
    if (forgotten) to_save_.insert(one.first);
    return forgotten;
  });
}

// -- rows -----------------------------------------------------------------------------------------

std::string BusinessWatch::encode_tenant(std::string_view id) const {
  const auto found = tenants_.find(id);
  std::string bytes;
  if (found == tenants_.end()) return bytes;
  const Tenant& tenant = found->second;
  ByteWriter out(bytes);
  out.u8(business_limits::tenant_version);
  out.short_bytes(tenant.currency);
  for (const std::int64_t n :
       {tenant.learned_hour, tenant.suspended_ms, tenant.resumed_ms, tenant.invocations.newest_ms,
        tenant.invocations.told_ms, tenant.charges.newest_ms, tenant.charges.told_ms})
    out.varint(static_cast<std::uint64_t>(n));
  tenant.invocations.cadence.store(bytes);
  tenant.charges.cadence.store(bytes);
  tenant.takings.store(bytes);
  tenant.revenue.store(bytes);
  z0::encode(tenant.last_revenue, out);
  return bytes;
}

bool BusinessWatch::load_tenant(std::string_view id, std::string_view bytes) {
  ByteReader in(bytes);
  Tenant tenant;
  const bool known = in.u8() == business_limits::tenant_version;
  tenant.currency = in.short_bytes();
  for (std::int64_t* n : {&tenant.learned_hour, &tenant.suspended_ms, &tenant.resumed_ms,
                          &tenant.invocations.newest_ms, &tenant.invocations.told_ms,
                          &tenant.charges.newest_ms, &tenant.charges.told_ms})
    *n = static_cast<std::int64_t>(in.varint());
  if (!known || !tenant.invocations.cadence.restore(in.raw(Cadence::stored_bytes)) ||
      !tenant.charges.cadence.restore(in.raw(Cadence::stored_bytes)) ||
      !tenant.takings.restore(in.raw(Takings::stored_bytes)) ||
      !tenant.revenue.restore(in.raw(Baseline::stored_bytes)) ||
      !z0::decode(in, tenant.last_revenue) || !in.done())
    return false;
  tenants_.insert_or_assign(std::string(id), std::move(tenant));
  return true;
}

std::string BusinessWatch::encode_state() const {
  std::string bytes;
  if (learned_until_ms_ == 0) return bytes;
  ByteWriter out(bytes);
  out.u8(business_limits::state_version);
  out.varint(static_cast<std::uint64_t>(learned_until_ms_));
  for (const auto& [key, alert] : alerts_) {
    for (const std::string* text : {&alert.rules_of, &alert.rule, &alert.tenant_id})
      out.short_bytes(*text);
    const AlertState& state = alert.state;
    out.u8(static_cast<std::uint8_t>(state.phase));
    for (const std::int64_t n : {state.active_at_ms, state.fired_at_ms, state.resolved_at_ms,
                                 state.quiet_since_ms, state.sent_at_ms})
      out.varint(static_cast<std::uint64_t>(n));
  }
  return bytes;
}

bool BusinessWatch::load_state(std::string_view part, std::string_view bytes) {
  if (!part.empty()) return budgets_.decode(bytes);
  ByteReader in(bytes);
  if (in.u8() != business_limits::state_version) return false;
  learned_until_ms_ = seen_until_ms_ = static_cast<std::int64_t>(in.varint());
  while (in.ok() && !in.done()) {
    Alert alert;
    for (std::string* text : {&alert.rules_of, &alert.rule, &alert.tenant_id})
      *text = in.short_bytes();
    const std::uint8_t phase = in.u8();
    AlertState& state = alert.state;
    for (std::int64_t* n : {&state.active_at_ms, &state.fired_at_ms, &state.resolved_at_ms,
                            &state.quiet_since_ms, &state.sent_at_ms})
      *n = static_cast<std::int64_t>(in.varint());
    if (!in.ok() || phase > static_cast<std::uint8_t>(AlertPhase::firing)) return false;
    state.phase = static_cast<AlertPhase>(phase);
    alerts_.insert_or_assign(business_key(alert.rules_of, alert.rule, alert.tenant_id),
                             std::move(alert));
  }
  if (!in.ok()) return false;
  // A tenant whose row was not written since had nothing in the hours after it.
  const std::int64_t until_hour = learned_until_ms_ / week::hour_ms;
  for (auto& [id, tenant] : tenants_) {
    for (std::int64_t hour = tenant.learned_hour + 1; hour < until_hour; ++hour)
      learn_hour(tenant, Hour{hour, 0, 0, 0, 0});
  }
  saved_state_ = bytes;
  return true;
}

// -- in parts -------------------------------------------------------------------------------------

// What the next look says anew is left out: what alerts cost, and what it sees in the streams.
void BusinessWatch::encode(ByteWriter& out) const {
  out.varint(tenants_.size());
  for (const auto& [id, tenant] : tenants_) {
    out.short_bytes(id);
    out.short_bytes(encode_tenant(id));
    for (const Stream* stream : {&tenant.invocations, &tenant.charges})
      out.varint(static_cast<std::uint64_t>(stream->off_until_ms));
    out.varint(tenant.hours.size());
    for (const Hour& hour : tenant.hours) {
      out.varint(static_cast<std::uint64_t>(hour.hour));
      for (const std::uint64_t minutes : {hour.invocations, hour.charges}) out.varint(minutes);
      for (const std::int64_t amount : {hour.taken, hour.failed}) out.signed_varint(amount);
    }
  }
  out.short_bytes(encode_state());
  for (const auto& [key, alert] : alerts_) out.short_bytes(alert.seen);
  out.short_bytes(budgets_.encode());
  for (const std::int64_t n : {seen_until_ms_, judged_until_ms_, left_out_})
    out.varint(static_cast<std::uint64_t>(n));
}

bool BusinessWatch::decode_tenant(ByteReader& in) {
  const std::string_view id = in.short_bytes();
  if (!load_tenant(id, in.short_bytes())) return false;
  Tenant& tenant = tenants_.find(id)->second;
  for (Stream* stream : {&tenant.invocations, &tenant.charges})
    stream->off_until_ms = static_cast<std::int64_t>(in.varint());
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Hour& hour = tenant.hours.emplace_back();
    hour.hour = static_cast<std::int64_t>(in.varint());
    for (std::uint64_t* minutes : {&hour.invocations, &hour.charges}) *minutes = in.varint();
    for (std::int64_t* amount : {&hour.taken, &hour.failed}) *amount = in.signed_varint();
  }
  return in.ok();
}

bool BusinessWatch::decode(ByteReader& in) {
  for (std::uint64_t left = in.varint(); left > 0; --left)
    if (!decode_tenant(in)) return false;
  const std::string_view state = in.short_bytes();
  if (!state.empty() && !load_state({}, state)) return false;
  for (auto& [key, alert] : alerts_) alert.seen = in.short_bytes();
  if (!budgets_.decode(in.short_bytes())) return false;
  for (std::int64_t* n : {&seen_until_ms_, &judged_until_ms_, &left_out_})
    *n = static_cast<std::int64_t>(in.varint());
  // As the last look saw them: the next one asks by that.
  if (judged_until_ms_ != 0) see_streams();
  return in.ok();
}

}  // namespace z0
