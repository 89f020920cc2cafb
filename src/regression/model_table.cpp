#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/regression/regression.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr double most_gaps = 0.2;

/// Columns of this program's tables that say how a particle was measured, not what it is like.
constexpr std::array<std::string_view, 16> bookkeeping{"index",
                                                       "row",
                                                       "n_voxels",
                                                       "n_components",
                                                       "touches_border",
                                                       "guard",
                                                       "knn_censored",
                                                       "axis_defined",
                                                       "damage_source",
                                                       "DamagePartialVolume",
                                                       "SphericityWadell",
                                                       "PDensity100",
                                                       "EDensityCalibrated",
                                                       "BinderContact",
                                                       "two_dimensional",
                                                       "DamageDefinitional"};

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool is_attribute(const std::string& name) {
  return attribute_index(canonical_attribute_name(name)) < attribute_list.size();
}

const Column* named(const Table& table, const std::string& name) {
  if (const Column* exact = table.find(name)) return exact;
  for (const Column& c : table.columns)
    if (canonical_attribute_name(c.name) == canonical_attribute_name(name)) return &c;
  return nullptr;
}

std::string list_of_columns(const Table& table) {
  std::string list;
  for (const Column& c : table.columns) list.append(list.empty() ? "" : ", ").append(c.name);
  return list;
}

const Column& target_column(const Table& table, const std::string& target) {
  const Column* column = named(table, target);
  if (column == nullptr)
    fail(Exit::config, "the table has no column '{}' to predict; its columns are: {}", target, list_of_columns(table));
  if (column->numbers.size() != table.rows())
    fail(Exit::config, "column '{}' is not numeric and cannot be predicted", target);
  return *column;
}

double value_at(const Column& column, std::size_t row) {
  if (row < column.ids.size()) return static_cast<double>(column.ids[row]);
  return row < column.numbers.size() ? column.numbers[row] : std::numeric_limits<double>::quiet_NaN();
}

/// Fits into float32 and is a number.
bool usable(double value) { return std::isfinite(static_cast<float>(value)); }

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

void choose_rows(const Table& table, const Column& target, const ModelColumns& columns, ModelTable& model) {
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const bool flagged = std::any_of(columns.exclude.begin(), columns.exclude.end(), [&](const std::string& name) {
      const Column* flag = table.find(name);
      return flag != nullptr && value_at(*flag, row) > 0;
    });
    if (flagged)
      ++model.rows_excluded;
    else if (!std::isfinite(target.numbers[row]))
      ++model.rows_without_target;
    else
      model.source_row.push_back(static_cast<std::int64_t>(row));
  }
  if (model.source_row.empty())
    fail(Exit::data, "no row is left: of {}, {} are flagged and {} have no '{}'", table.rows(), model.rows_excluded,
         model.rows_without_target, target.name);
}

/// The column at the model's rows with gaps filled; empty where it has too many.
std::vector<float> filled_column(const Column& column, ModelTable& model) {
  std::vector<double> known;
  for (const std::int64_t row : model.source_row)
    if (const double v = value_at(column, static_cast<std::size_t>(row)); usable(v)) known.push_back(v);
  const std::size_t gaps = model.source_row.size() - known.size();
  const bool inner_roughness = canonical_attribute_name(column.name) == "RoughInner";
  if (!inner_roughness && static_cast<double>(gaps) > most_gaps * static_cast<double>(model.source_row.size())) {
    model.left_out.emplace_back(column.name, gaps);
    return {};
  }
  if (gaps > 0) model.filled.emplace_back(column.name, gaps);
  const double fill = inner_roughness ? 1 : median_of(known);
  model.fill.push_back(static_cast<float>(fill));
  std::vector<float> values;
  for (const std::int64_t row : model.source_row) {
    const double v = value_at(column, static_cast<std::size_t>(row));
    values.push_back(static_cast<float>(usable(v) ? v : fill));
  }
  return values;
}

void fill_features(const Table& table, const std::vector<std::string>& names, ModelTable& model) {
  std::vector<std::vector<float>> filled;
  for (const std::string& name : names) {
    const Column* column = named(table, name);
    if (column == nullptr)
      fail(Exit::config, "the table has no column '{}'; its columns are: {}", name, list_of_columns(table));
    if (!column->texts.empty()) fail(Exit::config, "column '{}' is not numeric", name);
    std::vector<float> values = filled_column(*column, model);
    if (values.empty()) continue;
    model.features.push_back(column->name);
    filled.push_back(std::move(values));
  }
  if (filled.empty()) fail(Exit::data, "no column is left to predict with");
  model.x = {model.source_row.size(), filled.size(), std::vector<float>(model.source_row.size() * filled.size())};
  for (std::size_t f = 0; f < filled.size(); ++f)
    for (std::size_t i = 0; i < model.x.rows; ++i) model.x.values[i * filled.size() + f] = filled[f][i];
}

