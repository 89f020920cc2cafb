#include "commands.hpp"
#include "completion.hpp"
#include "stop.hpp"
#include "team.hpp"

#include <cathoscope/core/text.hpp>
#include <cathoscope/pipeline/pipeline.hpp>
#include <cathoscope/pipeline/version.hpp>

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <new>
#include <system_error>

namespace cathoscope::app {

namespace {

/// What the command line asked for; the chosen command fills `action`.
struct CommandLine {
  CLI::App app{"Particle damage in composite battery cathodes: from a tomogram to the attributes of every particle.",
               "cathoscope"};
  bool verbose = false;
  bool quiet = false;
  std::function<Exit(Console&)> action;

  RunCommand run_command;
  CheckCommand check_command;
  InitCommand init_command;
  StatusCommand status_command;
  PhantomCommand phantom_command;
  TrainCommand train_command;
  FitCommand fit_command;
  ExplainCommand explain_command;
  ExportCommand export_command;
  EvaluateCommand evaluate_command;
  InfoCommand info_command;
  ExploreCommand explore_command;
  VerifyCommand verify_command;
  MergeCommand merge_command;
  SubmitCommand submit_command;
  CiteCommand cite_command;
  std::string shell;
};

std::string stage_list() { return fmt::format("{}", fmt::join(stage_names(), ", ")); }

/// A finite number above 0; CLI11's own check lets nan through.
CLI::Validator positive_number() {
  return {[](std::string& text) {
            const auto value = number_from(text);
            return value && std::isfinite(*value) && *value > 0 ? std::string()
                                                                : "'" + text + "' is not a number above 0";
          },
          "NUMBER > 0"};
}

void add_run(CommandLine& c) {
  auto& o = c.run_command;
  auto* s = c.app.add_subcommand("run", "Run a study: every stage that is not up to date");
  s->add_option("CONFIG", o.config, "the study, a YAML file")->required();
  s->add_option("--output", o.output, "folder of the results, instead of `output:`");
  s->add_option("--from", o.from, "first stage that may run: " + stage_list());
  s->add_option("--until", o.until, "last stage that may run");
  s->add_option("--only", o.only, "the one stage that may run");
  s->add_flag("--force", o.force, "run the selected stages even where they are up to date");
  s->add_flag("--dry-run", o.dry_run, "say what would run and why, run nothing");
  s->add_option("--set", o.set, "key.path=value, over the file; may be repeated")->take_all()->allow_extra_args(false);
  s->add_option("--threads", o.threads, "threads; 0 = all")->check(CLI::Range(0, 4096));
  s->add_option("--device", o.device, "auto, cpu, cuda or cuda:0, ...");
  s->add_option("--memory", o.memory_gib, "GiB that a stage may hold at once")->check(positive_number());
  s->add_option("--time-limit", o.time_limit, "stop in good order after this time, e.g. 3h50m");
  s->add_option("--stop-file", o.stop_file, "stop in good order when this file appears");
  s->add_option("--json-log", o.json_log, "also write messages to this file, one JSON object a line");
  s->add_option(
      "--shard", o.shard,
      "i/n: only every n-th electrode, in a folder of its own (see merge); with --only regression every n-th forest");
  s->callback([&c] { c.action = [&c](Console& console) { return run(c.run_command, console); }; });
}

void add_check(CommandLine& c) {
  auto* s =
      c.app.add_subcommand("check", "Check a study's configuration and inputs, estimate memory and disk, run nothing");
  s->add_option("CONFIG", c.check_command.config, "the study, a YAML file")->required();
  s->add_option("--set", c.check_command.set, "key.path=value, over the file")->take_all()->allow_extra_args(false);
  s->callback([&c] { c.action = [&c](Console& console) { return check(c.check_command, console); }; });
}

void add_init(CommandLine& c) {
  auto* s = c.app.add_subcommand("init", "Write a commented configuration to start from");
  s->add_option("FILE", c.init_command.file, "where to write it; without, to the screen");
  s->add_flag("--schema", c.init_command.schema, "the JSON Schema, for editors, instead");
  s->add_flag("--docs", c.init_command.docs, "the reference of all keys in Markdown instead");
  s->callback([&c] { c.action = [&c](Console& console) { return init(c.init_command, console); }; });
}

void add_status(CommandLine& c) {
  auto* s = c.app.add_subcommand("status", "Stages of a run folder: state, seconds, size");
  s->add_option("DIR", c.status_command.folder, "the run folder")->required();
  s->add_flag("--why", c.status_command.why, "say why a stage would run again");
  s->callback([&c] { c.action = [&c](Console& console) { return status(c.status_command, console); }; });
}

void add_phantom(CommandLine& c) {
  auto& o = c.phantom_command;
  auto* s = c.app.add_subcommand("phantom", "Make a synthetic electrode whose truth is known");
  s->add_option("CONFIG", o.config, "the phantom, a YAML file; or use --preset");
  s->add_option("--preset", o.preset, "a preset instead of a file");
  s->add_option("--output", o.output, "new folder to write to")->required();
  s->add_option("--seed", o.seed, "seed of everything random");
  s->add_option("--set", o.set, "key.path=value, over the file or preset")->take_all()->allow_extra_args(false);
  s->add_option("--format", o.format, "hdf5 or tiff");
  s->add_option("--type", o.type, "type of the grey values: uint8, uint16 or float32");
  s->add_option("--voxel-size-um", o.voxel_size_um, "render at another voxel size")->check(positive_number());
  s->add_option("--labels", o.labels, "render the particles of this label volume instead of generated ones");
  s->add_option("--labels-voxel-size-um", o.labels_voxel_size_um, "its voxel size")->check(positive_number());
  s->add_flag("--tables-only", o.tables_only, "only a table of particles, no voxels");
  s->add_option("--rows", o.rows, "with --tables-only: number of particles");
  s->add_option("--threads", o.threads, "threads; 0 = all")->check(CLI::Range(0, 4096));
  s->callback([&c] { c.action = [&c](Console& console) { return phantom(c.phantom_command, console); }; });
}

void add_train(CommandLine& c) {
  auto& o = c.train_command;
  auto* s = c.app.add_subcommand("train", "Train the network on synthetic electrodes and on labelled images");
  s->add_option("CONFIG", o.config, "the training, a YAML file")->required();
  s->add_option("--calibrate", o.calibrate,
                "train nothing: choose the cut-offs of this weights file anew on the validation samples of CONFIG, and "
                "write them into it");
  s->add_option("--set", o.set, "key.path=value, over the file; may be repeated")->take_all()->allow_extra_args(false);
  s->add_option("--threads", o.threads, "threads; 0 = all")->check(CLI::Range(0, 4096));
  s->add_option("--device", o.device, "auto, cpu, cuda or cuda:0, ...");
  s->add_option("--time-limit", o.time_limit, "stop in good order after this time, e.g. 3h50m");
  s->add_option("--stop-file", o.stop_file, "stop in good order when this file appears");
  s->callback([&c] { c.action = [&c](Console& console) { return train(c.train_command, console); }; });
}

void add_fit(CommandLine& c) {
  auto& o = c.fit_command;
  auto* s = c.app.add_subcommand("fit", "Fit a regression forest to a table");
  s->add_option("--table", o.table, "CSV or TSV with a header row")->required();
  s->add_option("--target", o.target, "column to predict; default Damage");
  s->add_option("--set", o.set, "regression.key=value, as in a study's configuration")
      ->take_all()
      ->allow_extra_args(false);
  s->add_option("--seed", o.seed, "seed of split, bootstrap and features");
  s->add_option("--output", o.output, "the forest, JSON")->required();
  s->add_option("--threads", o.threads, "threads; 0 = all")->check(CLI::Range(0, 4096));
  s->callback([&c] { c.action = [&c](Console& console) { return fit(c.fit_command, console); }; });
}

void add_explain(CommandLine& c) {
  auto& o = c.explain_command;
  auto* s = c.app.add_subcommand("explain", "Exact Shapley values of a forest for the rows of a table");
  s->add_option("--forest", o.forest, "a forest, JSON: of `fit`, or exported from scikit-learn")->required();
  s->add_option("--table", o.table, "CSV or TSV; columns are matched by name")->required();
  s->add_option("--output", o.output, "CSV: a row of values for each row of the table")->required();
  s->add_option("--interactions", o.interactions, "also interaction values, to this CSV");
  s->add_option("--background", o.background, "interventional values against the rows of this table");
  s->add_option("--threads", o.threads, "threads; 0 = all")->check(CLI::Range(0, 4096));
  s->callback([&c] { c.action = [&c](Console& console) { return explain(c.explain_command, console); }; });
}

void add_export(CommandLine& c) {
  auto& o = c.export_command;
  auto* s = c.app.add_subcommand("export", "Write a stage's result in a format that other programs open");
  s->add_option("DIR", o.folder, "the run folder")->required();
  s->add_option("--stage", o.stage, "a stage whose result other programs may want: " + exportable_stages())->required();
  s->add_option("--format", o.format, "csv, vtk, tiff, npy or ome-zarr")->required();
  s->add_option("--output", o.output, "folder to write to; default DIR/export");
  s->callback([&c] { c.action = [&c](Console& console) { return export_results(c.export_command, console); }; });
}

void add_evaluate(CommandLine& c) {
  auto& o = c.evaluate_command;
  auto* s = c.app.add_subcommand("evaluate", "Score predicted particles against true ones; JSON");
  const auto files = [s](const char* name, std::vector<std::string>& list, const char* what) {
    return s->add_option(name, list, what)->take_all()->allow_extra_args(false);
  };
  files("--prediction", o.prediction, "predicted labels: file, folder or glob; path.h5:/dataset; once an image")
      ->required();
  files("--truth", o.truth, "true labels, in the same order")->required();
  files("--ignore", o.ignore, "non-zero where nobody knows the truth");
  files("--grey", o.grey, "the image: dark predictions stay errors in the lenient score");
  s->add_option("--min-size", o.min_size, "smaller true particles count nowhere, voxels")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()));
  s->add_option("--voxel-size-um", o.voxel_size_um, "for distances of surfaces; default: what the files say")
      ->check(positive_number());
  s->add_option("--damage-prediction", o.damage_prediction, "CSV with the columns label and Damage");
  s->add_option("--damage-truth", o.damage_truth, "the same of the true particles");
  s->add_flag("--table", o.table, "a short table instead of JSON");
  s->add_option("--threads", o.threads, "threads; 0 = all")->check(CLI::Range(0, 4096));
  s->add_option("--memory", o.memory_gib, "GiB that surfaces may take")->check(positive_number());
  s->callback([&c] { c.action = [&c](Console& console) { return evaluate(c.evaluate_command, console); }; });
}

