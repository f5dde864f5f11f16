# What the scripts share: where things are, how they speak, and how missing tools are installed.
# Sourced, never run.

started_in=$(pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
log_dir=$root/build/log
mkdir -p "$log_dir"

export PATH="$root/node_modules/.bin:$PATH"
# Debian's emcc needs Debian's acorn, which another node than Debian's does not find by itself.
[ ! -d /usr/share/nodejs ] || export NODE_PATH=${NODE_PATH:-/usr/share/nodejs}

# wrangler: no telemetry, no look-ups, no banner, its logs and registry inside the repository. The
# local trace store is off unless somebody asks: it costs a third of the throughput.
export WRANGLER_SEND_METRICS=false DO_NOT_TRACK=1 WRANGLER_HIDE_BANNER=true
export CLOUDFLARE_CF_FETCH_ENABLED=false
export X_LOCAL_OBSERVABILITY=${X_LOCAL_OBSERVABILITY:-false}
export X_LOCAL_EXPLORER=${X_LOCAL_EXPLORER:-false}
export WRANGLER_LOG_PATH=$log_dir/wrangler
export WRANGLER_REGISTRY_PATH=${WRANGLER_REGISTRY_PATH:-$root/.wrangler/registry}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "${red}$*${plain}" >&2
  exit 1
}

# A path as the caller meant it: the scripts themselves work in the repository's top directory.
absolute() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s' "$started_in/$1" ;;
  esac
}

# The comment at the top of a script is its help.
show_help() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$1"; }

# Shows how far ninja is, "[12/27]", behind the cursor, once a second.
show_progress() {
  while sleep 1; do
    printf '\e7%s\e[K\e8' "$(grep -oE '^\[[0-9]+/[0-9]+\]' "$1" | tail -n 1)"
  done
}

# log NAME COMMAND...: runs quietly; the output goes to build/log/NAME.log and is shown, its end at
# least, when the command fails.
log() {
  local name=$1 file=$log_dir/$1.log
  shift
  local watcher='' code=0
  if [ -t 1 ]; then
    show_progress "$file" 2>/dev/null &
    watcher=$!
  fi
  "$@" >"$file" 2>&1 </dev/null || code=$?
  if [ -n "$watcher" ]; then
    kill "$watcher"
    wait "$watcher" 2>/dev/null || true
    printf '\e[K'
  fi
  [ "$code" != 0 ] || return 0
  {
    tail -n 40 "$file" | cut -c1-300
    say "${red}$name failed.${plain} The whole log: ${file#"$root"/}"
  } >&2
  return 1
}

# timed "what" COMMAND...: a line that ends with the seconds it took.
timed() {
  local what=$1 began=$SECONDS
  shift
  printf '%s ... ' "$what"
  "$@" || return 1
  printf 'done (%d s)\n' $((SECONDS - began))
}

# step "what" NAME COMMAND...: both of them.
step() {
  local what=$1
  shift
  timed "$what" log "$@"
}

# alone NAME COMMAND...: one at a time, where two scripts would write the same files.
alone() {
  local name=$1
  shift
  if command -v flock >/dev/null; then
    (
      flock 9
      "$@" 9>&-
    ) 9>"$log_dir/$name.lock"
  else
    "$@"
  fi
}

# What a process started, and what that started in turn. Not a process group: the runtime makes
# groups of its own.
descendants() {
  local child
  for child in $(ps -o pid= --ppid "$1" 2>/dev/null); do
    descendants "$child"
    printf '%s ' "$child"
  done
}

# end_all PID...: they and what they started. SIGTERM to wrangler stops its runtime too; whatever is
# left after five seconds is ended by force.
end_all() {
  local pids='' pid tries
  for pid in "$@"; do pids+="$(descendants "$pid") $pid "; done
  [ -n "$pids" ] || return 0
  kill -TERM "$@" 2>/dev/null || true
  for tries in $(seq 100); do
    # shellcheck disable=SC2086
    kill -0 $pids 2>/dev/null || break
    sleep 0.05
    # shellcheck disable=SC2086
    [ "$tries" != 100 ] || kill -KILL $pids 2>/dev/null || true
  done
  wait "$@" 2>/dev/null || true
}

