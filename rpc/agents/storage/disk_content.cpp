#include "rpc/agents/storage/disk_content.hpp"

#include "rpc/base/pread_all.hpp"
#include "rpc/base/unique_fd.hpp"
#include "rpc/fetch/text_content.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <iterator>
#include <system_error>

namespace mistify::agents::storage {

using namespace std::string_view_literals;
using fetching::is_markup;
using fetching::is_text;
using fetching::without_blanks;

namespace {

struct magic {
  std::size_t at;
  std::string_view bytes;
  std::string_view name;
};

/// Formats that begin so, from their specifications and libmagic. None can be the begin of a boot sector that works.
constexpr std::array magics{
  magic{0, "\x1f\x8b\x08"sv, "packed twice, the second time by gzip"},
  magic{0, "\xfd\x37zXZ\0"sv, "packed twice, the second time by xz"},
  magic{0, "\x28\xb5\x2f\xfd"sv, "packed twice, the second time by zstd"},
  magic{0, "\x37\xa4\x30\xec"sv, "a dictionary of zstd"},
  magic{0, "PK\x03\x04"sv, "a zip archive"},
  magic{0, "PK\x05\x06"sv, "a zip archive"},
  magic{0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
  magic{0, "Rar!\x1a\x07"sv, "a rar archive"},
  magic{0, "LZIP\x01"sv, "packed by lzip"},
  magic{0, "\x04\x22\x4d\x18"sv, "packed by lz4"},
  magic{0, "\x89LZO\0\r\n\x1a\n"sv, "packed by lzop"},
  magic{0, "\x1f\x9d\x90"sv, "packed by compress"},
  magic{0, "LRZI"sv, "packed by lrzip"},
  magic{257, "ustar"sv, "a tar archive"},
  magic{0, "070701"sv, "a cpio archive"},
  magic{0, "070702"sv, "a cpio archive"},
  magic{0, "070707"sv, "a cpio archive"},
  magic{0, "!<arch>\n"sv, "an ar archive"},
  magic{0, "\xed\xab\xee\xdb"sv, "an rpm package"},
  magic{0, "KDMV"sv, "a VMDK image"},
  magic{0, "COWD"sv, "a VMDK image"},
  magic{0, "# Disk DescriptorFile"sv, "the description of a VMDK image"},
  magic{64, "\x7f\x10\xda\xbe"sv, "a VDI image"},
  magic{0, "vhdxfile"sv, "a VHDX image"},
  magic{0, "conectix"sv, "a VHD image"},
  magic{0, "QED\0"sv, "a QED image"},
  magic{0, "QFI\xfb\0\0\0\x01"sv, "a qcow image of version 1"},
  magic{0, "WithoutFreeSpace"sv, "a Parallels image"},
  magic{0, "WithouFreSpacExt"sv, "a Parallels image"},
  magic{0, "Bochs Virtual HD Image"sv, "a Bochs image"},
  magic{0, "MSWIM\0\0\0"sv, "a WIM image"},
  magic{0, "EVF\x09\x0d\x0a\xff\0"sv, "an EWF image"},
  magic{0,
        "\x7f"
        "ELF"sv,
        "a program"},
  magic{0, "%PDF-"sv, "a PDF document"},
  magic{0, "\x89PNG\r\n\x1a\n"sv, "a picture"},
  magic{0, "version https://git-lfs.github.com/spec/"sv, "a pointer of Git LFS"},
};

bool is_bzip2(std::string_view head) {
  return head.starts_with("BZh") && head.size() >= 10 && head[3] >= '1' && head[3] <= '9' &&
         (head.substr(4, 6) == "\x31\x41\x59\x26\x53\x59"sv || head.substr(4, 6) == "\x17\x72\x45\x38\x50\x90"sv);
}

template <class T>
T little_endian(std::string_view from, std::size_t at) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;)
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(from[at + i]));
  return value;
}

