// What callers ask of a story's world, and what the replies have to say.
#include <algorithm>

#include "story.hpp"
#include "z0/base/ids.hpp"
#include "z0/http/token.hpp"
#include "z0/json/json.hpp"

namespace z0::laws {
namespace {

constexpr std::uint8_t all_scopes = scope_facts_write | scope_facts_read | scope_ops;

Status status_named(std::string_view name) {
  for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(Status::count_); ++i) {
    if (info(static_cast<Status>(i)).name == name) return static_cast<Status>(i);
  }
  return Status::count_;
}

std::string show(std::string_view text) { return std::string(text.substr(0, 600)); }

}  // namespace

Story::Batch Story::make_batch() {
  Batch batch;
  const bool by_operator = random_.percent(30);
  const std::string tenant(random_.pick(Traffic::tenants));
  if (!by_operator) batch.tenant_id = tenant;
  const std::size_t dice = random_.below(1000);
  std::size_t count = 1;
  if (dice >= 500) count = 2 + random_.below(11);
  if (dice >= 930) count = 13 + random_.below(50);
  if (dice >= 996) count = 200;
  batch.single = count == 1 && random_.percent(60);
  batch.lines = !batch.single && random_.percent(40);
  batch.atomic = random_.percent(25);
  for (std::size_t i = 0; i < count; ++i) {
    if (batch.lines && random_.permille(10)) {
      batch.items.push_back(
          {Expect::bad, tenant, {}, R"({"type":"note","entity_id":"deal_1")", -1, false});
      continue;
    }
    const std::string whose = by_operator ? std::string(random_.pick(Traffic::tenants)) : tenant;
    batch.items.push_back(traffic_.item(whose, by_operator, world_.now_ms));
  }
  if (!by_operator && random_.percent(2)) {
    const std::string other(tenant == Traffic::tenants[0] ? Traffic::tenants[1]
                                                          : Traffic::tenants[0]);
    batch.items.back() = traffic_.item(other, true, world_.now_ms);
    batch.items.back().expect = Expect::bad;
  }
  return batch;
}

std::string Story::body_of(const Batch& batch) {
  if (batch.single) return batch.items[0].json;
  std::string body = batch.lines ? "" : " [\n";
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    if (batch.lines && i % 7 == 3) body += "\r\n";
    if (!batch.lines && i > 0) body += ",";
    body += batch.items[i].json;
    if (batch.lines) body += i % 2 == 0 ? "\n" : "\r\n";
  }
  return batch.lines ? body : body + "]\n";
}

void Story::post() {
  ++depth_;
  const Batch batch = make_batch();
  world::Headers headers = world_.authorization(batch.tenant_id, scope_facts_write);
  headers.emplace_back("content-type", batch.lines ? "application/x-ndjson" : "application/json");
  if (random_.percent(50))
    headers.emplace_back("traceparent", "00-" + std::string(31, '5') + "a-00f067aa0ba902b7-01");
  check_reply(batch, world_.request("POST", batch.atomic ? "/v1/facts?atomic=true" : "/v1/facts",
                                    headers, body_of(batch)));
  --depth_;
}

std::vector<Story::Receipt> Story::receipts_of(const world::HttpReply& reply, bool single) {
  // SQLite reads the reply: a reader that is not ours.
  const std::string list = single ? "{\"results\":[" + reply.body + "]}" : reply.body;
  const auto answer =
      json_.run({"SELECT value->>'status', coalesce(value->>'id',''), "
                 "coalesce(value->>'entity_id',''), value->>'seq', "
                 "value->>'recorded_at' FROM json_each(?1, '$.results')",
                 {Value::text(list)}});
  std::vector<Receipt> receipts;
  for (std::size_t i = 0; i < answer->rows.size(); ++i) {
    const Rows& r = answer->rows;
    receipts.push_back({status_named(r.at(i, 0).bytes), std::string(r.at(i, 1).bytes),
                        std::string(r.at(i, 2).bytes), r.at(i, 3).integer, r.at(i, 4).integer});
  }
  return receipts;
}

void Story::check_reply(const Batch& batch, const world::HttpReply& reply) {
  check_json(reply, "POST /v1/facts");
  const auto receipts = receipts_of(reply, batch.single);
  if (receipts.size() != batch.items.size())
    return fail("each item gets an answer", show(reply.body));
  std::size_t recorded = 0;
  std::size_t attempts = 0;
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    if (receipts[i].status == Status::count_) return fail("a status has a name", show(reply.body));
    recorded += receipts[i].status == Status::recorded ? 1 : 0;
    attempts += leaves_attempt(receipts[i].status) ? 1 : 0;
    check_item(batch, batch.items[i], receipts[i]);
  }
  if (recorded != auditor_.facts_sent()) fail("each recorded fact is sent once", show(reply.body));
  if (attempts != auditor_.attempts_sent())
    fail("each failed append leaves an attempt", show(reply.body));
  check_http(batch, reply, receipts);
  if (batch.atomic) check_atomic(batch, receipts);
}

