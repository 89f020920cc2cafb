#include "cpu_unet.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>
#include <unordered_map>

namespace cathoscope {

namespace {

using dnnl::memory;

constexpr std::size_t alignment = 64;
constexpr std::size_t most_plans = 64;  ///< sizes of images whose compiled kernels are kept

std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// Channels in a block of the layout: as many as float32 values in a register.
std::int64_t channel_block() {
  const auto isa = static_cast<int>(dnnl::get_effective_cpu_isa());
  const auto avx512 = static_cast<int>(dnnl::cpu_isa::avx512_core);
  return (isa & avx512) == avx512 ? 16 : 8;
}

/// Freed with the thread; grows to what the largest image needs.
std::byte* thread_memory(std::size_t bytes) {
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  thread_local std::unique_ptr<std::byte, Free> held;
  thread_local std::size_t size = 0;
  if (size < bytes) {
    held.reset();
    size = 0;
    held.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, aligned(bytes))));
    if (!held) throw std::bad_alloc();
    size = bytes;
  }
  return held.get();
}

/// An image between two layers. Channels come in parts (two after a concatenation), each filled up to whole blocks with
/// channels that are zero.
struct Node {
  std::vector<std::int64_t> parts;
  std::int64_t rows = 0, columns = 0;
  memory::data_type type = memory::data_type::f32;
  memory::format_tag tag = memory::format_tag::nchw;
  int parent = -1;                   ///< the concatenation that this is a part of
  std::int64_t channels_before = 0;  ///< there, filled up
  int first = -1, last = -1;         ///< steps that write and read it
  std::size_t offset = 0;
};

struct Argument {
  int name = 0;
  memory::desc desc;
  int node = -1;    ///< where it lies, or -1
  memory constant;  ///< weights
};

struct Step {
  dnnl::primitive primitive;
  std::vector<Argument> arguments;
  memory::desc scratchpad;
};

}  // namespace

/// What is shared by all calls.
struct CpuUnet::Parts {
  NetworkShape shape;
  CpuUnetWeights weights;
  memory::data_type type = memory::data_type::f32;
  std::int64_t block = channel_block();
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  mutable std::mutex mutex;
  mutable std::map<std::tuple<std::int64_t, std::int64_t, bool>, std::shared_ptr<const Plan>> plans;
  mutable std::unordered_map<std::string, std::vector<std::pair<memory::desc, memory>>> packed;  ///< by layer's name
  mutable std::unordered_map<std::string, memory> biases;

  [[nodiscard]] std::int64_t filled(std::int64_t channels) const { return (channels + block - 1) / block * block; }
  [[nodiscard]] memory::format_tag tag() const {
    return block == 16 ? memory::format_tag::nChw16c : memory::format_tag::nChw8c;
  }
};

/// All steps for one size of image.
struct CpuUnet::Plan {
  std::vector<Node> nodes;
  std::vector<Step> steps;
  int input = -1, output = -1;
  std::size_t scratchpad = 0, bytes = 0;  ///< scratchpad: where it begins
};

/// Lays out the steps; then gives every node its place, so that what is not needed any more makes room.
class CpuUnet::Planner {
 public:
  Planner(const Parts& parts, std::int64_t rows, std::int64_t columns) : parts_(parts) {
    plan_.input = add({{1}, rows, columns, memory::data_type::f32, memory::format_tag::nchw, -1, 0});
  }

  Plan made(bool with_distances) {
    int x = plan_.input;
    if (parts_.type != memory::data_type::f32) x = converted(x);
    std::size_t next = 0;
    const auto convolve = [&](int in) { return convolution(in, parts_.weights.body[next++], true); };
    const auto pool = [&](int in) { return pooled(in); };
    const auto join = [&](int low, int skip) { return joined(low, skip); };
    x = walk_unet(parts_.shape, x, convolve, pool, join);
    plan_.output = convolution(x, with_distances ? parts_.weights.all : parts_.weights.planes, false);
    plan_.nodes[static_cast<std::size_t>(plan_.output)].last = static_cast<int>(plan_.steps.size());
    place_nodes();
    return std::move(plan_);
  }

