# Writes OUTPUT with the state of the source tree; touches it only where that changed.
execute_process(COMMAND git describe --always --dirty --abbrev=12 WORKING_DIRECTORY ${SOURCE_DIR}
                OUTPUT_VARIABLE state OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE result)
if(NOT result EQUAL 0 OR state STREQUAL "")
  set(state "unknown")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define CATHOSCOPE_GIT_STATE \"${state}\"\n" @ONLY)
