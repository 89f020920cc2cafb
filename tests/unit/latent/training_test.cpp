#include <cathoscope/latent/training.hpp>

#include "../../../src/latent/linear.hpp"
#include "planted.hpp"

#include <catch2/catch.hpp>

using namespace cathoscope;
using namespace cathoscope::latent_detail;
using namespace test;

namespace {

/// 60 rows of 6 correlated columns with uneven weights.
TrainingRows small_rows() {
  Stream draw(11, {"small"});
  TrainingRows rows{DataMatrix(60, 6), {}};
  for (std::int64_t i = 0; i < 60; ++i) {
    const double f = draw.normal();
    for (std::int64_t c = 0; c < 6; ++c) rows.x.row(i)[c] = draw.normal() + (c < 3 ? f : -0.5 * f);
    rows.weight.push_back(i % 2 == 0 ? 0.5 : 1.5);
  }
  return rows;
}

Autoencoder small_network() {
  Stream draw(12, {"network"});
  Autoencoder n = random_network(6, 3, 5, 0.6, draw);
  for (auto* v : {&n.a, &n.c, &n.b1, &n.b3, &n.b4})
    for (double& x : *v) x = 0.4 * draw.normal();
  return n;
}

/// Fourth-order central differences: error of order h^4, rounding of order 1e-16/h; h = 1e-3 balances both near 1e-12.
double difference(const Autoencoder& n, std::vector<double> at, std::size_t i, const TrainingRows& rows,
                  const TrainingPlan& plan) {
  constexpr double h = 1e-3;
  const double x = at[i];
  const auto f = [&](double step) {
    at[i] = x + step;
    return training_loss(unflattened(n, at), rows, plan);
  };
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

}  // namespace

TEST_CASE("the gradient of the loss agrees with finite differences") {
  const auto rows = small_rows();
  const auto n = small_network();
  const auto ordered = GENERATE(true, false);
  TrainingPlan plan;
  plan.nested = ordered;
  plan.decorrelation = ordered ? 0.02 : 0;
  if (!ordered) plan.group = {0, 0, 1, 1, 2, 2};
  std::vector<double> gradient;
  const double loss = training_loss(n, rows, plan, &gradient);
  REQUIRE(loss > 0);
  const auto at = flat(n);
  REQUIRE(gradient.size() == at.size());
  for (std::size_t i = 0; i < at.size(); ++i)
    CHECK(gradient[i] == Approx(difference(n, at, i, rows, plan)).margin(1e-7).epsilon(1e-7));
}

TEST_CASE("the loss is that of the plain arrays") {
  // Weighted mean square error plus the penalty, from encode() and decode(), which share no code with the training.
  const auto rows = small_rows();
  const auto n = small_network();
  const TrainingPlan plan;
  const DataMatrix x = decode(n, encode(n, rows.x, 1), 3, 1);
  double error = 0, weight = 0, penalty = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    weight += rows.weight[static_cast<std::size_t>(i)];
    for (std::int64_t c = 0; c < 6; ++c)
      error += rows.weight[static_cast<std::size_t>(i)] * std::pow(x.row(i)[c] - rows.x.row(i)[c], 2);
  }
  for (const auto* m : {&n.w1, &n.w2, &n.w3, &n.w4})
    for (const double v : *m) penalty += v * v;
  CHECK(training_loss(n, rows, plan) == Approx(error / weight / 6 + 3e-4 * penalty).epsilon(1e-12));
}

TEST_CASE("a grouped encoder's latents see their own columns only") {
  const auto rows = small_rows();
  TrainingPlan plan;
  plan.group = {0, 0, 1, 1, 2, 2};
  plan.iterations = 40;
  Progress progress;
  const auto trained = train(small_network(), rows, std::vector<std::uint8_t>(60), plan, progress);
  const DataMatrix before = encode(trained.network, rows.x, 1);
  DataMatrix changed = rows.x;
  for (std::int64_t i = 0; i < changed.rows; ++i) changed.row(i)[4] += 3;
  const DataMatrix after = encode(trained.network, changed, 1);
  for (std::int64_t i = 0; i < changed.rows; ++i) {
    CHECK(after.row(i)[0] == before.row(i)[0]);
    CHECK(after.row(i)[1] == before.row(i)[1]);
    CHECK(after.row(i)[2] != before.row(i)[2]);
  }
}

TEST_CASE("training lowers the loss and never keeps a worse network than it started from") {
  const auto rows = small_rows();
  TrainingPlan plan;
  plan.iterations = 100;
  Progress progress;
  const auto start = small_network();
  const auto trained = train(start, rows, std::vector<std::uint8_t>(60), plan, progress);
  CHECK(trained.loss < 0.5 * training_loss(start, rows, plan));
  for (std::size_t i = 1; i < trained.curve.size(); ++i) CHECK(trained.curve[i] <= trained.curve[i - 1] * (1 + 1e-12));
}

TEST_CASE("on linear data the ordered latents are the principal components") {
  // Gaussian columns with well separated variances along known axes: nothing nonlinear is there to be found. 0.999 leaves
  // room for what 16 hidden units fit of the noise in 1000 rows.
  Stream draw(5, {"linear"});
  LatentInput input{{}, {}};
  for (int c = 0; c < 8; ++c) input.columns.push_back(fmt::format("c{}", c));
  for (const char* name : {"a", "b"}) {
    LatentElectrode e{name, {}, DataMatrix(1000, 8), {}};
    for (std::int64_t i = 0; i < 1000; ++i) {
      const double f[3] = {draw.normal(), draw.normal(), draw.normal()};
      for (std::int64_t c = 0; c < 8; ++c)
        e.values.row(i)[c] = (c < 4 ? f[0] : c < 7 ? f[1] : f[2]) * 2 + 0.3 * draw.normal();
      e.label.push_back(static_cast<std::uint64_t>(i));
    }
    input.electrodes.push_back(std::move(e));
  }
  LatentConfig config = quick_config("pooled");
  config.dimensions = 3;
  config.iterations = 300;
  const auto result = analysed(config, input);
  std::vector<DataMatrix> rows;
  std::vector<SquareMatrix> moments;
  for (std::size_t e = 0; e < 2; ++e) {
    rows.push_back(standardised(input.electrodes[e].values, result.scales[e], 1));
    moments.push_back(second_moments(rows.back(), {}, 1));
  }
  const DataMatrix axes = principal_axes(mean_of(moments), 3);
  for (std::int64_t k = 0; k < 3; ++k) {
    double xy = 0, xx = 0, yy = 0;
    for (std::size_t e = 0; e < 2; ++e)
      for (std::int64_t i = 0; i < 1000; ++i) {
        double score = 0;
        for (std::int64_t c = 0; c < 8; ++c) score += rows[e].row(i)[c] * axes.row(c)[k];
        const double y = result.electrodes[e].codes.row(i)[k];
        xy += score * y;
        xx += score * score;
        yy += y * y;
      }
    CHECK(std::abs(xy) / std::sqrt(xx * yy) > 0.999);
  }
  // Each further latent of an ordered code lowers what is left.
  const auto& explained = result.models.front().decoder_explained;
  REQUIRE(explained.size() == 3);
  CHECK(explained[0] < explained[1]);
  CHECK(explained[1] < explained[2]);
}
