#pragma once
/// Block `chemomechanics` of the configuration.

#include <cathoscope/core/fields.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// `chemomechanics.geometry.coverage`: share of each particle's surface that touches the highly conductive binder.
struct CoverageConfig {
  std::vector<double> values{0.9, 0.5, 0.1};
  std::string distribution = "list";
  double low = 0.15;
  double high = 0.85;
  static constexpr std::string_view shorthand = "values";
};

template <class V>
void fields(V& v, CoverageConfig& c) {
  v("values", c.values, "one share for each particle", between(0, 1));
  v("distribution", c.distribution, "list: `values`; uniform: drawn between low and high by the seed of the run",
    one_of({"list", "uniform"}));
  v("low", c.low, "uniform: smallest share", between(0, 1));
  v("high", c.high, "uniform: largest share", between(0, 1));
}

template <class P>
void check(P& problems, const CoverageConfig& c) {
  if (c.low > c.high) problems.add("low", "must not exceed high");
}

struct ChemomechanicsGeometryConfig {
  double radius_um = 5;
  double spacing = 2.6;
  CoverageConfig coverage;
  std::int64_t particles = 3;
  std::optional<std::string> particles_from;
  std::string proxy = "one_minus_contact";
  double ohmic_path_um = 0;
  double depth_conductivity_S_m = 0.18;
};

template <class V>
void fields(V& v, ChemomechanicsGeometryConfig& c) {
  v("radius_um", c.radius_um, "radius of the particles", between(0.01, 1000));
  v("spacing", c.spacing, "distance of neighbouring centres in radii; for a mesh, the network has none", above(2));
  v("coverage", c.coverage, "share of the surface on highly conductive binder: a list, or a distribution");
  v("particles", c.particles, "number of particles", between(1, 10000));
  v("particles_from", c.particles_from,
    "name of an electrode: its measured particles, with their radius, depth and coverage, instead of `particles`");
  v("proxy", c.proxy,
    "coverage of measured particles: binder_contact, their share of surface on binder; one_minus_contact, 1 minus "
    "their "
    "share of surface near another particle; constant, `coverage.low`",
    one_of({"one_minus_contact", "binder_contact", "constant"}));
  v("ohmic_path_um", c.ohmic_path_um,
    "network: length of binder between collector and particle, whose conductivity is that of the contact; 0 = no drop",
    at_least(0));
  v("depth_conductivity_S_m", c.depth_conductivity_S_m,
    "particles_from: electronic conductivity of the electrode, for the potential drop along the depth", above(0));
}

template <class P>
void check(P& problems, const ChemomechanicsGeometryConfig& c) {
  if (!c.particles_from && c.coverage.distribution == "list" &&
      static_cast<std::int64_t>(c.coverage.values.size()) != c.particles)
    problems.add("coverage", "has " + std::to_string(c.coverage.values.size()) + " values for " +
                                 std::to_string(c.particles) +
                                 " particles; give one a particle, or {distribution: uniform, low: .., high: ..}");
}

struct ChemomechanicsMeshConfig {
  double h_over_R = 0.333;
  std::int64_t order = 2;
  std::optional<InputPath> file;
};

template <class V>
void fields(V& v, ChemomechanicsMeshConfig& c) {
  v("h_over_R", c.h_over_R, "edge of an element over the radius; a mesh only, the network has none", between(0.02, 1));
  v("order", c.order, "order of the elements; a mesh only", between(1, 2));
  v("file", c.file, "a mesh instead of the generated one; a mesh only");
}

struct ChemomechanicsMaterialsConfig {
  double particle_GPa = 140;
  double particle_modulus_slope = 0;
  double binder_GPa = 2;
  double particle_nu = 0.3;
  double binder_nu = 0.3;
  double sigma_high_S_m = 10;
  double sigma_low_S_m = 0.1;
  double c_max_mol_m3 = 49000;
  double diffusivity_m2_s = 3e-14;
  std::string diffusivity_law = "constant";
  double a1 = 0.02;
  double a2 = 0.05;
  double xs = 0.24;
  double ws = 0.05;
};

