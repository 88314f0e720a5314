#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>

#include "deliver/wire/address.hpp"
#include "deliver/wire/exchange.hpp"
#include "deliver/wire/socket_set.hpp"

namespace socialsync::deliver {

// A request's headers in libcurl's form. Keeps its memory for the next request.
class HeaderList {
 public:
  // Valid until the next call. Nothing when a name or a value holds a control character, which could end the
  // header and begin another.
  std::optional<curl_slist*> build(const Request& request);

 private:
  bool add(std::string_view name, std::string_view value);
  curl_slist* link();

  std::string text_;  // each header ends with a zero
  std::vector<std::size_t> begins_;
  std::vector<curl_slist> nodes_;
};

// One request in flight, and its answer: a libcurl handle, reused for the next request.
class Transfer {
 public:
  // All arguments outlive it; `share` may be shared by the transfers of one thread.
  Transfer(const EgressPolicy& policy, const SenderLimits& limits, SocketSet& sockets, CURLSH* share);

  // Prepares a request, which must not move until the transfer has ended. False when it must not be sent:
  // reply() says why.
  bool prepare(const Request& request);

  // The reply, after libcurl ended the transfer with `result`.
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
  std::array<char, CURL_ERROR_SIZE> words_{};  // libcurl's error message
  // The state of this request.
  bool is_ready_ = false;  // false: libcurl's numbers are those of the previous request
  bool wants_address_ = false;
  std::string body_head_;
  std::size_t head_bytes_ = 0;
  bool has_head_ = false;
  bool is_interim_ = false;            // in a head of 1xx, before the answer's
  bool is_cut_ = false;                // the body is longer than what is read
  bool has_opened_ = false;            // a socket to a permitted address
  SendError error_ = SendError::none;  // found here, not by libcurl
  std::string why_;
};

}  // namespace socialsync::deliver
