#include <cathoscope/regression/damage_tables.hpp>

#include <cathoscope/core/table_rows.hpp>

#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

using Electrodes = std::vector<ElectrodeParticles>;

std::vector<double> at_rows(const std::vector<double>& values, const std::vector<std::int64_t>& rows) {
  std::vector<double> result;
  for (const std::int64_t row : rows) result.push_back(values[static_cast<std::size_t>(row)]);
  return result;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Damage of the particles below and above the median X: two samples that differ by chance and place only.
std::array<std::vector<double>, 2> halves_by_x(const ElectrodeParticles& e, const std::vector<double>& values) {
  std::array<std::vector<double>, 2> halves;
  if (e.particles.position.empty()) return halves;
  std::vector<double> x;
  for (const auto& p : e.particles.position) x.push_back(p[0]);
  const double middle = quantile_of(x, 0.5);
  for (std::size_t i = 0; i < x.size(); ++i) halves[x[i] < middle ? 0 : 1].push_back(values[i]);
  return halves;
}

void add_curve(TableRows& rows, const std::vector<std::string>& texts, const std::vector<double>& edges,
               const DensityCurve& curve) {
  for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
    const bool band = k < curve.low.size();
    rows.add(texts,
             {edges[k], edges[k + 1], curve.density[k], band ? curve.low[k] : nothing, band ? curve.high[k] : nothing});
  }
}

void add_plain_curve(TableRows& rows, const std::vector<std::string>& texts, const std::vector<double>& edges,
                     const std::vector<double>& values) {
  if (!values.empty()) add_curve(rows, texts, edges, {density(values, edges), {}, {}, 0, 0, 0, 0});
}

std::vector<double> summary_of(const DensityComparison& c, std::size_t s) {
  const DensityCurve& curve = c.curves[s];
  return {static_cast<double>(curve.n), curve.median, curve.lower_quartile,
          curve.upper_quartile,         c.ks[s],      c.wasserstein[s]};
}

const std::vector<std::string> curve_columns{"low", "high", "density", "ci_low", "ci_high"};
const std::vector<std::string> summary_columns{"n", "median", "lower_quartile", "upper_quartile", "ks", "wasserstein"};

/// Fig. 1B: damage. Halves of each electrode stand beside it.
void add_fig1b(const Electrodes& electrodes, const DamageTableOptions& options, std::vector<NamedTable>& out) {
  std::vector<std::vector<double>> samples;
  for (const auto& e : electrodes) samples.push_back(e.particles.damage);
  const auto c = compare_densities(samples, options.bootstraps, stream_key(options.seed, {"statistics", "damage"}));
  TableRows curves({"electrode", "part"}, curve_columns), summary({"electrode", "part"}, summary_columns);
  for (std::size_t s = 0; s < electrodes.size(); ++s) {
    const ElectrodeParticles& e = electrodes[s];
    add_curve(curves, {e.electrode, "all"}, c.edges, c.curves[s]);
    summary.add({e.electrode, "all"}, summary_of(c, s));
    const auto halves = halves_by_x(e, e.particles.damage);
    if (halves[0].empty() || halves[1].empty()) continue;
    const auto sham = compare_densities({halves[0], halves[1]}, 0, 0);
    for (std::size_t h = 0; h < 2; ++h) {
      add_plain_curve(curves, {e.electrode, h == 0 ? "low_x" : "high_x"}, c.edges, halves[h]);
      summary.add({e.electrode, h == 0 ? "low_x" : "high_x"}, summary_of(sham, h));
    }
  }
  out.push_back({"fig1b", std::move(curves).table()});
  out.push_back({"fig1b_summary", std::move(summary).table()});
}

double quantile_of_all(const Electrodes& electrodes, double quantile) {
  std::vector<double> pooled;
  for (const auto& e : electrodes) pooled.insert(pooled.end(), e.particles.damage.begin(), e.particles.damage.end());
  return quantile_of(pooled, quantile);
}

/// Figs. 2A and 2B: where the particles are and which are severely damaged.
void add_fig2ab(const Electrodes& electrodes, double threshold, std::vector<NamedTable>& out) {
  TableRows rows({"electrode"}, {"label", "X", "Y", "Z", "damage", "severe"});
  for (const auto& e : electrodes)
    for (std::size_t i = 0; i < e.particles.position.size(); ++i) {
      const auto& p = e.particles.position[i];
      const double damage = e.particles.damage[i];
      const double label = i < e.label.size() ? static_cast<double>(e.label[i]) : nothing;
      rows.add({e.electrode}, {label, p[0], p[1], p[2], damage, is_severe(damage, threshold) ? 1.0 : 0.0});
    }
  out.push_back({"fig2ab", std::move(rows).table()});
}

void append(std::vector<double>& numbers, const NullComparison& null) {
  numbers.insert(numbers.end(), {null.expected, null.low, null.high, null.p});
}