 private:
  int add(Node node) {
    plan_.nodes.push_back(std::move(node));
    return static_cast<int>(plan_.nodes.size()) - 1;
  }
  Node& at(int node) { return plan_.nodes[static_cast<std::size_t>(node)]; }

  [[nodiscard]] std::int64_t channels(const Node& n) const {
    if (n.tag == memory::format_tag::nchw) return n.parts.front();
    std::int64_t sum = 0;
    for (const auto part : n.parts) sum += parts_.filled(part);
    return sum;
  }
  [[nodiscard]] memory::desc desc(const Node& n) const { return {{1, channels(n), n.rows, n.columns}, n.type, n.tag}; }
  [[nodiscard]] std::size_t bytes(const Node& n) const { return desc(n).get_size(); }

  int blocked(std::int64_t count, std::int64_t rows, std::int64_t columns, memory::data_type type) {
    return add({{count}, rows, columns, type, parts_.tag(), -1, 0});
  }

  static dnnl::primitive_attr attributes() {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attr;
  }

  void add_step(dnnl::primitive primitive, const memory::desc& scratchpad, int from, int to,
                std::vector<Argument> more = {}) {
    const int step = static_cast<int>(plan_.steps.size());
    more.push_back({DNNL_ARG_SRC, desc(at(from)), from, {}});
    more.push_back({DNNL_ARG_DST, desc(at(to)), to, {}});
    plan_.steps.push_back({std::move(primitive), std::move(more), scratchpad});
    at(from).last = step;
    at(to).first = step;
  }

  int converted(int in) {
    const int out = add({{1}, at(in).rows, at(in).columns, parts_.type, memory::format_tag::nchw, -1, 0});
    const dnnl::reorder::primitive_desc pd(parts_.engine, desc(at(in)), parts_.engine, desc(at(out)), attributes());
    add_step(dnnl::reorder(pd), pd.scratchpad_desc(), in, out);
    return out;
  }

  int pooled(int in) {
    const int out = add({at(in).parts, at(in).rows / 2, at(in).columns / 2, parts_.type, parts_.tag(), -1, 0});
    const dnnl::pooling_forward::desc d(dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_max, desc(at(in)),
                                        desc(at(out)), {2, 2}, {2, 2}, {0, 0}, {0, 0});
    const dnnl::pooling_forward::primitive_desc pd(d, attributes(), parts_.engine);
    add_step(dnnl::pooling_forward(pd), pd.scratchpad_desc(), in, out);
    return out;
  }

  int joined(int low, int skip) {
    Node both = at(skip);
    both.parts = {at(low).parts.front(), at(skip).parts.front()};
    const int result = add(both);
    const int doubled = blocked(at(low).parts.front(), both.rows, both.columns, parts_.type);
    at(doubled).parent = result;
    at(doubled).channels_before = 0;
    at(skip).parent = result;
    at(skip).channels_before = parts_.filled(at(low).parts.front());
    const dnnl::resampling_forward::desc d(dnnl::prop_kind::forward_inference, dnnl::algorithm::resampling_nearest,
                                           desc(at(low)), desc(at(doubled)));
    const dnnl::resampling_forward::primitive_desc pd(d, attributes(), parts_.engine);
    add_step(dnnl::resampling_forward(pd), pd.scratchpad_desc(), low, doubled);
    return result;
  }

