// Writes the requests of the ingest benchmark to a file: signed POSTs, all of one length, for wrk to send one
// after the other. Prints that length.
//
//   generate_ingest_load FILE COUNT TENANTS MESSAGES_PER_S SECRET [SECRETS]
//
// With SECRETS, tenant N's are signed under "SECRET-R", R the rest of N divided by SECRETS.
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "whatsapp_load.hpp"

namespace {

using namespace socialsync;

std::string make_request(const crypto::HmacKey& key, const std::string& body) {
  std::string signature;
  append_hex(signature, key.sign(body));
  return fmt::format(
      "POST /api/whatsapp/webhook HTTP/1.1\r\n"
      "Host: 127.0.0.1\r\n"
      "Accept: */*\r\n"
      "User-Agent: facebookexternalua\r\n"
      "Content-Type: application/json\r\n"
      "Content-Length: {}\r\n"
      "X-Hub-Signature-256: sha256={}\r\n"
      "\r\n{}",
      body.size(), signature, body);
}

// All messages lie in the past, the last one just now.
bench::Load make_load(std::uint64_t count, std::uint32_t tenants, std::uint32_t messages_per_s) {
  const auto duration_s = static_cast<std::int64_t>(count / messages_per_s) + 1;
  return {
      .tenants = tenants, .first_time_s = std::time(nullptr) - duration_s, .messages_per_s = messages_per_s};
}

std::size_t write_requests(std::ofstream& file, const bench::Load& load, std::uint64_t count,
                           const std::vector<crypto::HmacKey>& keys) {
  std::size_t size = 0;
  for (std::uint64_t number = 0; number < count; ++number) {
    const bench::Message message = bench::make_message(load, number);
    const std::string request = make_request(keys[message.tenant % keys.size()], message.body);
    if (size != 0 && request.size() != size) throw std::logic_error("requests of different lengths");
    size = request.size();
    file << request;
  }
  return size;
}

std::vector<crypto::HmacKey> make_keys(const std::string& secret, std::uint32_t secrets) {
  std::vector<crypto::HmacKey> keys;
  if (secrets == 0) keys.emplace_back(secret);
  for (std::uint32_t rest = 0; rest < secrets; ++rest) keys.emplace_back(fmt::format("{}-{}", secret, rest));
  return keys;
}

std::uint32_t number_of(const char* text) { return static_cast<std::uint32_t>(std::stoul(text)); }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    std::cerr << "usage: generate_ingest_load FILE COUNT TENANTS MESSAGES_PER_S SECRET [SECRETS]\n";
    return EXIT_FAILURE;
  }
  const std::uint32_t count = number_of(argv[2]);
  const bench::Load load = make_load(count, number_of(argv[3]), number_of(argv[4]));

  std::ofstream file(argv[1], std::ios::binary);
  const std::size_t size =
      write_requests(file, load, count, make_keys(argv[5], argc == 7 ? number_of(argv[6]) : 0));
  file.close();
  if (!file) {
    std::cerr << "could not write " << argv[1] << "\n";
    return EXIT_FAILURE;
  }
  std::cout << size << "\n";
}
