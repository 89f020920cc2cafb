#include <cathoscope/chemomechanics/study.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <tuple>

namespace cathoscope {

namespace {

using C = ChemomechanicsConfig;

double ratio(double a, double b) { return b > 0 ? a / b : std::numeric_limits<double>::quiet_NaN(); }

/// Cycle and mean damage where the spread of damage, from its peak on, first is not above `limit`.
std::pair<double, double> first_below(const std::vector<const HalfCycleSummary*>& charged, double limit) {
  const auto peak = std::max_element(charged.begin(), charged.end(),
                                     [](const auto* a, const auto* b) { return a->damage_std < b->damage_std; });
  const auto found = std::find_if(peak, charged.end(), [&](const auto* s) { return s->damage_std <= limit; });
  const double none = std::numeric_limits<double>::quiet_NaN();
  if (found == charged.end()) return {none, none};
  return {static_cast<double>((*found)->cycle), (*found)->damage_mean};
}

StudyOutcome outcome_from_summaries(const std::vector<HalfCycleSummary>& all) {
  std::vector<const HalfCycleSummary*> charged;
  for (const auto& s : all)
    if (s.half == HalfCycle::charge) charged.push_back(&s);
  const auto &first = *charged.front(), &last = *charged.back();
  StudyOutcome o;
  for (const auto* s : charged) o.damage_std_peak = std::max(o.damage_std_peak, s->damage_std);
  o.x_std_first = first.x_std;
  o.x_std_last = last.x_std;
  o.x_ratio = ratio(last.x_std, first.x_std);
  o.damage_std_last = last.damage_std;
  o.damage_ratio = ratio(last.damage_std, o.damage_std_peak);
  o.variation_ratio = ratio(last.damage_variation, first.damage_variation);
  o.damage_mean_first = first.damage_mean;
  o.damage_mean_last = last.damage_mean;
  o.voltage_last = last.voltage;
  std::tie(o.sync_cycle, o.damage_mean_sync) = first_below(charged, o.damage_std_peak / 4);
  std::tie(o.together_cycle, o.damage_mean_together) = first_below(charged, together_std);
  return o;
}

/// Grows a list of runs, each the base with one change.
class Runs {
 public:
  explicit Runs(const C& base) : base_(base) {}
  void add(const std::string& name, const std::function<void(C&)>& change) {
    StudyRun run{name, base_};
    change(run.config);
    list_.push_back(std::move(run));
  }
  void add_values(const std::string& name, double& (*member)(C&), std::initializer_list<double> values) {
    for (const double v : values) add(name + " " + text_of(v), [&](C& c) { member(c) = v; });
  }
  std::vector<StudyRun> take() { return std::move(list_); }

