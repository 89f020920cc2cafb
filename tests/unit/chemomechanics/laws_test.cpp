#include "test_data.hpp"

#include <cathoscope/chemomechanics/laws.hpp>
#include <cathoscope/core/text.hpp>

#include <fstream>
#include <sstream>

using namespace cathoscope;

namespace {

/// Two columns of numbers; lines that start with # are comments, those after "extra point" are no measurement.
std::vector<std::pair<double, double>> measured_curve(const std::string& file) {
  std::ifstream in(test::data_file(file));
  std::vector<std::pair<double, double>> points;
  bool extra = false;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') {
      extra = line.find("extra point") != std::string::npos;
      continue;
    }
    const auto comma = line.find(',');
    const auto x = number_from(line.substr(0, comma)), y = number_from(line.substr(comma + 1));
    if (x && y && !extra) points.emplace_back(*x, *y);
    extra = false;
  }
  return points;
}

template <class Law>
double central_difference(const Law& law, double x) {
  const double h = 1e-5;
  return (law(x + h) - law(x - h)) / (2 * h);
}

}  // namespace

TEST_CASE("open-circuit voltage has the published values and slopes") {
  const OpenCircuitVoltage u{};
  const std::pair<double, double> values[] = {{.2, 4.4690}, {.3, 4.2054},  {.5, 3.9720},
                                              {.8, 3.6491}, {.95, 3.5278}, {1, 3.4873}};
  for (const auto& [x, volt] : values) CHECK(u(x) == Approx(volt).margin(5.1e-5));  // the values have four decimals
  CHECK(u.derivative(.3) == Approx(-1.311).margin(6e-4));
  CHECK(u.derivative(.5) == Approx(-1.263).margin(6e-4));
  CHECK(u.derivative(.9) == Approx(-.809).margin(6e-4));
  for (double x = 0.02; x < 1; x += 0.01) {
    CHECK(u.derivative(x) == Approx(central_difference(u, x)).epsilon(1e-5));
    CHECK(u.derivative(x) < 0);
  }
}

TEST_CASE("open-circuit voltage follows the measured curve of the cell it was fitted to") {
  const OpenCircuitVoltage u{};
  double squares = 0, worst = 0;
  const auto points = measured_curve("electrochemistry/nmc_LGM50_ocp_Chen2020.csv");
  REQUIRE(points.size() > 200);
  for (const auto& [x, volt] : points) {
    squares += (u(x) - volt) * (u(x) - volt);
    worst = std::max(worst, std::abs(u(x) - volt));
  }
  // The fit's own scatter about its data is of this size.
  CHECK(std::sqrt(squares / static_cast<double>(points.size())) < 0.015);
  CHECK(worst < 0.06);
}

TEST_CASE("volume strain is flat above x = 0.45 and collapses below 0.4") {
  const VolumeStrain e;
  const std::pair<double, double> values[] = {{.8, -.0030},  {.5, -.0093}, {.4, -.0130}, {.3, -.0246},
                                              {.25, -.0365}, {.2, -.0495}, {.15, -.0589}};
  for (const auto& [x, strain] : values) CHECK(e(x) == Approx(strain).margin(5.1e-5));
  CHECK(e(e.x0) == 0);
  for (double x = 0.05; x < 1; x += 0.05) CHECK(e.derivative(x) == Approx(central_difference(e, x)).epsilon(1e-6));
}

TEST_CASE("diffusivity is a constant or the measured curve") {
  CHECK(Diffusivity{}(0.1) == 3e-14);
  const Diffusivity curve{3e-14, true};
  // Far from the three dips the curve is its plateau.
  CHECK(curve(-10) == Approx(2.7 * std::pow(10, -13.96)).epsilon(1e-12));
  CHECK(curve(0.3216) == Approx(2.7 * std::pow(10, -13.96 - .9231 - .4066 * std::exp(-.1316 * .1316 / .003926) -
                                                       .993 * std::exp(-.4882 * .4882 / .09924)))
                             .epsilon(1e-12));
  CHECK(Diffusivity{6e-14, true}(0.5) == Approx(2 * curve(0.5)).epsilon(1e-14));
}

