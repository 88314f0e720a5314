#include "deliver/header_list.hpp"

#include <algorithm>

namespace socialsync::deliver {
namespace {

bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

bool is_sendable(std::string_view name, std::string_view value) {
  return !name.empty() &&
         std::ranges::none_of(name, [](char c) { return is_control(c) || c == ':' || c == ' '; }) &&
         std::ranges::none_of(value, [](char c) { return is_control(c) && c != '\t'; });
}

}  // namespace

bool HeaderList::add(std::string_view name, std::string_view value) {
  if (!is_sendable(name, value)) return false;
  begins_.push_back(text_.size());
  text_ += name;
  text_ += value.empty() ? ";" : ": ";  // libcurl's way to say a header without a value
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
  text_.assign("Expect:");  // none: libcurl would ask first before a large body
  text_ += '\0';
  for (const auto& [name, value] : request.headers) {
    if (!add(name, value)) return std::nullopt;
  }
  return link();
}

}  // namespace socialsync::deliver
