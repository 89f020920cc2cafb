#include "findings.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/io/files.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cathoscope::report {

namespace {

namespace fs = std::filesystem;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

double number_of(const Json& j, const char* key) {
  return j.is_object() && j.contains(key) && j.at(key).is_number() ? j.at(key).get<double>() : unknown;
}

std::size_t count_of(const Json& j, const char* key) {
  const double n = number_of(j, key);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

std::string text_of_key(const Json& j, const char* key) {
  return j.is_object() && j.contains(key) && j.at(key).is_string() ? j.at(key).get<std::string>() : "";
}

struct Moments {
  double mean = unknown;
  double variation = unknown;
};

/// Of n values, the i-th of which is value(i).
template <class F>
Moments moments_of(std::size_t n, const F& value) {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double v = value(i);
    sum += v;
    squares += v * v;
  }
  const double count = static_cast<double>(n);
  Moments m;
  if (n > 0) m.mean = sum / count;
  if (n > 1 && m.mean > 0) m.variation = std::sqrt(std::max(0.0, (squares - sum * m.mean) / (count - 1))) / m.mean;
  return m;
}

/// Linear between order statistics; sorts. NaN where nothing finite is there.
double quantile(std::vector<double> values, double share) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return unknown;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]);
}

Interval interval_of(double value, const std::vector<double>& draws) {
  return {value, quantile(draws, 0.025), quantile(draws, 0.975)};
}

double share_of_worst_tenth(std::vector<double> damage) {
  std::sort(damage.begin(), damage.end(), std::greater<>());
  const std::size_t tenth = (damage.size() + 9) / 10;
  const double all = std::accumulate(damage.begin(), damage.end(), 0.0);
  const double worst = std::accumulate(damage.begin(), damage.begin() + static_cast<std::ptrdiff_t>(tenth), 0.0);
  return all > 0 ? worst / all : unknown;
}

bool flagged(const Table& table, const std::vector<std::string>& exclude, std::size_t row) {
  return std::any_of(exclude.begin(), exclude.end(), [&](const auto& c) { return number_at(table, c, row) > 0; });
}

void count_rows(ElectrodeFindings& e, const Table& table, const std::vector<std::string>& exclude) {
  e.particles = table.rows();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const double damage = number_at(table, e.target, row);
    if (flagged(table, exclude, row))
      ++e.flagged;
    else if (!std::isfinite(damage))
      ++e.without_target;
    else
      e.damage.push_back(damage);
  }
}

std::vector<Contribution> contributions_of(const Table& table) {
  std::vector<Contribution> all;
  for (std::size_t row = 0; row < table.rows(); ++row)
    all.push_back({text_at(table, "attribute", row), text_at(table, "group", row),
                   Interval{number_at(table, "mean_abs_shap", row), number_at(table, "ci_low", row),
                            number_at(table, "ci_high", row)},
                   number_at(table, "null_floor", row), number_at(table, "q", row),
                   number_at(table, "direction", row)});
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score.value > b.score.value; });
  return all;
}

std::optional<ForestFindings> forest_of(const fs::path& folder) {
  const Json j = json_if_there(folder / "regression.json");
  const auto table = table_if_there(folder / "contributions.csv");
  if (j.is_null() || !table) return std::nullopt;
  ForestFindings f;
  f.profile = text_of_key(j, "profile");
  f.rows = count_of(j, "rows_used");
  f.oob_r2 = number_of(j, "oob_r2");
  f.spatial_r2 = number_of(j, "spatial_cv_r2");
  const Json share = j.value("share_neighbour", Json());
  f.share_neighbour = {number_of(share, "value"), number_of(share, "ci_low"), number_of(share, "ci_high")};
  f.contributions = contributions_of(*table);
  return f;
}

/// The row of the severity that the figures use, where there are enough severe particles for a distance.
std::optional<Clustering> clustering_of(const Table& summary, const std::string& electrode) {
  for (std::size_t row = 0; row < summary.rows(); ++row)
    if (text_at(summary, "electrode", row) == electrode && number_at(summary, "chosen", row) == 1 &&
        std::isfinite(number_at(summary, "p_stratified", row)))
      return Clustering{static_cast<std::size_t>(number_at(summary, "severe", row)),
                        number_at(summary, "mean_distance", row), number_at(summary, "expected_stratified", row),
                        number_at(summary, "p_stratified", row)};
  return std::nullopt;
}

