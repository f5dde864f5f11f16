#include "z0/json/write.hpp"

#include "json/scan.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/trap.hpp"

namespace z0 {

void append_json_string(std::string& out, std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  out.push_back('"');
  for (const char* p = begin;;) {
    const char* const special =
        json_scan::skip_plain<json_scan::Stop::over_non_ascii>(p, begin, end);
    out.append(p, static_cast<std::size_t>(special - p));
    if (special == end) break;
    char shortest[6];
    out.append(shortest, json_scan::encode_escape(static_cast<unsigned char>(*special), shortest));
    p = special + 1;
  }
  out.push_back('"');
}

void JsonText::plain(bool comma, std::string_view text, bool colon) {
  const std::size_t at = out_.size();
  out_.resize(at + (comma ? 1 : 0) + text.size() + (colon ? 3 : 2));
  char* p = out_.data() + at;
  JsonRoom(p).plain(comma, text, colon);
}

void JsonText::integer(std::int64_t value) {
  char digits[put::decimal_bytes_max];
  out_.append(digits, static_cast<std::size_t>(put::decimal(digits, value) - digits));
}

void JsonText::hex(std::string_view bytes) { append_hex(out_, bytes); }

std::string_view members_of(std::string_view object) {
  if (object.size() < 2) trap("an object has two brackets");
  return object.substr(1, object.size() - 2);
}

template class BasicJsonWriter<JsonText>;

}  // namespace z0
