#include "commands.hpp"
#include "stop.hpp"
#include "study_files.hpp"
#include "team.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/given.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/network/network.hpp>
#include <cathoscope/pipeline/pipeline.hpp>
#include <cathoscope/pipeline/shards.hpp>
#include <cathoscope/pipeline/study_ranks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace cathoscope::app {

namespace {

namespace fs = std::filesystem;

/// What is free on the machine or in the control group, whichever is less.
std::uint64_t free_memory() {
  std::uint64_t free_bytes = std::uint64_t{4} << 30;
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("MemAvailable:", 0) == 0) free_bytes = std::strtoull(line.c_str() + 13, nullptr, 10) * 1024;
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::uint64_t limit = 0;
    if (std::ifstream(path) >> limit && limit > 0) free_bytes = std::min(free_bytes, limit);
  }
  return free_bytes;
}

/// `sharing`: processes on this machine that share what is free.
std::uint64_t memory_budget(double gib, int sharing = 1) {
  if (gib > 0) return static_cast<std::uint64_t>(gib * static_cast<double>(1 << 30));
  return free_memory() / 10 * 6 / static_cast<std::uint64_t>(sharing);
}

std::string size_text(const Index3& s) { return fmt::format("{} x {} x {}", s[0], s[1], s[2]); }

std::string electrode_text(const ElectrodeConfig& e, const ElectrodeInputs& in) {
  if (in.table)
    return fmt::format("electrode {}: a table of {} rows and {} columns", e.name, in.table->rows(),
                       in.table->columns.size());
  const VolumeFile& file = in.volume ? *in.volume : given(in.labels);
  return fmt::format("electrode {}{}: {} voxels (z, y, x), {}, voxel {} x {} x {} um (from {})", e.name,
                     file.synthetic.empty() ? "" : " (synthetic)", size_text(in.shape), name_of(file.type),
                     text_of(in.binned_um[0]), text_of(in.binned_um[1]), text_of(in.binned_um[2]), in.voxel_size_from);
}

void require_space(const fs::path& folder, const Estimate& need) {
  std::error_code error;
  fs::path existing = folder;
  while (!fs::exists(existing, error) && existing.has_relative_path()) existing = existing.parent_path();
  const auto space = fs::space(existing, error);
  if (!error && static_cast<double>(space.available) < need.disk_bytes)
    fail(Exit::write_error, "{}: about {} may be needed, {} are free. Make room, or name another folder with --output.",
         folder.string(), bytes_text(need.disk_bytes), bytes_text(static_cast<double>(space.available)));
}

std::string resume_hint(const RunCommand& c) {
  std::string command = "cathoscope run " + c.config;
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) command += fmt::format(" {} {}", option, value);
  };
  add("--output", c.output);
  add("--from", c.from);
  add("--until", c.until);
  add("--only", c.only);
  add("--shard", c.shard);
  return "What is finished is kept. To go on: " + command;
}

Study study_of(const RunCommand& c) {
  Study study = open_study(c.config, c.set);
  if (!c.device.empty()) study.loaded.value.runtime.device = c.device;
  return study;
}

int threads_of(const RunCommand& c, const Config& config) {
  return resolve_threads(c.threads.value_or(static_cast<int>(config.runtime.threads)));
}

std::uint64_t memory_of(const RunCommand& c, const Config& config, const Team& team) {
  return memory_budget(c.memory_gib.value_or(config.runtime.memory_gib), team.on_this_host());
}

RankFacts facts_of(const RunCommand& c, const Study& study) {
  RankFacts facts = rank_facts(study.loaded.value, study.inputs);
  facts.study += "shard: " + c.shard + "\n";
  return facts;
}

