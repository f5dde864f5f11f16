// Files as commands read and write them. Everything that is read may be packed with gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace z0::cli {

// A file, or "-" for the standard input, read as it is or unpacked where it is gzip. The failures
// it throws name the file, what is wrong with it, and what to do.
class InputFile {
 public:
  explicit InputFile(const std::string& name);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // The next line without its line feed, carriage return and, in the first line, byte order mark.
  // False at the end. Throws Failure where the file cannot be read on, or is cut off.
  bool line(std::string& line);
  // All that is left, byte for byte.
  std::string rest();
  // Of the last line, from 1.
  std::size_t number() const { return number_; }
  // Of the file on disk, so that they compare with its size however it is packed.
  std::uint64_t bytes_read() const;
  std::uint64_t bytes_total() const { return bytes_total_; }  // 0 when it is not known
  // The first byte that is no white space, or 0 when the file begins with too much of it.
  char first_character();

 private:
  struct Stream;
  bool fill();
  void refuse_other_formats() const;

  std::string name_;
  std::unique_ptr<Stream> stream_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t number_ = 0;
  std::uint64_t bytes_total_ = 0;
};

// Throws Failure when the file cannot be read, or is empty.
std::string contents_of(const std::string& file);

// Each line of an export, with the share that is done on a terminal. Throws Failure when the file
// cannot be read or is empty, and after an interrupt.
void read_export(const std::string& file, const char* verb,
                 const std::function<void(std::string_view line)>& take);

// A file that is to be written, or "-" for the standard output.
//
// Where a plain file stands, or nothing, it is written beside that name and takes it in commit():
// half a file must not be taken for a whole one. A symbolic link stays, and what it leads to is
// replaced. Pipes, devices and whatever else stands there are written through.
class OutputFile {
 public:
  // `secret`: nobody but the owner may read it.
  explicit OutputFile(const std::string& name, bool secret = false);
  // Without commit() nothing stays behind.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Throws Failure at the first byte that cannot be written.
  void write(std::string_view bytes);
  // Every byte is on its way to the disk, and stands under the file's name. Throws Failure.
  void commit();

 private:
  void open_beside(std::uint32_t mode);
  [[noreturn]] void fail(int error);

  std::string name_;    // as it was given
  std::string target_;  // where the links lead
  std::string part_;    // what is renamed in the end; empty when it is written through
  std::FILE* file_ = nullptr;
};

// The standard output, to its close: a full disk or a closed pipe shows there at the latest. False
// when something of it was lost. Nothing may be printed afterwards.
bool close_output();

}  // namespace z0::cli
