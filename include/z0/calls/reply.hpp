// The reply to a call between objects: a Status, and behind `ok` the value that was asked for.
#pragma once

#include <string>
#include <string_view>

#include "z0/base/fields.hpp"
#include "z0/base/status.hpp"

namespace z0 {

template <class T>
std::string encode_reply(const T& value) {
  std::string bytes(1, static_cast<char>(Status::ok));
  encode(value, bytes);
  return bytes;
}

// `ok` and the value, or why there is none. An object of another version may answer what nobody
// here can read, while a deployment is under way: that is a failure which goes away.
template <class T>
[[nodiscard]] Status decode_reply(std::string_view bytes, T& value) {
  FieldReader in(bytes);
  Status status = Status::storage_error;
  in.code(status);
  if (!in.ok()) return Status::storage_error;
  if (status == Status::ok)
    in.part(value);
  else if (accepted(status))
    return Status::storage_error;
  return in.done() ? status : Status::storage_error;
}

}  // namespace z0
