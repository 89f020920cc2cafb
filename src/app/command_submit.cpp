#include "commands.hpp"
#include "stop.hpp"
#include "study_files.hpp"

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
#include <cstring>

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
  const std::string job = text.substr(0, text.find_first_not_of("0123456789"));
  if (job.empty()) fail(Exit::unavailable, "sbatch did not say the number of the job, but '{}'", text);
  return job;
}

JobSettings settings_of(const SubmitCommand& c) {
  const Study study = open_study(c.config, c.set);
  const Config& config = study.loaded.value;
  JobSettings s;
  s.name = config.name;
  s.program = fs::read_symlink("/proc/self/exe");
  s.config = fs::absolute(c.config).lexically_normal();
  s.output = output_of(config, c.config, c.output);
  s.set = c.set;
  const auto stages = selected_stages(config, "", "", "");
  const auto measures = [&](const char* stage) {
    return std::find(stages.begin(), stages.end(), stage) != stages.end();
  };
  if (measures("volume") || measures("segmentation") || measures("attributes"))
    s.electrodes = static_cast<std::size_t>(
        std::count_if(config.electrodes.begin(), config.electrodes.end(), [](const auto& e) { return !e.table; }));
  // Shards share the electrodes by their place in the list, tables among them.
  if (s.electrodes > 1) s.electrodes = config.electrodes.size();
  s.threads = c.threads;
  s.memory_gib = c.memory_gib;
  s.seconds = static_cast<long>(duration_from(c.time_limit).count());
  s.sbatch = c.sbatch;
  return s;
}

}  // namespace

Exit submit(const SubmitCommand& c, Console& console) {
  if (!c.slurm) fail(Exit::usage, "submit: Slurm is the one batch system that this program knows; say --slurm");
  const JobSettings settings = settings_of(c);
  const JobScripts scripts = slurm_scripts(settings);
  const fs::path folder = job_folder(settings.output);
  if (c.print) {
    if (!scripts.electrodes.empty())
      fmt::print("# ---- {}\n{}\n# ---- {}, after it: sbatch --dependency=afterok:JOB\n",
                 (folder / "electrodes.sh").string(), scripts.electrodes, (folder / "study.sh").string());
    fmt::print("{}", scripts.study);
    return Exit::ok;
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(Exit::cannot_create, "{} cannot be created: {}", folder.string(), error.message());
  std::string first;
  if (!scripts.electrodes.empty()) {
    write_atomically(folder / "electrodes.sh", scripts.electrodes);
    first = submitted(folder / "electrodes.sh", "");
    fmt::print("{}\n", first);
  }
  write_atomically(folder / "study.sh", scripts.study);
  fmt::print("{}\n", submitted(folder / "study.sh", first));
  console.info("scripts and logs: " + folder.string());
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
