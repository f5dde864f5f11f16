#include "z0/words.hpp"

#include "z0/effects.hpp"
#include "z0/fact.hpp"
#include "z0/frame.hpp"
#include "z0/ids.hpp"
#include "z0/ledger.hpp"
#include "z0/message.hpp"
#include "z0/sha256.hpp"

namespace z0 {
namespace {

constexpr std::size_t shown_text_max = 400;

std::string_view frame_name(std::uint16_t kind) {
  switch (kind) {
    case Z0_FRAME_REQUEST: return "request";
    case Z0_FRAME_RESUME: return "resume";
    case Z0_FRAME_MESSAGE: return "message";
    case Z0_FRAME_DEAD_LETTER: return "dead_letter";
    case Z0_FRAME_MESSAGE_RESUME: return "message_resume";
    case Z0_FRAME_LEDGER_APPEND: return "ledger_append";
    case Z0_FRAME_LEDGER_READ: return "ledger_read";
    case Z0_FRAME_LEDGER_HEAD: return "ledger_head";
    case Z0_FRAME_LEDGER_ALARM: return "ledger_alarm";
    case Z0_FRAME_LEDGER_RESUME: return "ledger_resume";
    case Z0_FRAME_MONITOR_TELL: return "monitor_tell";
    case Z0_FRAME_MONITOR_LIVE: return "monitor_live";
    case Z0_FRAME_DEBUG_TRAP: return "debug_trap";
    default: return "unknown";
  }
}

bool printable(std::string_view bytes) {
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return false;
  }
  return valid_utf8(bytes);
}

// Text as it is, binary as its size and the first 8 hex digits of its SHA-256.
std::string shown(std::string_view bytes) {
  if (printable(bytes)) {
    if (bytes.size() <= shown_text_max) return std::string(bytes);
    return std::string(bytes.substr(0, shown_text_max)) + "... (" + std::to_string(bytes.size()) + " bytes)";
  }
  const Digest digest = sha256(bytes);
  std::string out = std::to_string(bytes.size()) + " bytes ";
  append_hex(out, {reinterpret_cast<const char*>(digest.data()), 4});
  return out;
}

std::string shown(const Value& v) {
  switch (v.kind) {
    case Value::Kind::null: return "null";
    case Value::Kind::integer: return std::to_string(v.integer);
    case Value::Kind::real: return std::to_string(v.real);
    case Value::Kind::text: return '\'' + shown(v.bytes) + '\'';
    case Value::Kind::blob: break;
  }
  return '<' + shown(v.bytes) + '>';
}

std::string shown(const Statement& s) {
  std::string out(s.sql);
  for (std::size_t i = 0; i < s.values.size(); ++i) out += (i == 0 ? " | " : ", ") + shown(s.values[i]);
  return out;
}

std::string batch_words(std::string_view request) {
  AppendRequest batch;
  if (!batch.decode(request)) return shown(request);
  std::string out = std::to_string(batch.submissions.size()) + " facts of " + std::string(batch.tenant_id) + " for " +
                    std::string(batch.entity_id) + (batch.atomic ? ", atomic:" : ":");
  for (const auto submission : batch.submissions) {
    Fact fact;
    if (!parse_submission(submission, batch.entity_id, fact)) return out + " unreadable";
    out += ' ' + std::string(fact.name()) + ' ' + std::string(fact.id);
  }
  return out;
}

std::string message_words(std::string_view bytes) {
  Message message;
  if (!parse_message(bytes, message)) return shown(bytes);
  std::string out = message.kind == MessageKind::facts ? "facts" : "attempts";
  for (const auto& run : message.runs) {
    out += ' ' + std::string(run.entity_id) + ' ' + std::to_string(run.first_seq) + ".." +
           std::to_string(run.first_seq + run.count - 1);
  }
  for (const auto& a : message.attempts) {
    out += ' ' + std::string(a.entity_id) + ' ' + std::string(submission_id(a.submission)) + ' ' + std::string(a.code);
  }
  return out;
}

std::string results_words(std::string_view body) {
  std::vector<AppendResult> results;
  if (body.empty() || printable(body) || !decode_append_results(body, results)) return shown(body);
  std::string out;
  for (const auto& r : results) {
    if (!out.empty()) out += ", ";
    out += info(r.status).name;
    if (accepted(r.status)) out += ' ' + std::to_string(r.seq) + " at " + std::to_string(r.recorded_at);
    if (!r.field.empty()) out += " at " + std::string(r.field);
  }
  return out;
}

std::string effect_words(const Effect& e) {
  ByteReader in(e.payload);
  switch (e.kind) {
    case Z0_NEED_ROWS: return "need rows: " + shown(parse_statement(in));
    case Z0_NEED_QUERY: {
      std::string out = "need query:";
      for (std::uint16_t n = in.u16(); n > 0 && in.ok(); --n) out += "\n    " + shown(parse_statement(in));
      return out;
    }
    case Z0_NEED_CALL: {
      std::string out = in.u8() == Z0_TARGET_LEDGER ? "need ledger " : "need monitor ";
      out += in.bytes();
      const std::uint16_t kind = in.u16();
      out += ' ' + std::string(frame_name(kind)) + " within " + std::to_string(in.u32()) + " ms: ";
      const auto request = in.bytes();
      return out + (kind == Z0_FRAME_LEDGER_APPEND ? batch_words(request) : shown(request));
    }
    case Z0_NEED_RESUME: {
      const auto kind = in.u16();
      return "resume as " + std::string(frame_name(kind));
    }
    case Z0_WRITE: return "write: " + shown(parse_statement(in));
    case Z0_ALARM: return "alarm at " + std::to_string(in.u64());
    case Z0_REPLY: {
      std::string out = "reply " + std::to_string(in.u16());
      for (std::uint16_t n = in.u16(); n > 0 && in.ok(); --n) {
        const auto name = in.bytes();
        out += ' ' + std::string(name) + '=' + std::string(in.bytes());
      }
      return out + ": " + results_words(in.bytes());
    }
    case Z0_SEND: return "send " + message_words(in.bytes());
    case Z0_TELL: return "tell monitor " + shown(in.bytes());
    case Z0_POINT: {
      std::string out = "point " + std::string(in.bytes());
      for (std::uint16_t n = in.u16(); n > 0 && in.ok(); --n) out += ' ' + std::string(in.bytes());
      for (std::uint16_t n = in.u16(); n > 0 && in.ok(); --n) out += ' ' + std::to_string(in.f64());
      return out;
    }
    case Z0_LOG: return std::string(in.u8() == 0 ? "log info " : "log error ") + shown(in.bytes());
  }
  return "unknown effect";
}

}  // namespace

