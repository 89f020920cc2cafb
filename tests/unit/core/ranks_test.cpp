#include <cathoscope/core/error.hpp>
#include <cathoscope/core/ranks.hpp>

#include <catch2/catch.hpp>

#include <array>

using namespace cathoscope;

TEST_CASE("what is packed comes back, empty things too") {
  Packed out;
  out << 7 << std::string("a\0b", 3) << std::vector<double>{1.5, -2} << std::array<int, 3>{1, 2, 3} << std::string()
      << std::vector<int>{} << true;
  const std::string bytes = out.take();
  int seven = 0;
  std::string text, nothing = "x";
  std::vector<double> numbers;
  std::array<int, 3> triple{};
  std::vector<int> none{1};
  bool yes = false;
  Unpacked(bytes) >> seven >> text >> numbers >> triple >> nothing >> none >> yes;
  CHECK(seven == 7);
  CHECK(text == std::string("a\0b", 3));
  CHECK(numbers == std::vector<double>{1.5, -2});
  CHECK(triple == std::array<int, 3>{1, 2, 3});
  CHECK(nothing.empty());
  CHECK(none.empty());
  CHECK(yes);
}

TEST_CASE("a cut message is an error, and no memory is taken for what it declares") {
  Packed out;
  out << std::vector<double>(100, 1.0);
  const std::string bytes = out.take();
  for (const std::size_t length : {std::size_t{0}, std::size_t{4}, std::size_t{8}, bytes.size() - 1}) {
    const std::string cut = bytes.substr(0, length);
    std::vector<double> values;
    CHECK_THROWS_AS(Unpacked(cut) >> values, Error);
  }
  Packed huge;
  huge << (std::uint64_t{1} << 62) << 0.0;
  const std::string lie = huge.take();
  std::vector<double> values;
  CHECK_THROWS_AS(Unpacked(lie) >> values, Error);
}

TEST_CASE("one rank alone does everything itself") {
  int done = 0;
  on_all({}, "anything", "", [&] { ++done; });
  CHECK(done == 1);
  CHECK_FALSE(Ranks{}.shared());
}
