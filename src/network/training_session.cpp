#include "training_session.hpp"

#include "weights_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/io/files.hpp>

#include <torch/csrc/autograd/autograd.h>
#include <torch/utils.h>

#include <algorithm>
#include <limits>

namespace cathoscope {

namespace fs = std::filesystem;

fs::path beside(const fs::path& output, const std::string& ending) {
  return output.parent_path() / (output.stem().string() + ending);
}

namespace {

/// First and past-the-last sample of each micro-batch. The last one takes the odd sample: libtorch hands small images
/// that come alone to a BLAS, whose threads and vendor are not ours.
std::vector<std::pair<std::int64_t, std::int64_t>> micro_batches(std::int64_t samples) {
  constexpr std::int64_t each = 2;
  std::vector<std::pair<std::int64_t, std::int64_t>> parts;
  for (std::int64_t at = 0; at + each <= samples; at += each) parts.emplace_back(at, at + each);
  if (parts.empty() && samples > 0) parts.emplace_back(0, samples);
  if (!parts.empty()) parts.back().second = samples;
  return parts;
}

void add_to(std::array<double, 4>& sum, const std::array<double, 4>& values) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += values[i];
}

std::vector<torch::Tensor> copies_on(const std::vector<torch::Tensor>& tensors, const torch::Device& device,
                                     bool zero) {
  std::vector<torch::Tensor> copies;
  for (const auto& t : tensors) {
    auto copy = zero ? torch::zeros_like(t) : t.clone();
    if (copy.dim() == 4) copy = copy.contiguous(torch::MemoryFormat::ChannelsLast);
    copies.push_back(copy.to(device));
  }
  return copies;
}

}  // namespace

TrainingSession::TrainingSession(const TrainingRequest& request, const TrainingSources& sources, const Context& context,
                                 const std::string& key, const torch::Device& device)
    : request_(request),
      sources_(sources),
      context_(context),
      settings_(request.settings),
      shape_(network_shape(request.settings.profile)),
      device_(device) {
  compute_on_this_thread_only();
  if (auto found = load_checkpoint(beside(request.output, ".checkpoint.h5"), key, shape_)) {
    state_ = std::move(*found);
    state_.state.parameters = copies_on(state_.state.parameters, device_, false);
    state_.state.first_moment = copies_on(state_.state.first_moment, device_, false);
    state_.state.second_moment = copies_on(state_.state.second_moment, device_, false);
    if (!state_.curve.empty()) last_point_ = state_.curve.back().iteration;
  } else {
    const auto start = start_tensors();
    state_.key = key;
    state_.state = {0, copies_on(start, device_, false), copies_on(start, device_, true),
                    copies_on(start, device_, true)};
  }
  for (auto& p : state_.state.parameters) p.requires_grad_(true);
  layers_ = layers_of(shape_, state_.state.parameters);
  make_validation_patches();
}

std::vector<torch::Tensor> TrainingSession::start_tensors() const {
  if (!request_.start) return tensors_of(random_network(settings_.profile, shape_, request_.seed).weights().layers);
  const Network start = load_network(*request_.start);
  if (start.metadata().shape != shape_)
    fail(Exit::version, "{}: is not of profile {}; give the profile that it was trained with", request_.start->string(),
         settings_.profile);
  return tensors_of(start.weights().layers);
}

void TrainingSession::make_validation_patches() {
  validation_.resize(sources_.validation_samples);
  parallel_for(static_cast<std::int64_t>(validation_.size()), context_.threads, [&](std::int64_t i) {
    const auto index = static_cast<std::uint64_t>(i);
    Stream random(request_.seed, {"training", "validation"}, index);
    validation_[static_cast<std::size_t>(i)] =
        training_patch(sources_.validation(index), settings_, shape_, Augmentation::none, random);
  });
}

TrainingPatch TrainingSession::patch_of(std::uint64_t index) const {
  Stream random(request_.seed, {"training", "sample"}, index);
  return training_patch(sources_.training(index), settings_, shape_, Augmentation::random, random);
}

TrainingSession::MicroResult TrainingSession::gradients_of(const TrainingPatch* patches, std::int64_t n,
                                                           const BatchNorm& norm) const {
  compute_on_this_thread_only();
  const MicroBatch batch = micro_batch(patches, n, settings_.patch, shape_, device_);
  const LossTerms terms = loss_terms(plain_forward(shape_, layers_, batch.image), batch, norm, shape_);
  return {torch::autograd::grad({total_loss(terms, settings_)}, state_.state.parameters), values_of(terms)};
}

