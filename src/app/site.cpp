#include "app/site.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "base/log.hpp"

namespace socialsync::app {
namespace {

namespace asio = boost::asio;
using model::Platform;

enum class Page { webhook, webhook_test, healthz, readyz, metrics };

struct Route {
  std::string_view path;
  Page page;
  std::optional<Platform> platform;
};

constexpr Route routes[] = {
    {"/api/whatsapp/webhook", Page::webhook, Platform::whatsapp},
    {"/api/instagram/webhook", Page::webhook, Platform::instagram},
    {"/api/messenger/webhook", Page::webhook, Platform::messenger},
    {"/api/meta/webhook", Page::webhook, std::nullopt},
    {"/api/whatsapp/webhook-test", Page::webhook_test, Platform::whatsapp},
    {"/api/instagram/webhook-test", Page::webhook_test, Platform::instagram},
    {"/healthz", Page::healthz, std::nullopt},
    {"/readyz", Page::readyz, std::nullopt},
    {"/metrics", Page::metrics, std::nullopt},
};

const Route* find_route(std::string_view path) {
  for (const Route& route : routes) {
    if (route.path == path) return &route;
  }
  return nullptr;
}

bool exists(Page page, const SiteRoutes& chosen) {
  if (page == Page::webhook) return chosen.takes_webhooks;
  return page != Page::webhook_test || (chosen.takes_webhooks && chosen.takes_tests);
}

std::string_view allowed_methods(Page page) {
  switch (page) {
    case Page::webhook: return "GET, POST";
    case Page::webhook_test: return "POST";
    case Page::healthz:
    case Page::readyz:
    case Page::metrics: break;
  }
  return "GET, HEAD";
}

bool is_allowed(Page page, http::Method method) {
  if (method == http::Method::post) return page == Page::webhook || page == Page::webhook_test;
  if (method == http::Method::get) return page != Page::webhook_test;
  return method == http::Method::head && page != Page::webhook && page != Page::webhook_test;
}

http::Response plain(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

}  // namespace

std::optional<http::Response> Site::refuse(const http::Request& head) {
  const Route* route = find_route(head.path);
  if (!route || !exists(route->page, routes_)) {
    metrics_.request("not_found");
    return http::error_response(404, "not_found", "no such path");
  }
  if (is_allowed(route->page, head.method)) return std::nullopt;
  metrics_.request("method_not_allowed");
  http::Response response =
      http::error_response(405, "method_not_allowed", "method not allowed at this path");
  response.headers.emplace_back("Allow", allowed_methods(route->page));
  return response;
}

asio::awaitable<http::Response> Site::handle(http::Request request) {
  if (!log::enabled(log::Level::debug)) co_return co_await dispatch(std::move(request));
  const auto began = std::chrono::steady_clock::now();
  const std::string method = request.method_name;
  const std::string path = request.path;
  const std::size_t bytes = request.body.size();
  http::Response response = co_await dispatch(std::move(request));
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - began;
  log::debug("request", {{"method", method},
                         {"path", path},
                         {"bytes", bytes},
                         {"status", response.status},
                         {"ms", spent.count()}});
  co_return response;
}

asio::awaitable<http::Response> Site::dispatch(http::Request request) {
  const Route& route = *find_route(request.path);  // refuse() has checked that it exists
  switch (route.page) {
    case Page::webhook:
      if (request.method == http::Method::get) co_return receiver_.handshake(request.query, route.platform);
      co_return co_await receiver_.receive(std::move(request), route.platform);
    case Page::webhook_test: co_return co_await receiver_.receive_test(std::move(request), *route.platform);
    case Page::healthz: co_return plain(200, "ok\n");
    case Page::readyz: co_return ready();
    case Page::metrics: co_return metrics_page();
  }
  co_return http::error_response(404, "not_found", "no such path");
}

http::Response Site::ready() const {
  const std::string missing = health_.not_ready_because();
  return missing.empty() ? plain(200, "ready\n") : http::error_response(503, "not_ready", missing);
}

http::Response Site::metrics_page() const {
  health_.observe(metrics_);
  http::Response response = plain(200, metrics_.text());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

void Site::protocol_error(int status) {
  switch (status) {
    case 400: return metrics_.request("bad_request");
    case 408: return metrics_.request("too_slow");
    case 413: return metrics_.request("body_too_large");
    case 431: return metrics_.request("headers_too_large");
    case 503: return metrics_.request("overloaded");
    default: return metrics_.request("protocol_error");
  }
}

}  // namespace socialsync::app
