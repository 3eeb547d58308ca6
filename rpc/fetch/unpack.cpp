#include "rpc/fetch/unpack.hpp"

#include <lzma.h>
#include <new>
#include <stdexcept>
#include <vector>
#include <zlib.h>
#include <zstd.h>

namespace mistify::fetching {

class unpacker::format {
public:
  virtual ~format() = default;
  virtual void add(std::string_view bytes, const sink& out) = 0;
  virtual void end(const sink& out) = 0;
};

namespace {

constexpr std::size_t head_size = 6;
constexpr std::size_t piece = 256 * 1024;
constexpr std::uint64_t memory_limit = 128 * 1024 * 1024;

[[noreturn]] void broken(const char* what) {
  throw std::runtime_error{std::string{"the "} + what + " data are broken"};
}
[[noreturn]] void cut_off(const char* what) {
  throw std::runtime_error{std::string{"the "} + what + " data are cut off"};
}

class plain final : public unpacker::format {
public:
  void add(std::string_view bytes, const unpacker::sink& out) override { out(bytes); }
  void end(const unpacker::sink&) override {}
};

/// Also several members one behind the other, as parallel packers write them.
class gzip final : public unpacker::format {
public:
  gzip() {
    if (::inflateInit2(&stream_, 15 + 16) != Z_OK)
      throw std::bad_alloc{};
  }
  ~gzip() override { ::inflateEnd(&stream_); }
  gzip(const gzip&) = delete;
  gzip& operator=(const gzip&) = delete;

  void add(std::string_view bytes, const unpacker::sink& out) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0 && !padding_) {
      if (done_)
        next_member();
      else
        step(out);
    }
    if (padding_)
      expect_zeros({reinterpret_cast<const char*>(stream_.next_in), stream_.avail_in});
  }
  void end(const unpacker::sink&) override {
    if (!done_)
      cut_off("gzip");
  }

private:
  static void expect_zeros(std::string_view padding) {
    if (padding.find_first_not_of('\0') != padding.npos)
      broken("gzip");
  }
  void next_member() {
    padding_ = *stream_.next_in == 0; // tapes end in zeros, and gzip lets them pass
    if (!padding_ && ::inflateReset(&stream_) != Z_OK)
      broken("gzip");
    done_ = padding_;
  }
  void step(const unpacker::sink& out) {
    int result = Z_OK;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      result = ::inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        broken("gzip");
      out({buffer_.data(), buffer_.size() - stream_.avail_out});
    } while (result == Z_OK && (stream_.avail_in > 0 || stream_.avail_out == 0));
    done_ = result == Z_STREAM_END;
  }

  z_stream stream_{};
  std::vector<char> buffer_ = std::vector<char>(piece);
  bool done_ = false, padding_ = false;
};

class xz final : public unpacker::format {
public:
  xz() {
    if (::lzma_stream_decoder(&stream_, memory_limit, LZMA_CONCATENATED) != LZMA_OK)
      throw std::bad_alloc{};
  }
  ~xz() override { ::lzma_end(&stream_); }
  xz(const xz&) = delete;
  xz& operator=(const xz&) = delete;

  void add(std::string_view bytes, const unpacker::sink& out) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    stream_.avail_in = bytes.size();
    while (stream_.avail_in > 0)
      step(LZMA_RUN, out);
  }
  void end(const unpacker::sink& out) override {
    while (!done_)
      step(LZMA_FINISH, out);
  }

private:
  void step(lzma_action action, const unpacker::sink& out) {
    do {
      stream_.next_out = reinterpret_cast<std::uint8_t*>(buffer_.data());
      stream_.avail_out = buffer_.size();
      const auto result = ::lzma_code(&stream_, action);
      out({buffer_.data(), buffer_.size() - stream_.avail_out});
      done_ = result == LZMA_STREAM_END;
      if (result == LZMA_MEMLIMIT_ERROR)
        throw std::runtime_error{"the xz data need too much memory to unpack"};
      if (result == LZMA_BUF_ERROR)
        cut_off("xz");
      if (result != LZMA_OK && !done_)
        broken("xz");
    } while (stream_.avail_out == 0 && !done_);
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::vector<char> buffer_ = std::vector<char>(piece);
  bool done_ = false;
};

class zstd final : public unpacker::format {
public:
  zstd() : stream_{::ZSTD_createDStream()} {
    if (!stream_)
      throw std::bad_alloc{};
    ::ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~zstd() override { ::ZSTD_freeDStream(stream_); }
  zstd(const zstd&) = delete;
  zstd& operator=(const zstd&) = delete;

  void add(std::string_view bytes, const unpacker::sink& out) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer to{};
    // Behind the last byte of a frame another call would begin the next one, which may not come.
    while (in.pos < in.size || (to.size > 0 && to.pos == to.size && left_ != 0)) {
      to = {buffer_.data(), buffer_.size(), 0};
      left_ = ::ZSTD_decompressStream(stream_, &to, &in);
      if (::ZSTD_isError(left_))
        throw std::runtime_error{std::string{"the zstd data are broken: "} + ::ZSTD_getErrorName(left_)};
      out({buffer_.data(), to.pos});
    }
  }
  void end(const unpacker::sink&) override {
    if (left_ != 0)
      cut_off("zstd");
  }

private:
  ZSTD_DStream* stream_;
  std::vector<char> buffer_ = std::vector<char>(piece);
  std::size_t left_ = 1; // 0: a frame is through
};

/// Frames of any content that unpackers skip; pzstd begins with one.
bool is_skippable(std::string_view head) {
  return head.size() >= 4 && (head[0] & 0xf0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18";
}

std::unique_ptr<unpacker::format> format_of(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("\x1f\x8b"sv))
    return std::make_unique<gzip>();
  if (head.starts_with("\xfd"
                       "7zXZ\0"sv))
    return std::make_unique<xz>();
  if (head.starts_with("\x28\xb5\x2f\xfd"sv) || is_skippable(head))
    return std::make_unique<zstd>();
  return std::make_unique<plain>();
}

} // namespace

unpacker::unpacker(sink out) : out_{std::move(out)} {}
unpacker::~unpacker() = default;

void unpacker::begin() {
  format_ = format_of(head_);
  format_->add(head_, out_);
  head_.clear();
}

void unpacker::add(std::string_view bytes) {
  if (format_)
    return format_->add(bytes, out_);
  head_ += bytes;
  if (head_.size() >= head_size)
    begin();
}

void unpacker::end() {
  if (!format_)
    begin();
  format_->end(out_);
}

} // namespace mistify::fetching
