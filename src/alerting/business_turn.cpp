// The alarm's turn in which facts are looked at: the lookout is asked, and what it found is judged.
#include "alerting/business_limits.hpp"
#include "alerting/turn.hpp"
#include "z0/calls/alerts.hpp"
#include "z0/calls/look.hpp"
#include "z0/calls/reply.hpp"

namespace z0 {
namespace {

constexpr std::string_view looking = "looking";

}  // namespace

bool resumes_look(std::string_view continuation) { return continuation == looking; }

bool begin_looking(Alerting& alerting, const Frame& frame, Effects& effects) {
  const std::int64_t due_ms = alerting.desk.next_look_ms(frame.now_ms);
  if (due_ms == 0 || due_ms > frame.now_ms) return false;
  const LookRequest request = alerting.desk.begin_look(frame.now_ms);
  effects.need_call(AlertsMethod::look, lookout_object, business_limits::look_timeout_ms,
                    encode(request));
  effects.resume(looking);
  return true;
}

bool end_looking(Alerting& alerting, const Frame& frame, Effects& effects) {
  // Its state left memory meanwhile: it looks again.
  if (!alerting.loaded || frame.answers.empty()) {
    effects.alarm(frame.now_ms + business_limits::look_every_ms);
    return false;
  }
  const CallAnswer answer = parse_call(frame.answers.front());
  LookRequest asked;
  LookReply found;
  const bool good = decode(answer.request, asked) && answer.outcome == Z0_OK &&
                    decode_reply(answer.reply, found) == Status::ok;
  if (good)
    alerting.desk.take_look(asked, found, frame.now_ms);
  else
    alerting.desk.miss_look(frame.now_ms);
  return true;
}

}  // namespace z0
