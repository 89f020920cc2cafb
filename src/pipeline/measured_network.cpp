#include <cathoscope/pipeline/measured_network.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/statistics.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cathoscope {

namespace {

constexpr double pi = std::numbers::pi;
constexpr int permutation_count = 2000;

const std::vector<double>& required_column(const Table& table, const char* name) {
  const Column* c = table.find(name);
  if (c == nullptr || c->numbers.empty())
    fail(Exit::data, "chemomechanics.geometry.particles_from: the electrode's table has no numbers in column {}", name);
  return c->numbers;
}

/// Coverage of each row by the proxy; NaN where it is not known.
std::vector<double> coverage_of(const Table& table, const ChemomechanicsGeometryConfig& g) {
  if (g.proxy == "constant") return std::vector<double>(table.rows(), g.coverage.low);
  std::vector<double> share = required_column(table, g.proxy == "binder_contact" ? "BinderContact" : "Contact");
  for (double& s : share) s = std::clamp(g.proxy == "binder_contact" ? s : 1 - s, 0.0, 1.0) + (std::isnan(s) ? s : 0);
  return share;
}

struct Extent {
  double low = 1e300, high = -1e300;
  void take(double centre, double radius) {
    low = std::min(low, centre - radius);
    high = std::max(high, centre + radius);
  }
  [[nodiscard]] double length() const { return high - low; }
};

/// What a straight line in x leaves of y.
std::vector<double> residuals(const std::vector<double>& y, const std::vector<double>& x) {
  const double my = mean_of(y), mx = mean_of(x);
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    xy += (x[i] - mx) * (y[i] - my);
  }
  std::vector<double> r(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) r[i] = y[i] - my - (xx > 0 ? xy / xx : 0) * (x[i] - mx);
  return r;
}

std::vector<double> interior_of(const MeasuredParticles& m, const std::vector<double>& values) {
  std::vector<double> kept;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (m.interior[i]) kept.push_back(values[i]);
  return kept;
}

/// JSON has no NaN: null says "undefined".
nlohmann::ordered_json number(double v) {
  return std::isfinite(v) ? nlohmann::ordered_json(v) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json json_of(const DamageAgreement& a) {
  return {{"spearman", number(a.spearman)},
          {"partial_spearman_given_volume", number(a.partial)},
          {"null_low", number(a.null_low)},
          {"null_high", number(a.null_high)},
          {"p", number(a.p)}};
}

}  // namespace

MeasuredParticles measured_particles(const Table& table, const ChemomechanicsGeometryConfig& geometry) {
  MeasuredParticles m;
  const auto &volume = required_column(table, "Volume"), &damage = required_column(table, "Damage");
  const auto &x = required_column(table, "X"), &y = required_column(table, "Y"), &z = required_column(table, "Z");
  const auto coverage = coverage_of(table, geometry);
  const Column *border = table.find("touches_border"), *label = table.find("label");
  Extent across, along, deep;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const bool known = volume[i] > 0 && std::isfinite(x[i]) && std::isfinite(y[i]) && std::isfinite(z[i]);
    m.without_shape += known ? 0 : 1;
    m.without_coverage += known && std::isnan(coverage[i]) ? 1 : 0;
    if (!known || std::isnan(coverage[i])) continue;
    const double radius = std::cbrt(3 * volume[i] / (4 * pi));
    across.take(x[i], radius), along.take(y[i], radius), deep.take(z[i], radius);
    m.labels.push_back(label != nullptr && !label->ids.empty() ? label->ids[i] : i + 1);
    m.particles.push_back({radius * 1e-6, coverage[i], z[i] * 1e-6});
    m.volume_um3.push_back(volume[i]);
    m.damage.push_back(damage[i]);
    const bool touches = border != nullptr && !border->numbers.empty() && border->numbers[i] != 0;
    m.interior.push_back(!touches && std::isfinite(damage[i]));
  }
  if (m.particles.size() < 2)
    fail(Exit::data,
         "chemomechanics.geometry.particles_from: {} particles have a volume, a position and a coverage; 2 are needed. "
         "{} have no volume or position, {} no value for proxy {}{}",
         m.particles.size(), m.without_shape, m.without_coverage, geometry.proxy,
         m.without_coverage > 0 ? "; another `proxy` may do" : "");
  m.thickness_um = deep.high;
  m.cross_section_um2 = across.length() * along.length();
  return m;
}

