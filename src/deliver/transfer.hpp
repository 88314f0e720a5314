#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <curl/curl.h>

#include "deliver/address.hpp"
#include "deliver/exchange.hpp"
#include "deliver/header_list.hpp"
#include "deliver/sender_limits.hpp"
#include "deliver/socket_set.hpp"

namespace socialsync::deliver {

// One request on its way, and its answer: a handle of libcurl, used again for the next request.
class Transfer {
 public:
  // All of them outlive it; `share` may be shared by the transfers of one thread.
  Transfer(const EgressPolicy& policy, const SenderLimits& limits, SocketSet& sockets, CURLSH* share);

  // Makes ready for a request, which must stay where it is until the transfer has ended. False when it is not
  // one to send: reply() says why.
  bool prepare(const Request& request);

  // What came of it. `result` is libcurl's word.
  Reply reply(CURLcode result);

  CURL* handle() const { return handle_.get(); }

 private:
  struct Cleanup {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };

  void set_options(CURLSH* share);
  void set_security();
  void forget();
  bool refuse(SendError error, std::string why);
  bool is_scheme_allowed(std::string_view url) const;
  bool is_host_allowed(const std::string& url) const;
  SendError error_of(CURLcode result) const;
  std::chrono::microseconds took() const;
  std::string address() const;
  std::string detail_of(SendError error, CURLcode result) const;
  bool permits(const curl_sockaddr& address);

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int close_socket(void* sockets, curl_socket_t socket);
  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self);

  const EgressPolicy& policy_;
  const SenderLimits& limits_;
  SocketSet& sockets_;
  std::unique_ptr<CURL, Cleanup> handle_;
  HeaderList headers_;
  std::array<char, CURL_ERROR_SIZE> words_{};  // libcurl's, about an error
  // Of this request.
  bool is_ready_ = false;  // else libcurl's numbers are of the one before
  bool wants_address_ = false;
  std::string body_head_;
  std::size_t head_bytes_ = 0;
  bool has_head_ = false;
  bool is_interim_ = false;            // a head of 1xx, before the answer's
  bool is_cut_ = false;                // the body is longer than we read
  bool has_opened_ = false;            // a socket to an address that is permitted
  SendError error_ = SendError::none;  // what we found ourselves
  std::string why_;
};

}  // namespace socialsync::deliver