void Story::check_http(const Batch& batch, const world::HttpReply& reply,
                       const std::vector<Receipt>& receipts) {
  const auto good = static_cast<std::size_t>(std::count_if(
      receipts.begin(), receipts.end(), [](const Receipt& r) { return accepted(r.status); }));
  const auto refusal = std::find_if(receipts.begin(), receipts.end(),
                                    [](const Receipt& r) { return !accepted(r.status); });
  int expected = good == receipts.size() ? 200 : good > 0 ? 207 : info(refusal->status).http;
  if (batch.single) expected = info(receipts[0].status).http;
  if (reply.status != expected)
    fail("the HTTP status says what became of the items", show(reply.body));
  const bool later = std::any_of(receipts.begin(), receipts.end(),
                                 [](const Receipt& r) { return transient(r.status); });
  if (later != !reply.header("retry-after").empty())
    fail("what may succeed later says when", show(reply.body));
}

void Story::check_item(const Batch& batch, const Item& item, const Receipt& receipt) {
  const Status status = receipt.status;
  const std::string where = item.json.substr(0, 300) + " -> " + std::string(info(status).name);
  if (accepted(status)) {
    if (receipt.entity_id != item.entity_id ||
        auditor_.recorded(receipt.entity_id, receipt.seq) != receipt.id) {
      fail("an acknowledged fact is in its ledger", where);
    }
    if (item.expect == Expect::bad || item.expect == Expect::clash)
      return fail("what breaks a rule is refused", where);
    if (item.sent < 0) return;
    Sent& sent = traffic_.sent(item.sent);
    const bool known = sent.seq > 0;
    if (receipt.id != sent.id) fail("a receipt has the caller's id", where);
    if (known != (status == Status::duplicate) && item.expect == Expect::fresh)
      fail("a new fact is recorded", where);
    if (known && (status != Status::duplicate || sent.seq != receipt.seq ||
                  sent.recorded_at != receipt.recorded_at)) {
      fail("a retry gets the original receipt", where);
    }
    sent.seq = receipt.seq;
    sent.recorded_at = receipt.recorded_at;
    return;
  }
  // What the platform did, or the neighbours in an atomic batch, may happen to any item but a
  // broken one.
  const bool ledger_says = status == Status::unknown_source || status == Status::source_mismatch ||
                           status == Status::over_corrected;
  const bool excused = leaves_attempt(status) ||
                       (status == Status::batch_refused && batch.atomic) ||
                       (item.corrects && ledger_says);
  if (item.expect == Expect::bad) {
    if (leaves_attempt(status) || status == Status::conflict)
      fail("the edge refuses what breaks a rule", where);
  } else if (item.expect == Expect::clash) {
    if (!excused && status != Status::conflict)
      fail("other content under the same id is a conflict", where);
  } else if (!excused && !(item.contested && status == Status::forbidden)) {
    fail("a good fact is accepted", where);
  }
}

void Story::check_atomic(const Batch& batch, const std::vector<Receipt>& receipts) {
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    if (receipts[i].status != Status::recorded) continue;
    for (std::size_t j = 0; j < receipts.size(); ++j) {
      const bool together = batch.items[i].tenant_id == batch.items[j].tenant_id &&
                            batch.items[i].entity_id == batch.items[j].entity_id;
      if (together && !accepted(receipts[j].status)) {
        fail("all or none of a ledger's batch", batch.items[j].json.substr(0, 300));
      }
    }
  }
}

void Story::check_json(const world::HttpReply& reply, std::string_view what) {
  JsonReader in(reply.body, 64);
  in.skip();
  if (!in.at_end() || reply.status < 200 || reply.status > 599) {
    fail("every reply is JSON with a status",
         std::string(what) + ' ' + std::to_string(reply.status) + ' ' + show(reply.body));
  }
}

void Story::read() {
  const bool by_operator = random_.percent(50);
  const std::string tenant = by_operator ? "" : std::string(random_.pick(Traffic::tenants));
  const auto headers = world_.authorization(tenant, all_scopes);
  constexpr std::string_view urls[] = {"/v1/facts?limit=7",
                                       "/v1/facts?status=failed&limit=20",
                                       "/v1/facts?type=charge&from=0&to=9999999999999",
                                       "/v1/facts?status=recorded",
                                       "/v1/report",
                                       "/healthz"};
  const std::size_t dice = random_.below(10);
  if (dice < 5) return read_ledger(headers, by_operator);
  const std::string url(dice == 5 ? std::string_view("/v1/live") : random_.pick(urls));
  check_json(world_.request("GET", url, headers, {}), url);
}

