// What happens, and what goes wrong.
#include "simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "final_checks.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/directory.hpp"
#include "z0/calls/message.hpp"
#include "z0/http/token.hpp"

namespace z0::sim {
namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t day_ms = 24 * 60 * minute_ms;
constexpr std::int64_t outage_ms_max = 60 * minute_ms;
constexpr std::int64_t clock_ahead_ms_max = 10 * minute_ms;
constexpr std::int64_t clock_behind_ms_max = 2'000;
constexpr std::int64_t alarm_late_ms_max = 10 * minute_ms;
// By then a ledger no longer waits for an alarm that was lost: it was set by a clock that was
// ahead, for after the longest pause, and may be as late as that.
constexpr std::int64_t alarm_given_up_ms =
    clock_ahead_ms_max + 2 * limits::confirm_pause_ms_max + 2 * minute_ms;
// From the moment at which nothing fails any more until everything has arrived: a clock that was
// ahead has to be waited for, then an alarm that was put off, then a round for each resend.
constexpr std::int64_t healing_ms_max = alarm_given_up_ms + message_late_ms_max + 25 * minute_ms;
constexpr int atomic_tries_max = 4;
constexpr int tries_while_healing_max = 12;
constexpr std::size_t steps_default_max = 40;

}  // namespace

Simulation::Simulation(const Options& options, const std::string& d1_schema)
    : options_(options),
      random_(options.seed),
      trouble_(random_, options.faults),
      world_(options.seed, d1_schema),
      clients_(random_, model_, options.ledgers),
      mail_(world_, agenda_, trouble_, random_),
      telemetry_(world_, agenda_, trouble_, random_, options.seed),
      pages_(world_, agenda_, trouble_, telemetry_, options.seed) {
  const std::int64_t paces[] = {5, 500, 5'000, 60'000};
  pace_ms_ = random_.pick(paces);
  patience_ = 1 + random_.below(6);
  look_percent_ = static_cast<unsigned>(random_.between(5, 40));
  if (!model_.configs().empty()) config_percent_ = static_cast<unsigned>(random_.between(3, 20));
  for (const auto& [entity_id, ledger] : model_.ledgers())
    objects_.push_back(ledger_object_name(entity_id));
  for (const auto& [config_id, config] : model_.configs())
    objects_.push_back(ledger_object_name(config_id));
  for (std::size_t i = 0; i < directory_shards && !model_.configs().empty(); ++i)
    objects_.push_back(directory_shard_name(i));
  for (const std::string& name : telemetry_.objects()) objects_.push_back(name);
  for (const std::string& name : pages_.objects()) objects_.push_back(name);
  mail_.on_lost = [this](std::string_view body) {
    lossless_ = false;
    Message message;
    hold(parse_message(body, message), "what is sent can be read", "a message");
    for (const Attempt& a : message.attempts) {
      model_.lost(
          {std::string(a.entity_id), std::string(submission_id(a.submission)), a.attempted_at});
    }
  };
  pages_.say = [this](const std::string& line) { say(line); };
  install_faults();
}

void Simulation::say(const std::string& line) const {
  if (!options_.verbose) return;
  std::printf("%14.3f s  %*s%s\n", static_cast<double>(world_.now_ms - 1'774'915'200'000) / 1000,
              depth_ * 2, "", line.c_str());
}

void Simulation::run() {
  const std::size_t drawn = 4 + random_.below(steps_default_max);
  const std::size_t steps = options_.steps == 0 ? drawn : options_.steps;
  std::int64_t at = world_.now_ms;
  for (std::size_t i = 0; i < steps; ++i) {
    agenda_.at(at, [this] { operate(); });
    at += random_.percent(70) ? random_.between(0, pace_ms_) : random_.between(0, 20 * pace_ms_);
  }
  agenda_.at(std::max(at, pages_.until_ms()), [this] { heal(); });
  run_until_quiet();
  telemetry_.say_all();
  run_until_quiet();
  pages_.drive([this](std::int64_t ms) { run_for(ms); });
  run_until_quiet();
  // What clocks that were ahead counted is past by then.
  world_.now_ms += clock_ahead_ms_max;
  const Trouble::Calm calm(trouble_);
  if (wipe_) rebuild_d1();
  if (pages_.on()) model_.add_ledger(std::string(alerts_ledger), std::string(platform_tenant));
  check_everything(world_, model_, mail_.garbage());
  pages_.check();
  telemetry_.check(lossless_);
  totals_.facts = model_.facts();
  totals_.faults = trouble_.struck();
  totals_.messages = mail_.sent();
}