  int convolution(int in, const Layer& layer, bool relu) {
    const std::int64_t count = layer.weight.size(0), kernel = layer.weight.size(2), side = kernel / 2;
    const int out = blocked(count, at(in).rows, at(in).columns, relu ? parts_.type : memory::data_type::f32);
    auto attr = attributes();
    if (relu) {
      dnnl::post_ops after;
      after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
      attr.set_post_ops(after);
    }
    const std::int64_t outputs = parts_.filled(count);
    const memory::desc weights({outputs, channels(at(in)), kernel, kernel}, parts_.type, memory::format_tag::any);
    const memory::desc bias({outputs}, memory::data_type::f32, memory::format_tag::a);
    const dnnl::convolution_forward::desc d(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                            desc(at(in)), weights, bias, desc(at(out)), {1, 1}, {side, side},
                                            {side, side});
    const dnnl::convolution_forward::primitive_desc pd(d, attr, parts_.engine);
    add_step(dnnl::convolution_forward(pd), pd.scratchpad_desc(), in, out,
             {{DNNL_ARG_WEIGHTS, pd.weights_desc(), -1, packed(layer, at(in), pd.weights_desc())},
              {DNNL_ARG_BIAS, bias, -1, filled_bias(layer)}});
    return out;
  }

  /// Where channel `c` of a layer's input stands among the filled ones.
  [[nodiscard]] std::int64_t place_of(const Node& in, std::int64_t c) const {
    if (in.tag == memory::format_tag::nchw || c < in.parts.front()) return c;
    return parts_.filled(in.parts.front()) + c - in.parts.front();
  }

  [[nodiscard]] memory packed(const Layer& layer, const Node& in, const memory::desc& wanted) const {
    auto& known = parts_.packed[layer.name];
    for (const auto& [desc, weights] : known)
      if (desc == wanted) return weights;
    const auto w = layer.weight.contiguous();
    const std::int64_t inputs = channels(in), area = w.size(2) * w.size(3);
    const memory plain(
        {{parts_.filled(w.size(0)), inputs, w.size(2), w.size(3)}, memory::data_type::f32, memory::format_tag::oihw},
        parts_.engine);
    auto* to = static_cast<float*>(plain.get_data_handle());
    std::fill_n(to, parts_.filled(w.size(0)) * inputs * area, 0.0F);
    const float* from = w.data_ptr<float>();
    for (std::int64_t o = 0; o < w.size(0); ++o)
      for (std::int64_t i = 0; i < w.size(1); ++i, from += area)
        std::copy_n(from, area, to + (o * inputs + place_of(in, i)) * area);
    memory result(wanted, parts_.engine);
    dnnl::stream stream(parts_.engine);
    memory source = plain;
    dnnl::reorder(source, result).execute(stream, source, result);
    stream.wait();
    known.emplace_back(wanted, result);
    return result;
  }

  [[nodiscard]] memory filled_bias(const Layer& layer) const {
    const auto known = parts_.biases.find(layer.name);
    if (known != parts_.biases.end()) return known->second;
    const std::int64_t outputs = parts_.filled(layer.bias.size(0));
    memory bias({{outputs}, memory::data_type::f32, memory::format_tag::a}, parts_.engine);
    auto* to = static_cast<float*>(bias.get_data_handle());
    std::fill_n(to, outputs, 0.0F);
    const auto values = layer.bias.contiguous();
    std::copy_n(values.data_ptr<float>(), layer.bias.size(0), to);
    parts_.biases.emplace(layer.name, bias);
    return bias;
  }

  /// First fit: in the order in which they are written, each at the lowest place that nothing alive occupies.
  void place_nodes() {
    for (Node& n : plan_.nodes)
      if (n.parent >= 0) {
        Node& whole = at(n.parent);
        whole.first = whole.first < 0 ? n.first : std::min(whole.first, n.first);
        whole.last = std::max(whole.last, n.last);
      }
    std::vector<int> order;
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i)
      if (plan_.nodes[i].parent < 0 && static_cast<int>(i) != plan_.input && static_cast<int>(i) != plan_.output)
        order.push_back(static_cast<int>(i));
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return at(a).first < at(b).first; });
    std::vector<int> placed;
    for (const int node : order) {
      Node& n = at(node);
      std::size_t offset = 0;
      std::vector<int> alive;
      for (const int other : placed)
        if (at(other).last >= n.first && n.last >= at(other).first) alive.push_back(other);
      std::sort(alive.begin(), alive.end(), [&](int a, int b) { return at(a).offset < at(b).offset; });
      for (const int other : alive)
        if (offset + bytes(n) > at(other).offset)
          offset = std::max(offset, at(other).offset + aligned(bytes(at(other))));
      n.offset = offset;
      placed.push_back(node);
      plan_.scratchpad = std::max(plan_.scratchpad, offset + aligned(bytes(n)));
    }
    const std::size_t type_bytes = parts_.type == memory::data_type::f32 ? 4 : 2;
    for (Node& n : plan_.nodes)
      if (n.parent >= 0)
        n.offset = at(n.parent).offset + static_cast<std::size_t>(n.channels_before * n.rows * n.columns) * type_bytes;
    std::size_t most = 0;
    for (const Step& s : plan_.steps) most = std::max(most, s.scratchpad.get_size());
    plan_.bytes = plan_.scratchpad + aligned(most);
  }

  const Parts& parts_;
  Plan plan_;
};

