#include "particle_pass.hpp"

#include "block_cache.hpp"
#include "components.hpp"
#include "fields3.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <numeric>

namespace cathoscope::attributes {

namespace {

/// Masks, three fields and the raw values of a box.
constexpr std::uint64_t bytes_per_box_voxel = 32;

/// Lets tasks run while their boxes fit into memory together. Each must fit alone.
class MemoryGate {
 public:
  explicit MemoryGate(std::uint64_t bytes) : free_(bytes) {}

  template <class F>
  void with(std::uint64_t bytes, const F& f) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return free_ >= bytes; });
      free_ -= bytes;
    }
    const auto give_back = [&] {
      const std::scoped_lock lock(mutex_);
      free_ += bytes;
      changed_.notify_all();
    };
    try {
      f();
    } catch (...) {
      give_back();
      throw;
    }
    give_back();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t free_;
};

/// Interleaved bits of a block index: neighbours in space are near in order, so decoded blocks are used again.
std::uint64_t morton(const Index3& block) {
  std::uint64_t key = 0;
  for (int bit = 0; bit < 20; ++bit)
    for (std::size_t axis = 0; axis < 3; ++axis)
      key |= (static_cast<std::uint64_t>(block[axis] >> bit) & 1) << (3 * bit + static_cast<int>(2 - axis));
  return key;
}

std::vector<std::uint32_t> spatial_order(const std::vector<Box>& boxes) {
  std::vector<std::uint64_t> keys(boxes.size(), 0);
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < boxes.size(); ++i) {
    const Box& b = boxes[i];
    if (b.empty()) continue;
    keys[i] = morton({(b.begin[0] + b.end[0]) / 128, (b.begin[1] + b.end[1]) / 128, (b.begin[2] + b.end[2]) / 128});
    order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
  return order;
}

AttributeInputs cached_inputs(const AttributeInputs& inputs, std::uint64_t bytes) {
  AttributeInputs c = inputs;
  c.labels = cached(inputs.labels, bytes * 4 / 10);
  if (inputs.cracks.read) c.cracks = cached(inputs.cracks, bytes / 10);
  if (inputs.field_of_view) c.field_of_view = cached(*inputs.field_of_view, bytes / 10);
  if (inputs.grey) c.grey = cached(*inputs.grey, bytes * 4 / 10);
  return c;
}

Index3 margin_of(const AttributesConfig& config, const Vec3& h) {
  Index3 margin = roughness_reach(h, config.roughness_sigma_um);
  for (std::size_t i = 0; i < 3; ++i)
    margin[i] = std::max(margin[i], static_cast<std::int64_t>(std::ceil(config.contact_distance_um / h[i])) + 2);
  return margin;
}

