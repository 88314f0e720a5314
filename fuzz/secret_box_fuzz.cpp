// Any text in place of an encrypted secret, and in place of a key: it is decrypted only when it was encrypted
// so, what we seal opens again and in its place alone, and one changed byte is found.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/secret_box.hpp"

namespace {

using namespace socialsync;

constexpr std::string_view place =
    "socialsync|social_accounts|00000000-0000-4000-8000-00000000000a|app_secret";

void require(bool holds) {
  if (!holds) std::abort();
}

const crypto::SecretKeys& keys() {
  crypto::SecretKey::Bytes bytes;
  bytes.fill(1);
  static const crypto::SecretKeys all({crypto::SecretKey(bytes)});
  return all;
}

void check_foreign(std::string_view value) {
  const auto plain = keys().open(value, place);
  if (plain) {
    require(crypto::is_sealed(value) && value.size() == crypto::sealed_length(plain->size()));
    return;
  }
  require((plain.error() == crypto::OpenError::not_sealed) == !crypto::is_sealed(value));
  require((plain.error() == crypto::OpenError::unknown_key) ==
          (crypto::is_sealed(value) && crypto::key_id_of(value) != keys().ids().front()));
}

void check_ours(std::string_view plain) {
  std::string sealed = keys().seal(plain, place);
  require(sealed.size() == crypto::sealed_length(plain.size()));
  const auto opened = keys().open(sealed, place);
  require(opened && *opened == plain);
  require(!keys().open(sealed, "elsewhere"));
  const std::size_t changed = sealed.size() - 1 - plain.size() % (sealed.size() - 16);
  sealed[changed] = sealed[changed] == 'A' ? 'B' : 'A';
  require(!keys().open(sealed, place));
}

// A list is decrypted when its only encrypted entry is; its other entries are unchanged.
void check_list(std::string_view list) {
  if (const auto plain = keys().open_list(list, place)) require(plain->size() < list.size());
  if (keys().open_list(list, place).has_error() &&
      keys().open_list(list, place).error() == crypto::OpenError::not_sealed) {
    const auto longer = keys().open_list(std::string(list) + "," + keys().seal("old", place), place);
    require(longer && *longer == std::string(list) + ",old");
  }
}

void check_key(std::string_view text) {
  const auto key = crypto::parse_secret_key(text);
  if (key) require(text.size() == 64 || text.size() == 44 || text.size() == 43);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  check_foreign(bytes);
  check_ours(bytes);
  check_list(bytes);
  check_key(bytes);
  return 0;
}