void Simulation::run_until_quiet() {
  std::int64_t healed_by = 0;
  while (!quiet()) {
    advance();
    if (!healing_) continue;
    if (healed_by == 0) healed_by = world_.now_ms + healing_ms_max;
    hold(world_.now_ms <= healed_by, "healing ends within a bounded time",
         std::to_string(waiting_clients_) + " clients still wait");
    if (!arrival_seen_ && mail_.empty() && waiting_clients_ == 0) look_at_arrival();
  }
}

// What there is to do in a stretch of time.
void Simulation::run_for(std::int64_t ms) {
  const std::int64_t until_ms = world_.now_ms + ms;
  for (;;) {
    watch_alarms();
    const std::int64_t alarm_at = next_alarm();
    const bool alarm_due = alarm_at != 0 && alarm_at <= until_ms;
    if (!alarm_due && (agenda_.empty() || agenda_.next_at() > until_ms)) break;
    advance();
  }
  world_.now_ms = until_ms;
}

// A store of traces looks once a day for what it may drop, and rules are judged until their windows are
// empty.
bool Simulation::quiet() const {
  std::int64_t alarm_at = 0;
  for (const auto& [object, alarm] : alarms_) {
    if (alarm.set_for == 0 || telemetry_.may_rest(object) || pages_.may_rest(object)) continue;
    const std::int64_t at = goes_off(object, alarm);
    if (alarm_at == 0 || at < alarm_at) alarm_at = at;
  }
  return healing_ && agenda_.empty() && (alarm_at == 0 || alarm_at > world_.now_ms + day_ms / 2);
}

// To whatever comes next, and does it.
void Simulation::advance() {
  watch_alarms();
  const std::int64_t alarm_at = next_alarm();
  const bool alarm_first = alarm_at != 0 && (agenda_.empty() || alarm_at <= agenda_.next_at());
  if (!alarm_first && agenda_.empty()) return;
  world_.now_ms = std::max(world_.now_ms, alarm_first ? alarm_at : agenda_.next_at());
  if (alarm_first)
    ring_due();
  else
    agenda_.take()();
  watch_alarms();
  if (random_.percent(look_percent_)) look();
}

void Simulation::operate() {
  disturb();
  if (random_.percent(3)) mail_.send_garbage();
  if (random_.percent(config_percent_)) {
    auto config = model_.configs().begin();
    std::advance(config, static_cast<std::ptrdiff_t>(random_.below(model_.configs().size())));
    change_config(config->first, 0);
  }
  if (random_.percent(95)) post(clients_.request(world_.now_ms), 0);
}

void Simulation::disturb() {
  if (trouble_.strikes(Fault::outage)) start_outage();
  if (trouble_.strikes(Fault::clock)) change_clocks();
  for (const auto& [entity_id, ledger] : model_.ledgers()) {
    const std::string object = ledger_object_name(entity_id);
    if (trouble_.strikes(Fault::eviction)) {
      say("evict " + object);
      world_.evict(object);
    }
    if (trouble_.strikes(Fault::cache)) damage_cache(entity_id);
    if (trouble_.strikes(Fault::tamper)) tamper(entity_id);
    if (trouble_.strikes(Fault::corrected)) damage_corrected(entity_id);
    if (!trouble_.strikes(Fault::lost_alarm) || world_.alarm_of(object) == 0) continue;
    say("the alarm of " + object + " is lost");
    world_.lose_alarm(object);
    alarms_[object] = {.lost = true};
  }
  for (const std::string& object : telemetry_.objects()) {
    if (!trouble_.strikes(Fault::eviction)) continue;
    say("evict " + object);
    world_.evict(object);
  }
}

