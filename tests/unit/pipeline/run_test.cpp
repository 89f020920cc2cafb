#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/pipeline/run.hpp>

#include "test_data.hpp"

#include <fstream>

using namespace cathoscope;

namespace {

RunOptions all_stages() {
  RunOptions o;
  o.selected = {"first", "second"};
  return o;
}

/// A stage that writes `text` and counts how often it ran.
struct Counter {
  int runs = 0;
  Artifact operator()(Run& run, const StageSpec& spec, const std::string& text) {
    return run.stage(spec, [&](const std::filesystem::path& folder, const Context&) {
      ++runs;
      for (const auto& output : spec.outputs) std::ofstream(partial_name(folder / output)) << text << output;
    });
  }
};

StageSpec first_spec(const std::string& config = "a: 1\n") {
  return {"e", "first", 1, config, {{"input", "00", {}}}, {"first.h5", "first.csv"}};
}

}  // namespace

TEST_CASE("the key depends on every part, and parts do not run into each other") {
  const StageSpec base = first_spec();
  CHECK(stage_key(base) == stage_key(first_spec()));
  CHECK(stage_key(base).size() == 64);
  StageSpec other = base;
  other.algorithm = 2;
  CHECK(stage_key(other) != stage_key(base));
  other = base;
  other.inputs[0].sha256 = "01";
  CHECK(stage_key(other) != stage_key(base));
  other = base;
  other.name = "firs";
  other.config = "t" + base.config;
  CHECK(stage_key(other) != stage_key(base));
  other = base;
  other.electrode = "f";  // the same data in another folder is the same work
  CHECK(stage_key(other) == stage_key(base));
}

TEST_CASE("a stage runs once, again when something changes, and names what changed") {
  const test::ScratchDir dir;
  Counter counter;
  {
    Run run(dir / "out", "r", all_stages(), {});
    counter(run, first_spec(), "x");
    counter(run, first_spec(), "x");
    CHECK(counter.runs == 1);
    CHECK(read_text(dir / "out" / "e" / "first.csv") == "xfirst.csv");
  }
  Run run(dir / "out", "r", all_stages(), {});
  CHECK(run.status(first_spec()).state == StageState::finished);
  const auto changed = run.status(first_spec("a: 2\n"));
  CHECK(changed.state == StageState::stale);
  CHECK(changed.reasons == std::vector<std::string>{"configuration was: a: 1", "configuration is now: a: 2"});
  counter(run, first_spec("a: 2\n"), "x");
  CHECK(counter.runs == 2);
}

TEST_CASE("a stage that fails leaves the earlier result standing and no temporary file published") {
  const test::ScratchDir dir;
  Counter counter;
  Run run(dir / "out", "r", all_stages(), {});
  counter(run, first_spec(), "x");
  const auto fails = [](const std::filesystem::path& folder, const Context&) {
    std::ofstream(partial_name(folder / "first.h5")) << "half";
    throw Error(Exit::write_error, "disk full");
  };
  CHECK_THROWS_AS(run.stage(first_spec("a: 2\n"), fails), Error);
  CHECK(run.status(first_spec()).state == StageState::finished);
  CHECK(read_text(dir / "out" / "e" / "first.h5") == "xfirst.h5");
}

TEST_CASE("an interruption between publishing and recording makes the stage run again") {
  const test::ScratchDir dir;
  Counter counter;
  {
    Run run(dir / "out", "r", all_stages(), {});
    counter(run, first_spec(), "x");
  }
  std::filesystem::remove(dir / "out" / "e" / "first.json");
  std::ofstream(dir / "out" / "e" / ".first.h5.partial-1") << "of a killed run";
  Run run(dir / "out", "r", all_stages(), {});
  CHECK_FALSE(std::filesystem::exists(dir / "out" / "e" / ".first.h5.partial-1"));
  CHECK(run.status(first_spec()).state == StageState::missing);
  counter(run, first_spec(), "x");
  CHECK(counter.runs == 2);
}

TEST_CASE("a stage that was not selected is used when finished and asked for when not") {
  const test::ScratchDir dir;
  Counter counter;
  RunOptions only_second = all_stages();
  only_second.selected = {"second"};
  {
    Run run(dir / "out", "r", only_second, {});
    try {
      counter(run, first_spec(), "x");
      FAIL("must throw");
    } catch (const Error& e) {
      CHECK(e.exit() == Exit::config);
      CHECK(std::string(e.what()).find("e/first") != std::string::npos);
    }
  }
  {
    Run run(dir / "out", "r", all_stages(), {});
    counter(run, first_spec(), "x");
  }
  Run run(dir / "out", "r", only_second, {});
  CHECK(counter(run, first_spec(), "x").sha256 == sha256_of_file(dir / "out" / "e" / "first.h5"));
  CHECK(counter.runs == 1);
}

TEST_CASE("a dry run writes nothing and reports an unknown result downstream") {
  const test::ScratchDir dir;
  Counter counter;
  RunOptions dry = all_stages();
  dry.dry_run = true;
  std::vector<std::string> said;
  Run run(dir / "out", "r", dry, {{}, [&](const std::string& m) { said.push_back(m); }, nullptr});
  CHECK(counter(run, first_spec(), "x").sha256.empty());
  CHECK(counter.runs == 0);
  CHECK_FALSE(std::filesystem::exists(dir / "out"));
  REQUIRE(said.size() == 1);
  CHECK(said[0] == "e/first: would run (never finished)");
}

