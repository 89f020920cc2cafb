#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>
#include <cathoscope/latent/latent.hpp>

#include <nlohmann/json.hpp>

#include <cmath>

namespace cathoscope {

namespace {

using Json = nlohmann::ordered_json;

/// Text columns first, then numbers, filled row by row.
class Rows {
 public:
  Rows(const std::vector<std::string>& texts, const std::vector<std::string>& numbers) : texts_(texts.size()) {
    for (const auto* names : {&texts, &numbers})
      for (const auto& name : *names) table_.columns.emplace_back().name = name;
  }
  void add(const std::vector<std::string>& texts, const std::vector<double>& numbers) {
    for (std::size_t c = 0; c < texts.size(); ++c) table_.columns[c].texts.push_back(texts[c]);
    for (std::size_t c = 0; c < numbers.size(); ++c) table_.columns[texts_ + c].numbers.push_back(numbers[c]);
  }
  [[nodiscard]] Table table() && { return std::move(table_); }

 private:
  std::size_t texts_;
  Table table_;
};

double one_based(std::int64_t i) { return static_cast<double>(i + 1); }

std::string name_of(std::int64_t latent) { return "LD" + std::to_string(latent + 1); }

/// JSON has no NaN: null says "undefined".
Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double v : values) list.push_back(number(v));
  return list;
}

Json latent_json(const LatentResult& r, std::size_t k) {
  Json j;
  j["latent"] = name_of(static_cast<std::int64_t>(k));
  const LatentModel& model = r.models.front();
  j["stability"] = number(model.stability[k]);
  j["half_sample_stability"] = model.half_stability.empty() ? Json(nullptr) : number(model.half_stability[k]);
  j["explained_with_those_before"] = number(model.explained[k]);
  if (!model.group.empty()) {
    j["attributes"] = Json::array();
    for (std::size_t c = 0; c < model.group.size(); ++c)
      if (model.group[c] == static_cast<std::int64_t>(k)) j["attributes"].push_back(r.columns[c]);
  }
  j["leading"] = Json::array();
  const LatentMeaning& m = r.meaning[k];
  for (std::size_t c = 0; c < m.column.size() && (c < 3 || std::abs(m.correlation[c]) >= 0.5); ++c)
    j["leading"].push_back(
        {{"attribute", r.columns[static_cast<std::size_t>(m.column[c])]}, {"correlation", m.correlation[c]}});
  return j;
}

Json model_json(const LatentModel& m) {
  Json j;
  j["trained_on"] = m.trained_on.empty() ? Json("all electrodes") : Json(m.trained_on);
  j["explained"] = numbers(m.explained);
  j["explained_by_decoder"] = numbers(m.decoder_explained);
  j["stability"] = numbers(m.stability);
  j["half_sample_stability"] = numbers(m.half_stability);
  j["loss_of_restarts"] = numbers(m.loss);
  j["restart_kept"] = m.best + 1;
  j["final_loss"] = {{"training", m.curve.empty() ? Json(nullptr) : number(m.curve.back())},
                     {"held_out", m.holdout_curve.empty() ? Json(nullptr) : number(m.holdout_curve.back())}};
  return j;
}

Json electrode_json(const ElectrodeLatents& e) {
  Json j;
  j["electrode"] = e.name;
  j["rows"] = e.codes.rows;
  std::int64_t links = 0;
  for (const auto& l : e.links) links += l.significant ? 1 : 0;
  j["links"] = links;
  j["pairs"] = e.links.size();
  j["total_correlation_nats"] = number(e.total_correlation);
  j["log_volume"] = number(e.log_volume);
  j["participation_ratio"] = number(e.participation_ratio);
  j["independence"] = Json::array();
  for (const auto& i : e.independence)
    j["independence"].push_back({{"first", i.count},
                                 {"largest_abs_r", number(i.largest_r)},
                                 {"total_correlation_nats", number(i.statistic)},
                                 {"p", number(i.p)}});
  return j;
}

Json test_json(const LabelTest& t) { return {{"difference", number(t.difference)}, {"p", number(t.p)}}; }

Json comparison_json(const LatentComparison& c) {
  Json j{{"first", c.first}, {"second", c.second}};
  std::int64_t different = 0;
  for (const auto& p : c.pairs) different += p.different ? 1 : 0;
  j["different_pairs"] = different;
  j["total_correlation"] = test_json(c.total_correlation);
  j["log_volume"] = test_json(c.log_volume);
  j["participation_ratio"] = test_json(c.participation_ratio);
  j["mean_abs_delta_z"] = number(c.mean_delta_z);
  j["largest_abs_delta_z"] = number(c.largest_delta_z);
  j["p_of_largest"] = number(c.largest_p);
  return j;
}

/// A comparison within one electrode has no links of its own; what counts is how large differences are.
Json sham_json(const LatentComparison& c) {
  Json j = comparison_json(c);
  j.erase("different_pairs");
  return j;
}

void write_matrix(H5File& file, const std::string& name, const std::vector<double>& values, std::int64_t rows,
                  std::int64_t columns) {
  file.write_array(name, values);
  file.set_attribute(name, "shape", std::vector<double>{static_cast<double>(rows), static_cast<double>(columns)});
}

