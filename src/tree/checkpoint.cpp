#include "z0/tree/checkpoint.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <tuple>
#include <utility>

#include "z0/base/base64.hpp"
#include "z0/base/ids.hpp"
#include "z0/base/limits.hpp"
#include "z0/json/json.hpp"
#include "z0/tree/merkle.hpp"

namespace z0 {
namespace {

// The signature type of c2sp.org/signed-note for Ed25519.
constexpr char ed25519 = 0x01;
// An em dash and a space begin each signature.
constexpr std::string_view signature_start = "\xe2\x80\x94 ";
constexpr std::size_t key_id_bytes = 4;

template <class Bytes>
std::string_view view(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The characters of Unicode's property White_Space beyond ASCII, as UTF-8. Those of ASCII that are
// not control characters are the space alone.
constexpr std::string_view wide_spaces[] = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

// A note's characters: UTF-8 without control characters, newlines apart.
bool valid_characters(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\n'; };
  return valid_utf8(text) && std::none_of(text.begin(), text.end(), control);
}

// At least one line, and the last one is ended.
bool valid_text(std::string_view text) {
  return !text.empty() && text.back() == '\n' && valid_characters(text);
}

// Takes the part up to `end` off `rest`, and `end` too; false when there is no `end`.
bool take(std::string_view& rest, char end, std::string_view& part) {
  const std::size_t at = rest.find(end);
  if (at == std::string_view::npos) return false;
  part = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return true;
}

bool take_line(std::string_view& rest, std::string_view& line) {
  return take(rest, '\n', line) && !line.empty();
}

bool parse_size(std::string_view digits, std::int64_t& out) {
  // 2^53 has 16 digits, so the sum cannot overflow.
  if (digits.empty() || digits.size() > 16 || (digits[0] == '0' && digits.size() > 1)) return false;
  std::int64_t size = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    size = size * 10 + (c - '0');
  }
  out = size;
  return size <= merkle_size_max;
}

// base64 of exactly as many bytes as `out` has.
template <class Bytes>
bool decode_fixed(std::string_view text, Bytes& out) {
  std::string bytes;
  if (!base64_decode(text, bytes) || bytes.size() != out.size()) return false;
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return true;
}

std::string big_endian(std::uint32_t id) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(id >> shift));
  return bytes;
}

std::uint32_t read_big_endian(std::string_view bytes) {
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < key_id_bytes; ++i)
    id = id << 8 | static_cast<unsigned char>(bytes[i]);
  return id;
}

bool read_checkpoint(std::string_view text, Checkpoint& out) {
  if (!valid_text(text)) return false;
  std::string_view line;
  if (!take_line(text, line)) return false;
  out.origin = line;
  if (!take_line(text, line) || !parse_size(line, out.size)) return false;
  if (!take_line(text, line) || !decode_fixed(line, out.root)) return false;
  while (!text.empty()) {
    if (!take_line(text, line)) return false;
    out.extensions.emplace_back(line);
  }
  return true;
}

bool read_verifier_key(std::string_view text, VerifierKey& out) {
  std::string_view name;
  std::string_view id;
  // The key's base64 may hold a plus, so it is what stands behind the second.
  if (!take(text, '+', name) || !take(text, '+', id) || !valid_key_name(name)) return false;
  std::array<char, 1 + std::tuple_size_v<Ed25519Key>> typed_key;
  if (!decode_fixed(text, typed_key) || typed_key[0] != ed25519) return false;
  std::memcpy(out.key.data(), &typed_key[1], out.key.size());
  out.name = name;
  out.key_id = ed25519_key_id(name, out.key);
  std::string hex;
  append_hex(hex, big_endian(out.key_id));
  return id == hex;
}

