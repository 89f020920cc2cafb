/// Every mistake a user makes, its place and its message.
#include <cathoscope/config/config.hpp>

#include "study_config.hpp"
#include "test_data.hpp"

#include <fstream>

using namespace cathoscope;
using study::Study;

namespace {

std::string complaint_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    (void)read_config_text<Study>(text, "run.yaml", test::source_dir(), overrides);
    return "accepted";
  } catch (const Error& error) {
    return (error.exit() == Exit::config ? "" : "WRONG EXIT CODE ") + std::string(error.what());
  }
}

/// The problem of a file that starts with a sound line 1, "name: a".
std::string after_name(const std::string& text) { return complaint_of("name: a\n" + text); }

struct Mistake {
  const char* text;  ///< from line 2 on
  const char* message;
};

void expect(const std::vector<Mistake>& mistakes) {
  for (const auto& [text, message] : mistakes) {
    INFO(text);
    CHECK(after_name(text) == std::string("run.yaml:") + message);
  }
}

}  // namespace

TEST_CASE("unknown and duplicate keys") {
  expect({
      {"sead: 3\n", "2:1: error: unknown key 'sead'; did you mean 'seed'?"},
      {"seed: 3\nsead: 3\n",
       "3:1: error: unknown key 'sead'; known here: name, seed, level, match, sigma_um, threshold, workers, "
       "minimum_um3, exclude, weights, electrodes"},
      {"seed: 3\nlevel: 1\nseed: 4\n", "4:1: error: duplicate key 'seed': the first is in line 2"},
      {"seed:3\n", "2:1: error: 'seed:3' needs a space after the colon"},
      {"electrodes:\n  - name: a\n    volume: {path: README.md, levels: {hihg: 3}}\n",
       "4:40: error: unknown key 'hihg' in 'electrodes[0].volume.levels'; did you mean 'high'?"},
      {"electrodes:\n  - {name: a, volume: {path: README.md, levels: {low: 0,05}}}\n",
       "3:57: error: unknown key '05': if the comma before it is a decimal comma, write 0.05, with a point"},
      {"electrodes:\n  - {name: a, volume: {path: README.md, levels: {low: 0, 5: 1}}}\n",
       "3:58: error: unknown key '5' in 'electrodes[0].volume.levels'; known here: low, high"},
      {"<<: {seed: 3}\n",
       "2:1: error: merge keys (<<) are not supported: write the keys out, or repeat a whole value "
       "by an alias"},
      {"seed: !!int 3\n", "2:7: error: YAML tags have no meaning here: remove 'tag:yaml.org,2002:int'"},
      {"? [a]\n: 3\n", "2:3: error: a key must be a name"},
  });
}

TEST_CASE("whole numbers") {
  const std::string is = "2:7: error: 'seed' must be a whole number of at least 0, not ";
  const auto seed = [&](const char* value, const std::string& rest) {
    CHECK(after_name(std::string("seed: ") + value + "\n") == "run.yaml:" + is + rest);
  };
  seed("010", "'010'; write 10");
  seed("1e3", "'1e3'; write 1000");
  seed("5.0", "'5.0'; write 5");
  seed("+5", "'+5'; write 5");
  seed("0x10", "'0x10'; write 16");
  seed("0o17", "'0o17'; write 15");
  seed("1_000", "'1_000'; write 1000");
  seed("\"5\"", "'5'; remove the quotes");
  seed("-1", "'-1'");
  seed("18446744073709551616", "'18446744073709551616'; the largest is 18446744073709551615");
  seed("1.5", "'1.5'");
  seed("abc", "'abc'");
  seed("true", "'true'");
  seed("[1]", "a list of 1");
  seed("{a: 1}", "a map");
  seed("5 s", "'5 s'; write a number without a unit");
  expect({
      {"seed:\n", "2:1: error: 'seed' must be a whole number of at least 0, not empty (null)"},
      {"seed: ~\n", "2:1: error: 'seed' must be a whole number of at least 0, not empty (null)"},
      {"level: 2147483648\n",
       "2:8: error: 'level' must be a whole number, not '2147483648'; the largest is 2147483647"},
      {"level: -2147483649\n",
       "2:8: error: 'level' must be a whole number, not '-2147483649'; the smallest is -2147483648"},
      {"workers: 0\n", "2:10: error: 'workers' must be a whole number of at least 1, or auto, not '0'"},
      {"workers: Auto\n", "2:10: error: 'workers' must be a whole number of at least 1, or auto, not 'Auto'"},
  });
}

