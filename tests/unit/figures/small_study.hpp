#pragma once
/// A run folder with hand-made tables: two electrodes of a few particles, small enough to know every number of a figure.

#include "test_data.hpp"

#include <cathoscope/figures/figures.hpp>

#include <fmt/format.h>

#include <fstream>
#include <string>

namespace test {

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string regression_json_of(double share, double low, double high, const std::string& attributes) {
  const auto number = [](double v) { return std::to_string(v); };
  std::string sham;
  for (std::size_t at = 0, comma = 0; at < attributes.size(); at = comma + 1) {
    comma = std::min(attributes.find(',', at), attributes.size());
    sham += fmt::format(R"({}"{}": {{"mean": -0.25, "ci_low": -0.5, "ci_high": 0.1, "q": 1}})", sham.empty() ? "" : ",",
                        attributes.substr(at, comma - at));
  }
  const std::string group = R"({"value": 0.2, "ci_low": 0.1, "ci_high": 0.3})";
  return R"({"profile": "leak_free", "oob_r2": 0.5, "spatial_cv_r2": null, "spatial_cv_mae": 0.04, "rows_used": 4, "groups": {"position": )" +
         group + R"(, "structure": )" + group + R"(}, "self": )" + group + R"(, "neighbour": )" + group +
         R"(, "share_neighbour": {"value": )" + number(share) + R"(, "ci_low": )" + number(low) + R"(, "ci_high": )" +
         number(high) + R"(}, "sham": {)" + sham + "}}";
}

/// Files of one electrode. `a` and `b` are the names of its two attributes.
inline void write_electrode(const std::filesystem::path& folder, const std::string& a, const std::string& b,
                            double score) {
  const auto text = [](double v) { return std::to_string(v); };
  const auto scores = [&](double scale) {
    return "attribute,group,mean_abs_shap,sd_seeds,sd_subsets,ci_low,ci_high,null_floor,q,oob_mean_abs_shap,direction,"
           "per_sd_damage,reliability\n" +
           a + ",position," + text(scale * score) + ",0.1,0.1,0.5,3,0.2,0.01,1,1,1,\n" + b + ",neighbourhood," +
           text(scale * 0.5) + ",0.1,0.1,0.2,0.9,0.2,0.4,1,-1,1,\n";
  };
  write_file(folder / "contributions.csv", scores(1));
  write_file(folder / "contributions_paper.csv", scores(2));
  write_file(folder / "regression.json", regression_json_of(score / 10, score / 20, score / 5, a + "," + b));
  write_file(folder / "attributes_leakfree.csv", "label,X,Y,Z,Volume," + a + "," + b +
                                                     ",Damage\n1,0,0,0,4.18879,1,4,0.1\n2,10,0,1,4.18879,2,3,0.2\n3,0,"
                                                     "10,2,4.18879,3,2,0.3\n4,10,10,3,4.18879,4,,0.4\n");
  write_file(folder / "forest.json", R"({"train_index": [0, 2, 3]})");
  write_file(folder / "shap.csv",
             "label," + a + "," + b +
                 ",expected_value,prediction\n1,-0.1,0.02,0.2,0.12\n3,0.1,-0.01,0.2,0.29\n4,0.15,0,0.2,0.35\n");
  write_file(folder / "predictions.csv",
             "label,measured,predicted,out_of_bag\n1,0.1,0.12,0.15\n3,0.3,0.29,0.25\n4,0.4,0.35,\n");
}

inline void write_statistics(const std::filesystem::path& out, const std::string& first, const std::string& second,
                             const std::string& a, const std::string& b) {
  std::string fig1b = "electrode,part,low,high,density,ci_low,ci_high\n",
              summary = "electrode,part,n,median,lower_quartile,upper_quartile,ks,wasserstein\n";
  std::string
      particles = "electrode,label,X,Y,Z,damage,severe\n",
      fig2c =
          "electrode,chosen,quantile,threshold,severe,distances,distances_cut,scaled_distance,mean_distance,expected,"
          "null_low,null_high,p,expected_stratified,null_low_stratified,null_high_stratified,p_stratified\n";
  std::string figs7 = "profile,attribute,electrode,low,high,density,ci_low,ci_high\n",
              figs7_summary = "profile,attribute,electrode,n,median,lower_quartile,upper_quartile,ks,wasserstein\n";
  std::string figs11 = "profile,electrode,attribute,n,pearson,ci_low,ci_high,p,q,spearman\n",
              figs12 =
                  "electrode,statistic,lag_um,pairs,observed,expected,null_low,null_high,p,expected_stratified,null_"
                  "low_stratified,null_high_stratified,p_stratified\n";
  for (const auto& [name, shift] : {std::pair(first, 0), std::pair(second, 1)}) {
    const auto add = [&, electrode = name](std::string& text, const std::string& rest) {
      text += fmt::format("{},{}\n", electrode, rest);
    };
    add(fig1b, shift == 0 ? "all,0,0.2,4,3,5" : "all,0,0.2,1,0.5,2");
    add(fig1b, shift == 0 ? "all,0.2,0.4,1,0.5,2" : "all,0.2,0.4,4,3,5");
    for (const char* part : {"low_x", "high_x"}) {
      add(fig1b, std::string(part) + (part[0] == 'l' ? ",0,0.2,3.5,," : ",0,0.2,4.5,,"));
      add(fig1b, std::string(part) + (part[0] == 'l' ? ",0.2,0.4,1.5,," : ",0.2,0.4,0.5,,"));
      add(summary, std::string(part) + ",2,0.15,0.1,0.2,0.5,0.01");
    }
    add(summary, shift == 0 ? "all,4,0.15,0.1,0.2,0,0" : "all,4,0.25,0.2,0.3,0.75,0.1");
    // Five particles on a line, all severe but the last.
    for (int k = 0; k < 5; ++k)
      add(particles, std::to_string(k + 1) + "," + std::to_string(k * k) + "," + std::to_string(shift) + ",2," +
                         std::to_string(0.9 - 0.1 * k) + (k < 4 ? ",1" : ",0"));
    add(fig2c, "1,0.9,0.6,4,0,12,1,5,6,4,8,0.3,6,4,8,0.25");
    add(fig2c, "0,0.8,0.5,4,0,12,1,5,6,4,8,0.3,6,4,8,0.35");
    for (const auto& attribute : {a, b}) {
      figs7 += fmt::format("leak_free,{0},{1},0,2,0.4,0.3,0.5\nleak_free,{0},{1},2,4,0.1,,\n", attribute, name);
      figs7_summary += fmt::format("leak_free,{},{},4,1.5,1,2,0,0.3\n", attribute, name);
      figs11 += fmt::format("leak_free,{},{},4,0.5,-0.2,0.9,0.2,0.3,0.4\n", name, attribute);
    }
    add(figs12, "moran,,,0.1,0,-0.2,0.2,0.1,0,-0.2,0.2,0.15");
    add(figs12, "neighbour_correlation,,,0.3,0,-0.2,0.2,0.01,0,-0.2,0.2,0.02");
    add(figs12, "variogram,5,10,0.01,0.02,0.01,0.03,0.1,0.02,0.01,0.03,0.1");
    add(figs12, "variogram,10,20,0.02,0.02,0.01,0.03,0.1,0.02,0.01,0.03,0.1");
  }
  const auto folder = out / "statistics";
  write_file(folder / "fig1b.csv", fig1b);
  write_file(folder / "fig1b_summary.csv", summary);
  write_file(folder / "fig2ab.csv", particles);
  write_file(folder / "fig2c.csv", "electrode,low,high,density,ci_low,ci_high\n");
  write_file(folder / "fig2c_summary.csv", fig2c);
  write_file(folder / "figs7.csv", figs7);
  write_file(folder / "figs7_summary.csv", figs7_summary);
  write_file(folder / "figs11.csv", figs11);
  write_file(folder / "figs12.csv", figs12);
}

inline void write_latent(const std::filesystem::path& out, const std::string& first, const std::string& second) {
  write_file(out / "latent_links.csv",
             "electrode,i,j,r,ci_low,ci_high,p,q,significant\n" + first + ",1,2,0.5,0.4,0.6,0.01,0.01,1\n" + first +
                 ",1,3,-0.4,-0.5,-0.3,0.01,0.01,1\n" + first + ",2,3,0.05,-0.1,0.2,0.5,0.5,0\n" + second +
                 ",1,2,0.6,0.5,0.7,0.01,0.01,1\n" + second + ",1,3,0,-0.1,0.1,0.9,0.9,0\n" + second +
                 ",2,3,0.3,0.2,0.4,0.01,0.01,1\n");
  const std::string pair = first + "," + second;
  write_file(out / "latent_differences.csv",
             "first,second,i,j,state,delta_z,p,q,different\n" + pair + ",1,2,common,0.1,0.5,0.5,0\n" + pair +
                 ",1,3,only_first,0.4,0.01,0.01,1\n" + pair + ",2,3,only_second,0.2,0.1,0.1,0\n");
  const auto latent = [](const char* name, const char* stability) {
    return std::string(R"({"latent": ")") + name + R"(", "stability": )" + stability +
           R"(, "leading": [{"attribute": "Volume", "correlation": 1}]})";
  };
  const auto electrode = [](const std::string& name) {
    return R"({"electrode": ")" + name + R"(", "rows": 4, "total_correlation_nats": 0.5})";
  };
  write_file(
      out / "latent_summary.json",
      R"({"mode": "oblique", "latents": [)" + latent("LD1", "0.99") + "," + latent("LD2", "0.9") + "," +
          latent("LD3", "0.4") + R"(], "electrodes": [)" + electrode(first) + "," + electrode(second) +
          R"(], "comparisons": [{"first": ")" + first + R"(", "second": ")" + second +
          R"(", "different_pairs": 1, "largest_abs_delta_z": 0.4, "total_correlation": {"difference": 0, "p": 0.9}}], "shams": [{"largest_abs_delta_z": 0.3}]})");
}

