#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/regression/forest.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace cathoscope {

namespace {

void require_size(std::size_t size, std::size_t nodes, const char* name, std::size_t tree) {
  if (size != nodes)
    fail(Exit::data, "forest: tree {}: '{}' has {} entries, 'children_left' has {}", tree, name, size, nodes);
}

void validate_sizes(const Tree& tree, std::size_t index) {
  const std::size_t n = tree.nodes();
  if (n == 0) fail(Exit::data, "forest: tree {} has no nodes", index);
  if (n > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    fail(Exit::data, "forest: tree {} has {} nodes; at most 2^31 - 1 are supported", index, n);
  require_size(tree.right.size(), n, "children_right", index);
  require_size(tree.feature.size(), n, "feature", index);
  require_size(tree.threshold.size(), n, "threshold", index);
  require_size(tree.value.size(), n, "value", index);
  require_size(tree.cover.size(), n, "weighted_n_node_samples", index);
  if (!tree.impurity.empty()) require_size(tree.impurity.size(), n, "impurity", index);
  if (!tree.samples.empty()) require_size(tree.samples.size(), n, "n_node_samples", index);
}

void validate_numbers(const Tree& tree, std::size_t index) {
  for (std::size_t i = 0; i < tree.nodes(); ++i) {
    if (!std::isfinite(tree.threshold[i]) || !std::isfinite(tree.value[i]))
      fail(Exit::data, "forest: tree {}, node {}: threshold {} and value {} must be finite", index, i,
           text_of(tree.threshold[i]), text_of(tree.value[i]));
    if (!std::isfinite(tree.cover[i]) || tree.cover[i] < 0)
      fail(Exit::data, "forest: tree {}, node {}: weighted_n_node_samples is {}; it must be finite and not negative",
           index, i, text_of(tree.cover[i]));
  }
  if (tree.cover[0] <= 0)
    fail(Exit::data, "forest: tree {}: weighted_n_node_samples of the root must be positive", index);
}

/// Every node but the root must be the child of exactly one node that the root leads to.
void validate_shape(const Tree& tree, std::size_t index, std::size_t features) {
  const auto n = static_cast<std::int32_t>(tree.nodes());
  std::vector<char> reached(tree.nodes(), 0);
  std::vector<std::int32_t> open{0};
  reached[0] = 1;
  std::size_t count = 1;
  while (!open.empty()) {
    const std::int32_t node = open.back();
    open.pop_back();
    const auto i = static_cast<std::size_t>(node);
    if (tree.left[i] == -1 && tree.right[i] == -1) continue;
    if (tree.feature[i] < 0 || static_cast<std::size_t>(tree.feature[i]) >= features)
      fail(Exit::data, "forest: tree {}, node {}: feature {} is not in 0..{}", index, node, tree.feature[i],
           features - 1);
    for (const std::int32_t child : {tree.left[i], tree.right[i]}) {
      if (child < 0 || child >= n)
        fail(Exit::data, "forest: tree {}, node {}: child {} is not in 0..{}", index, node, child, n - 1);
      if (reached[static_cast<std::size_t>(child)])
        fail(Exit::data, "forest: tree {}, node {}: child {} has another parent; the nodes must form a tree", index,
             node, child);
      reached[static_cast<std::size_t>(child)] = 1;
      ++count;
      open.push_back(child);
    }
  }
  if (count != tree.nodes())
    fail(Exit::data, "forest: tree {}: {} of {} nodes cannot be reached from the root", index, tree.nodes() - count,
         tree.nodes());
}

const Column* find_by_canonical_name(const Table& table, const std::string& name) {
  const std::string canonical = canonical_attribute_name(name);
  for (const Column& c : table.columns)
    if (canonical_attribute_name(c.name) == canonical) return &c;
  return nullptr;
}

const Column& feature_column(const Table& table, const std::string& name) {
  const Column* column = table.find(name);
  if (column == nullptr) column = find_by_canonical_name(table, name);
  if (column == nullptr) {
    std::vector<std::string> names;
    for (const Column& c : table.columns) names.push_back(c.name);
    const auto near = nearest_name(name, names);
    fail(Exit::data, "the table has no column '{}' that the forest needs{}", name,
         near ? fmt::format("; did you mean to call '{}' so?", *near) : "");
  }
  if (!column->texts.empty())
    fail(Exit::data, "column '{}' is not numeric: its first value is '{}'", name, column->texts.front());
  return *column;
}

}  // namespace

void validate(const Forest& forest) {
  if (forest.feature_names.empty()) fail(Exit::data, "forest: no features");
  std::set<std::string> names;
  for (const std::string& name : forest.feature_names)
    if (!names.insert(name).second) fail(Exit::data, "forest: two features are called '{}'", name);
  if (forest.trees.empty()) fail(Exit::data, "forest: no trees");
  if (!forest.gap_fill.empty() && forest.gap_fill.size() != forest.feature_names.size())
    fail(Exit::data, "forest: 'gap_fill' has {} values for {} features", forest.gap_fill.size(),
         forest.feature_names.size());
  for (const double value : forest.gap_fill)
    if (!std::isfinite(static_cast<float>(value)))
      fail(Exit::data, "forest: 'gap_fill' holds {}, which is no finite float32", text_of(value));
  for (std::size_t t = 0; t < forest.trees.size(); ++t) {
    validate_sizes(forest.trees[t], t);
    validate_numbers(forest.trees[t], t);
    validate_shape(forest.trees[t], t, forest.feature_names.size());
  }
}

std::string canonical_attribute_name(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> aliases{
      {{"Edensity", "EDensity"},
       {"Vsratio", "VSratio"},
       {"DisNearest", "DistNearest"},
       {"locVolume", "VolumeStd"},
       {"locOri", "OrienIso"},
       {"locElongation", "ElongStd"},
       {"locSphericity", "SphericityStd"}}};
  for (const auto& [alias, canonical] : aliases)
    if (name == alias) return std::string(canonical);
  return name;
}

FeatureRows feature_rows(const Table& table, const std::vector<std::string>& names) {
  FeatureRows result{table.rows(), names.size(), {}};
  result.values.resize(result.rows * result.features);
  for (std::size_t f = 0; f < names.size(); ++f) {
    const Column& column = feature_column(table, names[f]);
    const bool ids = !column.ids.empty();
    for (std::size_t i = 0; i < result.rows; ++i) {
      const double value = ids ? static_cast<double>(column.ids[i]) : column.numbers[i];
      const auto narrow = static_cast<float>(value);
      if (!std::isfinite(narrow))
        fail(Exit::data, "column '{}', row {}: the value is {}; a forest needs finite numbers below 3.4e38", names[f],
             i + 1, std::isnan(value) ? "missing" : text_of(value));
      result.values[i * result.features + f] = narrow;
    }
  }
  return result;
}

std::size_t leaf_of(const Tree& tree, const float* row) {
  std::size_t node = 0;
  while (!tree.is_leaf(node)) {
    const bool left = row[tree.feature[node]] <= tree.threshold[node];
    node = static_cast<std::size_t>(left ? tree.left[node] : tree.right[node]);
  }
  return node;
}

double predict(const Forest& forest, const float* row) {
  double sum = 0;
  for (const Tree& tree : forest.trees) sum += tree.value[leaf_of(tree, row)];
  return sum / static_cast<double>(forest.trees.size());
}

std::vector<double> predict(const Forest& forest, const FeatureRows& rows, int threads) {
  constexpr std::size_t block = 1024;
  std::vector<double> result(rows.rows);
  parallel_for(static_cast<std::int64_t>((rows.rows + block - 1) / block), threads, [&](std::int64_t b) {
    const std::size_t first = static_cast<std::size_t>(b) * block;
    for (std::size_t i = first; i < std::min(first + block, rows.rows); ++i) result[i] = predict(forest, rows.row(i));
  });
  return result;
}

std::size_t depth_of(const Tree& tree) {
  std::size_t deepest = 0;
  std::vector<std::pair<std::size_t, std::size_t>> open{{0, 0}};
  while (!open.empty()) {
    const auto [node, depth] = open.back();
    open.pop_back();
    deepest = std::max(deepest, depth);
    if (tree.is_leaf(node)) continue;
    open.emplace_back(static_cast<std::size_t>(tree.left[node]), depth + 1);
    open.emplace_back(static_cast<std::size_t>(tree.right[node]), depth + 1);
  }
  return deepest;
}

double left_share(const Tree& tree, std::size_t node) {
  const double left = tree.cover[static_cast<std::size_t>(tree.left[node])];
  const double right = tree.cover[static_cast<std::size_t>(tree.right[node])];
  return left + right > 0 ? left / (left + right) : 0.5;
}

double expected_value(const Forest& forest) {
  double sum = 0;
  std::vector<std::pair<std::size_t, double>> open;
  for (const Tree& tree : forest.trees) {
    double mean = 0;
    open.assign(1, {0, 1.0});
    while (!open.empty()) {
      const auto [node, share] = open.back();
      open.pop_back();
      if (tree.is_leaf(node)) {
        mean += share * tree.value[node];
        continue;
      }
      const double left = left_share(tree, node);
      open.emplace_back(static_cast<std::size_t>(tree.right[node]), share * (1 - left));
      open.emplace_back(static_cast<std::size_t>(tree.left[node]), share * left);
    }
    sum += mean;
  }
  return sum / static_cast<double>(forest.trees.size());
}

}  // namespace cathoscope
