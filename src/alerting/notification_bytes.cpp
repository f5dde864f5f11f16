#include "alerting/notification_bytes.hpp"

#include "z0/base/fields.hpp"

namespace z0 {
namespace {

// More than any row holds: a length that is a lie asks for little memory.
constexpr std::int64_t items_max = 10'000;

// One list of fields for both directions. `Items` is a list, const where it is written.
template <class Fields, class Items, class Each>
void each_item(Fields& f, Items& items, const Each& each) {
  auto count = static_cast<std::int64_t>(items.size());
  f.number(count);
  if constexpr (!std::is_const_v<Items>) {
    // What is left unread is found at the end.
    items.resize(static_cast<std::size_t>(count >= 0 && count <= items_max ? count : 0));
  }
  for (auto& item : items) each(item);
}

template <class Fields, class Money>
void money_fields(Fields& f, Money& money) {
  f.text(money.currency);
  f.signed_number(money.lost);
  f.signed_number(money.at_risk_per_hour);
  f.text(money.reckoning);
}

template <class Fields, class Alert>
void alert_fields(Fields& f, Alert& alert) {
  f.text(alert.rule);
  f.code(alert.severity);
  f.byte(alert.level);
  f.byte(alert.audience);
  for (auto* text : {&alert.summary, &alert.tenant_id, &alert.value, &alert.threshold})
    f.text(*text);
  each_item(f, alert.labels, [&f](auto& label) {
    f.text(label.first);
    f.text(label.second);
  });
  for (auto* ms : {&alert.window_ms, &alert.started_ms, &alert.ended_ms, &alert.expires_ms})
    f.signed_number(*ms);
  for (auto* text : {&alert.owner, &alert.runbook, &alert.trace_id}) f.text(*text);
  bool has_money = alert.money.has_value();
  f.flag(has_money);
  if constexpr (!std::is_const_v<Alert>) {
    if (has_money) alert.money.emplace();
  }
  if (has_money) money_fields(f, *alert.money);
}

template <class Fields, class Told>
void notification_fields(Fields& f, Told& told) {
  f.text(told.id);
  f.text(told.dedup_key);
  f.code(told.status);
  f.signed_number(told.at_ms);
  f.text(told.by);
  f.text(told.reason);
  each_item(f, told.alerts, [&f](auto& alert) { alert_fields(f, alert); });
  f.number(told.left_out);
  auto& links = told.links;
  for (auto* text : {&links.dashboard, &links.facts, &links.trace, &links.runbook}) f.text(*text);
}

}  // namespace

std::string encode_notification(const Notification& notification) {
  std::string bytes;
  FieldWriter writer(bytes);
  notification_fields(writer, notification);
  return bytes;
}

bool decode_notification(std::string_view bytes, Notification& out) {
  out = Notification{};
  FieldReader reader(bytes);
  notification_fields(reader, out);
  return reader.done();
}

}  // namespace z0
