#include "particle_rows.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope::attributes {

namespace {

double mean(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// Mean over pairs of axes of P2(cos), or in a plane of cos 2 angle: 0 for random axes, 1 for parallel ones.
double alignment_of(const std::vector<Vector>& axes, bool two_dimensional) {
  if (axes.size() < 3) return missing;
  double sum = 0;
  int pairs = 0;
  for (std::size_t i = 0; i < axes.size(); ++i)
    for (std::size_t j = i + 1; j < axes.size(); ++j, ++pairs) {
      const double c2 = std::pow(dot(axes[i], axes[j]), 2);
      sum += two_dimensional ? 2 * c2 - 1 : (3 * c2 - 1) / 2;
    }
  return sum / pairs;
}

/// Largest eigenvalue of Q = 1.5 (<uu> - I/3). Biased for few axes: 0.35 on average for six random ones.
double largest_order(const std::vector<Vector>& axes) {
  if (axes.size() < 3) return missing;
  Eigen::Matrix3d q = Eigen::Matrix3d::Zero();
  for (const Vector& a : axes) {
    const Eigen::Vector3d u(a[0], a[1], a[2]);
    q += u * u.transpose();
  }
  q = 1.5 * (q / static_cast<double>(axes.size()) - Eigen::Matrix3d::Identity() / 3);
  return Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d>(q, Eigen::EigenvaluesOnly).eigenvalues()(2);
}

Surrounding surrounding_of(const std::vector<Neighbour>& neighbours, const std::vector<ParticleRow>& rows,
                           bool two_dimensional) {
  std::vector<double> distance, elongation, volume, sphericity, leak_free;
  std::vector<Vector> axes;
  for (const Neighbour& n : neighbours) {
    const ParticleRow& row = rows[n.index];
    distance.push_back(n.distance);
    elongation.push_back(row.shape.elongation());
    volume.push_back(row.volume());
    sphericity.push_back(row.sphericity());
    leak_free.push_back(row.sphericity_leak_free());
    if (row.shape.long_axis_defined) axes.push_back(row.shape.axes[0]);
  }
  Surrounding s;
  s.distance = mean(distance);
  s.last_distance = distance.back();
  s.elongation_std = standard_deviation(elongation);
  s.volume_std = standard_deviation(volume);
  s.volume_cv = s.volume_std / mean(volume);
  s.sphericity_std = standard_deviation(sphericity);
  s.sphericity_std_leak_free = standard_deviation(leak_free);
  s.alignment = alignment_of(axes, two_dimensional);
  if (!two_dimensional) s.alignment_max = largest_order(axes);
  return s;
}

double sphericity_from(double volume, double surface) {
  return surface > 0 ? 36 * std::acos(-1.0) * volume * volume / (surface * surface * surface) : missing;
}

}  // namespace

double standard_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return missing;
  const double m = mean(values);
  double squares = 0;
  for (const double v : values) squares += (v - m) * (v - m);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double ParticleRow::sphericity() const { return sphericity_from(volume(), surf_total); }
double ParticleRow::sphericity_leak_free() const { return sphericity_from(volume(), surf_outer); }
double ParticleRow::vs_ratio() const { return surf_total > 0 ? std::cbrt(volume()) / std::sqrt(surf_total) : missing; }
double ParticleRow::vs_ratio_leak_free() const {
  return surf_outer > 0 ? std::cbrt(volume()) / std::sqrt(surf_outer) : missing;
}

void measure_surroundings(const AttributesConfig& config, const AttributeInputs& inputs, int threads,
                          std::vector<ParticleRow>& rows) {
  const Vec3& h = inputs.labels.voxel_size_um;
  std::vector<Vec3> points;
  for (const ParticleRow& row : rows) {
    const Vec3& c = row.shape.centroid_voxels;
    points.push_back({c[0] * h[0], c[1] * h[1], c[2] * h[2]});
  }
  const auto k = static_cast<std::size_t>(config.neighbours);
  const auto neighbours = nearest_neighbours(points, k, threads);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (neighbours[i].size() == k) rows[i].near = surrounding_of(neighbours[i], rows, inputs.two_dimensional);
}

}  // namespace cathoscope::attributes
