#include <cathoscope/pipeline/verify_regression.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/phantom/phantom.hpp>
#include <cathoscope/regression/contributions.hpp>
#include <cathoscope/regression/damage_tables.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <numeric>

namespace cathoscope {

namespace {

namespace fs = std::filesystem;

/// Sums of at most some thousand terms of order 1 in double precision.
constexpr double rounding = 1e-12;
/// The one rule of additivity: |E + sum phi - f| <= 1e-10 max(1, |f|).
constexpr double additivity = 1e-10;

void add_leaf(Tree& t, double value, double cover) {
  t.left.push_back(-1);
  t.right.push_back(-1);
  t.feature.push_back(-2);
  t.threshold.push_back(-2);
  t.value.push_back(value);
  t.cover.push_back(cover);
}

void split_leaf(Tree& t, std::size_t node, std::size_t feature, double threshold, double left_share, Stream& random) {
  t.feature[node] = static_cast<std::int32_t>(feature);
  t.threshold[node] = threshold;
  const double left = std::floor(t.cover[node] * left_share);
  t.left[node] = static_cast<std::int32_t>(t.nodes());
  add_leaf(t, random.normal(), left);
  t.right[node] = static_cast<std::int32_t>(t.nodes());
  add_leaf(t, random.normal(), t.cover[node] - left);
}

Forest forest_of(Tree tree, std::size_t features) {
  Forest forest;
  for (std::size_t f = 0; f < features; ++f) forest.feature_names.push_back(fmt::format("f{}", f));
  forest.trees.push_back(std::move(tree));
  return forest;
}

/// Random splits of random leaves; features and thresholds repeat on a path.
Forest random_forest(Stream& random, std::size_t features, int splits) {
  Tree tree;
  add_leaf(tree, 0, 1000);
  std::vector<std::size_t> leaves{0};
  for (int s = 0; s < splits; ++s) {
    const auto at = static_cast<std::size_t>(random.below(leaves.size()));
    const std::size_t node = leaves[at];
    split_leaf(tree, node, static_cast<std::size_t>(random.below(features)), static_cast<double>(random.below(10)),
               random.uniform(0.1, 0.9), random);
    leaves[at] = static_cast<std::size_t>(tree.left[node]);
    leaves.push_back(static_cast<std::size_t>(tree.right[node]));
  }
  return forest_of(std::move(tree), features);
}

FeatureRows random_rows(Stream& random, std::size_t rows, std::size_t features) {
  FeatureRows x{rows, features, {}};
  for (std::size_t i = 0; i < rows * features; ++i) x.values.push_back(static_cast<float>(random.uniform(0, 10)));
  return x;
}

/// Value of the coalition whose features are the bits of `known`.
using Game = std::function<double(unsigned known)>;

std::vector<double> shapley_by_definition(const Game& game, std::size_t m) {
  const auto factorial = [](std::size_t n) { return std::tgamma(static_cast<double>(n) + 1); };
  std::vector<double> value, phi(m, 0);
  for (unsigned s = 0; s < 1U << m; ++s) value.push_back(game(s));
  for (std::size_t i = 0; i < m; ++i)
    for (unsigned s = 0; s < 1U << m; ++s) {
      if ((s >> i) & 1U) continue;
      const auto size = static_cast<std::size_t>(std::popcount(s));
      phi[i] += factorial(size) * factorial(m - size - 1) / factorial(m) * (value[s | 1U << i] - value[s]);
    }
  return phi;
}

double path_dependent(const Tree& t, const float* row, unsigned known, std::size_t node = 0) {
  if (t.is_leaf(node)) return t.value[node];
  const auto l = static_cast<std::size_t>(t.left[node]), r = static_cast<std::size_t>(t.right[node]);
  const auto f = static_cast<std::size_t>(t.feature[node]);
  if ((known >> f) & 1U) return path_dependent(t, row, known, row[f] <= t.threshold[node] ? l : r);
  const double share = left_share(t, node);
  return share * path_dependent(t, row, known, l) + (1 - share) * path_dependent(t, row, known, r);
}

double interventional(const Forest& forest, const float* row, const FeatureRows& background, unsigned known) {
  double sum = 0;
  for (std::size_t b = 0; b < background.rows; ++b) {
    std::vector<float> mixed(background.row(b), background.row(b) + background.features);
    for (std::size_t f = 0; f < mixed.size(); ++f)
      if ((known >> f) & 1U) mixed[f] = row[f];
    sum += predict(forest, mixed.data());
  }
  return sum / static_cast<double>(background.rows);
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = a.size() == b.size() ? 0 : 1e300;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Largest error of the one rule, relative to max(1, |f|).
double additivity_error(const Explanation& e, std::size_t features) {
  double largest = 0;
  for (std::size_t i = 0; i < e.prediction.size(); ++i) {
    const auto begin = e.phi.begin() + static_cast<std::ptrdiff_t>(i * features);
    const double sum = std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(features), e.expected_value);
    largest = std::max(largest, std::abs(sum - e.prediction[i]) / std::max(1.0, std::abs(e.prediction[i])));
  }
  return largest;
}

void verify_definition(std::vector<Verification>& out) {
  constexpr std::size_t m = 8;
  Stream random(1, {"verify", "definition"});
  double path = 0, background = 0;
  for (int round = 0; round < 20; ++round) {
    const Forest forest = random_forest(random, m, 5 + round);
    const FeatureRows x = random_rows(random, 1, m), others = random_rows(random, 4, m);
    const float* row = x.row(0);
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{64} << 20}) {
      const auto own = explain(Explainer(forest, {false, nullptr, bytes}, 1), x, 1).phi;
      const Game follow = [&](unsigned s) { return path_dependent(forest.trees[0], row, s); };
      path = std::max(path, largest_difference(own, shapley_by_definition(follow, m)));
      const auto mixed = explain(Explainer(forest, {false, &others, bytes}, 1), x, 1).phi;
      const Game replace = [&](unsigned s) { return interventional(forest, row, others, s); };
      background = std::max(background, largest_difference(mixed, shapley_by_definition(replace, m)));
    }
  }
  out.push_back({"20 random trees, 2^8 coalitions", "path-dependent", 0, path, rounding});
  out.push_back({"20 random trees, 2^8 coalitions", "interventional", 0, background, rounding});
}

