#include "deliver/message.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>

#include <fmt/core.h>

#include "base/text.hpp"

namespace socialsync::deliver {
namespace {

constexpr char last_plain = '~';

bool is_plain(char byte) { return static_cast<unsigned char>(byte) <= last_plain; }

// The number of plain bytes at the beginning, counted eight at a time: most bodies are plain.
std::size_t plain_length(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101, high_bits = 0x8080808080808080;
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    // Plus one, so that DEL has its high bit set too.
    if (((word | (word + ones)) & high_bits) != 0) break;
  }
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

struct Character {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

// The length of the UTF-8 character with this first byte; 0 when no character begins with it.
std::size_t bytes_announced(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2U : lead < 0xf0 ? 3U : 4U;
}

// The first character of `text`, which is not empty.
Character first_character(std::string_view text) {
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t bytes = bytes_announced(lead);
  if (bytes == 1) return {lead, 1};
  if (bytes == 0 || bytes > text.size()) return {};
  char32_t value = lead & (0x7fU >> bytes);
  for (const char byte : text.substr(1, bytes - 1)) {
    const auto next = static_cast<unsigned char>(byte);
    if ((next & 0xc0U) != 0x80U) return {};
    value = value << 6U | (next & 0x3fU);
  }
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[bytes] || value > 0x10ffff || is_surrogate) return {};
  return {value, bytes};
}

void append_unit(std::string& out, std::uint32_t unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  const char escape[] = {'\\',
                         'u',
                         digits[unit >> 12U & 15U],
                         digits[unit >> 8U & 15U],
                         digits[unit >> 4U & 15U],
                         digits[unit & 15U]};
  out.append(escape, sizeof escape);
}

void append_escape(std::string& out, char32_t character) {
  if (character < 0x10000) return append_unit(out, character);
  const std::uint32_t rest = character - 0x10000;
  append_unit(out, 0xd800 + (rest >> 10U));
  append_unit(out, 0xdc00 + (rest & 0x3ffU));
}

// "2026-11-23T00:00:00.000Z"
std::string utc(std::int64_t unix_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(unix_ms)};
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

// Unix time of the event. Ids made by ingest/event_id.cpp begin with Meta's time of the event; for other rows
// the time of their receipt is used.
std::int64_t time_ms(const Event& event) {
  const auto& bytes = event.id.bytes;
  constexpr unsigned custom_version = 8;
  if (bytes[6] >> 4U != custom_version) return event.received_ms;
  std::int64_t time = 0;
  for (std::size_t i = 0; i < 6; ++i) time = time * 256 + bytes[i];
  return time;
}

std::string standard_head(const Event& event) {
  std::string head = R"({"type":)";
  append_json_string(head, event.type);
  head += fmt::format(R"(,"timestamp":"{}","data":{{"id":"{}","platform":)", utc(time_ms(event)),
                      to_string(event.id));
  append_json_string(head, event.platform);
  return head + R"(,"payload":)";
}

}  // namespace

std::size_t escaped_length(std::string_view json) {
  // The worst case: 2 bytes become 6.
  const auto others = std::ranges::count_if(json, [](char byte) { return !is_plain(byte); });
  return json.size() + 2 * static_cast<std::size_t>(others);
}

void append_escaped(std::string& out, std::string_view json) {
  while (true) {
    const std::size_t plain = plain_length(json);
    out.append(json.substr(0, plain));
    json.remove_prefix(plain);
    if (json.empty()) return;
    const Character character = first_character(json);
    if (character.bytes == 0)
      out += json.front();
    else
      append_escape(out, character.value);
    json.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
}

std::string body_of(const Event& event, model::DeliveryFormat format) {
  const bool is_standard = format == model::DeliveryFormat::standard;
  const std::string head = is_standard ? standard_head(event) : std::string();
  const std::string_view tail = is_standard ? "}}" : "";
  std::string body;
  body.reserve(escaped_length(head) + escaped_length(event.payload) + tail.size());
  append_escaped(body, head);
  append_escaped(body, event.payload);
  body += tail;
  return body;
}

Request request_of(const Event& event, const model::Endpoint& endpoint, const Signer& signer,
                   std::int64_t now_seconds) {
  Request request{.url = endpoint.url, .body = body_of(event, endpoint.format), .headers = {}};
  request.headers = signer.headers(event.id, now_seconds, request.body);
  request.headers.emplace_back("content-type", "application/json");
  request.headers.insert(request.headers.end(), endpoint.headers.begin(), endpoint.headers.end());
  return request;
}

}  // namespace socialsync::deliver
