# SPDX-License-Identifier: Apache-2.0
# What `make install DESTDIR=` puts where; the programs install themselves (tocsin_add_program).
# tocsind finds its workers in its own directory, so all programs share /usr/bin.
include_guard(GLOBAL)
include(GNUInstallDirs)
if(EXISTS "${PROJECT_SOURCE_DIR}/conf/tocsin.toml")
  # An operator's own file is never overwritten; the shipped one is beside it for comparison.
  install(FILES conf/tocsin.toml DESTINATION share/tocsin)
install(DIRECTORY conf/plugins DESTINATION share/tocsin)
  install(CODE "
    set(installed \"\$ENV{DESTDIR}${CMAKE_INSTALL_FULL_SYSCONFDIR}/tocsin/tocsin.toml\")
    if(NOT EXISTS \"\${installed}\")
      file(INSTALL \"${PROJECT_SOURCE_DIR}/conf/tocsin.toml\" DESTINATION \"${CMAKE_INSTALL_FULL_SYSCONFDIR}/tocsin\")
    endif()")
endif()
install(FILES README.md DESTINATION share/doc/tocsin)
file(GLOB tocsin_units "${PROJECT_SOURCE_DIR}/conf/systemd/*.service")
if(tocsin_units)
  install(FILES ${tocsin_units} DESTINATION lib/systemd/system)
endif()
install(FILES conf/systemd/tocsin.sysusers.conf DESTINATION lib/sysusers.d RENAME tocsin.conf)