TEST_CASE("the lock is exclusive and goes with its holder") {
  const test::ScratchDir dir;
  {
    const Run run(dir / "out", "r", all_stages(), {});
    try {
      const Run second(dir / "out", "r", all_stages(), {});
      FAIL("must throw");
    } catch (const Error& e) {
      CHECK(e.exit() == Exit::interrupted);
      CHECK(std::string(e.what()).find("process") != std::string::npos);
    }
  }
  CHECK_NOTHROW(Run(dir / "out", "r", all_stages(), {}));
}

TEST_CASE("a wish to stop ends the stage before it is recorded") {
  const test::ScratchDir dir;
  const std::atomic<bool> stop{true};
  Run run(dir / "out", "r", all_stages(), {{}, [](const std::string&) {}, &stop});
  Counter counter;
  try {
    counter(run, first_spec(), "x");
    FAIL("must throw");
  } catch (const Error& e) {
    CHECK(e.exit() == Exit::interrupted);
  }
  CHECK_FALSE(std::filesystem::exists(dir / "out" / "e" / "first.json"));
}

TEST_CASE("hashes of source files follow content, not time; unchanged ones are remembered") {
  const test::ScratchDir dir;
  std::ofstream(dir / "a") << "one";
  const Run run(dir / "out", "r", all_stages(), {});
  const auto before = run.input_of_files("volume", {dir / "a"});
  CHECK(before.files.at(0).sha256 == sha256_of_text("one"));
  std::filesystem::last_write_time(dir / "a", std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK(run.input_of_files("volume", {dir / "a"}).sha256 == before.sha256);
  std::ofstream(dir / "a") << "two";
  CHECK(run.input_of_files("volume", {dir / "a"}).sha256 != before.sha256);
}

TEST_CASE("a stage of the whole run writes to the run folder and to electrodes' folders") {
  const test::ScratchDir dir;
  Counter counter;
  const StageSpec whole{"", "second", 1, "a: 1\n", {}, {"links.csv", "e/codes.csv", "f/codes.csv"}};
  {
    Run run(dir / "out", "r", all_stages(), {});
    const Artifact links = counter(run, whole, "x");
    CHECK(links.path == dir / "out" / "links.csv");
    CHECK(std::filesystem::exists(dir / "out" / "second.json"));
    CHECK(read_text(dir / "out" / "f" / "codes.csv") == "xf/codes.csv");
    run.write_provenance("{}");
    CHECK(read_text(dir / "out" / "provenance.json").find("\"second\"") != std::string::npos);
  }
  std::ofstream(dir / "out" / "f" / "codes.csv") << "edited";
  Run run(dir / "out", "r", all_stages(), {});
  CHECK(run.status(whole).reasons == std::vector<std::string>{"file f/codes.csv has another size"});
  StageSpec fewer = whole;
  fewer.outputs.pop_back();
  counter(run, fewer, "x");  // the electrode f left the study: its file of this stage goes
  CHECK_FALSE(std::filesystem::exists(dir / "out" / "f" / "codes.csv"));
  CHECK(std::filesystem::exists(dir / "out" / "e" / "codes.csv"));
}

TEST_CASE("parts of a stage are selected by its name and resume on their own") {
  const test::ScratchDir dir;
  Counter counter;
  StageSpec part = first_spec();
  part.part = "half";
  RunOptions only_first = all_stages();
  only_first.selected = {"first"};
  Run run(dir / "out", "r", only_first, {});
  counter(run, part, "x");
  CHECK(std::filesystem::exists(dir / "out" / "e" / "half.json"));
  CHECK_FALSE(std::filesystem::exists(dir / "out" / "e" / "first.json"));
  CHECK(run.status(part).state == StageState::finished);
  CHECK(run.status(first_spec()).state == StageState::missing);
  CHECK(run.seen().front().part == "half");
}

TEST_CASE("a record cannot make a stage remove files outside the run folder") {
  const test::ScratchDir dir;
  Counter counter;
  std::ofstream(dir / "precious.txt") << "mine";
  Run run(dir / "out", "r", all_stages(), {});
  StageSpec whole{"", "second", 1, "a: 1\n", {}, {"links.csv"}};
  counter(run, whole, "x");
  std::string record = read_text(dir / "out" / "second.json");
  record.replace(record.find("\"links.csv\""), 11, "\"../precious.txt\"");
  write_atomically(dir / "out" / "second.json", record);
  counter(run, whole, "x");
  CHECK(read_text(dir / "precious.txt") == "mine");
}

TEST_CASE("a record that names files elsewhere, or a folder for a file, is not believed") {
  const test::ScratchDir dir;
  Counter counter;
  Run run(dir / "out", "r", all_stages(), {});
  StageSpec whole{"", "second", 1, "a: 1\n", {}, {"links.csv"}};
  counter(run, whole, "x");
  const std::string good = read_text(dir / "out" / "second.json");
  for (const std::string name : {"/etc/passwd", "../links.csv", "e/../../x", "", "e/"}) {
    std::string bad = good;
    bad.replace(bad.find("links.csv"), 9, name);
    write_atomically(dir / "out" / "second.json", bad);
    const auto status = run.status(whole);
    CHECK(status.state == StageState::stale);
    CHECK_THAT(status.reasons.front(), Catch::Contains("damaged stage record"));
  }
  write_atomically(dir / "out" / "second.json", good);
  CHECK(run.status(whole).state == StageState::finished);
  std::filesystem::remove(dir / "out" / "links.csv");
  std::filesystem::create_directory(dir / "out" / "links.csv");
  CHECK(run.status(whole).reasons == std::vector<std::string>{"file links.csv is missing"});
  std::filesystem::remove(dir / "out" / "second.json");
  std::filesystem::create_directory(dir / "out" / "second.json");
  CHECK_THAT(run.status(whole).reasons.front(), Catch::Contains("damaged stage record"));
}
