#pragma once
/// Electrodes with known factors: groups of columns that share one, and links between factors.

#include <cathoscope/core/random.hpp>
#include <cathoscope/latent/latent.hpp>

#include <fmt/core.h>

#include <cmath>
#include <string>
#include <vector>

namespace test {

using namespace cathoscope;

/// Nine factors behind 22 columns; one column a group is not a linear but a monotone function of its factor.
struct PlantedElectrode {
  LatentElectrode electrode;
  DataMatrix factors;
};

inline const std::vector<int>& group_sizes() {
  static const std::vector<int> sizes{3, 3, 3, 3, 2, 2, 2, 2, 2};
  return sizes;
}

inline std::vector<std::string> planted_columns() {
  std::vector<std::string> names;
  for (std::size_t g = 0; g < group_sizes().size(); ++g)
    for (int m = 0; m < group_sizes()[g]; ++m) names.push_back(fmt::format("f{}{}", g + 1, "abc"[m]));
  return names;
}

/// Factors 1 and 2 correlate by `link`.
inline PlantedElectrode planted_electrode(const std::string& name, std::int64_t rows, double link, std::uint64_t seed) {
  const double loading[3] = {0.9, 0.8, 0.7};
  Stream draw(seed, {"planted", name});
  const auto k = static_cast<std::int64_t>(group_sizes().size());
  PlantedElectrode p{{name, {}, DataMatrix(rows, 22), {}}, DataMatrix(rows, k)};
  for (std::int64_t i = 0; i < rows; ++i) {
    double* f = p.factors.row(i);
    for (std::int64_t g = 0; g < k; ++g) f[g] = draw.normal();
    f[1] = link * f[0] + std::sqrt(1 - link * link) * f[1];
    std::int64_t c = 0;
    for (std::int64_t g = 0; g < k; ++g)
      for (int m = 0; m < group_sizes()[static_cast<std::size_t>(g)]; ++m) {
        const double x = loading[m] * f[g] + std::sqrt(1 - loading[m] * loading[m]) * draw.normal();
        p.electrode.values.row(i)[c++] = m == 1 ? std::exp(0.5 * x) : 3 + 10 * x;
      }
    p.electrode.label.push_back(static_cast<std::uint64_t>(i) + 1);
    p.electrode.position.push_back(draw.uniform(0, 100));
  }
  return p;
}

inline LatentInput planted_input(std::int64_t rows, double link_first, double link_second, std::uint64_t seed) {
  return {planted_columns(),
          {planted_electrode("first", rows, link_first, seed).electrode,
           planted_electrode("second", rows, link_second, seed + 1000).electrode}};
}

/// The latent that correlates most with a column; columns 0 and 3 lead factors 1 and 2.
inline std::int64_t latent_of_column(const LatentResult& result, std::int64_t column) {
  std::int64_t best = 0;
  double most = -1;
  for (std::size_t k = 0; k < result.meaning.size(); ++k)
    for (std::size_t c = 0; c < result.meaning[k].column.size(); ++c)
      if (result.meaning[k].column[c] == column && std::abs(result.meaning[k].correlation[c]) > most) {
        most = std::abs(result.meaning[k].correlation[c]);
        best = static_cast<std::int64_t>(k);
      }
  return best;
}

/// Place of a pair in the lists of pairs, whatever the order of the two; -1 where they are one latent.
inline std::int64_t pair_index(const LatentResult& result, std::int64_t a, std::int64_t b) {
  const auto& links = result.electrodes.front().links;
  for (std::size_t p = 0; p < links.size(); ++p)
    if ((links[p].i == a && links[p].j == b) || (links[p].i == b && links[p].j == a))
      return static_cast<std::int64_t>(p);
  return -1;
}

/// Settings that keep a test short: few restarts, enough permutations for q < 0.05 among 36 pairs.
inline LatentConfig quick_config(const std::string& mode = "oblique") {
  LatentConfig config;
  config.mode = mode;
  config.restarts = 2;
  config.bootstraps = 400;
  config.permutations = 999;
  config.iterations = 100;
  return config;
}

inline LatentResult analysed(const LatentConfig& config, const LatentInput& input, std::uint64_t seed = 7,
                             int threads = 2) {
  Progress progress;
  return latent_analysis(config, input, seed, {progress, threads});
}

}  // namespace test
