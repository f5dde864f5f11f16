// A notification as the bytes of a row, until it is sent.
#pragma once

#include <string>
#include <string_view>

#include "z0/notify/notification.hpp"

namespace z0 {

std::string encode_notification(const Notification& notification);
// False for bytes that encode_notification did not write.
[[nodiscard]] bool decode_notification(std::string_view bytes, Notification& out);

}  // namespace z0
