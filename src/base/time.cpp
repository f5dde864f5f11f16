#include "z0/base/time.hpp"

#include <algorithm>
#include <cstddef>

namespace z0 {
namespace {

// The characters of a time one after the other; the first that does not fit spoils it.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  // So many digits, which are a number from `low` to `high`.
  int number(std::size_t digits, int low, int high) {
    int value = 0;
    for (; digits > 0; --digits) value = value * 10 + digit();
    good_ = good_ && value >= low && value <= high;
    return value;
  }

  // One of two characters.
  void mark(char one, char other) { good_ = (take(one) || take(other)) && good_; }

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  // Digits behind a point: thousandths, what is finer cut off.
  int thousandths() {
    if (!take('.')) return 0;
    int value = digit() * 100;
    for (int worth = 10; good_ && !text_.empty() && is_digit(text_.front()); worth /= 10)
      value += digit() * worth;
    return value;
  }

  bool good() const { return good_ && text_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  int digit() {
    good_ = good_ && !text_.empty() && is_digit(text_.front());
    if (!good_) return 0;
    const int value = text_.front() - '0';
    text_.remove_prefix(1);
    return value;
  }

  std::string_view text_;
  bool good_ = true;
};

int days_in(int year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : days[month - 1];
}

// Days since 1970. Years are counted from March, so that a leap day is the last day of its year.
std::int64_t day_number(int year, int month, int day) {
  const std::int64_t y = month > 2 ? year : year - 1;
  const std::int64_t months_since_march = (month + 9) % 12;
  constexpr std::int64_t days_from_march_0_to_1970 = 719'468;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * months_since_march + 2) / 5 + day - 1 -
         days_from_march_0_to_1970;
}

}  // namespace

bool parse_rfc3339(std::string_view text, std::int64_t& ms) {
  TimeReader in(text);
  const int year = in.number(4, 1, 9999);
  in.mark('-', '-');
  const int month = in.number(2, 1, 12);
  in.mark('-', '-');
  const int day = in.number(2, 1, 31);
  in.mark('T', 't');
  const int hour = in.number(2, 0, 23);
  in.mark(':', ':');
  const int minute = in.number(2, 0, 59);
  in.mark(':', ':');
  const int second = in.number(2, 0, 60);
  const int thousandths = in.thousandths();
  int ahead_minutes = 0;
  const bool behind = in.take('-');
  if (behind || in.take('+')) {
    ahead_minutes = in.number(2, 0, 23) * 60;
    in.mark(':', ':');
    ahead_minutes += in.number(2, 0, 59);
  } else {
    in.mark('Z', 'z');
  }
  if (!in.good() || day > days_in(year, month)) return false;
  const std::int64_t minutes = (day_number(year, month, day) * 24 + hour) * 60 + minute -
                               (behind ? -ahead_minutes : ahead_minutes);
  ms = (minutes * 60 + second) * 1'000 + thousandths;
  return true;
}

std::string rfc3339_text(std::int64_t ms) {
  constexpr std::int64_t day_ms = 86'400'000;
  ms = std::clamp(ms, day_number(1, 1, 1) * day_ms, day_number(10'000, 1, 1) * day_ms - 1);
  const std::int64_t days = ms >= 0 ? ms / day_ms : -((day_ms - 1 - ms) / day_ms);
  const std::int64_t rest = ms - days * day_ms;
  // A year has 365.2425 days, so the first guess is off by one at most.
  int year = static_cast<int>(1970 + days * 400 / 146'097);
  while (day_number(year + 1, 1, 1) <= days) ++year;
  while (day_number(year, 1, 1) > days) --year;
  int month = 1;
  while (month < 12 && day_number(year, month + 1, 1) <= days) ++month;
  const std::int64_t day = days - day_number(year, month, 1) + 1;

  std::string text;
  const auto digits = [&](std::int64_t value, std::size_t count, char behind) {
    const std::string number = std::to_string(value);
    text.append(count - number.size(), '0').append(number).push_back(behind);
  };
  digits(year, 4, '-');
  digits(month, 2, '-');
  digits(day, 2, 'T');
  digits(rest / 3'600'000, 2, ':');
  digits(rest / 60'000 % 60, 2, ':');
  digits(rest / 1'000 % 60, 2, '.');
  digits(rest % 1'000, 3, 'Z');
  return text;
}

}  // namespace z0
