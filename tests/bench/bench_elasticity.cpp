// One elasticity solve against the number of unknowns: time of each part, memory, iterations.
//   bench_elasticity [threads] [largest cells along the edge of the cube]
#include "chemomechanics/verification_bodies.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>

using namespace cathoscope::fem;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const double largest = argc > 2 ? std::atof(argv[2]) : 24;
  std::printf("%10s %8s %8s %8s %6s %8s %10s %10s %9s\n", "unknowns", "mesh s", "matrix s", "setup s", "steps",
              "solve s", "product ms", "GB/s", "B/unknown");
  double before_n = 0, before_t = 0;
  for (const double h : {0.25, 0.125, 1.0 / 12, 1.0 / 16, 1.0 / 24, 1.0 / 30}) {
    if (1.5 / h > largest * 1.001) break;
    const double t0 = now();
    const Mesh mesh = sphere_mesh(octant_spec(h, 1.5, 2));
    const double t1 = now();
    const auto fixed = rollers(mesh, x_low | y_low | z_low | x_high | y_high | z_high);
    Mechanics body(mesh, materials_of(mesh, lame_of(particle_modulus, poisson), lame_of(binder_modulus, poisson)),
                   {.strength = 1e12, .toughness = 1e9}, fixed, threads);
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
    if (!std::isfinite(checksum)) return 1;
    const double product = (now() - t5) / 5, n = static_cast<double>(u.size()), total = t5 - t0;
    std::printf("%10.0f %8.2f %8.2f %8.2f %6d %8.2f %10.1f %10.2f %9.0f", n, t1 - t0, t2 - t1, t3 - t2,
                report.linear_iterations, t5 - t4, product * 1e3, static_cast<double>(body.bytes()) / product / 1e9,
                peak_bytes() / n);
    if (before_n > 0) std::printf("   exponent %.2f", std::log(total / before_t) / std::log(n / before_n));
    std::printf("\n");
    std::fflush(stdout);
    before_n = n;
    before_t = total;
  }
}
