// Routes for whoever operates z0: which ledgers there are, what D1 lacks, facts whose cause never came,
// messages that nobody could read.
// http.hpp says how routes work.
#pragma once

#include <string_view>

#include "http/http.hpp"
#include "z0/calls/message.hpp"

namespace z0 {

void get_closure(const Request& request, const Claims& claims, const Context& context,
                 const Frame& frame, Effects& effects);
void resume_closure(ByteReader& continuation, const Context& context, const Frame& frame,
                    Effects& effects);

void get_dead_letters(const Request& request, const Context& context, Effects& effects);
void resume_dead_letters(ByteReader& continuation, const Context& context, const Frame& frame,
                         Effects& effects);
void get_dead_letter(const Context& context, std::string_view id, Effects& effects);
void resume_dead_letter(const Context& context, const Frame& frame, Effects& effects);

// Of one dead letter, or, with an empty id, of as many as one message holds.
void post_redrive(const Context& context, std::string_view id, Effects& effects);
void resume_redrive(ByteReader& continuation, const Context& context, const Frame& frame,
                    Effects& effects);

// What the one database that was asked has answered: never nothing.
inline std::vector<Rows> d1_answer(const Frame& frame) {
  return parse_query(frame.answers.empty() ? std::string_view{} : frame.answers[0]);
}

// Why these bytes are no message, which parse_message has found out.
std::string reason_of(const Message& message);

void get_ledgers(const Request& request, const Claims& claims, const Context& context,
                 Effects& effects);
void resume_ledgers(ByteReader& continuation, const Context& context, const Frame& frame,
                    Effects& effects);

}  // namespace z0
