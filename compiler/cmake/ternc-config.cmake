# find_package(ternc): the program as ternc::ternc, and ternc_add_model. The same file in a build tree and installed.
include(${CMAKE_CURRENT_LIST_DIR}/ternc-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/ternc-flags.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/ternc-functions.cmake)
