# The headers that nearly every source file reads, compiled once: xtensor alone costs 2 s a file. Modules share them with
#   target_precompile_headers(NAME REUSE_FROM cathoscope_headers)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/headers.cpp CONTENT "// Carries the precompiled headers.\n")
add_library(cathoscope_headers STATIC ${CMAKE_BINARY_DIR}/generated/headers.cpp)
target_include_directories(cathoscope_headers SYSTEM PUBLIC $<TARGET_PROPERTY:xtensor,INTERFACE_INCLUDE_DIRECTORIES>)
target_link_libraries(cathoscope_headers PUBLIC cathoscope_options fmt::fmt)
target_precompile_headers(cathoscope_headers PRIVATE
  <algorithm> <array> <filesystem> <functional> <map> <memory> <mutex> <optional> <string> <unordered_map> <vector>
  <fmt/format.h> <xtensor/xtensor.hpp>)
