#include "migrate/backfill/encrypted.hpp"

#include <optional>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace socialsync::migrate {
namespace {

constexpr std::size_t page_size = 1000;
constexpr const char* accounts_wanted = "pg_temp.backfill_wanted";

// Selects encrypted values of the column in accounts with a wanted value: id, the value, and the wanted value
// or (undo) the hash of the value that the run wrote.
std::string select_encrypted(std::string_view column, bool is_undo) {
  const std::string compared =
      is_undo ? fmt::format("encode(w.{}_written, 'hex')", column) : fmt::format("w.{}", column);
  return fmt::format(
      "SELECT a.id, a.{0}, {1} FROM pg_temp.backfill_wanted AS w JOIN public.social_accounts AS a ON a.id = "
      "w.id "
      "WHERE w.{0} IS NOT NULL AND a.{0} ~ '(^|,)\\s*enc:v1:[0-9a-f]{{8}}:' AND ($1::uuid IS NULL OR w.id > "
      "$1) "
      "ORDER BY w.id LIMIT {2}",
      column, compared, page_size);
}

std::string forget_wanted(std::string_view column) {
  return fmt::format("UPDATE pg_temp.backfill_wanted SET {} = NULL WHERE id = ANY ($1)", column);
}

std::string adopt_written(std::string_view column) {
  return fmt::format(
      "UPDATE pg_temp.backfill_wanted AS w SET {0}_written = sha256(convert_to(a.{0}::text, 'UTF8')) "
      "FROM public.social_accounts AS a WHERE a.id = w.id AND w.id = ANY ($1)",
      column);
}

std::string hash_of(std::string_view plaintext) {
  crypto::Sha256 hash;
  hash.add(plaintext);
  std::string text;
  append_hex(text, hash.finish());
  return text;
}

// Matches the values of one column, page by page.
class ColumnMatch {
 public:
  ColumnMatch(pg::Session& session, std::string_view name, const crypto::SecretKeys& keys, bool is_undo)
      : session_(session), name_(name), keys_(keys), is_undo_(is_undo) {}

  // Returns the number of values that no key decrypts.
  std::uint64_t run(UnknownKey unknown) {
    std::uint64_t unknown_count = 0;
    std::optional<std::string> after;
    for (;;) {
      const pg::ResultSet rows = session_.query(select_encrypted(name_, is_undo_), {after});
      if (rows.rows() == 0) return unknown_count;
      std::vector<std::string> matched;
      for (std::size_t row = 0; row < rows.rows(); ++row) {
        if (!match(rows, row, matched, unknown)) ++unknown_count;
      }
      after = rows.text(rows.rows() - 1, 0);
      if (!matched.empty())
        session_.query(is_undo_ ? adopt_written(name_) : forget_wanted(name_),
                       {fmt::format("{{{}}}", fmt::join(matched, ","))});
    }
  }

 private:
  // Returns false when no key decrypts the value.
  bool match(const pg::ResultSet& rows, std::size_t row, std::vector<std::string>& matched,
             UnknownKey unknown) const {
    const std::string_view id = rows.text(row, 0);
    auto opened = keys_.open_list(rows.text(row, 1), crypto::account_place(id, name_));
    if (opened) {
      const bool is_same = (is_undo_ ? hash_of(*opened) : *opened) == rows.text(row, 2);
      if (is_same) matched.emplace_back(id);
      crypto::wipe(*opened);
      return true;
    }
    if (opened.error() != crypto::OpenError::unknown_key) return true;
    if (!is_undo_ && unknown == UnknownKey::keep) matched.emplace_back(id);
    return false;
  }

  pg::Session& session_;
  std::string_view name_;
  const crypto::SecretKeys& keys_;
  bool is_undo_;
};

}  // namespace

std::vector<std::string> match_encrypted_values(pg::Session& session, const BackfillSource& source,
                                                const crypto::SecretKeys& keys, UnknownKey unknown) {
  std::vector<std::string> notes;
  if (source.keys != accounts_wanted) return notes;
  for (const BackfillAssignment& assignment : source.assignments) {
    if (!assignment.column->is_secret) continue;
    const bool is_undo = !assignment.may_write.empty();  // allow_writes() comes later for a file
    const std::uint64_t count = ColumnMatch(session, assignment.column->name, keys, is_undo).run(unknown);
    if (count > 0)
      notes.push_back(fmt::format(
          "{} value(s) of {} are encrypted under a key that is not configured and {}: add the key to "
          "SOCIALSYNC_SECRETS_KEY",
          count, assignment.column->name, unknown == UnknownKey::keep ? "stay" : "are replaced"));
  }
  return notes;
}

}  // namespace socialsync::migrate
