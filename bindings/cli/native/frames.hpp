// Frames out of whatever they were saved in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace z0::cli {

// The input is one frame as it is; or text, of which each line may hold a frame in base64: as the
// value of "frame" in a log line, at whatever depth and however escaped, or alone on the line.
// Lines without one are passed over.
std::vector<std::string> frames_in(std::string_view input);

// A logged request holds neither the secrets nor the token's signature, only as many x. The frame
// with a signature by those x takes the path that the real one took; any other frame as it is.
std::string signed_again(const std::string& frame);

// Either alphabet of RFC 4648, padded or not. False for anything else.
bool base64_decode(std::string_view text, std::string& out);

}  // namespace z0::cli
