# cathoscope_module(NAME USES other modules... LIBRARIES third-party targets...)
# One static library from src/NAME/*.cpp. USES is the module's row of the dependency table in docs/architecture.md;
# LIBRARIES stay private, because no public header may include them.
function(cathoscope_module name)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_library(cathoscope_${name} STATIC ${sources})
  target_include_directories(cathoscope_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(cathoscope_${name} PUBLIC cathoscope_options)
  foreach(used ${ARG_USES})
    target_link_libraries(cathoscope_${name} PUBLIC cathoscope_${used})
  endforeach()
  target_link_libraries(cathoscope_${name} PRIVATE ${ARG_LIBRARIES})
endfunction()
