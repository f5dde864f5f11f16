#include "bindings/cli/base/text.hpp"

#include "bindings/cli/base/fields.hpp"
#include "unit/catch.hpp"

namespace z0::cli {

TEST_CASE("cli: numbers, money and durations read well") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1'000) == "1,000");
  CHECK(grouped(-1'234'567) == "-1,234,567");
  CHECK(money(0) == "0.00");
  CHECK(money(1'234'567) == "12,345.67");
  CHECK(money(-5) == "-0.05");
  CHECK(money(1'234'567, "EUR") == "12,345.67");
  CHECK(money(500, "JPY") == "500");
  CHECK(money(-1'234'567, "JPY") == "-1,234,567");
  CHECK(money(1'234, "KWD") == "1.234");
  CHECK(money(-7, "KWD") == "-0.007");
  CHECK(money(12'345, "CLF") == "1.2345");
  CHECK(money(1'234, "UDS") == "1,234");
  CHECK(money(9'007'199'254'740'991, "KWD") == "9,007,199,254,740.991");
  CHECK(amount_words(500, "JPY") == "500 JPY");
  CHECK(money(-123'450) == "-1,234.50");
  CHECK(duration_words(0.417) == "0.42 s");
  CHECK(duration_words(12.34) == "12.3 s");
  CHECK(duration_words(245) == "4 min 05 s");
  CHECK(duration_words(7'980) == "2 h 13 min");
  CHECK(duration_words(273'600) == "3 d 4 h");
  CHECK(time_words(1'774'915'217'285) == "2026-03-31 00:00:17.285");
}

TEST_CASE("cli: a sum that passes 64 bits stays at their end") {
  const auto words = [](const char* amount) {
    return amount_of(
        nlohmann::json::parse(R"({"currency": "JPY", "amount": )" + std::string(amount) + '}'));
  };
  const std::string most = "9,223,372,036,854,775,807 JPY";
  CHECK(words("9223372036854775807") == most);
  CHECK(words("9223372036854775808") == most);
  CHECK(words("18014398509481982000") == most);
  CHECK(words("180143985094819820000") == most);
  CHECK(words("-9223372036854775808") == '-' + most);
  CHECK(words("-180143985094819820000") == '-' + most);
  CHECK(words("500") == "500 JPY");
  CHECK(words("null").empty());
  CHECK(amount_of(nlohmann::json::object()).empty());
}

TEST_CASE("cli: times are taken as ms, as a date, or as how long ago") {
  const std::int64_t now = 1'774'915'200'000;
  CHECK(parse_time_ms("1774915200001", now) == now + 1);
  CHECK(parse_time_ms("2026-03-31", now) == now);
  CHECK(parse_time_ms("2026-03-31T10:15", now) == now + 36'900'000);
  CHECK(parse_time_ms("2026-03-31 10:15:30", now) == now + 36'930'000);
  CHECK(parse_time_ms("2026-03-31T00:00:17.285Z", now) == now + 17'285);
  CHECK(parse_time_ms("2024-02-29", now) == 1'709'164'800'000);
  CHECK(parse_time_ms("15m", now) == now - 900'000);
  for (const char* bad :
       {"", "soon", "2026-13-01", "2026-03-31T25:00", "2026-03-31x", "15y", "-1h"}) {
    INFO(bad);
    CHECK_FALSE(parse_time_ms(bad, now));
  }
  CHECK(parse_duration_ms("90") == 90'000);
  CHECK(parse_duration_ms("30d") == 2'592'000'000);
  CHECK(parse_duration_ms("2w") == 1'209'600'000);
  CHECK_FALSE(parse_duration_ms("d"));
  CHECK_FALSE(parse_duration_ms("1.5h"));
}

TEST_CASE("cli: a table is as wide as its cells") {
  Table table({"tenant", ">revenue", "note"});
  CHECK(table.empty());
  table.add({"tenant_é", "1.00", ""});
  table.add({"b", "1,000.00", "x"});
  CHECK(table.text() ==
        "tenant     revenue  note\n"
        "tenant_é      1.00\n"
        "b         1,000.00  x\n");
}

TEST_CASE("cli: a row of CSV quotes what RFC 4180 says, and nothing else") {
  CHECK(csv_row({"a", "", "b c"}) == "a,,b c\r\n");
  CHECK(csv_row({"1,5", "say \"hi\"", "two\nlines", "\r", "é"}) ==
        "\"1,5\",\"say \"\"hi\"\"\",\"two\nlines\",\"\r\",é\r\n");
  CHECK(csv_row({"same", "same"}) == "same,same\r\n");
}

TEST_CASE("cli: a sparkline shows the last values against the largest of them") {
  CHECK(sparkline({9, 0, 1, 2, 4}, 4) == "▁▃▅█");
  CHECK(sparkline({0, 0}, 4) == "▁▁");
  CHECK(sparkline({}, 4).empty());
}

}  // namespace z0::cli