TEST_CASE("the particle's modulus follows lithium only if asked to") {
  CHECK(ParticleModulus{}(0.1) == 140e9);
  const ParticleModulus soft{140e9, 0.5, 0.95};
  CHECK(soft(0.95) == 140e9);
  CHECK(soft(0.45) == Approx(105e9));
  CHECK(ParticleModulus{140e9, 5, 0.95}(0.1) == Approx(14e9));
}

TEST_CASE("damage feedback: each law at both ends") {
  const auto m = [](Feedback variant, Contact contact, double w) {
    return DamageFeedback{variant, 0.05, 1}.m(contact, w);
  };
  for (const auto variant :
       {Feedback::reversion, Feedback::none, Feedback::scale_all, Feedback::multiply, Feedback::film}) {
    CHECK(m(variant, Contact::high, 0) == 1);
    CHECK(m(variant, Contact::low, 0) == 0.05);
  }
  CHECK(m(Feedback::reversion, Contact::high, 1) == Approx(0.05));  // the advantage is gone
  CHECK(m(Feedback::reversion, Contact::low, 1) == 0.05);
  CHECK(m(Feedback::none, Contact::high, 1) == 1);
  CHECK(m(Feedback::scale_all, Contact::low, 1) == Approx(0.05 * 0.02));
  CHECK(m(Feedback::multiply, Contact::high, 1) == Approx(0.05));
  CHECK(m(Feedback::multiply, Contact::low, 1) == Approx(0.05 * 0.05));
  CHECK(DamageFeedback{Feedback::film, 0.05, 0.017}.film(0.5) == Approx(0.017 * 0.5 / 0.501));
  CHECK(DamageFeedback{Feedback::none, 0.05, 0.017}.film(0.5) == 0);
  // R_ct(w) of `multiply` over R_ct(0) does not know chi.
  for (const double w : {0.2, 0.9})
    CHECK(DamageFeedback{Feedback::multiply, 1, 0}.m(Contact::low, w) ==
          Approx(m(Feedback::multiply, Contact::high, w)).epsilon(1e-15));
}

TEST_CASE("charge transfer: resistance, sign, symmetry") {
  const InterfaceKinetics law{{}, {Feedback::none, 0.05, 0}, {}};
  const double u = law.open_circuit(0.5);
  CHECK(law.resistance(0.5, 0, Contact::high) == Approx(0.0171).epsilon(2e-3));  // 171 ohm cm^2
  CHECK(law.resistance(0.5, 0, Contact::low) == Approx(20 * law.resistance(0.5, 0, Contact::high)));
  CHECK(law(u + 0.05, 0.5, 0, Contact::high).i > 0);  // anodic: lithium leaves
  CHECK(law(u + 0.05, 0.5, 0, Contact::high).i == Approx(-law(u - 0.05, 0.5, 0, Contact::high).i));
  CHECK(law(u, 0.5, 0, Contact::high).i == Approx(0).margin(1e-12));
}

TEST_CASE("resistance in series takes exactly its share of the overpotential") {
  const InterfaceKinetics law{{}, {Feedback::film, 0.05, 0.03}, {}};
  const double rho = 0.01, w = 0.6, v = law.charge_transfer.thermal_voltage();
  for (const double eta : {-0.4, -0.01, 0.002, 0.1, 1.0}) {
    const double i = law(law.open_circuit(0.4) + eta, 0.4, w, Contact::low, rho).i;
    const double i0 = law.charge_transfer.exchange(0.4).value * 0.05;
    CHECK(i * (rho + law.feedback.film(w)) + 2 * v * std::asinh(i / (2 * i0)) == Approx(eta).epsilon(1e-12));
  }
}

TEST_CASE("a huge overpotential gives a finite current") {
  const InterfaceKinetics law{{}, {}, {}};
  CHECK(std::isfinite(law(1000, 0.5, 0, Contact::high).i));
  CHECK(std::isfinite(law(-1000, 0.5, 0, Contact::high).i));
}

