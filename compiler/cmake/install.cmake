# What is installed, and how other projects find ternc: installed or in this build tree (ternc_DIR = the build folder).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_DATADIR}/cmake/ternc)

write_basic_package_version_file(ternc-config-version.cmake COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
configure_file(compiler/cmake/ternc-config.cmake ternc-config.cmake COPYONLY)
configure_file(compiler/cmake/ternc-functions.cmake ternc-functions.cmake COPYONLY)
configure_file(compiler/cmake/ternc.pc.in ternc.pc @ONLY)

install(TARGETS ternc EXPORT ternc-targets)
export(EXPORT ternc-targets NAMESPACE ternc:: FILE ${CMAKE_CURRENT_BINARY_DIR}/ternc-targets.cmake)
install(EXPORT ternc-targets NAMESPACE ternc:: DESTINATION ${package})
install(FILES compiler/cmake/ternc-config.cmake compiler/cmake/ternc-functions.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/ternc-config-version.cmake DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ternc.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
install(FILES README.md LICENSE docs/guide.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN demo.sh EXCLUDE PATTERN __pycache__ EXCLUDE)
