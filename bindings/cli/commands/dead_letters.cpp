// z0 dead-letters: messages that the database could not take, and sending them again.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/failure.hpp"
#include "base/fields.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "server/api.hpp"
#include "server/settings.hpp"

namespace z0::cli {
namespace {

using nlohmann::json;

constexpr const char* letters_path = "/v1/dead-letters";

struct DeadLettersOptions {
  std::string id;
  bool all = false;
  bool json = false;
  bool csv = false;
};

std::string entities_of(const json& letter) {
  std::string names;
  for (const json& entity : letter.value("entities", json::array())) {
    if (!names.empty()) names += ' ';
    names += entity.is_string() ? entity.get<std::string>() : entity.dump();
  }
  return names;
}

int run_list(const Connection& connection, const DeadLettersOptions& options) {
  Api api(connection);
  std::vector<json> letters;
  api.each(letters_path, {}, "dead_letters", [&letters](const json& letter) {
    letters.push_back(letter);
    return true;
  });
  if (options.json) {
    std::printf("%s\n", json(letters).dump(1).c_str());
    return exit_ok;
  }
  if (options.csv) {
    std::fputs(
        csv_of(letters, {"id", "received_at", "bytes", "readable", "facts", "attempts", "entities"})
            .c_str(),
        stdout);
    return exit_ok;
  }
  Table table({"id", "received (UTC)", ">bytes", "readable", ">facts", ">attempts", "ledgers"});
  for (const json& letter : letters) {
    table.add({text_of(letter, "id"), time_words(integer_of(letter, "received_at")),
               grouped(integer_of(letter, "bytes")), letter.value("readable", false) ? "yes" : "no",
               grouped(integer_of(letter, "facts")), text_of(letter, "attempts"),
               entities_of(letter)});
  }
  std::fputs(table.empty() ? "no dead letters\n" : table.text().c_str(), stdout);
  return exit_ok;
}

int run_show(const Connection& connection, const DeadLettersOptions& options) {
  Api api(connection);
  std::printf("%s\n",
              api.get(std::string(letters_path) + "/" + url_escaped(options.id)).dump(1).c_str());
  return exit_ok;
}

// A bounded number at a time, until none is left or nothing moves any more.
std::int64_t redrive_all(Api& api, std::int64_t& left) {
  std::int64_t sum = 0;
  for (;;) {
    const json step = api.post(std::string(letters_path) + "/redrive");
    const std::int64_t redriven = integer_of(step, "redriven");
    left = integer_of(step, "left");
    sum += redriven;
    if (left == 0 || redriven == 0 || interrupted()) return sum;
  }
}

int run_redrive(const Connection& connection, const DeadLettersOptions& options) {
  if (options.id.empty() != options.all) {
    throw Failure("name one ID, or give --all", exit_usage);
  }
  Api api(connection);
  std::int64_t redriven = 1;
  std::int64_t left = 0;
  if (options.all)
    redriven = redrive_all(api, left);
  else
    api.post(std::string(letters_path) + "/" + url_escaped(options.id) + "/redrive");
  if (options.json) {
    std::printf("%s\n", json{{"redriven", redriven}, {"left", left}}.dump().c_str());
  } else {
    std::printf("sent again: %s; left: %s\n", grouped(redriven).c_str(), grouped(left).c_str());
  }
  return left == 0 ? exit_ok : exit_failed;
}

}  // namespace

void add_dead_letters(CLI::App& app, Context& context) {
  const auto options = std::make_shared<DeadLettersOptions>();
  CLI::App* command =
      app.add_subcommand("dead-letters", "Messages that the database could not take");
  command->require_subcommand(0, 1);
  add_formats(command, options->json, options->csv);
  const auto runs = [&context, options](CLI::App* verb, auto run) {
    verb->callback([&context, options, run] {
      catch_interrupts();
      context.exit_code = run(connection_of(context), *options);
    });
  };
  runs(command->add_subcommand("list", "All of them, as without a word"), run_list);
  CLI::App* show = command->add_subcommand("show", "One with its body, base64, and what is in it");
  show->add_option("ID", options->id, "As listed")->required();
  runs(show, run_show);
  CLI::App* redrive = command->add_subcommand("redrive", "Send one, or all, again");
  redrive->add_option("ID", options->id, "As listed");
  redrive->add_flag("--all", options->all, "All of them");
  runs(redrive, run_redrive);
  command->footer(
      "Sending again is safe: the database takes each fact once.\n\n"
      "Examples:\n"
      "  z0 dead-letters\n"
      "  z0 dead-letters show 01JQ\n"
      "  z0 dead-letters redrive --all\n");
  command->callback([command, options, &context] {
    if (command->get_subcommands().empty())
      context.exit_code = run_list(connection_of(context), *options);
  });
}

}  // namespace z0::cli
