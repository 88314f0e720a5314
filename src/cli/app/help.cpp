#include "cli/app/help.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/core.h>

#include "cli/text/printable.hpp"

namespace socialsync::cli {
namespace {

struct ExitText {
  Exit code;
  const char* name;
  const char* sentence;
};

constexpr ExitText exit_texts[] = {
    {Exit::done, "done", "done"},
    {Exit::internal_error, "internal_error", "internal error"},
    {Exit::wrong_usage, "wrong_usage", "wrong usage or setting"},
    {Exit::refused, "refused", "database unreachable or not migrated, or privilege missing"},
    {Exit::lock_budget_spent, "lock_budget_spent", "a row or table stayed locked: run it again"},
    {Exit::conflict, "conflict", "an object of that name exists with another definition"},
    {Exit::verify_failed, "verify_failed", "a check failed"},
    {Exit::other_run, "other_run", "another migration or rollback is running"},
    {Exit::no_backup, "no_backup", "the backup is missing, too old or unverified"},
    {Exit::data_blocks, "data_blocks", "rows block a step; all others are done"},
    {Exit::pending, "pending", "changes are pending"},
    {Exit::interrupted, "interrupted", "interrupted: run it again"},
};

const ExitText& text_of(Exit code) {
  const auto* const found = std::ranges::find(exit_texts, code, &ExitText::code);
  assert(found != std::end(exit_texts));
  return *found;
}

// A long example goes on in the next line, as a shell reads it.
std::string example_of(const std::string& example) {
  constexpr std::size_t indent = 6;
  std::string out = "\n" + wrapped("  " + example, indent, help_width - 2);
  for (std::size_t at = out.find('\n', 1); at != std::string::npos; at = out.find('\n', at + 4))
    out.replace(at, 1, " \\\n");
  return out;
}

}  // namespace

const char* name_of(Exit code) { return text_of(code).name; }

void add_exit(Help& help, ExitNote note) {
  const auto known = std::ranges::find(help.exits, note.code, &ExitNote::code);
  if (known == help.exits.end())
    help.exits.push_back(note);
  else if (note.meaning != nullptr)
    known->meaning = note.meaning;
}

std::string rendered(const Help& help) {
  std::string out;
  if (!help.notes.empty()) out += wrapped(help.notes, 0, help_width) + "\n\n";
  if (!help.examples.empty()) out += "Examples:";
  for (const std::string& example : help.examples) out += example_of(example);
  if (!help.examples.empty()) out += "\n\n";
  std::vector<ExitNote> exits = help.exits;
  std::ranges::sort(exits, {}, &ExitNote::code);
  out += "Exit status:";
  for (const ExitNote& note : exits) {
    const char* meaning = note.meaning == nullptr ? text_of(note.code).sentence : note.meaning;
    out += "\n" + wrapped(fmt::format("  {:<3}  {}", static_cast<int>(note.code), meaning), 7, help_width);
  }
  return out;
}

}  // namespace socialsync::cli
