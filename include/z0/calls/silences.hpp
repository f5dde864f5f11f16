// What the object of alerts is asked about silences.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "z0/base/fields.hpp"

namespace z0 {

struct SilenceView {
  std::string_view id;        // empty in a request
  std::string_view made_for;  // the tenant whose credentials made it; empty: the platform's
  std::string_view rule;
  std::string_view tenant_id;
  std::vector<std::string_view> labels;  // names and values in turn
  std::string_view author;
  std::string_view reason;
  std::int64_t made_ms = 0;
  std::int64_t starts_ms = 0;  // 0 in a request: now
  std::int64_t ends_ms = 0;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    for (auto* text : {&self.id, &self.made_for, &self.rule, &self.tenant_id}) f.text(*text);
    f.list(self.labels);
    for (auto* text : {&self.author, &self.reason}) f.text(*text);
    for (auto* n : {&self.made_ms, &self.starts_ms, &self.ends_ms}) f.number(*n);
  }
  bool valid() const { return labels.size() % 2 == 0; }
};

// Those that are to come, that hold, or ended within a day: of whoever asks.
struct SilencesRequest {
  std::string_view made_for;
  bool all_tenants = false;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.made_for);
    f.flag(self.all_tenants);
  }
};
struct SilencesReply {
  std::int64_t now_ms = 0;  // as the object has it: whether one holds
  std::vector<SilenceView> silences;
  // Nothing was silenced, as no rule has the name; and rules that may be meant.
  bool no_such_rule = false;
  std::vector<std::string_view> similar_rules;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.number(self.now_ms);
    f.list(self.silences);
    f.flag(self.no_such_rule);
    f.list(self.similar_rules);
  }
};

// To silence. The same request at the same time is the same silence. The answer is a
// SilencesReply, empty where there are as many as may be, or no such rule.
struct SilenceRequest {
  SilenceView silence;
  std::int64_t for_ms = 0;  // how long from its start; 0: ends_ms says

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.part(self.silence);
    f.number(self.for_ms);
  }
};

// To end one now. The answer is a SilencesReply.
struct UnsilenceRequest {
  std::string_view id;
  std::string_view made_for;
  bool all_tenants = false;

  template <class Fields, class Self>
  static void fields(Fields& f, Self& self) {
    f.text(self.id);
    f.text(self.made_for);
    f.flag(self.all_tenants);
  }
};

}  // namespace z0
