#include <cathoscope/chemomechanics/results.hpp>

#include "history.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace cathoscope {

using namespace chemo;
namespace fs = std::filesystem;

namespace {

/// A checkpoint whose steps are on disk as well; else a fresh start.
Checkpoint start_of(const fs::path& work, const std::string& key, const NetworkModel& model) {
  auto found = load_checkpoint(work / checkpoint_name, key, model);
  if (found && history_records(work / history_name, model.particles.size()) >= found->records) return *found;
  return {initial_state(model), 0};
}

void make_folder(const fs::path& work) {
  std::error_code error;
  fs::create_directories(work, error);
  if (error) fail(Exit::cannot_create, "{}: cannot be created: {}", work.string(), error.message());
}

struct Columns {
  std::size_t particles;
  const double* record;
  [[nodiscard]] double value(std::size_t column, std::size_t particle) const {
    return record[history_head + column * particles + particle];
  }
};

/// Missing is an empty field.
std::string field_of(double value) { return std::isnan(value) ? std::string() : text_of(value); }

std::string csv_row(const Columns& c, std::size_t k) {
  const double* r = c.record;
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", static_cast<std::int64_t>(r[0]),
                     name_of(static_cast<HalfCycle>(static_cast<std::int64_t>(r[1]))), text_of(r[2]), text_of(r[3]),
                     k + 1, text_of(c.value(0, k)), text_of(c.value(1, k)), field_of(c.value(2, k)),
                     text_of(c.value(3, k)), text_of(r[4]), text_of(r[5]));
}

std::size_t block_of(std::size_t particles) {
  return std::clamp<std::size_t>((std::size_t{1} << 20) / (history_head + 4 * particles), 1, 4096);
}

void write_csv(const fs::path& work, std::size_t n, const fs::path& path) {
  const FilePtr out(std::fopen(path.c_str(), "wb"));
  if (!out) fail(Exit::cannot_create, "{}: cannot be created", path.string());
  std::string text;
  for (const auto& c : network_columns) text.append(text.empty() ? "" : ",").append(c.name);
  text += '\n';
  HistoryReader reader(work / history_name, n);
  const std::size_t width = history_head + 4 * n;
  for (auto rows = reader.next(block_of(n));; rows = reader.next(block_of(n))) {
    for (std::size_t first = 0; first < rows.size(); first += width)
      for (std::size_t k = 0; k < n; ++k) text += csv_row({n, rows.data() + first}, k);
    if (std::fwrite(text.data(), 1, text.size(), out.get()) != text.size() || std::fflush(out.get()) != 0)
      fail(Exit::write_error, "{}: cannot be written (is the disk full?)", path.string());
    if (rows.empty()) return;
    text.clear();
  }
}

/// Histories as steps x particles, block by block.
void write_histories(const fs::path& work, const NetworkModel& model, std::uint64_t records, H5File& out) {
  const std::size_t n = model.particles.size(), width = history_head + 4 * n;
  const Index3 shape{1, static_cast<std::int64_t>(records), static_cast<std::int64_t>(n)};
  const std::array<std::pair<const char*, const char*>, 4> names{{{"/concentration", "c / c_max"},
                                                                  {"/damage", "1"},
                                                                  {"/hoop_stress_max", "MPa"},
                                                                  {"/interface_resistance", "ohm m^2"}}};
  std::vector<GridSink<double>> sinks;
  for (const auto& [name, unit] : names)
    sinks.push_back(out.create_grid<double>(name, shape, {1, 1, 1}, {0, 0, 0}, Storage::compressed));
  std::array<std::vector<double>, history_head> heads;
  HistoryReader reader(work / history_name, n);
  std::int64_t done = 0;
  const std::size_t block = std::max<std::size_t>(64, block_of(n) / 64 * 64);
  for (auto rows = reader.next(block); !rows.empty(); rows = reader.next(block)) {
    const auto count = static_cast<std::int64_t>(rows.size() / width);
    for (std::int64_t r = 0; r < count; ++r)
      for (std::size_t h = 0; h < history_head; ++h) heads[h].push_back(rows[static_cast<std::size_t>(r) * width + h]);
    std::vector<double> values(static_cast<std::size_t>(count) * n);
    for (std::size_t c = 0; c < sinks.size(); ++c) {
      for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r)
        std::copy_n(rows.data() + r * width + history_head + c * n, n, values.data() + r * n);
      sinks[c].write({{0, done, 0}, {1, done + count, shape[2]}}, values.data());
    }
    done += count;
  }
  sinks.clear();
  const std::array<const char*, history_head> head_names{"cycle", "half_cycle", "time_s",
                                                         "tau",   "voltage_V",  "current_A"};
  for (std::size_t h = 0; h < history_head; ++h) out.write_array(std::string("/steps/") + head_names[h], heads[h]);
  out.set_attribute("/steps/half_cycle", "values", "0 charge, 1 rest, 2 discharge, 3 rest");
  for (const auto& [name, unit] : names) out.set_attribute(name, "unit", unit);
}

