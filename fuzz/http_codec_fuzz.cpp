// Any bytes, cut in any way, come out of the codec as the same requests and the same error, within its
// limits.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <string_view>

#include "http/limits.hpp"
#include "support/http_transcript.hpp"

namespace {

using namespace socialsync;

http::Limits tight_limits() {
  http::Limits limits;
  limits.header_bytes_max = 96;
  limits.headers_max = 3;
  limits.chunk_line_bytes_max = 8;
  limits.body_bytes_max = 24;
  return limits;
}

// The bytes decide how they are cut, so that a finding can be run again.
test::NextPiece random_pieces(std::string_view bytes) {
  std::minstd_rand random(static_cast<std::uint32_t>(std::hash<std::string_view>{}(bytes)));
  return [random](std::size_t left) mutable { return 1 + random() % left; };
}

void check(std::string_view bytes, const http::Limits& limits) {
  const std::string expected = test::transcript(bytes, limits, test::whole());
  if (test::transcript(bytes, limits, test::one_by_one()) != expected) std::abort();
  if (test::transcript(bytes, limits, random_pieces(bytes)) != expected) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  check(bytes, {});
  check(bytes, tight_limits());
  return 0;
}