const Column& required_column(const Table& table, const std::string& name) {
  const Column* column = table.find(name);
  if (column == nullptr)
    fail(Exit::config, "the table has no column '{}'; its columns are: {}", name, list_of_columns(table));
  if (!column->texts.empty()) fail(Exit::config, "column '{}' is not numeric", name);
  return *column;
}

/// Ids as whole numbers; none where the table has no such column.
void keep_labels(const Table& table, const ModelColumns& columns, ModelTable& model) {
  if (columns.label_required) (void)required_column(table, columns.label);
  const Column* label = table.find(columns.label);
  if (label == nullptr || (!columns.label_required && label->ids.empty())) return;
  for (const std::int64_t row : model.source_row) {
    const auto i = static_cast<std::size_t>(row);
    if (i < label->ids.size()) {
      model.label.push_back(label->ids[i]);
      continue;
    }
    const double id = value_at(*label, i);
    if (!(id >= 0 && id < 9e15 && id == std::floor(id)))
      fail(Exit::config, "column '{}' holds no whole number in row {}: it cannot be the label", columns.label, i);
    model.label.push_back(static_cast<std::uint64_t>(id));
  }
}

/// Coordinates; an axis that has no value at all counts as 0 (two dimensions). With gaps there are no positions.
void keep_positions(const Table& table, const ModelColumns& columns, ModelTable& model) {
  std::vector<const Column*> axes;
  for (const std::string& name : columns.position) {
    if (columns.position_required) (void)required_column(table, name);
    if (const Column* axis = table.find(name); axis != nullptr && axis->texts.empty()) axes.push_back(axis);
  }
  if (axes.size() != columns.position.size() || axes.size() < 2) return;
  const auto empty = [&](const Column* axis) {
    return std::none_of(model.source_row.begin(), model.source_row.end(), [&](std::int64_t row) {
      return std::isfinite(value_at(*axis, static_cast<std::size_t>(row)));
    });
  };
  std::array<const Column*, 3> used{};
  for (std::size_t a = 0; a < axes.size() && a < 3; ++a) used[a] = empty(axes[a]) ? nullptr : axes[a];
  if (used[0] == nullptr || used[1] == nullptr) return;
  for (const std::int64_t row : model.source_row) {
    std::array<double, 3> p{};
    for (std::size_t a = 0; a < 3; ++a)
      if (used[a] != nullptr) p[a] = value_at(*used[a], static_cast<std::size_t>(row));
    if (!std::all_of(p.begin(), p.end(), [](double v) { return std::isfinite(v); })) ++model.rows_without_position;
    model.position.push_back(p);
  }
  if (model.rows_without_position > 0) model.position.clear();
}

}  // namespace

std::vector<std::string> model_features(const Table& table, const std::string& target, const ModelColumns& columns) {
  std::vector<std::string> attributes, others;
  const std::string canonical_target = canonical_attribute_name(target);
  for (const Column& c : table.columns) {
    const std::string name = canonical_attribute_name(c.name);
    if (!c.texts.empty() || name == canonical_target) continue;
    if (is_attribute(name) && name != "X" && name != "Y" && name != "Damage") attributes.push_back(c.name);
    if (name != columns.label && !contains(columns.position, name) && !contains(bookkeeping, name))
      others.push_back(c.name);
  }
  return attributes.size() >= 3 ? attributes : others;
}

ModelTable model_table(const Table& table, const std::string& target, const ModelColumns& columns) {
  const Column& y = target_column(table, target);
  ModelTable model;
  choose_rows(table, y, columns, model);
  fill_features(table, columns.features.empty() ? model_features(table, target, columns) : columns.features, model);
  keep_labels(table, columns, model);
  keep_positions(table, columns, model);
  for (const std::int64_t row : model.source_row) model.y.push_back(y.numbers[static_cast<std::size_t>(row)]);
  return model;
}

std::vector<std::string> ModelTable::notes() const {
  std::vector<std::string> result{fmt::format("{} rows used, {} flagged rows left out, {} without target", y.size(),
                                              rows_excluded, rows_without_target)};
  for (const auto& [name, gaps] : filled) result.push_back(fmt::format("column '{}': {} gaps filled", name, gaps));
  if (rows_without_position > 0)
    result.push_back(fmt::format("positions not used: {} of {} rows lack one", rows_without_position, y.size()));
  for (const auto& [name, gaps] : left_out)
    result.push_back(fmt::format("column '{}' left out: {} of {} values are missing", name, gaps, y.size()));
  return result;
}

FeatureRows rows_at(const FeatureRows& rows, const std::vector<std::int64_t>& index) {
  FeatureRows result{index.size(), rows.features, {}};
  result.values.reserve(index.size() * rows.features);
  for (const std::int64_t i : index) {
    const float* row = rows.row(static_cast<std::size_t>(i));
    result.values.insert(result.values.end(), row, row + rows.features);
  }
  return result;
}

std::vector<double> values_at(const std::vector<double>& values, const std::vector<std::int64_t>& index) {
  std::vector<double> result;
  result.reserve(index.size());
  for (const std::int64_t i : index) result.push_back(values[static_cast<std::size_t>(i)]);
  return result;
}

}  // namespace cathoscope
