// One elasticity solve against the number of unknowns: processor time of each part, memory, iterations, the exponent that
// fits, and how far the product of matrix and vector is from what memory delivers.
//   bench_elasticity [threads: 1] [largest cells along the edge of the cube: 24; 36 for a million unknowns] [file]
// With a file it solves the largest size alone and writes mesh and displacement there for tests/bench/compare.py.
#include "chemomechanics/verification_bodies.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <numeric>
#include <utility>
#include <vector>

using namespace cathoscope::fem;

namespace {

/// Processor time of all threads: a busy machine hardly changes it.
double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

/// GB/s at which one core reads a block beyond every cache.
double read_bandwidth() {
  const std::vector<double> block(std::size_t{1} << 25, 1.0);
  double best = 0;
  for (int k = 0; k < 5; ++k) {
    const double start = now();
    double sums[8] = {};
    for (std::size_t i = 0; i < block.size(); i += 8)
      for (std::size_t j = 0; j < 8; ++j) sums[j] += block[i + j];
    const double seconds = now() - start;
    if (std::accumulate(std::begin(sums), std::end(sums), 0.0) != static_cast<double>(block.size())) std::exit(1);
    best = std::max(best, static_cast<double>(block.size() * sizeof(double)) / seconds / 1e9);
  }
  return best;
}

/// Slope of log(time) over log(unknowns) by least squares.
double exponent(const std::vector<std::pair<double, double>>& points) {
  double mx = 0, my = 0, xx = 0, xy = 0;
  for (const auto& [n, t] : points) {
    mx += std::log(n) / static_cast<double>(points.size());
    my += std::log(t) / static_cast<double>(points.size());
  }
  for (const auto& [n, t] : points) {
    xx += (std::log(n) - mx) * (std::log(n) - mx);
    xy += (std::log(n) - mx) * (std::log(t) - my);
  }
  return xy / xx;
}

template <class T>
void put(std::ofstream& out, const std::vector<T>& values) {
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
}

/// Three counts as int64; nodes, faces of the nodes, tetrahedra, their domains, facets (inner, outer nodes), displacement.
void write_for_peer(const char* path, const Mesh& mesh, const Vector& u) {
  std::ofstream out(path, std::ios::binary);
  put(out, std::vector<std::int64_t>{static_cast<std::int64_t>(mesh.nodes.size()),
                                     static_cast<std::int64_t>(mesh.tets.size()),
                                     static_cast<std::int64_t>(mesh.interface.size())});
  put(out, mesh.nodes);
  put(out, mesh.faces);
  put(out, mesh.tets);
  put(out, mesh.domain);
  for (const auto& facet : mesh.interface) {
    put(out, std::vector<std::int32_t>(facet.inner.begin(), facet.inner.end()));
    put(out, std::vector<std::int32_t>(facet.outer.begin(), facet.outer.end()));
  }
  put(out, u);
  if (!out.flush()) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const double largest = argc > 2 ? std::atof(argv[2]) : 24;
  const char* file = argc > 3 ? argv[3] : nullptr;
  // A peer has no interface: one a hundred times stiffer than the model's comes near that.
  const double stiffness = (file ? 100 : 1) * cathoscope::CohesiveLaw{}.stiffness;
  std::printf("%10s %8s %8s %8s %6s %8s %8s %10s %8s %9s\n", "unknowns", "mesh s", "matrix s", "setup s", "steps",
              "solve s", "all s", "product ms", "GB/s", "B/unknown");
  std::vector<std::pair<double, double>> points;
  for (const double h : {0.25, 0.125, 1.0 / 12, 1.0 / 16, 1.0 / 20, 1.0 / 24}) {
    if (1.5 / h > largest * 1.001) break;
    if (file && 1.5 / h < largest * 0.999) continue;
    const double t0 = now();
    const Mesh mesh = sphere_mesh(octant_spec(h, 1.5, 2));
    const double t1 = now();
    const auto fixed = rollers(mesh, x_low | y_low | z_low | x_high | y_high | z_high);
    Mechanics body(mesh, materials_of(mesh, lame_of(particle_modulus, poisson), lame_of(binder_modulus, poisson)),
                   {.strength = 1e12, .toughness = 1e9, .stiffness = stiffness}, fixed, threads);
    const double t2 = now();
    const Vector damage(interface_points(mesh), 0.0);
    body.prepare(damage);
    const double t3 = now();
    Vector u(3 * mesh.nodes.size(), 0.0);
    const auto load =
        body.load_of([&](std::size_t t, const Barycentric&) { return mesh.domain[t] == binder ? 0.0 : -0.001; });
    const double t4 = now();
    const auto report = body.solve(load, damage, 1e-6, u);
    const double t5 = now();
    double checksum = 0;
    for (int k = 0; k < 5; ++k) checksum += body.residual(load, damage, u)[0];
    if (!std::isfinite(checksum) || !report.converged) return 1;
    const double product = (now() - t5) / 5, n = static_cast<double>(u.size());
    points.emplace_back(n, t5 - t0);
    if (file) write_for_peer(file, mesh, u);
    std::printf("%10.0f %8.2f %8.2f %8.2f %6d %8.2f %8.2f %10.1f %8.2f %9.0f\n", n, t1 - t0, t2 - t1, t3 - t2,
                report.linear_iterations, t5 - t4, t5 - t0, product * 1e3,
                static_cast<double>(body.bytes()) / product / 1e9, peak_bytes() / n);
    std::fflush(stdout);
  }
  if (points.size() > 1) std::printf("exponent of the whole: %.3f\n", exponent(points));
  if (!file) std::printf("one core reads %.1f GB/s\n", read_bandwidth());
}