std::string describe_frame(std::string_view bytes) {
  Frame frame;
  if (!parse_frame(bytes, frame)) return "not a frame: " + shown(bytes) + '\n';
  std::string out = std::string(frame_name(frame.kind)) + " at " + std::to_string(frame.now_ms) + '\n';
  for (std::size_t i = 0; i < frame.parts.size(); ++i) {
    const bool batch = frame.kind == Z0_FRAME_LEDGER_APPEND && i == 1;
    const bool message = frame.kind == Z0_FRAME_MESSAGE && i == 0;
    // Secrets and tokens are for nobody's eyes.
    const bool secret = frame.kind == Z0_FRAME_REQUEST && (i == 3 || (i > 4 && frame.parts[i - 1] == "authorization"));
    const std::string_view part = frame.parts[i];
    out += "  " + (secret ? "(secret)" : batch ? batch_words(part) : message ? message_words(part) : shown(part)) + '\n';
  }
  for (const auto answer : frame.answers) out += "  answer: " + shown(answer) + '\n';
  return out;
}

std::string describe_effects(std::string_view bytes) {
  std::vector<Effect> effects;
  if (!parse_effects(bytes, effects)) return "not effects: " + shown(bytes) + '\n';
  std::string out;
  for (const auto& e : effects) out += "  " + effect_words(e) + '\n';
  return out;
}

}  // namespace z0
