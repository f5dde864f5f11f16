// Golden transcripts: stories told to a whole world, and every step that the core took.
//
// A story is a text file of blocks, parted by empty lines. A block is a command, a line of dashes,
// and what came of it; a block without dashes is prose. Of each step the transcript has the frame
// in words,
// "--", and the effects in words. The commands:
//
//   post WHO [atomic] JSON     WHO is a tenant, or `operator`; the JSON may go on over more lines
//   get WHO URL
//   advance MS                 move the clock, then let the alarms that are due go off
//   deliver | redeliver | lose the oldest message: take it, take it and keep it, or drop it
//   evict ENTITY | crash       memory is lost: of an account's object, or everywhere
//   fault call overloaded|timeout|failed, fault reply|commit|send|query; fault off
//   d1 SQL                     rows of D1
//
// Times are shown from the story's start, as t+N; traces and spans by the order in which they
// appear. With Z0_GOLDEN=write the transcripts are written anew; scripts/golden does that.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "unit/catch.hpp"
#include "unit/test_world.hpp"
#include "z0/core/words.hpp"
#include "z0/wire/frame.hpp"

namespace {

using z0::test::TestWorld;

constexpr const char* dashes = "----";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Replaces what differs from seed to seed and from hour to hour by names that can be read.
class Names {
 public:
  explicit Names(std::int64_t start) : start_(start) {}

  std::string read(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
      std::size_t end = i;
      while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0) ++end;
      out += word(text.substr(i, end - i));
      if (end < text.size()) out += text[end++];
      i = end;
    }
    return out;
  }

 private:
  std::string word(const std::string& w) {
    const bool hex = w.find_first_not_of("0123456789abcdef") == std::string::npos;
    const bool number = w.find_first_not_of("0123456789") == std::string::npos;
    if (w.size() == 13 && number) {
      const std::int64_t offset = std::stoll(w) - start_;
      return offset < 0 ? w : "t+" + std::to_string(offset);
    }
    if (hex && w.size() == 32) return name(w, "trace_");
    if (hex && !number && w.size() == 16) return name(w, "span_");
    return w;
  }

  std::string name(const std::string& w, const char* kind) {
    const auto found = names_.find(w);
    if (found != names_.end()) return found->second;
    return names_[w] = kind + std::to_string(++counts_[kind]);
  }

  std::int64_t start_;
  std::map<std::string, std::string> names_;
  std::map<std::string, int> counts_;
};

class Story {
 public:
  Story() : names_(world_.now_ms) {
    world_.seen = [this](std::string_view frame, std::string_view effects) {
      note_step(frame, effects);
    };
  }

  std::string run(const std::string& command) {
    output_.clear();
    std::istringstream in(command);
    std::string verb;
    in >> verb;
    if (verb == "post")
      post(in);
    else if (verb == "get")
      get(in);
    else if (verb == "advance")
      advance(in);
    else if (verb == "deliver" || verb == "redeliver" || verb == "lose")
      queue(verb);
    else if (verb == "evict")
      world_.evict(TestWorld::object_of(word(in)));
    else if (verb == "crash")
      world_.crash();
    else if (verb == "fault")
      fault(in);
    else if (verb == "d1")
      d1(in);
    else
      output_ = "unknown command " + verb + '\n';
    return names_.read(output_);
  }

 private:
  static std::string word(std::istringstream& in) {
    std::string w;
    in >> w;
    return w;
  }
  static std::string rest(std::istringstream& in) {
    std::string text(std::istreambuf_iterator<char>(in), {});
    text.erase(text.find_last_not_of(" \n") + 1);
    return text.substr(std::min(text.size(), text.find_first_not_of(" \n")));
  }

  void note_step(std::string_view frame, std::string_view effects) {
    z0::Frame parsed;
    REQUIRE(z0::parse_frame(frame, parsed));
    // What the monitor is told stands among the effects already.
    if (parsed.kind == Z0_FRAME_TELL) return;
    output_ += z0::describe_frame(frame) + "  --\n" + z0::describe_effects(effects);
  }

  // The body stands in the last step already.
  void reply(const z0::test::Reply& r) { output_ += "=> " + std::to_string(r.status) + '\n'; }

