#include "commands.hpp"
#include "stop.hpp"
#include "study_files.hpp"

#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/job_script.hpp>
#include <cathoscope/pipeline/shards.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace cathoscope::app {

namespace {

namespace fs = std::filesystem;

/// What a program prints, without a shell in between. Throws Error{unavailable} where it cannot run, or fails.
std::string output_of_program(std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail(Exit::unavailable, "no pipe: {}", std::strerror(errno));
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; error == 0 && (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  if (error == 0) waitpid(child, &status, 0);
  if (error != 0)
    fail(Exit::unavailable, "{} cannot be run: {}. See the scripts with --print.", words[0], std::strerror(error));
  if (status != 0) fail(Exit::unavailable, "{} refused the job (see above)", words[0]);
  return text;
}

/// The number in "123\n" or "123;cluster\n", as sbatch --parsable prints it.
std::string submitted(const fs::path& script, const std::string& dependency) {
  std::vector<std::string> words{"sbatch", "--parsable"};
  if (!dependency.empty()) words.push_back("--dependency=afterok:" + dependency);
  words.push_back(script.string());
  const std::string text = output_of_program(words);
  std::string job = text.substr(0, text.find_first_not_of("0123456789"));
  if (job.empty()) fail(Exit::unavailable, "sbatch did not say the number of the job, but '{}'", text);
  return job;
}

/// This program, or the one beside it that knows MPI. Throws Error{unavailable} where that was not built.
fs::path program_for(int ranks) {
  fs::path program = fs::read_symlink("/proc/self/exe");
  if (ranks == 1) return program;
  fs::path with_mpi = program.parent_path() / "cathoscope-mpi";
  if (!fs::exists(with_mpi))
    fail(Exit::unavailable, "--ranks {}: {} is not there; build it with -DCATHOSCOPE_MPI=ON", ranks, with_mpi.string());
  return with_mpi;
}

/// Shards share the electrodes by their place in the list, tables among them; one that is measured needs none.
std::size_t shared_electrodes(const Config& config) {
  const auto stages = selected_stages(config, "", "", "");
  if (!has_stage(stages, "volume") && !has_stage(stages, "segmentation") && !has_stage(stages, "attributes")) return 0;
  const auto measured =
      std::count_if(config.electrodes.begin(), config.electrodes.end(), [](const auto& e) { return !e.table; });
  return measured > 1 ? config.electrodes.size() : static_cast<std::size_t>(measured);
}

/// One where nobody asks for more: forests of a usual study take minutes.
int regression_shards(const SubmitCommand& c, const Config& config) {
  const int shards = c.shards.value_or(1);
  const auto stages = selected_stages(config, "", "", "");
  if (shards > 1 && !has_stage(stages, "regression"))
    fail(Exit::usage, "--shards {}: regression, which they share, is not among the `stages` of {}", shards, c.config);
  return shards;
}

/// Refuses what `explore` would refuse in every job.
void require_model_study(const SubmitCommand& c, const Config& config) {
  const std::vector<std::string> studies{"laws", "parameters", "coverage", "morris"};
  if (std::find(studies.begin(), studies.end(), c.study) == studies.end())
    fail(Exit::usage, "--study {}: allowed are {}", c.study, fmt::join(studies, ", "));
  if (c.ranks > 1) fail(Exit::usage, "--study shares its runs among --shards, not among --ranks");
  if (config.chemomechanics && config.chemomechanics->geometry.particles_from)
    fail(Exit::config, "{}: explore takes invented particles, not `particles_from`", c.config);
}

JobSettings settings_of(const SubmitCommand& c) {
  // a study of the model reads no electrode
  const Config config = c.study.empty() ? open_study(c.config, c.set).loaded.value
                                        : read_config<Config>(c.config, c.set, Inputs::may_be_missing).value;
  JobSettings s;
  if (c.study.empty()) {
    (void)checked_network_text(config);
    require_torch(selected_stages(config, "", "", ""));
  }
  s.name = config.name;
  s.program = program_for(c.ranks);
  s.config = fs::absolute(c.config).lexically_normal();
  const fs::path run_folder = output_of(config, c.config, c.study.empty() ? c.output : "");
  s.output = run_folder;
  s.logs = job_folder(run_folder);
  if (!c.study.empty()) {
    require_model_study(c, config);
    s.explore = c.study;
    s.output = c.output.empty() ? run_folder / "explore" : fs::absolute(c.output).lexically_normal();
    if (!c.output.empty()) s.logs = job_folder(s.output);
  }
  s.shards = c.study.empty() ? regression_shards(c, config) : c.shards.value_or(8);
  s.trajectories = c.trajectories;
  s.ranks = c.ranks;
  s.set = c.set;
  s.electrodes = c.study.empty() ? shared_electrodes(config) : 0;
  s.threads = c.threads;
  s.memory_gib = c.memory_gib;
  s.seconds = static_cast<long>(duration_from(c.time_limit).count());
  s.sbatch = c.sbatch;
  return s;
}

void print(const std::vector<JobScript>& scripts, const fs::path& folder) {
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    const std::string file = (folder / (scripts[i].name + ".sh")).string();
    if (i > 0)
      fmt::print("\n# ---- {}, after it: sbatch --dependency=afterok:JOB\n", file);
    else if (scripts.size() > 1)
      fmt::print("# ---- {}\n", file);
    fmt::print("{}", scripts[i].text);
  }
}

/// The number of the job.
std::string written_and_submitted(const JobScript& script, const fs::path& folder, const std::string& dependency) {
  const fs::path file = folder / (script.name + ".sh");
  write_atomically(file, script.text);
  return submitted(file, dependency);
}

}  // namespace

Exit submit(const SubmitCommand& c, Console& console) {
  if (!c.slurm) fail(Exit::usage, "submit: Slurm is the one batch system that this program knows; say --slurm");
  const JobSettings settings = settings_of(c);
  const std::vector<JobScript> scripts = slurm_scripts(settings);
  if (c.print) {
    print(scripts, settings.logs);
    return Exit::ok;
  }
  std::error_code error;
  fs::create_directories(settings.logs, error);
  if (error) fail(Exit::cannot_create, "{} cannot be created: {}", settings.logs.string(), error.message());
  std::string job;
  for (const JobScript& script : scripts) {
    const std::string before = std::exchange(job, written_and_submitted(script, settings.logs, job));
    fmt::print("{}\n", job);
    std::fflush(stdout);  // should a later one be refused
    console.info(fmt::format("job {}: {}{}{}", job, script.name, script.tasks > 1 ? ", an array" : "",
                             before.empty() ? "" : ", after job " + before));
  }
  console.info("scripts and logs: " + settings.logs.string());
  return Exit::ok;
}

Exit merge(const MergeCommand& c, Console& console) {
  end_at_signals();
  const auto report = merge_shards({c.folders.begin(), c.folders.end()},
                                   c.output.empty() ? fs::path() : fs::absolute(c.output).lexically_normal());
  console.info(fmt::format("{} stages of {} shards are in {}; `cathoscope run` goes on from there", report.stages,
                           report.shards, report.output.string()));
  return Exit::ok;
}

}  // namespace cathoscope::app
