// What an object answered to a call, where it answers a value.
#pragma once

#include "http/http.hpp"
#include "z0/base/trap.hpp"
#include "z0/calls/reply.hpp"

namespace z0 {

// `ok` and the value, or why there is none.
template <class T>
[[nodiscard]] Status value_in(const CallAnswer& answer, T& value) {
  return answer.outcome == Z0_OK ? decode_reply(answer.reply, value) : status_of(answer.outcome);
}

// The first answer's value. False when there is none, which was replied.
template <class T>
[[nodiscard]] bool value_or_refuse(const RouteResume& resumed, T& value) {
  const CallAnswer answer = first_call(resumed.frame);
  const Status status = value_in(answer, value);
  if (status != Status::ok) reply_error(resumed.effects, resumed.context, status, {});
  return status == Status::ok;
}

// The same with what was asked, which the first answer brings along.
template <class Request, class T>
[[nodiscard]] bool value_or_refuse(const RouteResume& resumed, Request& request, T& value) {
  if (!decode(first_call(resumed.frame).request, request))
    trap("a call comes back with the request that was sent");
  return value_or_refuse(resumed, value);
}

}  // namespace z0
