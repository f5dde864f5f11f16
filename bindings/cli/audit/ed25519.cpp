#include "audit/ed25519.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "z0/base/base64.hpp"

namespace z0::cli {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Owned<EVP_PKEY> private_key(std::string_view log_key) {
  std::string der;
  if (!base64_decode(log_key, der)) return nullptr;
  const unsigned char* at = bytes_of(der);
  const Owned<PKCS8_PRIV_KEY_INFO> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  Owned<EVP_PKEY> key(info == nullptr ? nullptr : EVP_PKCS82PKEY(info.get()));
  if (key != nullptr && EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519) key.reset();
  return key;
}

}  // namespace

bool ed25519_verify(const Ed25519Key& key, std::string_view text, std::string_view signature) {
  const Owned<EVP_PKEY> known(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  return known != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, known.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

std::string new_log_key() {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
  EVP_PKEY* made = nullptr;
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_keygen(context.get(), &made) != 1) {
    return {};
  }
  const Owned<EVP_PKEY> key(made);
  const Owned<PKCS8_PRIV_KEY_INFO> info(EVP_PKEY2PKCS8(key.get()));
  unsigned char* der = nullptr;
  const int size = info == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  if (size <= 0) return {};
  std::string text =
      base64_encode({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return text;
}

bool public_key_of(std::string_view log_key, Ed25519Key& out) {
  const auto key = private_key(log_key);
  std::size_t size = out.size();
  return key != nullptr && EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1 &&
         size == out.size();
}

bool ed25519_sign(std::string_view log_key, std::string_view text, std::string& signature) {
  const auto key = private_key(log_key);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  std::size_t size = ed25519_signature_bytes;
  signature.resize(size);
  return key != nullptr && context != nullptr &&
         EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                        bytes_of(text), text.size()) == 1;
}

}  // namespace z0::cli
