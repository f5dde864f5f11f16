// D1's tables as the migrations make them, for whatever test has a D1 of its own.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace z0::test {

// The migrations in order of their numbers, as wrangler applies them.
inline const std::string& d1_schema() {
  static const std::string schema = [] {
    std::vector<std::filesystem::path> files;
    const auto folder = std::filesystem::path(Z0_SOURCE_DIR) / "bindings/d1/migrations";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".sql") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::string sql;
    for (const auto& file : files) {
      std::ifstream in(file);
      sql.append(std::istreambuf_iterator<char>(in), {});
    }
    return sql;
  }();
  return schema;
}

}  // namespace z0::test
