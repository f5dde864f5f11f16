#include "z0/facts/currency.hpp"

#include <string>

#include "unit/catch.hpp"
#include "unit/facts/fact_reading.hpp"

using z0::has_currency_form;
using z0::known_currency;
using z0::minor_digits;

TEST_CASE("Currencies have the minor digits of ISO 4217", "[currency]") {
  struct Row {
    const char* code;
    int digits;
  };
  for (const auto& [code, digits] : {Row{"AED", 2},
                                     {"USD", 2},
                                     {"EUR", 2},
                                     {"HUF", 2},
                                     {"IDR", 2},
                                     {"ZWG", 2},
                                     {"ZWL", 2},
                                     {"JPY", 0},
                                     {"KRW", 0},
                                     {"VND", 0},
                                     {"XOF", 0},
                                     {"XAU", 0},
                                     {"BHD", 3},
                                     {"IQD", 3},
                                     {"KWD", 3},
                                     {"TND", 3},
                                     {"CLF", 4},
                                     {"UYW", 4}}) {
    INFO(code);
    CHECK(minor_digits(code) == digits);
    CHECK(known_currency(code));
  }
}

TEST_CASE("What is not in ISO 4217 is no currency", "[currency]") {
  for (const char* none :
       {"", "U", "US", "UDS", "ZZZ", "AAA", "usd", "USDX", "USD2", "ED2", "D2 A"}) {
    INFO(none);
    CHECK(minor_digits(none) == -1);
    CHECK_FALSE(known_currency(none));
  }
}

TEST_CASE("A history's currency is judged by its form", "[currency]") {
  for (const char* code : {"USD", "UDS", "ZZZ"}) CHECK(has_currency_form(code));
  for (const char* none : {"", "US", "usd", "USDX", "U5D", "U D"})
    CHECK_FALSE(has_currency_form(none));
}

TEST_CASE("A fact in a currency that ISO 4217 has not is refused", "[currency]") {
  const auto deposit = [](const std::string& currency) {
    return z0::test::read(R"({"id":"f","type":"deposit","entity_id":"acct_a","amount":1,)"
                          R"("currency":")" +
                          currency + "\"}");
  };
  for (const char* none : {"UDS", "ZZZ"}) {
    INFO(none);
    CHECK(deposit(none).status == z0::Status::invalid_value);
    CHECK(deposit(none).field == "currency");
  }
  CHECK(deposit("ZWG").status == z0::Status::recorded);
}