double mean_of(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

/// Mean and standard deviation (ddof 1) of the grey values of P eroded by a voxel.
void measure_eroded(const Neighbourhood& n, ParticleDetails& d) {
  std::vector<double> values;
  const Index3& s = n.solid.shape();
  for_each_set(eroded(n.solid), [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    values.push_back(n.grey[static_cast<std::size_t>((z * s[1] + y) * s[2] + x)]);
  });
  if (values.empty()) return;
  d.eroded_mean = mean_of(values);
  if (values.size() < 2) return;
  double squares = 0;
  for (const double v : values) squares += (v - d.eroded_mean) * (v - d.eroded_mean);
  d.eroded_std = std::sqrt(squares / static_cast<double>(values.size() - 1));
}

/// Share of the crack volume in cracks (6 neighbours) that share a face with the outside.
double open_share(const Neighbourhood& n) {
  if (!n.cracks.any()) return missing;
  const Components cracks = components_of(n.cracks, Connectivity::faces);
  const BitMask mouths = dilated(n.matrix | n.others) & n.cracks;
  std::vector<bool> open(cracks.count, false);
  for (const ComponentRun& run : cracks.runs)
    for (std::int64_t x = run.begin; x < run.end && !open[run.component]; ++x)
      if (mouths.at(run.z, run.y, x)) open[run.component] = true;
  return static_cast<double>(selected(cracks, open, n.cracks.shape()).count()) / static_cast<double>(n.cracks.count());
}

double outer_area(const PassOne& streamed, std::uint32_t label) {
  const OwnAreas& a = streamed.particles[label - 1].areas;
  return static_cast<double>(a.solid_matrix + a.crack_matrix + a.solid_face + a.crack_face) * streamed.weights.unit;
}

/// SurfOuter by label - 1: what faces the matrix, the physical faces and other particles.
std::vector<double> outer_areas(const PassOne& streamed) {
  std::vector<double> areas(streamed.particles.size());
  for (std::uint32_t i = 0; i < areas.size(); ++i) areas[i] = outer_area(streamed, i + 1);
  for (const Contact& c : streamed.contacts) {
    areas[c.first - 1] += static_cast<double>(c.total()) * streamed.weights.unit;
    areas[c.second - 1] += static_cast<double>(c.total()) * streamed.weights.unit;
  }
  return areas;
}

std::uint64_t bytes_for(const Box& box) { return static_cast<std::uint64_t>(box.size()) * bytes_per_box_voxel; }

/// Before the pass starts: memory decides whether there is a result, never what it is.
void require_memory(const AttributeInputs& inputs, const std::vector<Box>& boxes, const Index3& margin,
                    std::uint64_t budget, const Context& context) {
  std::size_t worst = 0, too_large = 0;
  Box largest;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (boxes[i].empty()) continue;
    const Box box = grown(boxes[i], margin, inputs.labels.shape);
    if (bytes_for(box) <= budget) continue;
    ++too_large;
    if (box.size() > largest.size()) worst = i, largest = box;
  }
  if (too_large == 0) return;
  const double gib = 1 << 30;
  fail(
      Exit::no_memory,
      "attributes: particle {} lies in a box of {} voxels{}; measuring it needs {} of memory, and {} are allowed, half "
      "of the {} of this stage. Raise --memory to {:.2f} (GiB), or look whether it is one particle",
      inputs.label_ids[worst], largest.size(),
      too_large > 1 ? fmt::format(" (the largest of {} that are too large)", too_large) : "",
      bytes_text(static_cast<double>(bytes_for(largest))), bytes_text(static_cast<double>(budget)),
      bytes_text(static_cast<double>(context.memory_bytes)),
      std::ceil(200 * static_cast<double>(bytes_for(largest)) / gib) / 100);
}

/// What a plane has as well.
ParticleDetails measure_in_plane(const Neighbourhood& n) {
  ParticleDetails d;
  d.components = components_of(n.envelope, Connectivity::corners).count;
  d.open_crack_share = open_share(n);
  if (!n.grey.empty()) measure_eroded(n, d);
  return d;
}

ParticleDetails measure(const AttributesConfig& config, const Neighbourhood& n, double outer, double inner,
                        const std::optional<GreyLevels>& levels, bool phases, const CroftonWeights& weights) {
  ParticleDetails d = measure_in_plane(n);
  d.contact = contact_share(n, config.contact_distance_um, outer, weights);
  // of one level outside nobody knows whether it is binder or pore
  if (!n.grey.empty() && levels && levels->bimodal) d.binder_contact = binder_share(n, *levels, outer, weights);
  const Roughness r = roughness_of(n, config.roughness_sigma_um, phases, inner, weights);
  d.rough_outer = r.outer, d.rough_inner = r.inner, d.rough_outer_legacy = r.outer_legacy;
  d.rough_from_grey = r.from_grey, d.edge_blur_um = r.edge_blur_um;
  return d;
}

}  // namespace

