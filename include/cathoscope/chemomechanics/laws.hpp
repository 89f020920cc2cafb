#pragma once
/// Material and interface laws of the chemomechanical model, as values with call operators. SI units throughout; x is the
/// lithium content c / c_max. Every solver of the module uses these and nothing else. Equations: docs/chemomechanics.md.

#include <array>
#include <cmath>

namespace cathoscope {

inline constexpr double faraday = 96485.33212;       ///< C/mol
inline constexpr double gas_constant = 8.314462618;  ///< J/(mol K)

struct ValueAndSlope {
  double value = 0;
  double slope = 0;
};

/// Open-circuit voltage against lithium of NMC811 (LG M50), V. Chen et al. (2020), DOI 10.1149/1945-7111/ab9050.
/// Smooth for every x, so that trial values of an iteration outside 0..1 do no harm.
struct OpenCircuitVoltage {
  [[nodiscard]] static ValueAndSlope at(double x);
  [[nodiscard]] double operator()(double x) const { return at(x).value; }
  [[nodiscard]] double derivative(double x) const { return at(x).slope; }
};

/// Relative change of volume against the content x0: eV(x) - eV(x0) = -a1 (x0 - x) - a2 (S(x) - S(x0)) with
/// S(x) = 1/(1 + exp((x - xs)/ws)). Drawn after X-ray diffraction of Ni-rich layered oxides: nearly flat at high lithium
/// content, collapse below x of about 0.4. Not digitised data.
struct VolumeStrain {
  double a1 = 0.02;
  double a2 = 0.05;
  double xs = 0.24;
  double ws = 0.05;
  double x0 = 0.95;

  [[nodiscard]] double operator()(double x) const { return -a1 * (x0 - x) - a2 * (collapse(x) - collapse(x0)); }
  [[nodiscard]] double derivative(double x) const {
    const double s = collapse(x);
    return a1 + a2 * s * (1 - s) / ws;
  }

 private:
  [[nodiscard]] double collapse(double x) const { return 1 / (1 + std::exp((x - xs) / ws)); }
};

/// Diffusion coefficient of lithium in the particle, m^2/s: a constant, or the curve of O'Regan et al. (2022),
/// DOI 10.1016/j.electacta.2022.140700, scaled by constant / 3e-14 (its plateau times 2.7 is the default constant).
struct Diffusivity {
  double constant = 3e-14;
  bool measured_curve = false;
  [[nodiscard]] double operator()(double x) const;
};

/// Young's modulus of the particle, Pa: at_start (1 + slope (x - x0)), never below a tenth of at_start.
struct ParticleModulus {
  double at_start = 140e9;
  double slope = 0;
  double x0 = 0.95;
  [[nodiscard]] double operator()(double x) const { return at_start * std::fmax(0.1, 1 + slope * (x - x0)); }
};

/// How damage w of the interface acts on the charge transfer.
enum class Feedback {
  reversion,  ///< damage takes away the advantage of the good contact: m falls from 1 to chi
  none,       ///< damage does not act: m = 1 or chi
  scale_all,  ///< damage takes area from both contacts: m = 1 or chi, times 1 - 0.98 w
  multiply,   ///< damage multiplies R_ct of both contacts by 1 + 19 w, whatever chi is
  film,       ///< m as with none; a film of resistance film_ohm_m2 w / (1 - w + 0.001) in series
};

/// The two contacts that the surface of a particle may have.
enum class Contact { high, low };

/// One object for all laws of R_ct(w) = RT / (F i0): i0 is multiplied by m(contact, w), and `film` adds in series.
struct DamageFeedback {
  Feedback variant = Feedback::reversion;
  double chi = 0.05;       ///< exchange current at the low contact over that at the high one, undamaged
  double film_ohm_m2 = 0;  ///< scale of the film

  [[nodiscard]] double m(Contact contact, double w) const;
  [[nodiscard]] double film(double w) const { return variant == Feedback::film ? film_ohm_m2 * w / (1 - w + 1e-3) : 0; }
};

/// Charge transfer with alpha = 1/2: i = 2 i0 sinh(F eta / (2 R T)), i0 = i00 2 sqrt(x (1 - x)) m; anodic (x falls) is
/// positive. x is clipped to [0.001, 0.999] in i0 only.
struct ButlerVolmer {
  double i00 = 1.5;             ///< A/m^2, at x = 1/2 and m = 1
  double temperature = 298.15;  ///< K

