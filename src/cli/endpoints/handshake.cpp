#include "cli/endpoints/handshake.hpp"

#include <random>

#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <fmt/core.h>

#include "app/egress.hpp"
#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/secret_input.hpp"
#include "deliver/answer.hpp"
#include "deliver/handshake.hpp"
#include "deliver/wire/sender.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;

constexpr std::size_t shown_characters_max = 200;

[[noreturn]] void refuse(const std::string& message) { throw Failure(Exit::wrong_usage, message); }

std::uint64_t random_number() {
  std::random_device entropy;
  return std::uint64_t{entropy()} << 32U | entropy();
}

void hide(std::string& text, const std::string& secret) {
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 1))
    text.replace(at, secret.size(), "*");
}

// Receivers quote what they were asked.
std::string shown(std::string answer, const std::string& verify_token) {
  hide(answer, verify_token);
  hide(answer, deliver::percent_encoded(verify_token));
  return printable(first_characters(answer, shown_characters_max));
}

std::string hint_for(int status) {
  if (status == 200) return "Meta wants the challenge alone: no quotes, no line end, no page around it";
  if (status == 401 || status == 403) return "is this the verify token that the receiver has?";
  if (status == 404 || status == 405) return "the receiver has no handshake at this path: look at the URL";
  return std::string(deliver::advice_on("http_status", status));
}

}  // namespace

std::optional<std::string> verify_token_of(const Draft& draft, const std::string& format) {
  const bool is_given = !draft.verify_token_file.empty();
  if (!draft.url || format != "meta") {
    if (is_given)
      refuse(draft.url ? "--verify-token-file: the standard format has no handshake"
                       : "--verify-token-file: goes with --url, for the handshake with it");
    return std::nullopt;
  }
  if (draft.skips_handshake) return std::nullopt;
  if (!is_given)
    refuse(
        "a URL is taken after Meta's handshake with it: give the receiver's verify token with "
        "--verify-token-file FILE, or go without by --skip-handshake");
  std::string token = read_secret(draft.verify_token_file, "verify token");
  if (token.empty()) refuse("verify token: it is empty");
  return token;
}

std::optional<Headers> headers_in(const std::string& values) {
  const boost::json::value parsed = boost::json::parse(values);
  const boost::json::value* given = parsed.as_object().if_contains("headers");
  if (given == nullptr) return std::nullopt;
  Headers headers;
  if (given->is_object())
    for (const auto& header : given->as_object())
      headers.emplace_back(header.key(), header.value().as_string());
  return headers;
}

std::string handshake_fault(const deliver::Reply& reply, const std::string& verify_token) {
  std::string what, hint;
  if (reply.error != deliver::SendError::none) {
    what =
        fmt::format("there was no answer: {}, {}", to_string(reply.error), shown(reply.detail, verify_token));
    hint = deliver::advice_on(to_string(reply.error), 0);
  } else {
    what = fmt::format("it answered {} with '{}'{}", reply.status, shown(reply.body_head, verify_token),
                       reply.status == 200 ? " instead of the challenge" : "");
    hint = hint_for(reply.status);
  }
  return fmt::format(
      "the receiver has not passed Meta's handshake, nothing was changed: {}; {}\n"
      "--skip-handshake takes the URL all the same",
      what, hint);
}

asio::awaitable<std::optional<std::string>> shake_hands(const config::Config& config, std::string url,
                                                        std::string verify_token, Headers headers) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  deliver::Sender sender(executor, app::egress_policy_of(config.egress));
  const std::string challenge = deliver::make_challenge(random_number());
  deliver::Request request = deliver::handshake_request(url, verify_token, challenge, std::move(headers));
  const deliver::Reply reply = co_await sender.send(std::move(request));
  if (deliver::has_passed(reply, challenge)) co_return std::nullopt;
  co_return handshake_fault(reply, verify_token);
}

}  // namespace socialsync::cli::endpoints
