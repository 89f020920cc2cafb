#pragma once
/// Small statistics that the figures share.

#include <cstddef>
#include <vector>

namespace cathoscope {

double mean_of(const std::vector<double>& values);
/// Standard deviation with ddof 1; NaN below two values.
double sd_of(const std::vector<double>& values);
/// Quantile by linear interpolation between order statistics (numpy's default); NaN of nothing.
double quantile_of(std::vector<double> values, double q);
/// Pearson correlation; NaN where one side is constant or below two values.
double pearson(const std::vector<double>& a, const std::vector<double>& b);
/// Ranks from 1, ties share their mean.
std::vector<double> ranks_of(const std::vector<double>& values);
double spearman(const std::vector<double>& a, const std::vector<double>& b);
/// Benjamini-Hochberg q values; NaN stay NaN and do not count.
std::vector<double> benjamini_hochberg(const std::vector<double>& p);
/// Two-sided p of a standard normal.
double normal_p(double z);
/// (exceedances + 1) / (draws + 1), where `null` exceeds or meets the observed value.
double permutation_p(const std::vector<double>& null, double observed);

}  // namespace cathoscope