void Story::read_ledger(const world::Headers& headers, bool by_operator) {
  const std::string entity = traffic_.entity_of(std::string(random_.pick(Traffic::tenants)));
  if (random_.percent(30)) {
    return check_json(world_.request("GET", "/v1/entities/" + entity, headers, {}), "an entity");
  }
  const bool filtered = random_.percent(30);
  const std::int64_t from = random_.between(1, 20);
  const std::int64_t limit = random_.between(1, 40);
  const std::string url = "/v1/facts/" + entity + "?from_seq=" + std::to_string(from) +
                          "&limit=" + std::to_string(limit) +
                          (filtered ? "&types=charge,note" : "");
  const auto reply = world_.request("GET", url, headers, {});
  check_json(reply, url);
  if (reply.status != 200) return;
  const auto answer =
      json_.run({"SELECT value->>'seq', value->>'id', value->>'type' FROM json_each(?1, '$.facts')",
                 {Value::text(reply.body)}});
  std::int64_t seq = from - 1;
  for (std::size_t i = 0; i < answer->rows.size(); ++i) {
    const Rows& r = answer->rows;
    const bool dense = filtered ? r.at(i, 0).integer > seq : r.at(i, 0).integer == seq + 1;
    seq = r.at(i, 0).integer;
    const bool wanted = !filtered || r.at(i, 2).bytes == "charge" || r.at(i, 2).bytes == "note";
    if (!dense || !wanted || auditor_.recorded(entity, seq) != r.at(i, 1).bytes) {
      fail("a page shows the ledger", url + ' ' + show(reply.body));
    }
  }
  const bool more =
      by_operator && !filtered && answer->rows.size() < static_cast<std::size_t>(limit) &&
      !auditor_.recorded(entity, from + static_cast<std::int64_t>(answer->rows.size())).empty();
  if (more) fail("a page is full while there are facts", url);
}

void Story::refuse() {
  constexpr std::string_view bodies[] = {
      "",        "[",    "{\"type\":",        "[]", "\xff", "[{},", "7", "null",
      "[1,2,3]", "{}{}", "[{\"a\":\"\xc3\"}]"};
  auto headers =
      world_.authorization(std::string(random_.pick(Traffic::tenants)), scope_facts_write);
  std::string url = "/v1/facts";
  if (random_.percent(20)) headers[0].second += "x";
  if (random_.percent(20)) url = "/v1/nowhere%2";
  if (random_.percent(10)) headers.emplace_back("content-encoding", "gzip");
  const auto reply = world_.request("POST", url, headers, random_.pick(bodies));
  check_json(reply, url);
  if (reply.status < 400 || reply.status >= 500)
    fail("a broken request is the caller's fault", show(reply.body));
}

// Every fact and every attempt is on exactly one page.
void Story::walk_pages() {
  const std::string limit = std::to_string(random_.between(30, 90));
  std::size_t recorded = 0;
  std::size_t failed = 0;
  std::string cursor;
  do {
    const auto reply = world_.request("GET", "/v1/facts?limit=" + limit + cursor,
                                      world_.authorization({}, all_scopes), {});
    check_json(reply, "GET /v1/facts");
    if (reply.status != 200) return fail("D1 answers", show(reply.body));
    const auto page = json_.run(
        {"SELECT count(*) FILTER (WHERE value->>'status' = 'recorded'), count(*) FILTER (WHERE "
         "value->>'status' = 'failed'), ?1->>'cursor' FROM json_each(?1, '$.facts')",
         {Value::text(reply.body)}});
    recorded += static_cast<std::size_t>(page->rows.at(0, 0).integer);
    failed += static_cast<std::size_t>(page->rows.at(0, 1).integer);
    const std::string_view next = page->rows.at(0, 2).bytes;
    cursor = next.empty() ? "" : "&cursor=" + std::string(next);
  } while (!cursor.empty());
  const auto attempts = world_.d1().run({"SELECT count(*) FROM failed_facts", {}});
  if (recorded != auditor_.facts() ||
      failed != static_cast<std::size_t>(attempts->rows.at(0, 0).integer)) {
    fail("the pages show everything once",
         std::to_string(recorded) + " of " + std::to_string(auditor_.facts()));
  }
}

}  // namespace z0::laws
