// A CSV file of accounts.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/accounts/draft.hpp"
#include "store/account_admin.hpp"

namespace socialsync::cli::accounts {

struct ImportLine {
  std::uint64_t number = 0;
  Draft draft;
};

struct BadLine {
  std::uint64_t number = 0;
  std::string problem;  // never holds the value of a secret
};

struct ImportFile {
  std::vector<ImportLine> lines;
  std::vector<BadLine> bad;
};

// Every line becomes the draft of an account, or is bad: also when two are the same account. `user` is whose
// they are where the file does not say. Throws Failure (wrong_usage) when the header cannot be used.
ImportFile read_import(std::istream& csv, const std::string& user, bool any_event);

// The accounts that are there.
class Known {
 public:
  explicit Known(const std::vector<store::AccountRecord>& records);

  std::optional<Uuid> find(const Draft& draft) const;

 private:
  std::unordered_map<std::string, Uuid> ids_;
};

}  // namespace socialsync::cli::accounts
