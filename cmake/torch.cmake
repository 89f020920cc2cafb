# libtorch behind one target. Its header costs 20 s a source file: modules that use it share one precompiled header with
#   target_precompile_headers(cathoscope_NAME REUSE_FROM cathoscope_torch)
find_package(Torch REQUIRED)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/torch.cpp CONTENT "// Carries the precompiled header of libtorch.\n")
add_library(cathoscope_torch STATIC ${CMAKE_BINARY_DIR}/generated/torch.cpp)
target_include_directories(cathoscope_torch SYSTEM PUBLIC ${TORCH_INCLUDE_DIRS})
target_link_libraries(cathoscope_torch PUBLIC cathoscope_options torch)
target_precompile_headers(cathoscope_torch PRIVATE <torch/torch.h>)