# -- what has to be installed -----------------------------------------------------------------------

# Debian package : a command, or a header below /usr/include, that shows it is there.
tools_node="nodejs:node npm:npm procps:ps"
tools_build="cmake:cmake ninja-build:ninja nlohmann-json3-dev:nlohmann/json.hpp"
tools_wasm="$tools_build emscripten:em++"
tools_native="$tools_build clang:clang++ libc6-dev:stdio.h libsqlite3-dev:sqlite3.h
  libcurl4-openssl-dev:curl/curl.h libssl-dev:openssl/evp.h zlib1g-dev:zlib.h libcli11-dev:CLI/CLI.hpp"
tools_tests="$tools_native $tools_wasm catch2:catch2 clang-format:clang-format
  clang-tidy:clang-tidy llvm:llvm-symbolizer libclang-rt-dev:clang-rt git:git
  prometheus:promtool prometheus-alertmanager:prometheus-alertmanager"
tools_pages="chromium:chromium"

have() {
  case $1 in
    clang-rt) ls "$(clang++ -print-resource-dir 2>/dev/null)"/lib/linux/libclang_rt.asan-*.a \
      >/dev/null 2>&1 ;;
    chromium) command -v chromium || command -v google-chrome || command -v chromium-browser ;;
    catch2 | */* | *.h)
      local at
      for at in /usr/include /usr/local/include /usr/include/*-linux-gnu; do
        [ ! -e "$at/$1" ] || return 0
      done
      return 1
      ;;
    *) command -v "$1" ;;
  esac >/dev/null
}

missing_packages() {
  local entry
  for entry in "$@"; do
    have "${entry#*:}" || printf '%s ' "${entry%%:*}"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

# need TOOLS...: installs the packages that are missing; costs milliseconds when none is.
need() {
  local packages
  # shellcheck disable=SC2068  # each argument is a list of words
  packages=$(missing_packages $@)
  [ -n "$packages" ] || return 0
  if ! command -v apt-get >/dev/null; then
    die "These are missing; please install them (the names are Debian's): $packages"
  fi
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    die "These packages are missing, and installing them needs root: $packages
  apt-get install $packages"
  fi
  # shellcheck disable=SC2086
  step "installing $packages" apt alone apt apt_install $packages
}

install_node_modules() {
  local stamp=node_modules/.z0-installed sum
  sum=$(cksum package.json package-lock.json)
  [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ] || return 0
  npm ci || return 1
  printf '%s\n' "$sum" >"$stamp"
}

# node, npm and what package.json names. The system's node only has to be able to run npm.
need_node() {
  need "$tools_node"
  local sum
  sum=$(cksum package.json package-lock.json)
  [ "$(cat node_modules/.z0-installed 2>/dev/null)" != "$sum" ] || return 0
  step "npm packages" npm alone npm install_node_modules
}

# -- building ---------------------------------------------------------------------------------------

jobs=$(nproc 2>/dev/null || echo 2)

configure_and_build() {
  local preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" || return 1
  cmake --build --preset "$preset" -j "$jobs" "$@"
}

# build PRESET [--target ...]: configures where that was not done yet, then builds.
build() {
  local preset=$1
  if [ "$preset" = wasm ] && [ -z "${Z0_EMSCRIPTEN_ROOT:-}" ]; then
    Z0_EMSCRIPTEN_ROOT=$(em-config EMSCRIPTEN_ROOT)
    export Z0_EMSCRIPTEN_ROOT
  fi
  log "build-$preset" alone "build-$preset" configure_and_build "$@"
}

# -- counting ---------------------------------------------------------------------------------------

passed=0 failed=0

# What a log says about itself, as "PASSED FAILED": the last line of our own scripts, the summary of
# node:test, the summary of Catch2. Nothing when it says nothing, which is how a crash looks.
counts_of() {
  awk '
    { gsub(/\033\[[0-9;]*m/, "") }
    /^[0-9]+ passed, [0-9]+ failed$/ { p = $1; f = $3; known = 1 }
    /^(#|ℹ) pass [0-9]+$/ { p = $3; known = 1 }
    /^(#|ℹ) (fail|cancelled) [0-9]+$/ { f += $3; known = 1 }
    /^All tests passed \([0-9]+ assertions? in [0-9]+ test cases?\)/ { p = $(NF - 2); f = 0; known = 1 }
    /^test cases: / {
      known = 1
      n = split($0, parts, "|")
      for (i = 2; i <= n; i++) {
        split(parts[i], word, " ")
        if (parts[i] ~ / passed/) p = word[1]
        else if (parts[i] ~ / failed *$/) f = word[1]
      }
    }
    END { if (known) print p + 0, f + 0 }' "$1"
}

# run_suite NAME COMMAND...: runs it, and leaves its log and, beside that, its code and its seconds.
run_suite() {
  local name=$1 began=$SECONDS code=0 file=$log_dir/$1.log
  shift
  "$@" >"$file" 2>&1 </dev/null || code=$?
  printf '%d %d\n' "$code" $((SECONDS - began)) >"$log_dir/$name.result"
}

# report_suite NAME: adds up what its log counts, and shows it. A command that fails without saying how
# many failed counts as one failed, and one that left no result, too.
report_suite() {
  local name=$1 p=0 f=0 code=1 seconds=0 file=$log_dir/$1.log counted
  [ ! -e "$log_dir/$name.result" ] || read -r code seconds <"$log_dir/$name.result"
  rm -f "$log_dir/$name.result"
  counted=$(counts_of "$file")
  if [ -n "$counted" ]; then
    read -r p f <<<"$counted"
  elif [ "$code" = 0 ]; then
    p=1
  fi
  [ "$code" = 0 ] || [ "$f" -gt 0 ] || f=1
  passed=$((passed + p)) failed=$((failed + f))
  if [ "$f" = 0 ]; then
    printf '%s%5d passed%s           (%d s)\n' "$green" "$p" "$plain" "$seconds"
    return 0
  fi
  printf '%s%5d passed, %d failed%s (%d s)\n' "$red" "$p" "$f" "$plain" "$seconds"
  tail -n 60 "$file" | cut -c1-300 | sed 's/^/    /'
  say "    the whole log: ${file#"$root"/}"
}

# suite "title" NAME COMMAND...: both, one after the other.
suite() {
  printf '%-42s ' "$1"
  run_suite "${@:2}"
  report_suite "$2"
}

# aside NAME...: runs suites in the background, one after the other, each the function suite_NAME; a second
# call runs others beside them.
# They take what the others leave idle: tests that wait for an answer are not to wait for these.
aside_pids=()
aside() {
  local name
  for name in "$@"; do rm -f "$log_dir/$name.result" "$log_dir/$name.log"; done
  (
    trap - EXIT
    renice -n 10 -p "$BASHPID" >/dev/null 2>&1 || true
    for name in "$@"; do run_suite "$name" "suite_$name"; done
  ) &
  aside_pids+=($!)
  trap 'end_all "${aside_pids[@]}"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# join "title" NAME: waits for one of them, and shows it.
join() {
  printf '%-42s ' "$1"
  # kill is content with one that lives.
  while [ ! -e "$log_dir/$2.result" ] && kill -0 "${aside_pids[@]}" 2>/dev/null; do sleep 0.2; done
  report_suite "$2"
}

# The last line of scripts/test and scripts/check, and their exit code.
finish() {
  say "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
