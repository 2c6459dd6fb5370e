# Sourced by scripts that take programs out of Debian packages without installing anything (no root needed).
# `unpack_packages SUITE DIR PACKAGE...` does it. The packages come from the Debian mirror that this machine's APT uses,
# and APT checks them.

say() { echo "${0##*/}: $*" >&2; }
fail() {
    say "$@"
    exit 1
}

# APT works in a folder of its own, so that the machine's package lists stay as they are.
private_apt() {
    apt-get -qq \
        -o Dir::Etc::SourceList="$work/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" \
        -o Dir::Cache::archives="$work/archives" \
        -o Dir::Cache::pkgcache= \
        -o Dir::Cache::srcpkgcache= \
        -o APT::Sandbox::User= \
        -o Acquire::Retries=3 \
        "$@" >&2
}

unpack_packages() {
    local suite=$1 target=$2 tool mirror keyring pause package
    shift 2
    for tool in apt-get dpkg-deb; do
        command -v "$tool" >/dev/null || fail "needs $tool, which Debian and its relatives have"
    done
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 -E '/debian/?$' || true)
    [ -n "$mirror" ] || fail "APT on this machine knows no Debian mirror (an address that ends in /debian)"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] || fail "$keyring is missing: install the package debian-archive-keyring"

    work=$(mktemp -d "$target/.fetch.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/archives/partial"
    echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
    fetch() {
        say "reading the package list of $suite"
        private_apt update --error-on=any || return 1
        say "fetching $*"
        (cd "$work" && private_apt download "$@")
    }
    # A mirror may be between two states, or out of breath, for a moment.
    for pause in 5 20 0; do
        fetch "$@" && break
        [ "$pause" != 0 ] || fail "the mirror did not give the packages (see above)"
        say "once more in $pause s"
        sleep "$pause"
    done
    for package in "$work"/*.deb; do
        dpkg-deb --extract "$package" "$target"
    done
}
