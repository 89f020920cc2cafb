#include <cathoscope/latent/latent.hpp>

#include "links.hpp"
#include "model.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope {

using namespace latent_detail;

namespace {

constexpr std::int64_t least_spare_rows = 2;

void check_shape(const LatentInput& input) {
  if (input.electrodes.empty()) fail(Exit::data, "latent: there is no electrode");
  for (const auto& e : input.electrodes) {
    if (e.values.columns != static_cast<std::int64_t>(input.columns.size()) ||
        static_cast<std::int64_t>(e.label.size()) != e.values.rows)
      fail(Exit::internal, "latent: rows, labels and columns of '{}' do not agree", e.name);
    for (std::size_t i = 0; i < e.values.values.size(); ++i)
      if (!std::isfinite(e.values.values[i]))
        fail(Exit::data, "latent: electrode '{}', row {}, column '{}' has no finite value", e.name,
             i / input.columns.size() + 1, input.columns[i % input.columns.size()]);
  }
}

void check_rows(const LatentConfig& config, const LatentInput& input) {
  for (const auto& e : input.electrodes)
    if (e.values.rows < config.dimensions + least_spare_rows)
      fail(Exit::data,
           "latent: electrode '{}' has {} usable rows; {} latent dimensions need at least {}. Give more particles, or "
           "lower latent.dimensions",
           e.name, e.values.rows, config.dimensions, config.dimensions + least_spare_rows);
}

/// Columns that vary in every electrode.
std::vector<std::int64_t> varying_columns(const LatentInput& input, const std::vector<ColumnScale>& scales,
                                          const Context& context) {
  std::vector<std::int64_t> kept;
  for (std::size_t c = 0; c < input.columns.size(); ++c) {
    const auto constant = std::find_if(scales.begin(), scales.end(), [&](const ColumnScale& s) {
      return !(s.sd[c] > 1e-12 * std::max(1e-280, std::abs(s.mean[c])));
    });
    if (constant == scales.end())
      kept.push_back(static_cast<std::int64_t>(c));
    else
      context.progress.warn(fmt::format("latent: column '{}' is constant in electrode '{}' and left out",
                                        input.columns[c],
                                        input.electrodes[static_cast<std::size_t>(constant - scales.begin())].name));
  }
  return kept;
}

DataMatrix columns_of(const DataMatrix& values, const std::vector<std::int64_t>& columns) {
  DataMatrix result(values.rows, static_cast<std::int64_t>(columns.size()));
  for (std::int64_t i = 0; i < values.rows; ++i)
    for (std::size_t c = 0; c < columns.size(); ++c) result.row(i)[c] = values.row(i)[columns[c]];
  return result;
}

struct Prepared {
  std::vector<DataMatrix> rows;  ///< standardised
  std::vector<const DataMatrix*> all;
};

Prepared prepared_rows(const LatentConfig& config, const LatentInput& input, LatentResult& result,
                       const Context& context) {
  std::vector<ColumnScale> scales;
  for (const auto& e : input.electrodes) scales.push_back(column_scale(e.values, context.threads));
  const auto kept = varying_columns(input, scales, context);
  if (config.dimensions > static_cast<std::int64_t>(kept.size()))
    fail(Exit::config, "latent.dimensions is {}, and there are {} columns to describe; allowed are 1 to {}",
         config.dimensions, kept.size(), kept.size());
  Prepared p;
  for (std::size_t e = 0; e < input.electrodes.size(); ++e) {
    ColumnScale scale;
    for (const auto c : kept) {
      scale.mean.push_back(scales[e].mean[static_cast<std::size_t>(c)]);
      scale.sd.push_back(scales[e].sd[static_cast<std::size_t>(c)]);
    }
    p.rows.push_back(standardised(columns_of(input.electrodes[e].values, kept), scale, context.threads));
    result.scales.push_back(std::move(scale));
  }
  for (const auto c : kept) result.columns.push_back(input.columns[static_cast<std::size_t>(c)]);
  for (const auto& r : p.rows) p.all.push_back(&r);
  return p;
}

std::vector<LatentModel> fitted_models(const LatentConfig& config, const LatentInput& input, const Prepared& p,
                                       std::uint64_t seed, const Context& context) {
  if (config.mode == "oblique") return {fit_model(config, {"", p.all, false, true, false}, seed, context)};
  if (config.mode == "pooled") return {fit_model(config, {"", p.all, true, false, false}, seed, context)};
  const std::string& first = input.electrodes.front().name;
  if (config.mode == "reference")
    return {fit_model(config, {first, {p.all.front()}, true, false, false}, seed, context)};
  if (config.mode != "separate")
    fail(Exit::config, "latent.mode '{}': allowed are oblique, pooled, reference, separate", config.mode);
  std::vector<LatentModel> models;
  for (std::size_t e = 0; e < p.all.size(); ++e) {
    models.push_back(fit_model(config, {input.electrodes[e].name, {p.all[e]}, false, false, true}, seed, context));
    if (e > 0) align_model(models.back(), models.front(), *p.all.front(), context.threads);
  }
  return models;
}

std::vector<LatentMeaning> meanings(const DataMatrix& correlations) {
  std::vector<LatentMeaning> result;
  for (std::int64_t k = 0; k < correlations.rows; ++k) {
    const double* r = correlations.row(k);
    LatentMeaning m;
    m.column.resize(static_cast<std::size_t>(correlations.columns));
    std::iota(m.column.begin(), m.column.end(), std::int64_t{0});
    std::stable_sort(m.column.begin(), m.column.end(),
                     [&](std::int64_t a, std::int64_t b) { return std::abs(r[a]) > std::abs(r[b]); });
    for (const auto c : m.column) m.correlation.push_back(r[c]);
    result.push_back(std::move(m));
  }
  return result;
}

/// The product of the linear decoder with itself, by least squares from the latents to the columns.
Metric metric_of(const CodeProducts& products) {
  const std::int64_t k = products.codes.rows;
  // From codes y and columns x together: the regression of x on y.
  const auto d = products.columns.columns;
  SquareMatrix joint(k + d, k + d);
  DataMatrix pick(k + d, k);
  for (std::int64_t i = 0; i < k; ++i) {
    pick.row(i)[i] = 1;
    for (std::int64_t j = 0; j < k; ++j) joint.row(i)[j] = products.codes.row(i)[j];
    for (std::int64_t c = 0; c < d; ++c) joint.row(i)[k + c] = joint.row(k + c)[i] = products.columns.row(i)[c];
  }
  const DataMatrix b = regression_on_codes(joint, pick);
  Metric metric{DataMatrix(k, k), 0};
  for (std::int64_t i = 0; i < k; ++i)
    for (std::int64_t j = 0; j < k; ++j)
      for (std::int64_t c = 0; c < d; ++c) metric.decoder_product.row(i)[j] += b.row(i)[k + c] * b.row(j)[k + c];
  CodeMoments all(k);
  all.n = 1;
  std::size_t at = 0;
  for (std::int64_t i = 0; i < k; ++i)
    for (std::int64_t j = i; j < k; ++j) all.product[at++] = products.codes.row(i)[j];
  metric.log_det = -2 * log_volume(all, {metric.decoder_product, 0});
  return metric;
}

void describe_electrode(ElectrodeLatents& e, const Metric& metric, const LatentConfig& config, std::uint64_t seed,
                        const Context& context) {
  Links links = links_of(e.codes, config, {seed, e.name}, context);
  e.links = std::move(links.pairs);
  e.independence = std::move(links.independence);
  e.total_correlation = links.total_correlation;
  CodeMoments m(e.codes.columns);
  for (std::int64_t i = 0; i < e.codes.rows; ++i) m.add(e.codes.row(i));
  e.log_volume = log_volume(m, metric);
  e.participation_ratio = participation_ratio(m, metric);
}

/// The rows below the median of the position, and the others.
std::vector<DataMatrix> halves_of(const DataMatrix& codes, const std::vector<double>& position) {
  std::vector<double> sorted = position;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  std::vector<DataMatrix> halves(2, DataMatrix(0, codes.columns));
  for (std::int64_t i = 0; i < codes.rows; ++i) {
    DataMatrix& half = halves[position[static_cast<std::size_t>(i)] < *middle ? 0 : 1];
    half.values.insert(half.values.end(), codes.row(i), codes.row(i) + codes.columns);
    half.rows += 1;
  }
  return halves;
}

void add_shams(const LatentInput& input, const Metric& metric, std::uint64_t seed, const Context& context,
               LatentResult& result) {
  for (std::size_t e = 0; e < input.electrodes.size(); ++e) {
    const auto& position = input.electrodes[e].position;
    if (static_cast<std::int64_t>(position.size()) != input.electrodes[e].values.rows) continue;
    const auto halves = halves_of(result.electrodes[e].codes, position);
    if (halves[0].rows < 3 || halves[1].rows < 3) continue;
    const std::string& name = input.electrodes[e].name;
    auto sham = compare(halves[0], halves[1], {}, {}, metric, result.config, {seed, name + " sham"}, context);
    sham.first = name + ", low";
    sham.second = name + ", high";
    result.shams.push_back(std::move(sham));
  }
}

void warn_of_few_permutations(const LatentConfig& config, const Context& context) {
  const auto pairs = static_cast<double>(config.dimensions * (config.dimensions - 1)) / 2;
  if (pairs > 0 && pairs / static_cast<double>(config.permutations + 1) >= 0.05)
    context.progress.warn(
        fmt::format("latent.permutations {} are too few: a single link among {} pairs cannot become significant; "
                    "take {} or more",
                    config.permutations, static_cast<std::int64_t>(pairs), static_cast<std::int64_t>(20 * pairs)));
}

}  // namespace

