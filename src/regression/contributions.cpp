#include "contribution_fit.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/contributions.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace cathoscope {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

using Pick = std::function<double(const ContributionScores&)>;

std::int64_t subset_size(const RegressionConfig& config, std::size_t rows) {
  const auto most = static_cast<std::int64_t>(std::floor(0.8 * static_cast<double>(rows)));
  return std::max<std::int64_t>(1, std::min(config.subset_size, most));
}

Draws draws_of(const RegressionConfig& config) { return config.rng == "sklearn" ? Draws::sklearn : Draws::counter; }

/// Scores of a forest on the training part of the rows `index`.
ContributionScores run_on(const RegressionConfig& config, const ContributionInputs& inputs, const FeatureGroups& groups,
                          const std::vector<std::int64_t>& index, std::uint64_t seed) {
  std::vector<std::int64_t> train;
  for (const std::int64_t i : split_rows(index.size(), config.test_fraction, draws_of(config), seed).train)
    train.push_back(index[static_cast<std::size_t>(i)]);
  const ModelTable& table = inputs.table;
  return fitted_scores(config, rows_at(table.x, train), values_at(table.y, train), table.features, seed, groups);
}

/// The scores of one forest of the protocol, where an earlier run has not computed them; nothing where it is another
/// shard's.
ContributionScores finished_scores(const ContributionInputs& inputs, const FeatureGroups& groups,
                                   const std::string& kind, std::int64_t run,
                                   const std::function<ContributionScores()>& compute) {
  if (!is_of(shard_of(inputs), inputs, kind, run)) return {};
  const std::size_t m = groups.group.size(), units = groups.unit.size();
  const auto flat =
      finished_or(inputs.pieces, piece_name(inputs, kind, run), m + 6 + units, [&] { return flat_scores(compute()); });
  return scores_from(flat, m, units);
}

std::vector<std::int64_t> all_rows(std::size_t n) {
  std::vector<std::int64_t> index(n);
  for (std::size_t i = 0; i < n; ++i) index[i] = static_cast<std::int64_t>(i);
  return index;
}

std::vector<ContributionScores> half_samples(const RegressionConfig& config, const ContributionInputs& inputs,
                                             const FeatureGroups& groups, const Context& context) {
  std::vector<ContributionScores> halves(static_cast<std::size_t>(config.half_samples));
  const std::size_t n = inputs.table.y.size();
  if (n < 4) return {};
  context.progress.begin("half samples", halves.size());
  parallel_for(config.half_samples, context.threads, [&](std::int64_t h) {
    std::vector<std::int64_t> index = all_rows(n);
    Stream(inputs.seed, {"regression", inputs.electrode, "half"}, static_cast<std::uint64_t>(h))
        .shuffle(index.begin(), index.end());
    index.resize(n / 2);
    std::sort(index.begin(), index.end());
    const ModelTable& table = inputs.table;
    halves[static_cast<std::size_t>(h)] = finished_scores(inputs, groups, "half", h, [&] {
      return fitted_scores(config, rows_at(table.x, index), values_at(table.y, index), table.features,
                           run_seed(config, inputs, "half", h), groups);
    });
    context.progress.advance();
  });
  return halves;
}

/// Deviations of the half samples from their mean: with half the rows, drawn without replacement, they spread as the
/// estimate from all rows does.
std::vector<double> deviations(const std::vector<ContributionScores>& halves, const Pick& pick) {
  std::vector<double> values;
  for (const ContributionScores& half : halves) values.push_back(pick(half));
  const double mean = mean_of(values);
  for (double& v : values) v -= mean;
  return values;
}

ScoreInterval interval_around(double value, const std::vector<double>& spread) {
  if (spread.empty()) return {value, nothing, nothing};
  return {value, value + quantile_of(spread, 0.025), value + quantile_of(spread, 0.975)};
}

std::vector<double> over_runs(const std::vector<ContributionRun>& runs, const std::string& kind, const Pick& pick) {
  std::vector<double> values;
  for (const ContributionRun& run : runs)
    if (kind.empty() || run.kind == kind) values.push_back(pick(run.scores));
  return values;
}

/// Mean over the runs with its half-sampling interval, which does not go below 0.
ScoreInterval estimate(const Contributions& c, const Pick& pick) {
  ScoreInterval i = interval_around(mean_of(over_runs(c.runs, "", pick)), deviations(c.halves, pick));
  if (i.low < 0) i.low = 0;
  return i;
}

struct SeedZero {
  ContributionScores oob;
  std::vector<double> direction;
};

