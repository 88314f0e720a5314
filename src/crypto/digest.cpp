#include "crypto/digest.hpp"

#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace socialsync::crypto {
namespace {

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct FreeMac {
  void operator()(EVP_MAC* algorithm) const { EVP_MAC_free(algorithm); }
};

}  // namespace

void HmacKey::Free::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

HmacKey::HmacKey(std::string_view secret) {
  const std::unique_ptr<EVP_MAC, FreeMac> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  require(algorithm != nullptr, "OpenSSL has no HMAC");
  context_.reset(EVP_MAC_CTX_new(algorithm.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  require(context_ && EVP_MAC_init(context_.get(), octets_of(secret), secret.size(), parameters) == 1,
          "OpenSSL cannot set up HMAC-SHA256");
}

Digest HmacKey::sign(std::string_view message) const {
  Digest digest;
  std::size_t length = 0;
  // A null key means "the one already set": the expanded key is kept. EVP_MAC_init(3).
  require(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
              EVP_MAC_update(context_.get(), octets_of(message), message.size()) == 1 &&
              EVP_MAC_final(context_.get(), digest.data(), &length, digest.size()) == 1 &&
              length == digest.size(),
          "OpenSSL cannot compute HMAC-SHA256");
  return digest;
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }
void Sha256::Free::operator()(evp_md_st* algorithm) const { EVP_MD_free(algorithm); }

Sha256::Sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  require(algorithm_ && context_ && EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1,
          "OpenSSL has no SHA-256");
}

void Sha256::add(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "OpenSSL cannot hash");
}

Digest Sha256::finish() {
  Digest digest;
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1 &&
              EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1,
          "OpenSSL cannot hash");
  return digest;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool equal_in_constant_time(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace socialsync::crypto
