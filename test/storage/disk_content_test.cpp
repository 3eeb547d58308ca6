#include "lab.hpp"
#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/disk_content.hpp"
#include "rpc/fetch/text_content.hpp"
#include "zfs_send.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace mistify::agents::storage;
using namespace mistify::test;
using Catch::Contains;

namespace {

struct content_lab {
  temp_dir dir;
  std::string disk = std::string(64 * 1024, 'd') + std::string(mb, '\0');

  static std::string head_of(const std::filesystem::path& file) {
    std::string head(disk_head, '\0');
    std::ifstream in{file, std::ios::binary};
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(in.gcount()));
    return head;
  }
  std::filesystem::path converted(std::vector<std::string> options) {
    const auto made = dir.path() / "made";
    options.insert(options.begin(), {"qemu-img", "convert", "-f", "raw", "-O"});
    options.insert(options.end(), {dir.write("disk", disk), made.string()});
    run(options);
    return made;
  }
  std::string packed(std::vector<std::string> command) {
    command.push_back(dir.write("disk", disk));
    return run(command);
  }
};

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts)
    text += part;
  return text;
}

} // namespace

TEST_CASE_METHOD(content_lab, "images of formats that the store does not know are refused by their names") {
  const std::pair<const char*, const char*> formats[] = {
    {"vmdk", "VMDK"},
    {"vdi", "VDI"},
    {"vhdx", "VHDX"},
    {"vpc", "VHD"},
    {"qed", "QED"},
    {"qcow", "qcow image of version 1"},
    {"parallels", "Parallels"},
  };
  for (const auto& [format, name] : formats) {
    INFO(format);
    CHECK_THROWS_WITH(expect_disk(head_of(converted({format}))), Contains(name) && Contains("no raw or qcow2 disk"));
  }
}

TEST_CASE_METHOD(content_lab, "a VHD of fixed size is known by its end") {
  const auto fixed = converted({"vpc", "-o", "subformat=fixed"});
  CHECK_NOTHROW(expect_disk(head_of(fixed)));
  CHECK_THROWS_WITH(expect_disk_end(fixed), Contains("a VHD image"));
  CHECK_THROWS_WITH(
    expect_disk_end(dir.write("dmg", disk + "koly" + std::string("\0\0\0\4", 4) + std::string(504, 'x'))),
    Contains("a DMG image"));
  CHECK_NOTHROW(expect_disk_end(dir.write("raw", disk)));
  CHECK_NOTHROW(expect_disk_end(dir.write("short", "x")));
}

TEST_CASE_METHOD(content_lab,
                 "archives, and what is packed as the store cannot unpack it, are refused by their names") {
  CHECK_THROWS_WITH(expect_disk(packed({"gzip", "-c"})), Contains("packed twice"));
  CHECK_THROWS_WITH(expect_disk(packed({"xz", "-c"})), Contains("packed twice"));
  CHECK_THROWS_WITH(expect_disk(packed({"zstd", "-q", "-c"})), Contains("packed twice"));
  CHECK_THROWS_WITH(expect_disk(packed({"xz", "-c", "--format=lzma"})), Contains("packed by lzma"));
  for (const char first : {'\x50', '\x57', '\x5f'}) // what pzstd begins with, and all other frames to skip
    CHECK_THROWS_WITH(expect_disk(joined({{&first, 1}, {"\x2a\x4d\x18\4\0\0\0size", 11}, disk})),
                      Contains("packed twice, the second time by zstd"));
  for (const auto* format : {"v7", "ustar", "gnu", "pax"})
    CHECK_THROWS_WITH(expect_disk(packed({"tar", "-cPO", "--format", format}).substr(0, disk_head)),
                      Contains("a tar archive"));
  using namespace std::string_literals;
  CHECK_THROWS_WITH(expect_disk("BZh91AY&SY" + disk), Contains("bzip2"));
  CHECK_THROWS_WITH(expect_disk("PK\3\4"s + disk), Contains("a zip archive"));
  CHECK_THROWS_WITH(expect_disk("7z\xbc\xaf\x27\x1c"s + disk), Contains("a 7z archive"));
}

TEST_CASE("pages and messages of servers are refused as such") {
  for (const auto* page : {"<!DOCTYPE html><html>", "\n\n <HTML><body>", "\xef\xbb\xbf<!doctype html>",
                           "<?xml version=\"1.0\"?><Error>", "<!-- x --><html>", "<head>"}) {
    INFO(page);
    CHECK_THROWS_WITH(expect_disk(page), Contains("HTML or XML"));
    CHECK(mistify::fetching::is_markup(page));
  }
  for (const auto* json : {R"({"error":"no"})", "{}", "[ ]", " [{\"a\":1}]", "[1,2]", "{\n  \"a\": 1}"}) {
    INFO(json);
    CHECK_THROWS_WITH(expect_disk(json), Contains("JSON"));
  }
}

