#include "../../../src/latent/links.hpp"

#include "planted.hpp"

#include <catch2/catch.hpp>

using namespace cathoscope;
using namespace cathoscope::latent_detail;
using namespace test;

namespace {

/// k columns of which the first two correlate by r.
DataMatrix correlated(std::int64_t rows, std::int64_t k, double r, std::uint64_t seed) {
  Stream draw(seed, {"correlated"});
  DataMatrix m(rows, k);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < k; ++c) m.row(i)[c] = draw.normal();
    m.row(i)[1] = r * m.row(i)[0] + std::sqrt(1 - r * r) * m.row(i)[1];
  }
  return m;
}

Metric plain_metric(std::int64_t k) {
  Metric metric{DataMatrix(k, k), 0};
  for (std::int64_t i = 0; i < k; ++i) metric.decoder_product.row(i)[i] = 1;
  return metric;
}

CodeMoments moments(const DataMatrix& m) {
  CodeMoments result(m.columns);
  for (std::int64_t i = 0; i < m.rows; ++i) result.add(m.row(i));
  return result;
}

LatentComparison compared(const DataMatrix& a, const DataMatrix& b, const std::string& name, int threads = 2) {
  Progress progress;
  LatentConfig config = quick_config();
  return compare(a, b, {}, {}, plain_metric(a.columns), config, {1, name}, {progress, threads});
}

}  // namespace

TEST_CASE("q values are those of the worked example") {
  // p 0.01 0.04 0.03 0.02 of four: p * 4 / rank = 0.04 0.04 0.04 0.04; and a case with a running minimum.
  for (const double q : benjamini_hochberg({0.01, 0.04, 0.03, 0.02})) CHECK(q == Approx(0.04));
  const auto q = benjamini_hochberg({0.001, 0.5, 0.02});
  CHECK(q[0] == Approx(0.003));
  CHECK(q[1] == Approx(0.5));
  CHECK(q[2] == Approx(0.03));
  CHECK(benjamini_hochberg({}).empty());
}

TEST_CASE("the total correlation of two latents is -1/2 log(1 - r^2)") {
  CHECK(total_correlations(2, {0.5})[1] == Approx(-0.5 * std::log(0.75)));
  const auto nested = total_correlations(3, {0.5, 0, 0});
  CHECK(nested[0] == 0);
  CHECK(nested[1] == Approx(-0.5 * std::log(0.75)));
  CHECK(nested[2] == Approx(nested[1]));
  CHECK(std::isfinite(total_correlations(2, {1.0})[1]));
}

TEST_CASE("intertwinement does not depend on the axes of the code") {
  // y = z T: the covariance becomes T'ST, the decoder T^-1 B. T = [[2, 1], [0, 0.5]], its inverse [[0.5, -1], [0, 2]].
  const DataMatrix z1 = correlated(400, 2, 0.6, 1), z2 = correlated(300, 2, 0.1, 2);
  const auto turned = [](const DataMatrix& z) {
    DataMatrix y(z.rows, 2);
    for (std::int64_t i = 0; i < z.rows; ++i) {
      y.row(i)[0] = 2 * z.row(i)[0];
      y.row(i)[1] = z.row(i)[0] + 0.5 * z.row(i)[1];
    }
    return y;
  };
  Metric turned_metric{DataMatrix(2, 2), 0};
  turned_metric.decoder_product.values = {0.25 + 1, -2, -2, 4};  // T^-1 T^-T
  const Metric metric = plain_metric(2);
  const auto a = moments(z1), b = moments(z2), ta = moments(turned(z1)), tb = moments(turned(z2));
  CHECK(participation_ratio(ta, turned_metric) == Approx(participation_ratio(a, metric)).epsilon(1e-10));
  CHECK(log_volume(tb, turned_metric) - log_volume(ta, turned_metric) ==
        Approx(log_volume(b, metric) - log_volume(a, metric)).epsilon(1e-10));
}

