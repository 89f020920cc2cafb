#include "network_case.hpp"
#include "test_data.hpp"

#include <cathoscope/chemomechanics/results.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <atomic>

using namespace cathoscope;

namespace {

ChemomechanicsConfig short_run() {
  ChemomechanicsConfig c;
  c.protocol.cycles = 2;
  c.time.dtau_charge = c.time.dtau_discharge = 0.02;
  return c;
}

std::string written(const std::filesystem::path& folder, const NetworkModel& model, const NetworkState& state) {
  write_network_results(folder / "work", model, state, {folder / "a.csv", folder / "b.csv", folder / "c.h5"},
                        dimensionless_groups(model));
  return read_text(folder / "a.csv") + read_text(folder / "b.csv") + read_text(folder / "c.h5");
}

}  // namespace

TEST_CASE("a run that is stopped in mid-cycle goes on to identical bytes") {
  const auto model = network_of(short_run(), 7);
  const test::ScratchDir whole, broken;
  Progress quiet;
  const auto state = run_network_in(whole / "work", "key", model, {quiet, 1});
  const std::string expected = written(whole.path(), model, state);
  std::atomic<bool> stop{false};
  int stops = 0;
  for (bool done = false; !done;) {
    int ticks = 0;
    stop = false;
    ProgressListener listener;
    listener.on_progress = [&](const std::string&, double) {
      if (++ticks == 40) stop = true;  // some way into a half-cycle
    };
    Progress progress(listener, &stop);
    try {
      run_network_in(broken / "work", "key", model, {progress, 1});
      done = true;
    } catch (const Error& e) {
      REQUIRE(e.exit() == Exit::interrupted);
      REQUIRE(++stops < 100);
    }
  }
  CHECK(stops >= 2);
  const auto again = run_network_in(broken / "work", "key", model, {quiet, 1});  // nothing left to do
  CHECK(written(broken.path(), model, again) == expected);
}

TEST_CASE("steps after the last checkpoint are dropped and taken again") {
  const auto model = network_of(short_run(), 7);
  const test::ScratchDir folder;
  Progress quiet;
  const auto state = run_network_in(folder / "work", "key", model, {quiet, 1});
  const std::string expected = written(folder.path(), model, state);
  {
    std::FILE* file = std::fopen((folder / "work/history.bin").c_str(), "ab");  // what a killed run may leave
    std::fputs("half a record", file);
    std::fclose(file);
  }
  const auto again = run_network_in(folder / "work", "key", model, {quiet, 1});
  CHECK(written(folder.path(), model, again) == expected);
}

TEST_CASE("a work folder of another key is not used") {
  auto config = short_run();
  const test::ScratchDir folder;
  Progress quiet;
  run_network_in(folder / "work", "one", network_of(config, 7), {quiet, 1});
  config.cohesive.S = 1;
  const auto other = run_network_in(folder / "work", "two", network_of(config, 7), {quiet, 1});
  CHECK(other.damage == test::run(config).damage);
}

TEST_CASE("a run that diverges leaves its last good state and says where") {
  auto config = short_run();
  config.protocol.charge_C = 60;
  config.protocol.V_max = 1000;
  const test::ScratchDir folder;
  Progress quiet;
  try {
    run_network_in(folder / "work", "key", network_of(config, 7), {quiet, 1});
    FAIL("it converged");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::not_converged);
    CHECK(std::string(e.what()).find("last_good.h5") != std::string::npos);
  }
  const auto content = H5File::open(folder / "work/last_good.h5").read_array<double>("/content");
  CHECK(content.size() == 120);
  CHECK(std::all_of(content.begin(), content.end(), [](double x) { return x > 0 && x < 1; }));
}

TEST_CASE("the table has the columns of the contract, a row a step and particle") {
  const auto model = network_of(short_run(), 7);
  const test::ScratchDir folder;
  Progress quiet;
  const auto state = run_network_in(folder / "work", "key", model, {quiet, 1});
  written(folder.path(), model, state);
  const std::string csv = read_text(folder / "a.csv");
  CHECK(csv.substr(0, csv.find('\n')) ==
        "cycle,half_cycle,time_s,tau,particle,concentration,damage,hoop_stress_max_MPa,interface_resistance_ohm_m2,"
        "voltage_V,current_A");
  const Table t = read_csv(folder / "a.csv");
  std::int64_t steps = 0;
  for (const auto& s : state.summaries) steps += s.steps;
  CHECK(t.rows() == static_cast<std::size_t>(3 * steps));
  CHECK(t.numbers("particle")[4] == 2);
  CHECK(t.numbers("current_A")[0] == Approx(model.current(5)).epsilon(1e-15));
  const auto &tau = t.numbers("tau"), &cycle = t.numbers("cycle");
  CHECK(tau.back() == Approx(0.65).epsilon(1e-12));  // restarts each half-cycle, in units of its own rate
  CHECK(cycle.back() == 2);
  const auto file = H5File::open(folder / "c.h5");
  const auto damage = file.grid<double>("/damage");
  CHECK(damage.shape == Index3{1, steps, 3});
  std::vector<double> last(3);
  damage.read({{0, steps - 1, 0}, {1, steps, 3}}, last.data());
  CHECK(last == state.damage);
  CHECK(t.numbers("damage").back() == state.damage.back());
}

TEST_CASE("fewer rows on request, the end of each half-cycle always") {
  auto config = short_run();
  config.time.output_every = 1000;
  const auto model = network_of(config, 7);
  const test::ScratchDir folder;
  Progress quiet;
  const auto state = run_network_in(folder / "work", "key", model, {quiet, 1});
  written(folder.path(), model, state);
  CHECK(read_csv(folder / "a.csv").rows() == 4 * 3);
}
