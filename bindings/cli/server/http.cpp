#include "server/http.hpp"

#include <curl/curl.h>

#include <cctype>
#include <mutex>

#include "base/failure.hpp"

namespace z0::cli {
namespace {

// An append may take 30 s in the server; a batch of them is answered when the slowest is.
constexpr long exchange_seconds_max = 90;
constexpr long connect_seconds_max = 5;

std::size_t append_body(char* data, std::size_t size, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

bool is_local(const std::string& url) {
  for (const char* host : {"://localhost", "://127.", "://[::1]"}) {
    if (url.find(host) != std::string::npos) return true;
  }
  return false;
}

std::string failure_words(CURLcode code, const std::string& url) {
  if (code == CURLE_COULDNT_CONNECT) {
    return "nothing answers at " + url + ": start it with ./scripts/dev, or give --url";
  }
  if (code == CURLE_OPERATION_TIMEDOUT) return url + " did not answer in time";
  return url + ": " + curl_easy_strerror(code);
}

bool before_sending(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
         code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_URL_MALFORMAT ||
         code == CURLE_UNSUPPORTED_PROTOCOL;
}

}  // namespace

struct Http::Handle {
  explicit Handle(Connection to) : connection(std::move(to)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    easy = curl_easy_init();
    if (easy == nullptr) throw Failure("libcurl cannot be started");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, connect_seconds_max);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, exchange_seconds_max);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "z0");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append_body);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    // A proxy for the world outside does not know this machine's ports.
    if (is_local(connection.url)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
  ~Handle() { curl_easy_cleanup(easy); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  Connection connection;
  CURL* easy;
};

Http::Http(Connection connection) : handle_(std::make_unique<Handle>(std::move(connection))) {}
Http::~Http() = default;
Http::Http(Http&&) noexcept = default;
Http& Http::operator=(Http&&) noexcept = default;

Reply Http::exchange(const Request& request) {
  CURL* easy = handle_->easy;
  const Connection& to = handle_->connection;
  Reply reply;
  curl_slist* headers = curl_slist_append(nullptr, ("Authorization: Bearer " + to.token).c_str());
  // Without this libcurl waits a second for "100 Continue" before a large body.
  headers = curl_slist_append(headers, "Expect:");
  if (!request.content_type.empty()) {
    headers = curl_slist_append(headers, ("Content-Type: " + request.content_type).c_str());
  }
  curl_easy_setopt(easy, CURLOPT_URL, (to.url + request.path).c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply.body);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  } else {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  }
  const CURLcode code = curl_easy_perform(easy);
  curl_slist_free_all(headers);
  if (code != CURLE_OK) {
    reply.body.clear();
    reply.error = failure_words(code, to.url);
    reply.never_sent = before_sending(code);
    return reply;
  }
  long status = 0;
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
  reply.status = static_cast<int>(status);
  reply.retry_after_ms = retry_after_s * 1000;
  return reply;
}

nlohmann::json Http::get(const std::string& path) {
  const Request request{"GET", path, {}, {}};
  const Reply reply = exchange(request);
  nlohmann::json answer = nlohmann::json::parse(reply.body, nullptr, false);
  if (reply.status == 200 && !answer.is_discarded()) return answer;
  throw_refusal(request, reply);
}

void throw_refusal(const Request& request, const Reply& reply) {
  if (reply.status == 0) throw Failure(reply.error);
  if (reply.status == 401) {
    throw Failure("the server does not accept the token: make one with `z0 token --all`");
  }
  std::string words = "the server answered HTTP " + std::to_string(reply.status) + " to " +
                      request.method + " " + request.path + ": check --url and the server's log";
  const nlohmann::json answer = nlohmann::json::parse(reply.body, nullptr, false);
  if (answer.is_object() && answer.contains("message") && answer["message"].is_string()) {
    words = answer.value("field", std::string());
    if (!words.empty()) words += ": ";
    words += answer["message"].get<std::string>();
    const std::string action = answer.value("action", std::string());
    if (!action.empty()) words += " " + action;
  }
  if (reply.status == 404) throw NotFound(words);
  throw Failure(words);
}

std::string url_escaped(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~' || c == ':') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string path_with_query(std::string path,
                            const std::vector<std::pair<std::string, std::string>>& parameters) {
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    path += separator + name + "=" + url_escaped(value);
    separator = '&';
  }
  return path;
}

}  // namespace z0::cli