/// Which has no magic: properties as all packers set them, a dictionary of 2^n or 2^n + 2^(n-1), a size that can be.
bool is_lzma(std::string_view head) {
  if (head.size() < 14 || head[0] != 0x5d || head[13] != 0)
    return false;
  const auto dictionary = little_endian<std::uint32_t>(head, 1);
  const auto size = little_endian<std::uint64_t>(head, 5);
  const auto lowest = dictionary & (~dictionary + 1);
  const bool usual =
    dictionary >= 4096 && (dictionary == lowest || dictionary == lowest * 3 || dictionary == UINT32_MAX);
  return usual && (size == UINT64_MAX || size < (std::uint64_t{1} << 38));
}

/// A frame that decoders skip, as pzstd puts in front (RFC 8878, 3.1.2). lz4 has the same ones.
bool is_skippable_frame(std::string_view head) {
  return head.size() >= 8 && (head[0] & 0xf0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18"sv;
}

/// Of zstd before its format was fixed.
bool is_old_zstd(std::string_view head) {
  return head.size() >= 4 && head.substr(1, 3) == "\xb5\x2f\xfd"sv && head[0] >= 0x22 && head[0] <= 0x27;
}

/// A number in octal digits with blanks around it; -1 where it is none.
int octal(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  int value = -1;
  for (auto at = begin; at < text.size() && text[at] >= '0' && text[at] <= '7'; ++at)
    value = std::max(value, 0) * 8 + (text[at] - '0');
  return value;
}

/// The oldest form of tar has no magic, but a sum of its head.
bool is_tar(std::string_view head) {
  constexpr std::size_t block = 512, sum_at = 148, sum_size = 8;
  if (head.size() < block || head[0] == 0)
    return false;
  int sum = ' ' * static_cast<int>(sum_size);
  for (std::size_t i = 0; i < block; ++i)
    if (i < sum_at || i >= sum_at + sum_size)
      sum += static_cast<unsigned char>(head[i]);
  return octal(head.substr(sum_at, sum_size)) == sum;
}

/// The bytes of the UTF-8 character at the begin of a text, 1 to 4; 0 if there is none. Overlong forms pass: no disk has them.
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  const auto rest = text.substr(1, std::max<std::size_t>(length, 1) - 1);
  const bool goes_on = std::ranges::all_of(rest, [](unsigned char c) { return (c & 0xc0) == 0x80; });
  return goes_on ? length : 0;
}

/// A character that the end cuts off counts.
bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0)
      return false;
    text.remove_prefix(std::min(length, text.size()));
  }
  return true;
}

constexpr std::size_t sector = 512;

/// One byte over and over, or digits without end, may be a pattern that somebody tests with: text has lines. What is shorter
/// than a sector needs none, for it is no disk either.
bool has_text_for_a_boot_sector(std::string_view head) {
  const auto first = head.substr(0, sector);
  const bool may_be_text = first.size() < sector ? !first.empty() : first.find_first_of("\r\n") != first.npos;
  return may_be_text && is_text(first) && is_utf8(first);
}

/// The first 512 bytes as text, `?` for what is not ASCII, where they are UTF-16 behind a byte order mark; else "". Half of a
/// whole sector has to be ASCII, which it is in pages and hardly ever on an encrypted disk that happens to begin so.
std::string text_of_utf16(std::string_view head) {
  const bool little = head.starts_with("\xff\xfe"sv);
  if (!little && !head.starts_with("\xfe\xff"sv))
    return {};
  std::string text;
  std::size_t ascii = 0;
  for (std::size_t i = 2; i + 1 < std::min(head.size(), sector); i += 2) {
    const auto low = static_cast<unsigned char>(head[little ? i : i + 1]);
    const bool is_ascii = head[little ? i + 1 : i] == 0 && low < 0x80;
    text += is_ascii ? static_cast<char>(low) : '?';
    ascii += is_ascii ? 1 : 0;
  }
  const bool enough = head.size() < sector || ascii * 2 >= text.size();
  return enough && is_text(text) ? text : std::string{};
}

/// `{"key`, `{}`, `[{`, `["`, `[1`…: what JSON can begin with.
bool is_json(std::string_view head) {
  const auto text = without_blanks(head);
  if (text.empty() || (text[0] != '{' && text[0] != '[') || !is_text(head))
    return false;
  const auto next = without_blanks(text.substr(1));
  const auto second = next.empty() ? '\0' : next[0];
  return text[0] == '{' ? second == '"' || second == '}'
                        : "{[\"]-tfn0123456789"sv.find(second) != std::string_view::npos;
}