const std::vector<std::string> null_columns{
    "expected",    "null_low", "null_high", "p", "expected_stratified", "null_low_stratified", "null_high_stratified",
    "p_stratified"};

std::vector<std::string> with_nulls(std::vector<std::string> names) {
  names.insert(names.end(), null_columns.begin(), null_columns.end());
  return names;
}

/// The limit of the configuration, then those of the sweep.
std::vector<std::pair<double, double>> severe_limits(const Electrodes& electrodes, const DamageTableOptions& options) {
  const double quantile = options.severe_damage ? nothing : options.severe_quantile;
  std::vector<std::pair<double, double>> limits;
  limits.emplace_back(quantile, options.severe_damage.value_or(quantile_of_all(electrodes, options.severe_quantile)));
  for (const double q : {0.8, 0.85, 0.9, 0.95, 0.975}) limits.emplace_back(q, quantile_of_all(electrodes, q));
  return limits;
}

/// Fig. 2C: distances between severely damaged neighbours, and whether they are nearer than damage thrown at random.
void add_fig2c(const Electrodes& electrodes, const DamageTableOptions& options, const Context& context,
               std::vector<NamedTable>& out) {
  TableRows curves({"electrode"}, curve_columns);
  TableRows summary({"electrode"}, with_nulls({"chosen", "quantile", "threshold", "severe", "distances",
                                               "distances_cut", "scaled_distance", "mean_distance"}));
  const auto limits = severe_limits(electrodes, options);
  std::vector<std::vector<double>> distances(electrodes.size());
  for (std::size_t l = 0; l < limits.size(); ++l)
    for (std::size_t s = 0; s < electrodes.size(); ++s) {
      const ElectrodeParticles& e = electrodes[s];
      if (e.particles.position.empty()) continue;
      const auto a = severe_agglomeration(e.particles, limits[l].second, options.permutations,
                                          stream_key(options.seed, {"statistics", "severe", e.electrode}, l), context);
      if (l == 0) distances[s] = a.distances;
      std::vector<double> numbers{l == 0 ? 1.0 : 0.0,
                                  limits[l].first,
                                  a.threshold,
                                  static_cast<double>(a.severe),
                                  static_cast<double>(a.distances.size()),
                                  static_cast<double>(a.distances_cut),
                                  a.scaled_distance,
                                  a.mean_distance.plain.observed};
      append(numbers, a.mean_distance.plain);
      append(numbers, a.mean_distance.stratified);
      summary.add({e.electrode}, numbers);
    }
  const auto c =
      compare_densities(distances, options.bootstraps, stream_key(options.seed, {"statistics", "distances"}));
  for (std::size_t s = 0; s < electrodes.size(); ++s)
    if (!distances[s].empty()) add_curve(curves, {electrodes[s].electrode}, c.edges, c.curves[s]);
  out.push_back({"fig2c", std::move(curves).table()});
  out.push_back({"fig2c_summary", std::move(summary).table()});
}

/// The attributes of a profile that any electrode has, in the order of their first appearance.
std::vector<std::string> attributes_of(const Electrodes& electrodes, std::size_t profile) {
  std::vector<std::string> names;
  for (const auto& e : electrodes) {
    if (profile >= e.profiles.size()) continue;
    for (const std::string& name : e.profiles[profile].attribute)
      if (!contains(names, name)) names.push_back(name);
  }
  return names;
}

std::vector<double> values_of(const ElectrodeParticles& e, std::size_t profile, const std::string& name) {
  if (profile >= e.profiles.size()) return {};
  const auto& names = e.profiles[profile].attribute;
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? std::vector<double>{}
                           : e.profiles[profile].values[static_cast<std::size_t>(at - names.begin())];
}

std::size_t most_profiles(const Electrodes& electrodes) {
  std::size_t most = 0;
  for (const auto& e : electrodes) most = std::max(most, e.profiles.size());
  return most;
}

/// Fig. S7: every attribute.
void add_figs7(const Electrodes& electrodes, const DamageTableOptions& options, std::vector<NamedTable>& out) {
  TableRows curves({"profile", "attribute", "electrode"}, curve_columns);
  TableRows summary({"profile", "attribute", "electrode"}, summary_columns);
  for (std::size_t profile = 0; profile < most_profiles(electrodes); ++profile)
    for (const std::string& name : attributes_of(electrodes, profile)) {
      std::vector<std::vector<double>> samples;
      for (const auto& e : electrodes) samples.push_back(values_of(e, profile, name));
      const auto c =
          compare_densities(samples, options.bootstraps, stream_key(options.seed, {"statistics", "attribute", name}));
      for (std::size_t s = 0; s < electrodes.size(); ++s) {
        if (samples[s].empty()) continue;
        const std::vector<std::string> texts{electrodes[s].profiles[profile].profile, name, electrodes[s].electrode};
        add_curve(curves, texts, c.edges, c.curves[s]);
        summary.add(texts, summary_of(c, s));
      }
    }
  out.push_back({"figs7", std::move(curves).table()});
  out.push_back({"figs7_summary", std::move(summary).table()});
}

