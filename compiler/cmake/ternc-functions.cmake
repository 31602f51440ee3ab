# ternc_add_model(TARGET MODEL FILE.onnx [NAME ID] ...): compile a model when TARGET is built and make it part of it.
#
#     ternc_add_model(app MODEL net.onnx NAME net METHOD twn OPTIMIZE size)
#
# TARGET: a program or library; one that is not there becomes a static library. Its sources can include "ID.h". The
# model is compiled again when it, an option or ternc itself has changed. NAME: default from the model's file name.
#
#     METHOD KEEP GRANULARITY THRESHOLD SPARSITY OPTIMIZE LOWERING TARGET_CPU INPUT_UINT8 SCALE MEAN STD LAYOUT
#     MODEL_LAYOUT DIM CONST MAX_FLASH MAX_RAM FLOAT_GUARD SPLIT WEIGHTS ACTIVATIONS CALIBRATE CALIBRATION IO
# are the options of `ternc compile` (TARGET_CPU: --target); several values of one are separated by spaces.
#     OPTIONS ...          further words for its command line
#     COMPILE_OPTIONS ...  flags for the generated C files alone; by default, but in Debug builds, the level that NAME.h
#                          recommends. Give the machine too: -march=native, -mcpu=...
#     DEPENDS FILE...      what the model needs beside its file, such as external weights
set(_ternc_single MODEL NAME METHOD GRANULARITY THRESHOLD SPARSITY OPTIMIZE LOWERING TARGET_CPU SCALE MAX_FLASH
  MAX_RAM SPLIT WEIGHTS ACTIVATIONS CALIBRATION IO)
set(_ternc_joined KEEP MEAN STD)       # one option, values separated by commas
set(_ternc_repeated INPUT_UINT8 LAYOUT MODEL_LAYOUT DIM CONST CALIBRATE) # an option for each value

function(_ternc_options result)
  set(words)
  foreach(key ${_ternc_single} ${_ternc_joined} ${_ternc_repeated})
    string(TOLOWER ${key} option)
    string(REPLACE _ - option --${option})
    if(key MATCHES "^(MODEL|NAME)$" OR NOT DEFINED arg_${key})
      continue()
    elseif(key STREQUAL TARGET_CPU)
      list(APPEND words --target ${arg_${key}})
    elseif(key IN_LIST _ternc_repeated)
      foreach(value IN LISTS arg_${key})
        list(APPEND words ${option} ${value})
      endforeach()
    else()
      list(JOIN arg_${key} "," value)
      list(APPEND words ${option} ${value})
    endif()
  endforeach()
  if(arg_FLOAT_GUARD)
    list(APPEND words --float-guard)
  endif()
  list(APPEND words ${arg_OPTIONS})
  set(${result} ${words} PARENT_SCOPE)
endfunction()

# CONST NAME=FILE: files are relative to the project's folder, and the model depends on them.
macro(_ternc_absolute_consts)
  set(consts)
  foreach(value IN LISTS arg_CONST)
    if(NOT value MATCHES "^(.+)=([^=]+)$")
      message(FATAL_ERROR "ternc_add_model(${target}): CONST ${value} is not NAME=FILE")
    endif()
    get_filename_component(file ${CMAKE_MATCH_2} ABSOLUTE)
    list(APPEND consts ${CMAKE_MATCH_1}=${file})
    list(APPEND arg_DEPENDS ${file})
  endforeach()
  if(consts)
    set(arg_CONST ${consts})
  endif()
endmacro()

# CALIBRATE [NAME=]FILE,...: likewise.
macro(_ternc_absolute_samples)
  set(samples)
  foreach(value IN LISTS arg_CALIBRATE)
    string(REGEX MATCH "^[^=]*=" name "${value}")
    string(REGEX REPLACE "^[^=]*=" "" files "${value}")
    string(REPLACE "," ";" files "${files}")
    set(paths)
    foreach(file IN LISTS files)
      get_filename_component(file ${file} ABSOLUTE)
      list(APPEND paths ${file})
    endforeach()
    list(APPEND arg_DEPENDS ${paths})
    list(JOIN paths "," paths)
    list(APPEND samples ${name}${paths})
  endforeach()
  if(samples)
    set(arg_CALIBRATE ${samples})
  endif()
endmacro()

# The name that ternc itself gives the model, by the rules of compiler/base/cname.c.
function(_ternc_name result model)
  get_filename_component(stem "${model}" NAME_WLE)
  string(REGEX REPLACE "[^A-Za-z0-9]+" "_" name "${stem}")
  string(REGEX REPLACE "^_|_$" "" name "${name}")
  file(READ ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/keywords.def keywords)
  string(TOLOWER "${name}" word)
  if(name STREQUAL "")
    set(name net)
  elseif(NOT name MATCHES "^[A-Za-z]" OR keywords MATCHES "\"${word}\"")
    set(name net_${name})
  endif()
  set(${result} ${name} PARENT_SCOPE)