std::string_view name_of(std::string_view head) {
  for (const auto& m : magics)
    if (head.size() >= m.at && head.substr(m.at).starts_with(m.bytes))
      return m.name;
  if (is_skippable_frame(head))
    return "packed twice, the second time by zstd";
  if (is_bzip2(head))
    return "packed by bzip2";
  if (is_lzma(head))
    return "packed by lzma";
  if (is_old_zstd(head))
    return "packed by an old zstd";
  if (is_tar(head))
    return "a tar archive";
  return head.starts_with("#!") && is_text(head) ? "a script" : "";
}

[[noreturn]] void refuse(std::string_view name, bool page = false) {
  throw not_a_disk{"the source is " + std::string{name} + ", and no raw or qcow2 disk", page};
}

constexpr std::size_t zfs_head = 312; // dmu_replay_record_t
constexpr auto zfs_magic = std::uint64_t{0x2F5bacbac};

/// Numbers of a stream are in the sender's order of bytes.
template <class T>
T number_at(std::string_view head, std::size_t at, bool swapped) {
  auto value = little_endian<T>(head, at);
  if (!swapped)
    return value;
  if constexpr (sizeof(T) == 8)
    return __builtin_bswap64(value);
  else
    return __builtin_bswap32(value);
}

} // namespace

void expect_disk(std::string_view head) {
  if (parse_zfs_stream(head))
    throw not_a_disk{"the source is a zfs stream, which only a store with --zfs takes", false};
  if (head.starts_with("QFI\xfb") && head.size() < 104)
    refuse("the begin of a qcow2 image only");
  if (const auto name = name_of(head); !name.empty())
    refuse(name);
  const auto wide = text_of_utf16(head);
  const auto text = wide.empty() ? head : std::string_view{wide};
  if (is_markup(text))
    refuse("an HTML or XML page", true);
  if (is_json(text))
    refuse("a JSON text", true);
  if (!wide.empty() || has_text_for_a_boot_sector(head))
    refuse("text");
}

void expect_disk_end(const std::filesystem::path& file) {
  constexpr std::size_t footer = 512;
  const rpc::unique_fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd)
    throw std::system_error{errno, std::generic_category(), file.filename()};
  const auto size = std::filesystem::file_size(file);
  std::string end(std::min<std::uint64_t>(size, footer), '\0');
  end.resize(rpc::read_at(fd.get(), size - end.size(), end.data(), end.size()));
  const std::string_view text{end};
  if (text.starts_with("conectix") ||
      (text.size() == footer && text.substr(1).starts_with("conectix"))) // 511 bytes once
    refuse("a VHD image");
  if (text.size() == footer && text.starts_with("koly\0\0\0\x04"sv))
    refuse("a DMG image");
}

std::optional<zfs_stream> parse_zfs_stream(std::string_view head) {
  constexpr std::size_t magic_at = 8, version_at = 16, type_at = 32, from_at = 48, name_at = 56, name_size = 256;
  constexpr unsigned volume_type = 3, header_kind = 3, compound_kind = 2;
  if (head.size() < zfs_head)
    return std::nullopt;
  const bool swapped = little_endian<std::uint64_t>(head, magic_at) != zfs_magic;
  if (number_at<std::uint64_t>(head, magic_at, swapped) != zfs_magic || number_at<std::uint32_t>(head, 0, swapped) != 0)
    return std::nullopt;
  auto name = head.substr(name_at, name_size);
  name = name.substr(0, name.find('\0'));
  const auto at = name.rfind('@');
  return zfs_stream{.volume = number_at<std::uint32_t>(head, type_at, swapped) == volume_type,
                    .incremental = number_at<std::uint64_t>(head, from_at, swapped) != 0,
                    .compound = (number_at<std::uint64_t>(head, version_at, swapped) & header_kind) == compound_kind,
                    .snapshot = at == name.npos ? "" : std::string{name.substr(at + 1)}};
}

} // namespace mistify::agents::storage