/// A rank that rank 0 asks: silent, it neither locks nor writes.
void help(const RunCommand& c, Team& team) {
  std::optional<Study> study;
  std::exception_ptr failure;
  RankFacts facts;
  try {
    study = study_of(c);
    facts = facts_of(c, *study);
  } catch (...) {
    failure = std::current_exception();  // rank 0 hears of it when it asks
    study.emplace();
  }
  const Config& config = study->loaded.value;
  Progress progress(team.listener({}), &stop_flag());
  const Context context{progress, threads_of(c, config), memory_of(c, config, team)};
  RankTasks tasks = study_tasks(team.rank(), config, study->inputs, context);
  tasks["agree"] = [&](const std::string& request) {
    if (failure) std::rethrow_exception(failure);
    require_agreement(unpacked_facts(request), facts);
    return std::string();
  };
  team.serve(tasks, progress);
}

/// What a shard is one of, which decides its stages and its folder.
enum class Work { study, electrodes_shard, regression_shard };

void do_work(Work work, const Study& study, const Shard& shard, Run& run) {
  const Config& config = study.loaded.value;
  switch (work) {
    case Work::study: return run_study(config, study.inputs, run);
    case Work::electrodes_shard: return run_shard(config, study.inputs, shard, run);
    case Work::regression_shard: return run_regression_shard(config, study.inputs, shard, run);
  }
}

/// All of the run, or what rank 0 does of it.
Exit lead(const RunCommand& c, Team& team, Console& console) {
  const Ranks ranks = team.ranks([&](const std::string& text) { console.warn(text); });
  if (!c.device.empty() && c.device != "auto" && c.device != "cpu") {
    if (c.device.rfind("cuda", 0) != 0)
      fail(Exit::usage, "--device {}: allowed are auto, cpu, cuda and cuda:N", c.device);
    resolve_device(c.device);  // refuses what is not there before any work
  }
  const std::optional<std::chrono::seconds> limit =
      c.time_limit.empty() ? std::nullopt : std::optional(duration_from(c.time_limit));
  const Study study = study_of(c);
  const Config& config = study.loaded.value;
  on_all(ranks, "agree", packed(facts_of(c, study)), [] {});
  fs::path folder = output_of(config, c.config, c.output);

  RunOptions options;
  options.selected = selected_stages(config, c.from, c.until, c.only);
  const Shard shard = c.shard.empty() ? Shard{} : shard_from(c.shard);
  Work work = Work::study;
  if (!c.shard.empty()) {
    options.selected = shard_stages(options.selected, config);
    work = shares_regression(options.selected) ? Work::regression_shard : Work::electrodes_shard;
    options.shared = work == Work::regression_shard;
    if (!options.shared) folder = shard_folder(folder, shard);
  }
  options.force = c.force;
  options.dry_run = c.dry_run;
  if (has_stage(options.selected, "segmentation")) (void)checked_network_text(config);
  require_torch(options.selected);
  options.threads = threads_of(c, config);
  options.memory_bytes = memory_of(c, config, team);
  if (!c.dry_run)
    require_space(folder, estimate(config, study.inputs, options.selected, options.memory_bytes, options.threads));

  const StopWatch watch(limit, c.stop_file.empty() ? std::nullopt : std::optional(fs::path(c.stop_file)));
  Run run(folder, config.name, options,
          {team.listener(console.listener()), [&](const std::string& m) { console.info(m); }, &stop_flag(), ranks});
  if (!c.dry_run && !options.shared) console.log_to(folder / "log.txt");
  if (!c.json_log.empty()) console.log_json_to(c.json_log);
  if (ranks.shared()) console.info(fmt::format("{} ranks share segmentation and attributes", ranks.size));
  for (std::size_t i = 0; i < study.inputs.size(); ++i)
    if (options.shared || shard.has(i)) console.info(electrode_text(config.electrodes[i], study.inputs[i]));
  try {
    do_work(work, study, shard, run);
  } catch (const Error& e) {
    if (e.exit() != Exit::interrupted || stop_reason().empty()) throw;  // or another process is at it
    fail(Exit::interrupted, "stopped by {}. {}", stop_reason(), resume_hint(c));
  }
  if (!c.dry_run && options.shared)
    console.info(fmt::format("this shard is done; a run without --shard goes on from {}", folder.string()));
  else if (!c.dry_run)
    console.info("results: " + folder.string());
  return Exit::ok;
}

}  // namespace

