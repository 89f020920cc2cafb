#pragma once
/// The reference forests of shared/data/forest_reference: scikit-learn 1.2.1, shap 0.44.1.

#include <cathoscope/core/text.hpp>
#include <cathoscope/regression/forest.hpp>

#include "test_data.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace reference {

using namespace cathoscope;

struct Numbers {
  std::vector<std::string> header;
  std::vector<std::vector<double>> rows;
};

inline std::string text_of_file(const std::string& name) {
  std::ifstream in(test::data_file("forest_reference/" + name));
  std::stringstream buffer;
  buffer << in.rdbuf();
  return buffer.str();
}

inline Numbers numbers(const std::string& name) {
  std::istringstream in(text_of_file(name));
  Numbers result;
  std::string line, field;
  for (bool first = true; std::getline(in, line); first = false) {
    std::istringstream fields(line);
    if (first) {
      while (std::getline(fields, field, ',')) result.header.push_back(field);
      continue;
    }
    result.rows.emplace_back();
    while (std::getline(fields, field, ',')) result.rows.back().push_back(number_from(field).value());
  }
  return result;
}

inline Forest forest(const std::string& name) { return forest_from_json(text_of_file(name + "_forest.json")); }

/// Rows `index` of a table (all where it is empty): features, and the target, which is its last column.
struct Data {
  FeatureRows x;
  std::vector<double> y;
  std::vector<std::string> names;
};

inline Data data(const std::string& table, const std::vector<std::int64_t>& index = {}) {
  const Numbers all = numbers(table + "_Xy.csv");
  Data d;
  d.names.assign(all.header.begin(), all.header.end() - 1);
  d.x.features = d.names.size();
  const auto add = [&](const std::vector<double>& row) {
    for (std::size_t f = 0; f < d.x.features; ++f) d.x.values.push_back(static_cast<float>(row[f]));
    d.y.push_back(row.back());
    ++d.x.rows;
  };
  if (index.empty())
    for (const auto& row : all.rows) add(row);
  for (const std::int64_t i : index) add(all.rows.at(static_cast<std::size_t>(i)));
  return d;
}

inline nlohmann::json meta() { return nlohmann::json::parse(text_of_file("golden_meta.json")); }

}  // namespace reference
