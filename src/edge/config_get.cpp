// GET /v1/configs/{id}: versions as they stand in the config's own ledger, page by page of it.
//
// A version takes a fact of its own, so version n is nowhere before seq n: what is asked for by
// number is read from there. Everything else walks through all of them; there are few.
#include "edge/config_change.hpp"
#include "edge/handlers.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/calls/ledger.hpp"
#include "z0/json/json.hpp"
#include "z0/json/write.hpp"

namespace z0 {
namespace {

// Versions in one read of the ledger: 64 KiB each at most.
constexpr std::int64_t versions_per_read = 100;
// Missing versions that are listed by number.
constexpr std::size_t gap_bytes_max = 4'096;

enum class Wanted : std::uint8_t { current, version, as_of, history };

// One version as the ledger's JSON has it.
struct Version {
  std::int64_t number = 0;
  std::int64_t effective_at = 0;
  std::string_view data;
};

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
  std::string items;
  std::string gaps;
  std::int64_t next_version = 0;  // where the next page begins, when this one is full

  void encode(ByteWriter& out) const {
    out.u8(static_cast<std::uint8_t>(wanted));
    for (const auto n : {number, from_seq, last, last_at})
      out.varint(static_cast<std::uint64_t>(n));
    for (const auto* text : {&tenant_id, &config_id, &last_data, &items, &gaps})
      out.short_bytes(*text);
  }

  bool decode(ByteReader& in) {
    wanted = static_cast<Wanted>(in.u8());
    for (auto* n : {&number, &from_seq, &last, &last_at})
      *n = static_cast<std::int64_t>(in.varint());
    for (auto* text : {&tenant_id, &config_id, &last_data, &items, &gaps}) *text = in.short_bytes();
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
    if (superseded_at == 0)
      json.null("superseded_at");
    else
      json.integer("superseded_at", superseded_at);
    json.parts(members_of(last_data)).end();
  }

  void add(const Version& version) {
    if (version.number <= last || version.data.size() <= 2) return;
    for (std::int64_t n = last + 1; n < version.number && gaps.size() < gap_bytes_max; ++n)
      JsonWriter(gaps, !gaps.empty()).integer(n);
    end_last(version.effective_at);
    if (found()) return;
    last = version.number;
    last_at = version.effective_at;
    last_data = version.data;
    if (items.size() > static_cast<std::size_t>(limits::page_bytes_max)) next_version = last;
  }
};

std::int64_t whole_number(JsonReader& in) {
  std::int64_t value = 0;
  JsonReader::Fit fit{};
  if (in.peek() != JsonKind::number)
    in.skip();
  else
    in.integer(value, fit);
  return value;
}

// A fact of the ledger's page; its data is left empty when it is no version of this config.
Version read_version(JsonReader& in, std::string_view page, std::string_view config_id) {
  Version version;
  bool ours = false;
  std::string_view data;
  std::string_view key;
  in.enter_object();
  while (in.next_member(key)) {
    if (key == "config_version") {
      version.number = whole_number(in);
    } else if (key == "recorded_at") {
      version.effective_at = whole_number(in);
    } else if (key == "config_id") {
      std::string_view id;
      std::string scratch;
      ours = in.string(id, scratch) && id == config_id;
    } else {
      const bool is_data = key == "data";
      in.peek();
      const std::size_t from = in.offset();
      in.skip();
      if (is_data) data = page.substr(from, in.offset() - from);
    }
  }
  if (ours) version.data = data;
  return version;
}

// Walks one page of the ledger; where the next one begins, 0 when there is none.
std::int64_t walk_page(std::string_view page, Walk& walk) {
  JsonReader in(page, limits::json_depth_max);
  std::int64_t next_seq = 0;
  std::string_view key;
  in.enter_object();
  while (in.next_member(key)) {
    if (key == "facts") {
      in.enter_array();
      while (in.next_element()) walk.add(read_version(in, page, walk.config_id));
    } else if (key == "next_seq") {
      next_seq = whole_number(in);
    } else {
      in.skip();
    }
  }
  return next_seq;
}

void read_on(const Walk& walk, const Context& context, Effects& effects) {
  ReadRequest read;
  read.tenant_id = walk.tenant_id;
  read.entity_id = walk.config_id;
  read.from_seq = walk.from_seq;
  read.limit = versions_per_read;
  read.types = type_name(FactType::lifecycle);
  std::string bytes;
  read.encode(bytes);
  effects.need_call(LedgerMethod::read, ledger_object_name(walk.config_id), limits::read_timeout_ms,
                    bytes);
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
  if (walk.next_version == 0)
    json.null("next_version");
  else
    json.integer("next_version", walk.next_version);
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
  if (!walk.decode(in)) __builtin_trap();  // our own bytes
  const CallAnswer answer =
      parse_call(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
  const Status status = status_in(answer);
  if (status != Status::recorded) return reply_error(effects, context, status, {});
  const std::int64_t next_seq = walk_page(answer.reply.substr(1), walk);
  // A page that ends where it began would be read for ever.
  if (next_seq > walk.from_seq && !walk.found()) {
    walk.from_seq = next_seq;
    return read_on(walk, context, effects);
  }
  walk.end_last(0);
  reply(walk, context, effects);
}

}  // namespace z0
