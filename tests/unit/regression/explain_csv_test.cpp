#include "small_trees.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/regression.hpp>

#include "test_data.hpp"

#include <fstream>

using namespace cathoscope;

namespace {

/// A forest of f0 and f1 in a folder of its own.
struct Case {
  test::ScratchDir folder;
  Forest forest;
  Progress progress;

  Case() {
    Stream random(1, {"explain csv"});
    forest = small::forest_of(small::random_tree(random, 2, 9), 2);
    forest.trees.push_back(small::random_tree(random, 2, 5));
    write("forest.json", forest_json(forest));
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder / name) << text; }
  ExplainReport run(int threads = 1, bool more = false) {
    ExplainFiles files{folder / "forest.json", folder / "table.csv", folder / "shap.csv", {}, {}};
    if (more) files.interactions = folder / "pairs.csv";
    return explain_csv(files, {progress, threads});
  }
  std::string refusal() {
    try {
      run();
    } catch (const Error& e) {
      CHECK(e.exit() == Exit::data);
      CHECK_FALSE(std::filesystem::exists(folder / "shap.csv"));
      CHECK_FALSE(std::filesystem::exists(partial_name(folder / "shap.csv")));
      return e.what();
    }
    return "accepted";
  }
};

}  // namespace

TEST_CASE("explain writes the values of every row, columns matched by name") {
  Case c;
  c.write("table.csv", "text,f1,extra,f0\n\"a, b\",3,,1.5\nx,\"7\",9,2\r\n\n y , 0.5 ,1,4\n");
  const ExplainReport report = c.run(1, true);
  CHECK(report.rows == 3);
  const Table shap = read_csv(c.folder / "shap.csv"), pairs = read_csv(c.folder / "pairs.csv");
  const FeatureRows rows = small::rows_of({{1.5, 3}, {2, 7}, {4, 0.5}});
  const Explainer explainer(c.forest, {true}, 1);
  const Explanation e = explain(explainer, rows, 1);
  const auto upper = explain_interactions(explainer, rows, 1);
  CHECK(shap.columns[0].name == "row");
  CHECK(shap.numbers("row") == std::vector<double>{0, 1, 2});
  CHECK(shap.numbers("prediction") == e.prediction);
  CHECK(pairs.columns.size() == 4);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(shap.numbers("f0")[i] == e.phi[2 * i]);
    CHECK(shap.numbers("f1")[i] == e.phi[2 * i + 1]);
    CHECK(shap.numbers("expected_value")[i] == e.expected_value);
    CHECK(pairs.numbers("f0:f0")[i] == upper[3 * i]);
    CHECK(pairs.numbers("f0:f1")[i] == upper[3 * i + 1]);
    CHECK(pairs.numbers("f1:f1")[i] == upper[3 * i + 2]);
  }
}

TEST_CASE("blocks, threads and line ends do not show in the file") {
  Case c;
  Stream random(2, {"rows"});
  std::string text = "f0\tf1\n", windows = "f0\tf1\r\n";
  for (int i = 0; i < 400000; ++i) {  // more than one block of the reader
    const std::string row = fmt::format("{}\t{}", random.below(100), random.uniform() * 10);
    text.append(row).append("\n");
    windows.append(row).append("\r\n");
  }
  text.pop_back();  // no line end at the end
  c.write("table.csv", text);
  CHECK(c.run(1).rows == 400000);
  const std::string one = sha256_of_file(c.folder / "shap.csv");
  CHECK(c.run(3).rows == 400000);
  CHECK(sha256_of_file(c.folder / "shap.csv") == one);
  c.write("table.csv", windows);
  c.run(2);
  CHECK(sha256_of_file(c.folder / "shap.csv") == one);
}

TEST_CASE("a table of a header only gives a header only") {
  Case c;
  c.write("table.csv", "f1,f0\n");
  CHECK(c.run().rows == 0);
  CHECK(read_text(c.folder / "shap.csv") == "row,f0,f1,expected_value,prediction\n");
}

TEST_CASE("tables that cannot be explained are refused with line and column, and leave no file") {
  Case c;
  c.write("table.csv", "f0,g\n1,2\n");
  CHECK_THAT(c.refusal(), Catch::Contains("no column 'f1'"));
  c.write("table.csv", "f0,f1\n1,2\n1\n");
  CHECK_THAT(c.refusal(), Catch::Contains("table.csv:3: 1 fields, but the header has 2"));
  c.write("table.csv", "f0,f1\n1,2\n\n1,inf\n");
  CHECK_THAT(c.refusal(), Catch::Contains("table.csv:4: column 'f1': inf is not a finite number"));
  c.write("table.csv", "f0,f1\n1,two\n");
  CHECK_THAT(c.refusal(), Catch::Contains("'two' is not a number"));
  c.write("table.csv", "f0,f1\n1,1e39\n");
  CHECK_THAT(c.refusal(), Catch::Contains("1e39"));
  c.write("table.csv", "f0,f1,f0\n1,2,3\n");
  CHECK_THAT(c.refusal(), Catch::Contains("two columns are called 'f0'"));
  c.write("table.csv", "f0,f1\n1,\"2\n");
  CHECK_THAT(c.refusal(), Catch::Contains("never closed"));
  c.write("table.csv", "");
  CHECK_THAT(c.refusal(), Catch::Contains("header row"));
  c.write("table.csv", std::string("f0,f1\n1,2\n\0\n", 13));
  CHECK_THAT(c.refusal(), Catch::Contains("not a text file"));
  std::filesystem::remove(c.folder / "table.csv");
  CHECK_THROWS_WITH(c.run(), Catch::Contains("cannot be read"));
}

TEST_CASE("rows with gaps stay empty, keep their place, and are warned of") {
  Case c;
  c.write("table.csv", "f0,f1,extra\n1,2,\n,3,1\n4,nan,1\n5,6,1\n");
  const ExplainReport report = c.run(2, true);
  CHECK(report.rows == 4);
  CHECK(report.rows_with_gaps == 2);
  CHECK(report.first_gap_line == 3);
  REQUIRE(c.progress.warnings().size() == 1);
  CHECK_THAT(c.progress.warnings()[0], Catch::Contains("2 of 4 rows") && Catch::Contains("line 3"));
  const Table shap = read_csv(c.folder / "shap.csv"), pairs = read_csv(c.folder / "pairs.csv");
  const Explanation e = explain(Explainer(c.forest, {}, 1), small::rows_of({{1, 2}, {5, 6}}), 1);
  CHECK(shap.numbers("f1")[0] == e.phi[1]);
  CHECK(std::isnan(shap.numbers("f1")[1]));
  CHECK(std::isnan(shap.numbers("prediction")[2]));
  CHECK(std::isnan(pairs.numbers("f0:f1")[2]));
  CHECK(shap.numbers("prediction")[3] == e.prediction[1]);
}

TEST_CASE("a background with a gap is refused") {
  Case c;
  c.write("table.csv", "f0,f1\n1,2\n");
  c.write("background.csv", "f0,f1\n1,2\n1,\n");
  const ExplainFiles files{
      c.folder / "forest.json", c.folder / "table.csv", c.folder / "shap.csv", {}, c.folder / "background.csv"};
  CHECK_THROWS_WITH(explain_csv(files, {c.progress, 1}), Catch::Contains("background.csv:3"));
}
