/// One sphere in shells: diffusion over a step, means, stress.
#include <cathoscope/chemomechanics/network.hpp>

#include <algorithm>

namespace cathoscope {

void radial_step(const double* content, int cells, double radius, double c_max, const Diffusivity& diffusivity,
                 double dt, RadialStep& out) {
  const auto n = static_cast<std::size_t>(cells);
  out.g.resize(n);
  out.h.resize(n);
  static thread_local std::vector<double> upper;
  upper.resize(n);
  const double dr = 1.0 / cells;
  const double time = dt / (radius * radius * dr);
  double d = diffusivity(content[0]);
  double below = 0;  // conductance of the inner face, times dt over dr
  for (std::size_t k = 0; k < n; ++k) {
    const double r0 = static_cast<double>(k) * dr, r1 = static_cast<double>(k + 1) * dr;
    const double volume = (r1 * r1 * r1 - r0 * r0 * r0) / 3;
    const double d_next = k + 1 < n ? (diffusivity.measured_curve ? diffusivity(content[k + 1]) : d) : 0;
    const double above = k + 1 < n ? time * r1 * r1 * 0.5 * (d + d_next) : 0;
    const double pivot = volume + above + below * (1 - (k > 0 ? upper[k - 1] : 0));
    upper[k] = above / pivot;
    out.g[k] = (volume * content[k] + (k > 0 ? below * out.g[k - 1] : 0)) / pivot;
    out.h[k] = ((k + 1 == n ? dt / (faraday * c_max * radius) : 0) + (k > 0 ? below * out.h[k - 1] : 0)) / pivot;
    below = above;
    if (k + 1 < n) d = d_next;
  }
  for (std::size_t k = n - 1; k-- > 0;) {
    out.g[k] += upper[k] * out.g[k + 1];
    out.h[k] += upper[k] * out.h[k + 1];
  }
  // Half a shell from the centre of the outermost shell to the surface.
  out.surface_g = out.g[n - 1];
  out.surface_h = out.h[n - 1] + 0.5 * dr * radius / (faraday * c_max * d);
}

double shell_mean(const double* values, int cells) {
  double sum = 0;
  for (int k = 0; k < cells; ++k) {
    const double r0 = k, r1 = k + 1;
    sum += values[k] * (r1 * r1 * r1 - r0 * r0 * r0);
  }
  const double n = cells;
  return sum / (n * n * n);
}

double largest_hoop_stress(const std::vector<double>& strain, double at_surface, double modulus, double nu) {
  const int cells = static_cast<int>(strain.size());
  const double whole = shell_mean(strain.data(), cells);
  double inside = 0;  // integral of strain from the centre to the inner face of the shell, times 3 / dr^3
  double largest = 2 * whole + whole - 3 * at_surface;
  for (int k = 0; k < cells; ++k) {
    const double r0 = k, r1 = k + 1, middle = k + 0.5;
    const double e = strain[static_cast<std::size_t>(k)];
    const double within = (inside + e * (middle * middle * middle - r0 * r0 * r0)) / (middle * middle * middle);
    largest = std::max(largest, 2 * whole + within - 3 * e);
    inside += e * (r1 * r1 * r1 - r0 * r0 * r0);
  }
  return modulus / (9 * (1 - nu)) * largest;
}

}  // namespace cathoscope
