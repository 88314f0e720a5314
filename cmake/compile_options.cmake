# Warnings, linker and sanitizers: the one place that decides how everything is compiled.
add_library(socialsync_options INTERFACE)
target_compile_options(socialsync_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Werror
  # Precompiled headers carry a time stamp that would defeat ccache.
  "SHELL:-Xclang -fno-pch-timestamp")
target_link_options(socialsync_options INTERFACE -fuse-ld=lld-19)

if(SOCIALSYNC_FUZZ)
  target_compile_options(socialsync_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SOCIALSYNC_SANITIZE)
  target_compile_options(socialsync_options INTERFACE
    -fsanitize=${SOCIALSYNC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(socialsync_options INTERFACE -fsanitize=${SOCIALSYNC_SANITIZE})
  # Asio recycles coroutine frames, which hides a use after free from the sanitizers.
  target_compile_definitions(socialsync_options INTERFACE
    BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING)
endif()

# Paths are relative to the repository, so that a clone in another folder finds the objects of this one.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
# CCACHE_DEPEND: compares headers as they are. Preprocessed, a header has no comments, and the compiler refuses a
# precompiled header that was built from a file of another size.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
    CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