  void post(std::istringstream& in) {
    const std::string who = word(in);
    std::string body = rest(in);
    const bool atomic = body.compare(0, 7, "atomic ") == 0;
    if (atomic) body = body.substr(7);
    reply(world_.post(body, who == "operator" ? "" : who,
                      atomic ? "/v1/facts?atomic=true" : "/v1/facts"));
  }

  void get(std::istringstream& in) {
    const std::string who = word(in);
    reply(world_.get(word(in), who == "operator" ? "" : who));
  }

  void advance(std::istringstream& in) {
    world_.now_ms += std::stoll(word(in));
    const std::size_t alarms = world_.run_alarms();
    output_ += "=> " + std::to_string(alarms) + (alarms == 1 ? " alarm\n" : " alarms\n");
  }

  void queue(const std::string& verb) {
    if (world_.queue.empty()) {
      output_ += "=> the queue is empty\n";
      return;
    }
    if (verb == "lose") {
      world_.queue.pop_front();
      output_ += "=> lost\n";
      return;
    }
    const bool taken = verb == "deliver" ? world_.deliver()
                                         : world_.deliver_copy(std::string(world_.queue.front()));
    output_ += taken ? "=> acknowledged\n" : "=> back in the queue\n";
  }

  void fault(std::istringstream& in) {
    const std::string where = word(in);
    const std::string how = word(in);
    world_.faults = {};
    if (where == "call") {
      const z0_outcome outcome = how == "overloaded" ? Z0_OVERLOADED
                                 : how == "timeout"  ? Z0_TIMEOUT
                                                     : Z0_FAILED;
      world_.faults.call = [outcome, how](std::string_view, z0_outcome& out, std::string& message) {
        out = outcome;
        message = "the platform says: " + how;
        return true;
      };
    }
    if (where == "reply") world_.faults.lose_reply = [](std::string_view) { return true; };
    if (where == "commit") world_.faults.commit = [](std::string_view) { return true; };
    if (where == "send") world_.faults.send = [] { return true; };
    if (where == "query") world_.faults.query = [] { return true; };
  }

  void d1(std::istringstream& in) {
    for (const auto& row : world_.d1_rows(rest(in))) output_ += row.dump() + '\n';
  }

  TestWorld world_{1};
  Names names_;
  std::string output_;
};

// The story with its transcript as it is now.
std::string tell(const std::string& text) {
  Story story;
  std::istringstream in(text);
  std::string out;
  std::string block;
  bool answered = false;
  const auto finish = [&] {
    if (answered)
      out += block + dashes + '\n' + story.run(block);
    else
      out += block;
    block.clear();
    answered = false;
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      finish();
      out += '\n';
    } else if (line == dashes) {
      answered = true;
    } else if (!answered) {
      block += line + '\n';
    }
  }
  finish();
  return out;
}

// A unified diff, as diff(1) makes it.
std::string diff(const std::filesystem::path& old_file, const std::string& now) {
  const auto new_file =
      std::filesystem::temp_directory_path() / ("z0_golden_" + old_file.filename().string());
  std::ofstream(new_file) << now;
  const std::string command = "diff -u '" + old_file.string() + "' '" + new_file.string() + "'";
  std::string out;
  if (FILE* pipe = popen(command.c_str(), "r")) {
    char piece[4096];
    while (const std::size_t n = std::fread(piece, 1, sizeof piece, pipe)) out.append(piece, n);
    pclose(pipe);
  }
  std::filesystem::remove(new_file);
  return out;
}

}  // namespace

TEST_CASE("The stories go as they are written down", "[golden]") {
  const char* wish = std::getenv("Z0_GOLDEN");
  const bool write = wish != nullptr && std::string(wish) == "write";
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(Z0_SOURCE_DIR) / "tests/golden")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 6);
  for (const auto& file : files) {
    const std::string written = read_file(file);
    const std::string now = tell(written);
    INFO(file.filename().string() << " goes differently; scripts/golden --write takes it over");
    CHECK((now == written || write));
    if (now == written) continue;
    std::cout << diff(file, now);
    if (write) std::ofstream(file) << now;
  }
}
