#pragma once
/// What the interactive part of the page works on, an electrode each.

#include "findings.hpp"
#include "reduced.hpp"

#include <cathoscope/report/report.hpp>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace cathoscope::report {

/// The particles that the page lists. Where not all find room, the largest.
struct ParticleList {
  std::string base64;  ///< JSON, zlib, base64
  std::size_t kept = 0;
  std::size_t total = 0;
  std::unordered_map<std::uint64_t, std::uint32_t> index;  ///< label -> place in the list, from 1
  std::vector<double> target;                              ///< by place; [0] is unused
};

/// Columns (the attributes where the table has them, else its numbers), whether inference used the row, and the SHAP
/// values of its forest. Five significant digits. At most `bytes` of text.
ParticleList particle_list(const Table& particles, const Table* shap, const std::string& target,
                           const std::vector<std::string>& exclude, std::size_t bytes);

/// Bytes of text that an electrode's data may take, and some kinds of it. Grey values get what is left.
struct ViewBudget {
  std::size_t all = 0;
  std::size_t particles = 0;
  std::size_t labels = 0;
  std::size_t still = 0;
};

struct ElectrodeView {
  Json about;                                              ///< names, shapes, scales: for view.js
  std::vector<std::pair<std::string, std::string>> blobs;  ///< id and base64, named in `about`
  std::string still_html;                                  ///< the picture, or why there is none
};

/// `number` tells the electrode's blobs from those of others.
ElectrodeView electrode_view(const ReportInputs& inputs, const ReportElectrode& electrode, std::size_t number,
                             const ViewBudget& budget, const Context& context);

}  // namespace cathoscope::report