void require_runs(const RegressionConfig& config) {
  if (config.seeds + config.subsets == 0)
    fail(Exit::config, "regression.seeds and regression.subsets are both 0: there is nothing to average");
}

/// The forest of seed 0, what it says of its training rows, and of them out of bag.
SeedZero fit_seed_zero(const RegressionConfig& config, const ContributionInputs& inputs, const FeatureGroups& groups,
                       const Context& context, Contributions& out) {
  const ModelTable& table = inputs.table;
  const std::uint64_t seed = run_seed(config, inputs, "seed", 0);
  const RowSplit split = split_rows(table.y.size(), config.test_fraction, draws_of(config), seed);
  const FeatureRows x = rows_at(table.x, split.train);
  const std::vector<double> y = values_at(table.y, split.train);
  GrownForest grown =
      grow_forest(x, y, table.features, grow_options(config, table.features.size(), seed), context.threads);
  context.progress.check_stop();
  const Explainer explainer(grown.forest, {}, context.threads);
  out.explanation = explain(explainer, x, context.threads);
  context.progress.check_stop();
  const OutOfBag bag = out_of_bag(grown, x, y, context.threads);
  out.oob_r2 = bag.r2;
  out.out_of_bag = bag.prediction;
  for (std::size_t i = 0; i < bag.covered.size(); ++i)
    if (bag.covered[i] == 0) out.out_of_bag[i] = std::numeric_limits<double>::quiet_NaN();
  out.training_target = y;
  SeedZero zero;
  zero.oob = scores_of(explain_out_of_bag(explainer, x, grown.in_bag, context.threads), groups);
  for (std::size_t f = 0; f < x.features; ++f) {
    std::vector<double> value, phi;
    for (std::size_t i = 0; i < x.rows; ++i) {
      value.push_back(x.row(i)[f]);
      phi.push_back(out.explanation.phi[i * x.features + f]);
    }
    zero.direction.push_back(spearman(value, phi));
  }
  for (const std::int64_t i : split.train) {
    const auto k = static_cast<std::size_t>(i);
    grown.forest.train_index.push_back(table.source_row[k]);
    if (!table.label.empty()) out.training_label.push_back(table.label[k]);
  }
  for (const std::int64_t i : split.test)
    grown.forest.test_index.push_back(table.source_row[static_cast<std::size_t>(i)]);
  out.forest = std::move(grown.forest);
  out.forest.gap_fill = table.fill;
  return zero;
}

AttributeContribution attribute_row(const Contributions& c, const ContributionInputs& inputs,
                                    const FeatureGroups& groups, const SeedZero& zero, const PermutationFloor& floor,
                                    std::size_t f) {
  const Pick pick = [f](const ContributionScores& s) { return s.attribute[f]; };
  AttributeContribution a;
  a.attribute = inputs.table.features[f];
  a.group = groups.group[f];
  a.mean_abs_shap = estimate(c, pick);
  a.sd_seeds = sd_of(over_runs(c.runs, "seed", pick));
  a.sd_subsets = sd_of(over_runs(c.runs, "subset", pick));
  a.null_floor = floor.floor[f];
  a.p = floor.p[groups.unit_of[f]];
  a.oob_mean_abs_shap = zero.oob.attribute[f];
  a.direction = zero.direction[f];
  a.per_sd_damage = c.sd_target > 0 ? a.mean_abs_shap.value / c.sd_target : nothing;
  const auto known = inputs.reliability.find(a.attribute);
  a.reliability = known == inputs.reliability.end() ? nothing : known->second;
  return a;
}

}  // namespace

std::vector<ContributionRun> contribution_runs(const RegressionConfig& config, const ContributionInputs& inputs,
                                               const Context& context) {
  const FeatureGroups groups = feature_groups(inputs.table.features);
  const std::size_t n = inputs.table.y.size();
  std::vector<ContributionRun> runs(static_cast<std::size_t>(config.seeds + config.subsets));
  context.progress.begin("runs", runs.size());
  parallel_for(static_cast<std::int64_t>(runs.size()), context.threads, [&](std::int64_t r) {
    ContributionRun& run = runs[static_cast<std::size_t>(r)];
    run.kind = r < config.seeds ? "seed" : "subset";
    run.run = r < config.seeds ? r : r - config.seeds;
    run.scores = finished_scores(inputs, groups, run.kind, run.run, [&] {
      if (run.kind == "seed")
        return run_on(config, inputs, groups, all_rows(n), run_seed(config, inputs, "seed", run.run));
      auto index = random_order(n, draws_of(config), run_seed(config, inputs, "subset", run.run));
      index.resize(static_cast<std::size_t>(subset_size(config, n)));
      return run_on(config, inputs, groups, index, run_seed(config, inputs, "seed", 0));
    });
    context.progress.advance();
  });
  return runs;
}