void Simulation::start_outage() {
  d1_down_until_ = world_.now_ms + random_.between(1'000, outage_ms_max);
  say("D1 is down for " + std::to_string((d1_down_until_ - world_.now_ms) / 1000) + " s");
}

void Simulation::change_clocks() {
  const auto change = [&](const std::string& object) {
    const std::size_t dice = random_.below(4);
    std::int64_t& offset = clocks_[object];
    if (dice == 0) offset = 0;
    if (dice == 1) offset = random_.between(0, clock_ahead_ms_max);
    if (dice >= 2) offset = -random_.between(0, clock_behind_ms_max);
  };
  change("");
  for (const auto& [entity_id, ledger] : model_.ledgers()) change(ledger_object_name(entity_id));
  for (const std::string& object : telemetry_.objects()) change(object);
  for (const std::string& object : pages_.objects()) change(object);
  say("clocks change");
}

std::int64_t Simulation::clock_of(const std::string& object) const {
  const auto found = clocks_.find(object);
  return world_.now_ms + (found == clocks_.end() ? 0 : found->second);
}

// -- requests -------------------------------------------------------------------------------------

void Simulation::post(Request request, int tries) {
  ++depth_;
  ++totals_.requests;
  request.sent_at = clock_of("");
  model_.sent(request);
  for (const auto& [entity_id, ledger] : model_.ledgers()) {
    request.clocks[entity_id] = clock_of(ledger_object_name(entity_id));
  }
  world::Headers headers = world_.authorization(request.tenant_id, scope_facts_write);
  headers.emplace_back("content-type", request.lines ? "application/x-ndjson" : "application/json");
  const std::uint64_t faults_before = trouble_.struck();
  const bool sends_lost_before = std::exchange(sends_lost_, false);
  const std::string body = clients_.body(request);
  say("POST " + body);
  const auto reply =
      world_.request("POST", request.atomic ? "/v1/facts?atomic=true" : "/v1/facts", headers, body);
  say("  " + std::to_string(reply.status) + " " + reply.body);
  const bool heard = reply.status != 0 && !trouble_.strikes(Fault::client);
  if (heard && request.single && reply.status >= 400) {
    const Trouble::Calm calm(trouble_);
    const std::string& entity_id = request.items[0].entity_id;
    const auto head = world_.request("GET", "/v1/entities/" + entity_id,
                                     world_.authorization({}, scope_facts_read), {});
    request.heads_after[entity_id] =
        head.status == 200 ? Json::parse(head.body).at("seq").get<std::int64_t>() : 0;
  }
  if (heard) {
    model_.answered(request, reply.status, !reply.header("retry-after").empty(), reply.body,
                    trouble_.struck() != faults_before, !sends_lost_);
  } else {
    model_.unheard(request);
  }
  sends_lost_ = sends_lost_before || sends_lost_;
  --depth_;
  retry(std::move(request), tries);
}

// What was not answered for good is sent again, after a while, until the client loses patience.
void Simulation::retry(Request request, int tries) {
  const bool open = std::any_of(request.items.begin(), request.items.end(),
                                [](const Item& item) { return !item.settled; });
  if (!open) return;
  // A ledger does not look for the originals of a whole large batch at once, so that sooner or
  // later its facts have to come apart.
  request.atomic = request.atomic && tries < atomic_tries_max;
  if (!request.atomic) {
    std::erase_if(request.items, [](const Item& item) { return item.settled; });
    request.single = request.single || (request.items.size() == 1 && random_.percent(30));
    request.lines = request.lines && !request.single;
  }
  // Without an id a second try is a second fact.
  if (std::any_of(request.items.begin(), request.items.end(),
                  [](const Item& item) { return item.id.empty(); })) {
    return;
  }
  hold(!healing_ || tries < tries_while_healing_max, "retries come to an end",
       request.items[0].entity_id);
  if (!healing_ && static_cast<std::size_t>(tries) >= patience_) return;
  for (Item& item : request.items) item.settled = false;
  const std::int64_t pause = (1'000 << std::min(tries, 6)) + random_.between(0, 1'000);
  ++waiting_clients_;
  agenda_.at(world_.now_ms + pause, [this, request, tries, healing = healing_] {
    --waiting_clients_;
    post(request, healing == healing_ ? tries + 1 : 0);
  });
}

// -- alarms ---------------------------------------------------------------------------------------

// Sees which alarms were set, and draws how late each will be.
void Simulation::watch_alarms() {
  for (const std::string& object : objects_) {
    const std::int64_t set_for = world_.alarm_of(object);
    Alarm& alarm = alarms_[object];
    if (alarm.set_for == set_for) continue;
    const bool late = trouble_.strikes(Fault::late_alarm);
    alarm = {set_for, random_.between(0, late ? alarm_late_ms_max : 50), false};
  }
}

// The platform goes by the clock that the object has then. Ledgers are to bear another one, too.
std::int64_t Simulation::goes_off(const std::string& object, const Alarm& alarm) const {
  const std::int64_t ahead = Telemetry::owns(object) ? clock_of(object) - world_.now_ms : 0;
  return alarm.set_for - ahead + alarm.late_ms;
}

std::int64_t Simulation::next_alarm() const {
  std::int64_t next = 0;
  for (const auto& [object, alarm] : alarms_) {
    if (alarm.set_for == 0) continue;
    const std::int64_t at = goes_off(object, alarm);
    if (next == 0 || at < next) next = at;
  }
  return next;
}

// One after the other, or all at one moment.
void Simulation::ring_due() {
  std::vector<std::string> due;
  for (const auto& [object, alarm] : alarms_) {
    if (alarm.set_for == 0 || goes_off(object, alarm) > world_.now_ms) continue;
    const bool twice = trouble_.strikes(Fault::double_alarm);
    if (pages_.on() && object == alerts_object) {
      ring_alerts(twice);
      continue;
    }
    due.push_back(object);
    if (twice) due.push_back(object);
  }
  if (due.size() > 1 && random_.percent(50)) return ring(due);
  for (const auto& object : due) ring({object});
}

// The platform gives an object one alarm at a time; the turns of others are told apart by their rows.
void Simulation::ring_alerts(bool twice) {
  if (std::exchange(alerts_ring_, true)) return;
  ring({std::string(alerts_object)});
  if (twice) ring({std::string(alerts_object)});
  alerts_ring_ = false;
}

void Simulation::ring(const std::vector<std::string>& objects) {
  ++depth_;
  totals_.alarms += objects.size();
  const std::size_t outer = ringing_.size();
  for (const auto& object : objects) {
    say("alarm of " + object);
    if (Telemetry::owns(object)) continue;
    const auto last = world_.storage_of(object).run({"SELECT max(last_seq) FROM segments", {}});
    ringing_.push_back({object, last->rows.size() > 0 ? last->rows.at(0, 0).integer : 0});
  }
  world_.ring_all(objects);
  ringing_.resize(outer);
  for (const auto& object : objects) alarms_[object] = {};
  --depth_;
}

// -- healing --------------------------------------------------------------------------------------

// From here on nothing fails. Where an alarm was lost another fact sets it again.
void Simulation::heal() {
  say("healing");
  wipe_ = trouble_.strikes(Fault::wipe);
  trouble_.end();
  d1_down_until_ = 0;
  clocks_.clear();
  healing_ = true;
  pages_.healed();
  telemetry_.say_all();
  for (auto& [object, alarm] : alarms_) {
    alarm.late_ms = 0;
    if (!alarm.lost) continue;
    const std::string entity_id = object.substr(object.find('_') + 1);
    agenda_.at(world_.now_ms + alarm_given_up_ms, [this, entity_id] {
      if (get(world_, "/v1/entities/" + entity_id).at("lifecycle") != "active")
        return replicate(entity_id, false);
      post(clients_.one(entity_id, world_.now_ms), 0);
    });
  }
  for (const std::string& entity_id : model_.damaged)
    agenda_.at(world_.now_ms, [this, entity_id] { reconcile(entity_id, false); });
  for (const auto& [config_id, config] : model_.configs()) {
    if (config.submitted.empty()) continue;
    agenda_.at(world_.now_ms, [this, id = config_id] { change_config(id, 0); });
  }
}

}  // namespace z0::sim
