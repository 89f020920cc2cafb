#include <cathoscope/pipeline/job_script.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/pipeline/shards.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace cathoscope {

namespace fs = std::filesystem;

namespace {

void refuse_line_ends(const std::string& text) {
  if (text.find_first_of("\n\r") != std::string::npos)
    fail(Exit::usage, "submit: '{}' has a line end, which a job script cannot hold", text);
}

/// A path in a line of sbatch's own, which quotes otherwise than a shell and replaces %.
std::string sbatch_path(const fs::path& path) {
  const std::string text = path.string();
  refuse_line_ends(text);
  if (text.find_first_of("\"\\") != std::string::npos)
    fail(Exit::usage, "submit: sbatch cannot be told a path with a quote or a backslash: {}", text);
  std::string quoted;
  for (const char c : text) quoted += c == '%' ? "%%" : std::string(1, c);
  return quoted;
}

long whole_minutes(long seconds) { return std::max(1L, (seconds + 59) / 60); }

/// Two minutes before the end of a job, a quarter of a short one: time to finish a block.
long warning_seconds(long seconds) { return std::min(120L, std::max(1L, seconds / 4)); }

/// What sbatch reads: one process, or `ranks` of them, each with its own processors and memory.
std::string head(const JobSettings& s, const std::string& part, const std::string& log, int ranks,
                 const std::string& more) {
  std::string text = "#!/bin/bash\n";
  const auto line = [&](const std::string& option) { text += "#SBATCH " + option + "\n"; };
  const double mebibytes = 1024 * (1.25 * s.memory_gib + 1);
  line(fmt::format("--job-name={}-{}", s.name, part));
  line(fmt::format("--output=\"{}\"", sbatch_path(s.logs) + "/" + log));
  line("--open-mode=append");
  if (ranks == 1) line("--nodes=1");
  line(fmt::format("--ntasks={}", ranks));
  line(fmt::format("--cpus-per-task={}", s.threads));
  if (ranks == 1)
    line(fmt::format("--mem={}M", static_cast<long>(std::ceil(mebibytes))));
  else
    line(fmt::format("--mem-per-cpu={}M", static_cast<long>(std::ceil(mebibytes / s.threads))));
  line(fmt::format("--time={}", whole_minutes(s.seconds)));
  line(fmt::format("--signal=USR1@{}", warning_seconds(s.seconds)));
  line("--requeue");
  text += more;
  for (const auto& option : s.sbatch) {
    refuse_line_ends(option);
    line(option);
  }
  return text +
         R"(
# The program ends in good order on SIGTERM, which preemption sends, and on SIGUSR1, which comes shortly before the time
# limit; srun hands both on (a shell would not). It then exits 75, everything finished is kept, and the job puts itself
# back into the queue to go on from there.
note() { echo "== job $SLURM_JOB_ID, $(date -u +%Y-%m-%dT%H:%M:%SZ), $(hostname): $1"; }
requeue_if_stopped() {
  if [ "$1" -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
    note "stopped, goes back into the queue by itself; Slurm lets it wait there for two minutes"
    exec scontrol requeue "$SLURM_JOB_ID"
  fi
  [ "$1" -eq 0 ] || { note "ends with exit code $1"; exit "$1"; }
}
step() {
  srun --nodes=1 --ntasks=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" "$@"
  requeue_if_stopped $?
}
)" + (ranks == 1 ? std::string() : std::string(R"(ranks() {
  srun --mpi=pmix --kill-on-bad-exit=1 --ntasks="$SLURM_NTASKS" --cpus-per-task="$SLURM_CPUS_PER_TASK" "$@"
  requeue_if_stopped $?
}
)")) + "note \"start $((${SLURM_RESTART_COUNT:-0} + 1))\"\n\n";
}

std::string run_step(const JobSettings& s, int ranks, const std::string& more) {
  std::string text = fmt::format("{} {} run {} --output {} --threads \"$SLURM_CPUS_PER_TASK\" --memory {}",
                                 ranks > 1 ? "ranks" : "step", shell_word(s.program.string()),
                                 shell_word(s.config.string()), shell_word(s.output.string()), text_of(s.memory_gib));
  for (const auto& set : s.set) text += " --set " + shell_word(set);
  return text + more + "\n";
}

std::string explore_step(const JobSettings& s, const std::string& more) {
  std::string text =
      fmt::format("step {} explore {} --study {} --output {} --threads \"$SLURM_CPUS_PER_TASK\" --trajectories {}",
                  shell_word(s.program.string()), shell_word(s.config.string()), s.explore,
                  shell_word(s.output.string()), s.trajectories);
  for (const auto& set : s.set) text += " --set " + shell_word(set);
  return text + more + "\n";
}

std::string merge_step(const JobSettings& s) {
  std::string text =
      fmt::format("step {} merge --output {}", shell_word(s.program.string()), shell_word(s.output.string()));
  for (std::size_t i = 1; i <= s.electrodes; ++i)
    text += fmt::format(
        " {}", shell_word(shard_folder(s.output, {static_cast<int>(i), static_cast<int>(s.electrodes)}).string()));
  return text + "\n";
}

/// A script that does `steps` once, or once for each of `tasks`.
JobScript script(const JobSettings& s, const std::string& name, int tasks, int ranks, const std::string& steps) {
  if (tasks == 1) return {name, head(s, name, name + ".log", ranks, "") + steps, tasks};
  return {name, head(s, name, name + "-%a.log", ranks, fmt::format("#SBATCH --array=1-{}\n", tasks)) + steps, tasks};
}

std::string shard_option(int tasks) { return fmt::format(" --shard \"$SLURM_ARRAY_TASK_ID/{}\"", tasks); }

std::vector<JobScript> explore_scripts(const JobSettings& s) {
  std::vector<JobScript> scripts;
  if (s.shards > 1)
    scripts.push_back(script(s, s.explore + "-runs", s.shards, 1, explore_step(s, shard_option(s.shards))));
  scripts.push_back(script(s, s.explore, 1, 1, explore_step(s, "")));
  return scripts;
}

/// Electrodes, attributes of all, forests of the regression, and what is left; the first three where they are shared.
std::vector<JobScript> study_scripts(const JobSettings& s) {
  std::vector<JobScript> scripts;
  const int electrodes = static_cast<int>(s.electrodes);
  if (electrodes > 1)
    scripts.push_back(script(s, "electrodes", electrodes, s.ranks, run_step(s, s.ranks, shard_option(electrodes))));
  std::string merge = electrodes > 1 ? merge_step(s) : "";
  if (s.shards > 1) {
    if (electrodes > 0) {
      const std::string measured = run_step(s, s.ranks, " --until attributes");
      scripts.push_back(script(s, "attributes", 1, s.ranks, std::exchange(merge, "") + measured));
    }
    const std::string forests = run_step(s, 1, " --only regression" + shard_option(s.shards));
    scripts.push_back(script(s, "regression", s.shards, 1, forests));
  }
  scripts.push_back(script(s, "study", 1, s.ranks, merge + run_step(s, s.ranks, "")));
  return scripts;
}

}  // namespace

std::string shell_word(const std::string& text) {
  refuse_line_ends(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

fs::path job_folder(const fs::path& output) {
  return (output / "").lexically_normal().parent_path().string() + ".slurm";
}

std::vector<JobScript> slurm_scripts(const JobSettings& s) {
  return s.explore.empty() ? study_scripts(s) : explore_scripts(s);
}

}  // namespace cathoscope
