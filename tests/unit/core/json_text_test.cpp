#include <cathoscope/core/json_text.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace cathoscope;

TEST_CASE("the depth of JSON counts lists and objects outside texts") {
  CHECK(json_nesting("") == 0);
  CHECK(json_nesting("1") == 0);
  CHECK(json_nesting("[]") == 1);
  CHECK(json_nesting(R"({"a": [1, {"b": []}], "c": [[]]})") == 4);
  CHECK(json_nesting(R"(["[[[[", "\"[[[[", "\\"])") == 1);
  CHECK(json_nesting(R"(["\\\"[[", []])") == 2);
  CHECK(json_nesting("]]]][[") == 0);  // not JSON: the parser says so
  CHECK(json_nesting(std::string(1000000, '[')) == 1000000);
}
