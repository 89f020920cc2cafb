#include "sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cathoscope::report {

namespace {

constexpr std::size_t top = 5;

std::string value_text(const ElectrodeFindings& e, const Interval& i) {
  return e.target == "Damage" ? percent_text(i) : interval_text(i);
}

std::string value_text(const ElectrodeFindings& e, double v) {
  return e.target == "Damage" ? percent_text(v) : number_text(v);
}

std::string target_text(const ElectrodeFindings& e) { return e.target == "Damage" ? "damage" : escaped(e.target); }

bool excludes_zero(const Interval& i) { return i.low > 0 || i.high < 0; }

/// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

std::string damage_text(const Findings& f) {
  std::string text;
  for (const auto& e : f.electrodes)
    text += fmt::format(
        "Mean {} of <b>{}</b> is <b>{}</b> over {} particles (median {}; the most damaged tenth carries {} "
        "of it). ",
        target_text(e), escaped(e.name), value_text(e, e.mean), count_text(e.used()), value_text(e, e.median),
        percent_text(e.worst_tenth));
  return text;
}

std::string difference_text(const ElectrodeFindings& a, const ElectrodeFindings& b, const Comparison& c) {
  const std::string difference =
      a.target == "Damage" ? points_text(c.mean_difference) : interval_text(c.mean_difference);
  if (!excludes_zero(c.mean_difference))
    return fmt::format("The means of {} and {} cannot be told apart: difference {}. ", escaped(b.name), escaped(a.name),
                       difference);
  return fmt::format("It is {} in {} than in {}, by {}. ", c.mean_difference.value > 0 ? "higher" : "lower",
                     escaped(b.name), escaped(a.name), difference);
}

std::string unevenness_text(const ElectrodeFindings& a, const ElectrodeFindings& b, const Comparison& c) {
  const std::string numbers =
      fmt::format("standard deviation over mean {} in {}, {} in {}, difference {}", interval_text(a.variation),
                  escaped(a.name), interval_text(b.variation), escaped(b.name), interval_text(c.variation_difference));
  if (!excludes_zero(c.variation_difference))
    return fmt::format("Whether particles differ more in {} or in {}, these data <b>do not tell</b>: {}. ",
                       escaped(a.name), escaped(b.name), numbers);
  const bool first = c.variation_difference.value < 0;
  return fmt::format("From particle to particle it is more uneven <b>{}</b>, in {}: {}. ", first ? "first" : "later",
                     escaped(first ? a.name : b.name), numbers);
}

std::string unevenness_alone(const ElectrodeFindings& e) {
  return fmt::format("Standard deviation over mean {}. There is no second electrode to compare with.",
                     interval_text(e.variation));
}

std::string prediction_text(const ElectrodeFindings& e) {
  const ForestFindings& f = *e.forest;
  const std::string scores = fmt::format("out-of-bag R² {}, {} with blocks of the electrode held out",
                                         number_text(f.oob_r2, 2), number_text(f.spatial_r2, 2));
  if (!(f.oob_r2 > 0))
    return fmt::format("In <b>{}</b> the attributes <b>do not predict {}</b> ({}): read nothing into their ranking. ",
                       escaped(e.name), target_text(e), scores);
  std::vector<std::string> clear;
  std::size_t cleared = 0;
  for (const auto& c : f.contributions) {
    cleared += c.clear() ? 1 : 0;
    if (c.clear() && clear.size() < top) clear.push_back("<b>" + escaped(c.attribute) + "</b>");
  }
  const std::string causes = clear.empty() ? "no attribute clears its null floor"
                                           : fmt::format("{} of {} attributes clear their null floor, first {}",
                                                         cleared, f.contributions.size(), listed(clear));
  return fmt::format("In <b>{}</b> the attributes predict {} of the variance ({}); {}. ", escaped(e.name),
                     percent_text(f.oob_r2), scores, causes);
}

std::string neighbour_text(const Findings& findings) {
  std::vector<std::string> shares;
  for (const auto& e : findings.electrodes)
    if (e.forest && e.forest->oob_r2 > 0 && std::isfinite(e.forest->share_neighbour.value))
      shares.push_back(fmt::format("<b>{}</b> in {}", percent_text(e.forest->share_neighbour), escaped(e.name)));
  if (shares.empty()) return "";
  return "Of what the forest uses, the neighbourhood of a particle, against its own properties, makes up " +
         listed(shares) + ".";
}

std::string clustering_text(const ElectrodeFindings& e) {
  const Clustering& c = *e.clustering;
  return fmt::format(
      "In {} the {} severely damaged particles {} closer together than chance: {} µm to the three nearest, "
      "{} µm by chance (p = {}). ",
      escaped(e.name), count_text(c.severe), c.p <= 0.05 ? "<b>lie</b>" : "<b>do not lie</b>",
      number_text(c.distance_um), number_text(c.expected_um), number_text(c.p, 2));
}

std::string comparison_text(const Comparison& c) {
  std::string text;
  if (!c.attributes.empty()) {
    std::vector<std::string> names;
    for (const auto& a : c.attributes) names.push_back(escaped(a));
    text = fmt::format("Contributions of {} differ between {} and {} (q at most 0.05). ", listed(names),
                       escaped(c.first), escaped(c.second));
  }
  if (c.latent_pairs > 0)
    text += fmt::format("{} of {} links between latent dimensions differ. ", c.latent_different, c.latent_pairs);
  return text;
}

/// What is said, under a word that tells what about. Topics without results are left out.
struct Topic {
  std::string title, text;
};

std::vector<Topic> topics(const Findings& f) {
  std::string means, evenness, predictions, clusters, differences;
  for (std::size_t i = 0; i < f.comparisons.size(); ++i) {
    differences += comparison_text(f.comparisons[i]);
    if (f.electrodes[i + 1].target != f.electrodes.front().target) continue;
    means += difference_text(f.electrodes.front(), f.electrodes[i + 1], f.comparisons[i]);
    evenness += unevenness_text(f.electrodes.front(), f.electrodes[i + 1], f.comparisons[i]);
  }
  if (f.electrodes.size() == 1) evenness = unevenness_alone(f.electrodes.front());
  for (const auto& e : f.electrodes) {
    if (e.forest) predictions += prediction_text(e);
    if (e.clustering) clusters += clustering_text(e);
  }
  std::vector<Topic> all{{"How much", damage_text(f) + means}, {"How uneven", evenness},
                         {"What goes with it", predictions},   {"Neighbours or itself", neighbour_text(f)},
                         {"Where the worst lie", clusters},    {"What differs", differences}};
  std::erase_if(all, [](const Topic& t) { return t.text.empty(); });
  return all;
}

/// The first contributions with interval and null floor, to scale.
std::string contribution_plot(const ElectrodeFindings& e) {
  const auto& all = e.forest->contributions;
  const std::size_t n = std::min(all.size(), top);
  double largest = 1e-300;
  for (std::size_t i = 0; i < n; ++i)
    largest = std::max({largest, all[i].score.high, all[i].floor, all[i].score.value});
  const double left = 118, width = 200;
  const auto at = [&](double v) { return left + width * (std::isfinite(v) ? std::max(0.0, v) / largest : 0.0); };
  std::string rows;
  for (std::size_t i = 0; i < n; ++i) {
    const Contribution& c = all[i];
    const double y = 14 + 22 * static_cast<double>(i);
    rows += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text><path class=\"{}\" d=\"M{:.1f} {:.1f}H{:.1f}\"/><path "
        "class=\"floor\" "
        "d=\"M{:.1f} {:.1f}v14\"/><circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>",
        left - 8, y + 4, escaped(c.attribute), c.clear() ? "range" : "range unclear", at(c.score.low), y,
        at(c.score.high), at(c.floor), y - 7, c.clear() ? "clear" : "unclear", at(c.score.value), y);
  }
  return fmt::format(
      "<figure class=\"plot\"><svg viewBox=\"0 0 330 {}\" role=\"img\" aria-label=\"Largest "
      "contributions in {}; the numbers are in the table of contributions\">{}</svg><figcaption>Mean "
      "|SHAP| with 95 % interval, scale 0 to {}. Bar: null floor. Hollow: not above it.</figcaption></figure>",
      22 * n + 6, escaped(e.name), rows, number_text(largest));
}

