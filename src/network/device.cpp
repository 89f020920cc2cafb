#include "device.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <torch/cuda.h>
#include <torch/version.h>

#include <cpuid.h>
#include <malloc.h>

namespace cathoscope {

Precision cpu_precision() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool amx_bf16 = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 22 & 1U) != 0;
  const bool avx512_bf16 = __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1U) != 0;
  return amx_bf16 || avx512_bf16 ? Precision::bfloat16 : Precision::float32;
}

void keep_freed_memory() {
  constexpr int largest_kept = 32 << 20;  // what the C library allows for the first of the two
  mallopt(M_MMAP_THRESHOLD, largest_kept);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

torch::ScalarType torch_type(Precision precision) {
  switch (precision) {
    case Precision::bfloat16: return torch::kBFloat16;
    case Precision::float16: return torch::kHalf;
    case Precision::float32: break;
  }
  return torch::kFloat;
}

namespace {

ComputeDevice cuda_device(const std::string& request) {
  const auto index = number_from(request.size() > 5 ? request.substr(5) : "0");
  const auto count = static_cast<double>(torch::cuda::is_available() ? torch::cuda::device_count() : 0);
  if (count == 0)
    fail(Exit::unavailable,
         "device {}: this libtorch ({}) sees no CUDA device. Use device auto or cpu, or build against a libtorch with "
         "CUDA (CMAKE_PREFIX_PATH).",
         request, TORCH_VERSION);
  if (!index || *index < 0 || *index >= count || *index != static_cast<double>(static_cast<int>(*index)))
    fail(Exit::unavailable, "device {}: there are {} CUDA devices, numbered from 0", request, count);
  return {"cuda:" + std::to_string(static_cast<int>(*index)), Precision::float16};
}

}  // namespace

ComputeDevice resolve_device(const std::string& request) {
  if (request == "auto") return torch::cuda::is_available() ? cuda_device("cuda") : resolve_device("cpu");
  if (request == "cpu") return {"cpu", cpu_precision()};
  if (request == "cuda" || request.rfind("cuda:", 0) == 0) return cuda_device(request);
  fail(Exit::unavailable, "there is no device '{}'; there are auto, cpu, cuda and cuda:0, cuda:1, ...", request);
}

}  // namespace cathoscope
