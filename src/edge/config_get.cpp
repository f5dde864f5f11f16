// GET /v1/configs/{id}: versions as they stand in the config's own ledger, page by page of it.
//
// A version takes a fact of its own, so version n is nowhere before seq n: what is asked for by
// number is read from there. Everything else walks through all of them; there are few.
#include "edge/config_change.hpp"
#include "edge/handlers.hpp"
#include "operations/value.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/calls/ledger_reads.hpp"
#include "z0/facts/fact.hpp"
#include "z0/json/write.hpp"
#include "z0/metrics/registry.hpp"

namespace z0 {
namespace {

// Versions in one read of the ledger: 64 KiB each at most.
constexpr std::int64_t versions_per_read = 100;
// Missing versions that are listed by number.
constexpr std::size_t gap_bytes_max = 4'096;

enum class Wanted : std::uint8_t { current, version, as_of, history };

struct Walk {
  Wanted wanted = Wanted::current;
  std::int64_t number = 0;  // the version, or the time
  std::string tenant_id;    // empty: any
  std::string config_id;
  std::int64_t from_seq = 1;
  // The last version so far, whose end is not known yet.
  std::int64_t last = 0;
  std::int64_t last_at = 0;
  std::string last_data;
  std::string type;  // of the config, which is that of its first version
  std::string items;
  std::string gaps;
  std::int64_t next_version = 0;  // where the next page begins, when this one is full

  void encode(ByteWriter& out) const {
    out.u8(static_cast<std::uint8_t>(wanted));
    for (const auto n : {number, from_seq, last, last_at})
      out.varint(static_cast<std::uint64_t>(n));
    for (const auto* text : {&tenant_id, &config_id, &last_data, &type, &items, &gaps})
      out.short_bytes(*text);
  }

  bool decode(ByteReader& in) {
    wanted = static_cast<Wanted>(in.u8());
    for (auto* n : {&number, &from_seq, &last, &last_at})
      *n = static_cast<std::int64_t>(in.varint());
    for (auto* text : {&tenant_id, &config_id, &last_data, &type, &items, &gaps})
      *text = in.short_bytes();
    return in.ok() && in.done();
  }

  bool found() const { return (wanted != Wanted::history && !items.empty()) || next_version > 0; }

  // Whether the last version, which ended then (0: it did not), is asked for.
  bool takes_last(std::int64_t superseded_at) const {
    switch (wanted) {
      case Wanted::current:
        return superseded_at == 0;
      case Wanted::version:
        return last == number;
      case Wanted::as_of:
        return last_at <= number && (superseded_at == 0 || number < superseded_at);
      case Wanted::history:
        break;
    }
    return true;
  }

  void end_last(std::int64_t superseded_at) {
    if (last_data.empty() || found() || !takes_last(superseded_at)) return;
    JsonWriter json(items, !items.empty());
    json.object().integer("version", last).integer("effective_at", last_at);
    write_integer_or_null(json, "superseded_at", superseded_at);
    json.parts(members_of(last_data)).end();
  }

  // A fact of the ledger, which need not be a version of this config.
  void add(const Fact& fact) {
    const std::int64_t version = fact.config_version;
    if (fact.config_id != config_id || version <= last || fact.data.size() <= 2) return;
    for (std::int64_t n = last + 1; n < version && gaps.size() < gap_bytes_max; ++n)
      JsonWriter(gaps, !gaps.empty()).integer(n);
    end_last(fact.recorded_at);
    if (found()) return;
    last = version;
    last_at = fact.recorded_at;
    last_data.clear();
    append_data_json(last_data, fact);
    ConfigData content;
    if (type.empty() && read_config_data(fact.data, content)) type = content.type;
    if (items.size() > static_cast<std::size_t>(limits::page_bytes_max)) next_version = last;
  }
};

void read_on(const Walk& walk, const Context& context, Effects& effects) {
  ReadRequest read;
  read.tenant_id = walk.tenant_id;
  read.entity_id = walk.config_id;
  read.from_seq = walk.from_seq;
  read.limit = versions_per_read;
  read.types = type_name(FactType::lifecycle);
  effects.need_call(LedgerMethod::read, ledger_object_name(walk.config_id), limits::read_timeout_ms,
                    encode(read));
  std::string continuation;
  ByteWriter out(continuation);
  write_context(out, context);
  walk.encode(out);
  effects.resume(continuation);
}

void reply(const Walk& walk, const Context& context, Effects& effects) {
  if (walk.items.empty()) return reply_error(effects, context, Status::not_found, {});
  std::string out;
  JsonWriter json(out);
  json.object().text("config_id", walk.config_id);
  if (walk.wanted != Wanted::history) {
    json.parts(members_of(walk.items)).end();
    return reply_json(effects, context, 200, out);
  }
  json.array("versions").parts(walk.items).end();
  json.array("gaps").parts(walk.gaps).end();
  write_integer_or_null(json, "next_version", walk.next_version);
  json.end();
  reply_json(effects, context, 200, out);
}

void read_config(const RouteCall& call, bool history) {
  const auto& [request, claims, context, frame, config_id, effects] = call;
  if (!valid_config_id(config_id)) return reply_error(effects, context, Status::not_found, {});
  Walk walk;
  walk.tenant_id = claims.tenant_id;
  walk.config_id = config_id;
  const std::string_view from = history ? "from_version" : "version";
  const std::string_view version = request.parameter(from);
  const std::string_view as_of = request.parameter("as_of");
  std::int64_t first = 1;
  if (!version.empty() && (!parse_number(version, first) || first < 1))
    return reply_error(effects, context, Status::bad_parameter, from);
  if (!as_of.empty() && !version.empty())
    return reply_error(effects, context, Status::bad_parameter, "as_of");
  if (!as_of.empty() && !parse_time(as_of, walk.number))
    return reply_bad_time(effects, context, "as_of");
  if (history)
    walk.wanted = Wanted::history;
  else if (!as_of.empty())
    walk.wanted = Wanted::as_of;
  else if (!version.empty()) {
    walk.wanted = Wanted::version;
    walk.number = first;
  }
  walk.from_seq = first;
  walk.last = first - 1;
  read_on(walk, context, effects);
}

}  // namespace

void get_config(const RouteCall& call) { read_config(call, false); }
void get_config_versions(const RouteCall& call) { read_config(call, true); }

void resume_get_config(const RouteResume& resumed) {
  const auto& [in, context, frame, effects] = resumed;
  Walk walk;
  if (!walk.decode(in)) trap("a walk over versions goes round as it was written");
  ReadReply page;
  if (!value_or_refuse(resumed, page)) return;
  Fact fact;
  for (ByteReader records(page.records); next_record(records, walk.config_id, fact);)
    walk.add(fact);
  // A page that ends where it began would be read for ever.
  if (page.next_seq > walk.from_seq && !walk.found()) {
    walk.from_seq = page.next_seq;
    return read_on(walk, context, effects);
  }
  walk.end_last(0);
  reply(walk, context, effects);
  if (walk.type.empty()) return;
  count(effects, Metric::config_reads, page.tenant_id, {walk.type}, 1, context.trace.trace_id);
  observe(effects, Metric::config_read_duration, page.tenant_id, {walk.type},
          frame.now_ms - context.started_ms, 1, context.trace.trace_id);
}

}  // namespace z0