TEST_CASE("the bootstrap interval is that of Fisher for normal values") {
  // Fisher: atanh r +- 1.96 / sqrt(n - 3). 0.02 is three standard errors of a 2.5 % quantile from 2000 resamplings
  // (0.032 sd) plus the interval's own order 1/n.
  Progress progress;
  LatentConfig config = quick_config();
  config.bootstraps = 2000;
  const auto links = links_of(correlated(1000, 2, 0.5, 4), config, {3, "e"}, {progress, 2});
  const auto& l = links.pairs.front();
  const double half = 1.959964 / std::sqrt(997.0);
  CHECK(l.low == Approx(std::tanh(std::atanh(l.r) - half)).margin(0.02));
  CHECK(l.high == Approx(std::tanh(std::atanh(l.r) + half)).margin(0.02));
  CHECK(l.p == Approx(1.0 / 1000));
  CHECK(l.significant);
}

TEST_CASE("permutation p values of independent latents are uniform") {
  // 40 tables of 3 pairs: of 120 p values those below 0.1 are binomial, mean 12, sd 3.3.
  Progress progress;
  LatentConfig config = quick_config();
  config.permutations = 199;
  config.bootstraps = 20;
  int small = 0;
  for (std::uint64_t t = 0; t < 40; ++t)
    for (const auto& l : links_of(correlated(60, 3, 0, 50 + t), config, {t, "e"}, {progress, 2}).pairs)
      small += l.p < 0.1 ? 1 : 0;
  CHECK(small > 2);
  CHECK(small < 24);
}

TEST_CASE("a difference is found where it is, and not where there is none") {
  const auto same = compared(correlated(800, 3, 0.5, 1), correlated(800, 3, 0.5, 2), "same");
  CHECK(same.pairs[0].q > 0.05);
  CHECK(same.total_correlation.p > 0.05);
  const auto other = compared(correlated(800, 3, 0, 21), correlated(800, 3, 0.6, 22), "other");
  CHECK(other.pairs[0].q < 0.05);
  CHECK(other.pairs[0].delta_z == Approx(std::atanh(0.6)).margin(4 * std::sqrt(2 / 797.0)));
  CHECK(other.pairs[1].q > 0.05);
  CHECK(other.total_correlation.difference > 0);
  CHECK(other.total_correlation.p < 0.01);
  CHECK(other.log_volume.p < 0.01);
  CHECK(other.largest_p < 0.01);
  CHECK(other.participation_ratio.difference < 0);
}

TEST_CASE("swapping the samples turns the sign, and threads change nothing") {
  const auto a = correlated(300, 3, 0.2, 5), b = correlated(500, 3, 0.4, 6);
  const auto ab = compared(a, b, "x", 1), ba = compared(b, a, "x"), again = compared(a, b, "x", 4);
  for (std::size_t p = 0; p < 3; ++p) {
    CHECK(ab.pairs[p].delta_z == Approx(-ba.pairs[p].delta_z).margin(1e-12));
    CHECK(ab.pairs[p].p == again.pairs[p].p);
  }
  CHECK(ab.log_volume.p == again.log_volume.p);
}

TEST_CASE("the first latents are independent where they are, and the test says where it ends") {
  DataMatrix m = correlated(1000, 4, 0, 9);
  for (std::int64_t i = 0; i < m.rows; ++i) m.row(i)[3] = 0.3 * m.row(i)[0] + m.row(i)[3];
  Progress progress;
  const auto links = links_of(m, quick_config(), {3, "e"}, {progress, 2});
  REQUIRE(links.independence.size() == 3);
  CHECK(links.independence[0].p > 0.01);
  CHECK(links.independence[1].count == 3);
  CHECK(links.independence[1].p > 0.01);
  CHECK(links.independence[2].p < 0.01);
  CHECK(links.independence[2].largest_r > 0.2);
}
