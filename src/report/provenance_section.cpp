#include "sections.hpp"

#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace cathoscope::report {

namespace {

constexpr std::size_t log_bytes = 40'000;
constexpr std::size_t most_warnings = 100;

std::string stage_text(const ReportStage& s) {
  return escaped(s.name) + (s.part.empty() ? "" : " (" + escaped(s.part) + ")");
}

Json run_of(const Json& record) {
  return record.is_object() && record.contains("run") && record.at("run").is_object() ? record.at("run")
                                                                                      : Json::object();
}

std::string text_or_empty(const Json& j, const char* key) {
  return j.contains(key) && j.at(key).is_string() ? j.at(key).get<std::string>() : "";
}

double number_or_zero(const Json& j, const char* key) {
  return j.contains(key) && j.at(key).is_number() ? j.at(key).get<double>() : 0;
}

std::string warnings_html(const ReportInputs& inputs) {
  std::vector<std::string> lines;
  std::set<std::string> seen;
  for (const auto& stage : inputs.stages) {
    const Json run = run_of(stage.record.empty() ? Json() : json_if_there(stage.record));
    const Json warnings = run.value("warnings", Json::array());
    for (const auto& w : warnings) {
      if (!w.is_string()) continue;
      const std::string line = "<b>" + stage_text(stage) +
                               (stage.electrode.empty() ? "" : ", " + escaped(stage.electrode)) + ":</b> " +
                               escaped(w.get<std::string>());
      if (seen.insert(line).second) lines.push_back(line);
    }
  }
  if (lines.empty()) return "<p id=\"no-warnings\">No stage warned of anything.</p>";
  std::string out = "<ul id=\"warning-list\">";
  for (std::size_t i = 0; i < std::min(lines.size(), most_warnings); ++i) out += "<li>" + lines[i] + "</li>\n";
  if (lines.size() > most_warnings)
    out += fmt::format("<li>and {} more: see the records of the stages.</li>", lines.size() - most_warnings);
  return out + "</ul>";
}

std::string missing_html(const ReportInputs& inputs) {
  std::string rows;
  for (const auto& s : inputs.stages)
    if (s.record.empty())
      rows += "<li><b>" + stage_text(s) + (s.electrode.empty() ? "" : ", " + escaped(s.electrode)) +
              "</b>: " + escaped(s.why_missing) + "</li>\n";
  return rows.empty() ? "" : "<h3>Stages that this report is without</h3><ul>" + rows + "</ul>";
}

std::string stage_row(const ReportStage& s) {
  const Json record = json_if_there(s.record);
  const Json run = run_of(record);
  const double seconds = record.is_object() ? number_or_zero(record, "seconds") : 0;
  const std::string key = record.is_object() ? text_or_empty(record, "key") : "";
  return row_html({escaped(s.electrode), stage_text(s), escaped(text_or_empty(run, "utc")), duration_text(seconds),
                   duration_text(number_or_zero(run, "processor_seconds")),
                   bytes_text(number_or_zero(run, "peak_memory_bytes")), number_text(number_or_zero(run, "threads")),
                   escaped(text_or_empty(run, "host")), escaped(text_or_empty(run, "program")),
                   "<code>" + escaped(key.substr(0, 12)) + "</code>"});
}

std::string stages_html(const ReportInputs& inputs) {
  std::string rows;
  for (const auto& s : inputs.stages)
    if (!s.record.empty()) rows += stage_row(s);
  if (rows.empty()) return "";
  return "<div class=\"scroll\"><table><caption>Stages as they ran; the key starts the hash of settings and inputs."
         "</caption><thead><tr><th>electrode</th><th>stage</th><th>finished</th><th>took</th><th>processor "
         "time</th><th>peak "
         "memory</th><th>threads"
         "</th><th>host</th><th>program</th><th>key</th></tr></thead><tbody>" +
         rows + "</tbody></table></div>";
}

/// Versions, device and host of the whole run; the list of stages is shown as a table already.
std::string facts_html(const std::filesystem::path& file) {
  Json j = json_if_there(file);
  if (!j.is_object()) return "";
  j.erase("stages");
  const Json flat = j.flatten();
  std::string out = "<dl class=\"facts\">";
  for (const auto& [key, value] : flat.items())
    out += "<div><dt>" + escaped(key.substr(1)) + "</dt><dd>" +
           escaped(value.is_string() ? value.get<std::string>() : value.dump()) + "</dd></div>";
  return out + "</dl>";
}

std::string log_html(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return "";
  std::string text = read_text(file);
  const bool cut = text.size() > log_bytes;
  if (cut) text.erase(0, text.find('\n', text.size() - log_bytes) + 1);
  return std::string("<details><summary>log until this page was written") +
         (cut ? " (its end; all of it is in log.txt)" : "") + "</summary><pre>" + escaped(text) + "</pre></details>";
}

}  // namespace

std::string provenance_section(const ReportInputs& inputs) {
  return "<section id=\"warnings\" aria-labelledby=\"warnings-title\"><h2 id=\"warnings-title\">Warnings</h2>" +
         warnings_html(inputs) + missing_html(inputs) +
         "</section>\n<section id=\"provenance\" aria-labelledby=\"provenance-title\"><h2 "
         "id=\"provenance-title\">Provenance</h2>" +
         facts_html(inputs.folder / "provenance.json") + stages_html(inputs) + log_html(inputs.folder / "log.txt") +
         "</section>";
}

}  // namespace cathoscope::report
