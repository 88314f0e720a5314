#include "http/chunk_reader.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace socialsync::http {
namespace {

// True for the rest of a chunk-size line: empty, or an extension, which is ignored.
bool is_extension(std::string_view text) {
  const auto is_forbidden = [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; };
  if (std::ranges::any_of(text, is_forbidden)) return false;
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == text.npos || text[begin] == ';';
}

}  // namespace

std::size_t ChunkReader::read(std::string_view bytes, std::string& body) {
  std::size_t total = 0;
  std::size_t used = 1;
  while (used > 0 && !is_done() && total < bytes.size()) {
    used = read_once(bytes.substr(total), body);
    total += used;
  }
  return total;
}

// Returns 0 when it needs more bytes, and after a fault.
std::size_t ChunkReader::read_once(std::string_view bytes, std::string& body) {
  switch (stage_) {
    case Stage::size: return read_size(bytes, body.size());
    case Stage::data: return read_data(bytes, body);
    case Stage::data_end: return read_data_end(bytes);
    case Stage::trailers: return read_trailer(bytes);
    case Stage::done: break;
  }
  return 0;
}

std::size_t ChunkReader::read_size(std::string_view bytes, std::size_t body_bytes) {
  const std::string_view line = take_line(bytes, limits_.chunk_line_bytes_max);
  if (line.empty()) return 0;
  const std::string_view text = line.substr(0, line.size() - 2);
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size, 16);
  if (error == std::errc::result_out_of_range) return fail(413);
  if (error != std::errc{} || !is_extension({end, text.data() + text.size()})) return fail(400);
  if (size > limits_.body_bytes_max - body_bytes) return fail(413);
  data_bytes_left_ = static_cast<std::size_t>(size);
  stage_ = size == 0 ? Stage::trailers : Stage::data;
  return line.size();
}

std::size_t ChunkReader::read_data(std::string_view bytes, std::string& body) {
  const std::string_view data = bytes.substr(0, data_bytes_left_);
  body.append(data);
  data_bytes_left_ -= data.size();
  if (data_bytes_left_ == 0) stage_ = Stage::data_end;
  return data.size();
}

std::size_t ChunkReader::read_data_end(std::string_view bytes) {
  constexpr std::string_view line_end = "\r\n";
  if (!line_end.starts_with(bytes.substr(0, 2))) return fail(400);
  if (bytes.size() < 2) return 0;
  stage_ = Stage::size;
  return 2;
}

std::size_t ChunkReader::read_trailer(std::string_view bytes) {
  const std::string_view line = take_line(bytes, trailer_bytes_left_);
  trailer_bytes_left_ -= line.size();
  if (line.size() == 2) stage_ = Stage::done;
  return line.size();
}

// Returns the first line of `bytes` with its line end; empty when the line is incomplete or sets fault().
std::string_view ChunkReader::take_line(std::string_view bytes, std::size_t bytes_max) {
  const std::string_view window = bytes.substr(0, bytes_max);
  const std::size_t end = window.find('\n');
  if (end == window.npos && window.size() == bytes_max) fail(431);
  if (end == window.npos) return {};
  const std::string_view line = window.substr(0, end + 1);
  if (line.ends_with("\r\n")) return line;
  fail(400);
  return {};
}

std::size_t ChunkReader::fail(int status) {
  fault_ = status;
  return 0;
}

}  // namespace socialsync::http
