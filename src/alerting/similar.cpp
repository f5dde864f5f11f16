#include "z0/alerting/similar.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "z0/base/limits.hpp"

namespace z0 {
namespace {

constexpr std::size_t similar_max = 3;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// How many letters have to be put in, left out or changed (Levenshtein), a row of the table at a time.
std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string_view> similar_names(std::string_view typed,
                                            const std::vector<std::string_view>& names) {
  const bool begins = typed.ends_with('*');
  const std::string wanted = lower(typed.substr(0, typed.size() - (begins ? 1 : 0)));
  if (wanted.empty() || wanted.size() > limits::id_bytes_max) return {};
  const std::size_t most = std::max<std::size_t>(2, wanted.size() / 3);
  std::vector<std::pair<std::size_t, std::string_view>> found;
  for (const std::string_view name : names) {
    const std::string known = lower(name);
    const std::string_view part = begins ? std::string_view(known).substr(0, wanted.size()) : known;
    const bool has = known.find(wanted) != std::string::npos;
    const std::size_t differs = has ? 1 : letters_apart(wanted, part);
    if (differs <= most) found.emplace_back(differs, name);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<std::string_view> similar;
  for (const auto& [differs, name] : found)
    if (similar.size() < similar_max) similar.push_back(name);
  return similar;
}

}  // namespace z0
