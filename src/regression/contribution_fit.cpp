#include "contribution_fit.hpp"

#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cathoscope {

namespace {

/// Attributes that measure nearly the same thing: a forest may use either.
constexpr std::array<std::array<std::string_view, 3>, 2> twins{
    {{"Sphericity", "VSratio", ""}, {"SurfInner", "SurfOuter", "Volume"}}};

std::size_t twin_group(const std::string& name) {
  const std::string canonical = canonical_attribute_name(name);
  for (std::size_t g = 0; g < twins.size(); ++g)
    if (std::find(twins[g].begin(), twins[g].end(), canonical) != twins[g].end()) return g;
  return twins.size();
}

std::string group_of(const std::string& name) {
  const std::size_t a = attribute_index(canonical_attribute_name(name));
  return a < attribute_list.size() ? std::string(attribute_list[a].group) : "";
}

}  // namespace

FeatureGroups feature_groups(const std::vector<std::string>& names) {
  FeatureGroups result;
  std::array<std::size_t, twins.size()> unit_of_twins{};
  unit_of_twins.fill(names.size());
  for (std::size_t f = 0; f < names.size(); ++f) {
    result.group.push_back(group_of(names[f]));
    const std::size_t twin = twin_group(names[f]);
    const bool known = twin < twins.size() && unit_of_twins[twin] < names.size();
    const std::size_t unit = known ? unit_of_twins[twin] : result.unit.size();
    if (!known) result.unit.emplace_back();
    if (twin < twins.size()) unit_of_twins[twin] = unit;
    result.unit[unit].push_back(f);
    result.unit_of.push_back(unit);
  }
  return result;
}

std::uint64_t run_seed(const RegressionConfig& config, const ContributionInputs& inputs, std::string_view kind,
                       std::int64_t run) {
  if (config.rng == "sklearn") return static_cast<std::uint64_t>(run);
  return stream_key(inputs.seed, {"regression", inputs.electrode, kind}, static_cast<std::uint64_t>(run));
}

ContributionScores scores_of(const Explanation& explanation, const FeatureGroups& groups) {
  const std::size_t m = groups.group.size(), n = explanation.prediction.size();
  ContributionScores s;
  s.attribute.assign(m, 0);
  s.unit.assign(groups.unit.size(), 0);
  std::vector<std::size_t> group(m);
  for (std::size_t f = 0; f < m; ++f)
    group[f] = static_cast<std::size_t>(std::find(attribute_groups.begin(), attribute_groups.end(), groups.group[f]) -
                                        attribute_groups.begin());
  std::vector<double> unit(groups.unit.size());
  std::size_t rows = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double* phi = explanation.phi.data() + i * m;
    if (std::isnan(explanation.prediction[i])) continue;  // out of bag: seen by every tree
    std::array<double, 5> sums{};
    std::fill(unit.begin(), unit.end(), 0.0);
    for (std::size_t f = 0; f < m; ++f) {
      s.attribute[f] += std::abs(phi[f]);
      sums[group[f]] += phi[f];
      unit[groups.unit_of[f]] += phi[f];
    }
    for (std::size_t g = 0; g < 4; ++g) s.group[g] += std::abs(sums[g]);
    s.self += std::abs(sums[0] + sums[1] + sums[2]);
    s.neighbour += std::abs(sums[3]);
    for (std::size_t u = 0; u < unit.size(); ++u) s.unit[u] += std::abs(unit[u]);
    ++rows;
  }
  const double scale = rows > 0 ? 1.0 / static_cast<double>(rows) : std::numeric_limits<double>::quiet_NaN();
  for (double& v : s.attribute) v *= scale;
  for (double& v : s.group) v *= scale;
  for (double& v : s.unit) v *= scale;
  s.self *= scale;
  s.neighbour *= scale;
  return s;
}

std::string piece_name(const ContributionInputs& inputs, const std::string& kind, std::int64_t run) {
  return fmt::format("{} {} {} {}", inputs.profile, kind, run, inputs.electrode);
}

Shard shard_of(const ContributionInputs& inputs) { return inputs.pieces == nullptr ? Shard{} : inputs.pieces->shard; }

bool is_of(const Shard& shard, const ContributionInputs& inputs, const std::string& kind, std::int64_t run) {
  return is_of(shard, fmt::format("{} {} {}", inputs.profile, kind, inputs.electrode), static_cast<std::uint64_t>(run));
}

std::vector<double> flat_scores(const ContributionScores& s) {
  std::vector<double> flat = s.attribute;
  flat.insert(flat.end(), s.group.begin(), s.group.end());
  flat.push_back(s.self);
  flat.push_back(s.neighbour);
  flat.insert(flat.end(), s.unit.begin(), s.unit.end());
  return flat;
}

ContributionScores scores_from(const std::vector<double>& flat, std::size_t attributes, std::size_t units) {
  ContributionScores s;
  auto at = flat.begin();
  const auto take = [&](std::size_t count) {
    const auto from = at;
    return std::vector<double>(from, at += static_cast<std::ptrdiff_t>(count));
  };
  s.attribute = take(attributes);
  std::copy_n(at, s.group.size(), s.group.begin());
  at += static_cast<std::ptrdiff_t>(s.group.size());
  s.self = *at++;
  s.neighbour = *at++;
  s.unit = take(units);
  return s;
}

