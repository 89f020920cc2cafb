/// Text that is not YAML, YAML that means something else to every reader, and attacks on the reader.
#include <cathoscope/config/config.hpp>

#include "study_config.hpp"
#include "test_data.hpp"

#include <algorithm>

using namespace cathoscope;
using study::Study;

namespace {

std::string complaint_of(const std::string& text) {
  try {
    (void)read_config_text<Study>(text, "run.yaml", test::source_dir());
    return "accepted";
  } catch (const Error& error) {
    CHECK(error.exit() == Exit::config);
    return error.what();
  }
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("broken YAML is located") {
  struct Case {
    const char* text;
    const char* message;
  };
  const std::vector<Case> cases{
      {"", "1:1: error: the file is empty: 'cathoscope init' writes one to start from"},
      {"# nothing\n", "1:1: error: the file is empty: 'cathoscope init' writes one to start from"},
      {"just text\n", "1:1: error: expected 'key: value' lines, not 'just text'"},
      {"- a\n", "1:1: error: expected 'key: value' lines, not a list of 1"},
      {"name: a\n\tseed: 3\n", "2:1: error: a tab indents this line: YAML wants spaces"},
      {"electrodes:\n  \t- name: a\n", "2:3: error: a tab indents this line: YAML wants spaces"},
      {"name: a\n  seed: 3\n",
       "2:7: error: a ':' that is not expected here: is the indentation right, or does a text need quotes?"},
      {"name: a: b\n",
       "1:8: error: a ':' that is not expected here: is the indentation right, or does a text need quotes?"},
      {"name: a\n- b\n", "2:1: error: expected 'key: value' with the indentation of the keys above"},
      {"name: a\nexclude: [1, 2\nseed: 3\n", "2:10: error: the list that starts here is not closed with ]"},
      {"name: a\nelectrodes: [{name: x]\n", "2:22: error: a closing bracket that no opening one matches"},
      {"{name: a}}\n", "1:10: error: a closing bracket that no opening one matches"},
      {"name: \"a\nseed: 3\n", "1:7: error: the quotation that starts here is not closed on its line with \""},
      {"name: 'a\nseed: 3\n", "1:7: error: the quotation that starts here is not closed on its line with '"},
      {"name: @a\n", "1:7: error: this character cannot start a value: put the text in quotes"},
      {"name: *a\n", "1:7: error: an alias of nothing; a text that starts with * needs quotes"},
      {"name: *.tif\n", "1:7: error: an alias of nothing; a text that starts with * needs quotes"},
      {"name: \"\\q\"\n", "1:10: error: not YAML: unknown escape character: q"},
      {"name: a\n---\nname: b\n",
       "2:1: error: a second document starts here: a configuration is one document, without '---'"},
      {"name: \xFF\n", "1:7: error: not UTF-8: save the file as UTF-8"},
      {"name: \xC3\xA9 \xC3\n", "1:9: error: not UTF-8: save the file as UTF-8"},
      {"name: \xED\xA0\x80\n", "1:7: error: not UTF-8: save the file as UTF-8"},
      {"\xFF\xFEn\n", "1:1: error: not UTF-8: save the file as UTF-8"},
      {"name: a\x01\n", "1:8: error: control character 0x01 in the file"},
      {"name: |\n  a\n  b\n", "1:7: error: 'name' must be one line without control characters"},
  };
  for (const auto& [text, message] : cases) {
    INFO(text);
    CHECK(complaint_of(text) == std::string("run.yaml:") + message);
  }
}

TEST_CASE("columns count characters, lines any line ending") {
  CHECK(complaint_of("{name: \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80, seed: x}\n").find("run.yaml:1:19: error: 'seed'") ==
        0);
  CHECK(complaint_of("\xEF\xBB\xBFname: a\r\nseed: x\r\n").find("run.yaml:2:7: error: 'seed'") == 0);
  CHECK(complaint_of("name: a\rseed: x\r").find("run.yaml:2:7: error: 'seed'") == 0);
}

TEST_CASE("what YAML allows and we do, too") {
  const auto read = [](const std::string& text) {
    return read_config_text<Study>(text, "run.yaml", test::source_dir()).value;
  };
  CHECK(read("%YAML 1.2\n---\nname: a\n...\n").name == "a");
  CHECK(read("{\"name\": \"a\", \"seed\": 3}").seed == 3);
  CHECK(read("name: 2024\n").name == "2024");
  CHECK(read("name: yes\n").name == "yes");
  CHECK(read("name: 'it''s'\n").name == "it's");
  CHECK(read("name: >-\n  a\n").name == "a");
  CHECK(read("name: a # comment\n").name == "a");
  CHECK(read("name: a\nelectrodes: [{name: e, volume: {path: README.md, levels: }}]\n").electrodes.size() == 1);
}

TEST_CASE("aliases are followed, within a budget") {
  const auto study = read_config_text<Study>(
      "name: a\nelectrodes:\n  - {name: e, volume: &v {path: README.md, bin: 2}}\n  - {name: f, volume: *v}\n",
      "run.yaml", test::source_dir());
  CHECK(study.value.electrodes[1].volume->bin == 2);
  CHECK(study.locate("electrodes[1].volume").line == 4);
  CHECK(complaint_of("name: &a [*a]\n") == "run.yaml:1:11: error: this alias stands inside the value that it repeats");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format("a{}: &a{} [{}]\n", i, i, repeated(fmt::format("*a{}, ", i - 1), 9));
  }
  CHECK(complaint_of(bomb).find("more than 100000 values (aliases count as what they repeat)") != std::string::npos);
}

TEST_CASE("deep nesting ends early") {
  for (const char* open : {"[", "{a: ", "- ", "? ", "[a, "}) {
    INFO(open);
    const std::string complaint = complaint_of("name: a\nexclude: " + repeated(open, 100'000));
    CHECK(complaint != "accepted");
  }
  CHECK(complaint_of("name: a\nexclude: " + repeated("[", 100'000)) ==
        "run.yaml:2:1010: error: too many levels of lists and maps");
  CHECK(complaint_of("name: a\nexclude: " + repeated("[", 70) + repeated("]", 70)) ==
        "run.yaml:2:73: error: more than 64 levels of lists and maps");
  std::string chain = "a0: &a0 " + repeated("[", 40) + repeated("]", 40) + "\n";
  for (int i = 1; i < 100; ++i) {
    chain += fmt::format("a{}: &a{} {}*a{}{}\n", i, i, repeated("[", 40), i - 1, repeated("]", 40));
  }
  CHECK(complaint_of(chain).find("run.yaml:2:49: error: more than 64 levels") == 0);
}

TEST_CASE("a megabyte of mistakes is a hundred lines of messages") {
  std::string text = "name: a\n";
  for (int i = 0; text.size() < 500'000; ++i) text += fmt::format("key{}: 1\n", i);
  const std::string complaint = complaint_of(text);
  CHECK(std::count(complaint.begin(), complaint.end(), '\n') == 100);
  CHECK(complaint.find("more problems") != std::string::npos);
}
