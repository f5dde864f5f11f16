#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/failure.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"

namespace z0::cli {
namespace {

using namespace std::string_view_literals;

constexpr unsigned read_bytes = 1U << 16;

// How files begin that hold text in a form that is not read here.
constexpr std::pair<std::string_view, const char*> other_formats[] = {
    {"\x28\xB5\x2F\xFD"sv, "is packed with zstd: pipe it through `zstd -dc`"},
    {"\xFD"
     "7zXZ"sv,
     "is packed with xz: pipe it through `xz -dc`"},
    {"BZh"sv, "is packed with bzip2: pipe it through `bzip2 -dc`"},
    {"PK\x03\x04"sv, "is a zip archive: pipe it through `unzip -p`"},
    {"\xFF\xFE"sv, "is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"},
    {"\xFE\xFF"sv, "is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"},
};
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string words_of(int error) { return std::strerror(error); }

}  // namespace

// -- reading --------------------------------------------------------------------------------------

struct InputFile::Stream {
  explicit Stream(int descriptor) : gzip(gzdopen(descriptor, "rb")) {}
  ~Stream() {
    if (gzip != nullptr) gzclose(gzip);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  gzFile gzip;  // zlib passes on what is not packed
};

InputFile::InputFile(const std::string& name) : name_(name == "-" ? "the standard input" : name) {
  const int descriptor = name == "-" ? dup(STDIN_FILENO) : open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    throw Failure(name_ + " cannot be read: " + words_of(errno) + ". Name a file that exists",
                  exit_usage);
  struct stat found {};
  if (fstat(descriptor, &found) == 0) {
    if (S_ISDIR(found.st_mode)) {
      close(descriptor);
      throw Failure(name_ + " is a directory: name a file in it", exit_usage);
    }
    if (S_ISREG(found.st_mode)) bytes_total_ = static_cast<std::uint64_t>(found.st_size);
  }
  stream_ = std::make_unique<Stream>(descriptor);
  if (stream_->gzip == nullptr) {
    close(descriptor);
    throw Failure("no memory is left to read " + name_);
  }
  gzbuffer(stream_->gzip, read_bytes);
  fill();
  refuse_other_formats();
}

InputFile::~InputFile() = default;

bool InputFile::fill() {
  buffer_.erase(0, std::exchange(at_, 0));
  const std::size_t had = buffer_.size();
  buffer_.resize(had + read_bytes);
  const int got = gzread(stream_->gzip, buffer_.data() + had, read_bytes);
  const int system_error = errno;
  buffer_.resize(had + static_cast<std::size_t>(got > 0 ? got : 0));
  int code = Z_OK;
  const char* words = gzerror(stream_->gzip, &code);
  if (code == Z_OK || code == Z_STREAM_END) return got > 0;
  const std::string after = number_ > 0 ? " after line " + std::to_string(number_) : "";
  if (code == Z_BUF_ERROR)
    throw Failure(name_ + " is cut off" + after + ": it is gzip without its end. Get it whole");
  throw Failure(name_ + " cannot be read" + after + ": " +
                (code == Z_ERRNO ? words_of(system_error) : std::string(words)));
}

void InputFile::refuse_other_formats() const {
  for (const auto& [magic, what] : other_formats) {
    if (buffer_.starts_with(magic))
      throw Failure(name_ + " " + what + ", or write it anew", exit_usage);
  }
}

bool InputFile::line(std::string& line) {
  std::size_t searched = at_;
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      line.assign(buffer_, at_, end - at_);
      at_ = end + 1;
      break;
    }
    searched = buffer_.size() - at_;
    if (fill()) continue;
    if (buffer_.empty()) return false;
    line = std::exchange(buffer_, {});
    break;
  }
  if (++number_ == 1 && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

std::string InputFile::rest() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

std::uint64_t InputFile::bytes_read() const {
  const auto offset = gzoffset(stream_->gzip);
  if (offset <= 0) return 0;
  const auto read = static_cast<std::uint64_t>(offset);
  const std::uint64_t waiting = gzdirect(stream_->gzip) == 1 ? buffer_.size() - at_ : 0;
  return read > waiting ? read - waiting : 0;
}

char InputFile::first_character() {
  std::string_view text(buffer_);
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? '\0' : text[first];
}

std::string contents_of(const std::string& name) {
  std::string contents = InputFile(name).rest();
  if (contents.empty()) throw Failure(name + " is empty: name the file that was meant", exit_usage);
  return contents;
}

void read_export(const std::string& name, const char* verb,
                 const std::function<void(std::string_view)>& take) {
  InputFile file(name);
  const auto begin = std::chrono::steady_clock::now();
  StatusLine status;
  for (std::string line; file.line(line);) {
    if (interrupted()) throw Failure("interrupted");
    take(line);
    if (!status.due()) continue;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    status.draw(std::string(verb) + "  " +
                progress_words(file.bytes_read(), file.bytes_total(),
                               static_cast<std::int64_t>(file.number()), seconds.count()));
  }
  if (file.number() == 0)
    throw Failure(name + " is empty: name the file that was meant", exit_usage);
}

// -- writing --------------------------------------------------------------------------------------

OutputFile::OutputFile(const std::string& name, bool secret) : name_(name), target_(name) {
  if (name == "-") {
    name_ = "the standard output";
    file_ = stdout;
    return;
  }
  char* resolved = realpath(name.c_str(), nullptr);
  if (resolved != nullptr) target_ = resolved;
  std::free(resolved);
  struct stat found {};
  const bool stands = lstat(target_.c_str(), &found) == 0;
  if (!stands || S_ISREG(found.st_mode)) {
    const mode_t mask = umask(0);
    umask(mask);
    open_beside(secret ? 0600U : stands ? found.st_mode & 07777U : 0666U & ~mask);
    return;
  }
  // A link that leads nowhere yet makes its target.
  const int descriptor = open(target_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(errno);
  file_ = fdopen(descriptor, "wb");
  if (file_ == nullptr) {
    const int error = errno;
    close(descriptor);
    fail(error);
  }
}

void OutputFile::open_beside(std::uint32_t mode) {
  std::string part = target_ + ".XXXXXX.part";
  const int descriptor = mkostemps(part.data(), 5, O_CLOEXEC);
  if (descriptor < 0) fail(errno);
  part_ = part;
  file_ = fchmod(descriptor, mode) == 0 ? fdopen(descriptor, "wb") : nullptr;
  if (file_ != nullptr) return;
  const int error = errno;
  close(descriptor);
  unlink(part_.c_str());
  fail(error);
}

OutputFile::~OutputFile() {
  if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  if (!part_.empty()) unlink(part_.c_str());
}

void OutputFile::fail(int error) {
  throw Failure(name_ + " cannot be written: " + words_of(error) +
                ". Make room or a way there, or name another file");
}

void OutputFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail(errno);
}

void OutputFile::commit() {
  if (std::fflush(file_) != 0) fail(errno);
  if (file_ == stdout) return;  // closed by close_output()
  // What cannot be synchronised, a pipe for instance, has no disk to be full.
  if (fsync(fileno(file_)) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
    fail(errno);
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail(errno);
  if (part_.empty()) return;
  if (std::rename(part_.c_str(), target_.c_str()) != 0) fail(errno);
  part_.clear();
}

bool close_output() {
  const bool lost = std::ferror(stdout) != 0;
  return std::fclose(stdout) == 0 && !lost;
}

}  // namespace z0::cli
