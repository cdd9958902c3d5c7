# SPDX-License-Identifier: Apache-2.0
# Files as string literals in the program, so that it needs nothing beside itself at run time.
include_guard(GLOBAL)

# tocsin_embed(NAME DIR <folder> FILES <file>...): gives the layer NAME a header "<NAME>_assets.inc" with one
# `constexpr std::string_view k_<file with _ for .>` a file. A changed file runs the configuration again.
function(tocsin_embed name)
  cmake_parse_arguments(PARSE_ARGV 1 E "" "DIR" "FILES")
  if(E_UNPARSED_ARGUMENTS OR NOT E_DIR OR NOT E_FILES)
    message(FATAL_ERROR "tocsin_embed(${name}): DIR and FILES are required; unknown: ${E_UNPARSED_ARGUMENTS}")
  endif()
  set(text "// Made by platform/embed.cmake from ${E_DIR}; edit the files there.\n")
  foreach(file IN LISTS E_FILES)
    set(path "${PROJECT_SOURCE_DIR}/${E_DIR}/${file}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
    file(READ "${path}" content)
    string(REPLACE "." "_" variable "${file}")
    string(APPEND text "constexpr std::string_view k_${variable} = R\"tocsin(${content})tocsin\";\n")
  endforeach()
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/${name}/${name}_assets.inc" CONTENT "@text@" @ONLY)
  target_include_directories(tocsin_${name} PRIVATE "${PROJECT_BINARY_DIR}/generated/${name}")
endfunction()