template <class V>
void fields(V& v, ChemomechanicsMaterialsConfig& c) {
  v("particle_GPa", c.particle_GPa, "Young's modulus of a particle at x_initial", above(0));
  v("particle_modulus_slope", c.particle_modulus_slope,
    "E(x) = particle_GPa (1 + slope (x - x_initial)), not below a tenth; 0 = constant", between(-10, 10));
  v("binder_GPa", c.binder_GPa, "Young's modulus of the carbon and binder", above(0));
  v("particle_nu", c.particle_nu, "Poisson's ratio of a particle", between(0, 0.49));
  v("binder_nu", c.binder_nu, "Poisson's ratio of the carbon and binder", between(0, 0.49));
  v("sigma_high_S_m", c.sigma_high_S_m, "conductivity of the highly conductive binder", above(0));
  v("sigma_low_S_m", c.sigma_low_S_m, "conductivity of the other binder", above(0));
  v("c_max_mol_m3", c.c_max_mol_m3, "lithium at x = 1", above(0));
  v("diffusivity_m2_s", c.diffusivity_m2_s, "of lithium in a particle", above(0));
  v("diffusivity_law", c.diffusivity_law,
    "constant, or the curve D(x) measured by O'Regan et al. (2022), scaled by diffusivity_m2_s / 3e-14",
    one_of({"constant", "oregan2022"}));
  v("a1", c.a1, "relative volume change a unit of x, linear part", at_least(0));
  v("a2", c.a2, "relative volume change of the collapse at low x", at_least(0));
  v("xs", c.xs, "x at the middle of the collapse", between(0, 1));
  v("ws", c.ws, "width of the collapse in x", above(0));
}

struct ChemomechanicsKineticsConfig {
  double i00_A_m2 = 1.5;
  double chi = 0.05;
  std::string feedback = "reversion";
  double film_ohm_m2 = 0;
  double temperature_K = 298.15;
};

template <class V>
void fields(V& v, ChemomechanicsKineticsConfig& c) {
  v("i00_A_m2", c.i00_A_m2, "exchange current density at x = 1/2 on highly conductive binder", above(0));
  v("chi", c.chi, "exchange current on the other binder over that", Rule{.low = 0, .high = 1, .low_open = true});
  v("feedback", c.feedback, "how interface damage acts on the charge transfer",
    one_of({"reversion", "none", "scale_all", "multiply", "film"}));
  v("film_ohm_m2", c.film_ohm_m2, "film: resistance film_ohm_m2 w / (1 - w + 0.001)", at_least(0));
  v("temperature_K", c.temperature_K, "temperature", between(200, 400));
}

template <class P>
void check(P& problems, const ChemomechanicsKineticsConfig& c) {
  if (c.feedback == "film" && c.film_ohm_m2 == 0)
    problems.add("film_ohm_m2", "must be above 0 with feedback film; R T / (F i00) is 0.017 ohm m2 at the defaults");
}

struct CohesiveConfig {
  double strength_MPa = 10;
  double toughness_J_m2 = 0.31;
  double stiffness_Pa_m = 3e16;
  double S = 0.5;
  double C_f = 0.25;
  double p = 1;
  bool cyclic = true;
};

template <class V>
void fields(V& v, CohesiveConfig& c) {
  v("strength_MPa", c.strength_MPa, "largest traction of the interface", above(0));
  v("toughness_J_m2", c.toughness_J_m2, "energy of separation", above(0));
  v("stiffness_Pa_m", c.stiffness_Pa_m, "of the bonded interface; a large number, no result depends on it", above(0));
  v("S", c.S, "accumulated opening to failure, in units of the critical opening", above(0));
  v("C_f", c.C_f, "endurance: share of the largest opening below which cycling does no harm", between(0, 1));
  v("p", c.p, "damage from cycling slows as (1 - w)^p", between(0, 10));
  v("cyclic", c.cyclic, "whether cycling below the largest opening adds damage");
}

template <class P>
void check(P& problems, const CohesiveConfig& c) {
  if (2 * c.toughness_J_m2 / (c.strength_MPa * 1e6) <= c.strength_MPa * 1e6 / c.stiffness_Pa_m)
    problems.add("toughness_J_m2", "is too small: 2 toughness / strength must exceed strength / stiffness");
}

