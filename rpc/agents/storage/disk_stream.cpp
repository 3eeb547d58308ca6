#include "rpc/agents/storage/disk_stream.hpp"

#include <algorithm>
#include <fcntl.h>
#include <memory>

namespace mistify::agents::storage {

namespace {

using sink = byte_stream::sink;

constexpr std::size_t piece = 1024 * 1024;
constexpr std::size_t ahead = 8 * piece; // what the disk is asked for while a piece is on its way out

/// Sends what lies at a place, and has the disk fetch meanwhile what is likely to come next.
bool send_place(const qcow2_chain::place& from, std::size_t size, const sink& write) {
  ::posix_fadvise(from.fd, static_cast<off_t>(from.offset + size), ahead, POSIX_FADV_WILLNEED);
  return write.file(from.fd, from.offset, size);
}

bool follows(const qcow2_chain::place& a, const qcow2_chain::place& b, std::uint64_t distance) {
  return a.fd == b.fd && (a.fd < 0 || a.offset + distance == b.offset);
}

/// The next clusters that lie behind one another, or are zero together: at most a piece.
struct run_of_clusters {
  qcow2_chain::place at;
  std::uint64_t count = 0;
};

run_of_clusters next_run(qcow2_chain& disk, std::uint64_t from) {
  const auto most = std::max<std::uint64_t>(piece / disk.cluster(), 1);
  run_of_clusters found{disk.find(from), 1};
  while (found.count < most && from + found.count < disk.clusters() &&
         follows(found.at, disk.find(from + found.count), found.count * disk.cluster()))
    ++found.count;
  return found;
}

bool write_raw(qcow2_chain& disk, const sink& write) {
  const std::string zeros(std::max<std::size_t>(piece, disk.cluster()), '\0');
  for (std::uint64_t at = 0; at < disk.clusters();) {
    const auto found = next_run(disk, at);
    const auto size =
      static_cast<std::size_t>(std::min(found.count * disk.cluster(), disk.size() - at * disk.cluster()));
    const bool sent =
      found.at.fd < 0 ? write(std::string_view{zeros}.substr(0, size)) : send_place(found.at, size, write);
    if (!sent)
      return false;
    at += found.count;
  }
  return true;
}

// -- qcow2 -----------------------------------------------------------------------------------------------------------

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

template <class T>
void append(std::string& to, T value) {
  for (int shift = sizeof(T) * 8 - 8; shift >= 0; shift -= 8)
    to += static_cast<char>(value >> shift & 0xff);
}

/// Where everything lies in the file that is going to be written, in clusters from its begin:
/// head, refcount table, refcount blocks, L1 table, L2 tables, data.
class layout {
public:
  explicit layout(qcow2_chain& disk) : cluster_{disk.cluster()}, per_l2_{cluster_ / 8}, size_{disk.size()} {
    data_of_l2.resize(divide_up(disk.clusters(), per_l2_));
    for (std::uint64_t i = 0; i < disk.clusters(); ++i)
      data_of_l2[i / per_l2_] += disk.find(i).fd >= 0;
    for (const auto count : data_of_l2) {
      l2_tables += count > 0;
      data += count;
    }
    l1_clusters = std::max<std::uint64_t>(divide_up(data_of_l2.size() * 8, cluster_), 1);
    // The refcounts count themselves.
    for (std::uint64_t before = 0; before != total();) {
      before = total();
      blocks = divide_up(before, cluster_ / 2);
      table = divide_up(blocks * 8, cluster_);
    }
  }

  std::uint64_t total() const { return 1 + table + blocks + l1_clusters + l2_tables + data; }
  std::uint64_t first_block() const { return 1 + table; }
  std::uint64_t l1() const { return first_block() + blocks; }
  std::uint64_t first_l2() const { return l1() + l1_clusters; }
  std::uint64_t first_data() const { return first_l2() + l2_tables; }
  std::uint64_t cluster() const { return cluster_; }
  std::uint64_t per_l2() const { return per_l2_; }