Comparison compared(const ReportInputs& inputs, const ElectrodeFindings& a, const ElectrodeFindings& b) {
  Comparison c{a.name, b.name, {}, {}, {}, 0, 0};
  const auto differences = [](std::vector<double> x, const std::vector<double>& y) {
    for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) x[i] -= y[i];
    x.resize(std::min(x.size(), y.size()));
    return x;
  };
  c.mean_difference = interval_of(b.mean.value - a.mean.value, differences(b.mean_draws, a.mean_draws));
  c.variation_difference =
      interval_of(b.variation.value - a.variation.value, differences(b.variation_draws, a.variation_draws));
  const auto ours = [&](const Table& t, std::size_t row) {
    return text_at(t, "first", row) == a.name && text_at(t, "second", row) == b.name;
  };
  const bool contributions = finished(inputs, "", "regression"), links = finished(inputs, "", "latent");
  if (const auto t = table_if_there(contributions ? inputs.folder / "contribution_differences.csv" : fs::path()))
    for (std::size_t row = 0; row < t->rows(); ++row)
      if (ours(*t, row) && text_at(*t, "profile", row) == (a.forest ? a.forest->profile : "") &&
          number_at(*t, "q", row) <= 0.05)
        c.attributes.push_back(text_at(*t, "attribute", row));
  if (const auto t = table_if_there(links ? inputs.folder / "latent_differences.csv" : fs::path()))
    for (std::size_t row = 0; row < t->rows(); ++row)
      if (ours(*t, row)) {
        ++c.latent_pairs;
        c.latent_different += number_at(*t, "different", row) > 0 ? 1 : 0;
      }
  return c;
}

std::optional<ElectrodeFindings> electrode_findings(const ReportInputs& inputs, const ReportElectrode& electrode) {
  const auto table = table_if_there(electrode.compared.empty() ? electrode.particles : electrode.compared);
  if (!table) return std::nullopt;
  ElectrodeFindings e;
  e.name = electrode.name;
  e.target = electrode.target;
  const fs::path folder = inputs.folder / electrode.name;
  e.synthetic = electrode.synthetic;
  if (e.synthetic.empty()) e.synthetic = text_of_key(json_if_there(folder / "summary.json"), "synthetic");
  count_rows(e, *table, inputs.exclude);
  resample(e, inputs.seed);
  e.median = quantile(e.damage, 0.5);
  e.worst_tenth = share_of_worst_tenth(e.damage);
  if (finished(inputs, e.name, "regression", "contributions")) e.forest = forest_of(folder);
  const auto summary = table_if_there(inputs.folder / "statistics" / "fig2c_summary.csv");
  if (summary && finished(inputs, "", "regression", "statistics")) e.clustering = clustering_of(*summary, e.name);
  return e;
}

}  // namespace

bool Findings::synthetic() const {
  return std::any_of(electrodes.begin(), electrodes.end(), [](const auto& e) { return !e.synthetic.empty(); });
}

double number_at(const Table& table, std::string_view column, std::size_t row) {
  const Column* c = table.find(column);
  return c != nullptr && row < c->numbers.size() ? c->numbers[row] : unknown;
}

std::string text_at(const Table& table, std::string_view column, std::size_t row) {
  const Column* c = table.find(column);
  if (c == nullptr) return "";
  if (row < c->texts.size()) return c->texts[row];
  if (row < c->ids.size()) return std::to_string(c->ids[row]);
  return row < c->numbers.size() ? number_text(c->numbers[row], 15) : "";  // a name that looks like a number
}

std::optional<Table> table_if_there(const fs::path& csv) {
  if (csv.empty() || !fs::exists(csv)) return std::nullopt;
  return read_csv(csv);
}

Json json_if_there(const fs::path& file) {
  if (!fs::exists(file)) return {};
  try {
    return Json::parse(read_text(file));
  } catch (const Json::exception& error) {
    fail(Exit::data, "{}: damaged: {}", file.string(), error.what());
  }
}

bool finished(const ReportInputs& inputs, const std::string& electrode, const std::string& stage,
              const std::string& part) {
  return std::any_of(inputs.stages.begin(), inputs.stages.end(), [&](const ReportStage& s) {
    return s.electrode == electrode && s.name == stage && s.part == part && !s.record.empty();
  });
}

void resample(ElectrodeFindings& e, std::uint64_t seed) {
  const std::size_t n = e.damage.size();
  const Moments all = moments_of(n, [&](std::size_t i) { return e.damage[i]; });
  const std::size_t draws = n < 2 ? 0 : std::clamp<std::size_t>(20'000'000 / n, 200, 2000);
  for (std::size_t draw = 0; draw < draws; ++draw) {
    Stream stream(seed, {"report", e.name}, draw);
    const Moments m = moments_of(n, [&](std::size_t) { return e.damage[stream.below(n)]; });
    e.mean_draws.push_back(m.mean);
    e.variation_draws.push_back(m.variation);
  }
  e.mean = interval_of(all.mean, e.mean_draws);
  e.variation = interval_of(all.variation, e.variation_draws);
}

Findings findings_of(const ReportInputs& inputs) {
  Findings f;
  for (const auto& electrode : inputs.electrodes)
    if (auto e = electrode_findings(inputs, electrode)) f.electrodes.push_back(std::move(*e));
  for (std::size_t i = 1; i < f.electrodes.size(); ++i)
    f.comparisons.push_back(compared(inputs, f.electrodes.front(), f.electrodes[i]));
  return f;
}

}  // namespace cathoscope::report
