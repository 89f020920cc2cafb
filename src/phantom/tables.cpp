/// Tables of particles without voxels. Bodies follow the same distributions as the rendered ones; what a neighbourhood
/// attribute would measure is drawn from smooth random fields with the spread that rendered electrodes show.

#include "damage_score.hpp"
#include "drawn_config.hpp"
#include "noise.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/phantom/phantom.hpp>

#include <cmath>
#include <limits>
#include <numbers>

namespace cathoscope {

using namespace phantom_detail;

namespace {

constexpr std::size_t n_attributes = attribute_list.size();
using Row = std::array<double, n_attributes>;

double& at(Row& row, std::string_view name) { return row[attribute_index(name)]; }

/// Everything that the rows of one table share.
struct Maker {
  PhantomConfig config;
  std::uint64_t seed;
  double depth_um, width_um;
  LatticeField packing, alignment, variety, cluster;
  Row mean{}, sd{};  ///< of the attributes, over the first rows

  static LatticeField field(std::uint64_t seed, const char* name, double range_um) {
    const double sigma = range_um / 2;
    return {stream_key(seed, {"phantom", "table field", name}), {sigma, sigma, sigma}};
  }
  Maker(const PhantomConfig& drawn, std::uint64_t table_seed, std::int64_t rows);
  [[nodiscard]] Row row(std::uint64_t i) const;
};

/// Area of an ellipsoid, to 1.1 % (Knud Thomsen's formula, p = 1.6075).
double ellipsoid_area(const Vec3& a) {
  constexpr double p = 1.6075;
  const double sum = std::pow(a[0] * a[1], p) + std::pow(a[0] * a[2], p) + std::pow(a[1] * a[2], p);
  return 4 * std::numbers::pi * std::pow(sum / 3, 1 / p);
}

void draw_body(const PhantomConfig& c, Stream& draw, Row& row) {
  const bool fragment = draw.uniform() < c.sizes.fragment_share;
  const double free = fragment ? draw.uniform(c.sizes.fragment_um[0], c.sizes.fragment_um[1])
                               : c.sizes.median_um[0] * (1 + c.sizes.spread * draw.normal());
  const double diameter = std::clamp(free, c.sizes.smallest_um, c.sizes.largest_factor * c.sizes.median_um[0]);
  const double spread = fragment ? c.form.axis_spread_fragments : c.form.axis_spread;
  Vec3 logs{spread * draw.normal(), spread * draw.normal(), spread * draw.normal()};
  std::sort(logs.rbegin(), logs.rend());
  const double middle = (logs[0] + logs[1] + logs[2]) / 3;
  Vec3 axes;
  for (std::size_t a = 0; a < 3; ++a) axes[a] = diameter / 2 * std::exp(logs[a] - middle);
  const double waves = c.form.harmonics * std::exp(c.form.harmonics_spread * draw.normal());
  const double rough = 1 + 0.06 * std::exp(0.3 * draw.normal());
  const double area = ellipsoid_area(axes) * (1 + 6 * waves * waves) * rough;
  const double volume = std::numbers::pi / 6 * diameter * diameter * diameter;
  at(row, "Volume") = volume;
  at(row, "SurfOuter") = area;
  at(row, "Elongation") = axes[0] / axes[2];
  at(row, "Sphericity") = 36 * std::numbers::pi * volume * volume / (area * area * area);
  at(row, "VSratio") = std::cbrt(volume) / std::sqrt(area);
  at(row, "RoughOuter") = rough;
  at(row, "Yaw") = draw.uniform(-90, 90);
  at(row, "Pitch") = std::asin(draw.uniform(-1, 1)) * 180 / std::numbers::pi;
  at(row, "Roll") = draw.uniform(-90, 90);
  at(row, "EDensity") = c.grey.particle[0] + c.grey.particle_spread * draw.normal();
  at(row, "Homogeneity") = 1 / (std::hypot(c.noise.sd[0], c.noise.white[0]) * std::exp(0.1 * draw.normal()) + 1e-3);
}

void draw_neighbourhood(const Maker& m, const Vec3& p, Stream& draw, Row& row) {
  const double fraction = m.config.packing.fraction[0];
  const double packed = std::clamp(m.packing.at(p), -3.0, 3.0), varied = std::clamp(m.variety.at(p), -3.0, 3.0);
  const double density = std::clamp(fraction * (1 + 0.12 * packed + 0.05 * draw.normal()), 0.05, 0.74);
  const double median = m.config.sizes.median_um[0];
  at(row, "PDensity") = density;
  at(row, "DistNearest") = median * std::cbrt(0.74 / density) * (1 + 0.06 * draw.normal());
  at(row, "Contact") = std::clamp(0.28 + 0.9 * (density - fraction) + 0.08 * draw.normal(), 0.0, 0.95);
  at(row, "OrienIso") =
      std::clamp(0.12 * m.config.form.alignment * (1 + m.alignment.at(p)) + 0.115 * draw.normal(), -0.2, 1.0);
  at(row, "ElongStd") = 0.12 * std::exp(0.25 * varied + 0.3 * draw.normal());
  at(row, "VolumeStd") = 0.5 * median * median * median * 0.52 * std::exp(0.2 * varied + 0.3 * draw.normal());
  at(row, "SphericityStd") = 0.06 * std::exp(0.15 * varied + 0.3 * draw.normal());
}

/// Inner surface and its roughness follow from how much crack there is and how wide the cracks are.
void draw_inner(const CrackConfig& c, Stream& draw, Row& row) {
  const double width = draw.uniform(c.width_um[0], c.width_um[1]) + 0.2;
  at(row, "SurfInner") = 2 * at(row, "Volume") * at(row, "Damage") / width;
  at(row, "RoughInner") = 1 + 0.15 * std::exp(0.3 * draw.normal());
}

Row Maker::row(std::uint64_t i) const {
  Row r;
  r.fill(std::numeric_limits<double>::quiet_NaN());  // an attribute that nobody draws is empty, not 0
  Stream draw(seed, {"phantom", "row"}, i);
  const Vec3 p{draw.uniform(0, depth_um), draw.uniform(0, width_um), draw.uniform(0, width_um)};
  at(r, "X") = p[2];
  at(r, "Y") = p[1];
  at(r, "Z") = p[0];
  draw_body(config, draw, r);
  draw_neighbourhood(*this, p, draw, r);
  double score = 0;
  for (const PlantTerm& term : config.plant.terms) {
    const std::size_t a = attribute_index(term.attribute);
    if (sd[a] > 0) score += term.coefficient * clipped_deviation(r[a], mean[a], sd[a]);
  }
  at(r, "Damage") = damage_from_score(config.plant, score, draw.normal(), cluster.at(p));
  draw_inner(config.cracks, draw, r);
  return r;
}

Maker::Maker(const PhantomConfig& drawn, std::uint64_t table_seed, std::int64_t rows)
    : config(drawn),
      seed(table_seed),
      depth_um(static_cast<double>(drawn.shape[0]) * drawn.voxel_size_um),
      packing(field(seed, "packing", drawn.packing.patch_range_um)),
      alignment(field(seed, "alignment", drawn.form.alignment_range_um)),
      variety(field(seed, "variety", drawn.packing.patch_range_um)),
      cluster(field(seed, "cluster", drawn.plant.cluster_range_um)) {
  const double ball = std::numbers::pi / 6 * std::pow(config.sizes.median_um[0], 3);
  width_um = std::sqrt(static_cast<double>(rows) * ball / config.packing.fraction[0] / depth_um);
  // Standardised by a fixed number of first rows, so that a row does not depend on all others.
  const auto n = static_cast<std::uint64_t>(std::min<std::int64_t>(rows, 4096));
  std::vector<Row> sample;
  for (std::uint64_t i = 0; i < n; ++i) sample.push_back(row(i));
  for (std::size_t a = 0; a < n_attributes; ++a) {
    double sum = 0, square = 0;
    for (const Row& r : sample) sum += r[a];
    const double m = sum / static_cast<double>(n);
    for (const Row& r : sample) square += (r[a] - m) * (r[a] - m);
    mean[a] = m;
    sd[a] = n > 1 ? std::sqrt(square / static_cast<double>(n - 1)) : 0;
  }
}

Maker maker_of(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows) {
  check_config(config);
  if (rows < 1) fail(Exit::usage, "phantom: a table of {} rows was asked for; at least 1", rows);
  return {drawn_config(config, seed), seed, rows};
}

std::string csv_rows(const Maker& maker, std::int64_t begin, std::int64_t end) {
  std::string text;
  for (std::int64_t i = begin; i < end; ++i) {
    const Row row = maker.row(static_cast<std::uint64_t>(i));
    text += fmt::format("{}", i + 1);
    for (const double v : row) {
      text += ',';
      if (std::isfinite(v)) text += text_of(v);
    }
    text += ",0\n";
  }
  return text;
}

}  // namespace

Table planted_rows(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows, std::int64_t begin,
                   std::int64_t end) {
  const Maker maker = maker_of(config, seed, rows);
  Table table;
  table.columns.resize(n_attributes + 2);
  table.columns.front().name = "label";
  table.columns.back().name = "touches_border";
  for (std::size_t a = 0; a < n_attributes; ++a) {
    Column& column = table.columns[a + 1];
    column.name = attribute_list[a].name;
    column.unit = attribute_list[a].unit;
    column.description = attribute_list[a].description;
  }
  for (std::int64_t i = begin; i < std::min(end, rows); ++i) {
    const Row row = maker.row(static_cast<std::uint64_t>(i));
    table.columns.front().ids.push_back(static_cast<std::uint64_t>(i) + 1);
    for (std::size_t a = 0; a < n_attributes; ++a) table.columns[a + 1].numbers.push_back(row[a]);
    table.columns.back().numbers.push_back(0);
  }
  return table;
}

void write_planted_csv(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows,
                       const std::function<void(std::string_view)>& write, const Context& context) {
  const Maker maker = maker_of(config, seed, rows);
  std::string header = "label";
  for (const AttributeInfo& a : attribute_list) header.append(",").append(a.name);
  write(header.append(",touches_border\n"));
  constexpr std::int64_t chunk = 4096;
  const std::int64_t at_once = std::max(1, context.threads) * 2;
  context.progress.begin("synthetic table", static_cast<std::uint64_t>(rows));
  for (std::int64_t first = 0; first < rows; first += chunk * at_once) {
    std::vector<std::string> texts(static_cast<std::size_t>(at_once));
    parallel_for(at_once, context.threads, [&](std::int64_t k) {
      const std::int64_t begin = first + k * chunk;
      texts[static_cast<std::size_t>(k)] = csv_rows(maker, begin, std::min(begin + chunk, rows));
    });
    for (const std::string& text : texts) write(text);
    context.progress.advance(static_cast<std::uint64_t>(std::min(chunk * at_once, rows - first)));
  }
}

}  // namespace cathoscope
