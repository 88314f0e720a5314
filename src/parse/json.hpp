// Views of the values of a JSON text that has been checked. A view of an absent value is `missing`; its
// members are `missing` too, so a value of an unexpected type affects no other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::parse {

enum class Kind : std::uint8_t { missing, object, array, string, number, boolean, null };

// A value's place in its text. Nodes are stored in the order of the text: a container's children follow it,
// those of an object as key, value, key, value.
struct Node {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;   // one past the last byte
  std::uint32_t next = 0;  // the first node after this one and all inside it
  Kind kind = Kind::missing;
  bool escaped = false;  // a string with a backslash in it
};

// A checked text. It does not own the bytes.
struct Document {
  std::string_view text;
  std::vector<Node> nodes;
  bool fit_for_jsonb = true;  // no NUL, lone surrogate or huge number, see json_text.hpp
};

struct Member;
class Items;
class Fields;

// Cheap to copy; valid as long as its document.
class Value {
 public:
  Value() = default;
  Value(const Document& document, std::uint32_t node) : document_(&document), node_(node) {}

  // True for the same value at the same place.
  bool operator==(const Value&) const = default;

  Kind kind() const { return document_ ? node().kind : Kind::missing; }
  bool is_object() const { return kind() == Kind::object; }
  bool is_array() const { return kind() == Kind::array; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_true() const { return kind() == Kind::boolean && raw() == "true"; }
  // False for missing and for null: Meta uses both for an absent value.
  bool present() const { return kind() != Kind::missing && kind() != Kind::null; }

  // Returns the received bytes; empty when missing.
  std::string_view raw() const {
    if (!document_) return {};
    return document_->text.substr(node().begin, node().end - node().begin);
  }

  // Returns a string's characters or a number's digits; empty for any other value. Characters that text in
  // PostgreSQL cannot hold (NUL, a lone surrogate) become U+FFFD.
  std::string text() const;

  // True when text() replaces characters, so that two different strings may have the same text.
  bool loses_characters() const;

  // True for a string of exactly these characters.
  bool equals(std::string_view text) const {
    if (!is_string()) return false;
    return node().escaped ? this->text() == text : content() == text;
  }

  // Returns an object's member. If several have the same name, the last counts, as in jsonb.
  Value at(std::string_view key) const;

  // The elements of an array and the members of an object; empty for any other value.
  Items items() const;
  Fields fields() const;

 private:
  friend class Items;
  friend class Fields;

  const Node& node() const { return document_->nodes[node_]; }
  // A string without its quotes.
  std::string_view content() const {
    return document_->text.substr(node().begin + 1, node().end - node().begin - 2);
  }

  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
};

struct Member {
  Value key;
  Value value;
};

// for (const Value item : array.items())
class Items {
 public:
  class Iterator {
   public:
    Iterator(const Document* document, std::uint32_t node) : document_(document), node_(node) {}
    Value operator*() const { return {*document_, node_}; }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return node_ == other.node_; }

   private:
    const Document* document_;
    std::uint32_t node_;
  };

  explicit Items(Value array);
  Iterator begin() const { return {document_, first_}; }
  Iterator end() const { return {document_, last_}; }

 private:
  const Document* document_ = nullptr;
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
};

// for (const auto& [key, value] : object.fields())
class Fields {
 public:
  class Iterator {
   public:
    Iterator(const Document* document, std::uint32_t node) : document_(document), node_(node) {}
    Member operator*() const { return {{*document_, node_}, {*document_, node_ + 1}}; }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return node_ == other.node_; }

   private:
    const Document* document_;
    std::uint32_t node_;
  };

  explicit Fields(Value object);
  Iterator begin() const { return {document_, first_}; }
  Iterator end() const { return {document_, last_}; }

 private:
  const Document* document_ = nullptr;
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
};

inline Items::Iterator& Items::Iterator::operator++() {
  node_ = document_->nodes[node_].next;
  return *this;
}

inline Fields::Iterator& Fields::Iterator::operator++() {
  node_ = document_->nodes[node_ + 1].next;
  return *this;
}

}  // namespace socialsync::parse