void contribution_pieces(const RegressionConfig& config, const ContributionInputs& inputs, const Context& context) {
  require_runs(config);
  const FeatureGroups groups = feature_groups(inputs.table.features);
  contribution_runs(config, inputs, context);
  half_samples(config, inputs, groups, context);
  permutation_floor(config, inputs, groups, context);
}

Contributions contributions(const RegressionConfig& config, const ContributionInputs& inputs, const Context& context) {
  require_runs(config);
  const ModelTable& table = inputs.table;
  const FeatureGroups groups = feature_groups(table.features);
  Contributions c;
  c.electrode = inputs.electrode;
  c.profile = inputs.profile;
  c.rows_used = table.y.size();
  c.rows_flagged = table.rows_excluded;
  c.rows_without_target = table.rows_without_target;
  c.filled = table.filled;
  c.left_out = table.left_out;
  c.subset_size = subset_size(config, table.y.size());
  c.sd_target = sd_of(table.y);
  if (config.subsets > 0 && c.subset_size < config.subset_size)
    context.progress.warn(fmt::format("{}: subsets of {} particles instead of {} (0.8 of the {} there are)",
                                      inputs.electrode, c.subset_size, config.subset_size, table.y.size()));
  c.runs = contribution_runs(config, inputs, context);
  c.halves = half_samples(config, inputs, groups, context);
  const SeedZero zero = fit_seed_zero(config, inputs, groups, context, c);
  const PermutationFloor floor = permutation_floor(config, inputs, groups, context);
  const std::vector<double> q = benjamini_hochberg(floor.p);
  for (std::size_t f = 0; f < table.features.size(); ++f) {
    c.attributes.push_back(attribute_row(c, inputs, groups, zero, floor, f));
    c.attributes.back().q = q[groups.unit_of[f]];
  }
  for (std::size_t g = 0; g < c.groups.size(); ++g)
    c.groups[g] = estimate(c, [g](const ContributionScores& s) { return s.group[g]; });
  c.self = estimate(c, [](const ContributionScores& s) { return s.self; });
  c.neighbour = estimate(c, [](const ContributionScores& s) { return s.neighbour; });
  c.share_neighbour = estimate(c, [](const ContributionScores& s) { return s.share(); });
  if (c.share_neighbour.high > 1) c.share_neighbour.high = 1;
  const SpatialScore spatial = spatial_cross_validation(config, inputs, context);
  c.spatial_cv_r2 = spatial.r2;
  c.spatial_cv_mae = spatial.mae;
  return c;
}

SpatialScore spatial_cross_validation(const RegressionConfig& config, const ContributionInputs& inputs,
                                      const Context& context) {
  const ModelTable& table = inputs.table;
  const std::size_t n = table.y.size();
  const auto folds = static_cast<std::size_t>(config.spatial_folds);
  if (folds < 2 || table.position.size() != n || n < 2 * folds) return {nothing, nothing};
  const auto extent = [&](std::size_t axis) {
    const auto [low, high] = std::minmax_element(table.position.begin(), table.position.end(),
                                                 [&](const auto& a, const auto& b) { return a[axis] < b[axis]; });
    return (*high)[axis] - (*low)[axis];
  };
  const std::size_t axis = extent(1) > extent(0) ? 1 : 0;  // not depth: a forest cannot reach beyond the Z it has seen
  std::vector<std::int64_t> order = all_rows(n);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return table.position[static_cast<std::size_t>(a)][axis] < table.position[static_cast<std::size_t>(b)][axis];
  });
  std::vector<double> predicted(n);
  for (std::size_t k = 0; k < folds; ++k) {
    context.progress.check_stop();
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(n * k / folds);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(n * (k + 1) / folds);
    const std::vector<std::int64_t> test(begin, end);
    std::vector<std::int64_t> train(order.begin(), begin);
    train.insert(train.end(), end, order.end());
    const std::uint64_t seed = run_seed(config, inputs, "fold", static_cast<std::int64_t>(k));
    const Forest forest = grow_forest(rows_at(table.x, train), values_at(table.y, train), table.features,
                                      grow_options(config, table.features.size(), seed), context.threads)
                              .forest;
    const std::vector<double> p = predict(forest, rows_at(table.x, test), context.threads);
    for (std::size_t i = 0; i < test.size(); ++i) predicted[static_cast<std::size_t>(test[i])] = p[i];
  }
  double error = 0;
  for (std::size_t i = 0; i < n; ++i) error += std::abs(predicted[i] - table.y[i]);
  return {r2_score(table.y, predicted), error / static_cast<double>(n)};
}