LatentResult latent_analysis(const LatentConfig& config, const LatentInput& input, std::uint64_t seed,
                             const Context& context) {
  check_shape(input);
  if (config.dimensions > static_cast<std::int64_t>(input.columns.size()))
    fail(Exit::config, "latent.dimensions is {}, and there are {} columns; allowed are 1 to {}", config.dimensions,
         input.columns.size(), input.columns.size());
  check_rows(config, input);
  warn_of_few_permutations(config, context);
  LatentResult result;
  result.config = config;
  const Prepared p = prepared_rows(config, input, result, context);
  result.models = fitted_models(config, input, p, seed, context);
  std::vector<const DataMatrix*> codes;
  for (std::size_t e = 0; e < input.electrodes.size(); ++e) {
    const LatentModel& model = result.models[result.models.size() > 1 ? e : 0];
    ElectrodeLatents latents;
    latents.name = input.electrodes[e].name;
    latents.label = input.electrodes[e].label;
    latents.codes = latents_of(model, p.rows[e], context.threads);
    result.electrodes.push_back(std::move(latents));
  }
  for (const auto& e : result.electrodes) codes.push_back(&e.codes);
  const CodeProducts products = code_products(codes, p.all, context.threads);
  result.meaning = meanings(products.columns);
  const Metric metric = metric_of(products);
  for (auto& e : result.electrodes) describe_electrode(e, metric, config, seed, context);
  const auto& first = result.electrodes.front();
  for (std::size_t e = 1; e < result.electrodes.size(); ++e) {
    const auto& second = result.electrodes[e];
    auto comparison = compare(first.codes, second.codes, first.links, second.links, metric, config,
                              {seed, first.name + " and " + second.name}, context);
    comparison.first = first.name;
    comparison.second = second.name;
    result.comparisons.push_back(std::move(comparison));
  }
  add_shams(input, metric, seed, context, result);
  return result;
}

}  // namespace cathoscope