TEST_CASE("numbers") {
  const auto sigma = [&](const char* value, const std::string& rest) {
    CHECK(after_name(std::string("sigma_um: ") + value + "\n") ==
          "run.yaml:2:11: error: 'sigma_um' must be a number above 0, not " + rest);
  };
  sigma("0", "'0'");
  sigma("-0.0", "'-0.0'");
  sigma("0,05", "'0,05'; write 0.05, with a point");
  sigma("5um", "'5um'; the unit is part of the key's name: write 5");
  sigma("0.5 \xC2\xB5m", "'0.5 \xC2\xB5m'; the unit is part of the key's name: write 0.5");
  sigma("50 nm", "'50 nm'; the unit is part of the key's name: write 0.05");
  sigma("35nm", "'35nm'; the unit is part of the key's name: write 0.035");
  sigma("0.0035 mm", "'0.0035 mm'; the unit is part of the key's name: write 3.5");
  sigma("2e-6 m", "'2e-6 m'; the unit is part of the key's name: write 2");
  sigma("20%", "'20%'; the unit is part of the key's name: write the number alone, in um");
  sigma("5 s", "'5 s'; the unit is part of the key's name: write the number alone, in um");
  sigma("5 parsecs", "'5 parsecs'; the unit is part of the key's name: write the number alone, in um");
  sigma(".nan", "'.nan'; it must be finite");
  sigma("nan", "'nan'; it must be finite");
  sigma(".inf", "'.inf'; it must be finite");
  sigma("-.inf", "'-.inf'; it must be finite");
  sigma("1e400", "'1e400'");
  sigma("'1'", "'1'; remove the quotes");
  sigma("010.5", "'010.5'; write 10.5");
  sigma("1 000", "'1 000'; write 1000");
  sigma("auto", "'auto'");
  expect({
      {"minimum_um3: -1\n", "2:14: error: 'minimum_um3' must be a number of at least 0, or null, not '-1'"},
      {"minimum_um3: 500 nm\n",
       "2:14: error: 'minimum_um3' must be a number of at least 0, or null, not '500 nm'; the unit is part of the "
       "key's name: write the number alone, in um3"},
      {"minimum_um3: 2e6 nm^3\n",
       "2:14: error: 'minimum_um3' must be a number of at least 0, or null, not '2e6 nm^3'; the unit is part of the "
       "key's name: write 0.002"},
      {"threshold: 1 um\n",
       "2:12: error: 'threshold' must be a number, or auto, not '1 um'; write a number without a unit"},
      {"threshold: otsu\n", "2:12: error: 'threshold' must be a number, or auto, not 'otsu'"},
  });
}

TEST_CASE("true and false only") {
  for (const char* word : {"yes", "on", "True", "y", "1"}) {
    CHECK(after_name(std::string("match: ") + word + "\n") ==
          fmt::format("run.yaml:2:8: error: 'match' must be true or false, not '{}'; write true", word));
  }
  for (const char* word : {"no", "OFF", "0"}) {
    CHECK(after_name(std::string("match: ") + word + "\n") ==
          fmt::format("run.yaml:2:8: error: 'match' must be true or false, not '{}'; write false", word));
  }
  expect({{"match: \"true\"\n", "2:8: error: 'match' must be true or false, not 'true'; write true"}});
}

