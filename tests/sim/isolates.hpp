// What isolates do with what their steps measure, as bindings/worker/points.js and streams.js do it: points
// are merged for a moment, then told to their shards of the monitor in flushes that are numbered. A flush
// that was not taken is kept for the next time, within a limit; isolates die, and begin anew.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agenda.hpp"
#include "laws/flush_book.hpp"
#include "trouble.hpp"
#include "world.hpp"

namespace z0::sim {

class Isolates {
 public:
  Isolates(world::World& world, Agenda& agenda, Trouble& trouble, Random& random);

  void collect(const DataPoint& point);
  // One of those that serve requests; or all of them.
  void edge_died();
  void process_died();
  // Each says what it has; whatever was given up is told of by then.
  void say_all();

  // Sees each flush that is written, before it is told.
  std::function<void(const laws::Flush& flush)> on_flush;
  std::size_t shards() const { return shards_; }
  // Everything that was measured is in a flush, and a later one tells of each that did not come.
  bool whole() const { return whole_; }

 private:
  struct Point {
    z0_point_kind kind = Z0_POINT_COUNTER;
    std::string tenant;
    std::vector<std::string> blobs;
    std::int64_t how_much = 0;
    double value = 0;
    std::string trace;
  };
  struct Stream {
    std::uint64_t id = 0;
    std::int64_t began_ms = 0;
    std::int64_t told_ms = 0;
    std::int64_t number = 0;
    std::int64_t events = 0;
    bool gave_up = false;  // a flush, which only a later one tells of
    std::deque<std::string> kept;
  };
  struct Isolate {
    std::uint64_t life = 0;
    std::map<std::string, Point> points;
    std::map<std::string, std::int64_t> given;  // events that there was no room for, by tenant
    std::map<std::size_t, Stream> streams;      // by shard
    bool due = false;
  };

  void die(Isolate& isolate);
  void end(const Stream& stream);
  void flush(std::size_t place);
  std::string write(Stream& stream, const std::vector<Point>& points);
  void tell(std::size_t place, std::size_t shard);
  void not_taken(std::size_t place, std::size_t shard, std::uint64_t life,
                 const std::vector<std::string>& flushes);
  bool arrive(std::size_t shard, const std::vector<std::string>& flushes);
  Stream& stream_of(Isolate& isolate, std::size_t shard);
  std::size_t shard_of(std::string_view tenant) const;

  world::World& world_;
  Agenda& agenda_;
  Trouble& trouble_;
  Random& random_;
  std::size_t shards_;
  std::vector<Isolate> isolates_;
  bool whole_ = true;
};

}  // namespace z0::sim
