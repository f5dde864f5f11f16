// Channels from the settings of a config. The first fault ends the reading, and is said with its place.
// What stood where a secret's name belongs is in no fault: it may be the secret.
#include <algorithm>

#include "alerts/checked_json.hpp"
#include "z0/notify/channel.hpp"
#include "z0/notify/limits.hpp"
#include "z0/notify/policy.hpp"

namespace z0 {
namespace {

// settings, channels, channel, business_hours, days, and a level to fail in.
constexpr std::size_t channels_depth_max = 6;

constexpr std::string_view type_names[] = {"pagerduty", "slack", "alertmanager", "webhook"};
static_assert(std::size(type_names) == static_cast<std::size_t>(ChannelType::count_));

enum class Day : std::uint8_t { mon, tue, wed, thu, fri, sat, sun, count_ };
constexpr std::string_view day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::uint8_t working_days = 0x1f;

template <class Allowed>
bool made_of(std::string_view text, std::size_t bytes_max, const Allowed& allowed) {
  return !text.empty() && text.size() <= bytes_max &&
         std::all_of(text.begin(), text.end(), allowed);
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// As variables are named in capitals: no key looks like that, so one that was pasted is refused. What
// begins with Z0_ is z0's own, as what signs tokens: no receiver is to get that.
bool is_secret_name(std::string_view name) {
  return made_of(name, limits::id_bytes_max,
                 [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; }) &&
         !is_digit(name[0]) && !name.starts_with("Z0_");
}

bool is_channel_name(std::string_view name) {
  return made_of(name, limits::id_bytes_max,
                 [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; });
}

bool is_zone_name(std::string_view name) {
  return made_of(name, limits::id_bytes_max, [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("_+-/").find(c) != std::string_view::npos;
  });
}

// A host, in brackets where it is an address of IPv6, and a port that there is.
bool is_authority(std::string_view text) {
  const std::size_t bracket = text.find(']');
  const bool in_brackets = text.starts_with('[');
  if (in_brackets != (bracket != std::string_view::npos)) return false;
  const std::size_t colon = text.find(':', in_brackets ? bracket : 0);
  const std::size_t host_end = std::min(colon, text.size());
  if (host_end == 0 || (in_brackets && host_end != bracket + 1)) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view port = text.substr(colon + 1);
  if (!made_of(port, 5, is_digit)) return false;
  std::int32_t number = 0;
  for (const char c : port) number = number * 10 + (c - '0');
  return number > 0 && number <= 65'535;
}

// "09:30", "24:00": minutes after midnight.
bool read_time_of_day(std::string_view text, std::int32_t& minutes) {
  if (text.size() != 5 || text[2] != ':') return false;
  for (const std::size_t i : {0U, 1U, 3U, 4U}) {
    if (!is_digit(text[i])) return false;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  minutes = hour * 60 + minute;
  return minute < 60 && minutes <= 24 * 60;
}

class ChannelsReader : private CheckedJson {
 public:
  ChannelsReader(std::string_view settings, ChannelSettings& out, RuleError& error)
      : CheckedJson(settings, channels_depth_max, error), out_(out.channels), policy_(out.policy) {}

  bool read() {
    std::string_view key;
    bool any = false;
    if (!object()) return fail("an object with a list of channels");
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, shorten(name, limits::id_bytes_max));
      if (name != "channels" && name != "policy")
        return fail("a member of alert_channels, and this is none");
      if (!(name == "policy" ? read_policy() : read_list())) return false;
      any = any || name == "channels";
    }
    if (in_.error() != JsonError::none || !in_.at_end()) return fail("JSON in order");
    return any || fail_at("channels", "a list of channels");
  }

 private:
  bool read_list() {
    if (!list()) return fail("a list of channels");
    while (in_.next_element()) {
      const Within one(*this, '[' + std::to_string(out_.size()) + ']');
      if (out_.size() >= limits::channels_max)
        return fail("no more than " + std::to_string(limits::channels_max) + " channels");
      Channel channel;
      if (!read_channel(channel)) return false;
      out_.push_back(std::move(channel));
    }
    return true;
  }

  bool read_policy() {
    constexpr std::int64_t second = 1'000;
    constexpr std::int64_t day = 86'400'000;
    if (!object()) return fail("an object with times");
    std::string_view key;
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, shorten(name, limits::id_bytes_max));
      bool good = false;
      if (name == "group_wait")
        good = duration(policy_.group_wait_ms, 0, 600 * second);
      else if (name == "group_interval")
        good = duration(policy_.group_interval_ms, second, day);
      else if (name == "repeat")
        good = duration(policy_.repeat_ms, 60 * second, 7 * day);
      else if (name == "escalate_after")
        good = duration(policy_.escalate_ms, 0, day);
      else if (name == "escalate_to")
        good = read_escalation();
      else if (name == "flap_changes")
        good = read_flap_changes();
      else if (name == "flap_window")
        good = duration(policy_.flap_window_ms, 60 * second, limits::flap_window_ms_max);
      else
        good = fail("a member of policy, and this is none");
      if (!good) return false;
    }
    return in_.error() == JsonError::none || fail("JSON in order");
  }

