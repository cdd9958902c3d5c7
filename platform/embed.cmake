# SPDX-License-Identifier: Apache-2.0
# Files as string literals in the program, so that it needs nothing beside itself at run time.
include_guard(GLOBAL)

# tocsin_embed(NAME DIR <folder> FILES <file>...): gives the layer NAME a header "src/<NAME>/assets.inc" with one
# `tocsin::<NAME>::k_<file with _ for .>` a file. A changed file runs the configuration again.
function(tocsin_embed name)
  cmake_parse_arguments(PARSE_ARGV 1 E "" "DIR" "FILES")
  if(E_UNPARSED_ARGUMENTS OR NOT E_DIR OR NOT E_FILES)
    message(FATAL_ERROR "tocsin_embed(${name}): DIR and FILES are required; unknown: ${E_UNPARSED_ARGUMENTS}")
  endif()
  set(text "// Made by platform/embed.cmake from ${E_DIR}; edit the files there.\n")
  string(APPEND text "#pragma once\n#include <string_view>\nnamespace tocsin::${name} {\n")
  foreach(file IN LISTS E_FILES)
    set(path "${PROJECT_SOURCE_DIR}/${E_DIR}/${file}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
    file(READ "${path}" content)
    string(REPLACE "." "_" variable "${file}")
    string(APPEND text "inline constexpr std::string_view k_${variable} = R\"tocsin(${content})tocsin\";\n")
  endforeach()
  string(APPEND text "}  // namespace tocsin::${name}\n")
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/src/${name}/assets.inc" CONTENT "@text@" @ONLY)
  target_include_directories(tocsin_${name} PRIVATE "${PROJECT_BINARY_DIR}/generated")
endfunction()
