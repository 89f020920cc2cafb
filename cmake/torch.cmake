# libtorch behind one target. Its tensors cost 6 s a source file, precompiled 2 s: a module names the files that include them.
# <torch/torch.h> would cost twice as much: it brings layers, data loaders and archives, too.
find_package(Torch REQUIRED)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/torch.cpp CONTENT "// Carries the precompiled header of libtorch.\n")
add_library(cathoscope_torch STATIC ${CMAKE_BINARY_DIR}/generated/torch.cpp)
target_include_directories(cathoscope_torch SYSTEM PUBLIC ${TORCH_INCLUDE_DIRS})
# A program that loads libtorch later does not link it, though its modules do.
target_link_libraries(cathoscope_torch PUBLIC cathoscope_options
  $<$<NOT:$<BOOL:$<TARGET_PROPERTY:LOADS_TORCH>>>:torch>)
target_compile_options(cathoscope_torch PUBLIC $<TARGET_PROPERTY:torch,INTERFACE_COMPILE_OPTIONS>)
target_compile_definitions(cathoscope_torch PUBLIC $<TARGET_PROPERTY:torch,INTERFACE_COMPILE_DEFINITIONS>)
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

# cathoscope_loads_torch(PROGRAM): it loads what computes with libtorch when it needs it (src/app/torch_part). The library takes
# core and io, which have state, from the program, which holds them whole; with -z now one that is missing is told when it is loaded.
function(cathoscope_loads_torch program)
  if(NOT TARGET cathoscope_torch_part)
    add_library(cathoscope_torch_part MODULE app/torch_part/torch_part.cpp)
    set_target_properties(cathoscope_torch_part PROPERTIES OUTPUT_NAME cathoscope_torch
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/cathoscope INSTALL_RPATH_USE_LINK_PATH ON)
    target_include_directories(cathoscope_torch_part PRIVATE ${PROJECT_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/generated)
    target_link_options(cathoscope_torch_part PRIVATE -Wl,-z,now)
    target_compile_definitions(cathoscope_torch_part PRIVATE CATHOSCOPE_VERSION="${PROJECT_VERSION}")
    target_link_libraries(cathoscope_torch_part PRIVATE $<TARGET_FILE:cathoscope_network> $<TARGET_FILE:cathoscope_latent>
      cathoscope_torch dnnl::dnnl fmt::fmt)
    add_dependencies(cathoscope_torch_part cathoscope_network cathoscope_latent git_state)
    add_library(cathoscope_torch_calls OBJECT app/torch_part/calls.cpp)
    target_link_libraries(cathoscope_torch_calls PRIVATE cathoscope_core)
    target_include_directories(cathoscope_torch_calls PRIVATE ${CMAKE_BINARY_DIR}/generated)
    add_dependencies(cathoscope_torch_calls git_state)
    target_compile_options(cathoscope_torch_calls PRIVATE -fvisibility=hidden)
    target_compile_definitions(cathoscope_torch_calls PRIVATE CATHOSCOPE_VERSION="${PROJECT_VERSION}")
  endif()
  target_sources(${program} PRIVATE $<TARGET_OBJECTS:cathoscope_torch_calls>)
  set_target_properties(${program} PROPERTIES LOADS_TORCH ON ENABLE_EXPORTS ON)
  target_link_options(${program} PRIVATE -Wl,--as-needed
    -Wl,--whole-archive $<TARGET_FILE:cathoscope_core> $<TARGET_FILE:cathoscope_io> -Wl,--no-whole-archive)
  target_link_libraries(${program} PRIVATE ${CMAKE_DL_LIBS})
  add_dependencies(${program} cathoscope_torch_part)
endfunction()
