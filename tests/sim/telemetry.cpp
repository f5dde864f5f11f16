// What passes is noted here; telemetry_checks.cpp judges.
#include "telemetry.hpp"

#include <algorithm>

#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/metrics.hpp"
#include "z0/calls/reply.hpp"
#include "z0/calls/traces.hpp"
#include "z0/metrics/registry.hpp"

namespace z0::sim {
namespace {

// Of a hundred runs: each takes nearly twice as long.
constexpr unsigned share_percent = 20;

std::string hex_of(std::string_view bytes) {
  std::string hex;
  append_hex(hex, bytes);
  return hex;
}

// Of a shard: it writes nothing else.
bool saves(const std::vector<Effect>& effects) {
  return std::any_of(effects.begin(), effects.end(),
                     [](const Effect& effect) { return effect.kind == Z0_WRITE; });
}

}  // namespace

bool asks(const std::vector<Effect>& effects) {
  return !effects.empty() && effects[0].phase == Phase::need;
}

bool commits(const std::vector<Effect>& effects) {
  return std::any_of(effects.begin(), effects.end(),
                     [](const Effect& effect) { return effect.phase == Phase::commit; });
}

Telemetry::Telemetry(world::World& world, Agenda& agenda, Trouble& trouble, Random& random,
                     std::uint64_t seed)
    : world_(world), trouble_(trouble), random_(random) {
  // Other runs are what they would be without.
  if (!Random(~seed).percent(share_percent)) return;
  parts_.emplace(
      Parts{Isolates(world, agenda, trouble, random), TailMail(world, agenda, trouble, random)});
  stores_ = 1 + random.below(2);
  exports_ = random.percent(50);
  const std::int64_t one_in[] = {1, 3, 1'000'000'007};
  Json settings = {{"monitor_shards", parts_->isolates.shards()},
                   {"trace_shards", stores_},
                   {"traces", {{"one_in", random.pick(one_in)}, {"slow_ms", 100'000}}}};
  if (exports_) settings["otlp"] = {{"traces_url", "https://receiver.example/v1/traces"}};
  world.settings = settings.dump();
  install();
}

void Telemetry::install() {
  world_.measured = [this](const DataPoint& point) {
    if (trouble_.calm()) return;
    parts_->isolates.collect(point);
    if (point.blobs.at(0) == info(Metric::facts_written).name)
      written_[std::string(point.index)] += static_cast<std::int64_t>(point.how_much);
  };
  world_.span = [this](std::string_view json) { span_ended(json); };
  world_.watch = [this](std::string_view frame, std::string_view effects) {
    watch(frame, effects);
  };
  world_.committed = [this](std::string_view object) { committed(object); };
  if (exports_) world_.fetch = [this](const FetchNeed& need) { return parts_->tail.receive(need); };
  parts_->isolates.on_flush = [this](const laws::Flush& flush) { flushes_[flush.bytes] = flush; };
  parts_->tail.before_delivery = [this] { spans_lost_ = false; };
  parts_->tail.after_delivery = [this](const std::vector<std::string>& spans, bool done) {
    delivered(spans, done);
  };
}

bool Telemetry::owns(std::string_view object) {
  return object.starts_with("metrics_") || object.starts_with("traces_") ||
         object.starts_with(alerts_object);
}

bool Telemetry::may_rest(std::string_view object) const {
  if (object.starts_with(alerts_object)) return true;
  const auto shard = shards_.find(object);
  return shard != shards_.end() && !shard->second.book.unsaved();
}

// A step that goes on names no object.
std::string Telemetry::shard_of(const Frame& frame) const {
  if (frame.kind != Z0_FRAME_RESUME) return std::string(frame.part(0));
  for (const auto& [name, shard] : shards_)
    if (shard.incarnation == frame.incarnation) return name;
  return {};
}

std::vector<std::string> Telemetry::objects() const {
  std::vector<std::string> names;
  if (!on()) return names;
  for (std::size_t i = 0; i < parts_->isolates.shards(); ++i)
    names.push_back(monitor_shard_name(static_cast<std::int64_t>(i)));
  for (std::size_t i = 0; i < stores_; ++i) names.push_back(traces_object_name(i));
  return names;
}

void Telemetry::measure(const DataPoint& point) { parts_->isolates.collect(point); }

void Telemetry::edge_died() {
  if (on()) parts_->isolates.edge_died();
}
void Telemetry::process_died() {
  if (on()) parts_->isolates.process_died();
}
void Telemetry::say_all() {
  if (on()) parts_->isolates.say_all();
}

// -- what passes ----------------------------------------------------------------------------------

void Telemetry::watch(std::string_view frame_bytes, std::string_view effect_bytes) {
  // What was to be saved by a transaction that failed is not saved by the next one.
  saving_.reset();
  Frame frame;
  hold(parse_frame(frame_bytes, frame), "a frame can be read", "");
  if (frame.target == Z0_TARGET_TAIL)
    spans_lost_ = spans_lost_ || effect_bytes.find("spans_lost") != std::string_view::npos;
  const bool shard = frame.target == Z0_TARGET_MONITOR && owns(shard_of(frame));
  if (!shard && frame.target != Z0_TARGET_TRACES) return;
  std::vector<Effect> effects;
  hold(parse_effects(effect_bytes, effects), "effects can be read", "");
  shard ? watch_shard(frame, effects) : watch_store(frame, effects);
}

void Telemetry::watch_shard(const Frame& frame, const std::vector<Effect>& effects) {
  const std::string name = shard_of(frame);
  Shard& shard = shards_[name];
  if (shard.incarnation != frame.incarnation) shard.book.die();
  shard.incarnation = frame.incarnation;
  if (asks(effects)) return;
  if (frame.kind == Z0_FRAME_TELL) {
    for (ByteReader in(frame.part(1)); !in.done();)
      shard.book.take(flushes_.at(std::string(in.bytes())), frame.now_ms);
  }
  hold(frame.kind != Z0_FRAME_ALARM || commits(effects) || !shard.book.unsaved(),
       "what changed is saved by the alarm, or by the next one", name);
  if (saves(effects)) saving_.emplace(name, frame.now_ms);
}

void Telemetry::watch_store(const Frame& frame, const std::vector<Effect>& effects) {
  committing_.clear();
  if (frame.kind == Z0_FRAME_CALL) {
    brought_.clear();
    StoreRequest request;
    const bool store = frame.method == static_cast<std::uint8_t>(TracesMethod::store);
    if (store && decode(frame.part(1), request)) {
      for (const auto& item : request.items) {
        Filed& filed = brought_.emplace_back();
        filed.trace_id = hex_of(item.trace_id);
        filed.hash = id_hash(item.trace_id, 0);
        hold(decode(item.span, filed.span), "a span that is filed can be read", filed.trace_id);
      }
    }
  }
  if (asks(effects)) return;
  for (const Effect& effect : effects) {
    StoreReply reply;
    if (brought_.empty() || effect.kind != Z0_REPLY) continue;
    if (decode_reply(carried_by<HttpAnswer>(effect).body, reply) == Status::ok)
      hold(reply.refused == 0, "a store of traces has room", brought_[0].trace_id);
  }
  if (commits(effects)) std::swap(committing_, brought_);
  brought_.clear();
}

void Telemetry::committed(std::string_view object) {
  if (saving_ && saving_->first == object) shards_[saving_->first].book.save(saving_->second);
  if (!object.starts_with("traces_")) return;
  for (const Filed& filed : std::exchange(committing_, {})) {
    Trace& trace = traces_[filed.trace_id];
    trace.hash = filed.hash;
    const std::string id = hex_of(filed.span.span_id);
    const bool money = filed.span.money != MoneyEffect::none;
    trace.spans.insert(id);
    trace.money = trace.money || money;
    if (money || filed.span.status == SpanStatus::error) trace.important.insert(id);
  }
  if (!exports_) return;
  const auto rows = world_.storage_of(object).run({"SELECT count(*) FROM export_batches", {}});
  outbox_full_ = outbox_full_ || rows->rows.at(0, 0).integer >= limits::exports_waiting_max;
}

// What keeps traces is not traced.
void Telemetry::span_ended(std::string_view json) {
  if (trouble_.calm() || json.find("\"z0.do.traces.") != std::string_view::npos) return;
  if (json.find(R"("money":"moved")") != std::string_view::npos) {
    constexpr std::string_view member = R"("trace_id":")";
    moved_.emplace(json.substr(json.find(member) + member.size(), 2 * trace_id_bytes));
  }
  parts_->tail.collect(json);
}

void Telemetry::delivered(const std::vector<std::string>& spans, bool done) {
  if (!done || spans_lost_) return;
  for (const std::string& json : spans) {
    const Json span = Json::parse(json);
    const auto trace = traces_.find(span.at("trace_id"));
    hold(trace != traces_.end() && trace->second.spans.contains(span.at("span_id")),
         "a span that is not said to be lost is held", json);
  }
}

}  // namespace z0::sim
