#include <algorithm>

#include "z0/json/json.hpp"
#include "z0/json/write.hpp"
#include "z0/traces/tail.hpp"

namespace z0 {
namespace {

constexpr std::string_view redacted = "[redacted]";
// Shorter runs of digits are counts, ports, years.
constexpr std::size_t digits_min = 9;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_of_address(char c) {
  return is_digit(c) || is_letter(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%';
}

// Whether a name, in small letters, is of a pattern in which * stands for anything.
bool is_of_pattern(std::string_view name, std::string_view pattern) {
  std::size_t at = 0, in_pattern = 0, star = std::string_view::npos, after_star = 0;
  while (at < name.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      after_star = at;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == name[at]) {
      ++in_pattern;
      ++at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

// Where an address around the @ at `at` begins and ends; empty when it is none.
std::string_view address_at(std::string_view text, std::size_t at) {
  std::size_t begin = at, end = at + 1;
  while (begin > 0 && is_of_address(text[begin - 1])) --begin;
  while (end < text.size() && is_of_address(text[end])) ++end;
  const std::string_view host = text.substr(at + 1, end - at - 1);
  if (begin == at || host.find('.') == std::string_view::npos) return {};
  return text.substr(begin, end - begin);
}

// The run that begins at a digit: digits with single blanks, dashes or dots between them, as phone and
// card numbers have.
std::size_t number_end(std::string_view text, std::size_t begin, std::size_t& digits) {
  std::size_t end = begin;
  digits = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      ++digits;
      end = i + 1;
    } else if ((text[i] != ' ' && text[i] != '-' && text[i] != '.') || i != end) {
      break;
    }
  }
  return end;
}

std::string without_emails(std::string_view text) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    const std::string_view address = address_at(text, at);
    if (address.empty()) continue;
    const auto begin = static_cast<std::size_t>(address.data() - text.data());
    if (begin < from) continue;
    out.append(text.substr(from, begin - from)).append(redacted);
    from = begin + address.size();
  }
  return out.append(text.substr(from));
}

std::string without_numbers(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    // A number that is part of a word is an id.
    const bool begins = is_digit(text[i]) && (i == 0 || !is_of_address(text[i - 1]));
    std::size_t digits = 0;
    const std::size_t end = begins ? number_end(text, i, digits) : i + 1;
    const bool whole = end >= text.size() || !(is_letter(text[end]) || text[end] == '_');
    if (begins && whole && digits >= digits_min)
      out.append(redacted);
    else
      out.append(text.substr(i, end - i));
    i = end;
  }
  return out;
}

void redact_text(std::string& text, const Redaction& redaction) {
  if (redaction.emails && text.find('@') != std::string::npos) text = without_emails(text);
  if (redaction.numbers) text = without_numbers(text);
}

// Of an attribute: a JSON text, or a list of which each may be one.
void redact_value(std::string& value, const Redaction& redaction) {
  if (value.find('"') == std::string::npos) return;
  JsonReader in(value, 4);
  std::string scratch;
  std::string_view text;
  if (in.peek() == JsonKind::string && in.string(text, scratch)) {
    std::string plain(text);
    redact_text(plain, redaction);
    value.clear();
    append_json_string(value, plain);
  } else {
    redact_text(value, redaction);
  }
}

std::string small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

void redact(Span& span, const Redaction& redaction) {
  redact_text(span.name, redaction);
  redact_text(span.message, redaction);
  for (Attribute& attribute : span.attributes) {
    const std::string name = small_letters(attribute.key);
    const bool named =
        std::any_of(redaction.attributes.begin(), redaction.attributes.end(),
                    [&](const std::string& pattern) { return is_of_pattern(name, pattern); });
    if (!named) {
      redact_value(attribute.value, redaction);
      continue;
    }
    attribute.value.clear();
    append_json_string(attribute.value, redacted);
  }
}

}  // namespace z0
