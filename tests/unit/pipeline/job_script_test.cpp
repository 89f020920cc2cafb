#include <cathoscope/core/error.hpp>
#include <cathoscope/pipeline/job_script.hpp>
#include <cathoscope/pipeline/shards.hpp>

#include <catch2/catch.hpp>

using namespace cathoscope;

namespace {

JobSettings settings() {
  JobSettings s;
  s.name = "nmc";
  s.program = "/opt/bin/cathoscope";
  s.config = "/data/study.yaml";
  s.output = "/data/out/";
  s.logs = job_folder(s.output);
  s.electrodes = 1;
  return s;
}

using Names = std::vector<std::string>;

Names names_of(const std::vector<JobScript>& scripts) {
  Names names;
  for (const JobScript& s : scripts) names.push_back(s.name);
  return names;
}

}  // namespace

TEST_CASE("a shell word is one word whatever is in it") {
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b$c") == "'a b$c'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK_THROWS_AS(shell_word("a\nb"), Error);
}

TEST_CASE("a study of one electrode is one job, of several an array before it") {
  CHECK(job_folder("/data/out/") == "/data/out.slurm");
  JobSettings s = settings();
  REQUIRE(slurm_scripts(s).size() == 1);
  CHECK_THAT(slurm_scripts(s).back().text, Catch::Contains("step '/opt/bin/cathoscope' run '/data/study.yaml'"));
  s.electrodes = 4;
  const auto scripts = slurm_scripts(s);
  REQUIRE(names_of(scripts) == Names{"electrodes", "study"});
  CHECK_THAT(scripts[0].text, Catch::Contains("#SBATCH --array=1-4\n"));
  CHECK_THAT(scripts[1].text, !Catch::Contains("--array") && Catch::Contains("'/data/out.shard-4-of-4'"));
}

TEST_CASE("forests of the regression are an array between the attributes and the rest") {
  JobSettings s = settings();
  s.shards = 5;
  s.ranks = 2;
  s.electrodes = 0;
  CHECK(names_of(slurm_scripts(s)) == Names{"regression", "study"});
  s.electrodes = 1;
  CHECK(names_of(slurm_scripts(s)) == Names{"attributes", "regression", "study"});
  s.electrodes = 3;
  const auto scripts = slurm_scripts(s);
  REQUIRE(names_of(scripts) == Names{"electrodes", "attributes", "regression", "study"});
  CHECK_THAT(scripts[1].text, Catch::Contains(" merge ") && Catch::Contains("--until attributes\n"));
  CHECK_THAT(scripts[2].text, Catch::Contains("#SBATCH --array=1-5\n") && Catch::Contains("#SBATCH --ntasks=1\n") &&
                                  Catch::Contains("step '/opt/bin/cathoscope' run '/data/study.yaml'") &&
                                  Catch::Contains(" --only regression --shard \"$SLURM_ARRAY_TASK_ID/5\"\n"));
  CHECK_THAT(scripts[3].text, !Catch::Contains(" merge ") && !Catch::Contains("--shard") &&
                                  Catch::Contains("ranks '/opt/bin/cathoscope' run"));
}

TEST_CASE("jobs ask for whole minutes, and for a warning that leaves time") {
  JobSettings s = settings();
  s.seconds = 61;
  CHECK_THAT(slurm_scripts(s).back().text, Catch::Contains("--time=2\n") && Catch::Contains("--signal=USR1@15\n"));
  s.seconds = 24 * 3600;
  CHECK_THAT(slurm_scripts(s).back().text, Catch::Contains("--time=1440\n") && Catch::Contains("--signal=USR1@120\n"));
}

TEST_CASE("a study of the model is an array of its shards, and a job after it that writes the table") {
  JobSettings s = settings();
  s.explore = "morris";
  s.output = "/data/out/explore";
  s.shards = 5;
  const auto scripts = slurm_scripts(s);
  REQUIRE(names_of(scripts) == Names{"morris-runs", "morris"});
  CHECK_THAT(scripts[0].text, Catch::Contains("#SBATCH --array=1-5\n") &&
                                  Catch::Contains("explore '/data/study.yaml' --study morris --output "
                                                  "'/data/out/explore'") &&
                                  Catch::Contains("--shard \"$SLURM_ARRAY_TASK_ID/5\""));
  CHECK_THAT(scripts[1].text, Catch::Contains(" explore ") && !Catch::Contains("--shard") && !Catch::Contains(" run "));
  s.shards = 1;
  CHECK(names_of(slurm_scripts(s)) == Names{"morris"});
}

TEST_CASE("ranks are tasks of a job, started through PMIx; merging needs one") {
  JobSettings s = settings();
  s.ranks = 4;
  s.electrodes = 2;
  s.threads = 3;
  s.memory_gib = 4;
  const auto scripts = slurm_scripts(s);
  for (const JobScript& script : scripts)
    CHECK_THAT(script.text, Catch::Contains("#SBATCH --ntasks=4\n") && !Catch::Contains("#SBATCH --nodes") &&
                                Catch::Contains("#SBATCH --mem-per-cpu=2048M\n") &&  // (1.25 4 + 1) GiB over 3
                                Catch::Contains("srun --mpi=pmix") &&
                                Catch::Contains("\nranks '/opt/bin/cathoscope' run"));
  CHECK_THAT(scripts.back().text, Catch::Contains("\nstep '/opt/bin/cathoscope' merge"));
}

TEST_CASE("what a line of sbatch cannot say is refused") {
  JobSettings s = settings();
  s.sbatch = {"--comment=a\n#SBATCH --uid=0"};
  CHECK_THROWS_AS(slurm_scripts(s), Error);
  s = settings();
  s.logs = "/data/\"x\".slurm";
  CHECK_THROWS_AS(slurm_scripts(s), Error);
}

TEST_CASE("shards are counted from one and have every electrode once") {
  for (const int n : {1, 2, 3, 7})
    for (std::size_t electrode = 0; electrode < 10; ++electrode) {
      int owners = 0;
      for (int i = 1; i <= n; ++i) owners += Shard{i, n}.has(electrode) ? 1 : 0;
      CHECK(owners == 1);
    }
  CHECK(shard_from("2/3").index == 2);
  CHECK(shard_from("2/3").count == 3);
  for (const char* text : {"", "/", "1/", "/2", "0/1", "2/1", "1/2/3", "1 /2x"})
    CHECK_THROWS_AS(shard_from(text), Error);
  CHECK(shard_folder("/data/out/", {2, 3}) == "/data/out.shard-2-of-3");
}