/// Fig. S11: every attribute against damage; q over all of one profile's correlations.
void add_figs11(const Electrodes& electrodes, std::vector<NamedTable>& out) {
  TableRows rows({"profile", "electrode", "attribute"}, {"n", "pearson", "ci_low", "ci_high", "p", "q", "spearman"});
  for (std::size_t profile = 0; profile < most_profiles(electrodes); ++profile) {
    std::vector<std::pair<const ElectrodeParticles*, DamageCorrelation>> all;
    std::vector<double> p;
    for (const auto& e : electrodes)
      for (const std::string& name : attributes_of({e}, profile)) {
        all.emplace_back(&e, damage_correlation(name, values_of(e, profile, name), e.particles.damage));
        p.push_back(all.back().second.p);
      }
    const std::vector<double> q = benjamini_hochberg(p);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& [e, c] = all[i];
      rows.add({e->profiles[profile].profile, e->electrode, c.attribute},
               {static_cast<double>(c.n), c.pearson, c.ci_low, c.ci_high, c.p, q[i], c.spearman});
    }
  }
  out.push_back({"figs11", std::move(rows).table()});
}

/// Fig. S12: is damage alike among neighbours?
void add_figs12(const Electrodes& electrodes, const DamageTableOptions& options, const Context& context,
                std::vector<NamedTable>& out) {
  TableRows rows({"electrode", "statistic"}, with_nulls({"lag_um", "pairs", "observed"}));
  for (const auto& e : electrodes) {
    if (e.particles.position.empty()) continue;
    const auto c = spatial_coupling(e.particles, options.permutations,
                                    stream_key(options.seed, {"statistics", "coupling", e.electrode}), context);
    const auto add = [&](const char* statistic, double lag, double pairs, const SpatialNull& null) {
      std::vector<double> numbers{lag, pairs, null.plain.observed};
      append(numbers, null.plain);
      append(numbers, null.stratified);
      rows.add({e.electrode, statistic}, numbers);
    };
    add("moran", nothing, nothing, c.moran);
    add("neighbour_correlation", nothing, nothing, c.neighbour_correlation);
    for (std::size_t k = 0; k < c.lag_um.size(); ++k) add("variogram", c.lag_um[k], c.pairs[k], c.variogram[k]);
  }
  out.push_back({"figs12", std::move(rows).table()});
}

std::vector<double> feature_values(const ModelTable& model, std::string_view attribute) {
  std::vector<double> values;
  for (std::size_t f = 0; f < model.features.size(); ++f)
    if (canonical_attribute_name(model.features[f]) == attribute)
      for (std::size_t i = 0; i < model.x.rows; ++i) values.push_back(model.x.row(i)[f]);
  return values;
}

}  // namespace

ElectrodeParticles electrode_particles(const std::string& electrode, const ModelTable& model) {
  ElectrodeParticles e;
  e.electrode = electrode;
  e.label = model.label;
  e.particles.position = model.position;
  e.particles.damage = model.y;
  e.particles.depth = feature_values(model, "Z");
  e.particles.size = feature_values(model, "Volume");
  return e;
}

void add_profile(ElectrodeParticles& electrode, const std::string& profile, const Table& table,
                 const ModelTable& model) {
  ParticleSample sample{profile, {}, {}};
  const auto add = [&](const std::string& name) {
    const Column* column = table.find(name);
    if (column == nullptr || column->numbers.empty() || contains(sample.attribute, name)) return;
    sample.attribute.push_back(name);
    sample.values.push_back(at_rows(column->numbers, model.source_row));
  };
  for (const char* place : {"X", "Y"}) add(place);  // no model uses them, but the figures show them
  for (const std::string& name : model.features) add(name);
  for (const auto& [name, gaps] : model.left_out) add(name);
  electrode.profiles.push_back(std::move(sample));
}

const std::vector<std::string>& damage_table_names() {
  static const std::vector<std::string> names{"fig1b", "fig1b_summary", "fig2ab", "fig2c", "fig2c_summary",
                                              "figs7", "figs7_summary", "figs11", "figs12"};
  return names;
}

std::vector<NamedTable> damage_tables(const std::vector<ElectrodeParticles>& electrodes,
                                      const DamageTableOptions& options, const Context& context) {
  std::vector<NamedTable> out;
  add_fig1b(electrodes, options, out);
  const double threshold = severe_limits(electrodes, options).front().second;
  add_fig2ab(electrodes, threshold, out);
  add_fig2c(electrodes, options, context, out);
  add_figs7(electrodes, options, out);
  add_figs11(electrodes, out);
  add_figs12(electrodes, options, context, out);
  return out;
}

}  // namespace cathoscope
