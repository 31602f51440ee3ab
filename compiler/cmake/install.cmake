# What is installed, and how other projects find ternc: installed or in this build tree (ternc_DIR = the build folder).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_DATADIR}/cmake/ternc)

write_basic_package_version_file(ternc-config-version.cmake COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
configure_file(compiler/cmake/ternc-config.cmake ternc-config.cmake COPYONLY)
configure_file(compiler/cmake/ternc-functions.cmake ternc-functions.cmake COPYONLY)
configure_file(compiler/cmake/ternc-flags.cmake ternc-flags.cmake COPYONLY)
configure_file(compiler/base/keywords.def keywords.def COPYONLY)
configure_file(compiler/cmake/ternc.pc.in ternc.pc @ONLY)

install(TARGETS ternc EXPORT ternc-targets)
export(EXPORT ternc-targets NAMESPACE ternc:: FILE ${CMAKE_CURRENT_BINARY_DIR}/ternc-targets.cmake)
install(EXPORT ternc-targets NAMESPACE ternc:: DESTINATION ${package})
install(FILES compiler/cmake/ternc-config.cmake compiler/cmake/ternc-functions.cmake compiler/cmake/ternc-flags.cmake
  compiler/base/keywords.def ${CMAKE_CURRENT_BINARY_DIR}/ternc-config-version.cmake DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ternc.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)

# Texts and examples lie as in the source, so that links from one to the other work; scripts that need the rest of the
# source stay out.
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/guide.md docs/operators.md docs/internals.md docs/measurements.md docs/flow.svg docs/size.svg
  runtime/check/rival.h DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
  PATTERN demo.sh EXCLUDE PATTERN figures.sh EXCLUDE PATTERN __pycache__ EXCLUDE)

# Texts that the program says of itself.
add_custom_command(OUTPUT ternc.1 COMMAND ternc --man > ternc.1 DEPENDS ternc VERBATIM)
add_custom_command(OUTPUT ternc.bash COMMAND ternc --bash-completion > ternc.bash DEPENDS ternc VERBATIM)
add_custom_target(texts ALL DEPENDS ternc.1 ternc.bash)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ternc.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ternc.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME ternc)

# cpack -G DEB
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ternc)
set(CPACK_PACKAGE_CONTACT "The ternc maintainers <maintainers@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compiler of ONNX models to ternary, dependency-free C")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Reads a trained float model, makes its weights ternary and writes C for exactly that model:
 zero weights are gone, every other weight is an add or a subtract.")
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS clang) # for ternc check and ternc size
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake, dataset-fashion-mnist")
set(CPACK_STRIP_FILES ON)
include(CPack)
