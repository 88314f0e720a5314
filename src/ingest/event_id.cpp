#include "ingest/event_id.hpp"

#include <algorithm>

namespace socialsync::ingest {
namespace {

constexpr std::int64_t time_ms_max = (std::int64_t{1} << 48) - 1;

}  // namespace

std::optional<std::int64_t> usable_time_ms(const model::Event& event) {
  if (!event.time_ms || *event.time_ms <= 0 || *event.time_ms > time_ms_max) return std::nullopt;
  return event.time_ms;
}

void EventIds::add(std::string_view part) {
  const auto size = static_cast<std::uint64_t>(part.size());
  char prefix[8];
  for (int i = 0; i < 8; ++i) prefix[i] = static_cast<char>(size >> (56 - 8 * i) & 255);
  hash_.add({prefix, sizeof prefix});
  hash_.add(part);
}

Uuid EventIds::finish(std::int64_t time_ms) {
  const crypto::Digest digest = hash_.finish();
  const auto time = static_cast<std::uint64_t>(std::clamp<std::int64_t>(time_ms, 0, time_ms_max));
  Uuid id;
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(time >> (40 - 8 * i) & 255);
  std::copy_n(digest.begin(), 10, id.bytes.begin() + 6);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x80);  // version 8
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);  // variant 10
  return id;
}

Uuid EventIds::make(const model::Event& event, const Uuid& account, std::int64_t time_ms) {
  add(to_string(event.platform));
  add({reinterpret_cast<const char*>(account.bytes.data()), account.bytes.size()});
  add(event.kind);
  add(event.natural_id);
  add(event.discriminator);
  return finish(time_ms);
}

Uuid EventIds::make(std::initializer_list<std::string_view> parts, std::int64_t time_ms) {
  for (const std::string_view part : parts) add(part);
  return finish(time_ms);
}

}  // namespace socialsync::ingest