TEST_CASE("lists") {
  expect({
      {"exclude: 3\n", "2:10: error: 'exclude' must be a list, each a whole number of at least 0, not '3'; write [3]"},
      {"exclude:\n", "2:1: error: 'exclude' must be a list, each a whole number of at least 0, not empty (null)"},
      {"exclude: [1, x, 3, -2]\n",
       "2:14: error: 'exclude[1]' must be a whole number of at least 0, not 'x'\n"
       "run.yaml:2:20: error: 'exclude[3]' must be a whole number of at least 0, not '-2'"},
      {"weights: []\n",
       "2:10: error: 'weights' must be a list that is not empty, each a number from 0 to 1, not a list of 0"},
      {"weights:\n  - 0.5\n  - 2\n", "4:5: error: 'weights[1]' must be a number from 0 to 1, not '2'"},
  });
}

TEST_CASE("texts, choices and names") {
  const std::string entry = "electrodes:\n  - name: ";
  CHECK(after_name(entry + "../x\n") ==
        "run.yaml:3:11: error: 'electrodes[0].name' must be a text that matches [A-Za-z0-9][A-Za-z0-9._-]{0,63}, "
        "not '../x'");
  CHECK(after_name(entry + ".x\n").find("must be a text that matches") != std::string::npos);
  CHECK(after_name(entry + std::string(65, 'a') + "\n").find("must be a text that matches") != std::string::npos);
  CHECK(after_name(entry + "\"a\\nb\"\n") ==
        "run.yaml:3:11: error: 'electrodes[0].name' must be one line without control characters");
  CHECK(after_name(entry + std::string(5000, 'a') + "\n") ==
        "run.yaml:3:11: error: 'electrodes[0].name' is 5000 bytes long: at most 4096 are allowed");
  CHECK(after_name(entry + "a\n    volume: {path: README.md, axes: zxy}\n") ==
        "run.yaml:4:37: error: 'electrodes[0].volume.axes' must be one of zyx, xyz, not 'zxy'; did you mean 'zyx'?");
  CHECK(after_name(entry + "a\n    volume: {path: README.md, faces: [z_low, z_high, z_low]}\n") ==
        "run.yaml:4:54: error: 'electrodes[0].volume.faces[2]' is in the list twice: 'z_low'");
}

TEST_CASE("fixed shapes and voxel sizes") {
  const std::string volume = "electrodes: [{name: a, volume: {path: README.md, ";
  const auto of = [&](const std::string& rest) { return after_name(volume + rest + "}}]\n"); };
  CHECK(of("crop: [[0, 1], [0, 1]]") ==
        "run.yaml:2:56: error: 'electrodes[0].volume.crop' must be a list of 3, each a list of 2, each a whole number "
        "of at least 0, or null, not a list of 2");
  CHECK(of("crop: [[0, 1], [0, 1], [0, 1, 2]]") ==
        "run.yaml:2:73: error: 'electrodes[0].volume.crop[2]' must be a list of 2, each a whole number of at least 0, "
        "not a list of 3");
  CHECK(of("voxel_size_um: [1, 2]") ==
        "run.yaml:2:65: error: 'electrodes[0].volume.voxel_size_um' must be a number above 0, or a list [z, y, x] of "
        "such numbers, or null, not a list of 2");
  CHECK(of("voxel_size_um: [1, 0, 2]") ==
        "run.yaml:2:69: error: 'electrodes[0].volume.voxel_size_um[1]' must be a number above 0, not '0'");
  CHECK(of("voxel_size_um: 0").find("2:65: error") != std::string::npos);
}

TEST_CASE("missing keys stand at the nearest enclosing key") {
  CHECK(complaint_of("seed: 3\n") == "run.yaml:1:1: error: 'name' is missing: name of the study (a text)");
  CHECK(after_name("electrodes:\n  - volume: {bin: 2}\n") ==
        "run.yaml:3:5: error: 'electrodes[0].name' is missing: name of the folder (a text that matches "
        "[A-Za-z0-9][A-Za-z0-9._-]{0,63})\n"
        "run.yaml:3:5: error: 'electrodes[0].volume.path' is missing: file, folder or glob (a path)");
}

