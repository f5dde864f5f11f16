// Who is told of alerts: the channels of all configs of type `alert_channels` in effect.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "z0/alerting/dispatch.hpp"
#include "z0/wire/settings.hpp"

namespace z0 {

class ChannelBook {
 public:
  // A config's settings as of now. What cannot be read names nobody: another version of z0 may know
  // more kinds of channels.
  void set(std::string_view config_id, std::string_view settings);
  // Links of what is told from now on.
  void set_links(const LinkSettings& links);

  // In the order of configs; at most limits::channels_max.
  const std::vector<Listener>& listeners() const { return listeners_; }
  // Those that there is no room for, which nobody tells anything: each config may name as many as all
  // together may be.
  struct LeftOut {
    std::string key;
    ChannelType type = ChannelType::count_;
  };
  const std::vector<LeftOut>& left_out() const { return left_out_; }
  // Null: there is none any more.
  const Listener* find(std::string_view key) const;
  // Empty where there is no such config.
  std::string_view settings_of(std::string_view config_id) const;

 private:
  struct Source {
    std::string config_id;
    std::string settings;
  };
  void read();

  std::vector<Source> sources_;
  LinkSettings links_;
  std::vector<Listener> listeners_;
  std::vector<LeftOut> left_out_;
};

}  // namespace z0