std::string left_out_text(const ElectrodeFindings& e, const std::vector<std::string>& exclude) {
  std::string flags;
  for (const auto& name : exclude) flags += (flags.empty() ? "" : ", ") + escaped(name);
  std::string text = e.flagged > 0 ? fmt::format("{} ({})", count_text(e.flagged), flags) : "0";
  if (e.without_target > 0) text += fmt::format(", {} without {}", count_text(e.without_target), target_text(e));
  return text;
}

std::string card(const ElectrodeFindings& e, const ReportInputs& inputs) {
  const auto line = [](const std::string& what, const std::string& value) {
    return "<div><dt>" + what + "</dt><dd>" + value + "</dd></div>";
  };
  std::string out = "<section class=\"card\"><h3>" + escaped(e.name);
  if (!e.synthetic.empty()) out += " <span class=\"tag\">synthetic</span>";
  out += "</h3><dl>" + line("particles found", count_text(e.particles)) +
         line("left out of inference", left_out_text(e, inputs.exclude)) + line("used", count_text(e.used())) +
         line("mean " + target_text(e), value_text(e, e.mean)) +
         line("unevenness (sd / mean)", interval_text(e.variation));
  if (e.forest) {
    out += line("out-of-bag R²", number_text(e.forest->oob_r2)) +
           line("share of the neighbourhood", percent_text(e.forest->share_neighbour)) + "</dl>" + contribution_plot(e);
  } else {
    out += "</dl><p class=\"note\">No regression in this run: what goes with " + target_text(e) + " was not asked.</p>";
  }
  return out + "</section>";
}

