# embed_files(NAME FILE…): makes a source file in which each FILE is a string, found by its file name
# through socialsync::embedded::NAME(file_name). Sets NAME_source.
function(embed_files name)
  set(entries "")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
    file(READ ${CMAKE_SOURCE_DIR}/${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    get_filename_component(base ${file} NAME)
    string(MAKE_C_IDENTIFIER ${base} symbol)
    string(APPEND arrays "constexpr unsigned char ${symbol}[] = {${bytes}0};\n")
    string(APPEND entries
      "  if (file_name == \"${base}\") return {reinterpret_cast<const char*>(${symbol}), sizeof(${symbol}) - 1};\n")
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${output} CONTENT
"#include <string_view>
namespace socialsync::embedded {
namespace {
@arrays@}
std::string_view ${name}(std::string_view file_name) {
@entries@  return {};
}
}  // namespace socialsync::embedded
" @ONLY)
  set(${name}_source ${output} PARENT_SCOPE)
endfunction()