void write_particles(const NetworkModel& model, const NetworkState& state, H5File& out) {
  std::vector<double> radius, coverage, depth;
  for (const auto& p : model.particles) {
    radius.push_back(p.radius * 1e6);
    coverage.push_back(p.coverage);
    depth.push_back(p.depth * 1e6);
  }
  out.write_array("/particles/radius_um", radius);
  out.write_array("/particles/coverage", coverage);
  out.write_array("/particles/depth_um", depth);
  out.write_array("/particles/final_content", state.content);
  out.set_attribute("/particles/final_content", "layout",
                    fmt::format("particles x {} shells of equal thickness, centre first", model.cells));
}

void write_groups(const std::vector<DimensionlessGroup>& groups, H5File& out) {
  std::vector<std::string> names, meanings;
  std::vector<double> values;
  for (const auto& g : groups) {
    names.push_back(g.name);
    values.push_back(g.value);
    meanings.push_back(g.meaning);
  }
  out.write_texts("/groups/name", names);
  out.write_array("/groups/value", values);
  out.write_texts("/groups/meaning", meanings);
}

}  // namespace

NetworkState run_network_in(const fs::path& work, const std::string& key, const NetworkModel& model,
                            const Context& context, double save_every_s) {
  using Clock = std::chrono::steady_clock;
  make_folder(work);
  Checkpoint start = start_of(work, key, model);
  NetworkState state = std::move(start.state);
  History history(work / history_name, model.particles.size(), start.records);
  const auto save = [&](const char* name) {
    history.sync();
    save_checkpoint(work / name, key, state, history.records());
  };
  auto saved = Clock::now();
  const auto observe = [&](const NetworkState& s, const StepFacts& step) {
    if (step.last_of_half || step.step % model.time.output_every == 0)
      history.append(step, s.voltage, particle_rows(model, s));
    if (std::chrono::duration<double>(Clock::now() - saved).count() < save_every_s) return;
    save(checkpoint_name);
    saved = Clock::now();
  };
  try {
    run_network(model, state, observe, context);
  } catch (const Error& e) {
    save(checkpoint_name);
    if (e.exit() != Exit::not_converged) throw;
    save(last_good_name);
    fail(e.exit(), "{} The state after the last accepted step is in {}.", e.what(), (work / last_good_name).string());
  }
  save(checkpoint_name);
  return state;
}

Table half_cycle_table(const NetworkState& state) {
  Table t;
  const auto number = [&](const char* name, const char* unit, const char* what, auto value) {
    Column c{name, unit, what, {}, {}, {}};
    for (const auto& s : state.summaries) c.numbers.push_back(static_cast<double>(value(s)));
    t.columns.push_back(std::move(c));
  };
  using S = HalfCycleSummary;
  number("cycle", "", "", [](const S& s) { return s.cycle; });
  Column half{"half_cycle", "", "charge, rest or discharge", {}, {}, {}};
  for (const auto& s : state.summaries) half.texts.emplace_back(name_of(s.half));
  t.columns.push_back(std::move(half));
  number("time_s", "s", "since the start", [](const S& s) { return s.time_s; });
  number("voltage_V", "V", "at the end of the half-cycle, as the next", [](const S& s) { return s.voltage; });
  number("x_mean", "", "mean lithium content of the particles", [](const S& s) { return s.x_mean; });
  number("x_std", "", "its standard deviation (population)", [](const S& s) { return s.x_std; });
  number("x_range", "", "largest less smallest", [](const S& s) { return s.x_range; });
  number("x_std_peak", "", "largest x_std in the half-cycle", [](const S& s) { return s.x_std_peak; });
  number("damage_mean", "", "", [](const S& s) { return s.damage_mean; });
  number("damage_std", "", "", [](const S& s) { return s.damage_std; });
  number("damage_std_peak", "", "", [](const S& s) { return s.damage_std_peak; });
  number("damage_variation", "", "std over mean of -ln(1 - damage)", [](const S& s) { return s.damage_variation; });
  number("damage_mean_70", "", "mean damage at 70 % of the planned half-cycle",
         [](const S& s) { return s.damage_mean_70; });
  number("lithium_error", "", "lost lithium less charge passed, over all sites",
         [](const S& s) { return s.lithium_error; });
  number("steps", "", "accepted steps", [](const S& s) { return s.steps; });
  return t;
}

void write_network_results(const fs::path& work, const NetworkModel& model, const NetworkState& state,
                           const NetworkFiles& files, const std::vector<DimensionlessGroup>& groups,
                           const std::function<void(H5File&)>& more) {
  const std::size_t n = model.particles.size();
  write_csv(work, n, files.csv);
  const FilePtr cycles(std::fopen(files.cycles.c_str(), "wb"));
  const std::string text = csv_text(half_cycle_table(state));
  if (!cycles) fail(Exit::cannot_create, "{}: cannot be created", files.cycles.string());
  if (std::fwrite(text.data(), 1, text.size(), cycles.get()) != text.size() || std::fflush(cycles.get()) != 0)
    fail(Exit::write_error, "{}: cannot be written (is the disk full?)", files.cycles.string());
  auto out = H5File::create(files.h5);
  write_histories(work, model, history_records(work / history_name, n), out);
  write_particles(model, state, out);
  write_groups(groups, out);
  for (const auto& c : half_cycle_table(state).columns) {
    if (c.texts.empty())
      out.write_array("/half_cycles/" + c.name, c.numbers);
    else
      out.write_texts("/half_cycles/" + c.name, c.texts);
  }
  if (more) more(out);
  out.close();
}

}  // namespace cathoscope
