/// A run of the finite elements on disk: checkpoint, history, fields.
#include "elements_frames.hpp"
#include "elements_step.hpp"
#include "history.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <algorithm>
#include <chrono>

namespace cathoscope {

using namespace chemo;
namespace fs = std::filesystem;

namespace {

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

}  // namespace

ElementState run_elements_in(const fs::path& work, const std::string& key, const ElementModel& model,
                             const Context& context, double save_every_s) {
  using Clock = std::chrono::steady_clock;
  Start start = start_of(work, key, model);
  if (start.records == 0) fs::remove_all(work / "fields");
  make_folder(work / "fields");
  ElementState state = start.state;
  FrameClock clock(model, state);
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
    if (clock.due(step, s.progress.half_start_content)) save_frame(work / "fields", model, s, step);
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
