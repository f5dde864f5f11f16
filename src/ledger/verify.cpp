// A ledger compares its facts with D1's rows, column by column, and repairs what differs.
//
// A root in D1 proves what arrived; it says nothing of rows that were altered afterwards. This
// does: a chunk of facts goes to D1 as rows, one statement compares, and only what is wrong comes
// back.
//
// A row under a key that the ledger never had is surplus. The table's key begins with (tenant,
// type, timestamp, entity), so rows that share those with a fact of the chunk are found by seeking.
// Others could be found only by reading the whole table: that is done where facts are missing, and
// few enough of them that somebody may have altered their key.
#include <algorithm>

#include "ledger/sql.hpp"
#include "ledger/step.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/ledger_repairs.hpp"
#include "z0/json/write.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {
namespace {

// The columns behind the key, by their place in a row of insert_facts.
constexpr std::string_view compared[] = {
    "id",       "subtype",  "source_id",   "asset_id",       "campaign_id",
    "tool_id",  "user_id",  "config_id",   "config_version", "amount",
    "currency", "trace_id", "recorded_at", "data",           "corrects"};
constexpr std::size_t first_compared = 5;

// Parameters of the comparison: ?1 rows, ?2 what D1 is known to have had, ?3 and ?4 the first and
// last number of the chunk. A fact that D1 never claimed to have is on its way, not missing.
std::string comparison() {
  std::string sql =
      "WITH f AS MATERIALIZED (SELECT value AS v FROM json_each(?1)) SELECT * FROM (SELECT v->>4 "
      "AS seq, NULL AS type, d.seq AS timestamp, ''";
  for (std::size_t i = 0; i < std::size(compared); ++i) {
    const std::string_view column = compared[i];
    sql += " || iif(d.";
    sql += column;
    sql += column == "data" ? " IS NOT v->" : " IS NOT v->>";
    sql += std::to_string(first_compared + i) + ", '";
    sql += column;
    sql += ",', '')";
  }
  return sql +
         " AS fields FROM f LEFT JOIN ledger_facts d ON d.tenant_id = v->>0 AND d.type = v->>1 AND "
         "d.timestamp = v->>2 AND d.entity_id = v->>3 AND d.seq = v->>4) WHERE fields <> '' AND "
         "(timestamp IS NOT NULL OR seq <= max(?2, coalesce((SELECT contiguous_seq FROM "
         "ledger_heads WHERE entity_id = (SELECT v->>3 FROM f LIMIT 1)), 0))) UNION ALL SELECT * "
         "FROM (SELECT d.seq, d.type, d.timestamp, NULL FROM (SELECT DISTINCT v->>0 AS a, v->>1 AS "
         "b, v->>2 AS c, v->>3 AS e FROM f) JOIN ledger_facts d ON d.tenant_id = a AND d.type = b "
         "AND d.timestamp = c AND d.entity_id = e WHERE d.seq BETWEEN ?3 AND ?4 OR d.seq < 1 OR "
         "d.seq > ?5 EXCEPT SELECT v->>4, v->>1, v->>2, NULL FROM f)";
}
enum Column : std::size_t { seq, type, timestamp, fields };

// A surplus row goes by its key; the row of a missing fact wherever it is.
constexpr std::string_view delete_surplus =
    "DELETE FROM ledger_facts WHERE tenant_id = ?1 AND entity_id = ?2 AND (type, timestamp, seq) "
    "IN (SELECT value->>0, value->>1, value->>2 FROM json_each(?3))";
constexpr std::string_view delete_strays =
    "DELETE FROM ledger_facts WHERE entity_id = ?1 AND seq IN (SELECT value FROM json_each(?2))";
constexpr std::string_view of_these = " WHERE v->>4 IN (SELECT value FROM json_each(?2))";

// What travels from one stage to the next.
struct Comparison {
  std::int64_t checked = 0;
  std::int64_t repaired = 0;
  Differences found;
  std::string_view rows;  // the chunk

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.checked);
    f.number(self.repaired);
    f.part(self.found);
    f.bytes(self.rows);
  }
};

class Verification {
 public:
  Verification(const LedgerState& state, const LedgerCall& call, const VerifyRequest& request,
               const Frame& frame, Effects& effects)
      : state_(state), call_(call), request_(request), frame_(frame), effects_(effects) {}

  void run() {
    const auto at = call_.at<VerifyStage>();
    if (at == VerifyStage::begin) return load();
    const std::string_view answer = frame_.answers.empty() ? std::string_view{} : frame_.answers[0];
    if (at == VerifyStage::segments) return compare(parse_rows(answer));
    if (!decode(call_.extra, at_)) trap("a verification goes round as it was written");
    const std::vector<Rows> rows = parse_query(answer);
    for (const Rows& r : rows) {
      if (r.failed) return reply_status(effects_, Status::storage_error);
    }
    if (at == VerifyStage::compared) return judge(rows.back());
    reply();
  }