  bool read_escalation() {
    policy_.escalate_to.clear();
    if (!list()) return fail("a list of " + rule_names::any_of(rule_names::audiences));
    while (in_.next_element()) {
      Audience one{};
      if (!word(rule_names::audiences, one)) return false;
      if (policy_.escalate_to.size() >= static_cast<std::size_t>(limits::escalations_max))
        return fail("at most " + std::to_string(limits::escalations_max));
      policy_.escalate_to.push_back(one);
    }
    return true;
  }

  bool read_flap_changes() {
    const std::string what =
        "a number of changes from 2 to " + std::to_string(limits::flap_changes_max);
    double changes = 0;
    if (!number(changes, 2, static_cast<double>(limits::flap_changes_max), what)) return false;
    policy_.flap_changes = static_cast<std::int64_t>(changes);
    return static_cast<double>(policy_.flap_changes) == changes || fail(what);
  }

  // A list of words as a set of bits.
  template <class Enum, std::size_t N>
  bool words(const std::string_view (&names)[N], std::uint8_t& bits) {
    bits = 0;
    if (!list()) return fail("a list of " + rule_names::any_of(names));
    while (in_.next_element()) {
      Enum one{};
      if (!word(names, one)) return false;
      bits = static_cast<std::uint8_t>(bits | 1U << static_cast<unsigned>(one));
    }
    return bits != 0 || fail("one at least of " + rule_names::any_of(names));
  }

  bool read_secret_name(std::string& name) {
    constexpr std::string_view what =
        "the name of a secret of the Worker, in capitals, and not the secret itself";
    return text(name, what) && (is_secret_name(name) || fail(std::string(what)));
  }

  bool read_minutes(std::int32_t& minutes) {
    constexpr std::string_view what = "a time of day such as 09:30";
    std::string value;
    return text(value, what) && (read_time_of_day(value, minutes) || fail(std::string(what)));
  }

