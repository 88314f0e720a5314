// JSON in the form that Meta signs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace socialsync::deliver {

// Appends `json` with each character beyond '~' as \uxxxx in lower-case hex, and as a surrogate pair beyond
// U+FFFF: the same JSON in ASCII. Bytes that are not UTF-8 are passed on as they are.
//
// Meta signs its webhooks over that form, whatever it sends, and some libraries bring a body into it before
// they check (whatsapp-api-js does, and takes DEL for such a character). A body that is sent in it is right
// for them, and for those that check the bytes as they came.
void append_escaped(std::string& out, std::string_view json);

// How much room that takes, or a little more; less only for a text that holds many DEL.
std::size_t escaped_length(std::string_view json);

}  // namespace socialsync::deliver
