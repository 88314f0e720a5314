# precompile(TARGET): compiles TARGET with the headers of precompiled.cpp read once. CMake's own precompiled headers
# hold absolute paths, which ccache cannot share between clones.
function(precompile target)
  add_library(precompiled OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cpp)
  target_compile_options(precompiled PRIVATE "SHELL:-x c++-header")
  target_compile_definitions(precompiled PRIVATE $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>)
  target_link_libraries(precompiled PRIVATE $<TARGET_PROPERTY:${target},LINK_LIBRARIES>)
  set(header ${CMAKE_BINARY_DIR}/CMakeFiles/precompiled.dir/cmake/precompiled.cpp.o)
  target_compile_options(${target} PRIVATE "SHELL:-include-pch ${header}")
  get_target_property(sources ${target} SOURCES)
  set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS ${header})
endfunction()