void TrainingSession::step() {
  const auto first_of = [&](std::int64_t iteration) { return static_cast<std::uint64_t>(iteration * settings_.batch); };
  if (batch_.empty()) {
    batch_.resize(static_cast<std::size_t>(settings_.batch));
    parallel_for(settings_.batch, context_.threads, [&](std::int64_t i) {
      batch_[static_cast<std::size_t>(i)] = patch_of(first_of(state_.state.iteration) + static_cast<std::uint64_t>(i));
    });
  }
  // Gradients of this step and samples of the next one are independent work: together they keep all threads busy.
  const auto parts = micro_batches(settings_.batch);
  const auto micros = static_cast<std::int64_t>(parts.size());
  const bool last = state_.state.iteration + 1 == settings_.iterations;
  const BatchNorm norm = batch_norm(batch_);
  std::vector<MicroResult> results(static_cast<std::size_t>(micros));
  std::vector<TrainingPatch> next(last ? 0 : batch_.size());
  parallel_for(micros + static_cast<std::int64_t>(next.size()), context_.threads, [&](std::int64_t i) {
    if (i < micros) {
      const auto [begin, end] = parts[static_cast<std::size_t>(i)];
      results[static_cast<std::size_t>(i)] = gradients_of(batch_.data() + begin, end - begin, norm);
    } else {
      const auto k = static_cast<std::uint64_t>(i - micros);
      next[k] = patch_of(first_of(state_.state.iteration + 1) + k);
    }
  });
  auto& gradients = results.front().gradients;
  add_to(state_.sums, results.front().terms);
  for (std::size_t m = 1; m < results.size(); ++m) {
    for (std::size_t p = 0; p < gradients.size(); ++p) gradients[p].add_(results[m].gradients[p]);
    add_to(state_.sums, results[m].terms);
  }
  take_step(state_.state, gradients, settings_);
  batch_ = std::move(next);
}

std::array<double, 4> TrainingSession::validation_terms() const {
  std::array<double, 4> sum{};
  if (validation_.empty()) sum.fill(std::numeric_limits<double>::quiet_NaN());
  const auto n = static_cast<std::int64_t>(validation_.size());
  const BatchNorm norm = batch_norm(validation_);
  const auto parts = micro_batches(n);
  std::vector<std::array<double, 4>> terms(parts.size());
  parallel_for(static_cast<std::int64_t>(terms.size()), context_.threads, [&](std::int64_t i) {
    compute_on_this_thread_only();
    const torch::NoGradGuard no_grad;
    const auto [begin, end] = parts[static_cast<std::size_t>(i)];
    const MicroBatch batch = micro_batch(validation_.data() + begin, end - begin, settings_.patch, shape_, device_);
    terms[static_cast<std::size_t>(i)] =
        values_of(loss_terms(plain_forward(shape_, layers_, batch.image), batch, norm, shape_));
  });
  for (const auto& t : terms) add_to(sum, t);
  return sum;
}

void TrainingSession::add_curve_point() {
  const std::int64_t iteration = state_.state.iteration;
  CurvePoint p{iteration, learning_rate(settings_, iteration - 1), state_.sums, validation_terms()};
  for (auto& v : p.training) v /= static_cast<double>(std::max<std::int64_t>(1, iteration - last_point_));
  state_.curve.push_back(p);
  state_.sums = {};
  last_point_ = iteration;
}

double TrainingSession::seconds() const {
  return state_.seconds + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void TrainingSession::save() {
  Checkpoint copy = state_;
  copy.seconds = seconds();
  save_checkpoint(copy, beside(request_.output, ".checkpoint.h5"));
  write_atomically(beside(request_.output, ".curve.csv"), curve_csv(state_.curve));
  write_atomically(beside(request_.output, ".curve.svg"), curve_svg(state_.curve));
}

void TrainingSession::run() {
  context_.progress.begin("training", static_cast<std::uint64_t>(settings_.iterations));
  auto& done = state_.state.iteration;
  try {
    context_.progress.advance(static_cast<std::uint64_t>(done));
    while (done < settings_.iterations) {
      step();
      if (done % settings_.checkpoint_every == 0 || done == settings_.iterations) {
        add_curve_point();
        save();
      }
      context_.progress.advance();
    }
  } catch (const Error& e) {
    if (e.exit() == Exit::interrupted) save();
    throw;
  }
}

std::vector<Layer> TrainingSession::layers() const {
  std::vector<torch::Tensor> tensors;
  for (const auto& p : state_.state.parameters) tensors.push_back(p.detach().to(torch::kCPU).contiguous());
  return layers_of(shape_, tensors);
}

}  // namespace cathoscope