void add_info(CommandLine& c) {
  auto* s = c.app.add_subcommand(
      "info", "Versions and devices; or what a file holds: a volume, where its voxel size stands, a network");
  s->add_option("FILE", c.info_command.file,
                "a volume: file, folder of slices, or glob, path.h5:/dataset; or a network: weights file, folder of a "
                "StarDist model");
  s->add_option("--dataset", c.info_command.dataset, "path inside an HDF5 file or a Zarr folder");
  s->add_flag("--json", c.info_command.json, "as JSON");
  s->callback([&c] { c.action = [&c](Console& console) { return info(c.info_command, console); }; });
}

void add_explore(CommandLine& c) {
  auto& o = c.explore_command;
  auto* s =
      c.app.add_subcommand("explore", "Run the damage model under other laws and parameters: what decides the result");
  s->add_option("CONFIG", o.config, "a study with the block chemomechanics, a YAML file")->required();
  s->add_option("--study", o.study, "laws, parameters, coverage or morris")->required();
  s->add_option("--output", o.output, "folder of the runs and the table; else `explore` in the folder of the run");
  s->add_option("--shard", o.shard, "i/n: only every n-th run, from the i-th; shards may share the folder");
  s->add_option("--trajectories", o.trajectories, "of morris")->check(CLI::Range(2, 100000));
  s->add_option("--set", o.set, "key.path=value, over the file")->take_all()->allow_extra_args(false);
  s->add_option("--threads", o.threads, "threads; 0 = all")->check(CLI::Range(0, 4096));
  s->callback([&c] { c.action = [&c](Console& console) { return explore(c.explore_command, console); }; });
}

