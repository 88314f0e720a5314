// The only OpenSSL digest code.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

struct evp_mac_ctx_st;
struct evp_md_ctx_st;
struct evp_md_st;

namespace socialsync::crypto {

using Digest = std::array<std::uint8_t, 32>;

// HMAC-SHA256 under one secret. The key is expanded once; each sign() costs one pass over the message.
// Not safe to use from two threads at once.
class HmacKey {
 public:
  explicit HmacKey(std::string_view secret);

  Digest sign(std::string_view message) const;

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

// SHA-256, reusable: call add() any number of times, then finish(), which also starts the next digest.
class Sha256 {
 public:
  Sha256();

  void add(std::string_view bytes);
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
    void operator()(evp_md_st* algorithm) const;
  };
  std::unique_ptr<evp_md_st, Free> algorithm_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// True if equal. The time does not depend on the position of the difference; the lengths are not secret.
bool equal_in_constant_time(std::string_view a, std::string_view b);
bool equal_in_constant_time(const Digest& a, const Digest& b);

}  // namespace socialsync::crypto