ContributionScores fitted_scores(const RegressionConfig& config, const FeatureRows& x, const std::vector<double>& y,
                                 const std::vector<std::string>& names, std::uint64_t seed,
                                 const FeatureGroups& groups) {
  const GrownForest grown = grow_forest(x, y, names, grow_options(config, names.size(), seed), 1);
  // Few rows are walked through a tree sooner than a large table of all they could be is made.
  constexpr std::size_t table_bytes_a_row = 256;
  ShapOptions options;
  options.table_bytes = std::min(options.table_bytes, grown.forest.trees.size() * x.rows * table_bytes_a_row);
  return scores_of(explain(Explainer(grown.forest, options, 1), x, 1), groups);
}

namespace {

/// Scores of one unit's columns while they are permuted together, all others intact.
class UnitTest {
 public:
  UnitTest(const RegressionConfig& config, const ContributionInputs& inputs, const FeatureGroups& groups,
           std::size_t unit)
      : config_(config),
        inputs_(inputs),
        groups_(groups),
        unit_(unit),
        seed_(run_seed(config, inputs, "seed", 0)),
        kind_("permuted " + inputs.table.features[groups.unit[unit].front()]) {}

  /// A shard takes the draws of the others to exceed as often as its own: what it leaves out too early is computed by the
  /// run that needs it.
  void run(double observed, const Progress& progress) {
    constexpr std::size_t least = 99, enough = 10;
    const auto most = static_cast<std::size_t>(config_.permutations);
    const Shard shard = shard_of(inputs_);
    std::size_t exceed = 0;
    for (std::size_t draw = 0; draw < most && (exceed < enough || draw < least); ++draw) {
      if (!is_of(shard, inputs_, kind_, static_cast<std::int64_t>(draw))) continue;
      progress.check_stop();
      const std::vector<double> scores = finished_draw(draw);
      null_.push_back(scores.front());
      for (std::size_t i = 0; i < features().size(); ++i) columns_[features()[i]].push_back(scores[1 + i]);
      if (null_.back() >= observed) exceed += static_cast<std::size_t>(shard.count);
    }
    p_ = permutation_p(null_, observed);
  }

  [[nodiscard]] double p() const { return p_; }
  /// NaN where a shard has no draw of it.
  [[nodiscard]] double floor(std::size_t feature) const {
    const auto scores = columns_.find(feature);
    if (scores == columns_.end()) return std::numeric_limits<double>::quiet_NaN();
    return quantile_of(scores->second, 0.95);
  }

 private:
  [[nodiscard]] const std::vector<std::size_t>& features() const { return groups_.unit[unit_]; }

  /// The unit's score, then those of its columns.
  [[nodiscard]] std::vector<double> finished_draw(std::size_t draw) const {
    return finished_or(inputs_.pieces, piece_name(inputs_, kind_, static_cast<std::int64_t>(draw)),
                       1 + features().size(), [&] {
                         const ContributionScores scores = permuted_scores(draw);
                         std::vector<double> values{scores.unit[unit_]};
                         for (const std::size_t f : features()) values.push_back(scores.attribute[f]);
                         return values;
                       });
  }

  [[nodiscard]] ContributionScores permuted_scores(std::size_t draw) const {
    const ModelTable& table = inputs_.table;
    std::vector<std::size_t> order(table.y.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const std::string name = table.features[groups_.unit[unit_].front()];
    Stream(inputs_.seed, {"regression", inputs_.electrode, "permutation", name}, draw)
        .shuffle(order.begin(), order.end());
    FeatureRows x = table.x;
    for (std::size_t i = 0; i < x.rows; ++i)
      for (const std::size_t f : groups_.unit[unit_]) x.values[i * x.features + f] = table.x.row(order[i])[f];
    return fitted_scores(config_, x, table.y, table.features, seed_, groups_);
  }

  const RegressionConfig& config_;
  const ContributionInputs& inputs_;
  const FeatureGroups& groups_;
  std::size_t unit_;
  std::uint64_t seed_;
  std::string kind_;  ///< of its pieces
  std::vector<double> null_;
  std::map<std::size_t, std::vector<double>> columns_;
  double p_ = 1;
};

}  // namespace

PermutationFloor permutation_floor(const RegressionConfig& config, const ContributionInputs& inputs,
                                   const FeatureGroups& groups, const Context& context) {
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  const std::size_t m = groups.group.size();
  PermutationFloor result{std::vector<double>(groups.unit.size(), nothing), std::vector<double>(m, nothing)};
  if (config.permutations == 0) return result;
  const ModelTable& table = inputs.table;
  const ContributionScores observed =
      fitted_scores(config, table.x, table.y, table.features, run_seed(config, inputs, "seed", 0), groups);
  context.progress.begin("permutations", groups.unit.size());
  parallel_for(static_cast<std::int64_t>(groups.unit.size()), context.threads, [&](std::int64_t u) {
    const auto unit = static_cast<std::size_t>(u);
    UnitTest test(config, inputs, groups, unit);
    test.run(observed.unit[unit], context.progress);
    result.p[unit] = test.p();
    for (const std::size_t f : groups.unit[unit]) result.floor[f] = test.floor(f);
    context.progress.advance();
  });
  return result;
}

}  // namespace cathoscope
