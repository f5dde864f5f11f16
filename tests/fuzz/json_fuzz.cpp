// Every text keeps the laws of json_law.hpp.

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "json_law.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string law = z0::json_law::broken(text);
  if (!law.empty()) {
    std::fprintf(stderr, "broken law: %s\n", law.c_str());
    __builtin_trap();
  }
  return 0;
}
