#include "isolates.hpp"

#include <utility>

#include "unit/monitor/flushes.hpp"

namespace z0::sim {
namespace {

// As in points.js and streams.js; what they hold is little here, so that it runs over.
constexpr std::int64_t merge_ms = 1'000;
constexpr std::int64_t silence_ms = 1'800'000;
constexpr std::size_t points_max = 40;
constexpr std::size_t kept_max = 3;
// Of flushes that are under way for long, or come again.
constexpr std::int64_t late_ms_max = 5 * 60'000;
// Two that serve requests, and one of the objects.
constexpr std::size_t edges = 2;

}  // namespace

Isolates::Isolates(world::World& world, Agenda& agenda, Trouble& trouble, Random& random)
    : world_(world),
      agenda_(agenda),
      trouble_(trouble),
      random_(random),
      shards_(1 + random.below(3)),
      isolates_(edges + 1) {}

void Isolates::collect(const DataPoint& point) {
  const std::size_t place = world_.acting().empty() ? random_.below(edges) : edges;
  Isolate& isolate = isolates_[place];
  std::string key(point.index);
  for (const auto blob : point.blobs) key.append(1, '\0').append(blob);
  if (point.kind == Z0_POINT_HISTOGRAM) key += '\0' + std::to_string(point.value);
  const auto how_much = static_cast<std::int64_t>(point.how_much);
  const auto same = isolate.points.find(key);
  if (same != isolate.points.end()) {
    if (point.kind != Z0_POINT_GAUGE) same->second.how_much += how_much;
    same->second.value = point.value;
    if (!point.trace_id.empty()) same->second.trace = point.trace_id;
  } else if (isolate.points.size() < points_max) {
    isolate.points[key] = {
        point.kind,  std::string(point.index),   {point.blobs.begin(), point.blobs.end()}, how_much,
        point.value, std::string(point.trace_id)};
  } else {
    isolate.given[std::string(point.index)] += how_much;
  }
  if (std::exchange(isolate.due, true)) return;
  agenda_.at(world_.now_ms + merge_ms, [this, place, life = isolate.life] {
    if (isolates_[place].life == life) flush(place);
  });
}

// Nobody tells of what it gave up last, or keeps.
void Isolates::end(const Stream& stream) {
  whole_ = whole_ && stream.kept.empty() && !stream.gave_up;
}

void Isolates::die(Isolate& isolate) {
  // What its last flushes held nobody can know.
  whole_ = whole_ && isolate.points.empty() && isolate.given.empty();
  for (const auto& [shard, stream] : isolate.streams) end(stream);
  isolate = {isolate.life + 1, {}, {}, {}, false};
}

void Isolates::edge_died() { die(isolates_[random_.below(edges)]); }
void Isolates::process_died() {
  for (Isolate& isolate : isolates_) die(isolate);
}

// FNV-1a, as in streams.js.
std::size_t Isolates::shard_of(std::string_view tenant) const {
  std::uint32_t hash = 0x811c9dc5u;
  for (const char c : tenant) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193u;
  return hash % shards_;
}

Isolates::Stream& Isolates::stream_of(Isolate& isolate, std::size_t shard) {
  Stream& stream = isolate.streams[shard];
  const bool fresh = stream.id == 0 || world_.now_ms >= stream.told_ms + silence_ms;
  if (fresh) {
    end(stream);
    // What was not taken is told again all the same.
    stream = {random_.next() | 1, world_.now_ms, 0, 0, 0, false, std::move(stream.kept)};
  }
  stream.told_ms = world_.now_ms;
  return stream;
}

std::string Isolates::write(Stream& stream, const std::vector<Point>& points) {
  laws::Flush flush;
  std::vector<std::string> encoded;
  std::int64_t events = 0;
  for (const Point& point : points) {
    DataPoint one{point.kind,
                  point.tenant,
                  {point.blobs.begin(), point.blobs.end()},
                  static_cast<double>(point.how_much),
                  point.value,
                  point.trace};
    encoded.push_back(test::encode_point(one));
    flush.events[{point.tenant, static_cast<std::int64_t>(metric_named(point.blobs.at(0)))}] +=
        point.how_much;
    events += point.how_much;
  }
  test::Isolate writer{stream.id, stream.began_ms, stream.number, stream.events};
  flush.bytes = writer.flush(encoded, events);
  flush.stream = stream.id;
  flush.number = stream.number = writer.number;
  flush.told = stream.events = writer.told;
  on_flush(flush);
  return flush.bytes;
}

void Isolates::flush(std::size_t place) {
  Isolate& isolate = isolates_[place];
  isolate.due = false;
  std::map<std::size_t, std::vector<Point>> shares;
  for (auto& [key, point] : std::exchange(isolate.points, {}))
    shares[shard_of(point.tenant)].push_back(std::move(point));
  for (const auto& [tenant, events] : std::exchange(isolate.given, {})) {
    const std::size_t shard = shard_of(tenant);
    shares[shard];
    stream_of(isolate, shard).events += events;
  }
  for (const auto& [shard, points] : shares) {
    Stream& stream = stream_of(isolate, shard);
    stream.kept.push_back(write(stream, points));
  }
  const std::uint64_t life = isolate.life;
  for (const auto& [shard, points] : shares) {
    if (isolates_[place].life == life) tell(place, shard);
  }
}

void Isolates::tell(std::size_t place, std::size_t shard) {
  Isolate& isolate = isolates_[place];
  Stream& stream = isolate.streams[shard];
  const std::vector<std::string> flushes(stream.kept.begin(), stream.kept.end());
  stream.kept.clear();
  const std::uint64_t life = isolate.life;
  const std::int64_t late = world_.now_ms + random_.between(1, late_ms_max);
  if (trouble_.strikes(Fault::collect)) {
    stream.gave_up = true;
    return;
  }
  if (trouble_.strikes(Fault::overload)) return not_taken(place, shard, life, flushes);
  if (trouble_.strikes(Fault::late_call)) {
    agenda_.at(late, [this, shard, flushes] { arrive(shard, flushes); });
    return not_taken(place, shard, life, flushes);
  }
  if (trouble_.strikes(Fault::delay)) {
    agenda_.at(late, [this, place, shard, life, flushes] {
      if (!arrive(shard, flushes)) not_taken(place, shard, life, flushes);
    });
    return;
  }
  const bool taken = arrive(shard, flushes) && !trouble_.strikes(Fault::lost_reply);
  if (!taken) return not_taken(place, shard, life, flushes);
  if (trouble_.strikes(Fault::redelivery))
    agenda_.at(late, [this, shard, flushes] { arrive(shard, flushes); });
}

void Isolates::not_taken(std::size_t place, std::size_t shard, std::uint64_t life,
                         const std::vector<std::string>& flushes) {
  Isolate& isolate = isolates_[place];
  if (isolate.life != life) {
    whole_ = false;
    return;
  }
  Stream& stream = isolate.streams[shard];
  stream.kept.insert(stream.kept.begin(), flushes.begin(), flushes.end());
  while (stream.kept.size() > kept_max) {
    stream.kept.pop_front();
    stream.gave_up = true;
  }
}

bool Isolates::arrive(std::size_t shard, const std::vector<std::string>& flushes) {
  std::string reports;
  ByteWriter out(reports);
  for (const auto& flush : flushes) out.bytes(flush);
  return world_.tell(monitor_shard_name(static_cast<std::int64_t>(shard)), std::move(reports));
}

void Isolates::say_all() {
  for (std::size_t place = 0; place < isolates_.size(); ++place) {
    flush(place);
    for (auto& [shard, old] : isolates_[place].streams) {
      Stream& stream = stream_of(isolates_[place], shard);
      stream.kept.push_back(write(stream, {}));
      tell(place, shard);
    }
  }
}

}  // namespace z0::sim
