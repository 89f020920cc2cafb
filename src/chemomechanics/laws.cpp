#include <cathoscope/chemomechanics/laws.hpp>

#include <algorithm>

namespace cathoscope {

ValueAndSlope OpenCircuitVoltage::at(double x) {
  const auto term = [x](double amplitude, double rate, double centre) {
    const double t = std::tanh(rate * (x - centre));
    return ValueAndSlope{amplitude * t, amplitude * rate * (1 - t * t)};
  };
  const auto a = term(-0.0428, 18.5138, 0.5542), b = term(-17.7326, 15.7890, 0.3117),
             c = term(17.5842, 15.9308, 0.3120);
  return {4.4875 - 0.8090 * x + a.value + b.value + c.value, -0.8090 + a.slope + b.slope + c.slope};
}

double Diffusivity::operator()(double x) const {
  if (!measured_curve) return constant;
  const auto bump = [x](double centre, double width) { return std::exp(-(x - centre) * (x - centre) / width); };
  const double exponent =
      -13.96 - 0.9231 * bump(0.3216, 0.002534) - 0.4066 * bump(0.4532, 0.003926) - 0.993 * bump(0.8098, 0.09924);
  return 2.7 * std::pow(10.0, exponent) * constant / 3e-14;
}

double DamageFeedback::m(Contact contact, double w) const {
  constexpr double wetted = 0.02;         // what stays of a contact that lost its area
  constexpr double resistance_gain = 19;  // R_ct at w = 1 is 20 times that at w = 0, the ratio that chi = 0.05 gives
  const double intact = contact == Contact::high ? 1 : chi;
  switch (variant) {
    case Feedback::reversion: return contact == Contact::high ? chi + (1 - chi) * (1 - w) : chi;
    case Feedback::scale_all: return intact * (1 - w * (1 - wetted));
    case Feedback::multiply: return intact / (1 + resistance_gain * w);
    case Feedback::none:
    case Feedback::film: break;
  }
  return intact;
}

ValueAndSlope ButlerVolmer::exchange(double x) const {
  const double c = std::clamp(x, 1e-3, 1 - 1e-3);
  const double root = std::sqrt(c * (1 - c));
  return {i00 * 2 * root, c == x ? i00 * (1 - 2 * c) / root : 0};
}

double ButlerVolmer::current(double eta, double i0) const {
  return 2 * i0 * std::sinh(std::clamp(eta / (2 * thermal_voltage()), -40.0, 40.0));
}

namespace {

/// i of: i rho + 2 v asinh(i / (2 i0)) = eta. The left side is concave for i > 0, so Newton from the linear estimate comes
/// from one side and cannot overshoot.
double current_through_resistance(double eta, double i0, double rho, double v) {
  double i = std::abs(eta) / (rho + v / i0);
  for (int k = 0; k < 60; ++k) {
    const double miss = std::abs(eta) - i * rho - 2 * v * std::asinh(i / (2 * i0));
    const double step = miss / (rho + 2 * v / std::sqrt(i * i + 4 * i0 * i0));
    i += step;
    if (std::abs(step) <= 1e-15 * i) break;
  }
  return std::copysign(i, eta);
}

}  // namespace

InterfaceCurrent InterfaceKinetics::operator()(double phi, double x, double w, Contact contact, double rho) const {
  const double v = charge_transfer.thermal_voltage();
  const double m = feedback.m(contact, w);
  const auto u = open_circuit.at(x);
  auto i0 = charge_transfer.exchange(x);
  i0.value *= m;
  i0.slope *= m;
  const double series = rho + feedback.film(w);
  const double eta = phi - u.value;
  const double i =
      series > 0 ? current_through_resistance(eta, i0.value, series, v) : charge_transfer.current(eta, i0.value);
  const double s = i / (2 * i0.value);
  const double by_potential = 1 / (series + v / (i0.value * std::sqrt(1 + s * s)));
  const double by_content = by_potential * (2 * v * s / std::sqrt(1 + s * s) * i0.slope / i0.value - u.slope);
  return {i, by_potential, by_content};
}

double InterfaceKinetics::resistance(double x, double w, Contact contact, double rho) const {
  const double i0 = charge_transfer.exchange(x).value * feedback.m(contact, w);
  return charge_transfer.resistance(i0) + rho + feedback.film(w);
}

double CohesiveLaw::opening(const Jump& jump, const Jump& normal) {
  const double n = jump[0] * normal[0] + jump[1] * normal[1] + jump[2] * normal[2];
  double tangential = 0;
  for (std::size_t a = 0; a < 3; ++a) tangential += (jump[a] - n * normal[a]) * (jump[a] - n * normal[a]);
  return std::sqrt(std::max(n, 0.0) * std::max(n, 0.0) + tangential);
}

double CohesiveLaw::static_growth(double w, double delta) const {
  return std::min(1.0, std::max(w, (delta - onset()) / (failure() - onset())));
}

double CohesiveLaw::cyclic_growth(double w, double before, double after) const {
  if (!cyclic || w >= 1) return w;
  const double k = kappa(w);
  const double a = std::max(before, C_f * k), b = std::min(after, k);
  if (b <= a) return w;
  const double z = ((b * b - a * a) / (2 * k) - C_f * (b - a)) / (S * failure());
  if (z <= 0) return w;
  if (p == 1) return 1 - (1 - w) * std::exp(-z);
  const double power = std::pow(1 - w, 1 - p) + (p - 1) * z;
  return power <= 0 ? 1 : std::max(w, 1 - std::pow(power, 1 / (1 - p)));
}

CohesiveTraction CohesiveLaw::traction(const Jump& jump, const Jump& normal, double w) const {
  const double n = jump[0] * normal[0] + jump[1] * normal[1] + jump[2] * normal[2];
  const bool closed = n < 0;
  Jump active{};  // the part of the jump that the cohesive law resists
  for (std::size_t a = 0; a < 3; ++a) active[a] = jump[a] - (closed ? n * normal[a] : 0);
  const double delta = std::sqrt(active[0] * active[0] + active[1] * active[1] + active[2] * active[2]);
  const double now = static_growth(w, delta);
  const double least = 1e-6 * stiffness;
  const double soft = secant(now);
  const double k = std::max(soft, least);
  const bool loading = now > w && now < 1 && soft > least;
  const double kappa_now = kappa(now);
  const double slope = -strength / (failure() - onset()) / kappa_now - strength * (1 - now) / (kappa_now * kappa_now);
  CohesiveTraction t;
  for (std::size_t a = 0; a < 3; ++a) {
    t.traction[a] = k * active[a] + (closed ? stiffness * n * normal[a] : 0);
    for (std::size_t b = 0; b < 3; ++b) {
      const double nn = normal[a] * normal[b];
      t.tangent[a][b] = k * ((a == b ? 1 : 0) - (closed ? nn : 0)) + (closed ? stiffness * nn : 0) +
                        (loading ? slope * active[a] * active[b] / delta : 0);
    }
  }
  return t;
}

double misfit_stiffness(double particle_modulus, double particle_nu, double binder_modulus, double binder_nu) {
  const double mu_m = binder_modulus / (2 * (1 + binder_nu));
  const double k_p = particle_modulus / (3 * (1 - 2 * particle_nu));
  return 1 / (1 / (4 * mu_m) + 1 / (3 * k_p));
}

double misfit_opening(const CohesiveLaw& law, double misfit_stiffness, double radius, double e, double w) {
  const double load = misfit_stiffness * e, yielding = misfit_stiffness / radius;
  if (w >= 1) return e * radius;
  const double elastic = load / (law.secant(w) + yielding);
  if (elastic <= law.kappa(w)) return elastic;
  const double softening = law.strength / (law.failure() - law.onset());
  const double softened = (softening * law.failure() - load) / (softening - yielding);
  // Where softening is the steeper the branch is unstable: the interface snaps open.
  return softening < yielding && softened < law.failure() ? softened : e * radius;
}

}  // namespace cathoscope
