#include "../../../src/report/encode.hpp"
#include "../../../src/report/html.hpp"

#include <cathoscope/core/error.hpp>

#include <catch2/catch.hpp>

#include <limits>

using namespace cathoscope;
using namespace cathoscope::report;

TEST_CASE("base64 as in RFC 4648") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64(std::string("\xff\xfe\x00", 3)) == "//4A");
}

TEST_CASE("a script's hash is what browsers compute of it") {
  // The example of the Content Security Policy specification: alert('Hello, world.');
  CHECK(policy_hash("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
}

TEST_CASE("a picture is a PNG of its size, and a zlib stream says so") {
  const Picture picture{3, 2, {{255, 0, 0}, {0, 0, 255}}, {0, 1, 0, 1, 0, 1}};
  const std::string file = png(picture);
  CHECK(file.substr(1, 3) == "PNG");
  CHECK(file[19] == 3);
  CHECK(file[23] == 2);
  CHECK(file[25] == 3);  // a palette
  const std::string packed = deflated(std::string(100'000, 'a'));
  CHECK(packed.size() < 300);
  CHECK(packed[0] == 0x78);
}

TEST_CASE("text from outside stays text") {
  CHECK(escaped(R"h(<img src=x onerror="alert('1')">&)h") ==
        "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;");
  const std::string json =
      script_json({{"name", "</script><script>alert(1)"}, {"line", "\xe2\x80\xa8"}, {"bad", "\xff"}});
  CHECK(json.find('<') == std::string::npos);
  CHECK(Json::parse(json).at("name") == "</script><script>alert(1)");
  CHECK(json.find("\\u2028") != std::string::npos);
}

TEST_CASE("a template is filled once") {
  CHECK(filled("a {{x}} b {{y}}{{x}}", {{"x", "{{y}}"}, {"y", "2"}}) == "a {{y}} b 2{{y}}");
  CHECK_THROWS_AS(filled("{{nobody}}", {}), Error);
  CHECK_THROWS_AS(filled("{{open", {}), Error);
}

TEST_CASE("numbers as people read them") {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  CHECK(number_text(0.123456) == "0.123");
  CHECK(number_text(123456.7) == "123457");
  CHECK(number_text(1.2e-7, 2) == "1.2e-07");
  CHECK(number_text(unknown) == "-");
  CHECK(percent_text(0.0734) == "7.3 %");
  CHECK(percent_text(0.4613) == "46 %");
  CHECK(percent_text(0.0999) == "10 %");
  CHECK(percent_text(Interval{0.073, 0.061, 0.088}) == "7.3 % [6.1, 8.8]");
  CHECK(percent_text(Interval{0.073, unknown, unknown}) == "7.3 %");
  CHECK(interval_text({0.5, 0.25, 0.75}) == "0.5 [0.25, 0.75]");
  CHECK(points_text({-0.046, -0.064, -0.029}) == "-4.6 percentage points [-6.4, -2.9]");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1234567) ==
        "1\xE2\x80\xAF"
        "234\xE2\x80\xAF"
        "567");
}