endfunction()

# What files there will be must be known before ternc has seen the model: a large one has a part for each MB.
macro(_ternc_default_split)
  if(NOT DEFINED arg_SPLIT)
    set(arg_SPLIT none)
    if(EXISTS ${model})
      file(SIZE ${model} bytes)
      if(bytes GREATER 4194304)
        math(EXPR arg_SPLIT "${bytes} / 1048576")
      endif()
      if(bytes GREATER 67108864)
        set(arg_SPLIT 64)
      endif()
    endif()
  endif()
endmacro()

# The C files of a model.
function(_ternc_sources result folder)
  set(sources ${folder}/${arg_NAME}.c)
  if(NOT arg_SPLIT STREQUAL none)
    if(NOT arg_SPLIT MATCHES "^[1-9][0-9]*$")
      message(FATAL_ERROR "ternc_add_model(${target}): SPLIT ${arg_SPLIT} is not a number of files")
    endif()
    foreach(i RANGE 1 ${arg_SPLIT})
      list(APPEND sources ${folder}/${arg_NAME}_${i}.c)
    endforeach()
  endif()
  if(arg_WEIGHTS STREQUAL file)
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(NOT ASM IN_LIST languages)
      message(FATAL_ERROR "ternc_add_model(${target}): WEIGHTS file needs ASM: project(... LANGUAGES C ASM)")
    endif()
    list(APPEND sources ${folder}/${arg_NAME}_weights.S)
  endif()
  set(${result} ${sources} PARENT_SCOPE)
endfunction()

# What the generated header recommends, where the user gives no flags.
function(_ternc_compile_options result)
  set(options ${arg_COMPILE_OPTIONS})
  if(NOT options AND arg_OPTIMIZE STREQUAL size)
    set(options $<$<AND:$<C_COMPILER_ID:GNU,Clang,AppleClang>,$<NOT:$<CONFIG:Debug>>>:${TERNC_FLAGS_SIZE}>)
  elseif(NOT options)
    set(options $<$<AND:$<C_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:${TERNC_FLAGS_SPEED_GCC}>
      $<$<AND:$<C_COMPILER_ID:Clang,AppleClang>,$<NOT:$<CONFIG:Debug>>>:${TERNC_FLAGS_SPEED_CLANG}>)
  endif()
  set(${result} ${options} PARENT_SCOPE)
endfunction()

function(ternc_add_model target)
  cmake_parse_arguments(PARSE_ARGV 1 arg FLOAT_GUARD "${_ternc_single}"
    "${_ternc_joined};${_ternc_repeated};OPTIONS;COMPILE_OPTIONS;DEPENDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "ternc_add_model(${target}): unknown argument: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "ternc_add_model(${target}): no value for ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  if(NOT arg_MODEL)
    message(FATAL_ERROR "ternc_add_model(${target}): MODEL FILE.onnx is missing")
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT C IN_LIST languages)
    message(FATAL_ERROR "ternc_add_model(${target}): the generated code is C: project(... LANGUAGES C) or enable_language(C)")
  endif()
  get_filename_component(model ${arg_MODEL} ABSOLUTE)
  if(NOT arg_NAME)
    _ternc_name(arg_NAME "${model}")
  endif()
  _ternc_absolute_consts()
  _ternc_absolute_samples()
  _ternc_default_split()
  _ternc_options(options)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/ternc/${target})
  _ternc_sources(sources ${folder})
  _ternc_compile_options(flags)
  set(header ${folder}/${arg_NAME}.h)
  # Makefiles do not see by themselves that a command line has changed.
  file(CONFIGURE OUTPUT ${folder}/${arg_NAME}.options CONTENT "${options}\n" @ONLY)
  add_custom_command(
    OUTPUT ${sources} ${header}
    COMMAND ternc::ternc compile ${model} -o ${folder} --name ${arg_NAME} --quiet ${options}
    DEPENDS ${model} ${folder}/${arg_NAME}.options $<TARGET_FILE:ternc::ternc> ${arg_DEPENDS}
    COMMENT "Compiling the model ${arg_MODEL}"
    VERBATIM)
  if(NOT TARGET ${target})
    add_library(${target} STATIC)
  endif()
  target_sources(${target} PRIVATE ${sources} ${header})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${folder}>)
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "${flags}")
  # Not by target_link_libraries, whose two signatures cannot be mixed with the user's.
  if(UNIX)
    set_property(TARGET ${target} APPEND PROPERTY LINK_LIBRARIES m)
    set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES $<LINK_ONLY:m>)
  endif()
endfunction()
