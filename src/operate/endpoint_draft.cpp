#include "operate/endpoint_draft.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "model/endpoint.hpp"
#include "operate/account_draft.hpp"

namespace socialsync::operate {
namespace {

constexpr std::size_t headers_max = 20;
constexpr std::size_t header_name_max = 100;
constexpr std::size_t header_value_max = 2000;

using HeaderList = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void refuse_draft(const std::string& message) { throw Failure(Exit::wrong_usage, message); }

void check_as(const char* field, const std::string& value) {
  const auto fault = fault_of(*find_account_field(field), value);
  if (fault)
    refuse_draft(fmt::format("{} {}", field == std::string_view("webhook_url") ? "url" : field, *fault));
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view characters =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return !name.empty() && name.size() <= header_name_max &&
         name.find_first_not_of(characters) == std::string_view::npos;
}

bool is_header_value(std::string_view value) {
  return value.size() <= header_value_max && std::ranges::none_of(value, [](char c) {
           return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
         });
}

// A later header of the same name replaces an earlier one.
void add_header(HeaderList& headers, std::string_view line, std::size_t number) {
  const std::size_t colon = line.find(':');
  const std::string name(line.substr(0, std::min(colon, line.size())));
  if (colon == std::string_view::npos || !is_header_name(name))
    refuse_draft(fmt::format("header {}: must be like 'Name: value'", number));
  if (model::is_reserved_header(name)) refuse_draft(fmt::format("header {}: {} is reserved", number, name));
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\r')) value.remove_suffix(1);
  if (!is_header_value(value))
    refuse_draft(
        fmt::format("header {}: the value of {} is too long or has control characters", number, name));
  const auto known = std::ranges::find(headers, name, &HeaderList::value_type::first);
  if (known == headers.end())
    headers.emplace_back(name, value);
  else
    known->second = value;
}

HeaderList headers_of(const std::vector<std::string>& lines) {
  if (lines.size() > headers_max) refuse_draft(fmt::format("at most {} headers", headers_max));
  HeaderList headers;
  for (std::size_t i = 0; i < lines.size(); ++i) add_header(headers, lines[i], i + 1);
  return headers;
}

template <class T>
void clear(store::Nullable<T>& column, const std::string& name) {
  if (column) refuse_draft(fmt::format("{} is both set and cleared", name));
  column.emplace(std::nullopt);
}

void clear_columns(store::EndpointChange& change, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name == "description")
      clear(change.description, name);
    else if (name == "webhook_events")
      clear(change.webhook_events, name);
    else if (name == "per_second_max")
      clear(change.per_second_max, name);
    else if (name == "headers")
      clear(change.headers, name);
    else
      refuse_draft(
          fmt::format("{} cannot be cleared: description, webhook_events, per_second_max, headers", name));
  }
}

}  // namespace

store::EndpointChange change_of(const EndpointDraft& draft) {
  store::EndpointChange change;
  if (draft.is_pulled) change.url.emplace(std::nullopt);
  if (draft.url) {
    check_as("webhook_url", *draft.url);
    change.url = *draft.url;
  }
  if (draft.events) {
    check_as("webhook_events", *draft.events);
    change.webhook_events = split_list(*draft.events);
  }
  change.format = draft.format;
  if (draft.headers) change.headers = headers_of(*draft.headers);
  change.is_ordered = draft.is_ordered;
  change.concurrent_max = draft.concurrent_max;
  if (draft.per_second_max) change.per_second_max = *draft.per_second_max;
  if (draft.description) {
    check_as("display_name", *draft.description);
    change.description = *draft.description;
  }
  if (draft.app_secret) check_as("app_secret", *draft.app_secret);
  change.app_secret = draft.app_secret;
  clear_columns(change, draft.cleared);
  return change;
}

}  // namespace socialsync::operate
