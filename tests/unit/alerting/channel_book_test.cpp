#include "z0/alerting/channel_book.hpp"

#include <string>

#include "unit/catch.hpp"
#include "z0/notify/limits.hpp"

TEST_CASE("Channels that there is no room for are named", "[alerting]") {
  const auto settings = [](std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) list += ',';
      list += R"({"type": "slack", "secret": "S", "name": "c)" + std::to_string(i) + "\"}";
    }
    return R"({"channels": [)" + list + "]}";
  };
  z0::ChannelBook book;
  book.set("cfg_pages", settings(2));
  CHECK(book.left_out().empty());
  book.set("cfg_more", settings(z0::limits::channels_max));
  CHECK(book.listeners().size() == z0::limits::channels_max);
  REQUIRE(book.left_out().size() == 2);
  CHECK(book.left_out()[1].key == "cfg_pages/c1");
  CHECK(book.left_out()[1].type == z0::ChannelType::slack);
  CHECK(book.find("cfg_pages/c1") == nullptr);
  book.set("cfg_more", settings(3));
  CHECK(book.left_out().empty());
  CHECK(book.find("cfg_pages/c1") != nullptr);
}