  bool read_hours(BusinessHours& hours) {
    std::string_view key;
    hours = BusinessHours{{}, -1, -1, working_days};
    if (!object()) return fail("an object with time_zone, from and to");
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, name);
      constexpr std::string_view zone = "a time zone such as Europe/Berlin";
      bool good = false;
      if (name == "time_zone")
        good = text(hours.time_zone, zone) &&
               (is_zone_name(hours.time_zone) || fail(std::string(zone)));
      else if (name == "from")
        good = read_minutes(hours.from_min);
      else if (name == "to")
        good = read_minutes(hours.to_min);
      else if (name == "days")
        good = words<Day>(day_names, hours.days);
      else
        good = fail("a member of business_hours, and this is none");
      if (!good) return false;
    }
    if (hours.time_zone.empty()) return fail_at("time_zone", "a time zone such as Europe/Berlin");
    if (hours.from_min < 0) return fail_at("from", "a time of day such as 09:30");
    if (hours.to_min < 0) return fail_at("to", "a time of day such as 17:00");
    return hours.to_min > hours.from_min || fail_at("to", "later than from, on the same day");
  }

  bool read_member(std::string_view name, Channel& channel) {
    if (name == "name")
      return text(channel.name, "a name") &&
             (is_channel_name(channel.name) || fail("letters, digits, _ and -"));
    if (name == "type") return has_type_ = word(type_names, channel.type);
    if (name == "url") return text(channel.url, "an address");
    if (name == "secret") return read_secret_name(channel.secret);
    if (name == "routing_key" || name == "signing_key" || name == "webhook_url")
      return fail(
          "a member of a channel, and this is none: name a secret of the Worker with `secret`");
    if (name == "audience") return words<Audience>(rule_names::audiences, channel.audience);
    if (name == "severities") return words<Severity>(rule_names::severities, channel.severities);
    if (name == "business_hours") return read_hours(channel.business_hours.emplace());
    return fail("a member of a channel, and this is none");
  }

  bool read_channel(Channel& channel) {
    std::string_view key;
    has_type_ = false;
    if (!object()) return fail("a channel: an object");
    while (in_.next_member(key)) {
      const std::string name(key);
      const Within within(*this, shorten(name, limits::id_bytes_max));
      if (!read_member(name, channel)) return false;
    }
    return in_.error() == JsonError::none ? complete(channel) : fail("JSON in order");
  }

  // What the type needs.
  bool complete(const Channel& channel) {
    if (channel.name.empty()) return fail_at("name", "a value: every channel has one");
    const bool taken = std::any_of(
        out_.begin(), out_.end(), [&](const Channel& other) { return other.name == channel.name; });
    if (taken) return fail_at("name", "a name of its own");
    if (!has_type_) return fail_at("type", rule_names::any_of(type_names));
    if (channel.secret.empty() && channel.type != ChannelType::alertmanager)
      return fail_at("secret", "the name of a secret of the Worker");
    const bool has_url = !channel.url.empty();
    if (channel.type == ChannelType::slack)
      return !has_url || fail_at("url", "none: what its secret holds is the address");
    if (!has_url && channel.type == ChannelType::pagerduty) return true;
    return receiver_url(channel.type, channel.url) ||
           fail_at("url", channel.type == ChannelType::alertmanager
                              ? "an address with http or https, without a password or a query"
                              : "an address with https, without a password");
  }

  std::vector<Channel>& out_;
  TellingPolicy& policy_;
  bool has_type_ = false;
};

}  // namespace

std::string_view channel_type_name(ChannelType type) {
  return type_names[static_cast<std::size_t>(type)];
}

bool wants(const Channel& channel, Severity severity, std::uint8_t audience) {
  return (channel.audience & audience) != 0 &&
         (channel.severities >> static_cast<unsigned>(severity) & 1) != 0;
}

bool receiver_url(ChannelType type, std::string_view url) {
  const bool plain = url.starts_with("http://");
  if (!plain && !url.starts_with("https://")) return false;
  const std::string_view rest = url.substr(url.find("//") + 2);
  // Blanks, and what no address holds or not everybody reads alike.
  if (!std::all_of(rest.begin(), rest.end(),
                   [](char c) { return c > ' ' && c <= '~' && c != '\\'; }))
    return false;
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos || !is_authority(authority)) return false;
  // Its path goes behind the address.
  if (type == ChannelType::alertmanager && rest.find_first_of("?#") != std::string_view::npos)
    return false;
  if (!plain || type == ChannelType::alertmanager) return true;
  for (const std::string_view here : {"localhost", "127.0.0.1", "[::1]"}) {
    if (authority == here) return true;
    if (authority.starts_with(here) && authority[here.size()] == ':') return true;
  }
  return false;
}

bool read_channel_settings(std::string_view settings, ChannelSettings& out, RuleError& error) {
  error = RuleError{};
  out = ChannelSettings{};
  const bool good = ChannelsReader(settings, out, error).read();
  if (!good) out = ChannelSettings{};
  return good;
}

bool read_channels(std::string_view settings, std::vector<Channel>& out, RuleError& error) {
  ChannelSettings all;
  const bool good = read_channel_settings(settings, all, error);
  out = std::move(all.channels);
  return good;
}

}  // namespace z0
