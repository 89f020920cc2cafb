#include <cathoscope/report/report.hpp>

#include "encode.hpp"
#include "page.hpp"
#include "sections.hpp"
#include "view_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace cathoscope {

namespace {

using report::Json;

constexpr std::size_t figures_at_most = 2'000'000;
constexpr std::size_t views_at_most = 2'700'000;

/// The scripts in the order they run; plain scripts, because modules do not load from disk.
std::vector<std::string> scripts() {
  namespace page = report::page;
  std::string own;
  for (const auto& part : {page::data_js, page::tables_js, page::surfaces_js, page::slices_js, page::scene_js,
                           page::view_js, page::page_js})
    own += std::string(part) + "\n";
  return {"/*\n" + std::string(page::three_LICENSE_txt) + "*/\n" + std::string(page::three_min_js),
          "(() => {\n\"use strict\";\n" + own + "})();\n"};
}

/// Nothing may be fetched, and no script may run but those that this program wrote.
std::string policy(const std::vector<std::string>& all_scripts) {
  std::string hashes;
  for (const auto& s : all_scripts) hashes += fmt::format(" {}", report::policy_hash(s));
  return "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src" + hashes;
}

report::ViewBudget budget_of(std::size_t bytes, std::size_t electrodes) {
  const std::size_t each = bytes / std::max<std::size_t>(1, electrodes);
  return {each, each / 100 * 37, each / 100 * 30, each / 100 * 10};
}

struct Views {
  std::string stills;
  std::string blobs;
  Json about = Json::array();
};

Views views_of(const ReportInputs& inputs, std::size_t bytes, const Context& context) {
  Views views;
  const auto budget = budget_of(bytes, inputs.electrodes.size());
  for (std::size_t i = 0; i < inputs.electrodes.size(); ++i) {
    auto view = report::electrode_view(inputs, inputs.electrodes[i], i, budget, context);
    views.stills += view.still_html;
    views.about.push_back(std::move(view.about));
    for (const auto& [id, data] : view.blobs)
      views.blobs += fmt::format("<script type=\"text/plain\" id=\"{}\">{}</script>\n", id, data);
  }
  return views;
}

std::string electrodes_text(const ReportInputs& inputs) {
  std::string text;
  for (const auto& e : inputs.electrodes) text += (text.empty() ? "" : ", ") + report::escaped(e.name);
  return text.empty() ? "no electrodes" : text;
}

std::size_t size_of(const std::map<std::string, std::string>& parts) {
  std::size_t bytes = report::page::page_html.size();
  for (const auto& [name, text] : parts) bytes += text.size();
  return bytes;
}

/// What is left of `limit` for something that should take at most `wanted`.
std::size_t left_for(std::size_t wanted, const std::map<std::string, std::string>& parts) {
  constexpr std::size_t slack = 50'000;  // names and shapes of the views
  const std::size_t taken = size_of(parts) + slack;
  return taken >= report_bytes_at_most ? 0 : std::min(wanted, report_bytes_at_most - taken);
}

void write_page(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  if (!out) fail(Exit::cannot_create, "{} cannot be created", path.string());
  out << text;
  out.close();
  if (!out) fail(Exit::write_error, "{}: cannot write {} bytes (is the disk full?)", path.string(), text.size());
}

}  // namespace

std::string report_page_hash() {
  std::string all(report::page::page_html);
  all += report::page::style_css;
  for (const auto& script : scripts()) all += script;
  return sha256_of_text(all);
}

void write_report(const ReportInputs& inputs, const std::filesystem::path& path, const Context& context) {
  const report::Findings findings = report::findings_of(inputs);
  const auto all_scripts = scripts();
  std::map<std::string, std::string> parts{
      {"policy", policy(all_scripts)},
      {"title", report::escaped(inputs.run)},
      {"electrodes", electrodes_text(inputs)},
      {"program", report::escaped(inputs.program)},
      {"tag", findings.synthetic() ? "<span class=\"tag\">synthetic data</span>" : ""},
      {"style", std::string(report::page::style_css)},
      {"three", all_scripts[0]},
      {"script", all_scripts[1]},
      {"summary", report::summary_section(findings, inputs)},
      {"tables", report::result_tables(findings, inputs)},
      {"method", report::method_section(inputs)},
      {"provenance", report::provenance_section(inputs)},
  };
  const bool drawn = report::finished(inputs, "", "figures");
  parts["figures"] = report::figures_section(drawn ? inputs.folder / "figures" : std::filesystem::path("nowhere"),
                                             left_for(figures_at_most, parts));
  const Views views = views_of(inputs, left_for(views_at_most, parts), context);
  parts["stills"] = views.stills;
  parts["blobs"] = views.blobs;
  parts["data"] = report::script_json({{"run", inputs.run}, {"electrodes", views.about}});
  write_page(path, report::filled(report::page::page_html, parts));
}

}  // namespace cathoscope
