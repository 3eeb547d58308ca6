#pragma once

#include "rpc/images/backing_chain.hpp"

#include <filesystem>
#include <vector>

namespace mistify::images {

/// Throws `disk_refused` unless a disk stands on its own files only: its snapshots (`NAME@SNAPSHOT.qcow2` in its folder for
/// the disk `NAME.qcow2`), and at most one base image (`images/`), which ends the chain and stands on nothing. So a header
/// that names another guest's disk is refused, although that lies in the store too. `root` is the store's folder without
/// symbolic links; `chain` is from `backing_chain`. Pure.
void expect_own_chain(const std::vector<chain_link>& chain, const std::filesystem::path& root);

} // namespace mistify::images