struct StudyNames {
  std::string first = "ten", second = "fifty", own = "Elongation", neighbour = "Contact";
};

/// All of it, and what the figures are told of it.
inline cathoscope::StudyResults small_study(const std::filesystem::path& out, const StudyNames& n = {}) {
  write_electrode(out / n.first, n.own, n.neighbour, 1);
  write_electrode(out / n.second, n.own, n.neighbour, 2);
  write_statistics(out, n.first, n.second, n.own, n.neighbour);
  write_latent(out, n.first, n.second);
  std::string runs = "electrode,profile,kind,run,attribute,mean_abs_shap\n",
              differences = "first,second,profile,attribute,mean,sd,ci_low,ci_high,q\n";
  for (const auto& name : {n.first, n.second})
    for (const auto& profile : {"leak_free", "paper"})
      for (const auto& attribute : {n.own, n.neighbour})
        runs += fmt::format("{0},{1},seed,0,{2},1.1\n{0},{1},subset,0,{2},0.9\n", name, profile, attribute);
  for (const auto& profile : {"leak_free", "paper"})
    for (const auto& attribute : {n.own, n.neighbour})
      differences += n.first + "," + n.second + "," + profile + "," + attribute + ",1,0.5,0.2,1.8,0.01\n";
  write_file(out / "contribution_runs.csv", runs);
  write_file(out / "contribution_differences.csv", differences);
  cathoscope::StudyResults results;
  results.folder = out;
  for (const auto& name : {n.first, n.second}) {
    cathoscope::ElectrodeResults e;
    e.name = name;
    e.folder = out / name;
    e.table = out / name / "attributes_leakfree.csv";
    results.electrodes.push_back(e);
  }
  return results;
}

}  // namespace test
