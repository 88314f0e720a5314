#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "http/limits.hpp"

namespace socialsync::test {

// How many of the `left` bytes to feed next; at least 1.
using NextPiece = std::function<std::size_t(std::size_t left)>;

// All at once; one by one; the first `first` and then the rest.
NextPiece whole();
NextPiece one_by_one();
NextPiece cut_at(std::size_t first);

// Feeds `bytes` to a codec, piece by piece, and writes down everything that comes out: each request whole,
// the error, and whether a request was left unfinished. Throws std::logic_error when the codec breaks one of
// its promises: a limit, the padding of a body, the room it gives.
std::string transcript(std::string_view bytes, const http::Limits& limits, const NextPiece& next_piece);

}  // namespace socialsync::test