/// One feature a split, 200 deep: more features on a path than fit a 64-bit mask.
void verify_chain(std::vector<Verification>& out) {
  constexpr std::size_t depth = 200;
  Stream random(2, {"verify", "chain"});
  Tree tree;
  add_leaf(tree, 0, 1e6);
  for (std::size_t f = 0, node = 0; f < depth; ++f) {
    split_leaf(tree, node, f, 5, 0.02, random);
    node = static_cast<std::size_t>(tree.right[node]);
  }
  const Forest forest = forest_of(std::move(tree), depth);
  const FeatureRows x = random_rows(random, 50, depth);
  const Explanation e = explain(Explainer(forest, {}, 1), x, 1);
  out.push_back({"chain of 200 splits", "additivity", 0, additivity_error(e, depth), additivity});
}

ModelTable planted_table(const std::string& preset, std::int64_t rows) {
  const PhantomConfig config = phantom_preset(preset);
  Table table = planted_rows(config, 1, rows, 0, rows);
  std::erase_if(table.columns, [](const Column& c) { return contains_cracks(c.name); });
  return model_table(table, "Damage");
}

void verify_grown(const Context& context, std::vector<Verification>& out) {
  const ModelTable table = planted_table("paper10", 1900);
  const auto grown =
      grow_forest(table.x, table.y, table.features, grow_options({}, table.features.size(), 1), context.threads);
  const auto tables = explain(Explainer(grown.forest, {}, context.threads), table.x, context.threads);
  const auto walked = explain(Explainer(grown.forest, {false, nullptr, 0}, context.threads), table.x, context.threads);
  const char* body = "40 trees of 30 leaves on 1,900 rows";
  out.push_back({body, "additivity", 0, additivity_error(tables, table.features.size()), additivity});
  out.push_back({body, "tables, walk", 0, largest_difference(tables.phi, walked.phi), rounding});
}

// ---- planted causes ------------------------------------------------------------------------------------------------

