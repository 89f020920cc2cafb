#pragma once
/// Gauss-Legendre quadrature on [0, 1].

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace cathoscope {

struct Quadrature {
  std::vector<double> node;
  std::vector<double> weight;
};

/// `n` points, exact for polynomials of degree 2 n - 1. Roots of the Legendre polynomial by Newton's method.
inline Quadrature gauss_legendre(std::size_t n) {
  Quadrature q{std::vector<double>(n), std::vector<double>(n)};
  const auto order = static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (order + 0.5)), slope = 0;
    for (int step = 0; step < 100; ++step) {
      double value = 1, previous = 0;
      for (std::size_t k = 1; k <= n; ++k) {
        const auto d = static_cast<double>(k);
        const double next = ((2 * d - 1) * x * value - (d - 1) * previous) / d;
        previous = value;
        value = next;
      }
      slope = order * (x * value - previous) / (x * x - 1);
      const double correction = value / slope;
      x -= correction;
      if (std::abs(correction) < 1e-16) break;
    }
    q.node[i] = (1 - x) / 2;
    q.weight[i] = 1 / ((1 - x * x) * slope * slope);
  }
  return q;
}

}  // namespace cathoscope
