#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/pipeline/measured_network.hpp>

#include <cmath>

using namespace cathoscope;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

Table small_table() {
  Table t;
  t.columns.push_back({"label", "", "", {}, {5, 6, 7, 9}, {}});
  const auto number = [&](const char* name, std::vector<double> values) {
    t.columns.push_back({name, "", "", std::move(values), {}, {}});
  };
  const double ball = 4 * 3.14159265358979323846 / 3;
  number("X", {0, 10, 20, 5});
  number("Y", {0, 4, 8, 2});
  number("Z", {3, 30, 40, 1});
  number("Volume", {ball * 27, ball * 8, ball, none});
  number("Damage", {0.1, 0.2, 0.3, 0.4});
  number("Contact", {0.25, none, 1, 0.5});
  number("touches_border", {0, 0, 1, 0});
  return t;
}

MeasuredParticles drawn(std::size_t n) {
  MeasuredParticles m;
  Stream random(3, {"test"});
  for (std::size_t i = 0; i < n; ++i) {
    m.volume_um3.push_back(random.uniform(1, 100));
    m.damage.push_back(random.uniform());
    m.interior.push_back(i % 10 != 0);
    m.labels.push_back(i + 1);
    m.particles.push_back({1e-6, random.uniform(), 0});
  }
  return m;
}

}  // namespace

TEST_CASE("particles of a table: radius, depth, coverage, and what is left out") {
  ChemomechanicsGeometryConfig g;
  const auto m = measured_particles(small_table(), g);
  REQUIRE(m.particles.size() == 2);
  CHECK(m.labels == std::vector<std::uint64_t>{5, 7});
  CHECK(m.without_shape == 1);
  CHECK(m.without_coverage == 1);
  CHECK(m.particles[0].radius == Approx(3e-6));
  CHECK(m.particles[0].coverage == 0.75);
  CHECK(m.particles[1].coverage == 0);
  CHECK(m.particles[1].depth == Approx(40e-6));
  CHECK(m.interior == std::vector<bool>{true, false});
  CHECK(m.thickness_um == Approx(41));
  CHECK(m.cross_section_um2 == Approx((21.0 + 3) * (9.0 + 3)));
  g.proxy = "constant";
  CHECK(measured_particles(small_table(), g).particles.size() == 3);
  g.proxy = "binder_contact";
  CHECK_THROWS_AS(measured_particles(small_table(), g), Error);  // no such column
}

TEST_CASE("the depth takes potential from particles far from the collector") {
  ChemomechanicsConfig c;
  c.protocol.cycles = 1;
  c.geometry.particles_from = std::string("electrode");
  c.geometry.depth_conductivity_S_m = 1e-3;
  MeasuredParticles m;
  m.particles = {{5e-6, 0.5, 0}, {5e-6, 0.5, 40e-6}};
  m.thickness_um = 45;
  m.cross_section_um2 = 400;
  const auto model = measured_network(c, m);
  auto state = initial_state(model);
  Progress progress;
  run_network(model, state, [](const auto&, const auto&) {}, {progress, 1});
  CHECK(state.summaries.front().x[0] < state.summaries.front().x[1]);
  const auto plain = radius_only_network(c, m);
  CHECK(plain.depth.cross_section == 0);
  CHECK(plain.particles[0].coverage == plain.particles[1].coverage);
}

TEST_CASE("agreement given Volume: perfect, none, and nothing but Volume") {
  const auto m = drawn(300);
  const auto perfect = damage_agreement(m, m.damage, 500, 1);
  CHECK(perfect.spearman == Approx(1));
  CHECK(perfect.partial == Approx(1));
  CHECK(perfect.p == Approx(1.0 / 501));
  Stream random(9, {"unrelated"});
  std::vector<double> unrelated(300), size_only(300);
  for (double& v : unrelated) v = random.uniform();
  const auto nothing = damage_agreement(m, unrelated, 500, 1);
  CHECK(std::abs(nothing.partial) < 0.2);
  CHECK(nothing.p > 0.01);
  CHECK(nothing.null_low < 0);
  CHECK(nothing.null_high > 0);
  for (std::size_t i = 0; i < 300; ++i) size_only[i] = std::log(m.volume_um3[i]);
  CHECK(std::isnan(damage_agreement(m, size_only, 500, 1).partial));
}