 private:
  const C& base_;
  std::vector<StudyRun> list_;
};

/// Contrast in the conductivity alone, with a drop of 0.2 V through the poor binder at the mean current of 5C.
void make_ohmic(C& c) {
  c.kinetics.chi = 1;
  c.geometry.ohmic_path_um = 20;
  c.materials.sigma_low_S_m = 1e-3;
}

double mean_of_values(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

double deviation(const std::vector<double>& v) {
  const double mean = mean_of_values(v);
  double sum = 0;
  for (const double x : v) sum += (x - mean) * (x - mean);
  return v.size() > 1 ? std::sqrt(sum / static_cast<double>(v.size() - 1)) : std::numeric_limits<double>::quiet_NaN();
}

double value_at(const EstimatedParameter& p, double share) {
  return p.logarithmic ? p.low * std::pow(p.high / p.low, share) : p.low + share * (p.high - p.low);
}

constexpr int bootstraps = 1000;

/// 95 % interval of the mean magnitude under resampling of the effects.
std::pair<double, double> bootstrap_interval(const std::vector<double>& magnitudes, std::uint64_t seed,
                                             std::uint64_t item) {
  Stream random(seed, {"chemomechanics", "morris bootstrap"}, item);
  std::vector<double> means;
  for (int b = 0; b < bootstraps; ++b) {
    double sum = 0;
    for (std::size_t k = 0; k < magnitudes.size(); ++k) sum += magnitudes[random.below(magnitudes.size())];
    means.push_back(sum / static_cast<double>(magnitudes.size()));
  }
  std::sort(means.begin(), means.end());
  return {means[bootstraps / 40], means[bootstraps - 1 - bootstraps / 40]};
}

struct OutcomeColumn {
  const char* name;
  double StudyOutcome::*member;
};

constexpr OutcomeColumn outcome_columns[] = {{"x_std_first", &StudyOutcome::x_std_first},
                                             {"x_std_last", &StudyOutcome::x_std_last},
                                             {"x_ratio", &StudyOutcome::x_ratio},
                                             {"damage_std_peak", &StudyOutcome::damage_std_peak},
                                             {"damage_std_last", &StudyOutcome::damage_std_last},
                                             {"damage_ratio", &StudyOutcome::damage_ratio},
                                             {"variation_ratio", &StudyOutcome::variation_ratio},
                                             {"damage_mean_first", &StudyOutcome::damage_mean_first},
                                             {"damage_mean_last", &StudyOutcome::damage_mean_last},
                                             {"voltage_last", &StudyOutcome::voltage_last},
                                             {"sync_cycle", &StudyOutcome::sync_cycle},
                                             {"damage_mean_sync", &StudyOutcome::damage_mean_sync},
                                             {"together_cycle", &StudyOutcome::together_cycle},
                                             {"damage_mean_together", &StudyOutcome::damage_mean_together}};

constexpr OutcomeColumn morris_outputs[] = {{"x_ratio", &StudyOutcome::x_ratio},
                                            {"damage_ratio", &StudyOutcome::damage_ratio},
                                            {"variation_ratio", &StudyOutcome::variation_ratio},
                                            {"damage_mean_first", &StudyOutcome::damage_mean_first}};

/// Change of an output over a parameter's whole range, for each trajectory where both runs have numbers. The design's step
/// is two thirds of the range.
std::vector<double> effects(const MorrisDesign& design, const std::vector<StudyOutcome>& outcomes,
                            std::size_t parameter, double StudyOutcome::*member) {
  std::vector<double> list;
  for (std::size_t r = 1; r < design.runs.size(); ++r) {
    if (design.changed[r] != parameter) continue;
    const double change = outcomes[r].*member - outcomes[r - 1].*member;
    if (std::isfinite(change) && outcomes[r].failure.empty() && outcomes[r - 1].failure.empty())
      list.push_back(design.direction[r] * change * 1.5);
  }
  return list;
}

}  // namespace

StudyOutcome outcome_of(const C& config, std::uint64_t seed, const Context& context) {
  const NetworkModel model = network_of(config, seed);
  NetworkState state = initial_state(model);
  try {
    run_network(
        model, state, [](const NetworkState&, const StepFacts&) {}, context);
  } catch (const Error& e) {
    if (e.exit() != Exit::not_converged) throw;
    StudyOutcome failed;
    for (const auto& column : outcome_columns) failed.*column.member = std::numeric_limits<double>::quiet_NaN();
    failed.failure = e.what();
    return failed;
  }
  return outcome_from_summaries(state.summaries);
}

std::vector<StudyRun> law_comparison(const C& base) {
  Runs runs(base);
  for (const char* mode : {"contact", "ohmic"})
    for (const char* law : {"reversion", "none", "scale_all", "multiply", "film"})
      runs.add(fmt::format("{} {}", mode, law), [&](C& c) {
        c.kinetics.feedback = law;
        if (c.kinetics.film_ohm_m2 == 0) c.kinetics.film_ohm_m2 = 0.002;
        if (mode[0] == 'o') make_ohmic(c);
      });
  return runs.take();
}

std::vector<StudyRun> parameter_study(const C& base) {
  Runs runs(base);
  runs.add("base", [](C&) {});
  runs.add_values("S", [](C& c) -> double& { return c.cohesive.S; }, {0.25, 1, 2});
  runs.add_values("C_f", [](C& c) -> double& { return c.cohesive.C_f; }, {0, 0.5, 0.7});
  runs.add_values("p", [](C& c) -> double& { return c.cohesive.p; }, {0.5, 2});
  runs.add_values("chi", [](C& c) -> double& { return c.kinetics.chi; }, {0.02, 0.2, 0.5});
  runs.add_values("i00", [](C& c) -> double& { return c.kinetics.i00_A_m2; }, {0.5, 5});
  runs.add_values("G_c", [](C& c) -> double& { return c.cohesive.toughness_J_m2; }, {0.15, 0.5, 1});
  runs.add_values("T_max", [](C& c) -> double& { return c.cohesive.strength_MPa; }, {5, 15});
  runs.add("T_max 20, G_c 0.6", [](C& c) { c.cohesive.strength_MPa = 20, c.cohesive.toughness_J_m2 = 0.6; });
  runs.add_values("K0", [](C& c) -> double& { return c.cohesive.stiffness_Pa_m; }, {1e16, 1e17});
  runs.add_values("x_end", [](C& c) -> double& { return c.protocol.x_end; }, {0.25, 0.35});
  runs.add_values("charge_C", [](C& c) -> double& { return c.protocol.charge_C; }, {1, 2, 8});
  runs.add_values("radius_um", [](C& c) -> double& { return c.geometry.radius_um; }, {2, 3, 8});
  runs.add_values("binder_GPa", [](C& c) -> double& { return c.materials.binder_GPa; }, {0.5, 5});
  runs.add_values("a2", [](C& c) -> double& { return c.materials.a2; }, {0.035, 0.065});
  runs.add("E(x), slope 0.5", [](C& c) { c.materials.particle_modulus_slope = 0.5; });
  runs.add("D(x) of O'Regan", [](C& c) { c.materials.diffusivity_law = "oregan2022"; });
  runs.add("cyclic law off", [](C& c) { c.cohesive.cyclic = false; });
  for (const int n : {10, 30, 100})
    runs.add(fmt::format("N {}", n), [&](C& c) {
      c.geometry.particles = n;
      c.geometry.coverage.distribution = "uniform";
    });
  return runs.take();
}

std::vector<StudyRun> coverage_study(const C& base) {
  Runs runs(base);
  const std::pair<const char*, std::function<void(C&)>> laws[] = {
      {"as configured", [](C&) {}},
      {"no feedback", [](C& c) { c.kinetics.feedback = "none"; }},
      {"C_f 0.7", [](C& c) { c.cohesive.C_f = 0.7; }}};
  for (const auto& [law, change] : laws)
    for (int k = 1; k <= 9; ++k)
      runs.add(fmt::format("{}, spread {}", law, text_of(k / 20.0)), [&](C& c) {
        auto& g = c.geometry;
        g.particles = 10;
        g.coverage = {};
        g.coverage.values.clear();
        for (int i = 0; i < 10; ++i) g.coverage.values.push_back(0.5 + k / 20.0 * (2 * i - 9) / 9);
        change(c);
      });
  return runs.take();
}

const std::vector<EstimatedParameter>& estimated_parameters() {
  static const std::vector<EstimatedParameter> list{
      {"geometry.radius_um", 3, 8, true, [](C& c) -> double& { return c.geometry.radius_um; }},
      {"materials.diffusivity_m2_s", 1.5e-14, 1e-13, true,
       [](C& c) -> double& { return c.materials.diffusivity_m2_s; }},
      {"materials.binder_GPa", 1, 5, true, [](C& c) -> double& { return c.materials.binder_GPa; }},
      {"materials.a1", 0.01, 0.03, false, [](C& c) -> double& { return c.materials.a1; }},
      {"materials.a2", 0.035, 0.065, false, [](C& c) -> double& { return c.materials.a2; }},
      {"materials.xs", 0.2, 0.28, false, [](C& c) -> double& { return c.materials.xs; }},
      {"materials.ws", 0.03, 0.07, false, [](C& c) -> double& { return c.materials.ws; }},
      {"kinetics.i00_A_m2", 0.5, 5, true, [](C& c) -> double& { return c.kinetics.i00_A_m2; }},
      {"kinetics.chi", 0.01, 0.5, true, [](C& c) -> double& { return c.kinetics.chi; }},
      {"cohesive.strength_MPa", 5, 20, true, [](C& c) -> double& { return c.cohesive.strength_MPa; }},
      {"cohesive.toughness_J_m2", 0.2, 0.6, true, [](C& c) -> double& { return c.cohesive.toughness_J_m2; }},
      {"cohesive.S", 0.25, 2, true, [](C& c) -> double& { return c.cohesive.S; }},
      {"cohesive.C_f", 0, 0.7, false, [](C& c) -> double& { return c.cohesive.C_f; }},
      {"cohesive.p", 0.5, 2, false, [](C& c) -> double& { return c.cohesive.p; }},
      {"protocol.charge_C", 1, 8, true, [](C& c) -> double& { return c.protocol.charge_C; }},
      {"protocol.x_end", 0.25, 0.35, false, [](C& c) -> double& { return c.protocol.x_end; }}};
  return list;
}

MorrisDesign morris_design(const C& base, int trajectories, std::uint64_t seed) {
  const auto& parameters = estimated_parameters();
  const std::size_t count = parameters.size();
  MorrisDesign design;
  for (int t = 0; t < trajectories; ++t) {
    Stream random(seed, {"chemomechanics", "morris"}, static_cast<std::uint64_t>(t));
    std::vector<int> level(count);  // of 0..3; a step goes two levels
    for (int& l : level) l = static_cast<int>(random.below(4));
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    random.shuffle(order.begin(), order.end());
    const auto add = [&](std::size_t changed, int direction) {
      StudyRun run{fmt::format("trajectory {} step {}", t + 1, design.runs.size() % (count + 1)), base};
      for (std::size_t p = 0; p < count; ++p)
        parameters[p].member(run.config) = value_at(parameters[p], level[p] / 3.0);
      design.runs.push_back(std::move(run));
      design.changed.push_back(changed);
      design.direction.push_back(direction);
    };
    add(count, 0);
    for (const std::size_t p : order) {
      const int direction = level[p] < 2 ? 1 : -1;
      level[p] += 2 * direction;
      add(p, direction);
    }
  }
  return design;
}

Table morris_table(const MorrisDesign& design, const std::vector<StudyOutcome>& outcomes, std::uint64_t seed) {
  const auto& parameters = estimated_parameters();
  Table t;
  for (const char* name : {"output", "parameter"}) t.columns.push_back({name, "", "", {}, {}, {}});
  for (const char* name : {"low", "high", "mean", "mean_magnitude", "ci_low", "ci_high", "std", "effects"})
    t.columns.push_back({name, "", "", {}, {}, {}});
  for (const auto& output : morris_outputs)
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const auto list = effects(design, outcomes, p, output.member);
      std::vector<double> magnitudes;
      for (const double e : list) magnitudes.push_back(std::abs(e));
      const double none = std::numeric_limits<double>::quiet_NaN();
      const auto interval = list.empty() ? std::pair{none, none} : bootstrap_interval(magnitudes, seed, p);
      t.columns[0].texts.emplace_back(output.name);
      t.columns[1].texts.push_back(parameters[p].name);
      const double row[] = {parameters[p].low,
                            parameters[p].high,
                            list.empty() ? none : mean_of_values(list),
                            list.empty() ? none : mean_of_values(magnitudes),
                            interval.first,
                            interval.second,
                            deviation(list),
                            static_cast<double>(list.size())};
      for (std::size_t c = 0; c < std::size(row); ++c) t.columns[2 + c].numbers.push_back(row[c]);
    }
  return t;
}

Table outcome_table(const std::vector<StudyRun>& runs, const std::vector<StudyOutcome>& outcomes) {
  Table t;
  t.columns.push_back({"run", "", "", {}, {}, {}});
  for (const auto& run : runs) t.columns[0].texts.push_back(run.name);
  for (const auto& column : outcome_columns) {
    Column c{column.name, "", "", {}, {}, {}};
    for (const auto& o : outcomes) c.numbers.push_back(o.*column.member);
    t.columns.push_back(std::move(c));
  }
  Column failure{"failure", "", "", {}, {}, {}};
  for (const auto& o : outcomes) failure.texts.push_back(o.failure);
  t.columns.push_back(std::move(failure));
  return t;
}

StudyOutcome outcome_from(const Table& row) {
  StudyOutcome o;
  for (const auto& column : outcome_columns) o.*column.member = row.numbers(column.name).at(0);
  // An empty field reads as a missing number.
  const Column* failure = row.find("failure");
  if (failure != nullptr && !failure->texts.empty()) o.failure = failure->texts[0];
  return o;
}

}  // namespace cathoscope