NetworkModel measured_network(const ChemomechanicsConfig& config, const MeasuredParticles& measured) {
  NetworkModel model = network_of(config, 0);
  model.particles = measured.particles;
  model.depth = {measured.thickness_um * 1e-6, config.geometry.depth_conductivity_S_m,
                 measured.cross_section_um2 * 1e-12};
  return model;
}

NetworkModel radius_only_network(const ChemomechanicsConfig& config, const MeasuredParticles& measured) {
  NetworkModel model = network_of(config, 0);
  model.particles = measured.particles;
  double mean = 0;
  for (const auto& p : measured.particles) mean += p.coverage / static_cast<double>(measured.particles.size());
  for (auto& p : model.particles) p.coverage = mean;
  return model;
}

DamageAgreement damage_agreement(const MeasuredParticles& measured, const std::vector<double>& predicted,
                                 int permutations, std::uint64_t seed) {
  const auto model = ranks_of(interior_of(measured, predicted)),
             truth = ranks_of(interior_of(measured, measured.damage)),
             volume = ranks_of(interior_of(measured, measured.volume_um3));
  DamageAgreement a;
  a.spearman = pearson(model, truth);
  const auto of_model = residuals(model, volume);
  auto of_truth = residuals(truth, volume);
  // Ranks that follow those of Volume exactly leave nothing but rounding.
  const double left = sd_of(of_model);
  a.partial = left > 1e-9 * static_cast<double>(model.size()) ? pearson(of_model, of_truth)
                                                              : std::numeric_limits<double>::quiet_NaN();
  if (!std::isfinite(a.partial)) {
    a.null_low = a.null_high = a.p = a.partial;
    return a;
  }
  std::vector<double> null, magnitude;
  Stream random(seed, {"chemomechanics", "agreement"});
  for (int k = 0; k < permutations; ++k) {
    random.shuffle(of_truth.begin(), of_truth.end());
    null.push_back(pearson(of_model, of_truth));
    magnitude.push_back(std::abs(null.back()));
  }
  a.null_low = quantile_of(null, 0.025);
  a.null_high = quantile_of(null, 0.975);
  a.p = permutation_p(magnitude, std::abs(a.partial));
  return a;
}

Table measured_table(const MeasuredParticles& m, const std::vector<double>& predicted,
                     const std::vector<double>& radius_only) {
  Table t;
  t.columns.push_back({"label", "", "the user's id", {}, m.labels, {}});
  const auto number = [&](const char* name, const char* unit, const char* what, std::vector<double> values) {
    t.columns.push_back({name, unit, what, std::move(values), {}, {}});
  };
  std::vector<double> radius, depth, coverage, interior;
  for (std::size_t i = 0; i < m.particles.size(); ++i) {
    radius.push_back(m.particles[i].radius * 1e6);
    depth.push_back(m.particles[i].depth * 1e6);
    coverage.push_back(m.particles[i].coverage);
    interior.push_back(m.interior[i] ? 1 : 0);
  }
  number("radius_um", "um", "of the ball of equal volume", radius);
  number("depth_um", "um", "from the collector", depth);
  number("coverage", "", "share of the surface on conductive binder, by the proxy", coverage);
  number("predicted_damage", "", "interface damage of the network at the end", predicted);
  number("predicted_damage_radius_only", "", "the same with equal coverage and no depth", radius_only);
  number("measured_damage", "", "crack volume over particle volume", m.damage);
  number("compared", "", "1: the particle counts in the comparison", interior);
  return t;
}

std::string measured_json(const std::string& electrode, const ChemomechanicsGeometryConfig& geometry,
                          const MeasuredParticles& m, const std::vector<double>& predicted,
                          const std::vector<double>& radius_only, std::uint64_t seed) {
  nlohmann::ordered_json j;
  j["exploratory"] = true;
  j["caution"] =
      "The prediction is decohesion of the interface between particle and binder; what was measured is cracks inside "
      "particles. They need not go together.";
  j["electrode"] = electrode;
  j["proxy"] = geometry.proxy;
  j["particles"] = m.particles.size();
  j["compared"] = std::count(m.interior.begin(), m.interior.end(), true);
  j["left_out"] = {{"without_volume_or_position", m.without_shape}, {"without_coverage", m.without_coverage}};
  j["permutations"] = permutation_count;
  j["network"] = json_of(damage_agreement(m, predicted, permutation_count, seed));
  j["radius_only"] = json_of(damage_agreement(m, radius_only, permutation_count, seed));
  j["spearman_volume"] = number(spearman(interior_of(m, m.volume_um3), interior_of(m, m.damage)));
  return j.dump(2) + "\n";
}

}  // namespace cathoscope