std::string missing_electrodes(const Findings& findings, const ReportInputs& inputs) {
  std::string text;
  for (const auto& e : inputs.electrodes)
    if (std::none_of(findings.electrodes.begin(), findings.electrodes.end(),
                     [&](const auto& found) { return found.name == e.name; }))
      text += "<p class=\"note\"><b>" + escaped(e.name) + "</b>: no table of particles in this run.</p>";
  return text;
}

std::string synthetic_banner(const Findings& findings) {
  std::vector<std::string> how;
  for (const auto& e : findings.electrodes)
    if (!e.synthetic.empty()) how.push_back(escaped(e.name) + " (" + escaped(e.synthetic) + ")");
  if (how.empty()) return "";
  return "<p class=\"banner\"><strong>Synthetic data.</strong> Computed, not measured: " + listed(how) +
         ". Numbers below test the method; they say nothing about a real electrode.</p>";
}

std::string caveats(const Findings& findings) {
  if (findings.electrodes.empty()) return "";
  return "<p class=\"note\">Square brackets: 95 % intervals over the particles of <em>one</em> electrode; another "
         "electrode "
         "made the same way may differ by more. Attributes that predict damage need not cause it. An attribute clears "
         "its "
         "null floor if its score is above the 95 % quantile with that column shuffled, and q is at most 0.05.</p>";
}

}  // namespace

std::string summary_section(const Findings& findings, const ReportInputs& inputs) {
  std::string out = synthetic_banner(findings);
  if (findings.electrodes.empty())
    out +=
        "<p>This run has no table of particles: there is nothing to summarise. What ran is under <a "
        "href=\"#provenance\">Provenance</a>.</p>";
  else {
    out += "<ul class=\"findings\">";
    for (const auto& t : topics(findings)) out += "<li><strong>" + t.title + ".</strong> " + t.text + "</li>\n";
    out += "</ul>";
  }
  out += missing_electrodes(findings, inputs) + "<div class=\"cards\">";
  for (const auto& e : findings.electrodes) out += card(e, inputs);
  return out + "</div>" + caveats(findings);
}

}  // namespace cathoscope::report