Exit run(const RunCommand& c, Console& console) {
  Team team(!c.shard.empty());
  if (team.rank() == 0) return team.lead([&] { return lead(c, team, console); });
  help(c, team);
  return Exit::ok;
}

Exit check(const CheckCommand& c, Console& console) {
  const Study study = open_study(c.config, c.set);
  const Config& config = study.loaded.value;
  if (const std::string network = checked_network_text(config); !network.empty()) fmt::print("{}\n", network);
  require_torch(selected_stages(config, "", "", ""));
  for (std::size_t i = 0; i < study.inputs.size(); ++i) {
    fmt::print("{}\n", electrode_text(config.electrodes[i], study.inputs[i]));
    for (const auto* file : {&study.inputs[i].volume, &study.inputs[i].labels, &study.inputs[i].cracks})
      if (*file)
        for (const auto& note : (*file)->notes) fmt::print("  {}\n", note);
    if (config.segmentation.method == "network" && !study.inputs[i].labels)
      fmt::print("{}\n", network_estimate_text(config, study.inputs[i]));
  }
  const Estimate need =
      estimate(config, study.inputs, selected_stages(config, "", "", ""), memory_budget(config.runtime.memory_gib),
               resolve_threads(static_cast<int>(config.runtime.threads)));
  for (const auto& s : need.stages) fmt::print("memory: {} about {}\n", s.stage, bytes_text(s.bytes));
  fmt::print("memory: at most {}\ndisk: at most {}\n", bytes_text(need.memory_bytes), bytes_text(need.disk_bytes));
  console.info("the configuration and its inputs are fine");
  return Exit::ok;
}

namespace {

/// Throws Error{no_input} where the folder is none; before `merge` that of a study in shards is not there yet.
void require_run_folder(const fs::path& folder) {
  if (fs::exists(folder / "config.yaml")) return;
  const fs::path first = fs::absolute(folder / "").lexically_normal().parent_path();
  std::string shard;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(first.parent_path(), none)) {
    const std::string path = entry.path().string();
    if (shard_of(entry.path()) && path.starts_with(first.string() + ".shard-") && (shard.empty() || path < shard))
      shard = path;
  }
  fail(Exit::no_input, "{} is not a run folder: it has no config.yaml{}", folder.string(),
       shard.empty() ? "" : ". Its shards are there, see each of them: cathoscope status " + shard);
}

}  // namespace

Exit status(const StatusCommand& c, Console& console) {
  const fs::path folder = c.folder;
  require_run_folder(folder);
  const Study study = open_study((folder / "config.yaml").string(), {});
  const auto shard = shard_of(folder);
  RunOptions options;
  options.selected = shard ? shard_stages(stage_names(), study.loaded.value) : stage_names();
  options.dry_run = true;
  Run run(folder, study.loaded.value.name, options, {{}, [](const std::string&) {}, nullptr});
  do_work(shard ? Work::electrodes_shard : Work::study, study, shard.value_or(Shard{}), run);
  fmt::print("{:<20} {:<28} {:<9} {:>12} {:>12}\n", "electrode", "stage", "state", "time", "size");
  for (const auto& line : run.seen()) {
    const char* state = line.status.state == StageState::finished  ? "finished"
                        : line.status.state == StageState::missing ? "missing"
                                                                   : "stale";
    const std::string stage = line.part.empty() ? line.stage : fmt::format("{} ({})", line.stage, line.part);
    fmt::print("{:<20} {:<28} {:<9} {:>12} {:>12}\n", line.electrode, stage, state,
               line.status.seconds > 0 ? duration_text(line.status.seconds) : "-",
               line.status.bytes > 0 ? bytes_text(static_cast<double>(line.status.bytes)) : "-");
    if (!c.why) continue;
    for (const auto& reason : line.status.reasons) fmt::print("    {}\n", reason);
  }
  if (const auto holder = holder_of(folder)) console.info("at work here: " + *holder);
  return Exit::ok;
}

}  // namespace cathoscope::app
