#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"

/// The rules of a guest's members `name` and `labels`, which are kept beside the unknown ones. Errors are
/// `failure{invalid_request}`.
namespace mistify::rpc {

/// Removes the labels that are null: in a create they are as absent as in a merge patch. If no label is left, the
/// member is removed too.
void drop_null_labels(guest& from_client);

/// Throws unless the members that are there may be stored.
void expect_valid_names(const guest& from_client);

/// A name has 1 to 64 characters, no control characters and no slash; it neither begins with a hyphen nor has the shape
/// of a UUID. Throws unless `value` is one.
void expect_valid_name(const json::node& value);

/// Labels are an object of at most 64 strings: keys of 1 to 64 characters without `=`, values of at most 256, none with
/// control characters. Throws unless `value` is one.
void expect_valid_labels(const json::node& value);

} // namespace mistify::rpc
