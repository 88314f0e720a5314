#include "cli/endpoints/draft.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/text/secret_input.hpp"
#include "model/endpoint.hpp"
#include "operate/account_draft.hpp"

namespace socialsync::cli::endpoints {
namespace {

constexpr std::size_t headers_max = 20;
constexpr std::size_t header_value_max = 2000;

[[noreturn]] void refuse(const std::string& message) { throw Failure(Exit::wrong_usage, message); }

void check(const char* field, const std::string& value) {
  const auto fault = operate::fault_of(*operate::find_account_field(field), value);
  if (fault) refuse(fmt::format("{} {}", field == std::string_view("webhook_url") ? "url" : field, *fault));
}

// Those that the sender writes itself, and those that would change what a request is.
bool is_name(std::string_view name) {
  constexpr std::string_view characters =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return !name.empty() && name.size() <= 100 && name.find_first_not_of(characters) == std::string_view::npos;
}

bool is_value(std::string_view value) {
  return value.size() <= header_value_max && std::ranges::none_of(value, [](char c) {
           return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
         });
}

void add_header(boost::json::object& headers, std::string_view line, std::size_t number) {
  const std::size_t colon = line.find(':');
  const std::string name(line.substr(0, std::min(colon, line.size())));
  if (colon == std::string_view::npos || !is_name(name))
    refuse(fmt::format("header {}: must be like 'Name: value'", number));
  if (model::is_reserved_header(name)) refuse(fmt::format("header {}: {} is not yours to set", number, name));
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\r')) value.remove_suffix(1);
  if (!is_value(value)) refuse(fmt::format("header {}: the value of {} cannot be sent", number, name));
  headers[name] = value;
}

std::vector<std::string> lines_of(const Draft& draft) {
  std::vector<std::string> lines = draft.headers;
  if (draft.headers_file.empty()) return lines;
  std::istringstream text(read_secret(draft.headers_file, "headers"));
  for (std::string line; std::getline(text, line);)
    if (!line.empty() && line != "\r") lines.push_back(line);
  return lines;
}

boost::json::object headers_of(const Draft& draft) {
  const std::vector<std::string> lines = lines_of(draft);
  if (lines.size() > headers_max) refuse(fmt::format("at most {} headers", headers_max));
  boost::json::object headers;
  for (std::size_t i = 0; i < lines.size(); ++i) add_header(headers, lines[i], i + 1);
  return headers;
}

boost::json::array events_of(const Draft& draft) {
  check("webhook_events", *draft.events);
  boost::json::array list;
  for (const std::string& event : split_list(*draft.events)) list.emplace_back(event);
  return list;
}

void put_url(boost::json::object& values, const Draft& draft) {
  if (draft.is_pulled) values["url"] = nullptr;
  if (!draft.url) return;
  check("webhook_url", *draft.url);
  if (draft.url->starts_with("http://"))
    fmt::print(stderr,
               "socialsync: warning: http:// is readable on its way; it is sent only where "
               "SOCIALSYNC_EGRESS_HTTP=1\n");
  values["url"] = *draft.url;
}

void put_app_secret(boost::json::object& values, const Draft& draft) {
  if (draft.app_secret_file.empty()) return;
  const std::string secret = read_secret(draft.app_secret_file, "app_secret");
  check("app_secret", secret);
  values["app_secret"] = secret;
}

void put_cleared(boost::json::object& values, const Draft& draft) {
  for (const std::string& name : draft.cleared) {
    if (name != "description" && name != "webhook_events" && name != "per_second_max" && name != "headers")
      refuse("--clear: description, webhook_events, per_second_max or headers");
    if (values.contains(name)) refuse(fmt::format("{} is both set and cleared", name));
    values[name] = nullptr;
  }
}

}  // namespace

void add_draft_options(Command command, Draft& draft) {
  Option url = command.add_option("--url", draft.url, "Where its events are sent").type_name("URL");
  command.add_flag("--pull", draft.is_pulled, "They wait to be fetched instead").excludes(url);
  command
      .add_option("--events", draft.events, "Those it wants, commas between (default: all of the account's)")
      .type_name("LIST");
  command.add_option("--format", draft.format, "meta (default): as Meta sends it; or standard")
      .one_of({"meta", "standard"}, false)
      .type_name("FORMAT");
  command
      .add_option(
          "--header", draft.headers,
          "'Name: value', sent with each delivery; may be repeated. A secret is better in --headers-file")
      .type_name("HEADER");
  command.add_option("--headers-file", draft.headers_file, "The same, one a line; - is standard input")
      .type_name("FILE");
  command
      .add_option("--ordered", draft.is_ordered,
                  "yes: events of one conversation go out one after another (default: no)")
      .one_of({"yes", "no"}, false)
      .type_name("YES|NO");
  command.add_option("--concurrent-max", draft.concurrent_max, "Requests at one time (default 16)")
      .between(1, 256);
  command.add_option("--per-second-max", draft.per_second_max, "Requests a second (default: no limit)")
      .between(1, 1'000'000);
  command.add_option("--description", draft.description, "For people").type_name("TEXT");
  command
      .add_option("--app-secret-file", draft.app_secret_file,
                  "What the receiver has for Meta's app secret (default: a new one); - is standard input")
      .type_name("FILE");
  Option token =
      command
          .add_option("--verify-token-file", draft.verify_token_file,
                      "The receiver's verify token, for Meta's handshake with the URL; - is standard input")
          .type_name("FILE");
  command.add_flag("--skip-handshake", draft.skips_handshake, "Take the URL as it is").excludes(token);
}

std::string values_of(const Draft& draft) {
  const std::string* files[] = {&draft.headers_file, &draft.app_secret_file, &draft.verify_token_file};
  if (std::ranges::count_if(files, [](const std::string* file) { return *file == "-"; }) > 1)
    refuse("only one file can come from standard input");
  boost::json::object values;
  put_url(values, draft);
  if (draft.events) values["webhook_events"] = events_of(draft);
  if (draft.format) values["format"] = *draft.format;
  if (!draft.headers.empty() || !draft.headers_file.empty()) values["headers"] = headers_of(draft);
  if (draft.is_ordered) values["is_ordered"] = *draft.is_ordered == "yes";
  if (draft.concurrent_max) values["concurrent_max"] = *draft.concurrent_max;
  if (draft.per_second_max) values["per_second_max"] = *draft.per_second_max;
  if (draft.description) {
    check("display_name", *draft.description);
    values["description"] = *draft.description;
  }
  put_app_secret(values, draft);
  put_cleared(values, draft);
  return boost::json::serialize(values);
}

}  // namespace socialsync::cli::endpoints
