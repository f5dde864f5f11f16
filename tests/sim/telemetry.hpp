// Metrics and traces of a run: what its steps measure and say, on the way to the monitor's shards and to the
// stores of traces, and what must be true of both. A share of the runs has them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "isolates.hpp"
#include "laws/flush_book.hpp"
#include "model.hpp"
#include "tail_mail.hpp"
#include "z0/trace/span.hpp"

namespace z0::sim {

// Of a step: whether it needs something first, and whether it has a transaction.
bool asks(const std::vector<Effect>& effects);
bool commits(const std::vector<Effect>& effects);

class Telemetry {
 public:
  Telemetry(world::World& world, Agenda& agenda, Trouble& trouble, Random& random,
            std::uint64_t seed);

  bool on() const { return parts_.has_value(); }
  // Whether an object is a shard of the monitor or a store of traces.
  static bool owns(std::string_view object);
  // Whether its alarm has nothing to do but to judge rules, which it does for hours.
  bool may_rest(std::string_view object) const;
  std::vector<std::string> objects() const;

  // Something that is measured outside of z0.
  void measure(const DataPoint& point);
  // Of shards of the monitor.
  std::size_t shards() const { return parts_->isolates.shards(); }

  void edge_died();
  void process_died();
  void say_all();

  // While nobody can interfere: a shard, a store, a trace.
  void look();
  // At the end. lossless: whoever recorded a fact was heard.
  void check(bool lossless);

 private:
  struct Shard {
    laws::FlushBook book;
    std::uint64_t incarnation = 0;
  };
  // By its spans that arrived, ids in hexadecimal digits.
  struct Trace {
    std::set<std::string> spans;
    std::set<std::string> important;
    bool money = false;
    std::uint64_t hash = 0;
  };
  struct Filed {
    std::string trace_id;
    std::uint64_t hash = 0;
    Span span;
  };

  void install();
  void watch(std::string_view frame, std::string_view effects);
  void watch_shard(const Frame& frame, const std::vector<Effect>& effects);
  std::string shard_of(const Frame& frame) const;
  void watch_store(const Frame& frame, const std::vector<Effect>& effects);
  void committed(std::string_view object);
  void span_ended(std::string_view json);
  void delivered(const std::vector<std::string>& spans, bool done);

  SeriesReply look_at_shard(const std::string& name);
  SeriesReply last_days(const std::string& name);
  void look_at_store(const std::string& name);
  void look_at_trace(const std::string& trace_id, const Trace& trace);
  void check_measurements(bool lossless);
  void check_list();
  void check_export(const Json& counts);

  struct Parts {
    Isolates isolates;
    TailMail tail;
  };

  world::World& world_;
  Trouble& trouble_;
  Random& random_;
  std::optional<Parts> parts_;
  std::size_t stores_ = 1;
  bool exports_ = false;

  std::unordered_map<std::string, laws::Flush> flushes_;  // by their bytes
  std::map<std::string, Shard, std::less<>> shards_;
  std::optional<std::pair<std::string, std::int64_t>> saving_;  // a shard, and its clock
  std::map<std::string, std::int64_t> written_;  // facts that were measured, by tenant

  std::vector<Filed> brought_;  // by the call of a store that is under way
  std::vector<Filed> committing_;
  bool spans_lost_ = false;  // of the delivery at hand
  std::map<std::string, Trace> traces_;
  std::set<std::string> moved_;  // traces that were seen to move money
  bool outbox_full_ = false;
  std::string series_;  // the bytes of the answer at hand
};

}  // namespace z0::sim
