// How an object answers a call: calls/reply.hpp has the bytes.
#pragma once

#include <string>

#include "z0/calls/reply.hpp"
#include "z0/wire/effects.hpp"

namespace z0 {

// A status alone: why there is no value, or that there is none to give.
inline void reply_status(Effects& effects, Status status) {
  effects.reply(info(status).http, {}, std::string(1, static_cast<char>(status)));
}

// What was asked for.
template <class T>
void reply_value(Effects& effects, const T& value) {
  effects.reply(info(Status::ok).http, {}, encode_reply(value));
}

}  // namespace z0
