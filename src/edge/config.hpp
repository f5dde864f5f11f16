// Inside the edge: configs. http.hpp says how routes work.
#pragma once

#include <string_view>

#include "http/http.hpp"

namespace z0 {

// The id of a config: of the form that a ledger's has, and short enough for the ids of its
// versions.
bool valid_config_id(std::string_view id);

void put_config(const Request& request, const Claims& claims, const Context& context,
                std::string_view config_id, const Frame& frame, Effects& effects);
void resume_put_config(ByteReader& continuation, const Context& context, const Frame& frame,
                       Effects& effects);

// GET of one version, or of all of them.
void get_config(const Request& request, const Claims& claims, const Context& context,
                std::string_view config_id, bool history, Effects& effects);
void resume_get_config(ByteReader& continuation, const Context& context, const Frame& frame,
                       Effects& effects);

void get_config_gaps(const Request& request, const Claims& claims, const Context& context,
                     const Frame& frame, Effects& effects);
void resume_config_gaps(const Context& context, const Frame& frame, Effects& effects);

}  // namespace z0
