// Ed25519 (RFC 8032) by OpenSSL: what the core leaves to its host.
#pragma once

#include <string>
#include <string_view>

#include "z0/tree/checkpoint.hpp"

namespace z0::cli {

// Whether `signature` is the key's, over the bytes of `text`.
bool ed25519_verify(const Ed25519Key& key, std::string_view text, std::string_view signature);

// A new private key as the Worker takes it: PKCS #8 (DER) in base64. Empty when OpenSSL has no
// randomness.
std::string new_log_key();

// The public half of such a text, and its signature over `text`; false when it is no Ed25519 key.
bool public_key_of(std::string_view log_key, Ed25519Key& out);
bool ed25519_sign(std::string_view log_key, std::string_view text, std::string& signature);

}  // namespace z0::cli
