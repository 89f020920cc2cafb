#include <cathoscope/pipeline/study_ranks.hpp>

#include "attribute_inputs.hpp"
#include "network_model.hpp"
#include "share_stages.hpp"

#include <cathoscope/attributes/attribute_ranks.hpp>
#include <cathoscope/config/config.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/pipeline/version.hpp>
#include <cathoscope/segmentation/plane_ranks.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>

namespace cathoscope {

namespace {

/// The network of the stage at work.
struct OpenNetwork {
  std::string device;
  std::optional<RunModel> model;
  StarPredictor predict;
};

/// oneDNN and libtorch choose kernels by these, and kernels differ in the last bits.
std::string instruction_sets() {
  std::string text;
  const auto add = [&](const char* name, bool there) {
    if (there) text += std::string(" ") + name;
  };
  add("avx2", __builtin_cpu_supports("avx2") > 0);
  add("fma", __builtin_cpu_supports("fma") > 0);
  add("avx512f", __builtin_cpu_supports("avx512f") > 0);
  add("avx512bw", __builtin_cpu_supports("avx512bw") > 0);
  add("avx512vl", __builtin_cpu_supports("avx512vl") > 0);
  add("avx512dq", __builtin_cpu_supports("avx512dq") > 0);
  add("avx512vnni", __builtin_cpu_supports("avx512vnni") > 0);
  for (const char* limit : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY"})
    if (const char* value = std::getenv(limit)) text += std::string(" ") + limit + "=" + value;
  return text.empty() ? "x86-64-v2" : text.substr(1);
}

std::string input_text(const ElectrodeInputs& in) {
  return fmt::format("input: {} x {} x {} voxels of {} x {} x {} um, {} rows\n", in.shape[0], in.shape[1], in.shape[2],
                     in.binned_um[0], in.binned_um[1], in.binned_um[2], in.table ? in.table->rows() : 0);
}

struct Difference {
  std::string first, other;
};

Difference first_difference(const std::string& a, const std::string& b) {
  std::istringstream first(a), other(b);
  Difference d;
  bool more = true;
  while (more && d.first == d.other) {
    const bool one = static_cast<bool>(std::getline(first, d.first));
    const bool two = static_cast<bool>(std::getline(other, d.other));
    if (!one) d.first = "nothing more";
    if (!two) d.other = "nothing more";
    more = one || two;
  }
  return d;
}

}  // namespace

RankFacts rank_facts(const Config& config, const std::vector<ElectrodeInputs>& inputs) {
  RankFacts facts{version_text() + " (" + git_text() + ")", {}, {}};
  if (config.segmentation.method == "network") facts.processor = instruction_sets();
  facts.study = canonical_yaml(config, {.without = {"runtime"}, .paths = Paths::as_written});
  for (const ElectrodeInputs& in : inputs) facts.study += input_text(in);
  return facts;
}

std::string packed(const RankFacts& facts) {
  Packed bytes;
  bytes << facts.program << facts.processor << facts.study;
  return bytes.take();
}

RankFacts unpacked_facts(const std::string& bytes) {
  RankFacts facts;
  Unpacked(bytes) >> facts.program >> facts.processor >> facts.study;
  return facts;
}

void require_agreement(const RankFacts& first, const RankFacts& other) {
  if (first.program != other.program)
    fail(Exit::version, "this rank runs cathoscope {}, the first one {}: start the same program everywhere",
         other.program, first.program);
  if (first.study != other.study) {
    const Difference d = first_difference(first.study, other.study);
    fail(Exit::config, "this rank has another configuration or other inputs than the first one: '{}' instead of '{}'",
         d.other, d.first);
  }
  if (first.processor != other.processor)
    fail(Exit::unavailable,
         "this rank's processor has {}, that of the first one {}: the network's results would depend on which of them "
         "computed what. Ask for nodes of one kind (Slurm: --constraint)",
         other.processor, first.processor);
}

void share_network(const RunModel& model, const std::string& device, const Context& context) {
  Packed request;
  request << device << model.key_text();
  on_all(context.ranks, "network", request.take(), [] {});
}

void share_electrode(const MeasuredFiles& files, const Context& context) {
  Packed request;
  request << files.electrode << files.volume.string() << files.segmentation.string() << files.voxel_um.has_value()
          << files.voxel_um.value_or(Vec3{});
  on_all(context.ranks, "electrode", request.take(), [] {});
}

namespace {

AttributeInputs asked_for(const std::string& request, const Config& config,
                          const std::vector<ElectrodeInputs>& inputs) {
  MeasuredFiles files;
  std::string volume, segmentation;
  bool coarser = false;
  Vec3 voxel_um{};
  Unpacked(request) >> files.electrode >> volume >> segmentation >> coarser >> voxel_um;
  files.volume = volume;
  files.segmentation = segmentation;
  if (coarser) files.voxel_um = voxel_um;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (config.electrodes[i].name == files.electrode) return attribute_inputs(files, inputs[i]);
  fail(Exit::internal, "no electrode {}", files.electrode);
}

void open_network(const std::string& request, const Config& config, const Context& context, OpenNetwork& network) {
  std::string device, key;
  Unpacked(request) >> device >> key;
  if (!network.model || network.device != device) {
    network.model = open_model(config.segmentation.model, device);
    network.device = device;
    network.predict = network_inputs(*network.model, NormaliseConfig{}, context).predict;
  }
  if (network.model->key_text() != key)
    fail(Exit::version, "this rank has another network or device than the first one: {} instead of {}",
         network.model->key_text(), key);
}

}  // namespace

RankTasks study_tasks(std::int64_t rank, const Config& config, const std::vector<ElectrodeInputs>& inputs,
                      const Context& context) {
  const auto network = std::make_shared<OpenNetwork>();
  RankTasks tasks = plane_tasks(
      rank, [network] { return network->predict; }, context);
  tasks.merge(attribute_tasks(
      rank, config.attributes, [&](const std::string& request) { return asked_for(request, config, inputs); },
      context));
  tasks["network"] = [=, &config, &context](const std::string& request) {
    open_network(request, config, context, *network);
    return std::string();
  };
  return tasks;
}

}  // namespace cathoscope
