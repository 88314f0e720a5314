#include "deliver/wire/transfer.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <netinet/in.h>

namespace socialsync::deliver {
namespace {

namespace ip = boost::asio::ip;

std::optional<ip::address> address_of(const curl_sockaddr& address) {
  if (address.family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address.addr, sizeof v4);
    return ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address.addr, sizeof v6);
  ip::address_v6::bytes_type bytes;
  std::ranges::copy(v6.sin6_addr.s6_addr, bytes.begin());
  return ip::address_v6(bytes);
}

bool starts_with_scheme(std::string_view url, std::string_view scheme) {
  return std::ranges::equal(url.substr(0, scheme.size()), scheme, {},
                            [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
}

// Receivers choose the text of their certificates, which libcurl quotes. Text that is not ASCII may not be
// UTF-8, which PostgreSQL refuses.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c >= 0x7f; }, '?');
  return text;
}

bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

bool is_sendable(std::string_view name, std::string_view value) {
  return !name.empty() &&
         std::ranges::none_of(name, [](char c) { return is_control(c) || c == ':' || c == ' '; }) &&
         std::ranges::none_of(value, [](char c) { return is_control(c) && c != '\t'; });
}

}  // namespace

std::string_view to_string(SendError error) {
  switch (error) {
    case SendError::none: return "none";
    case SendError::bad_url: return "bad_url";
    case SendError::name_not_found: return "name_not_found";
    case SendError::address_refused: return "address_refused";
    case SendError::not_connected: return "not_connected";
    case SendError::tls_failed: return "tls_failed";
    case SendError::timed_out: return "timed_out";
    case SendError::connection_lost: return "connection_lost";
    case SendError::protocol_error: return "protocol_error";
  }
  return "unknown";
}

bool HeaderList::add(std::string_view name, std::string_view value) {
  if (!is_sendable(name, value)) return false;
  begins_.push_back(text_.size());
  text_ += name;
  text_ += value.empty() ? ";" : ": ";  // a header without a value, to libcurl
  text_ += value;
  text_ += '\0';
  return true;
}

curl_slist* HeaderList::link() {
  nodes_.resize(begins_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].data = text_.data() + begins_[i];
    nodes_[i].next = i + 1 < nodes_.size() ? &nodes_[i + 1] : nullptr;
  }
  return nodes_.data();
}

std::optional<curl_slist*> HeaderList::build(const Request& request) {
  begins_.assign(1, 0);
  text_.assign("Expect:");  // without it libcurl asks before it sends a large body
  text_ += '\0';
  for (const auto& [name, value] : request.headers) {
    if (!add(name, value)) return std::nullopt;
  }
  return link();
}

Transfer::Transfer(const EgressPolicy& policy, const SenderLimits& limits, SocketSet& sockets, CURLSH* share)
    : policy_(policy), limits_(limits), sockets_(sockets), handle_(curl_easy_init()) {
  if (!handle_) throw std::bad_alloc();
  set_options(share);
  set_security();
}

void Transfer::set_options(CURLSH* share) {
  CURL* curl = handle();
  curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
  curl_easy_setopt(curl, CURLOPT_SHARE, share);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words_.data());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "socialsync/" SOCIALSYNC_VERSION);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits_.total_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, static_cast<long>(limits_.name_lifetime.count()));
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  // Without it, the end of a transfer waits for the thread that resolves its name.
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
}

void Transfer::set_security() {
  CURL* curl = handle();
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, &sockets_);  // connections outlive transfers
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, policy_.allows_http() ? "http,https" : "https");
  curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  // Set even when empty: otherwise libcurl reads the environment.
  curl_easy_setopt(curl, CURLOPT_PROXY, policy_.proxy().c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_CAINFO, limits_.ca_file.c_str());
  // With a folder beside the file, libcurl reads the file again for each connection.
  curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
}

void Transfer::forget() {
  words_[0] = '\0';
  body_head_.clear();
  head_bytes_ = 0;
  is_ready_ = has_head_ = is_interim_ = is_cut_ = has_opened_ = false;
  error_ = SendError::none;
  why_.clear();
}

bool Transfer::refuse(SendError error, std::string why) {
  error_ = error;
  why_ = std::move(why);
  return false;
}

bool Transfer::prepare(const Request& request) {
  forget();
  if (!is_scheme_allowed(request.url))
    return refuse(SendError::bad_url,
                  policy_.allows_http() ? "the URL is not http:// or https://" : "the URL is not https://");
  if (!policy_.proxy().empty() && !is_host_allowed(request.url))
    return refuse(SendError::address_refused, "the URL names a private address");
  const std::optional<curl_slist*> headers = headers_.build(request);
  if (!headers) return refuse(SendError::bad_url, "a header holds a character that no header may hold");
  wants_address_ = request.wants_address;
  CURL* curl = handle();
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);
  if (request.is_get) {
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  return is_ready_ = true;
}