CpuUnet::CpuUnet(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
CpuUnet::~CpuUnet() = default;

std::shared_ptr<const CpuUnet> CpuUnet::make(const NetworkShape& shape, CpuUnetWeights weights, Precision precision) {
  if (precision == Precision::float16) return {};
  auto parts = std::make_unique<Parts>();
  parts->shape = shape;
  parts->weights = std::move(weights);
  // Channels are filled up to whole blocks. In bfloat16 that still pays; in float32 libtorch is faster on thin layers.
  if (precision == Precision::float32 && shape.base % parts->block != 0) return {};
  if (precision == Precision::bfloat16) parts->type = memory::data_type::bf16;
  const std::shared_ptr<const CpuUnet> made(new CpuUnet(std::move(parts)));
  try {
    const std::int64_t side = 2 * size_multiple(shape);
    static_cast<void>(made->plan_for(side, side, false));
    return made;
  } catch (const dnnl::error& e) {
    if (e.status == dnnl_unimplemented) return {};
    throw;
  }
}

std::shared_ptr<const CpuUnet::Plan> CpuUnet::plan_for(std::int64_t rows, std::int64_t columns,
                                                       bool with_distances) const {
  const std::scoped_lock lock(parts_->mutex);
  auto& plan = parts_->plans[{rows, columns, with_distances}];
  if (plan) return plan;
  const auto made = std::make_shared<const Plan>(Planner(*parts_, rows, columns).made(with_distances));
  if (parts_->plans.size() > most_plans) parts_->plans.clear();
  parts_->plans[{rows, columns, with_distances}] = made;
  return made;
}

torch::Tensor CpuUnet::forward(const torch::Tensor& image, bool with_distances) const {
  const auto plan = plan_for(image.size(2), image.size(3), with_distances);
  const Node& out = plan->nodes[static_cast<std::size_t>(plan->output)];
  const std::int64_t count = out.parts.front();
  auto result = torch::empty({parts_->filled(count) / parts_->block, out.rows, out.columns, parts_->block});
  std::byte* place = thread_memory(plan->bytes);
  const auto address = [&](int node) -> void* {
    if (node == plan->input) return image.data_ptr<float>();
    if (node == plan->output) return result.data_ptr<float>();
    return place + plan->nodes[static_cast<std::size_t>(node)].offset;
  };
  const auto run = [&](dnnl::stream& stream, const Step& step) {
    std::unordered_map<int, memory> arguments;
    for (const Argument& a : step.arguments)
      arguments.emplace(a.name, a.node < 0 ? a.constant : memory(a.desc, parts_->engine, address(a.node)));
    if (step.scratchpad.get_size() > 0)
      arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(step.scratchpad, parts_->engine, place + plan->scratchpad));
    step.primitive.execute(stream, arguments);
  };
  try {
    dnnl::stream stream(parts_->engine);
    for (const Step& step : plan->steps) run(stream, step);
    stream.wait();
  } catch (const dnnl::error& e) {
    if (e.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw;
  }
  return result.permute({0, 3, 1, 2}).reshape({1, parts_->filled(count), out.rows, out.columns}).slice(1, 0, count);
}

}  // namespace cathoscope
