"""No value of a parameter becomes a word, an operator or code of a shell: a corpus of attacks, run by real processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mlcore.errors import ProjectError
from mlcore.projects.commands import argv
from mlcore.projects.conventions import entry_point
from mlcore.projects.parameters import Argument, checked
from mlcore.projects.project_file import load_project
from mlcore.projects.spec import EntryPoint, Parameter

# Each makes the file `canary` where a shell, bash's arithmetic, Python, Perl, awk or sed reads it as code.
CORPUS = [
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "& touch canary &",
    "&& touch canary #",
    "|| touch canary",
    "| touch canary",
    "\ntouch canary\n",
    "\r\ntouch canary",
    "'; touch canary; '",
    '"; touch canary; "',
    "'\"; touch canary; \"'",
    '"$(touch canary)"',
    "'\"$(touch canary)\"'",
    "'$(touch canary)'",
    "\\'; touch canary; \\'",
    '\\"; touch canary; \\"',
    "\\",
    "x\\\n; touch canary",
    "${IFS}touch${IFS}canary",
    "$((a[$(touch canary)]))",
    "a[$(touch canary)]",
    "x[$(touch canary)]=1",
    "<(touch canary)",
    "> canary",
    ">canary",
    "2>canary 1>canary",
    "canary\n>canary",
    "${x:=$(touch canary)}",
    "$'\\x60touch canary\\x60'",
    "*",
    "~",
    "{a,b}",
    "!!",
    "#",
    "-rf",
    "--help",
    "-c touch canary",
    "{x}",
    "{{x}}",
    "%s%n",
    "A=1",
    "",
    " ",
    "\t",
    "\x01\x1b[31m\x7f",
    "é\u2028\U0001f600",
    "__import__('os').system('touch canary')",
    "'); __import__('os').system('touch canary') #",
    "\"); __import__('os').system('touch canary') #",
    "`touch canary`.so",
    'system("touch canary")',
    "s/a/touch canary/e",
    "$0$1$@$*",
    "${__mlcore_1}",
    "EOF\ntouch canary\nEOF",
    "})); touch canary; ((",
    "@(touch canary)",
]

# Commands that write the value, and nothing else, to their output.
CONTEXTS = {
    "a word of its own": "/usr/bin/printf %s {x}",
    "in double quotes": '/usr/bin/printf %s "{x}"',
    "in single quotes": "/usr/bin/printf %s '{x}'",
    "before an operator": "printf %s {x} && true",
    "in double quotes of a script": 'true; printf %s "{x}"',
    "in single quotes of a script": "true; printf %s '{x}'",
    "in quotes of the C kind": "true; printf %s $'{x}'",
    "in a substitution": 'v="$(printf %s_ {x})"; printf %s "${{v%_}}"',
    "in quotes in a substitution in quotes": "printf %s \"$(printf %s_ '{x}' | cat)\" | head -c -1",
    "in several lines": "# it's {x}\nif true; then\n  printf %s \\\n    {x}\nfi",
    "in a function": "f() {{ printf %s {x}; }}\nset -- 1 2\nf 3",
    "exported": 'export V="{x}"; printenv V | head -c -1',
    "as a word of a nested shell": "bash -c 'printf %s \"$1\"' bash {x}",
    "in a test": "[ {x} = {x} ] && printf %s {x}",
    "in a here-document": "cat <<EOF | head -c -1\n{x}\nEOF",
    "in a case": "case {x} in {x}) printf %s {x} ;; esac",
}

# Where the value would be read as code: each is refused, unless it is plain.
CODE = [
    "bash -c 'printf %s {x}'",
    'sh -c "printf %s {x}"',
    "sh -c \"printf %s '{x}'\" && true",
    "python3 -c 'print(\"{x}\")'",
    "eval {x}",
    "true; eval 'printf %s '{x}",
    "printf %s $(( {x} ))",
    "[[ {x} -gt 3 ]]",
    "let v={x}",
    "trap {x} EXIT; true",
    "printf %s {x} | sh",
    "awk 'BEGIN {{ print \"{x}\" }}'",
    "sed 's/a/{x}/' /dev/null",
    "perl -e 'print \"{x}\"'",
    "unset {x}; true",
    "x={x}; echo $((x+1))",
    "x={x}; if [[ $x -gt 3 ]]; then true; fi",
    "N={x}; for ((i=0;i<N;i++)); do break; done",
    "echo {x} | xargs -I% sh -c 'echo %'",
    "make -s -f /dev/null LR={x}",
    "bash <<EOF\nprintf %s {x}\nEOF",
    "declare {x}; true",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty directory, in which a canary would be seen."""
    made = tmp_path / "work"
    made.mkdir()
    return made


def run(words: tuple[str, ...], folder: Path) -> bytes:
    return subprocess.run(
        words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    ).stdout


def test_the_corpus_bites_where_values_are_put_into_the_text_of_a_script(folder: Path) -> None:
    executed = 0
    for value in CORPUS:
        for script in (f"printf %s {value}", f'printf %s "{value}"', f"printf %s '{value}'", f"[[ {value!r} -gt 3 ]]"):
            run(("bash", "-c", script), folder)
            executed += (folder / "canary").exists()
            (folder / "canary").unlink(missing_ok=True)
    assert executed > 30


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_attack_arrives_as_the_text_that_it_is(context: str, folder: Path) -> None:
    entry = EntryPoint("main", CONTEXTS[context], (Parameter("x"),))

    for value in CORPUS:
        written = run(argv(entry, checked(entry, {"x": value})), folder)

        assert (value, written) == (value, value.encode())
        assert not list(folder.iterdir()), f"{value!r} was executed"


@pytest.mark.parametrize("command", CODE)
def test_every_attack_is_refused_where_it_would_be_read_as_code(command: str, folder: Path) -> None:
    entry = EntryPoint("main", command, (Parameter("x"),))
    refused = 0

    for value in CORPUS:
        try:
            words = argv(entry, checked(entry, {"x": value}))
        except ProjectError as err:
            refused += "parameter 'x' would be read as code by" in str(err)
        else:
            run(words, folder)
        assert not list(folder.iterdir()), f"{value!r} was executed"
    assert refused > len(CORPUS) * 0.8


@pytest.mark.parametrize("command", ["/usr/bin/printf '%s|'", "true && printf '%s|'"])
def test_values_of_parameters_that_are_not_declared_arrive_as_text(command: str, folder: Path) -> None:
    entry = EntryPoint("main", command)

    for value in CORPUS:
        assert (
            run(argv(entry, checked(entry, {"$(touch,canary)": value})), folder)
            == f"--$(touch,canary)|{value}|".encode()
        )
        assert not list(folder.iterdir()), f"{value!r} was executed"


def test_names_of_scripts_are_words_too(folder: Path) -> None:
    names = [f"{value}.{suffix}" for value in CORPUS if value and "/" not in value for suffix in ("sh", "py")]
    for name in names:
        (folder / name).write_text("echo ran" if name.endswith("sh") else "print('ran')")
    project = load_project(folder)

    for name in names[:40:2] + names[1:8:2]:
        assert run(argv(entry_point(project, name), ()), folder) == b"ran\n", name

    assert not (folder / "canary").exists()


def test_values_do_not_reach_the_environment_of_the_command(folder: Path) -> None:
    entry = EntryPoint("main", "true; env", (Parameter("x"),))
    assert b"secret-value" not in run(argv(entry, [Argument("x", "secret-value")]), folder)