void write_model(H5File& file, const std::string& group, const LatentModel& m) {
  const Autoencoder& n = m.network;
  write_matrix(file, group + "/A", n.a, n.inputs, n.latents);
  write_matrix(file, group + "/W1", n.w1, n.inputs, n.hidden);
  file.write_array(group + "/b1", n.b1);
  write_matrix(file, group + "/W2", n.w2, n.hidden, n.latents);
  write_matrix(file, group + "/C", n.c, n.latents, n.inputs);
  write_matrix(file, group + "/W3", n.w3, n.latents, n.hidden);
  file.write_array(group + "/b3", n.b3);
  write_matrix(file, group + "/W4", n.w4, n.hidden, n.inputs);
  file.write_array(group + "/b4", n.b4);
  file.write_array(group + "/code_order", m.code.order);
  file.write_array(group + "/code_offset", m.code.offset);
  file.write_array(group + "/code_factor", m.code.factor);
  if (!m.group.empty()) file.write_array(group + "/group", m.group);
  file.write_array(group + "/loss", m.curve);
  file.write_array(group + "/loss_held_out", m.holdout_curve);
  file.write_array(group + "/loss_of_restarts", m.loss);
  file.set_attribute(group + "/A", "trained_on", m.trained_on.empty() ? "all electrodes" : m.trained_on);
}

}  // namespace

Table latent_codes_table(const ElectrodeLatents& e) {
  Table table;
  table.columns.resize(static_cast<std::size_t>(e.codes.columns) + 1);
  table.columns.front().name = "label";
  table.columns.front().ids = e.label;
  for (std::int64_t k = 0; k < e.codes.columns; ++k) {
    Column& column = table.columns[static_cast<std::size_t>(k) + 1];
    column.name = name_of(k);
    column.numbers.reserve(static_cast<std::size_t>(e.codes.rows));
    for (std::int64_t i = 0; i < e.codes.rows; ++i) column.numbers.push_back(e.codes.row(i)[k]);
  }
  return table;
}

Table latent_links_table(const LatentResult& result) {
  Rows rows({"electrode"}, {"i", "j", "r", "ci_low", "ci_high", "p", "q", "significant"});
  for (const auto& e : result.electrodes)
    for (const auto& l : e.links)
      rows.add({e.name}, {one_based(l.i), one_based(l.j), l.r, l.low, l.high, l.p, l.q, l.significant ? 1.0 : 0.0});
  return std::move(rows).table();
}

Table latent_differences_table(const LatentResult& result) {
  Table table;
  for (const char* name : {"first", "second", "i", "j", "state", "delta_z", "p", "q", "different"})
    table.columns.emplace_back().name = name;
  auto& c = table.columns;
  for (const auto& comparison : result.comparisons)
    for (const auto& d : comparison.pairs) {
      c[0].texts.push_back(comparison.first);
      c[1].texts.push_back(comparison.second);
      c[2].numbers.push_back(one_based(d.i));
      c[3].numbers.push_back(one_based(d.j));
      c[4].texts.push_back(d.state);
      c[5].numbers.push_back(d.delta_z);
      c[6].numbers.push_back(d.p);
      c[7].numbers.push_back(d.q);
      c[8].numbers.push_back(d.different ? 1 : 0);
    }
  return table;
}

std::string latent_summary_json(const LatentResult& r) {
  Json j;
  j["mode"] = r.config.mode;
  j["exploratory"] = r.config.mode == "separate";
  j["columns"] = r.columns;
  j["latents"] = Json::array();
  for (std::size_t k = 0; k < r.meaning.size(); ++k) j["latents"].push_back(latent_json(r, k));
  j["models"] = Json::array();
  for (const auto& m : r.models) j["models"].push_back(model_json(m));
  j["electrodes"] = Json::array();
  for (const auto& e : r.electrodes) j["electrodes"].push_back(electrode_json(e));
  j["comparisons"] = Json::array();
  for (const auto& c : r.comparisons) j["comparisons"].push_back(comparison_json(c));
  j["shams"] = Json::array();
  for (const auto& c : r.shams) j["shams"].push_back(sham_json(c));
  return j.dump(2) + "\n";
}

void write_latent_model(const LatentResult& r, const std::filesystem::path& path) {
  auto file = H5File::create(path);
  file.set_attribute("/", "mode", r.config.mode);
  file.set_attribute(
      "/", "network",
      "x' = (x - mean) / sd; z = x' A + tanh(x' W1 + b1) W2; LD[k] = (z[code_order[k]] - code_offset[k]) * "
      "code_factor[k]; matrices are row-major, their shape is an attribute");
  file.write_texts("/columns", r.columns);
  std::vector<std::string> names;
  for (const auto& e : r.electrodes) names.push_back(e.name);
  file.write_texts("/electrodes", names);
  for (std::size_t e = 0; e < r.scales.size(); ++e) {
    const std::string group = "/scale" + std::to_string(e + 1);
    file.write_array(group + "/mean", r.scales[e].mean);
    file.write_array(group + "/sd", r.scales[e].sd);
  }
  for (std::size_t m = 0; m < r.models.size(); ++m) write_model(file, "/model" + std::to_string(m + 1), r.models[m]);
  file.close();
}

}  // namespace cathoscope
