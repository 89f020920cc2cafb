#include "study_facts.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/figures/script.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cathoscope {

using Json = nlohmann::json;

namespace {

/// The file as JSON; `read` may throw Json::exception, which says that the file is damaged.
template <class Read>
auto from_json(const StudyResults& results, const std::string& stage, const std::string& file, const Read& read) {
  try {
    return read(Json::parse(run_text(results, stage, file)));
  } catch (const Json::exception& e) {
    fail(Exit::data, "{}: {}", file, e.what());
  }
}

double number_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

FactInterval interval_in(const Json& object, const char* value) {
  return {number_in(object, value), number_in(object, "ci_low"), number_in(object, "ci_high")};
}

}  // namespace

RegressionFacts regression_facts(const StudyResults& results, const std::string& electrode) {
  return from_json(results, "regression", electrode + "/regression.json", [](const Json& j) {
    RegressionFacts facts{j.at("profile").get<std::string>(),
                          number_in(j, "oob_r2"),
                          number_in(j, "spatial_cv_r2"),
                          number_in(j, "spatial_cv_mae"),
                          number_in(j, "rows_used"),
                          {},
                          {},
                          {},
                          {},
                          {}};
    for (const auto& [name, group] : j.at("groups").items()) facts.groups[name] = interval_in(group, "value");
    facts.self = interval_in(j.at("self"), "value");
    facts.neighbour = interval_in(j.at("neighbour"), "value");
    facts.share_neighbour = interval_in(j.at("share_neighbour"), "value");
    const Json shams = j.value("sham", Json::object());
    for (const auto& [name, sham] : shams.items()) facts.sham[name] = interval_in(sham, "mean");
    return facts;
  });
}

LatentFacts latent_facts(const StudyResults& results) {
  return from_json(results, "latent", "latent_summary.json", [](const Json& j) {
    LatentFacts facts;
    facts.mode = j.at("mode").get<std::string>();
    for (const auto& l : j.at("latents")) {
      const auto& leading = l.at("leading");
      facts.latents.push_back({l.at("latent").get<std::string>(), number_in(l, "stability"),
                               leading.empty() ? "" : leading[0].at("attribute").get<std::string>()});
    }
    for (const auto& e : j.at("electrodes")) {
      facts.rows[e.at("electrode").get<std::string>()] = number_in(e, "rows");
      facts.total_correlation[e.at("electrode").get<std::string>()] = number_in(e, "total_correlation_nats");
    }
    for (const auto& c : j.value("comparisons", Json::array())) {
      const auto& total = c.at("total_correlation");
      facts.comparisons.push_back({c.at("first").get<std::string>(), c.at("second").get<std::string>(),
                                   number_in(c, "different_pairs"), number_in(c, "largest_abs_delta_z"),
                                   number_in(total, "difference"), number_in(total, "p")});
    }
    facts.largest_sham_delta_z = std::numeric_limits<double>::quiet_NaN();
    for (const auto& s : j.value("shams", Json::array()))
      facts.largest_sham_delta_z = std::fmax(facts.largest_sham_delta_z, number_in(s, "largest_abs_delta_z"));
    return facts;
  });
}

std::vector<std::size_t> training_rows(const StudyResults& results, const std::string& electrode) {
  return from_json(results, "regression", electrode + "/forest.json",
                   [](const Json& j) { return j.at("train_index").get<std::vector<std::size_t>>(); });
}

}  // namespace cathoscope
