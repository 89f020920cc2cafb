# cmake -DOUTPUT=FILE.cpp -DNAMESPACE=a::b -DHEADER=header.hpp "-DFILES=one.html;two.js" -P embed.cmake
# Writes a source file that holds each text file as a std::string_view called like the file, dots and dashes as underscores,
# so that pages are edited as pages and a program still is one file.
file(WRITE ${OUTPUT}.new "// Made by cmake/embed.cmake: edit the files themselves.\n#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n\n")
foreach(path ${FILES})
  get_filename_component(name ${path} NAME)
  string(MAKE_C_IDENTIFIER ${name} name)
  file(READ ${path} text)
  string(FIND "${text}" ")embedded\"" closing)
  if(NOT closing EQUAL -1)
    message(FATAL_ERROR "${path} contains )embedded\", which ends the string that holds it")
  endif()
  file(APPEND ${OUTPUT}.new "extern const std::string_view ${name};\nconst std::string_view ${name} = R\"embedded(${text})embedded\";\n\n")
endforeach()
file(APPEND ${OUTPUT}.new "}  // namespace ${NAMESPACE}\n")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