Neighbourhood neighbourhood_of(const AttributeInputs& inputs, std::uint32_t label, const Box& box) {
  const Index3 shape = box.shape();
  const auto size = static_cast<std::size_t>(box.size());
  Neighbourhood n;
  n.box = box;
  n.voxel_size_um = inputs.labels.voxel_size_um;
  const std::unique_ptr<std::uint32_t[]> labels(new std::uint32_t[size]);
  inputs.labels.read(box, labels.get());
  n.envelope = mask_where(labels.get(), shape, [label](std::uint32_t v) { return v == label; });
  const BitMask particles = mask_where(labels.get(), shape, [](std::uint32_t v) { return v != 0; });
  n.others = particles - n.envelope;
  n.matrix = complement(particles);
  const std::unique_ptr<std::uint8_t[]> flags(new std::uint8_t[size]);
  if (inputs.field_of_view) {
    inputs.field_of_view->read(box, flags.get());
    n.matrix = n.matrix & mask_where(flags.get(), shape, [](std::uint8_t v) { return v != 0; });
  }
  n.cracks = BitMask(shape);
  if (inputs.cracks.read) {
    inputs.cracks.read(box, flags.get());
    n.cracks = n.envelope & mask_where(flags.get(), shape, [](std::uint8_t v) { return v != 0; });
  }
  n.solid = n.envelope - n.cracks;
  if (inputs.grey) {
    n.grey.resize(size);
    inputs.grey->read(box, n.grey.data());
  }
  return n;
}

double contact_share(const Neighbourhood& n, double contact_distance_um, double outer_area_um2,
                     const CroftonWeights& weights) {
  if (outer_area_um2 <= 0) return missing;
  if (!n.others.any()) return 0;
  // three steps through faces reach every voxel that shares a corner
  const BitMask shell = dilated(dilated(dilated(n.envelope))) & (n.matrix | n.others);
  const BitMask near = within(n.others, n.voxel_size_um, contact_distance_um, shell);
  return area_of(count_pairs(n.envelope, near), weights) / outer_area_um2;
}

namespace {

Box moved(Box box, const Index3& origin) {
  for (std::size_t i = 0; i < 3; ++i) {
    box.begin[i] -= origin[i];
    box.end[i] -= origin[i];
  }
  return box;
}

/// weight (grey - limit), where `weight` covers `box` of the neighbourhood.
Field weight_times_grey(const Field& weight, const Neighbourhood& n, const Box& box, float limit) {
  Field value = weight;
  const Index3 s = n.envelope.shape(), size = box.shape();
  for (std::int64_t z = 0; z < size[0]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y) {
      const float* grey = n.grey.data() + ((z + box.begin[0]) * s[1] + y + box.begin[1]) * s[2] + box.begin[2];
      float* row = value.row(z, y);
      for (std::int64_t x = 0; x < size[2]; ++x) row[x] *= grey[x] - limit;
    }
  return value;
}

/// Phases: voxels of the active phase that belong to no particle of the label volume.
BitMask unlabelled_solid(const Neighbourhood& n, const GreyLevels& levels) {
  const auto active = static_cast<float>(levels.solid);
  return n.matrix & mask_where(n.grey.data(), n.envelope.shape(), [active](float v) { return v == active; });
}

}  // namespace

double binder_share(const Neighbourhood& n, const GreyLevels& levels, double outer_area_um2,
                    const CroftonWeights& weights) {
  if (outer_area_um2 <= 0) return missing;
  const BitMask particles = n.envelope | n.others;
  const BitMask matrix = levels.phases ? n.matrix - unlabelled_solid(n, levels) : n.matrix;
  const BitMask clear = levels.phases ? matrix : matrix - dilated(dilated(particles));
  const double sigma = 2 * std::cbrt(n.voxel_size_um[0] * n.voxel_size_um[1] * n.voxel_size_um[2]);
  const Vec3 sigmas{sigma, sigma, sigma};
  const Box rim = grown(bounds_of(n.envelope), {1, 1, 1}, n.envelope.shape());
  const Box box = grown(rim, smoothing_reach(n.voxel_size_um, sigma), n.envelope.shape());
  Field weight = field_of(cropped(clear, box));
  Field value = weight_times_grey(weight, n, box, static_cast<float>(levels.binder_limit));
  const Box wanted = moved(rim, box.begin);
  weight = smoothed(std::move(weight), n.voxel_size_um, sigmas, wanted);
  value = smoothed(std::move(value), n.voxel_size_um, sigmas, wanted);
  const auto above = [](const Field& field, float limit) {
    return mask_where(field.values.data(), field.shape, [limit](float v) { return v > limit; });
  };
  const BitMask binder = above(value, 0) & above(weight, 1e-3F) & cropped(matrix, box);  // the weighted mean is above 0
  return area_of(count_pairs(cropped(n.envelope, box), binder), weights) / outer_area_um2;
}

