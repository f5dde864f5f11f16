#include "z0/alerting/channel_book.hpp"

#include <algorithm>
#include <utility>

#include "z0/notify/limits.hpp"

namespace z0 {

void ChannelBook::set(std::string_view config_id, std::string_view settings) {
  std::erase_if(sources_, [&](const Source& one) { return one.config_id == config_id; });
  sources_.push_back({std::string(config_id), std::string(settings)});
  std::sort(sources_.begin(), sources_.end(),
            [](const Source& a, const Source& b) { return a.config_id < b.config_id; });
  read();
}

void ChannelBook::set_links(const LinkSettings& links) {
  if (links == links_) return;
  links_ = links;
  read();
}

void ChannelBook::read() {
  listeners_.clear();
  left_out_.clear();
  for (const Source& source : sources_) {
    ChannelSettings settings;
    RuleError error;
    if (!read_channel_settings(source.settings, settings, error)) continue;
    for (Channel& channel : settings.channels) {
      std::string key = source.config_id + '/' + channel.name;
      if (listeners_.size() >= limits::channels_max) {
        left_out_.push_back({std::move(key), channel.type});
        continue;
      }
      Listener& listener = listeners_.emplace_back();
      listener.key = std::move(key);
      listener.channel = std::move(channel);
      listener.policy = settings.policy;
      listener.links = {links_.dashboard, links_.facts, links_.trace, links_.runbook};
    }
  }
}

const Listener* ChannelBook::find(std::string_view key) const {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                  [&](const Listener& one) { return one.key == key; });
  return found == listeners_.end() ? nullptr : &*found;
}

std::string_view ChannelBook::settings_of(std::string_view config_id) const {
  for (const Source& source : sources_)
    if (source.config_id == config_id) return source.settings;
  return {};
}

}  // namespace z0