std::vector<ContributionDifference> contribution_differences(const Contributions& first, const Contributions& second) {
  std::vector<ContributionDifference> result;
  std::vector<double> p;
  for (std::size_t f = 0; f < first.attributes.size(); ++f) {
    const auto other = std::find_if(second.attributes.begin(), second.attributes.end(), [&](const auto& a) {
      return canonical_attribute_name(a.attribute) == canonical_attribute_name(first.attributes[f].attribute);
    });
    if (other == second.attributes.end()) continue;
    const auto g = static_cast<std::size_t>(other - second.attributes.begin());
    const Pick of_first = [f](const ContributionScores& s) { return s.attribute[f]; };
    const Pick of_second = [g](const ContributionScores& s) { return s.attribute[g]; };
    std::vector<double> differences;
    for (std::size_t r = 0; r < std::min(first.runs.size(), second.runs.size()); ++r)
      differences.push_back(of_second(second.runs[r].scores) - of_first(first.runs[r].scores));
    std::vector<double> spread = deviations(second.halves, of_second);
    const std::vector<double> spread_first = deviations(first.halves, of_first);
    spread.resize(std::min(spread.size(), spread_first.size()));
    for (std::size_t h = 0; h < spread.size(); ++h) spread[h] -= spread_first[h];
    const double mean = mean_of(differences);
    result.push_back({first.attributes[f].attribute, mean, sd_of(differences), interval_around(mean, spread), nothing});
    const double sd = sd_of(spread);
    p.push_back(sd > 0 ? normal_p(mean / sd) : nothing);
  }
  const std::vector<double> q = benjamini_hochberg(p);
  for (std::size_t i = 0; i < result.size(); ++i) result[i].q = q[i];
  return result;
}

namespace {

ModelTable half_of(const ModelTable& table, const std::vector<std::int64_t>& index) {
  ModelTable half;
  half.features = table.features;
  half.x = rows_at(table.x, index);
  half.y = values_at(table.y, index);
  for (const std::int64_t i : index) {
    half.source_row.push_back(table.source_row[static_cast<std::size_t>(i)]);
    half.position.push_back(table.position[static_cast<std::size_t>(i)]);
  }
  return half;
}

Contributions runs_only(const RegressionConfig& config, const ContributionInputs& inputs, const Context& context) {
  Contributions c;
  for (const std::string& name : inputs.table.features) c.attributes.emplace_back().attribute = name;
  c.runs = contribution_runs(config, inputs, context);
  c.halves = half_samples(config, inputs, feature_groups(inputs.table.features), context);
  return c;
}

/// The runs of the half of the particles with low X, and of that with high X; none without positions.
std::vector<Contributions> sham_runs(const RegressionConfig& config, const ContributionInputs& inputs,
                                     const Context& context) {
  const ModelTable& table = inputs.table;
  if (table.position.size() != table.y.size() || table.y.size() < 20) return {};
  std::vector<std::int64_t> order = all_rows(table.y.size());
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return table.position[static_cast<std::size_t>(a)][0] < table.position[static_cast<std::size_t>(b)][0];
  });
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2);
  const ModelTable low = half_of(table, {order.begin(), middle}), high = half_of(table, {middle, order.end()});
  const ContributionInputs low_inputs{low, inputs.electrode + "/low X", inputs.profile, inputs.seed, {}, inputs.pieces};
  const ContributionInputs high_inputs{high,         inputs.electrode + "/high X", inputs.profile, inputs.seed, {},
                                       inputs.pieces};
  return {runs_only(config, low_inputs, context), runs_only(config, high_inputs, context)};
}

}  // namespace

std::vector<ContributionDifference> sham_differences(const RegressionConfig& config, const ContributionInputs& inputs,
                                                     const Context& context) {
  const auto halves = sham_runs(config, inputs, context);
  if (halves.empty()) return {};
  return contribution_differences(halves.front(), halves.back());
}

void sham_pieces(const RegressionConfig& config, const ContributionInputs& inputs, const Context& context) {
  (void)sham_runs(config, inputs, context);
}

}  // namespace cathoscope