struct ProtocolConfig {
  double charge_C = 5;
  double discharge_C = 1;
  double x_initial = 0.95;
  double x_end = 0.30;
  double V_max = 5.0;
  double V_min = 2.5;
  std::int64_t cycles = 20;
  double rest_s = 0;
};

template <class V>
void fields(V& v, ProtocolConfig& c) {
  v("charge_C", c.charge_C, "rate of charge, 1/h; 1 = the whole of x in an hour", above(0));
  v("discharge_C", c.discharge_C, "rate of discharge", above(0));
  v("x_initial", c.x_initial, "lithium content of every particle at the start, and end of discharge",
    between(0.02, 0.98));
  v("x_end", c.x_end, "mean lithium content at the end of charge", between(0.01, 0.97));
  v("V_max", c.V_max, "charge also ends here", above(0));
  v("V_min", c.V_min, "discharge also ends here", at_least(0));
  v("cycles", c.cycles, "number of cycles", between(1, 100000));
  v("rest_s", c.rest_s, "rest without current after each half-cycle", at_least(0));
}

template <class P>
void check(P& problems, const ProtocolConfig& c) {
  if (c.x_end >= c.x_initial) problems.add("x_end", "must be below x_initial: charge takes lithium out");
  if (c.V_min >= c.V_max) problems.add("V_min", "must be below V_max");
}

struct BoundaryConfig {
  std::string mechanical = "all_rollers";
  double stack_pressure_MPa = 0;
};

template <class V>
void fields(V& v, BoundaryConfig& c) {
  v("mechanical", c.mechanical, "faces of the box; a mesh only: the binder of the network has no end",
    one_of({"collector_rollers", "all_rollers", "clamped_collector", "free"}));
  v("stack_pressure_MPa", c.stack_pressure_MPa, "on the free face; a mesh only", at_least(0));
}

struct TimeConfig {
  double dtau_charge = 0.005;
  double dtau_discharge = 0.02;
  bool adaptive = true;
  std::int64_t output_every = 1;
};

template <class V>
void fields(V& v, TimeConfig& c) {
  v("dtau_charge", c.dtau_charge, "longest step of charge, in units of the mean x", Rule{.low = 1e-6, .high = 0.2});
  v("dtau_discharge", c.dtau_discharge, "longest step of discharge", Rule{.low = 1e-6, .high = 0.2});
  v("adaptive", c.adaptive, "shorter steps after a reversal of the current, and where damage or content run away");
  v("output_every", c.output_every,
    "write every n-th step, and the last of each half-cycle; thousands of particles make large files",
    between(1, 1000000));
}

/// `chemomechanics`
struct ChemomechanicsConfig {
  std::string model = "network";
  ChemomechanicsGeometryConfig geometry;
  ChemomechanicsMeshConfig mesh;
  ChemomechanicsMaterialsConfig materials;
  ChemomechanicsKineticsConfig kinetics;
  CohesiveConfig cohesive;
  ProtocolConfig protocol;
  BoundaryConfig boundary;
  TimeConfig time;
  std::int64_t radial_cells = 40;
};

template <class V>
void fields(V& v, ChemomechanicsConfig& c) {
  v("model", c.model,
    "network: particles that share one potential, each resolved along its radius; finite_elements: a row of spheres, "
    "or a "
    "mesh, in three dimensions",
    one_of({"network", "finite_elements"}));
  v("geometry", c.geometry, "the particles");
  v("mesh", c.mesh, "elements of a three-dimensional model; unused by the network");
  v("materials", c.materials, "elasticity, conductivity, lithium");
  v("kinetics", c.kinetics, "charge transfer at the interface, and what damage does to it");
  v("cohesive", c.cohesive, "strength of the interface between particle and binder");
  v("protocol", c.protocol, "charge, discharge, rest");
  v("boundary", c.boundary, "the box of a three-dimensional model; unused by the network");
  v("time", c.time, "steps");
  v("radial_cells", c.radial_cells, "shells of equal thickness in a particle", between(4, 1000));
}

template <class P>
void check(P& problems, const ChemomechanicsConfig& c) {
  if (c.model == "finite_elements" && c.geometry.particles_from)
    problems.add("model",
                 "finite_elements needs spheres in a row, or mesh.file; measured particles are for the network");
}

}  // namespace cathoscope
