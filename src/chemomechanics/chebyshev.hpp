#pragma once
/// Chebyshev smoothing, and the bound of the spectrum that it needs.

#include <Eigen/Core>

#include <cmath>
#include <cstdint>

namespace cathoscope::fem {

/// Largest eigenvalue of a symmetric product D^-1 A by power iteration from a fixed start, with a margin.
template <class Apply>
double spectral_bound(std::size_t size, const Apply& apply) {
  Eigen::VectorXd x(static_cast<Eigen::Index>(size));
  std::uint32_t state = 12345;
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    x[i] = static_cast<double>(state >> 8) / 16777216.0 - 0.5;
  }
  double value = 1;
  for (int k = 0; k < 15; ++k) {
    x /= x.norm();
    x = apply(x);
    value = x.norm();
  }
  return 1.1 * value;
}

/// Adds to z a polynomial in D^-1 A applied to the residual `rest`, which must be that of z; damps the part of the
/// spectrum from bound/`ratio` to bound. `rest` is used up.
template <class Apply, class Scale>
void chebyshev(int degree, double bound, const Apply& apply, const Scale& scale, Eigen::VectorXd& z,
               Eigen::VectorXd& rest, double ratio = 8) {
  const double low = bound / ratio, centre = (bound + low) / 2, half = (bound - low) / 2, sigma = centre / half;
  double rho = 1 / sigma;
  Eigen::VectorXd d = scale(rest) / centre;
  z += d;
  for (int k = 1; k < degree; ++k) {
    rest -= apply(d);
    const double next = 1 / (2 * sigma - rho);
    d = next * rho * d + (2 * next / half) * scale(rest);
    rho = next;
    z += d;
  }
}

}  // namespace cathoscope::fem
