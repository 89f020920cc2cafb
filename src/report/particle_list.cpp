#include "encode.hpp"
#include "view_data.hpp"

#include <cathoscope/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope::report {

namespace {

/// Places in the page's list have 16 bits in its volume of labels.
constexpr std::size_t most_particles = 60'000;
constexpr std::size_t most_columns = 40;

/// Five significant digits: what anybody reads, in half the bytes.
Json short_number(double v) {
  if (!std::isfinite(v)) return nullptr;
  return *number_from(fmt::format("{:.5g}", v));
}

std::vector<const Column*> columns_of(const Table& table, const std::string& target) {
  std::vector<const Column*> columns;
  const auto add = [&](const Column* c) {
    if (c != nullptr && !c->numbers.empty() && std::find(columns.begin(), columns.end(), c) == columns.end())
      columns.push_back(c);
  };
  for (const auto& a : attribute_list) add(table.find(a.name));
  if (columns.size() < 3)
    for (const auto& c : table.columns)
      if (columns.size() < most_columns) add(&c);
  add(table.find(target));
  return columns;
}

std::uint64_t label_of(const Table& table, std::size_t row) {
  const Column* c = table.find("label");
  return c != nullptr && row < c->ids.size() ? c->ids[row] : row + 1;
}

/// Rows by size, largest first, ties in the order of the table.
std::vector<std::size_t> rows_by_size(const Table& table) {
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const auto size = [&](std::size_t row) {
    const double v = number_at(table, "Volume", row);
    return std::isfinite(v) ? v : -1;
  };
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
  return rows;
}

bool used(const Table& table, const std::vector<std::string>& exclude, const std::string& target, std::size_t row) {
  return std::isfinite(number_at(table, target, row)) &&
         std::none_of(exclude.begin(), exclude.end(), [&](const auto& c) { return number_at(table, c, row) > 0; });
}

/// SHAP values by row of the list; null for particles that the forest was not trained on.
Json shap_json(const Table& particles, const Table& shap, const std::vector<std::size_t>& rows) {
  std::unordered_map<std::uint64_t, std::size_t> found;
  for (std::size_t row = 0; row < shap.rows(); ++row) found.emplace(label_of(shap, row), row);
  Json j{{"names", Json::array()}, {"columns", Json::array()}};
  for (const auto& c : shap.columns) {
    if (c.numbers.empty() || c.name == "label") continue;
    Json values = Json::array();
    for (const std::size_t row : rows) {
      const auto at = found.find(label_of(particles, row));
      values.push_back(at == found.end() ? Json() : short_number(c.numbers[at->second]));
    }
    j["names"].push_back(c.name);
    j["columns"].push_back(std::move(values));
  }
  return j;
}

Json list_json(const Table& table, const Table* shap, const std::string& target,
               const std::vector<std::string>& exclude, const std::vector<std::size_t>& rows) {
  Json j{{"names", Json::array()}, {"units", Json::array()}, {"about", Json::array()}, {"columns", Json::array()}};
  for (const Column* c : columns_of(table, target)) {
    const std::size_t a = attribute_index(c->name);
    j["names"].push_back(c->name);
    j["units"].push_back(a < attribute_list.size() ? std::string(attribute_list[a].unit) : c->unit);
    j["about"].push_back(a < attribute_list.size() ? std::string(attribute_list[a].description) : c->description);
    Json values = Json::array();
    for (const std::size_t row : rows) values.push_back(short_number(c->numbers[row]));
    j["columns"].push_back(std::move(values));
  }
  j["labels"] = Json::array();
  j["used"] = Json::array();
  for (const std::size_t row : rows) {
    j["labels"].push_back(label_of(table, row));
    j["used"].push_back(used(table, exclude, target, row) ? 1 : 0);
  }
  if (shap != nullptr) j["shap"] = shap_json(table, *shap, rows);
  return j;
}

}  // namespace

ParticleList particle_list(const Table& particles, const Table* shap, const std::string& target,
                           const std::vector<std::string>& exclude, std::size_t bytes) {
  const auto by_size = rows_by_size(particles);
  ParticleList list;
  list.total = particles.rows();
  list.kept = std::min(list.total, most_particles);
  std::vector<std::size_t> rows;
  for (;;) {
    rows.assign(by_size.begin(), by_size.begin() + static_cast<std::ptrdiff_t>(list.kept));
    std::sort(rows.begin(), rows.end());
    const Json json = list_json(particles, shap, target, exclude, rows);
    list.base64 = base64(deflated(json.dump(-1, ' ', false, Json::error_handler_t::replace)));
    if (list.base64.size() <= bytes || list.kept == 0) break;
    const double share = static_cast<double>(bytes) / static_cast<double>(list.base64.size());
    list.kept = std::min(list.kept - 1, static_cast<std::size_t>(0.97 * share * static_cast<double>(list.kept)));
  }
  list.target.assign(1, std::nan(""));
  for (const std::size_t row : rows) {
    list.index.emplace(label_of(particles, row), static_cast<std::uint32_t>(list.target.size()));
    list.target.push_back(number_at(particles, target, row));
  }
  return list;
}

}  // namespace cathoscope::report
