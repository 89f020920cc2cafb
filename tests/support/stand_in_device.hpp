#pragma once
/// A stand-in for a GPU inside libtorch: the device privateuseone:0 of a process. It computes on the CPU, but behaves as
/// a GPU does towards a program: an operator that is given a tensor of the CPU beside its own is an error (single numbers
/// aside), and memory of the device cannot be read or written by the host: its addresses are mapped without any right,
/// so that touching one is a segmentation fault. Include in one file of a program only, before Catch2.

#include <torch/types.h>

#include <ATen/native/TensorFactories.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution_backward_overrideable_ops.h>
#include <ATen/ops/convolution_overrideable_ops.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace test::stand_in {

inline const char* const device_name = "privateuseone:0";
inline constexpr auto key = c10::DispatchKey::PrivateUse1;

/// Operators that ran on the device.
inline std::atomic<std::int64_t> operators{0};

/// Memory of the device: where the host believes it to be, and where it is.
struct Memory {
  std::size_t bytes;
  void* seen;
  std::unique_ptr<char[]> real;

  explicit Memory(std::size_t n)
      : bytes(std::max<std::size_t>(n, 1)),
        seen(::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)),
        real(new char[bytes]) {
    TORCH_CHECK(seen != MAP_FAILED, "no addresses left");
  }
  ~Memory() { ::munmap(seen, bytes); }
};

inline bool is_on_device(const at::Tensor& t) { return t.defined() && t.device().type() == c10::kPrivateUse1; }

inline at::Tensor new_tensor(at::IntArrayRef sizes, at::IntArrayRef strides, c10::ScalarType type) {
  std::int64_t span = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    span = sizes[i] == 0 ? 0 : span + (sizes[i] - 1) * strides[i] * (span > 0);
  const std::size_t bytes = static_cast<std::size_t>(span) * c10::elementSize(type);
  auto* memory = new Memory(bytes);
  c10::DataPtr data(
      memory->seen, memory, [](void* m) { delete static_cast<Memory*>(m); }, c10::Device(c10::kPrivateUse1, 0));
  auto tensor = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(c10::Storage::use_byte_size_t(), bytes, std::move(data), nullptr, false), c10::DispatchKeySet(key),
      c10::scalarTypeToTypeMeta(type));
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(sizes, strides);
  return tensor;
}

/// The same values as the CPU sees them; only operators of the device may ask. An empty tensor may be resized.
inline at::Tensor seen_by_cpu(const at::Tensor& t) {
  const auto options = at::TensorOptions().dtype(t.scalar_type());
  if (t.numel() == 0) return at::empty(t.sizes(), options);
  auto* memory = static_cast<Memory*>(t.storage().data_ptr().get_context());
  char* data = memory->real.get() + t.storage_offset() * static_cast<std::int64_t>(t.element_size());
  return at::from_blob(data, t.sizes(), t.strides(), options);
}

inline at::Tensor to_device(const at::Tensor& from) {
  const at::Tensor t = from.is_non_overlapping_and_dense() ? from : from.contiguous();
  at::Tensor out = new_tensor(t.sizes(), t.strides(), t.scalar_type());
  if (t.numel() > 0) std::memcpy(seen_by_cpu(out).data_ptr(), t.data_ptr(), static_cast<std::size_t>(t.nbytes()));
  return out;
}

/// What an operator of the device gets: its own tensors, and single numbers of the host.
inline at::Tensor argument(const at::Tensor& t, const std::string& op) {
  if (!t.defined()) return t;
  if (is_on_device(t)) return seen_by_cpu(t);
  TORCH_CHECK(t.dim() == 0, op, ": a tensor of the device and one of ", t.device(), " in one operator");
  return t;
}

inline bool holds_tensor(const c10::IValue& v) { return v.isTensor() || v.isTensorList() || v.isOptionalTensorList(); }

inline c10::IValue argument(const c10::IValue& v, const std::string& op) {
  if (v.isTensor()) return argument(v.toTensor(), op);
  if (v.isTensorList()) {
    c10::List<at::Tensor> list;
    for (const at::Tensor& t : v.toTensorVector()) list.push_back(argument(t, op));
    return list;
  }
  if (v.isOptionalTensorList()) {
    c10::List<c10::optional<at::Tensor>> list;
    for (const c10::optional<at::Tensor>& t : v.toOptionalTensorVector())
      list.push_back(t ? c10::optional<at::Tensor>(argument(*t, op)) : c10::nullopt);
    return list;
  }
  if (v.isDevice() && v.toDevice().type() == c10::kPrivateUse1) return c10::Device(c10::kCPU);
  return v;
}