TEST_CASE("what may be a raw disk is taken for one") {
  const std::string zeros(disk_head, '\0'); // also the begin of an ISO image
  for (const auto& disk :
       {zeros, std::string("\xeb\x63\x90", 3) + zeros, std::string("\xffound"), std::string(disk_head, 'A'),
        "LUKS\xba\xbe" + zeros, "<a" + zeros, "{\"a" + zeros, std::string("hsqs") + zeros, std::string{},
        std::string("\x5d\0\0", 3) + std::string(disk_head, 'x')})
    CHECK_NOTHROW(expect_disk(disk));
}

TEST_CASE("a zfs stream is known in either order of bytes, with what it is of") {
  const auto stream = parse_zfs_stream(zfs_send("tank/images/a@base", "data"));
  REQUIRE(stream);
  CHECK(stream->volume);
  CHECK_FALSE(stream->incremental);
  CHECK_FALSE(stream->compound);
  CHECK(stream->snapshot == "base");
  CHECK(parse_zfs_stream(zfs_send("a@b", "", {.type = 2}))->volume == false);
  CHECK(parse_zfs_stream(zfs_send("a@b", "", {.kind = 2}))->compound);
  CHECK(parse_zfs_stream(zfs_send("a@b", "", {.from = 7}))->incremental);
  CHECK(parse_zfs_stream(zfs_send("a@b", "", {.big_endian = true}))->volume);
  CHECK_FALSE(parse_zfs_stream(std::string(512, '\0')));
  CHECK_THROWS_WITH(expect_disk(zfs_send("a@b", "x")), Contains("a zfs stream"));
}

TEST_CASE("text is no disk, whatever it is of") {
  const std::string zeros(disk_head, '\0');
  std::string long_text;
  while (long_text.size() < disk_head)
    long_text += "one line of it, with an umlaut: \xc3\xa4\n";
  const std::vector<std::string> texts{"#!/bin/sh\nexit\n",
                                       "[Unit]\r\nDescription=x\r\n",
                                       "a,b\n1,2\n",
                                       "not found\n",
                                       "\xef\xbb\xbfname\tvalue\n",
                                       long_text,
                                       long_text.substr(0, 512),
                                       joined({long_text.substr(0, 512), zeros})};
  for (const auto& text : texts) {
    INFO(text);
    CHECK_THROWS_WITH(expect_disk(text), Contains("and no raw or qcow2 disk"));
  }
  CHECK_THROWS_WITH(expect_disk("a,b\n1,2\n"), Contains("the source is text"));
  for (const auto* answer : {"Not Found", "null", "\"not found\"", "[gone", "0"})
    CHECK_THROWS_WITH(expect_disk(answer), Contains("the source is text"));
  CHECK_THROWS_WITH(expect_disk(std::string(511, 'x')), Contains("the source is text"));
  CHECK_NOTHROW(expect_disk(std::string(512, 'x')));
  const std::string lines(511, '\n');
  CHECK_THROWS_WITH(expect_disk(joined({lines, "\xc3"})), Contains("text")); // cut off within a character
}

TEST_CASE("text of UTF-16 is text, with the mark of either order of bytes") {
  const auto wide = [](std::string_view text, bool little) {
    std::string made = little ? "\xff\xfe" : "\xfe\xff";
    for (const char c : text)
      made += little ? std::string{c, '\0'} : std::string{'\0', c};
    return made;
  };
  std::string page = "<!DOCTYPE html>\r\n<html>";
  page.append(disk_head, 'x');
  for (const bool little : {true, false}) {
    CHECK_THROWS_WITH(expect_disk(wide("<html>", little)), Contains("an HTML or XML page"));
    CHECK_THROWS_WITH(expect_disk(wide(page, little).substr(0, disk_head)), Contains("an HTML or XML page"));
    CHECK_THROWS_WITH(expect_disk(wide(R"({"error":1})", little)), Contains("a JSON text"));
    CHECK_THROWS_WITH(expect_disk(wide("Not Found", little)), Contains("the source is text"));
    CHECK_NOTHROW(expect_disk(wide(std::string("<\0", 2) + page, little).substr(0, disk_head)));
    CHECK_NOTHROW(expect_disk(wide("", little) + std::string(disk_head, '\xe9')));
  }
}

TEST_CASE("what only resembles text may be a raw disk") {
  const std::string lines(500, '\n'), rest(disk_head, 'x'), zeros(disk_head, '\0');
  std::string random, one_zero = rest;
  for (unsigned i = 1; random.size() < disk_head; ++i)
    random += static_cast<char>(i * 2654435761U >> 24);
  one_zero.replace(100, 2, "\n\0", 2);
  const std::vector<std::string> disks{
    joined({lines, "0123456789\x55\xaa", rest}), // the end of a boot sector
    random,
    one_zero,
    joined({lines, "\xff\xfe", rest}),
    joined({lines, "\xc3x", rest}),
    joined({"label\n", zeros}),
    joined({"XFSB\n", zeros}),
    rest,
  };
  for (const auto& disk : disks)
    CHECK_NOTHROW(expect_disk(disk));
}
