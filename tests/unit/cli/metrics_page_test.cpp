// The page of metrics, and what it is made of.
#include "base/metrics_page.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include "unit/catch.hpp"

TEST_CASE("src/metrics/README.md is what the table of metrics says now", "[metrics]") {
  std::ifstream in(std::string(Z0_SOURCE_DIR) + "/src/metrics/README.md");
  const std::string written(std::istreambuf_iterator<char>(in), {});
  // `z0 metrics --page > src/metrics/README.md` takes a change over.
  CHECK(written == z0::cli::metrics_page());
}

TEST_CASE("Every metric stands on the page once as a row and once in SQL", "[metrics]") {
  const std::string page = z0::cli::metrics_page();
  for (const z0::MetricInfo* metric : z0::cli::all_metrics()) {
    const std::string name(metric->name);
    INFO(name);
    const std::string row = "| `" + name + '`';
    CHECK(page.find(row) != std::string::npos);
    CHECK(page.find(row) == page.rfind(row));
    CHECK(page.find("blob1 = '" + name + '\'') != std::string::npos);
    CHECK(page.find(std::string(metric->help)) != std::string::npos);
  }
}