namespace {

/// What of pass 1 pass 2 looks at. The same on every rank.
struct Facts {
  std::vector<Box> boxes;     ///< by label - 1; empty where a label has no voxel
  std::vector<double> outer;  ///< areas, um2
  std::vector<double> inner;
  std::optional<GreyLevels> levels;
};

Facts facts_of(const PassOne& streamed, const std::optional<GreyLevels>& levels) {
  Facts facts{{}, outer_areas(streamed), {}, levels};
  for (const ParticleSums& p : streamed.particles) {
    facts.boxes.push_back(p.voxels > 0 ? p.box() : Box{});
    facts.inner.push_back(static_cast<double>(p.areas.inner) * streamed.weights.unit);
  }
  return facts;
}

std::string packed(const Facts& facts) {
  Packed bytes;
  bytes << facts.boxes << facts.outer << facts.inner << facts.levels.has_value() << facts.levels.value_or(GreyLevels{});
  return bytes.take();
}

Facts unpacked_facts(const std::string& bytes) {
  Facts facts;
  bool known = false;
  GreyLevels levels;
  Unpacked(bytes) >> facts.boxes >> facts.outer >> facts.inner >> known >> levels;
  if (known) facts.levels = levels;
  return facts;
}

/// Measures particles of one electrode on one rank.
class ParticlePass {
 public:
  ParticlePass(const AttributesConfig& config, const AttributeInputs& inputs, Facts facts, const Context& context)
      : config_(config),
        source_(cached_inputs(inputs, context.memory_bytes / 3)),
        facts_(std::move(facts)),
        margin_(margin_of(config, inputs.labels.voxel_size_um)),
        weights_(inputs.two_dimensional ? crofton_weights_in_plane(inputs.labels.voxel_size_um)
                                        : crofton_weights(inputs.labels.voxel_size_um)),
        context_(context),
        gate_(context.memory_bytes / 2),
        order_(spatial_order(facts_.boxes)) {
    if (facts_.boxes.size() != inputs.label_ids.size())
      fail(Exit::data, "this rank reads {} particles where the first one has {}", inputs.label_ids.size(),
           facts_.boxes.size());
    require_memory(source_, facts_.boxes, margin_, context.memory_bytes / 2, context);
  }

  [[nodiscard]] const std::vector<std::uint32_t>& order() const { return order_; }
  [[nodiscard]] Box box(std::uint32_t i) const { return grown(facts_.boxes[i], margin_, source_.labels.shape); }

  /// Of the particles [begin, end) in their order.
  std::vector<ParticleDetails> measured(std::int64_t begin, std::int64_t end) {
    std::vector<ParticleDetails> details(static_cast<std::size_t>(end - begin));
    parallel_for(end - begin, context_.threads, [&](std::int64_t k) {
      const std::uint32_t i = order_[static_cast<std::size_t>(begin + k)];
      gate_.with(bytes_for(box(i)), [&] { details[static_cast<std::size_t>(k)] = measured_one(i); });
      context_.progress.advance();
    });
    return details;
  }

 private:
  [[nodiscard]] ParticleDetails measured_one(std::uint32_t i) const {
    const Neighbourhood n = neighbourhood_of(source_, i + 1, box(i));
    if (source_.two_dimensional) return measure_in_plane(n);
    return measure(config_, n, facts_.outer[i], facts_.inner[i], facts_.levels, source_.damage_source == "phases",
                   weights_);
  }

