# cmake --install, and cpack for a Debian package. The program finds its weights in <program>/../share/cathoscope, so what
# is installed or unpacked may be moved as a whole.
include(GNUInstallDirs)

# Only the program is installed: do not build tests for it.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
install(TARGETS cathoscope RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Not CMAKE_INSTALL_LIBDIR: the program looks in <program>/../lib/cathoscope, on every distribution.
install(TARGETS cathoscope_torch_part LIBRARY DESTINATION lib/cathoscope)
if(CATHOSCOPE_MPI)
  install(TARGETS cathoscope-mpi RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY data/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/cathoscope/models FILES_MATCHING PATTERN "*.h5")
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/cathoscope/configs FILES_MATCHING PATTERN "*.yaml")
install(FILES LICENSE README.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(completions ${CMAKE_BINARY_DIR}/generated/completions)
install(CODE "
  file(MAKE_DIRECTORY ${completions})
  foreach(shell bash zsh fish)
    execute_process(COMMAND $<TARGET_FILE:cathoscope> completion \${shell} OUTPUT_FILE ${completions}/\${shell}
                    COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")
install(FILES ${completions}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME cathoscope)
install(FILES ${completions}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _cathoscope)
install(FILES ${completions}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME cathoscope.fish)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cathoscope)
set(CPACK_PACKAGE_CONTACT "The Cathoscope developers <cathoscope@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gnuplot-nox)  # started by the stage figures, not linked
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${PROJECT_DESCRIPTION}")
include(CPack)
