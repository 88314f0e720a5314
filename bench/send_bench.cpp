// How many deliveries a second one thread sends to a receiver: by a bare libcurl client, which does no more
// than it must, or by deliver/sender. Every answer is checked. Prints JSON.
//
//   send_bench bare|sender URL REQUESTS_AT_ONCE SECONDS BODY_BYTES [CA_FILE]
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "deliver/wire/sender.hpp"
#include "net/result.hpp"

namespace {

using namespace socialsync;
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string way, url;
  std::size_t at_once = 0;
  std::chrono::seconds duration{};
  std::string body;
  std::string ca_file;
};

// The headers of every delivery, at their usual length.
const std::vector<std::pair<std::string, std::string>> headers = {
    {"Content-Type", "application/json"},
    {"X-Hub-Signature-256", "sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
    {"webhook-id", "msg_01234567-89ab-7def-8123-456789abcdef"},
    {"webhook-timestamp", "1700000000"},
    {"webhook-signature", "v1,MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}};

class Bare {
 public:
  explicit Bare(const Options& options) : options_(options) {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1024L);
    curl_slist_append(list_, "Expect:");
    for (const auto& [name, value] : headers) curl_slist_append(list_, (name + ": " + value).c_str());
  }

  std::uint64_t run() {
    end_ = Clock::now() + options_.duration;
    for (std::size_t i = 0; i < options_.at_once; ++i) curl_multi_add_handle(multi_, new_handle());
    running_ = options_.at_once;
    while (running_ > 0) turn();
    return answered_;
  }

 private:
  CURL* new_handle() {
    CURL* handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_URL, options_.url.c_str());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(options_.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, options_.body.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list_);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 15'000L);
    if (!options_.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
    return handle;
  }

  void turn() {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms_);
    int running = 0;
    if (count == 0) curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int in = (event.events & ~std::uint32_t{EPOLLOUT}) != 0 ? CURL_CSELECT_IN : 0;
      const int out = (event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
      curl_multi_socket_action(multi_, event.data.fd, in | out, &running);
    }
    collect();
    if (timeout_ms_ == 0) curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }

  void collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      CURL* handle = message->easy_handle;
      long status = 0;
      curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
      if (status != 200) throw std::runtime_error(curl_easy_strerror(message->data.result));
      ++answered_;
      curl_multi_remove_handle(multi_, handle);
      if (Clock::now() < end_)
        curl_multi_add_handle(multi_, handle);
      else
        --running_;
    }
  }

  static std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }

  static int on_watch(CURL*, curl_socket_t socket, int what, void* self, void* known) {
    auto& bare = *static_cast<Bare*>(self);
    epoll_event event{};
    event.data.fd = socket;
    event.events = ((what & CURL_POLL_IN) != 0 ? std::uint32_t{EPOLLIN} : 0) |
                   ((what & CURL_POLL_OUT) != 0 ? std::uint32_t{EPOLLOUT} : 0);
    const int change = what == CURL_POLL_REMOVE ? EPOLL_CTL_DEL : known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    epoll_ctl(bare.epoll_, change, socket, &event);
    curl_multi_assign(bare.multi_, socket, what == CURL_POLL_REMOVE ? nullptr : self);
    return 0;
  }

  static int on_timeout(CURLM*, long timeout_ms, void* self) {
    static_cast<Bare*>(self)->timeout_ms_ = static_cast<int>(timeout_ms);
    return 0;
  }

  const Options& options_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  CURLM* multi_ = curl_multi_init();
  curl_slist* list_ = curl_slist_append(nullptr, "Accept: */*");
  int timeout_ms_ = -1;
  Clock::time_point end_;
  std::size_t running_ = 0;
  std::uint64_t answered_ = 0;
};

asio::awaitable<void> send_until(deliver::Sender& sender, const Options& options, Clock::time_point end,
                                 std::uint64_t& answered) {
  while (Clock::now() < end) {
    deliver::Request request{.url = options.url, .body = options.body, .headers = headers};
    deliver::Reply reply = co_await sender.send(std::move(request));
    if (reply.status != 200) throw std::runtime_error(reply.detail);
    ++answered;
  }
}

std::uint64_t run_sender(const Options& options) {
  asio::io_context context(1);
  deliver::SenderLimits limits;
  if (!options.ca_file.empty()) limits.ca_file = options.ca_file;
  deliver::EgressPolicy policy({*net::Cidr::parse("127.0.0.0/8")}, true, "");
  deliver::Sender sender(context.get_executor(), policy, limits);
  std::uint64_t answered = 0;
  std::size_t lanes = options.at_once;
  const Clock::time_point end = Clock::now() + options.duration;
  for (std::size_t i = 0; i < options.at_once; ++i)
    asio::co_spawn(context, send_until(sender, options, end, answered),
                   [&](const std::exception_ptr& failure) {
                     net::rethrow(failure);
                     if (--lanes == 0) sender.stop();
                   });
  context.run();
  return answered;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void measure(const Options& options) {
  const Clock::time_point begin = Clock::now();
  const double cpu_before = cpu_seconds();
  const std::uint64_t answered = options.way == "bare" ? Bare(options).run() : run_sender(options);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const double cpu = cpu_seconds() - cpu_before;
  const auto count = static_cast<double>(answered);
  fmt::print("{{\"requests_per_s\": {:.0f}, \"cpu_us\": {:.2f}}}\n", count / seconds, cpu * 1e6 / count);
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + argument_count);
  if (words.size() < 5)
    return std::cerr << "send_bench bare|sender URL AT_ONCE SECONDS BODY_BYTES [CA_FILE]\n", 2;
  try {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    measure({words[0], words[1], std::stoul(words[2]), std::chrono::seconds(std::stoi(words[3])),
             std::string(std::stoul(words[4]), 'x'), words.size() > 5 ? words[5] : ""});
  } catch (const std::exception& error) {
    std::cerr << "send_bench: " << error.what() << '\n';
    return 1;
  }
}
