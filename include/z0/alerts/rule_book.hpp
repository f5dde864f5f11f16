// The rules in effect: what ships, what the platform's config says, what tenants' configs say.
//
// The platform's config adds rules, or says one that ships in another way, by its name. A tenant's rules
// see its own series alone and stand beside the platform's, so they can only add alerts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "z0/alerts/rule.hpp"
#include "z0/base/sha256.hpp"

namespace z0 {

class RuleBook {
 public:
  struct Source {
    std::string config_id;
    std::string tenant_id;  // empty: the platform's
    std::string settings;
    friend bool operator==(const Source&, const Source&) = default;
  };

  RuleBook();  // what ships
  // In the order of config_id: of rules of one name the last counts. What cannot be read is left out: another version of z0 may know more signals.
  explicit RuleBook(std::vector<Source> sources);
  // The platform's, and no others: for rules that are tried. It has no hash.
  static RuleBook of(std::vector<Rule> rules);

  // Of the platform, about each tenant; and about all of them together.
  const std::vector<Rule>& per_tenant() const { return per_tenant_; }
  const std::vector<Rule>& of_all() const { return of_all_; }
  struct OfTenant {
    std::string tenant_id;
    std::vector<Rule> rules;
  };
  const std::vector<OfTenant>& tenants() const { return tenants_; }

  const std::vector<Source>& sources() const { return sources_; }
  // Books of one hash say the same.
  std::string_view hash() const { return bytes_of(hash_); }

 private:
  void put(std::vector<Rule> platform);

  std::vector<Source> sources_;
  std::vector<Rule> per_tenant_;
  std::vector<Rule> of_all_;
  std::vector<OfTenant> tenants_;
  Digest hash_{};
};

}  // namespace z0
