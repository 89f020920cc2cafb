#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/regression/contributions.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <mutex>

using namespace cathoscope;

namespace {

/// 120 particles; Damage follows Sphericity, so that its permutations are all needed and those of others stop early.
ModelTable particles() {
  Stream random(1, {"shards test"});
  Table table;
  for (const AttributeInfo& info : attribute_list) {
    table.columns.emplace_back();
    table.columns.back().name = info.name;
  }
  for (std::size_t i = 0; i < 120; ++i) {
    for (std::size_t a = 0; a < attribute_list.size(); ++a) table.columns[a].numbers.push_back(random.normal());
    table.columns[attribute_index("Damage")].numbers.back() =
        2 * table.columns[attribute_index("Sphericity")].numbers.back() + 0.3 * random.normal();
  }
  return model_table(table, "Damage");
}

RegressionConfig quick() {
  RegressionConfig config;
  config.trees = 3;
  config.max_leaves = 4;
  config.min_impurity_decrease = 0;
  config.seeds = 3;
  config.subsets = 2;
  config.subset_size = 60;
  config.half_samples = 9;
  config.permutations = 130;
  return config;
}

/// Finished pieces in memory.
class Pieces {
 public:
  explicit Pieces(const Shard& shard = {}) {
    pieces_.shard = shard;
    pieces_.find = [this](const std::string& name) -> std::optional<std::vector<double>> {
      const auto at = found_.find(name);
      if (at == found_.end()) return std::nullopt;
      return at->second;
    };
    pieces_.keep = [this](const std::string& name, const std::vector<double>& values) {
      const std::scoped_lock lock(mutex_);
      kept_.emplace(name, values);
    };
  }
  void find_those_of(const Pieces& other) { found_.insert(other.kept_.begin(), other.kept_.end()); }
  [[nodiscard]] const FinishedPieces* get() const { return &pieces_; }
  [[nodiscard]] const std::map<std::string, std::vector<double>>& kept() const { return kept_; }

 private:
  FinishedPieces pieces_;
  std::map<std::string, std::vector<double>> found_, kept_;
  std::mutex mutex_;
};

ContributionInputs inputs_of(const ModelTable& table, const Pieces& pieces) {
  return {table, "e", "leak_free", 1, {}, pieces.get()};
}

struct Result {
  std::string json;
  std::vector<double> numbers;
};

Result result_of(const ModelTable& table, const Pieces& pieces, const Context& context) {
  const ContributionInputs inputs = inputs_of(table, pieces);
  const Contributions c = contributions(quick(), inputs, context);
  Result result{regression_json(c, sham_differences(quick(), inputs, context)), {}};
  for (const auto& a : c.attributes)
    result.numbers.insert(result.numbers.end(),
                          {a.mean_abs_shap.value, a.mean_abs_shap.low, a.mean_abs_shap.high, a.null_floor, a.p, a.q});
  return result;
}

}  // namespace

TEST_CASE("shards have every forest once, and what is made of them is what one run makes", "[shards]") {
  const ModelTable table = particles();
  Progress progress;
  const Context context{progress, 2};
  const Pieces alone;
  const Result whole = result_of(table, alone, context);
  for (const int n : {1, 2, 5}) {
    Pieces after;
    std::map<std::string, std::vector<double>> all;
    for (int i = 1; i <= n; ++i) {
      const Pieces shard({i, n});
      contribution_pieces(quick(), inputs_of(table, shard), context);
      sham_pieces(quick(), inputs_of(table, shard), context);
      for (const auto& [name, values] : shard.kept()) CHECK(all.emplace(name, values).second);
      after.find_those_of(shard);
    }
    for (const auto& [name, values] : alone.kept())
      if (const auto piece = all.find(name); piece != all.end())
        CHECK(piece->second == values);
      else
        CHECK(name.find("permuted") != std::string::npos);  // the others know beforehand which are needed
    const Result merged = result_of(table, after, context);
    CHECK(merged.json == whole.json);
    CHECK(merged.numbers == whole.numbers);
    if (n == 1) CHECK(after.kept().empty());
    // Where a shard stops drawing is a guess from its own draws; a tenth of the forests bounds what that leaves out here.
    CHECK(after.kept().size() <= alone.kept().size() / 10);
    CHECK(all.size() <= alone.kept().size() * 11 / 10);
  }
}

TEST_CASE("a missing shard's forests are computed by the run", "[shards]") {
  const ModelTable table = particles();
  Progress progress;
  const Context context{progress, 2};
  const Result whole = result_of(table, Pieces(), context);
  const Pieces second({2, 3});
  contribution_pieces(quick(), inputs_of(table, second), context);
  Pieces after;
  after.find_those_of(second);
  CHECK(result_of(table, after, context).numbers == whole.numbers);
  for (const auto& [name, values] : second.kept()) CHECK(after.kept().count(name) == 0);
}

TEST_CASE("a shard refuses what the whole would refuse", "[shards]") {
  const ModelTable table = particles();
  RegressionConfig config = quick();
  config.seeds = config.subsets = 0;
  Progress progress;
  const Pieces shard({1, 2});
  CHECK_THROWS_AS(contribution_pieces(config, inputs_of(table, shard), {progress, 1}), Error);
}