bool read_signature(std::string_view line, NoteSignature& out) {
  if (!line.starts_with(signature_start)) return false;
  line.remove_prefix(signature_start.size());
  std::string_view name;
  if (!take(line, ' ', name) || !valid_key_name(name)) return false;
  if (!base64_decode(line, out.bytes) || out.bytes.size() <= key_id_bytes) return false;
  out.name = name;
  out.key_id = read_big_endian(out.bytes);
  out.bytes.erase(0, key_id_bytes);
  return true;
}

bool read_note(std::string_view bytes, Note& out) {
  if (bytes.size() > limits::note_bytes_max || !valid_text(bytes)) return false;
  // The last empty line parts them, because the text may hold empty lines too.
  const std::size_t parting = bytes.rfind("\n\n");
  if (parting == std::string_view::npos) return false;
  out.text = bytes.substr(0, parting + 1);
  std::string_view rest = bytes.substr(parting + 2);
  while (!rest.empty() && out.signatures.size() < limits::note_signatures_max) {
    std::string_view line;
    if (!take_line(rest, line) || !read_signature(line, out.signatures.emplace_back())) {
      return false;
    }
  }
  return rest.empty() && !out.signatures.empty();
}

// Into `out` what `read` makes of the text, or nothing of it.
template <class Value>
bool parse(bool (*read)(std::string_view, Value&), std::string_view text, Value& out) {
  out = Value{};
  if (read(text, out)) return true;
  out = Value{};
  return false;
}

}  // namespace

bool valid_key_name(std::string_view name) {
  if (name.empty() || !valid_characters(name)) return false;
  if (name.find_first_of(" +\n") != std::string_view::npos) return false;
  return std::none_of(std::begin(wide_spaces), std::end(wide_spaces), [name](std::string_view c) {
    return name.find(c) != std::string_view::npos;
  });
}

std::string checkpoint_text(std::string_view origin, std::int64_t size, const Digest& root) {
  if (!valid_key_name(origin) || size < 0 || size > merkle_size_max) return {};
  std::string text(origin);
  text.append("\n").append(std::to_string(size));
  return text.append("\n").append(base64_encode(view(root))).append("\n");
}

bool parse_checkpoint(std::string_view text, Checkpoint& out) {
  return parse(read_checkpoint, text, out);
}

std::uint32_t ed25519_key_id(std::string_view name, const Ed25519Key& key) {
  std::string named(name);
  named.push_back('\n');
  named.push_back(ed25519);
  return read_big_endian(view(sha256(named.append(view(key)))));
}

std::string verifier_key(std::string_view name, const Ed25519Key& key) {
  if (!valid_key_name(name)) return {};
  std::string text(name);
  text.push_back('+');
  append_hex(text, big_endian(ed25519_key_id(name, key)));
  std::string typed_key(1, ed25519);
  return text.append("+").append(base64_encode(typed_key.append(view(key))));
}

bool parse_verifier_key(std::string_view text, VerifierKey& out) {
  return parse(read_verifier_key, text, out);
}

std::string signed_note(std::string_view text, std::string_view name, const Ed25519Key& key,
                        std::string_view signature) {
  if (signature.size() != ed25519_signature_bytes) return {};
  Note note;
  note.text = text;
  note.signatures.push_back({std::string(name), ed25519_key_id(name, key), std::string(signature)});
  return write_note(note);
}

std::string write_note(const Note& note) {
  bool valid = valid_text(note.text) && !note.signatures.empty() &&
               note.signatures.size() <= limits::note_signatures_max;
  std::string bytes = note.text;
  bytes.push_back('\n');
  for (const NoteSignature& signature : note.signatures) {
    bytes.append(signature_start).append(signature.name).append(" ");
    bytes.append(base64_encode(big_endian(signature.key_id) + signature.bytes)).append("\n");
    valid = valid && valid_key_name(signature.name) && !signature.bytes.empty();
  }
  return valid && bytes.size() <= limits::note_bytes_max ? bytes : std::string();
}

bool parse_note(std::string_view bytes, Note& out) { return parse(read_note, bytes, out); }

}  // namespace z0