bool is_unit_of(const AttributeContribution& a, const std::vector<std::string>& planted) {
  const auto has = [&](const char* name) { return std::find(planted.begin(), planted.end(), name) != planted.end(); };
  if (a.attribute == "VSratio") return has("Sphericity");
  if (a.attribute == "SurfOuter") return has("Volume");
  return has(a.attribute.c_str());
}

/// How many of the planted attributes (a twin stands for its attribute) come before every other one.
double planted_first(const Contributions& c, const std::vector<std::string>& planted) {
  double best_other = 0;
  for (const auto& a : c.attributes)
    if (!is_unit_of(a, planted)) best_other = std::max(best_other, a.mean_abs_shap.value);
  const auto found = [&](const std::string& name) {
    return std::any_of(c.attributes.begin(), c.attributes.end(),
                       [&](const auto& a) { return is_unit_of(a, {name}) && a.mean_abs_shap.value > best_other; });
  };
  return static_cast<double>(std::count_if(planted.begin(), planted.end(), found));
}

Contributions protocol(const std::string& preset, std::int64_t rows, std::int64_t permutations,
                       const Context& context) {
  RegressionConfig config;
  config.seeds = 5;
  config.subsets = config.half_samples = config.spatial_folds = 0;
  config.permutations = permutations;
  const ModelTable table = planted_table(preset, rows);
  return contributions(config, {table, preset, "leak_free", 1, {}}, context);
}

void verify_planted(bool full, const Context& context, std::vector<Verification>& out) {
  constexpr std::int64_t rows = 1500;
  for (const std::string preset : {"paper10", "paper50", "swapped", "swapped50"}) {
    std::vector<std::string> planted;
    for (const PlantTerm& term : phantom_preset(preset).plant.terms) planted.push_back(term.attribute);
    const Contributions c = protocol(preset, rows, 0, context);
    const bool around = preset == "paper50" || preset == "swapped";
    const std::string body = fmt::format("table {}, {} rows", preset, rows);
    out.push_back({body, "planted first", static_cast<double>(planted.size()), planted_first(c, planted), 0});
    out.push_back({body, "neighbours lead", around ? 1.0 : 0.0, c.neighbour.value > c.self.value ? 1.0 : 0.0, 0});
  }
  const Contributions none = protocol("paper0", rows, full ? 999 : 0, context);
  const std::string body = fmt::format("table paper0, {} rows", rows);
  out.push_back({body, "R2 above 0", 0, std::max(0.0, none.oob_r2), 0.05});
  if (!full) return;
  const auto rejected = std::count_if(none.attributes.begin(), none.attributes.end(),
                                      [](const AttributeContribution& a) { return a.q < 0.05; });
  out.push_back({body, "q below 0.05", 0, static_cast<double>(rejected), 0});
}

/// A depth trend, and a residual that is alike among neighbours or not.
DamagedParticles with_depth_trend(bool clustered) {
  constexpr std::int64_t rows = 1500;
  PhantomConfig config = phantom_preset("clustered");
  config.plant.terms = {{"Z", 0.8}};
  if (!clustered) {
    config.plant.noise = std::hypot(config.plant.noise, config.plant.cluster_amplitude);
    config.plant.cluster_amplitude = 0;
  }
  return electrode_particles("e", model_table(planted_rows(config, 1, rows, 0, rows), "Damage")).particles;
}

void verify_clustering(const Context& context, std::vector<Verification>& out) {
  for (const bool clustered : {true, false}) {
    const DamagedParticles particles = with_depth_trend(clustered);
    const double moran = spatial_coupling(particles, 199, 1, context).moran.stratified.p;
    const double severe = quantile_of(particles.damage, 0.9);
    const double near = severe_agglomeration(particles, severe, 199, 1, context).mean_distance.stratified.p;
    const std::string body = clustered ? "depth trend, clustered" : "depth trend, not clustered";
    const double expected = clustered ? 1 : 0;
    out.push_back({body, "S12, p < 0.05", expected, moran < 0.05 ? 1.0 : 0.0, 0});
    out.push_back({body, "2C, p < 0.05", expected, near < 0.05 ? 1.0 : 0.0, 0});
  }
}

