#include "../../../src/regression/quadrature.hpp"

#include <catch2/catch.hpp>

using namespace cathoscope;

TEST_CASE("n points integrate every power up to 2 n - 1") {
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{8}, std::size_t{32}, std::size_t{100}}) {
    const Quadrature q = gauss_legendre(n);
    for (std::size_t power = 0; power < 2 * n; ++power) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += q.weight[i] * std::pow(q.node[i], static_cast<double>(power));
      CHECK(sum == Approx(1.0 / static_cast<double>(power + 1)).epsilon(1e-12));
    }
  }
}
