#pragma once
/// Kernels that pay for it are compiled for several instruction sets and chosen at load time. Only element-wise
/// arithmetic goes through this, without contraction, so every version gives the same bits.
/// Sanitizers run before such a choice can be made: they get the plain version.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CATHOSCOPE_MULTIVERSION
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CATHOSCOPE_MULTIVERSION
#endif
#endif

#ifndef CATHOSCOPE_MULTIVERSION
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CATHOSCOPE_MULTIVERSION __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define CATHOSCOPE_MULTIVERSION
#endif
#endif
