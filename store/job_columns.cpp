#include "store/job_columns.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "store/jobs.hpp"

namespace mistify::store {

namespace {

using rpc::json::node;

std::int64_t number_in(const node& value) {
  return static_cast<std::int64_t>(value.as_uint("number"));
}

/// The elements of an array, of which there must be so many at least.
auto parts_of(const node& array, std::size_t least) {
  auto parts = array.items("column");
  if (parts.size() < least)
    throw rpc::failure{rpc::errc::storage_failed, "the column is too short"};
  return parts;
}

rpc::job_stage read_stage(const node& from) {
  const auto parts = parts_of(from, 5);
  rpc::job_stage stage;
  stage.service = parts[0].get().as_string("service");
  stage.method = parts[1].get().as_string("method");
  stage.started = from_column(number_in(parts[2].get()));
  stage.ended = from_column(number_in(parts[3].get()));
  stage.outcome = static_cast<rpc::stage_outcome>(parts[4].get().as_uint("outcome"));
  return stage;
}

std::optional<std::uint64_t> optional_number(const node& from) {
  return from.is_null() ? std::nullopt : std::optional{from.as_uint("number")};
}

void put_number(rpc::json::writer& out, const std::optional<std::uint64_t>& number) {
  if (number)
    out.value(*number);
  else
    out.raw("null");
}

} // namespace

std::string stages_column(const rpc::job& of) {
  if (of.stages.empty())
    return {};
  rpc::json::writer out;
  out.begin_array().value(std::uint64_t{of.stage_count});
  for (const auto& one : of.stages) {
    out.begin_array().value(one.service).value(one.method);
    out.value(to_column(one.started)).value(to_column(one.ended));
    out.value(std::uint64_t{static_cast<std::uint8_t>(one.outcome)}).end_array();
  }
  out.end_array();
  return std::move(out).str();
}

void read_stages_column(std::string_view column, rpc::job& to) {
  if (column.empty())
    return;
  try {
    const auto document = rpc::json::document::parse(column);
    const auto items = parts_of(document.root(), 1);
    for (std::size_t i = 1; i < items.size(); ++i)
      to.stages.push_back(read_stage(items[i].get()));
    to.stage_count = items[0].get().as_uint("count");
  } catch (const rpc::failure&) {
    to.stages.clear();
  }
}

std::string progress_column(const std::optional<rpc::job_progress>& progress) {
  if (!progress)
    return {};
  rpc::json::writer out;
  out.begin_array();
  put_number(out, progress->done);
  put_number(out, progress->total);
  out.value(progress->unit).end_array();
  return std::move(out).str();
}

std::optional<rpc::job_progress> read_progress_column(std::string_view column) {
  if (column.empty())
    return std::nullopt;
  try {
    const auto document = rpc::json::document::parse(column);
    const auto items = parts_of(document.root(), 3);
    return rpc::job_progress{optional_number(items[0].get()), optional_number(items[1].get()),
                             items[2].get().as_string("unit")};
  } catch (const rpc::failure&) {
    return std::nullopt;
  }
}

} // namespace mistify::store