TEST_CASE("rules across fields are located, and silent about values that are wrong themselves") {
  const std::string head = "electrodes:\n  - name: a\n    volume:\n      path: README.md\n      levels: ";
  CHECK(after_name(head + "{low: 50, high: 20}\n") ==
        "run.yaml:6:21: error: 'electrodes[0].volume.levels.low' must be below high");
  CHECK(after_name(head + "{high: 0.5}\n") ==
        "run.yaml:6:7: error: 'electrodes[0].volume.levels.low' must be below high");
  CHECK(after_name(head + "{low: x, high: 0}\n") ==
        "run.yaml:6:21: error: 'electrodes[0].volume.levels.low' must be a number from 0 to 100, not 'x'");
  CHECK(after_name("electrodes: [{name: a}, {name: a}]\n") ==
        "run.yaml:2:32: error: 'electrodes[1].name' is the name of the electrode before it");
}

TEST_CASE("input paths") {
  test::ScratchDir folder;
  std::filesystem::create_directory(folder / "scan");
  std::ofstream(folder / "scan/slice_01.tif") << "x";
  std::ofstream(folder / "volume.h5") << "x";
  std::ofstream(folder / "odd[1].tif") << "x";
  const auto complaint = [&](const std::string& path) -> std::string {
    try {
      const auto loaded = read_config_text<Study>("name: a\nelectrodes: [{name: a, volume: \"" + path + "\"}]\n",
                                                  "run.yaml", folder.path());
      CHECK(std::filesystem::path(loaded.value.electrodes[0].volume->path.resolved).is_absolute());
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  const std::string here = folder.path().string();
  const std::string at = "run.yaml:2:32: error: 'electrodes[0].volume.path' ";
  for (const char* good : {"volume.h5", "scan", "scan/*.tif", "./scan/../volume.h5", "scan/slice_0?.tif", "odd[1].tif"})
    CHECK(complaint(good).empty());
  CHECK(complaint(here + "/volume.h5").empty());
  CHECK(complaint("") == at + "must be a path, not an empty text");
  CHECK(complaint("volum.h5") == at + "is not found: there is no " + here + "/volum.h5; did you mean 'volume.h5'?");
  CHECK(complaint("other/volume.h5") == at + "is not found: there is no folder " + here + "/other");
  CHECK(complaint("scan/*.tiff") == at + "is not found: nothing matches " + here + "/scan/*.tiff");
  CHECK(complaint("~/volume.h5") == at + "is not found: '~' is not replaced here, write the folder out");
  CHECK(complaint("volume.h5:/entry/data") == at + "is not found: write what follows ':' into the key dataset");
  CHECK(complaint(std::string(3000, 'a')).find("cannot be read") != std::string::npos);
  CHECK_NOTHROW(read_config_text<Study>("name: a\nelectrodes: [{name: a, volume: gone.h5}]\n", "run.yaml",
                                        folder.path(), {}, Inputs::may_be_missing));
}

TEST_CASE("all problems together, in the order of the file") {
  CHECK(complaint_of("sead: 1\nmatch: yes\nelectrodes:\n  - {name: '', volume: 7.tif}\nsigma_um: 0\nmatch: no\n") ==
        "run.yaml:1:1: error: unknown key 'sead'; did you mean 'seed'?\n"
        "run.yaml:1:1: error: 'name' is missing: name of the study (a text)\n"
        "run.yaml:2:8: error: 'match' must be true or false, not 'yes'; write true\n"
        "run.yaml:4:12: error: 'electrodes[0].name' must be a text that matches [A-Za-z0-9][A-Za-z0-9._-]{0,63}, "
        "not ''\n"
        "run.yaml:4:24: error: 'electrodes[0].volume.path' is not found: there is no " +
            test::source_dir().string() +
            "/7.tif\n"
            "run.yaml:5:11: error: 'sigma_um' must be a number above 0, not '0'\n"
            "run.yaml:6:1: error: duplicate key 'match': the first is in line 2");
}

TEST_CASE("overrides") {
  const std::string text = "name: a\nelectrodes: [{name: e, volume: README.md}]\n";
  const auto with = [&](const std::vector<std::string>& overrides) {
    return read_config_text<Study>(text, "run.yaml", test::source_dir(), overrides).value;
  };
  CHECK(with({"electrodes[0].volume.bin=2"}).electrodes[0].volume->bin == 2);
  CHECK(with({"electrodes.0.volume.bin=2", "electrodes[0].volume.bin=3"}).electrodes[0].volume->bin == 3);
  CHECK(with({"electrodes[0].volume.levels.low=4"}).electrodes[0].volume->levels.low == 4);
  CHECK(with({"electrodes[0].labels=LICENSE"}).electrodes[0].labels->path.text == "LICENSE");
  CHECK(with({"name=b=c"}).name == "b=c");
  CHECK(with({"exclude=[1, 2]", "exclude[1]=7"}).exclude == std::vector<std::uint64_t>{1, 7});
  CHECK(with({"minimum_um3=4", "minimum_um3="}).minimum_um3 == std::nullopt);
  CHECK(with({"electrodes=[]"}).electrodes.empty());
  CHECK(with({"electrodes[0].volume.crop=[[0,1],[0,2],[0,3]]"}).electrodes[0].volume->crop->at(2)[1] == 3);

  const auto complaint = [&](const std::string& override_text) { return complaint_of(text, {override_text}); };
  CHECK(complaint("seed=x") == "--set seed:1:1: error: 'seed' must be a whole number of at least 0, not 'x'");
  CHECK(complaint("exclude=[1, x]") ==
        "--set exclude:1:5: error: 'exclude[1]' must be a whole number of at least 0, not 'x'");
  CHECK(complaint("sead=3") == "--set sead:1:1: error: unknown key 'sead'; did you mean 'seed'?");
  CHECK(complaint("electrodes[1].name=b") ==
        "--set electrodes[1].name:1:1: error: the file has 1 entries in this list: there is no [1]");
  CHECK(complaint("electrodes.first.name=b") ==
        "--set electrodes.first.name:1:1: error: a list has numbers from 0, not 'first'");
  CHECK(complaint("seed.x=b") == "--set seed.x:1:1: error: there is nothing inside a single value: 'x'");
  for (const char* broken : {"seed", "=3", ".seed=3", "electrodes[0]name=3", "seed.=3"})
    CHECK(complaint(broken).find(":1:1: error: expected key.path=value, not '") != std::string::npos);
  CHECK(complaint("exclude=[1").find("--set exclude:1:1: error: the list that starts here") == 0);
  CHECK(complaint("name=a: b").find("--set name:1:1: error: 'name' must be a text, not a map") == 0);
}

TEST_CASE("files that are not there or not files") {
  test::ScratchDir folder;
  const auto exit_of = [](const std::filesystem::path& path) {
    try {
      (void)read_config<Study>(path);
      return Exit::ok;
    } catch (const Error& error) {
      return error.exit();
    }
  };
  std::ofstream(folder / "good.yaml") << "name: a\nelectrodes: [{name: a, volume: good.yaml}]\n";
  std::ofstream(folder / "large.yaml") << "name: a\n" << std::string(1 << 20, '#');
  CHECK(exit_of(folder / "good.yaml") == Exit::ok);
  CHECK(exit_of(folder / "none.yaml") == Exit::no_input);
  CHECK(exit_of(folder.path()) == Exit::no_input);
  CHECK(exit_of("/dev/zero") == Exit::no_input);
  CHECK(exit_of(folder / "large.yaml") == Exit::config);
  std::filesystem::resize_file(folder / "large.yaml", 100'000'000);
  CHECK(exit_of(folder / "large.yaml") == Exit::config);
}