  std::string head() const {
    std::string text = "QFI\xfb";
    append(text, std::uint32_t{3});
    append(text, std::uint64_t{0}); // no backing file
    append(text, std::uint32_t{0});
    append(text, static_cast<std::uint32_t>(__builtin_ctzll(cluster_)));
    append(text, size_);
    append(text, std::uint32_t{0}); // not encrypted
    append(text, static_cast<std::uint32_t>(data_of_l2.size()));
    append(text, l1() * cluster_);
    append(text, cluster_); // the refcount table
    append(text, static_cast<std::uint32_t>(table));
    append(text, std::uint32_t{0}); // no snapshots
    append(text, std::uint64_t{0});
    for (int features = 0; features < 3; ++features)
      append(text, std::uint64_t{0});
    append(text, std::uint32_t{4}); // refcounts of 16 bits
    append(text, std::uint32_t{104});
    return text; // the zeros behind it are the end of its extensions
  }

  std::vector<std::uint64_t> data_of_l2; // how many clusters each table points to
  std::uint64_t table = 1, blocks = 1, l1_clusters = 1, l2_tables = 0, data = 0;

private:
  std::uint64_t cluster_, per_l2_, size_;
};

constexpr std::uint64_t copied = std::uint64_t{1} << 63; // this file alone has the cluster

/// Collects what is written into whole clusters.
class cluster_writer {
public:
  cluster_writer(const sink& write, std::uint64_t cluster) : write_{write}, cluster_{cluster} {}

  bool add(const std::string& bytes) {
    held_ += bytes;
    return held_.size() < cluster_ || flush();
  }
  /// Fills the cluster up with zeros.
  bool end() {
    held_.resize(divide_up(held_.size(), cluster_) * cluster_, '\0');
    return flush();
  }

private:
  bool flush() {
    const auto held = std::exchange(held_, {});
    return held.empty() || write_(held);
  }

  const sink& write_;
  std::uint64_t cluster_;
  std::string held_;
};

template <class T, class F>
bool write_entries(cluster_writer& to, std::uint64_t count, F entry) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string bytes;
    append(bytes, static_cast<T>(entry(i)));
    if (!to.add(bytes))
      return false;
  }
  return to.end();
}

bool write_tables(const layout& l, qcow2_chain& disk, cluster_writer& to) {
  std::uint64_t next_l2 = l.first_l2(), next_data = l.first_data();
  const auto l1_entry = [&](std::uint64_t i) { return l.data_of_l2[i] > 0 ? next_l2++ * l.cluster() | copied : 0; };
  const auto l2_entry = [&](std::uint64_t i) {
    return i < disk.clusters() && disk.find(i).fd >= 0 ? next_data++ * l.cluster() | copied : 0;
  };
  bool good = to.add(l.head()) && to.end();
  good = good && write_entries<std::uint64_t>(to, l.blocks,
                                              [&](std::uint64_t i) { return (l.first_block() + i) * l.cluster(); });
  good = good && write_entries<std::uint16_t>(to, l.total(), [](std::uint64_t) { return 1; });
  good =
    good && write_entries<std::uint64_t>(to, std::max<std::uint64_t>(l.data_of_l2.size(), 1),
                                         [&](std::uint64_t i) { return i < l.data_of_l2.size() ? l1_entry(i) : 0; });
  for (std::uint64_t table = 0; good && table < l.data_of_l2.size(); ++table)
    if (l.data_of_l2[table] > 0)
      good =
        write_entries<std::uint64_t>(to, l.per_l2(), [&](std::uint64_t i) { return l2_entry(table * l.per_l2() + i); });
  return good;
}

bool write_data(qcow2_chain& disk, const sink& write) {
  for (std::uint64_t at = 0; at < disk.clusters();) {
    const auto found = next_run(disk, at);
    at += found.count;
    if (found.at.fd >= 0 && !send_place(found.at, static_cast<std::size_t>(found.count * disk.cluster()), write))
      return false;
  }
  return true;
}

} // namespace

byte_stream raw_stream(qcow2_chain disk) {
  const auto shared = std::make_shared<qcow2_chain>(std::move(disk));
  return {static_cast<std::int64_t>(shared->size()), [shared](const sink& write) { return write_raw(*shared, write); }};
}

byte_stream qcow2_stream(qcow2_chain disk) {
  const auto shared = std::make_shared<qcow2_chain>(std::move(disk));
  const auto where = std::make_shared<layout>(*shared);
  return {static_cast<std::int64_t>(where->total() * where->cluster()), [shared, where](const sink& write) {
            cluster_writer tables{write, where->cluster()};
            return write_tables(*where, *shared, tables) && write_data(*shared, write);
          }};
}

} // namespace mistify::agents::storage
