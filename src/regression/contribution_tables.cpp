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

Json interval_json(const Interval& i) {
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
            {"subset_size", c.subset_size},
            {"sd_target", number_json(c.sd_target)}};
  for (std::size_t g = 0; g < contribution_groups.size(); ++g)
    json["groups"][std::string(contribution_groups[g])] = interval_json(c.groups[g]);
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
