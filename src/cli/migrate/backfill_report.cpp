#include "cli/migrate/backfill_report.hpp"

#include <cstdio>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/text/terminal.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;

using migrate::BackfillReport;

// Each thing as an object or a value of its own.
template <class List, class F>
json::array array_of(const List& list, F item) {
  json::array array;
  for (const auto& one : list) array.push_back(item(one));
  return array;
}

json::object columns_of(const BackfillStory& story) {
  json::object columns;
  for (std::size_t i = 0; i < story.columns.size() && i < story.report.changed_by_wish.size(); ++i)
    columns[story.columns[i]] = story.report.changed_by_wish[i];
  return columns;
}

void tell(const std::string& line) { fmt::print("{}\n", fitted(line, 4)); }

// A list that goes on says how much.
void print_rest(std::uint64_t count, std::size_t listed) {
  if (count > listed) tell(fmt::format("  and {} more", readable_count(count - listed)));
}

void print_bad_lines(const BackfillStory& story) {
  if (story.bad_line_count == 0) return;
  tell(fmt::format(
      "{}", coloured(Colour::red, fmt::format("{} bad line(s)", readable_count(story.bad_line_count)))));
  for (const migrate::BadLine& bad : story.bad_lines)
    tell(fmt::format("  line {}: {}", bad.line, bad.message));
  if (story.bad_line_count > story.bad_lines.size()) tell("  and more");
}

void print_changes(const BackfillStory& story) {
  const BackfillReport& report = story.report;
  const std::string batches =
      fmt::format(" in {} batch(es), the longest of {}", readable_count(report.batches),
                  readable_duration(report.batch_longest));
  tell(fmt::format("{} account(s) {}{}; {} had everything", readable_count(report.changed),
                   story.is_preview ? "would change" : "changed", report.batches > 0 ? batches : "",
                   readable_count(report.same)));
  for (std::size_t i = 0; i < story.columns.size(); ++i) {
    if (report.changed_by_wish[i] > 0)
      tell(fmt::format("  {:<22}{:>10}", story.columns[i], readable_count(report.changed_by_wish[i])));
  }
  for (const BackfillReport::Value& value : report.preview)
    tell(fmt::format("  {}  {}: {} -> {}", value.id, value.column,
                     value.from.empty() ? "nothing" : value.from, value.to));
}

void print_left(const BackfillReport& report) {
  if (report.kept_count > 0)
    tell(fmt::format("kept, since another value is there (--overwrite replaces it): {}",
                     readable_count(report.kept_count)));
  for (const BackfillReport::Value& value : report.kept)
    tell(fmt::format("  {}  {}", value.id, value.column));
  print_rest(report.kept_count, report.kept.size());
  if (report.locked_count > 0) tell("not changed, since somebody holds the row: run it again later");
  for (const std::string& id : report.locked) tell(fmt::format("  {}", id));
  print_rest(report.locked_count, report.locked.size());
  if (report.refused_count > 0) tell("not changed, since PostgreSQL refuses it");
  for (const BackfillReport::Refusal& refusal : report.refused)
    tell(fmt::format("  {}: {}", refusal.id, refusal.message));
  print_rest(report.refused_count, report.refused.size());
  if (report.came_meanwhile > 0)
    fmt::print("{} account(s) came or changed meanwhile and have no value: run it again for them\n",
               readable_count(report.came_meanwhile));
}

}  // namespace

void print_json(const BackfillStory& story) {
  const BackfillReport& report = story.report;
  const json::object object{
      {"v", 1},
      {"run", story.run},
      {"dry_run", story.is_preview},
      {"changed", report.changed},
      {"columns", columns_of(story)},
      {"same", report.same},
      {"kept",
       array_of(report.kept,
                [](const auto& value) { return json::object{{"id", value.id}, {"column", value.column}}; })},
      {"kept_count", report.kept_count},
      {"locked", array_of(report.locked, [](const auto& id) { return json::string(id); })},
      {"locked_count", report.locked_count},
      {"refused", array_of(report.refused,
                           [](const auto& refusal) {
                             return json::object{{"id", refusal.id}, {"message", refusal.message}};
                           })},
      {"refused_count", report.refused_count},
      {"came_meanwhile", report.came_meanwhile},
      {"bad_lines",
       array_of(story.bad_lines,
                [](const auto& bad) { return json::object{{"line", bad.line}, {"message", bad.message}}; })},
      {"bad_line_count", story.bad_line_count},
      {"preview", array_of(report.preview,
                           [](const auto& value) {
                             return json::object{
                                 {"id", value.id},
                                 {"column", value.column},
                                 {"from", value.from.empty() ? json::value() : json::value(value.from)},
                                 {"to", value.to}};
                           })},
      {"notes", array_of(story.notes, [](const auto& note) { return json::string(note); })},
      {"batches", report.batches},
      {"max_batch_ms", report.batch_longest.count()},
      {"throttled_ms", report.throttled.count()},
      {"interrupted", report.interrupted}};
  fmt::print("{}\n", json::serialize(object));
}

void print_text(const BackfillStory& story) {
  for (const std::string& note : story.notes) tell(fmt::format("{}", note));
  print_bad_lines(story);
  if (story.report.changed_by_wish.empty()) return;
  print_changes(story);
  print_left(story.report);
  if (story.can_undo)
    tell(fmt::format("To put replaced values back:  socialsync migrate backfill --undo {}", story.run));
}

}  // namespace socialsync::cli::migration
