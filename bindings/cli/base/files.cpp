#include "base/files.hpp"

#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/failure.hpp"
#include "base/interrupt.hpp"
#include "base/terminal.hpp"

namespace z0::cli {
namespace {

// The standard input, or the file once it is open.
std::istream& open(const std::string& name, std::ifstream& file) {
  if (name == "-") return std::cin;
  file.open(name, std::ios::binary);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) {
    throw Failure(name + (file.is_open() ? " is empty or no file" : " cannot be read"), exit_usage);
  }
  return file;
}

std::uint64_t size_of(std::ifstream& file) {
  if (!file.is_open()) return 0;
  file.seekg(0, std::ios::end);
  const auto size = static_cast<std::int64_t>(file.tellg());
  file.clear();
  file.seekg(0);
  return size > 0 ? static_cast<std::uint64_t>(size) : 0;
}

}  // namespace

std::string contents_of(const std::string& name) {
  std::ifstream file;
  std::istream& in = open(name, file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void read_export(const std::string& name, const char* verb,
                 const std::function<void(std::string_view)>& take) {
  std::ifstream file;
  std::istream& in = open(name, file);
  const std::uint64_t total = size_of(file);
  const auto begin = std::chrono::steady_clock::now();
  StatusLine status;
  std::uint64_t bytes = 0;
  std::int64_t lines = 0;
  for (std::string line; std::getline(in, line);) {
    if (interrupted()) throw Failure("interrupted");
    bytes += line.size() + 1;
    ++lines;
    take(line);
    if (!status.due()) continue;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    status.draw(std::string(verb) + "  " + progress_words(bytes, total, lines, seconds.count()));
  }
  if (in.bad()) throw Failure(name + " cannot be read to its end");
}

}  // namespace z0::cli
