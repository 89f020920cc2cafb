# libtorch behind one target. Its tensors cost 6 s a source file, precompiled 2 s: a module names the files that include them.
# <torch/torch.h> would cost twice as much: it brings layers, data loaders and archives, too.
find_package(Torch REQUIRED)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/torch.cpp CONTENT "// Carries the precompiled header of libtorch.\n")
add_library(cathoscope_torch STATIC ${CMAKE_BINARY_DIR}/generated/torch.cpp)
target_include_directories(cathoscope_torch SYSTEM PUBLIC ${TORCH_INCLUDE_DIRS})
target_link_libraries(cathoscope_torch PUBLIC cathoscope_options torch)
target_precompile_headers(cathoscope_torch PRIVATE
  $<$<CXX_COMPILER_ID:Clang>:${CMAKE_CURRENT_LIST_DIR}/libtorch_for_clang.hpp> <torch/types.h> <torch/utils.h>)

# cathoscope_torch_sources(NAME FILES...): these files of module NAME, made with HEADERS none, share the precompiled header.
function(cathoscope_torch_sources name)
  target_precompile_headers(cathoscope_${name} REUSE_FROM cathoscope_torch)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/${name}/)
  get_target_property(others cathoscope_${name} SOURCES)
  list(REMOVE_ITEM others ${ARGN})
  set_source_files_properties(${others} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