TEST_CASE("cohesive law: derived lengths, envelope, energy") {
  const CohesiveLaw law;
  CHECK(law.failure() == Approx(62e-9));
  CHECK(law.onset() == Approx(0.333e-9).epsilon(1e-2));
  CHECK(law.secant(0) == law.stiffness);
  CHECK(law.static_growth(0, law.onset()) == 0);
  CHECK(law.static_growth(0, law.failure()) == Approx(1));
  CHECK(law.static_growth(0.4, law.onset()) == 0.4);
  // Work along the envelope less the elastic energy that unloading gives back is w G_c.
  const Jump normal{0, 0, 1};
  double work = 0, before = 0;
  const int steps = 20000;
  const double end = 0.37 * law.failure();
  for (int n = 1; n <= steps; ++n) {
    const double delta = end * n / steps;
    const double t = law.traction({0, 0, delta}, normal, 0).traction[2];
    work += 0.5 * (t + before) * end / steps;
    before = t;
  }
  const double stored = 0.5 * before * end;
  CHECK((work - stored) / law.toughness == Approx(law.static_growth(0, end)).epsilon(1e-4));  // trapezoids at the kink
}

TEST_CASE("a closed interface is stiff, slides on what is left, and takes no damage") {
  const CohesiveLaw law;
  const Jump normal{1, 0, 0};
  CHECK(CohesiveLaw::opening({-1e-9, 0, 0}, normal) == 0);
  CHECK(CohesiveLaw::opening({-1e-9, 3e-9, 4e-9}, normal) == Approx(5e-9));
  CHECK(CohesiveLaw::opening({2e-9, 2e-9, 1e-9}, normal) == Approx(3e-9));
  const auto closed = law.traction({-1e-9, 0, 0}, normal, 0.9);
  CHECK(closed.traction[0] == Approx(-1e-9 * law.stiffness));
  CHECK(closed.tangent[1][1] == Approx(law.secant(0.9)));
  // A failed interface keeps a millionth of its stiffness.
  CHECK(law.traction({1e-7, 0, 0}, normal, 1).traction[0] == Approx(1e-7 * 1e-6 * law.stiffness));
}

TEST_CASE("cyclic growth: none below endurance, additive in the opening, bounded") {
  CohesiveLaw law;
  const double kappa = law.kappa(0.4);
  CHECK(law.cyclic_growth(0.4, 0, 0.99 * law.C_f * kappa) == 0.4);
  CHECK(law.cyclic_growth(0.4, 0.8 * kappa, 0.5 * kappa) == 0.4);                   // closing
  CHECK(law.cyclic_growth(0.4, 0, kappa) == law.cyclic_growth(0.4, 0, 2 * kappa));  // beyond: the static law's part
  CHECK(law.cyclic_growth(1, 0, kappa) == 1);
  law.cyclic = false;
  CHECK(law.cyclic_growth(0.4, 0, kappa) == 0.4);
  for (const double p : {0.0, 0.5, 1.0, 3.0}) {
    CohesiveLaw other;
    other.p = p;
    other.S = 1e-4;  // violent
    const double w = other.cyclic_growth(0.4, 0, kappa);
    CHECK(w > 0.4);
    CHECK(w <= 1);
  }
}

TEST_CASE("p = 1 is the limit of its neighbours") {
  CohesiveLaw law, near;
  near.p = 1 + 1e-7;
  const double kappa = law.kappa(0.3);
  CHECK(near.cyclic_growth(0.3, 0, kappa) == Approx(law.cyclic_growth(0.3, 0, kappa)).epsilon(1e-6));
}

TEST_CASE("misfit: elastic, softening, free, and snapping where softening is too steep") {
  CohesiveLaw law;
  const double k_s = misfit_stiffness(140e9, 0.3, 2e9, 0.3), radius = 5e-6;
  CHECK(k_s == Approx(3.050e9).epsilon(1e-3));
  const double onset = law.strength / k_s + law.onset() / radius;
  CHECK(onset == Approx(0.0033).epsilon(0.02));
  CHECK(law.static_growth(0, misfit_opening(law, k_s, radius, 0.999 * onset, 0)) == 0);
  CHECK(law.static_growth(0, misfit_opening(law, k_s, radius, 1.01 * onset, 0)) > 0);
  CHECK(misfit_opening(law, k_s, radius, 0.02, 0) == 0.02 * radius);
  // Reloading: traction in the interface and in the matrix agree.
  const double w = 0.5, e = 0.004, opening = misfit_opening(law, k_s, radius, e, w);
  CHECK(law.secant(w) * opening == Approx(k_s * (e - opening / radius)).epsilon(1e-12));
  law.toughness = 0.05;  // steep
  CHECK(misfit_opening(law, k_s, radius, 1.01 * (law.strength / k_s + law.onset() / radius), 0) > law.failure());
}
