#include "z0/alerts/chance.hpp"

#include <cmath>

#include "unit/catch.hpp"

namespace {

// The sum of the definition, term by term.
double by_definition(int failures, int events, double rate) {
  double sum = 0;
  for (int k = failures; k <= events; ++k) {
    double ways = 1;
    for (int i = 0; i < k; ++i) ways = ways * (events - i) / (i + 1);
    sum += ways * std::pow(rate, k) * std::pow(1 - rate, events - k);
  }
  return sum;
}

}  // namespace

TEST_CASE("The chance of failures is the binomial's tail", "[alerts]") {
  for (int events : {1, 2, 5, 20, 60}) {
    for (int failures = 0; failures <= events; ++failures) {
      for (double rate : {0.001, 0.01, 0.05, 0.5, 0.9}) {
        const double expected = by_definition(failures, events, rate);
        INFO(failures << " of " << events << " at " << rate);
        CHECK(std::abs(z0::chance_of(failures, events, rate) - expected) <=
              1e-9 * expected + 1e-12);
      }
    }
  }
}

TEST_CASE("One failure of two is chance, and three of five are not", "[alerts]") {
  CHECK(z0::chance_of(1, 2, 0.01) > z0::chance_max);
  CHECK(z0::chance_of(1, 5, 0.01) > z0::chance_max);
  CHECK(z0::chance_of(3, 5, 0.01) < z0::chance_max);
}

TEST_CASE("Chance has ends", "[alerts]") {
  CHECK(z0::chance_of(0, 10, 0.5) == 1);
  CHECK(z0::chance_of(1, 10, 0) == 0);
  CHECK(z0::chance_of(10, 10, 1) == 1);
  CHECK(z0::chance_of(11, 10, 0.5) == z0::chance_of(10, 10, 0.5));
  // No sum of a million terms.
  CHECK(z0::chance_of(500'000'000, 1'000'000'000, 0.5) > 0.49);
}