  const AttributesConfig& config_;
  AttributeInputs source_;
  Facts facts_;
  Index3 margin_;
  CroftonWeights weights_;
  const Context& context_;
  MemoryGate gate_;
  std::vector<std::uint32_t> order_;
};

/// Where to cut the order of particles so that every rank has a piece of about equal work, `rounds` times.
std::vector<std::int64_t> cuts(const ParticlePass& pass, std::int64_t pieces) {
  double all = 0;
  for (const std::uint32_t i : pass.order()) all += static_cast<double>(pass.box(i).size());
  std::vector<std::int64_t> cut{0};
  double sum = 0;
  const auto count = static_cast<std::int64_t>(pass.order().size());
  for (std::int64_t k = 0; k < count; ++k) {
    sum += static_cast<double>(pass.box(pass.order()[static_cast<std::size_t>(k)]).size());
    while (static_cast<std::int64_t>(cut.size()) < pieces &&
           sum >= all * static_cast<double>(cut.size()) / static_cast<double>(pieces))
      cut.push_back(k + 1);
  }
  cut.resize(static_cast<std::size_t>(pieces) + 1, count);
  cut.back() = count;
  return cut;
}

/// Every rank measures its piece of each round; what they find, by label - 1.
std::vector<ParticleDetails> shared_details(ParticlePass& pass, std::size_t labels, const Context& context) {
  const std::int64_t ranks = context.ranks.size;
  const auto count = static_cast<std::int64_t>(pass.order().size());
  const std::int64_t rounds = std::clamp<std::int64_t>(count / (32 * ranks * context.threads), 1, 16);
  const std::vector<std::int64_t> cut = cuts(pass, rounds * ranks);
  std::vector<ParticleDetails> details(labels);
  for (std::int64_t round = 0; round < rounds; ++round) {
    const auto first = cut.begin() + round * ranks;
    Packed request;
    request << std::vector<std::int64_t>(first, first + ranks + 1);
    const auto answers = context.ranks.ask("particles", request.take(), [&] {
      Packed mine;
      mine << pass.measured(first[0], first[1]);
      return mine.take();
    });
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      std::vector<ParticleDetails> found;
      Unpacked(answers[static_cast<std::size_t>(rank)]) >> found;
      if (static_cast<std::int64_t>(found.size()) != first[rank + 1] - first[rank])
        fail(Exit::internal, "rank {} measured {} particles of {}", rank, found.size(), first[rank + 1] - first[rank]);
      for (std::size_t k = 0; k < found.size(); ++k)
        details[pass.order()[static_cast<std::size_t>(first[rank]) + k]] = found[k];
      if (rank > 0) context.progress.advance(found.size());
    }
  }
  return details;
}

}  // namespace

std::vector<ParticleDetails> measure_particles(const AttributesConfig& config, const AttributeInputs& inputs,
                                               const PassOne& streamed, const std::optional<GreyLevels>& levels,
                                               const Context& context) {
  Facts facts = facts_of(streamed, levels);
  const std::string bytes = context.ranks.shared() ? packed(facts) : std::string();
  std::optional<ParticlePass> pass;
  on_all(context.ranks, "particle facts", bytes, [&] { pass.emplace(config, inputs, std::move(facts), context); });
  context.progress.begin("attributes: particle by particle", pass->order().size());
  if (context.ranks.shared()) return shared_details(*pass, inputs.label_ids.size(), context);
  const auto found = pass->measured(0, static_cast<std::int64_t>(pass->order().size()));
  std::vector<ParticleDetails> details(streamed.particles.size());
  for (std::size_t k = 0; k < found.size(); ++k) details[pass->order()[k]] = found[k];
  return details;
}

RankTasks particle_tasks(std::int64_t rank, const AttributesConfig& config,
                         const std::function<const AttributeInputs&()>& inputs, const Context& context) {
  const auto pass = std::make_shared<std::optional<ParticlePass>>();
  RankTasks tasks;
  tasks["particle facts"] = [=, &config, &context](const std::string& request) {
    pass->emplace(config, inputs(), unpacked_facts(request), context);
    return std::string();
  };
  tasks["particles"] = [=, &context](const std::string& request) {
    std::vector<std::int64_t> cut;
    Unpacked(request) >> cut;
    const std::int64_t begin = cut.at(static_cast<std::size_t>(rank)), end = cut.at(static_cast<std::size_t>(rank) + 1);
    context.progress.begin("particles", static_cast<std::uint64_t>(end - begin));
    Packed mine;
    mine << pass->value().measured(begin, end);
    return mine.take();
  };
  return tasks;
}

}  // namespace cathoscope::attributes
