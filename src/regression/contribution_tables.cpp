#include <cathoscope/core/table_rows.hpp>

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/regression/contributions.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <functional>

namespace cathoscope {

namespace {

template <class Item, class Get>
void add_numbers(Table& table, const char* name, const std::vector<Item>& items, Get get) {
  Column column;
  column.name = name;
  for (const Item& item : items) column.numbers.push_back(get(item));
  table.columns.push_back(std::move(column));
}

template <class Item, class Get>
void add_texts(Table& table, const char* name, const std::vector<Item>& items, Get get) {
  Column column;
  column.name = name;
  for (const Item& item : items) column.texts.push_back(get(item));
  table.columns.push_back(std::move(column));
}

using Json = nlohmann::ordered_json;

/// JSON has no NaN: what was not computed is null.
Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json interval_json(const ScoreInterval& i) {
  return {{"value", number_json(i.value)}, {"ci_low", number_json(i.low)}, {"ci_high", number_json(i.high)}};
}

}  // namespace

Table contributions_table(const Contributions& result) {
  Table t;
  const auto& rows = result.attributes;
  using Row = AttributeContribution;
  add_texts(t, "attribute", rows, [](const Row& a) { return a.attribute; });
  add_texts(t, "group", rows, [](const Row& a) { return a.group; });
  add_numbers(t, "mean_abs_shap", rows, [](const Row& a) { return a.mean_abs_shap.value; });
  add_numbers(t, "sd_seeds", rows, [](const Row& a) { return a.sd_seeds; });
  add_numbers(t, "sd_subsets", rows, [](const Row& a) { return a.sd_subsets; });
  add_numbers(t, "ci_low", rows, [](const Row& a) { return a.mean_abs_shap.low; });
  add_numbers(t, "ci_high", rows, [](const Row& a) { return a.mean_abs_shap.high; });
  add_numbers(t, "null_floor", rows, [](const Row& a) { return a.null_floor; });
  add_numbers(t, "q", rows, [](const Row& a) { return a.q; });
  add_numbers(t, "oob_mean_abs_shap", rows, [](const Row& a) { return a.oob_mean_abs_shap; });
  add_numbers(t, "direction", rows, [](const Row& a) { return a.direction; });
  add_numbers(t, "per_sd_damage", rows, [](const Row& a) { return a.per_sd_damage; });
  add_numbers(t, "reliability", rows, [](const Row& a) { return a.reliability; });
  return t;
}

Table predictions_table(const Contributions& result) {
  const auto column = [](const char* name, std::vector<double> numbers) {
    Column c;
    c.name = name;
    c.numbers = std::move(numbers);
    return c;
  };
  Table t;
  if (!result.training_label.empty()) {
    Column labels;
    labels.name = "label";
    labels.ids = result.training_label;
    t.columns.push_back(std::move(labels));
  }
  t.columns.push_back(column("measured", result.training_target));
  t.columns.push_back(column("predicted", result.explanation.prediction));
  t.columns.push_back(column("out_of_bag", result.out_of_bag));
  return t;
}

Table contribution_runs_table(const std::vector<const Contributions*>& results) {
  struct Row {
    const Contributions* c;
    const ContributionRun* run;
    std::size_t attribute;
  };
  std::vector<Row> rows;
  for (const Contributions* c : results)
    for (const ContributionRun& run : c->runs)
      for (std::size_t f = 0; f < c->attributes.size(); ++f) rows.push_back({c, &run, f});
  Table t;
  add_texts(t, "electrode", rows, [](const Row& r) { return r.c->electrode; });
  add_texts(t, "profile", rows, [](const Row& r) { return r.c->profile; });
  add_texts(t, "kind", rows, [](const Row& r) { return r.run->kind; });
  add_numbers(t, "run", rows, [](const Row& r) { return static_cast<double>(r.run->run); });
  add_texts(t, "attribute", rows, [](const Row& r) { return r.c->attributes[r.attribute].attribute; });
  add_numbers(t, "mean_abs_shap", rows, [](const Row& r) { return r.run->scores.attribute[r.attribute]; });
  return t;
}

Table contribution_samples_table(const std::vector<const Contributions*>& results) {
  TableRows rows({"profile", "kind"}, {"run", "mean_abs_shap"});
  std::vector<std::string> attributes;
  const auto add = [&](const Contributions& c, const std::string& kind, double run, const ContributionScores& scores) {
    for (std::size_t f = 0; f < c.attributes.size(); ++f) {
      rows.add({c.profile, kind}, {run, scores.attribute[f]});
      attributes.push_back(c.attributes[f].attribute);
    }
  };
  for (const Contributions* c : results) {
    for (const ContributionRun& run : c->runs) add(*c, run.kind, static_cast<double>(run.run), run.scores);
    for (std::size_t h = 0; h < c->halves.size(); ++h) add(*c, "half", static_cast<double>(h), c->halves[h]);
  }
  Table table = std::move(rows).table();
  Column names;
  names.name = "attribute";
  names.texts = std::move(attributes);
  table.columns.insert(table.columns.begin() + 3, std::move(names));
  return table;
}

Contributions contributions_from_samples(const Table& samples, const std::string& electrode,
                                         const std::string& profile) {
  Contributions c;
  c.electrode = electrode;
  c.profile = profile;
  const Column *profiles = samples.find("profile"), *kinds = samples.find("kind"), *names = samples.find("attribute");
  if (profiles == nullptr || kinds == nullptr || names == nullptr)
    fail(Exit::data, "{}: the samples of the contributions lack a column; run the stage again", electrode);
  const std::vector<double>&run = samples.numbers("run"), &score = samples.numbers("mean_abs_shap");
  std::string kind;
  double number = -1;
  for (std::size_t i = 0; i < samples.rows(); ++i) {
    if (profiles->texts[i] != profile) continue;
    if (kinds->texts[i] != kind || run[i] != number) {
      kind = kinds->texts[i];
      number = run[i];
      if (kind == "half")
        c.halves.emplace_back();
      else
        c.runs.push_back({kind, static_cast<std::int64_t>(number), {}});
    }
    (kind == "half" ? c.halves.back() : c.runs.back().scores).attribute.push_back(score[i]);
    if (c.runs.size() + c.halves.size() == 1) c.attributes.emplace_back().attribute = names->texts[i];
  }
  return c;
}

Table contribution_differences_table(const std::vector<NamedDifferences>& comparisons) {
  struct Row {
    const NamedDifferences* of;
    const ContributionDifference* d;
  };
  std::vector<Row> rows;
  for (const NamedDifferences& comparison : comparisons)
    for (const ContributionDifference& d : comparison.differences) rows.push_back({&comparison, &d});
  Table t;
  add_texts(t, "first", rows, [](const Row& r) { return r.of->first; });
  add_texts(t, "second", rows, [](const Row& r) { return r.of->second; });
  add_texts(t, "profile", rows, [](const Row& r) { return r.of->profile; });
  add_texts(t, "attribute", rows, [](const Row& r) { return r.d->attribute; });
  add_numbers(t, "mean", rows, [](const Row& r) { return r.d->mean; });
  add_numbers(t, "sd", rows, [](const Row& r) { return r.d->sd; });
  add_numbers(t, "ci_low", rows, [](const Row& r) { return r.d->interval.low; });
  add_numbers(t, "ci_high", rows, [](const Row& r) { return r.d->interval.high; });
  add_numbers(t, "q", rows, [](const Row& r) { return r.d->q; });
  return t;
}

std::string regression_json(const Contributions& c, const std::vector<ContributionDifference>& sham) {
  Json json{{"profile", c.profile},
            {"oob_r2", number_json(c.oob_r2)},
            {"spatial_cv_r2", number_json(c.spatial_cv_r2)},
            {"spatial_cv_mae", number_json(c.spatial_cv_mae)},
            {"rows_used", c.rows_used},
            {"rows_flagged", c.rows_flagged},
            {"rows_without_target", c.rows_without_target},
            {"subset_size", c.subset_size},
            {"sd_target", number_json(c.sd_target)}};
  json["gaps_filled"] = Json::object();
  for (const auto& [name, gaps] : c.filled) json["gaps_filled"][name] = gaps;
  json["columns_left_out"] = Json::object();
  for (const auto& [name, gaps] : c.left_out) json["columns_left_out"][name] = gaps;
  for (std::size_t g = 0; g < attribute_groups.size(); ++g)
    json["groups"][std::string(attribute_groups[g])] = interval_json(c.groups[g]);
  json["self"] = interval_json(c.self);
  json["neighbour"] = interval_json(c.neighbour);
  json["share_neighbour"] = interval_json(c.share_neighbour);
  for (const ContributionDifference& d : sham)
    json["sham"][d.attribute] = {{"mean", number_json(d.mean)},
                                 {"ci_low", number_json(d.interval.low)},
                                 {"ci_high", number_json(d.interval.high)},
                                 {"q", number_json(d.q)}};
  return json.dump(2) + "\n";
}

}  // namespace cathoscope
