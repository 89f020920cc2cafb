#pragma once
/// Interventional Shapley values of one row against one background row, for trees too deep for pattern tables.

#include <cathoscope/regression/forest.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cathoscope {

struct BackgroundScratch {
  std::vector<std::uint8_t> side;  ///< [feature]: undecided, taken from the row, from the background
  std::vector<std::int32_t> from_row, from_background;
};

/// phi[feature] += values of `row` against `background`, where `phi` is given; upper += pairs a != b, where
/// `upper` is given.
void add_against(const Tree& tree, const float* row, const float* background, std::size_t features,
                 BackgroundScratch& scratch, double* phi, double* upper);

/// a! b! / (a + b + 1)!
double factorial_weight(int a, int b);

}  // namespace cathoscope
