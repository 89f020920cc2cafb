#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/random.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <numeric>
#include <vector>

using namespace cathoscope;

TEST_CASE("philox4x32-10 gives the published known-answer vectors") {
  // Random123 1.14, kat_vectors
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("streams of different names, items and seeds differ, equal ones agree") {
  CHECK(stream_key(1, {"a", "b"}) != stream_key(1, {"ab"}));
  CHECK(stream_key(1, {"a"}, 1) != stream_key(1, {"a"}, 2));
  CHECK(stream_key(1, {"a"}) != stream_key(2, {"a"}));
  Stream a(7, {"x"}, 3), b(7, {"x"}, 3);
  for (int i = 0; i < 100; ++i) CHECK(a.next32() == b.next32());
}

TEST_CASE("draws have the moments of their distributions") {
  Stream s(1, {"moments"});
  const int n = 200000;
  double sum = 0, square = 0, uniform = 0, poisson = 0;
  for (int i = 0; i < n; ++i) {
    const double g = s.normal();
    sum += g;
    square += g * g;
    uniform += s.uniform();
    poisson += static_cast<double>(s.poisson(2.5));
  }
  // five standard errors of each mean
  CHECK(std::abs(sum / n) < 5 / std::sqrt(n));
  CHECK(std::abs(square / n - 1) < 5 * std::sqrt(2.0 / n));
  CHECK(std::abs(uniform / n - 0.5) < 5 / std::sqrt(12.0 * n));
  CHECK(std::abs(poisson / n - 2.5) < 5 * std::sqrt(2.5 / n));
}

TEST_CASE("below() is uniform and in range") {
  Stream s(1, {"below"});
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[s.below(7)];
  for (const int c : counts) CHECK(std::abs(c - 10000) < 5 * 93);  // sd of a binomial count
}

TEST_CASE("parallel_for visits every item once and reports the first failure") {
  std::vector<int> seen(1000);
  parallel_for(1000, 4, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
  CHECK(std::accumulate(seen.begin(), seen.end(), 0) == 1000);
  CHECK(*std::max_element(seen.begin(), seen.end()) == 1);
  CHECK_THROWS_WITH(parallel_for(100, 4,
                                 [](std::int64_t i) {
                                   if (i == 0) throw std::runtime_error("item 0");
                                 }),
                    "item 0");
}