// Stricter than libcurl, which guesses a missing scheme.
bool Transfer::is_scheme_allowed(std::string_view url) const {
  if (url.find('\0') != std::string_view::npos) return false;
  return starts_with_scheme(url, "https://") || (policy_.allows_http() && starts_with_scheme(url, "http://"));
}

// Behind a proxy only the URL can be checked: the proxy resolves the name and connects.
bool Transfer::is_host_allowed(const std::string& url) const {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  char* host = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return true;  // a bad_url later
  if (curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) return true;
  const std::unique_ptr<char, decltype(&curl_free)> owner(host, curl_free);
  return policy_.permits_literal(host);
}

bool Transfer::permits(const curl_sockaddr& address) {
  const std::optional<ip::address> target = address_of(address);
  if (target && (!policy_.proxy().empty() || policy_.permits(*target))) return has_opened_ = true;
  return refuse(SendError::address_refused,
                target ? fmt::format("{} is not a public address, and not in SOCIALSYNC_EGRESS_ALLOW",
                                     target->to_string())
                       : "not an address of the Internet");
}

curl_socket_t Transfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.permits(*address)) return CURL_SOCKET_BAD;
  return transfer.sockets_.open(*address);
}

int Transfer::close_socket(void* sockets, curl_socket_t socket) {
  return static_cast<SocketSet*>(sockets)->close(socket);
}

std::size_t Transfer::take_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line(data, size * count);
  transfer.head_bytes_ += line.size();
  if (transfer.head_bytes_ > transfer.limits_.head_bytes_max) {
    transfer.refuse(SendError::protocol_error, "the answer's headers are too large");
    return 0;
  }
  if (line.starts_with("HTTP/")) transfer.is_interim_ = line.find(" 1") == line.find(' ');
  if ((line == "\r\n" || line == "\n") && !transfer.is_interim_) transfer.has_head_ = true;
  return line.size();
}

std::size_t Transfer::take_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view part(data, size * count);
  const std::size_t room = transfer.limits_.body_head_bytes_max - transfer.body_head_.size();
  transfer.body_head_ += part.substr(0, room);
  if (part.size() <= room) return part.size();
  transfer.is_cut_ = true;
  return CURL_WRITEFUNC_ERROR;
}

Reply Transfer::reply(CURLcode result) {
  Reply reply;
  if (is_ready_) {
    reply.took = took();
    if (wants_address_) reply.address = address();
  }
  reply.error = error_of(result);
  reply.detail = printable(detail_of(reply.error, result));
  if (reply.error != SendError::none) return reply;
  long status = 0;
  curl_off_t wait_seconds = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle(), CURLINFO_RETRY_AFTER, &wait_seconds);
  reply.status = static_cast<int>(status);
  reply.body_head = std::move(body_head_);
  if (wait_seconds > 0) reply.retry_after = std::chrono::seconds(wait_seconds);
  return reply;
}

std::chrono::microseconds Transfer::took() const {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(handle(), CURLINFO_TOTAL_TIME_T, &microseconds);
  return std::chrono::microseconds(microseconds);
}

std::string Transfer::address() const {
  char* host = nullptr;
  long port = 0;
  curl_easy_getinfo(handle(), CURLINFO_PRIMARY_IP, &host);
  curl_easy_getinfo(handle(), CURLINFO_PRIMARY_PORT, &port);
  if (host == nullptr || *host == '\0') return {};
  const bool is_v6 = std::strchr(host, ':') != nullptr;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

// An answer counts as soon as its head is complete: the body is only for people.
SendError Transfer::error_of(CURLcode result) const {
  const bool has_tried_another = error_ == SendError::address_refused && has_opened_;
  if (error_ != SendError::none && !has_tried_another) return error_;
  if (has_head_) return SendError::none;
  switch (result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED: return SendError::bad_url;
    case CURLE_COULDNT_RESOLVE_HOST: return SendError::name_not_found;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY: return SendError::not_connected;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return SendError::tls_failed;
    case CURLE_OPERATION_TIMEDOUT: return SendError::timed_out;
    case CURLE_OK:  // for libcurl a head that ends halfway is a success
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2_STREAM:
    case CURLE_PARTIAL_FILE: return SendError::connection_lost;
    default: return SendError::protocol_error;
  }
}

std::string Transfer::detail_of(SendError error, CURLcode result) const {
  if (error != SendError::none && error == error_) return why_;
  if (error != SendError::none && result == CURLE_OK) return "the connection ended within the answer's head";
  if (result == CURLE_OK || is_cut_) return {};
  return words_[0] != '\0' ? words_.data() : curl_easy_strerror(result);
}

}  // namespace socialsync::deliver