void add_verify(CommandLine& c) {
  auto* s =
      c.app.add_subcommand("verify", "Solve problems with known answers; error beside tolerance; exit 1 on a miss");
  s->add_option("WHAT", c.verify_command.what, "attributes, chemomechanics, regression or all");
  s->add_flag("--full", c.verify_command.full, "also the long ones");
  s->callback([&c] { c.action = [&c](Console& console) { return verify(c.verify_command, console); }; });
}

void add_merge(CommandLine& c) {
  auto* s = c.app.add_subcommand("merge", "Bring the shards of a study together");
  s->add_option("DIR", c.merge_command.folders, "the shards: OUT.shard-1-of-3 and so on")->required();
  s->add_option("--output", c.merge_command.output, "the run folder; default OUT");
  s->callback([&c] { c.action = [&c](Console& console) { return merge(c.merge_command, console); }; });
}

void add_submit(CommandLine& c) {
  auto& o = c.submit_command;
  auto* s = c.app.add_subcommand("submit", "Run a study on a cluster: job scripts that stop, requeue and resume");
  s->add_option("CONFIG", o.config, "the study, a YAML file")->required();
  s->add_flag("--slurm", o.slurm, "for Slurm (required)");
  s->add_flag("--print", o.print, "print the scripts, submit nothing");
  s->add_option("--output", o.output, "folder of the results, instead of `output:`");
  s->add_option("--set", o.set, "key.path=value, over the file; may be repeated")->take_all()->allow_extra_args(false);
  s->add_option("--study", o.study, "not the run but explore's laws, parameters, coverage or morris, its runs shared");
  s->add_option("--shards", o.shards, "jobs that share the forests of the regression [1], or the runs of --study [8]")
      ->check(CLI::Range(1, 10000));
  s->add_option("--trajectories", o.trajectories, "with --study morris")->check(CLI::Range(2, 100000));
  s->add_option("--ranks", o.ranks, "processes that share a run, with MPI; each has --threads and --memory of its own")
      ->check(CLI::Range(1, 100000));
  s->add_option("--threads", o.threads, "processors of a job, or of each rank")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  s->add_option("--memory", o.memory_gib,
                "GiB that a stage may hold at once; the job asks for a quarter and 1 GiB more")
      ->check(positive_number())
      ->capture_default_str();
  s->add_option("--time-limit", o.time_limit, "of a job, e.g. 23h30m or 23:30:00; it goes on in the next")
      ->capture_default_str();
  s->add_option("--sbatch", o.sbatch, "a further option of sbatch, e.g. --sbatch=--partition=long; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  s->callback([&c] { c.action = [&c](Console& console) { return submit(c.submit_command, console); }; });
}

void add_completion(CommandLine& c) {
  auto* s = c.app.add_subcommand("completion", "Print what a shell needs to complete commands and options");
  s->add_option("SHELL", c.shell, "bash, zsh or fish")->required();
  s->callback([&c] {
    c.action = [&c](Console&) {
      fmt::print("{}", completion_script(c.app, c.shell));
      return Exit::ok;
    };
  });
}

void add_cite(CommandLine& c) {
  auto* s = c.app.add_subcommand("cite", "How to cite the program and the paper behind it");
  s->add_option("--format", c.cite_command.format, "text, bibtex or cff");
  s->callback([&c] { c.action = [&c](Console& console) { return cite(c.cite_command, console); }; });
}

void set_up(CommandLine& c) {
  c.app.require_subcommand(1);
  c.app.set_version_flag("--version", "cathoscope " + version_text() + " (" + git_text() + ")");
  c.app.add_flag("-v,--verbose", c.verbose, "say more");
  c.app.add_flag("-q,--quiet", c.quiet, "only warnings and errors");
  c.app.fallthrough();
  c.app.footer(
      "Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 no convergence or a missed tolerance, 64 "
      "command\n"
      "line, 65 bad data, 66 no input, 70 bug, 71 memory, 73 cannot create, 74 write error, 75 stopped (run again),\n"
      "76 other version, 78 configuration.");
  add_run(c);
  add_check(c);
  add_init(c);
  add_status(c);
  add_phantom(c);
  add_train(c);
  add_fit(c);
  add_explain(c);
  add_export(c);
  add_evaluate(c);
  add_info(c);
  add_explore(c);
  add_verify(c);
  add_merge(c);
  add_submit(c);
  add_completion(c);
  add_cite(c);
}

int code(Exit exit) { return static_cast<int>(exit); }

std::string bug_report(const std::exception& e) {
  return fmt::format(
      "error: this is a bug in cathoscope {} ({}): {}. Please report it with the command, config.yaml and log.txt.",
      version_text(), git_text(), e.what());
}

/// What stdout did not take. Who reads it may have had enough (`| head`); all else means that results are lost.
int lost_output(Console& console, int error) {
  if (error == EPIPE) return code(Exit::ok);
  console.error(fmt::format("error: the results cannot be written to stdout: {}", std::strerror(error)));
  return code(Exit::write_error);
}

/// Runs the action; turns whatever is thrown into a message and an exit code.
int guarded(Console& console, const std::function<Exit(Console&)>& action) {
  try {
    const Exit exit = action(console);
    if (std::fflush(stdout) != 0 && exit == Exit::ok) return lost_output(console, errno);
    return code(exit);
  } catch (const Error& e) {
    const bool located = e.exit() == Exit::config && std::string(e.what()).find(": error: ") != std::string::npos;
    console.error(located ? e.what() : std::string("error: ") + e.what());
    return code(e.exit());
  } catch (const std::bad_alloc&) {
    console.error("error: out of memory. Give a stage less with --memory GIB, or use fewer --threads.");
    return code(Exit::no_memory);
  } catch (const std::system_error& e) {
    if (std::ferror(stdout) != 0) return lost_output(console, e.code().value());
    console.error(bug_report(e));
    return code(Exit::internal);
  } catch (const std::exception& e) {
    console.error(bug_report(e));
    return code(Exit::internal);
  }
}

/// What to say where the first word is no command; empty where it is one, or there is none.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> names;
  for (const auto* s : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(s->get_name());
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind('-', 0) == 0) continue;
    if (std::find(names.begin(), names.end(), word) != names.end()) return {};
    const auto near = nearest_name(word, names);
    return fmt::format("unknown command '{}'{}; commands are {}", word, near ? "; did you mean '" + *near + "'?" : "",
                       fmt::join(names, ", "));
  }
  return {};
}

int main_of(int argc, char** argv) {
  handle_signals();
  CommandLine command_line;
  set_up(command_line);
  try {
    command_line.app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (launched().rank > 0) return code(Exit::ok);  // the first of them says it
    const std::string unknown = unknown_command(command_line.app, argc, argv);
    if (!unknown.empty()) {
      fmt::print(stderr, "{}\n", unknown);
      return code(Exit::usage);
    }
    return command_line.app.exit(e) == 0 ? 0 : code(Exit::usage);
  }
  const Loudness loudness = command_line.quiet     ? Loudness::quiet
                            : command_line.verbose ? Loudness::verbose
                                                   : Loudness::normal;
  Console console(loudness);
  return guarded(console, command_line.action);
}

}  // namespace

}  // namespace cathoscope::app

int main(int argc, char** argv) { return cathoscope::app::main_of(argc, argv); }