  [[nodiscard]] double thermal_voltage() const { return gas_constant * temperature / faraday; }
  /// i0 and its derivative by x.
  [[nodiscard]] ValueAndSlope exchange(double x) const;
  [[nodiscard]] double current(double eta, double i0) const;
  /// R_ct, ohm m^2.
  [[nodiscard]] double resistance(double i0) const { return thermal_voltage() / i0; }
};

/// Current density through the interface and its derivatives by the potential of the binder and by x at the surface.
struct InterfaceCurrent {
  double i = 0;
  double by_potential = 0;
  double by_content = 0;
};

/// The whole interface at one point: Butler-Volmer, open-circuit voltage, feedback, and resistance in series.
struct InterfaceKinetics {
  ButlerVolmer charge_transfer;
  DamageFeedback feedback;
  OpenCircuitVoltage open_circuit;

  /// i of: phi - U(x) - i (rho + film(w)) = 2 R T / F asinh(i / (2 i0 m)). `rho`: further resistance in series, ohm m^2.
  /// The argument of sinh is clipped to +-40.
  [[nodiscard]] InterfaceCurrent operator()(double phi, double x, double w, Contact contact, double rho = 0) const;
  /// R T / (F i0 m) + rho + film(w), ohm m^2.
  [[nodiscard]] double resistance(double x, double w, Contact contact, double rho = 0) const;
};

/// Opening and closing of a point of the interface, in the frame of its normal (from the particle into the binder).
using Jump = std::array<double, 3>;
using Tangent = std::array<std::array<double, 3>, 3>;  ///< d traction[row] / d jump[column]

struct CohesiveTraction {
  Jump traction{};
  Tangent tangent{};
};

/// Cohesive interface: bilinear envelope, one strength and one toughness for all modes, and cyclic growth below the
/// envelope (after Roe and Siegmund (2003), DOI 10.1016/S0013-7944(02)00034-6). Damage w runs from 0 to 1 linearly with
/// the largest opening kappa; under monotonic loading it is the dissipated energy over G_c.
struct CohesiveLaw {
  double strength = 10e6;   ///< T_max, Pa
  double toughness = 0.31;  ///< G_c, J/m^2
  double stiffness = 3e16;  ///< K0, Pa/m
  double S = 0.5;           ///< accumulated opening to failure, in units of delta_f
  double C_f = 0.25;        ///< endurance: no cyclic growth below C_f kappa
  double p = 1;             ///< growth slows as (1 - w)^p
  bool cyclic = true;

  [[nodiscard]] double onset() const { return strength / stiffness; }        ///< delta_0, m
  [[nodiscard]] double failure() const { return 2 * toughness / strength; }  ///< delta_f, m
  [[nodiscard]] double kappa(double w) const { return onset() + w * (failure() - onset()); }
  /// t / delta on unloading and reloading, Pa/m. K0 while w = 0.
  [[nodiscard]] double secant(double w) const { return w > 0 ? strength * (1 - w) / kappa(w) : stiffness; }
  /// Effective opening: sqrt(<delta_n>^2 + |delta_s|^2).
  [[nodiscard]] static double opening(const Jump& jump, const Jump& normal);
  /// w after monotonic opening up to `delta`, never less than `w`.
  [[nodiscard]] double static_growth(double w, double delta) const;
  /// w after the opening grew from `before` to `after` at the envelope frozen at kappa(w), in closed form:
  /// z = [(b^2 - a^2)/(2 kappa) - C_f (b - a)] / (S delta_f), a = max(before, C_f kappa), b = min(after, kappa);
  /// p = 1: 1 - w falls by exp(-z); else (1-w)^(1-p) grows by (p-1) z.
  [[nodiscard]] double cyclic_growth(double w, double before, double after) const;
  /// Traction on the binder's side and its consistent tangent. `w` is committed damage; an opening beyond kappa(w) is
  /// on the envelope (loading) and its damage is static_growth(w, opening). A closed interface has full contact stiffness
  /// and takes no damage from compression. The secant never falls below 1e-6 K0: a loose particle stays in place.
  [[nodiscard]] CohesiveTraction traction(const Jump& jump, const Jump& normal, double w) const;
};

/// Stiffness of a misfitting sphere in an infinite matrix: interface traction = K_s e, 1/K_s = 1/(4 mu_m) + 1/(3 K_p)
/// (Eshelby (1957), DOI 10.1098/rspa.1957.0133). e: linear misfit.
[[nodiscard]] double misfit_stiffness(double particle_modulus, double particle_nu, double binder_modulus,
                                      double binder_nu);

/// Opening of the interface around such a sphere of radius R at misfit e: elastic while it stays within kappa(w), then on
/// the softening branch, then free. m.
[[nodiscard]] double misfit_opening(const CohesiveLaw& law, double misfit_stiffness, double radius, double e, double w);

}  // namespace cathoscope
