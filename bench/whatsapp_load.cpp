#include "whatsapp_load.hpp"

#include <array>

#include <fmt/format.h>

namespace socialsync::bench {
namespace {

constexpr std::uint32_t customers = 5000;
constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15;

constexpr std::array sentences = {
    "Bonjour, est-ce que la veste verte existe en taille 4 ? Merci d'avance.",
    "Hello! My parcel was due on Monday and I still have no tracking number.",
    "Could I move our booking from Thursday 14:30 to Saturday evening, please?",
    "Parfait, je passe le prendre au magasin demain matin avant dix heures !",
};

// Steele, Lea and Flood's SplitMix64: a bijection, so different numbers stay different.
std::uint64_t scramble(std::uint64_t number) {
  std::uint64_t mixed = number + golden_ratio;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

Uuid numbered_uuid(char kind, std::uint32_t number) {
  const std::string text = fmt::format("{0}{0}{0}{0}{0}{0}{0}{0}-0000-4000-8000-{1:012}", kind, number);
  return parse_uuid(text).value();
}

}  // namespace

Message make_message(const Load& load, std::uint64_t number) {
  const std::uint64_t random = scramble(number);
  Message message{
      .tenant = static_cast<std::uint32_t>(random % load.tenants),
      .time_s = load.first_time_s + static_cast<std::int64_t>(number / load.messages_per_s),
      .id = fmt::format("wamid.HBgLMzM3NjU1NDAwMDMVAgASGBQzQTdC{:016X}QUJDAA==", random),
      .customer = fmt::format("337{:08}", random / load.tenants % customers),
      .body = {},
  };
  message.body = fmt::format(
      R"({{"object":"whatsapp_business_account","entry":[{{"id":"2{0:014}","changes":[{{"value":{{)"
      R"("messaging_product":"whatsapp","metadata":{{"display_phone_number":"331{0:08}",)"
      R"("phone_number_id":"1{0:014}"}},"contacts":[{{"profile":{{"name":"Camille Martin"}},"wa_id":"{1}"}}],)"
      R"("messages":[{{"from":"{1}","id":"{2}","timestamp":"{3}","type":"text","text":{{"body":"{4:<80}"}}}}]}},)"
      R"("field":"messages"}}]}}]}})",
      message.tenant, message.customer, message.id, message.time_s, sentences[random % sentences.size()]);
  return message;
}

Uuid user_id(std::uint32_t tenant) { return numbered_uuid('a', tenant); }

Uuid account_id(std::uint32_t tenant) { return numbered_uuid('b', tenant); }

Uuid log_id(const Message& message, std::uint64_t number) {
  const std::uint64_t random = scramble(number);
  const auto time_ms = static_cast<std::uint64_t>(message.time_s) * 1000;
  Uuid id;
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(time_ms >> (40 - 8 * i));
  for (std::size_t i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x80 | (number >> 24 & 0x0f));
  id.bytes[7] = static_cast<std::uint8_t>(number);
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

}  // namespace socialsync::bench