inline c10::IValue result(const c10::IValue& v) {
  if (v.isTensor()) return v.toTensor().defined() ? to_device(v.toTensor()) : v;
  if (!v.isTensorList()) return v;
  c10::List<at::Tensor> list;
  for (const at::Tensor& t : v.toTensorVector()) list.push_back(to_device(t));
  return list;
}

/// The argument that a result is, where an operator writes in place; empty where the result is new.
inline c10::optional<std::size_t> written_argument(const c10::FunctionSchema& schema, std::size_t result) {
  const auto* alias = schema.returns()[result].alias_info();
  if (alias == nullptr) return c10::nullopt;
  TORCH_CHECK(alias->isWrite(), schema.name(), ": a view that this stand-in does not know");
  for (std::size_t i = 0; i < schema.arguments().size(); ++i) {
    const auto* other = schema.arguments()[i].alias_info();
    if (other != nullptr && other->beforeSets() == alias->beforeSets()) return i;
  }
  return c10::nullopt;
}

/// Takes a result over that an operator wrote into an empty tensor, which it made larger.
inline void take_over(const at::Tensor& device, const at::Tensor& cpu) {
  if (device.sizes() == cpu.sizes()) return;
  const at::Tensor grown = to_device(cpu);
  device.unsafeGetTensorImpl()->set_storage_keep_dtype(grown.storage());
  device.unsafeGetTensorImpl()->set_sizes_and_strides(grown.sizes(), grown.strides());
}

/// Any operator that has no kernel below: on the CPU, with the memory of the device.
inline void compute(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  ++operators;
  const auto& schema = op.schema();
  const std::size_t count = schema.arguments().size();
  const std::vector<c10::IValue> given(stack->end() - static_cast<std::ptrdiff_t>(count), stack->end());
  torch::jit::drop(*stack, count);
  for (const auto& v : given) stack->push_back(argument(v, schema.name()));
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  const std::size_t results = schema.returns().size();
  for (std::size_t i = 0; i < results; ++i) {
    c10::IValue& v = (*stack)[stack->size() - results + i];
    if (!holds_tensor(v)) continue;
    const auto written = written_argument(schema, i);
    if (written) take_over(given[*written].toTensor(), v.toTensor());
    v = written ? given[*written] : result(v);
  }
}

inline at::Tensor empty(at::IntArrayRef sizes, c10::optional<at::ScalarType> type, c10::optional<at::Layout>,
                        c10::optional<at::Device>, c10::optional<bool>, c10::optional<at::MemoryFormat> format) {
  const auto strides = at::empty(sizes, at::TensorOptions().dtype(at::kByte), format).strides().vec();
  return new_tensor(sizes, strides, type.value_or(at::kFloat));
}

inline at::Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides, c10::optional<at::ScalarType> type,
                                c10::optional<at::Layout>, c10::optional<at::Device>, c10::optional<bool>) {
  return new_tensor(sizes, strides, type.value_or(at::kFloat));
}

/// The one way between host and device.
inline at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  const auto near = [](const at::Tensor& t) { return is_on_device(t) ? seen_by_cpu(t) : t; };
  near(to).copy_(near(from));
  return to;
}

inline at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const c10::optional<at::Tensor>& bias,
                              at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                              bool transposed, at::IntArrayRef output_padding, std::int64_t groups) {
  ++operators;
  const auto arg = [](const at::Tensor& t) { return argument(t, "convolution"); };
  return to_device(at::convolution(arg(x), arg(weight), bias ? c10::optional<at::Tensor>(arg(*bias)) : c10::nullopt,
                                   stride, padding, dilation, transposed, output_padding, groups));
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed, at::IntArrayRef output_padding,
    std::int64_t groups, std::array<bool, 3> mask) {
  ++operators;
  const auto arg = [](const at::Tensor& t) { return argument(t, "convolution_backward"); };
  const std::vector<std::int64_t> bias_sizes{weight.size(0)};
  const auto [a, b, c] = at::convolution_backward(arg(gradient), arg(x), arg(weight), bias_sizes, stride, padding,
                                                  dilation, transposed, output_padding, groups, mask);
  const auto out = [](const at::Tensor& t) { return t.defined() ? to_device(t) : t; };
  return {out(a), out(b), out(c)};
}

}  // namespace test::stand_in

C10_REGISTER_GUARD_IMPL(PrivateUse1, c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::PrivateUse1>);

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&test::stand_in::compute>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", &test::stand_in::empty);
  m.impl("empty_strided", &test::stand_in::empty_strided);
  m.impl("_copy_from", &test::stand_in::copy_from);
  m.impl("convolution_overrideable", &test::stand_in::convolution);
  m.impl("convolution_backward_overrideable", &test::stand_in::convolution_backward);
  m.impl("as_strided", &at::native::as_strided_tensorimpl);
  m.impl("view", &at::native::view);
  m.impl("_reshape_alias", &at::native::_reshape_alias);
}
