#include "cli/http_client.hpp"

#include <stdexcept>

#include <curl/curl.h>

namespace socialsync::cli {
namespace {

constexpr long timeout_seconds = 30;

std::size_t ignore_answer(char*, std::size_t size, std::size_t count, void*) { return size * count; }

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

struct HttpClient::Handle {
  CURL* curl = curl_easy_init();
  ~Handle() { curl_easy_cleanup(curl); }
};

HttpClient::HttpClient(const std::string& url) : handle_(std::make_unique<Handle>()) {
  if (!handle_->curl) throw std::runtime_error("libcurl cannot start");
  curl_easy_setopt(handle_->curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle_->curl, CURLOPT_USERAGENT, "facebookexternalua");
  curl_easy_setopt(handle_->curl, CURLOPT_WRITEFUNCTION, ignore_answer);
  curl_easy_setopt(handle_->curl, CURLOPT_TIMEOUT, timeout_seconds);
}

HttpClient::~HttpClient() = default;

long HttpClient::post(std::string_view body, const std::string& signature) {
  curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/json");
  const std::unique_ptr<curl_slist, FreeList> headers(
      curl_slist_append(list, ("X-Hub-Signature-256: " + signature).c_str()));
  curl_easy_setopt(handle_->curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle_->curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(handle_->curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  return perform();
}

long HttpClient::get() { return perform(); }

long HttpClient::perform() {
  const CURLcode result = curl_easy_perform(handle_->curl);
  if (result != CURLE_OK) throw std::runtime_error(std::string("no answer: ") + curl_easy_strerror(result));
  long status = 0;
  curl_easy_getinfo(handle_->curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

}  // namespace socialsync::cli