 private:
  void load() {
    effects_.need_rows(ledger_sql::select_range,
                       {Value::of(request_.from_seq), Value::of(state_.seq), Value::of(~0u),
                        Value::of(limits::segments_per_read_max)});
    resume_ledger(effects_, call_, VerifyStage::segments, {});
  }

  void compare(const Rows& segments) {
    std::string rows;
    JsonWriter json(rows);
    json.array();
    for (std::size_t i = 0; i < segments.size(); ++i) {
      RecordBytes record;
      for (ByteReader body(segments.at(i, ledger_sql::segment::body).bytes);
           next_record_bytes(body, record);) {
        if (record.seq < request_.from_seq) continue;
        const bool full = at_.checked == static_cast<std::int64_t>(limits::facts_per_message_max) ||
                          rows.size() > limits::d1_json_bytes_max;
        if (full || record.seq != request_.from_seq + at_.checked) break;
        write_fact_rows(json, {state_.tenant_id, state_.entity_id, record.seq, 1, record.whole});
        ++at_.checked;
      }
    }
    json.end();
    if (at_.checked == 0) return reply();
    at_.rows = rows;
    const std::string sql = comparison();
    effects_.need_query(
        "z0.d1.projection.read_rows", database(),
        {{sql,
          {Value::text(rows), Value::of(state_.confirmed_seq), Value::of(request_.from_seq),
           Value::of(request_.from_seq + at_.checked - 1), Value::of(state_.seq)}}});
    resume_ledger(effects_, call_, VerifyStage::compared, encode(at_));
  }

  void judge(const Rows& wrong) {
    std::string again;
    std::string keys;
    JsonWriter again_json(again);
    JsonWriter keys_json(keys);
    again_json.array();
    keys_json.array();
    Differences& found = at_.found;
    for (std::size_t i = 0; i < wrong.size(); ++i) {
      const std::int64_t n = wrong.at(i, seq).integer;
      if (wrong.at(i, fields).kind == Value::Kind::null) {
        // A fact that was recorded and arrived since the question was put.
        if (n > request_.from_seq + at_.checked - 1 && n <= state_.seq) continue;
        found.surplus.push_back(n);
        keys_json.array().text(wrong.at(i, type).bytes).integer(wrong.at(i, timestamp).integer);
        keys_json.integer(n).end();
      } else {
        again_json.integer(n);
        if (wrong.at(i, timestamp).kind == Value::Kind::null)
          found.missing.push_back(n);
        else
          found.differing.push_back({n, wrong.at(i, fields).bytes});
      }
      ++at_.repaired;
    }
    again_json.end();
    keys_json.end();
    if (at_.repaired == 0) return reply();
    repair(again, keys, found.missing.size());
  }

  void repair(std::string_view again, std::string_view keys, std::size_t lost) {
    // The same rows as ever, but in the place of what stands there.
    std::string replace(d1_sql::insert_facts);
    replace.replace(0, replace.find(" INTO"), "INSERT OR REPLACE");
    replace += of_these;
    const Value entity = Value::text(state_.entity_id);
    std::vector<Statement> statements{
        {delete_surplus, {Value::text(state_.tenant_id), entity, Value::text(keys)}}};
    if (lost > 0 && lost <= limits::strays_max)
      statements.push_back({delete_strays, {entity, Value::text(again)}});
    statements.push_back({replace, {Value::text(at_.rows), Value::text(again)}});
    effects_.need_query("z0.d1.projection.repair_rows", database(), statements);
    at_.rows = {};
    resume_ledger(effects_, call_, VerifyStage::repaired, encode(at_));
  }

  void reply() {
    const std::int64_t next = request_.from_seq + at_.checked;
    VerifyReply reply;
    reply.entity_id = state_.entity_id;
    reply.checked = at_.checked;
    reply.next_seq = at_.checked == 0 || next > state_.seq ? 0 : next;
    reply.found = at_.found;
    reply.repaired = at_.repaired;
    reply_value(effects_, reply);
  }

  std::string_view database() const { return settings_database(frame_.settings, state_.tenant_id); }

  const LedgerState& state_;
  const LedgerCall& call_;
  const VerifyRequest& request_;
  const Frame& frame_;
  Effects& effects_;
  Comparison at_;
};

}  // namespace

void verify_ledger(LedgerState& state, const LedgerCall& call, const Frame& frame,
                   Effects& effects) {
  VerifyRequest request;
  if (!decode(call.request, request)) return reply_status(effects, Status::bad_parameter);
  const bool visible = request.tenant_id.empty() || request.tenant_id == state.tenant_id;
  if (state.seq == 0 || !visible) return reply_status(effects, Status::not_found);
  Verification(state, call, request, frame, effects).run();
}

}  // namespace z0
