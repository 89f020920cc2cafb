#pragma once
/// libtorch before 2.1 uses std::vector of a class that is not complete yet, which C++20 forbids: since its members are
/// constexpr, clang looks into them at once (pytorch/pytorch#93978). GCC does not. Read before libtorch's headers, this makes
/// the vector of libstdc++ as lazy as that of C++17: the sanitizers and fuzz targets are built with clang.

#ifdef __clang__
#include <memory>
#include <string>
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 __fill_a1_of_bits  // declared constexpr elsewhere; std::fill over a vector<bool> then does not link
#include <vector>
#undef __fill_a1
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
#endif