// ---- reference forests ---------------------------------------------------------------------------------------------

struct Reference {
  FeatureRows x;
  std::vector<double> y;
};

/// The rows that the forest was trained on; the last column is the target.
Reference training_rows(const fs::path& folder, const std::string& table, const Forest& forest) {
  const Table csv = read_csv(folder / (table + "_Xy.csv"));
  const Reference all{feature_rows(csv, forest.feature_names), csv.columns.back().numbers};
  return {rows_at(all.x, forest.train_index), values_at(all.y, forest.train_index)};
}

std::vector<double> all_numbers(const fs::path& file) {
  const Table table = read_csv(file);
  std::vector<double> values;
  for (std::size_t i = 0; i < table.rows(); ++i)
    for (const Column& c : table.columns) values.push_back(c.numbers[i]);
  return values;
}

FeatureRows first_rows(const FeatureRows& x, std::size_t rows) {
  return {rows, x.features, {x.values.begin(), x.values.begin() + static_cast<std::ptrdiff_t>(rows * x.features)}};
}

/// Nodes that differ from scikit-learn's.
double different_nodes(const Forest& a, const Forest& b) {
  double count = 0;
  for (std::size_t t = 0; t < a.trees.size(); ++t) {
    const Tree &p = a.trees[t], &q = b.trees[t];
    for (std::size_t k = 0; k < std::max(p.nodes(), q.nodes()); ++k)
      count += k >= p.nodes() || k >= q.nodes() || p.feature[k] != q.feature[k] || p.threshold[k] != q.threshold[k] ||
               p.left[k] != q.left[k];
  }
  return count;
}

void verify_reference(const fs::path& folder, const Context& context, std::vector<Verification>& out) {
  for (const std::string table : {"particles10", "diabetes"}) {
    const Forest forest = forest_from_json(read_text(folder / (table + "_mse_forest.json")));
    const Reference train = training_rows(folder, table, forest);
    GrowOptions options;
    options.criterion = Criterion::squared_error;
    options.draws = Draws::sklearn;
    const auto grown = grow_forest(train.x, train.y, forest.feature_names, options, context.threads);
    out.push_back({table + ", squared_error", "other nodes", 0, different_nodes(forest, grown.forest), 0});
  }
  for (const std::string name : {"particles10_mae", "diabetes_mae", "diabetes_deep"}) {
    const Forest forest = forest_from_json(read_text(folder / (name + "_forest.json")));
    const FeatureRows x = training_rows(folder, name.substr(0, name.find('_')), forest).x;
    const std::size_t m = forest.feature_names.size();
    const auto e = explain(Explainer(forest, {}, context.threads), x, context.threads);
    out.push_back({name + ", shap", "path-dependent", 0,
                   largest_difference(e.phi, all_numbers(folder / (name + "_shap.csv"))), rounding});
    out.push_back({name, "additivity", 0, additivity_error(e, m), additivity});
    const auto exact = all_numbers(folder / (name + "_shap_interventional_exact.csv"));
    const FeatureRows background = first_rows(x, name == "diabetes_mae" ? 100 : 50),
                      explained = first_rows(x, exact.size() / m);
    const auto mixed = explain(Explainer(forest, {false, &background}, context.threads), explained, context.threads);
    out.push_back({name + ", exact", "interventional", 0, largest_difference(mixed.phi, exact), rounding});
  }
}

}  // namespace

std::vector<Verification> verify_regression(bool full, const Context& context) {
  std::vector<Verification> out;
  verify_definition(out);
  verify_chain(out);
  verify_grown(context, out);
  verify_planted(full, context, out);
  verify_clustering(context, out);
  const char* data = std::getenv("CATHOSCOPE_TEST_DATA");
  const fs::path folder = fs::path(data == nullptr ? "" : data) / "forest_reference";
  if (data != nullptr && fs::is_directory(folder))
    verify_reference(folder, context, out);
  else
    context.progress.warn("the reference forests of scikit-learn are not here ($CATHOSCOPE_TEST_DATA): left out");
  return out;
}

}  // namespace cathoscope
