#include "sending/traffic.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace z0::cli {
namespace {

using Json = nlohmann::ordered_json;

// A call makes 2 facts, in three of four cases an outcome, and half of the calls are sold: 2 more.
constexpr double facts_per_call = 3.8;

// A whole day passes in ten minutes, so that its shape can be seen.
constexpr double shown_day_ms = 600'000;

constexpr double duplicate_share = 0.02;
constexpr double conflict_share = 0.01;  // of the charges
constexpr double mistake_share = 0.015;  // of the calls

constexpr double outcome_share = 0.75;
constexpr double sold_share = 0.66;  // of the outcomes

struct Firm {
  const char* name;
  const char* tool;
  int buyers;
  int publishers;
  int assets;
  std::int64_t price_cents;
};

// Busiest first.
constexpr Firm firms[] = {
    {"aurora", "tool_twilio_voice", 3, 2, 4, 5'200},
    {"bluebird", "tool_openai_gpt", 2, 2, 3, 3'900},
    {"cascade", "tool_twilio_voice", 2, 1, 3, 6'100},
    {"driftwood", "tool_deepgram", 2, 1, 2, 2'800},
    {"ember", "tool_openai_gpt", 1, 2, 2, 4'400},
    {"fjord", "tool_twilio_sms", 2, 1, 2, 900},
    {"gazelle", "tool_deepgram", 1, 1, 2, 7'500},
    {"hollyhock", "tool_twilio_sms", 1, 1, 1, 650},
};

constexpr const char* failures[] = {"qualification_fail", "routing_no_buyer", "timeout"};

// How busy the moment is, 1 on average: quiet nights, a peak after noon, a smaller one at night.
double shape(double day) {
  constexpr double turn = 6.283185307179586;
  return 1 - 0.55 * std::cos(turn * day) - 0.2 * std::sin(2 * turn * day);
}

}  // namespace

Traffic::Traffic(std::uint64_t seed, std::int64_t start_ms, double facts_per_second)
    : random_(seed),
      start_ms_(start_ms),
      calls_per_second_(facts_per_second / facts_per_call),
      next_call_ms_(start_ms + 1) {
  char run[20];
  std::snprintf(run, sizeof run, "%012llx", static_cast<unsigned long long>(seed));
  run_ = run;
  for (const Firm& firm : firms) {
    const std::string name = firm.name;
    Tenant tenant;
    tenant.id = "tenant_" + name;
    tenant.account = "acct_" + name;
    tenant.tool = firm.tool;
    tenant.price_cents = firm.price_cents;
    for (int i = 0; i < firm.buyers; ++i) {
      tenant.buyers.push_back({tenant.account + "_buyer" + std::to_string(i)});
    }
    for (int i = 0; i < firm.publishers; ++i) {
      tenant.publishers.push_back(tenant.account + "_pub" + std::to_string(i));
    }
    for (int i = 0; i < firm.assets; ++i) {
      tenant.assets.push_back("ast_" + name + "_1555020" + std::to_string(1000 + i));
    }
    tenants_.push_back(std::move(tenant));
  }
  open(start_ms);
}

std::vector<std::string> Traffic::until(std::int64_t now_ms) {
  while (next_call_ms_ <= now_ms) {
    call(next_call_ms_);
    next_call_ms_ += pause_ms(next_call_ms_);
  }
  std::vector<std::string> lines;
  const auto end = due_.upper_bound(now_ms);
  for (auto at = due_.begin(); at != end; ++at) lines.push_back(std::move(at->second));
  due_.erase(due_.begin(), end);
  return lines;
}

void Traffic::open(std::int64_t at_ms) {
  for (Tenant& tenant : tenants_) {
    for (Buyer& buyer : tenant.buyers) deposit(at_ms, tenant, buyer);
  }
}

void Traffic::call(std::int64_t at_ms) {
  Tenant& tenant = one_of(tenants_, 1.6);
  const Call made{&tenant, one_of(tenant.assets, 1.4), hex(32), fact_id(), between(5, 420)};
  emit(at_ms, Json{{"id", made.invocation_id},
                   {"type", "invocation"},
                   {"subtype", "inbound_call"},
                   {"timestamp", at_ms},
                   {"tenant_id", tenant.id},
                   {"entity_id", made.asset},
                   {"asset_id", made.asset},
                   {"tool_id", tenant.tool},
                   {"trace_id", made.trace_id},
                   {"data", {{"duration_seconds", made.seconds}}}});
  const std::int64_t cost_ms = at_ms + between(20, 80);
  emit(cost_ms, Json{{"id", fact_id()},
                     {"type", "cost"},
                     {"timestamp", cost_ms},
                     {"tenant_id", tenant.id},
                     {"entity_id", tenant.account},
                     {"source_id", made.invocation_id},
                     {"tool_id", tenant.tool},
                     {"amount", made.seconds / 20},
                     {"currency", "USD"},
                     {"data", {{"unit", "second"}, {"quantity", made.seconds}}}});
  if (chance() < outcome_share) outcome(cost_ms + between(400, 4'000), made);
  if (chance() < mistake_share) mistake(cost_ms, tenant);
}

void Traffic::outcome(std::int64_t at_ms, const Call& of) {
  const std::string id = fact_id();
  const bool sold = chance() < sold_share;
  Json fact{{"id", id},
            {"type", "outcome"},
            {"subtype", sold ? "call_qualified" : failures[between(0, 2)]},
            {"timestamp", at_ms},
            {"tenant_id", of.tenant->id},
            {"entity_id", of.asset},
            {"asset_id", of.asset},
            {"source_id", of.invocation_id}};
  const auto score = static_cast<double>(between(sold ? 400 : 20, sold ? 990 : 390)) / 1000;
  fact["data"] = {{"score", score}};
  if (!sold) {
    fact["trace_id"] = of.trace_id;
    fact["data"]["error"] = {{"code", fact["subtype"]}};
  }
  emit(at_ms, fact);
  if (sold) sale(at_ms + between(10, 60), of, id);
}

void Traffic::sale(std::int64_t at_ms, const Call& of, const std::string& outcome_id) {
  Tenant& tenant = *of.tenant;
  Buyer& buyer = one_of(tenant.buyers, 1.2);
  const std::int64_t price = tenant.price_cents * between(60, 140) / 100;
  Json charge{{"id", fact_id()},         {"type", "charge"},
              {"timestamp", at_ms},      {"tenant_id", tenant.id},
              {"entity_id", buyer.id},   {"asset_id", of.asset},
              {"source_id", outcome_id}, {"amount", price},
              {"currency", "USD"},       {"data", {{"pricing", "per_call"}}}};
  emit(at_ms, charge);
  if (chance() < conflict_share) {
    charge["amount"] = price + 100;
    due_.emplace(at_ms + between(500, 3'000), charge.dump());
  }
  emit(at_ms + 1, Json{{"id", fact_id()},
                       {"type", "payout"},
                       {"timestamp", at_ms + 1},
                       {"tenant_id", tenant.id},
                       {"entity_id", one_of(tenant.publishers, 1.2)},
                       {"source_id", outcome_id},
                       {"amount", price * 6 / 10},
                       {"currency", "USD"},
                       {"data", {{"share", 0.6}}}});
  buyer.balance_cents -= price;
  if (buyer.balance_cents < 10 * tenant.price_cents) deposit(at_ms + 5, tenant, buyer);
}

void Traffic::deposit(std::int64_t at_ms, const Tenant& tenant, Buyer& buyer) {
  const std::int64_t amount = tenant.price_cents * between(80, 160);
  buyer.balance_cents += amount;
  emit(at_ms, Json{{"id", fact_id()},
                   {"type", "deposit"},
                   {"timestamp", at_ms},
                   {"tenant_id", tenant.id},
                   {"entity_id", buyer.id},
                   {"amount", amount},
                   {"currency", "USD"},
                   {"data", {{"method", chance() < 0.7 ? "card" : "wire"}}}});
}

// What a client that is new to z0 gets wrong.
void Traffic::mistake(std::int64_t at_ms, const Tenant& tenant) {
  Json fact{{"id", fact_id()},
            {"type", "charge"},
            {"timestamp", at_ms},
            {"tenant_id", tenant.id},
            {"entity_id", tenant.account},
            {"source_id", "fact_unknown"},
            {"amount", 100}};
  switch (between(0, 3)) {
    case 0:
      fact["amount"] = -100;
      break;
    case 1:
      fact["amount"] = 12.5;
      break;
    case 2:
      fact["entity_id"] = "wallet_7";
      break;
    default:
      fact["type"] = "invocation";  // no tool, no trace, and money where none belongs
      break;
  }
  due_.emplace(at_ms, fact.dump());
}

void Traffic::emit(std::int64_t at_ms, const Json& fact) {
  std::string line = fact.dump();
  if (chance() < duplicate_share) due_.emplace(at_ms + between(200, 5'000), line);
  due_.emplace(at_ms, std::move(line));
}

std::string Traffic::fact_id() {
  char id[40];
  std::snprintf(id, sizeof id, "fact_%s%06llx", run_.c_str(),
                static_cast<unsigned long long>(++facts_));
  return id;
}

std::string Traffic::hex(std::size_t digits) {
  std::string out;
  while (out.size() < digits) out += "0123456789abcdef"[random_() >> 60];
  return out;
}

// The library's distributions differ from one standard library to the next; these do not.
double Traffic::chance() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }

std::int64_t Traffic::between(std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(chance() * static_cast<double>(most - least + 1));
}

// The larger `lean`, the more often one of the first.
template <class T>
T& Traffic::one_of(std::vector<T>& list, double lean) {
  const double share = std::pow(chance(), lean);
  return list[std::min(static_cast<std::size_t>(share * static_cast<double>(list.size())),
                       list.size() - 1)];
}

// Calls come independently of one another, so the pauses between them are exponential.
std::int64_t Traffic::pause_ms(std::int64_t at_ms) {
  const double day = std::fmod(static_cast<double>(at_ms - start_ms_) / shown_day_ms + 0.3, 1.0);
  const double per_ms = calls_per_second_ * shape(day) / 1000;
  return std::max<std::int64_t>(1, std::llround(-std::log(1 - chance()) / per_ms));
}

}  // namespace z0::cli
