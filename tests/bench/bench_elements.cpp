// The damage model in finite elements: what a run costs, and where its time goes.
//   bench_elements [radii an element: 2] [cycles: 3] [threads: 1]
// Processor time beside wall time, because a busy machine hardly changes that.
#include "chemomechanics/elements_step.hpp"

#include <cathoscope/chemomechanics/elements.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

using namespace cathoscope;

namespace {

struct Clock {
  std::chrono::steady_clock::time_point wall = std::chrono::steady_clock::now();
  std::clock_t cpu = std::clock();
  [[nodiscard]] double wall_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
  }
  [[nodiscard]] double cpu_s() const { return static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC; }
};

void print_share(const char* what, double seconds, double of) {
  std::printf("  %-46s %8.2f s %5.1f %%\n", what, seconds, 100 * seconds / of);
}

/// The first charge, in its parts.
void time_charge(const ElementModel& model, int threads) {
  ElementState state = initial_state(model);
  const Clock clock;
  fem::ElementSolver solver(model, state, threads);
  const double set_up = clock.cpu_s();
  chemo::HalfCycleSteps<fem::ElementSolver> half(solver);
  double rows = 0;
  for (bool over = false; !over;) {
    if (state.progress.half_steps % refresh_steps == 0) solver.refresh();
    over = half.advance();
    const Clock one;
    (void)solver.rows();  // what a run writes is part of the price
    rows += one.cpu_s();
  }
  const double all = clock.cpu_s();
  const auto& w = solver.work();
  std::printf("first charge: %.2f s of processor time, %lld steps\n", all, static_cast<long long>(w.tries));
  print_share("patterns and stiffness", set_up, all);
  print_share("lithium and potential", w.chemistry_s, all);
  print_share("displacement", w.mechanics_s, all);
  print_share("values of the tables", rows, all);
  const auto mean = [](std::int64_t sum, std::int64_t of) {
    return static_cast<double>(sum) / static_cast<double>(std::max<std::int64_t>(of, 1));
  };
  std::printf("  a step: %.1f Newton and %.1f linear iterations for lithium and potential;\n",  //
              mean(w.chemistry_newton, w.tries), mean(w.chemistry_linear, w.tries));
  std::printf("  %lld steps need displacement, %.1f Newton and %.1f linear iterations each\n",
              static_cast<long long>(w.mechanics), mean(w.mechanics_newton, w.mechanics),
              mean(w.mechanics_linear, w.mechanics));
}

}  // namespace

int main(int argc, char** argv) {
  ChemomechanicsConfig config;
  config.mesh.h_over_R = 1 / (argc > 1 ? std::atof(argv[1]) : 2);
  config.protocol.cycles = argc > 2 ? std::atoi(argv[2]) : 3;
  const int threads = argc > 3 ? std::atoi(argv[3]) : 1;
  const ElementModel model = elements_of(config, 0);
  std::printf("h = R/%.3g: %zu nodes, %zu tetrahedra, %d threads\n", 1 / config.mesh.h_over_R, model.mesh.nodes.size(),
              model.mesh.tets.size(), threads);
  time_charge(model, threads);
  Progress progress;
  ElementState state = initial_state(model);
  std::int64_t steps = 0;
  ElementObserver observer;
  observer.step = [&](const ElementState&, const StepFacts&, const ParticleRows&) { ++steps; };
  const Clock clock;
  run_elements(model, state, observer, {progress, threads});
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%lld cycles, %lld steps: %.1f s wall, %.1f s of processor time, peak %.0f MB\n",
              static_cast<long long>(config.protocol.cycles), static_cast<long long>(steps), clock.wall_s(),
              clock.cpu_s(), static_cast<double>(usage.ru_maxrss) / 1024);
}
