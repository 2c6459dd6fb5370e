# Sourced by the scripts beside it, from the checkout's root. `setup demo|test|dev` makes .venv hold what
# requirements/NAME.lock lists (each list contains the one before it) and this checkout, and does nothing when it does.
# `setup NAME DIR` does so in another environment.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() { say "$@"; exit 1; }

# Sets $python. Shims (pyenv's, say) may stand in PATH for versions that do not run, hence the trial runs.
find_python() {
    without_venv=
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-4].*/bin/python}; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || continue
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
        without_venv=${without_venv:-$python}
    done
    [ -z "$without_venv" ] || fail "$without_venv lacks the modules venv and ensurepip. On Debian and Ubuntu:" \
        "apt install $("$without_venv" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fail "no Python 3.11, 3.12, 3.13 or 3.14 found${PYTHON:+ in PYTHON=$PYTHON}." \
        "Install one, or name it: PYTHON=/path/to/python $0"
}

# What the environment depends on, as one line. The place counts: an environment cannot be moved.
fingerprint() {
    { pwd; "$venv/bin/python" -V; cat "requirements/$1.lock" pyproject.toml scripts/_setup.sh; } 2>&1 | cksum
}

pip_install() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" || fail "pip failed, see above." \
        "It needs the network, or a mirror of the Python package index (PIP_INDEX_URL), the first time."
}

setup() {
    venv=${2:-.venv}
    for name in dev test demo "$1"; do
        stamp=$venv/ready-$name
        [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$(fingerprint "$name")" ] || return 0
        [ "$name" != "$1" ] || break
    done
    start=$(date +%s)
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        find_python
        say "making $venv with $("$python" -V) ($python)"
        "$python" -m venv --clear "$venv" || fail "could not make $venv, see above"
    fi
    rm -f "$venv"/ready-*
    say "installing $(grep -c '^[a-z]' "requirements/$1.lock") packages pinned in requirements/$1.lock, and this checkout"
    pip_install --require-hashes -r "requirements/$1.lock"
    pip_install --no-deps --no-build-isolation -e .
    fingerprint "$1" >"$stamp"
    say "ready after $(($(date +%s) - start)) s"
}
