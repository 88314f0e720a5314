#include "parse/envelope.hpp"

namespace socialsync::parse {
namespace {

void append_member(std::string& out, std::string_view name, Value value) {
  if (value.kind() == Kind::missing) return;
  out.append("\"").append(name).append("\":").append(value.raw()).append(",");
}

std::string open_entry(const Entry& entry) {
  std::string out = R"({"object":")";
  out.append(object_name(entry.platform)).append(R"(","entry":[{)");
  append_member(out, "id", entry.id);
  append_member(out, "time", entry.time);
  return out;
}

}  // namespace

std::string_view object_name(model::Platform platform) {
  switch (platform) {
    case model::Platform::whatsapp: return "whatsapp_business_account";
    case model::Platform::instagram: return "instagram";
    case model::Platform::messenger: return "page";
  }
  return "";
}

std::optional<model::Platform> platform_of(Value object) {
  for (const auto platform :
       {model::Platform::whatsapp, model::Platform::instagram, model::Platform::messenger}) {
    if (object.equals(object_name(platform))) return platform;
  }
  return std::nullopt;
}

Envelope::Envelope(const Entry& entry, std::string_view list) : head_(open_entry(entry)), tail_("]}]}") {
  head_.append("\"").append(list).append("\":[");
}

Envelope::Envelope(const Entry& entry, const Change& change)
    : head_(open_entry(entry)), tail_(change.flat ? "}]}" : "}]}]}") {
  if (!change.flat) head_.append(R"("changes":[{)");
  append_member(head_, "field", change.element.at("field"));
  head_.append(R"("value":)");
}

std::string Envelope::around(std::initializer_list<std::string_view> parts) const {
  std::size_t size = head_.size() + tail_.size();
  for (const std::string_view part : parts) size += part.size();
  std::string out;
  out.reserve(size);
  out.append(head_);
  for (const std::string_view part : parts) out.append(part);
  out.append(tail_);
  return out;
}

}  // namespace socialsync::parse
