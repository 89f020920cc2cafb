/// A run of the finite elements on disk: checkpoint, history, fields.
#include "elements_step.hpp"
#include "history.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace cathoscope {

using namespace chemo;
namespace fs = std::filesystem;

namespace {

const char* const history_name = "history.bin";
const char* const checkpoint_name = "checkpoint.h5";
const char* const last_good_name = "last_good.h5";

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// A checkpoint has places for what a network has by particle; those of the elements by node and point go there.
NetworkState packed(const ElementState& s) {
  NetworkState p = s.progress;
  p.content = s.unknowns;
  p.surface = s.displacement;
  p.damage = s.damage;
  p.opening = s.opening;
  p.current = {s.mechanics_known ? 1.0 : 0.0};
  return p;
}

ElementState unpacked(NetworkState p) {
  ElementState s;
  s.unknowns = std::move(p.content);
  s.displacement = std::move(p.surface);
  s.damage = std::move(p.damage);
  s.opening = std::move(p.opening);
  s.mechanics_known = !p.current.empty() && p.current[0] != 0;
  p.content.clear(), p.surface.clear(), p.damage.clear(), p.opening.clear(), p.current.clear();
  s.progress = std::move(p);
  return s;
}

/// Where to go on, and how many records of the history belong to it.
struct Start {
  ElementState state;
  std::uint64_t records = 0;
};

Start start_of(const fs::path& work, const std::string& key, const ElementModel& model) {
  ElementState fresh = initial_state(model);
  auto found = load_checkpoint(work / checkpoint_name, key, model.laws);
  if (!found || history_records(work / history_name, model.laws.particles.size()) < found->records) return {fresh, 0};
  Start start{unpacked(std::move(found->state)), found->records};
  const bool fits = start.state.unknowns.size() == fresh.unknowns.size() &&
                    start.state.damage.size() == fresh.damage.size() &&
                    start.state.displacement.size() == fresh.displacement.size();
  return fits ? start : Start{fresh, 0};
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(Exit::cannot_create, "{}: cannot be created: {}", folder.string(), error.message());
}

bool worth_fields(const ElementModel& model, const StepFacts& step) {
  return step.last_of_half && (step.cycle == 1 || step.cycle == model.laws.protocol.cycles);
}

/// Damage at the nodes of the interface, by the areas of the points around; 0 elsewhere.
std::vector<double> damage_at_nodes(const fem::Mesh& mesh, const std::vector<double>& damage) {
  std::vector<double> sum(mesh.nodes.size(), 0.0), area(mesh.nodes.size(), 0.0);
  const std::size_t per_facet = fem::points_per_facet(mesh);
  const auto areas = fem::point_areas(mesh);
  for (std::size_t i = 0; i < damage.size(); ++i) {
    const auto& f = mesh.interface[i / per_facet];
    for (int a = 0; a < mesh.nodes_per_facet(); ++a)
      for (const auto node : {f.inner[at(a)], f.outer[at(a)]}) {
        sum[at(node)] += areas[i] * damage[i];
        area[at(node)] += areas[i];
      }
  }
  for (std::size_t n = 0; n < sum.size(); ++n)
    if (area[n] > 0) sum[n] /= area[n];
  return sum;
}

}  // namespace

ElementFields fields_of(const ElementModel& model, const ElementState& state) {
  const auto& mesh = model.mesh;
  ElementState copy = state;
  const fem::ElementSolver solver(model, copy, 1);
  const auto& chemistry = solver.electrochemistry();
  const auto z = fem::unknowns_of(state);
  std::vector<double> x(mesh.nodes.size(), 0.0), potential(mesh.nodes.size(), 0.0);
  for (std::size_t n = 0; n < mesh.nodes.size(); ++n) {
    const auto node = static_cast<std::int32_t>(n);
    if (mesh.domain_of_node[n] == fem::binder)
      potential[n] = chemistry.potential(z, node);
    else
      x[n] = z[chemistry.unknown_of(node)];
  }
  ElementFields fields;
  fields.nodes = {{"x", x, 1}, {"potential_V", potential, 1}, {"damage", damage_at_nodes(mesh, state.damage), 1}};
  if (!state.mechanics_known) return fields;
  std::vector<double> u = state.displacement, pressure;
  for (auto& v : u) v *= 1e6;
  fields.nodes.push_back({"displacement_um", std::move(u), 3});
  const auto eigenstrain = solver.eigenstrain_of(z);
  const auto lame = fem::materials_of(mesh, fem::lame_of(model.laws.modulus.at_start, model.laws.particle_nu),
                                      fem::lame_of(model.laws.binder_modulus, model.laws.binder_nu));
  const fem::Barycentric middle{0.25, 0.25, 0.25, 0.25};
  for (std::size_t t = 0; t < mesh.tets.size(); ++t) {
    const auto s = fem::stress_at(mesh, lame, state.displacement, t, middle, eigenstrain(t, middle));
    pressure.push_back((s[0] + s[1] + s[2]) / 3 * 1e-6);
  }
  fields.cells.push_back({"hydrostatic_MPa", std::move(pressure), 1});
  return fields;
}

ElementState run_elements_in(const fs::path& work, const std::string& key, const ElementModel& model,
                             const Context& context, double save_every_s) {
  using Clock = std::chrono::steady_clock;
  make_folder(work / "fields");
  Start start = start_of(work, key, model);
  ElementState state = start.state;
  History history(work / history_name, model.laws.particles.size(), start.records);
  // What a resumed run must start from: the state where the solver last began afresh.
  auto saved = Clock::now();
  const auto save = [&](const ElementState& s, std::uint64_t records, const char* name) {
    history.sync();
    save_checkpoint(work / name, key, packed(s), records);
  };
  ElementObserver observer;
  observer.refresh = [&](const ElementState& s) {
    start = {s, history.records()};
    if (std::chrono::duration<double>(Clock::now() - saved).count() < save_every_s) return;
    save(start.state, start.records, checkpoint_name);
    saved = Clock::now();
  };
  observer.step = [&](const ElementState& s, const StepFacts& step, const ParticleRows& rows) {
    if (step.last_of_half || step.step % model.laws.time.output_every == 0)
      history.append(step, s.progress.voltage, rows);
  };
  observer.half_over = [&](const ElementState& s, const StepFacts& step) {
    if (!worth_fields(model, step)) return;
    const auto fields = fields_of(model, s);
    const auto name = fmt::format("cycle_{:04}_{}_{}.vtu", step.cycle, static_cast<int>(step.half), name_of(step.half));
    fem::write_vtu(work / "fields" / name, model.mesh, fields.nodes, fields.cells);
  };
  try {
    run_elements(model, state, observer, context);
  } catch (const Error& e) {
    save(start.state, start.records, checkpoint_name);
    if (e.exit() != Exit::not_converged) throw;
    save(state, history.records(), last_good_name);
    fail(e.exit(), "{} The state after the last accepted step is in {}.", e.what(), (work / last_good_name).string());
  }
  history.sync();
  save(state, history.records(), checkpoint_name);
  return state;
}

}  // namespace cathoscope
