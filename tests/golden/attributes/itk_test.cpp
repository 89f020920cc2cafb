#include "attribute_bodies.hpp"
#include "itk_shapes.hpp"
#include "test_data.hpp"

// Reference: itk::LabelImageToShapeLabelMapFilter, Lehmann and Legland, Insight Journal 2012, hdl 10380/3342.

using namespace cathoscope;
using namespace cathoscope::attributes;

namespace {

/// Blobs of three overlapping ellipsoids each, apart from each other.
RenderedBody blobs(const Vec3& h) {
  Stream random(23, {"blobs"});
  std::vector<Body> parts;
  std::uint32_t label = 0;
  for (int cell = 0; cell < 12; ++cell) {
    ++label;
    const Point at{14 + 28.0 * (cell % 3), 14 + 28.0 * (cell / 3 % 2), 14 + 28.0 * (cell / 6)};
    for (int part = 0; part < 3; ++part) {
      const auto shifted = [&](double v) { return v + random.uniform(-3, 3); };
      const auto axes = rotation(random.uniform(-3, 3), random.uniform(-1.5, 1.5), random.uniform(-3, 3));
      parts.push_back(ellipsoid({shifted(at[0]), shifted(at[1]), shifted(at[2])},
                                {random.uniform(4, 8), random.uniform(3, 6), random.uniform(3, 5)}, axes, label));
    }
  }
  const auto n = [&](double length, std::size_t axis) {
    return static_cast<std::int64_t>(std::ceil(length / h[axis]));
  };
  return rendered(any_of(std::move(parts)), label, {n(56, 0), n(56, 1), n(84, 2)}, h);
}

using Matrix = std::array<std::array<double, 3>, 3>;

/// Largest over smallest eigenvalue of a symmetric matrix, by Cardano's formula.
double eigenvalue_ratio(const Matrix& m) {
  const double mean = (m[0][0] + m[1][1] + m[2][2]) / 3;
  const double a = m[0][0] - mean, b = m[1][1] - mean, c = m[2][2] - mean;
  const double xy = m[0][1], xz = m[0][2], yz = m[1][2];
  const double p = std::sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6);
  const double half = (a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)) / (2 * p * p * p);
  const double phi = std::acos(std::clamp(half, -1.0, 1.0)) / 3;
  return (mean + 2 * p * std::cos(phi)) / (mean + 2 * p * std::cos(phi + 2.0943951023931957));
}

/// ITK's covariance is that of the voxel centres; a body of voxels has h^2 / 12 an axis more.
double elongation_of(const test::ItkShape& s, const Vec3& h) {
  Matrix m = s.covariance;
  for (std::size_t a = 0; a < 3; ++a) m[a][a] += h[2 - a] * h[2 - a] / 12;
  return std::sqrt(eigenvalue_ratio(m));
}

void check_against_itk(const Vec3& h, double surface_tolerance) {
  const RenderedBody body = blobs(h);
  const auto& values = body.labels.values;
  const auto shapes =
      test::itk_shapes({values.data(), values.data() + values.size()}, body.labels.shape(), {h[0], h[1], h[2]});
  const Table t = test::measured(body.inputs()).paper;
  REQUIRE(shapes.size() == 12);
  REQUIRE(t.rows() == 12);
  for (std::size_t i = 0; i < 12; ++i) {
    const test::ItkShape& s = shapes[i];
    INFO("label " << s.label);
    CHECK(test::at(t, "Volume", i) == Approx(s.volume).epsilon(1e-12));
    CHECK(test::at(t, "X", i) == Approx(s.centroid[0] + 0.5 * h[2]).epsilon(1e-9));  // ITK: voxel centres at integers
    CHECK(test::at(t, "Y", i) == Approx(s.centroid[1] + 0.5 * h[1]).epsilon(1e-9));
    CHECK(test::at(t, "Z", i) == Approx(s.centroid[2] + 0.5 * h[0]).epsilon(1e-9));
    CHECK(test::at(t, "Elongation", i) == Approx(elongation_of(s, h)).epsilon(1e-9));
    INFO("surface " << test::at(t, "SurfOuter", i) << " ITK " << s.perimeter);
    CHECK(test::at(t, "SurfOuter", i) == Approx(s.perimeter).epsilon(surface_tolerance));
  }
}

}  // namespace

TEST_CASE("surfaces, centroids and moments of random blobs are those of ITK") {
  check_against_itk({1, 1, 1}, 1e-6);  // both have the weights to ten digits; ours are then kept in 28 bits
}

TEST_CASE("moments on voxels that are not cubes are those of ITK; surfaces agree within the error of its weights") {
  // ITK takes the weights of cubic voxels for direction sets that it does not know
  check_against_itk({1.5, 1, 0.8}, 0.05);
}
