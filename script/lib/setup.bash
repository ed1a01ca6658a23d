# Shared by script/run and script/test: what has to be on the machine. Sourced, never run.
# Silent when nothing is missing; says what it does otherwise; every failure is one error and what to do about it.

# The manifest's tools version; older compilers refuse it with a much worse message.
readonly needed_swift_major=6 needed_swift_minor=2

# Linked by Storage, Identity, Ingest, Archive, Watermark and RMAP.
readonly build_packages=(libsqlite3-dev libargon2-dev zlib1g-dev libzstd-dev libqpdf-dev libturbojpeg0-dev libpng-dev librnp-dev)

# First compilation needs about 2.5 GB of objects per configuration; later ones rewrite little of it.
readonly first_build_megabytes=4000 next_build_megabytes=500

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    shift
    printf '  %s\n' "$@" >&2
    exit 2
}

say() {
    printf '==> %s\n' "$*" >&2
}

# Answers --help with the comment at the head of the script, before anything is installed or built.
answer_help() {
    local argument
    for argument; do
        [[ $argument == --help || $argument == -h ]] || continue
        awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
        exit 0
    done
}

require_debian() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null && return
    fail "this is not a Debian-like system (no dpkg, no apt-get)" \
        "Install ${build_packages[*]} in your system's way, then:" \
        "swift run -c release vigie serve --data data --rules rules LOG…"
}

# Only what dpkg does not have goes to apt; with everything there apt is never called.
ensure_packages() {
    local package missing=() as_root=()
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "missing Debian packages: ${missing[*]}" \
            "There is no sudo here. As root: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing Debian packages: ${missing[*]}"
    # In runlevel 1 packages start no services (invoke-rc.d(8)): tests start what they need themselves, on ports of their own.
    local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends)
    install+=("${missing[@]}")
    # Usually the package lists are missing or old; after an update a failure speaks for itself.
    "${install[@]}" >/dev/null 2>&1 && return
    "${as_root[@]}" apt-get update -qq >&2 || fail "apt-get update failed" "See its message above; is the network up?"
    "${install[@]}" >&2 || fail "could not install ${missing[*]}" "See apt-get's message above."
}

# Puts a usable swift on PATH, or explains.
ensure_swift() {
    local folder version
    if ! command -v swift >/dev/null; then
        for folder in "$HOME/.local/share/swiftly/bin" /opt/swift/usr/bin /usr/local/swift/usr/bin; do
            [[ -x $folder/swift ]] && PATH="$folder:$PATH" && break
        done
    fi
    command -v swift >/dev/null || fail "no Swift toolchain: 'swift' is not on PATH" \
        "Install Swift $needed_swift_major.$needed_swift_minor or newer: https://www.swift.org/install/linux/" \
        "If it is installed, add its usr/bin to PATH."
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
    [[ -n $version ]] || fail "$(command -v swift) does not say its version" "Run 'swift --version' to see why."
    if ((${version%.*} < needed_swift_major || (${version%.*} == needed_swift_major && ${version#*.} < needed_swift_minor))); then
        fail "Swift $version is too old (found at $(command -v swift))" \
            "Vigie needs Swift $needed_swift_major.$needed_swift_minor or newer: https://www.swift.org/install/linux/"
    fi
}

# ensure_space FOLDER MEGABYTES PURPOSE. The folder need not exist yet; its nearest existing parent is asked.
ensure_space() {
    local folder=$1 free
    while [[ ! -e $folder ]]; do folder=$(dirname -- "$folder"); done
    free=$(df --output=avail -BM -- "$folder" | tail -n 1 | tr -dc 0-9)
    ((free >= $2)) && return
    fail "not enough disk space at $folder for $3: $free MB free, $2 MB needed" "Free some space, then start again."
}

# ensure_build_space BUILD_FOLDER
ensure_build_space() {
    if [[ -d $1 ]]; then
        ensure_space "$1" "$next_build_megabytes" "the build"
    else
        ensure_space "$1" "$first_build_megabytes" "the first build"
    fi
}
