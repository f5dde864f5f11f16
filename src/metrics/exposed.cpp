#include "z0/metrics/exposed.hpp"

namespace z0 {

std::string family_name(const MetricInfo& row) {
  std::string_view name = row.name;
  if (in_seconds(row)) return std::string(name.substr(0, name.size() - 2)) + "seconds";
  if (row.kind == MetricKind::counter) name.remove_suffix(6);
  return std::string(name);
}

std::string sample_name(const MetricInfo& row) {
  std::string name = family_name(row);
  if (row.kind == MetricKind::counter) name += "_total";
  if (row.kind == MetricKind::histogram) name += "_bucket";
  return name;
}

void append_label_value(std::string& out, std::string_view value) {
  out += '"';
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace z0
