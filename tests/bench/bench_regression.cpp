/// Times growing and explaining forests. Usage: bench_regression [FILE.csv], which gets the table, for peers.
/// One line a measurement: name, value, unit. Single-thread figures are CPU time, so that a busy machine counts less.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/regression/contributions.hpp>

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>

using namespace cathoscope;

namespace {

/// Least CPU seconds of `repeats` calls.
double seconds(int repeats, const std::function<void()>& f) {
  double best = 1e300;
  for (int i = 0; i < repeats; ++i) {
    const std::clock_t start = std::clock();
    f();
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

void print(const char* name, double value, const char* unit) {
  std::printf("%-60s %10.4g %s\n", name, value, unit);
  std::fflush(stdout);
}

/// A table of the size and kind of an electrode's: correlated columns, a target of some of them.
Table electrode_like(std::size_t rows, std::size_t features) {
  Table table;
  Stream random(1, {"bench"});
  std::vector<double> size(rows), y(rows);
  for (double& s : size) s = random.normal();
  for (std::size_t f = 0; f < features; ++f) {
    Column c;
    c.name = fmt::format("f{}", f);
    for (std::size_t i = 0; i < rows; ++i) c.numbers.push_back((f % 3 == 0 ? size[i] : 0) + random.normal());
    for (std::size_t i = 0; i < rows; ++i) y[i] += 0.02 * c.numbers[i] / static_cast<double>(1 + f);
    table.columns.push_back(std::move(c));
  }
  Column target;
  target.name = "target";
  for (const double v : y) target.numbers.push_back(std::max(0.0, 0.08 + v + 0.01 * random.normal()));
  table.columns.push_back(std::move(target));
  return table;
}

void bench_explain(const char* name, const Forest& forest, const FeatureRows& rows, std::size_t bytes, bool pairs) {
  ShapOptions options;
  options.table_bytes = bytes;
  options.interactions = pairs;
  const Explainer explainer(forest, options, 1);
  const double scale = 1e6 / static_cast<double>(rows.rows * forest.trees.size());
  const double s =
      seconds(3, [&] { pairs ? (void)explain_interactions(explainer, rows, 1) : (void)explain(explainer, rows, 1); });
  print(name, s * scale, "us a row and tree");
}

void bench_million(const Forest& forest, const Table& table, int threads) {
  const auto folder = std::filesystem::temp_directory_path() / "cathoscope_bench_regression";
  std::filesystem::create_directories(folder);
  {
    const std::string csv = csv_text(table);
    const std::size_t body = csv.find('\n') + 1;
    std::ofstream out(folder / "table.csv", std::ios::binary);
    out << csv.substr(0, body);
    for (std::size_t rows = 0; rows < 1000000; rows += table.rows()) out << csv.substr(body);
  }
  write_atomically(folder / "forest.json", forest_json(forest));
  Progress progress;
  const auto start = std::chrono::steady_clock::now();
  const double cpu = seconds(1, [&] {
    explain_csv({folder / "forest.json", folder / "table.csv", folder / "shap.csv", {}, {}}, {progress, threads});
  });
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  print("explain a CSV of a million rows, 2 threads, elapsed", wall, "s");
  print("the same, CPU time", cpu, "s");
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  print("peak memory of this process", static_cast<double>(usage.ru_maxrss) / 1024, "MiB");
  std::filesystem::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  const Table table = electrode_like(2000, 21);
  RegressionConfig config;
  config.target = "target";
  config.rng = "sklearn";
  if (argc > 1) write_atomically(argv[1], csv_text(table));
  FitResult fit;
  print("fit 40 trees, 30 leaves, absolute_error, 1900 x 21",
        seconds(5, [&] { fit = fit_forest(table, config, 0, 1); }), "s");
  config.criterion = "squared_error";
  print("the same, squared_error", seconds(5, [&] { (void)fit_forest(table, config, 0, 1); }), "s");

  const FeatureRows rows = fit.model.x;
  bench_explain("values, 30 leaves, pattern tables", fit.forest, rows, std::size_t{64} << 20, false);
  bench_explain("values, 30 leaves, traversal", fit.forest, rows, 0, false);
  bench_explain("interactions, 30 leaves, pattern tables", fit.forest, rows, std::size_t{256} << 20, true);
  bench_explain("interactions, 30 leaves, traversal", fit.forest, rows_at(rows, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), 0,
                true);

  RegressionConfig protocol;
  protocol.target = "target";
  protocol.seeds = 10;
  protocol.subsets = 0;
  const ModelTable model = model_table(table, "target");
  Progress progress;
  print("one run of the protocol: fit, prepare, explain 1900 rows",
        seconds(2,
                [&] {
                  (void)contribution_runs(protocol, {model, "e", "free", 0, {}}, {progress, 1});
                }) /
            10,
        "s");
  print("preparing the explanation of 40 trees", seconds(3, [&] { const Explainer e(fit.forest, {}, 1); }), "s");

  RegressionConfig deep = config;
  deep.max_leaves = 1000;
  deep.trees = 8;
  deep.min_impurity_decrease = 0;
  const Forest big = fit_forest(table, deep, 0, 1).forest;
  std::size_t depth = 0;
  for (const Tree& tree : big.trees) depth = std::max(depth, depth_of(tree));
  print("depth of the trees of 1000 leaves", static_cast<double>(depth), "");
  bench_explain("values, 1000 leaves, traversal", big, rows, 0, false);
  bench_explain("values, 1000 leaves, pattern tables if they fit", big, rows, std::size_t{64} << 20, false);
  bench_explain("interactions, 1000 leaves", big, rows_at(rows, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), 0, true);

  bench_million(fit.forest, table, 2);
  return 0;
}
