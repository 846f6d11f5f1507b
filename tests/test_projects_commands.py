"""Commands as argv lists."""

from __future__ import annotations

import subprocess

import pytest

from mlcore.errors import ProjectError
from mlcore.projects.commands import argv
from mlcore.projects.parameters import Argument
from mlcore.projects.spec import EntryPoint

NASTY = "a 'b' \"c\" $(d) `e` \\ ; | & * \n{f}"


def words(command: str, *extras: Argument, **values: str) -> tuple[str, ...]:
    return argv(EntryPoint("main", command), [*(Argument(name, value) for name, value in values.items()), *extras])


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python train.py {x}", ("python", "train.py", NASTY)),
        ("python train.py --x={x} '{x}' \"{x}\"", ("python", "train.py", f"--x={NASTY}", NASTY, NASTY)),
        ("python  'my file.py' a\\ b \"c \\\" d\" ''\n", ("python", "my file.py", "a b", 'c " d', "")),
        ('python -m json {{"a":1}} {x}', None),
        ("tool '{{}}' \"{{{x}}}\"", ("tool", "{}", f"{{{NASTY}}}")),
    ],
)
def test_a_command_without_shell_operators_is_split_before_values_are_put_in(
    command: str, expected: tuple[str, ...] | None
) -> None:
    found = words(command, x=NASTY)
    assert found == expected if expected else found[:2] == ("bash", "-c")


def test_an_empty_value_stays_a_word() -> None:
    assert words("run {x} y", x="") == ("run", "", "y")


def test_parameters_that_are_not_declared_are_appended() -> None:
    extra = Argument("depth", "-3; ls", declared=False)
    assert words("run {x}", extra, x="1") == ("run", "1", "--depth", "-3; ls")


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("printf '%s|' {x} && echo", f"{NASTY}|\n"),
        ("printf '%s|' \"<{x}>\" '<{x}>' $'<{x}>\\t'; true", f"<{NASTY}>|<{NASTY}>|<{NASTY}>\t|"),
        ("printf '%s|' \"$(printf '%s' {x})\" | cat", f"{NASTY}|"),
        ("f() {{ printf '%s|' {x} $1; }}; set -- p q; f {x}z", None),
        ("A={x}; printf '%s|' \"$A\" # it's {x}", f"{NASTY}|"),
        ("for i in {x} {x}; do printf '%s|' \"$i\"; done", f"{NASTY}|{NASTY}|"),
        ("export A={x}; printf '%s|' \"$A\"", f"{NASTY}|"),
        ("cat <<< {x}", f"{NASTY}\n"),
        ("cat < <(printf '%s' {x})", NASTY),
        ("printf '%s|' \\\n {x}; true", f"{NASTY}|"),
        (
            "cat <<EOF\n'{x}' \"{x}\" it's `echo 1` $(printf '%s' {x}) $'\nEOF\n",
            f"'{NASTY}' \"{NASTY}\" it's 1 {NASTY} $'\n",
        ),
        ("cat <<-A - <<'B'\n\ta\n\tA\n'$x' \\\nB\nprintf '%s|' {x}", f"'$x' \\\n{NASTY}|"),
        ("printf '%s|' \"$(cat <<EOF\n{x}.\nEOF\n)\" {x}; true", f"{NASTY}.|{NASTY}|"),
        ("cat <<EOF | cat; printf '%s|' {x}\nEO\\\nEOF \nEOF\ntrue {x}", f"EOEOF \n{NASTY}|"),
        ("echo ${{HOME:+set}} $((1 + (2))) {x} > /dev/null", ""),
    ],
)
def test_a_command_for_the_shell_gets_values_in_variables_by_their_quotes(command: str, printed: str | None) -> None:
    found = words(command, x=NASTY)
    run = subprocess.run(found, capture_output=True, text=True, check=False, timeout=30)

    assert found[:2] == ("bash", "-c")
    assert NASTY not in found[2]
    assert (run.returncode, run.stderr) == (0, "")
    if printed is not None:
        assert run.stdout == printed
    else:
        assert run.stdout.startswith(f"{NASTY}|")


def test_parameters_that_are_not_declared_are_appended_to_the_last_command_of_a_script() -> None:
    found = words("true && printf '%s|' {x}", Argument("depth", NASTY, declared=False), x="1")
    run = subprocess.run(found, capture_output=True, text=True, check=True, timeout=30)
    assert run.stdout == f"1|--depth|{NASTY}|"


@pytest.mark.parametrize("command", ["(ls)", "ls &", "if true; then ls; fi", "ls # all"])
def test_a_script_whose_end_takes_no_words_refuses_parameters_that_are_not_declared(command: str) -> None:
    with pytest.raises(
        ProjectError, match="has no parameter 'depth', and the end of its command takes no further words"
    ):
        words(command, Argument("depth", "1", declared=False))


@pytest.mark.parametrize(
    ("command", "who"),
    [
        ("bash -c 'echo {x}'", "bash"),
        ('sh -euc "echo {x}"', "sh"),
        ("bash -c -e 'echo {x}'", "bash"),
        ("cd . && /bin/sh -c 'echo {x}'", "sh"),
        ("python -c 'print(\"{x}\")'", "python"),
        ("python3.11 -u -W ignore -c \"print('{x}')\"", "python"),
        ("python -c\"print('{x}')\"", "python"),
        ("env A=1 timeout 5 python -c 'print({x})'", "python"),
        ("eval echo {x}", "eval"),
        ('true; eval "$(echo {x})"', "eval"),
        ("trap {x} EXIT", "trap"),
        ("echo $(( {x} + 1 ))", "arithmetic of the shell"),
        ("(( {x} > 1 )) || true", "arithmetic of the shell"),
        ("[[ {x} -eq 1 ]]", r"\[\["),
        ("test -v {x}", "test -v"),
        ("declare -i a={x}", "declare"),
        ("a[{x}]=1", "an index of an array"),
        ("perl -ne 'print {x}'", "perl"),
        ("awk -v a=1 '{{print {x}}}' f", "awk"),
        ("echo {x} | cat | bash", "bash"),
        ("bash <<< {x}", "bash"),
        ("bash < <(echo {x})", "bash"),
        ("source <(echo {x})", "source"),
        ("sh <(echo {x})", "sh"),
        ("$SHELL -c 'echo {x}'", "an interpreter"),
        ("xargs -I% sh -c 'echo {x}' < f", "sh"),
        ("ssh host 'echo {x}'", "ssh"),
        ("bash -euo pipefail -c 'echo {x}'", "bash"),
        ("bash -E -c 'echo {x}'", "bash"),
        ("sh -c -- 'echo {x}'", "sh"),
        ("bash -- -c {x} && bash -c{x}", "bash"),
        ("echo {x} | bash -s -- arg", "bash"),
        ("echo {x} | python3 -", "python"),
        ("python /dev/stdin <<< {x}", "python"),
        (". /dev/stdin <<< {x}", r"\."),
        ("python -Wonce -c 'print({x})'", "python"),
        ("python -W once -c 'print({x})'", "python"),
        ("python -{x} train.py", "python"),
        ("perl -MFoo::e -e 'print {x}'", "perl"),
        ("sed -E 's/a/{x}/' f", "sed"),
        ("node --title t -e 'f({x})'", "node"),
        ("su user -c 'echo {x}'", "su"),
        ("function f {{ eval {x}; }}; f", "eval"),
        ("time -p eval {x}", "eval"),
        ("for ((i = 0; i < {x}; i++)); do ls; done", "arithmetic of the shell"),
        ("a=([{x}]=1)", "an index of an array"),
        ("declare -i n; n={x}", "declare -i"),
        ("PS4={x}; set -x; ls", "the prompt of the shell"),
        ("${{PYTHON:-python}} -W once -c 'print({x})'", "an interpreter"),
        ("if true; then trap {x} EXIT; fi", "trap"),
        ("docker run image bash -lc 'echo {x}'", "bash"),
        ("x={x}; echo $((x+1))", r"'\(\(' in the script"),
        ("x={x}; if [[ $x -gt 3 ]]; then echo big; fi", r"'\[\['"),
        ("N={x}; for ((i=0;i<N;i++)); do echo $i; done", r"'\(\('"),
        ("a=({x}); echo $((a[0]))", r"'\(\('"),
        ("f() {{ echo $(($1+1)); }}; f {x}", r"'\(\('"),
        ("set -- {x}; echo $(($1))", r"'\(\('"),
        ("read v <<< {x}; echo $((v))", r"'\(\('"),
        ("echo {x} | while read v; do echo $((v)); done", r"'\(\('"),
        ("for i in {x}; do echo $((i)); done", r"'\(\('"),
        ("bash -c 'echo $(($1))' bash {x}", r"'\(\('"),
        ('v={x}; eval "$v"', "'eval'"),
        ('v={x}; trap "$v" EXIT', "'trap'"),
        ('v={x}; bash -c "$v"', "what takes variables of the script for code"),
        ('v={x}; echo "$v" | bash', "what takes variables"),
        ('v={x}; ssh host "train $v"', "what takes variables"),
        ("v={x}; let y=v", "'let'"),
        ("v={x}; printf -v $v 1", "'printf -v'"),
        ("v={x}; a[$v]=1", r"'a\[\$'"),
        ("v={x}; echo ${{a[$v]}}", r"'a\[\$'"),
        ("v={x}; echo ${{y:v}}", r"'\$\{y:v'"),
        ("v={x}; echo ${{!v}}", r"'\$\{!'"),
        ("v={x}; echo ${{v@P}}", r"'\$\{v@P'"),
        ("v={x}; $v", "the shell, as a command"),
        ("$(echo {x})", "the shell, as a command"),
        ("(echo {x}; true) | bash", "bash"),
        ("{{ echo {x}; }} | bash", "bash"),
        ("echo {x} | (true; bash)", "bash"),
        ("(bash) <<< {x}", "bash"),
        ("(bash) <<EOF\necho {x}\nEOF", "bash"),
        ("cat <<EOF | bash\necho {x}\nEOF", "bash"),
        ("python - <<EOF\nprint({x})\nEOF", "python"),
        ("make all LR={x}", "make"),
        ("timeout 5 ./ssh host 'train {x}'", "ssh"),
        ("sshpass -p y setsid ssh host {x}", "sshpass"),
        ("echo {x} | xargs -I% sh -c 'echo %'", "xargs"),
        ("xargs -I% sh -c 'echo %' <<< {x}", "xargs"),
        ("./csh -c 'echo {x}'", "csh"),
        ("pwsh -Command 'echo {x}'", "pwsh"),
        ("./sbatch --wrap 'echo {x}'", "sbatch"),
        ("sbatch --wrap='echo {x}'", "sbatch"),
        ("tmux new -d 'echo {x}'", "tmux"),
        ("sqlite3 db '.shell {x}'", "sqlite3"),
        ("tar xf a --to-command={x}", "tar"),
        ("git -c core.pager={x} log", "git"),
        ("env -S 'echo {x}'", "env"),
        ("vim -c {x} f", "vim"),
        ("octave --eval '{x}'", "octave"),
        ("matlab -batch '{x}'", "matlab"),
        ("at now <<< {x}", "at"),
    ],
)
def test_a_value_that_would_be_read_as_code_is_refused_unless_plain(command: str, who: str) -> None:
    with pytest.raises(ProjectError, match=rf"value .* of parameter 'x' would be read as code by {who}.*, where only"):
        words(command, x="1; touch canary")
    assert words(command, x="data/v1.csv")


@pytest.mark.parametrize(
    "command",
    [
        "python train.py -c {x}",
        "bash run.sh -c {x}",
        "sh -c 'echo \"$1\"' sh {x}",
        "python -m tool -c {x}",
        "python -u train.py -c {x}",
    ],
)
def test_arguments_of_a_script_are_not_taken_for_code(command: str) -> None:
    assert words(command, x=NASTY)[-1] == NASTY


@pytest.mark.parametrize(
    "command",
    [
        'NAME={x}; if [[ -n "$NAME" ]]; then printf \'%s\' "$NAME"; fi',
        "for ((i=0;i<1;i++)); do printf '%s' {x}; done",
        "set -eu; export NOTE={x}; printf '%s' \"$NOTE\"",
        "X={x} python3 -c 'import os; print(end=os.environ[\"X\"])'",
        "for f in a; do printf '%s' {x}; done; echo $((1 + 2)) > /dev/null",
        "printf '%s' {x} --mode make | head -c -10",
        "echo 1 | xargs -n1 true {x}; printf '%s' {x}",
    ],
)
def test_a_value_that_nothing_in_the_script_evaluates_can_be_any(command: str) -> None:
    run = subprocess.run(words(command, x=NASTY), capture_output=True, text=True, check=False, timeout=30)
    assert run.stdout == NASTY


def test_plain_values_reach_code_in_all_quotes() -> None:
    for command in ("bash -c 'echo {x}'", 'bash -c "echo {x}" | cat', "echo $(( {x} * 1 ))", "true; eval 'echo '{x}"):
        run = subprocess.run(words(command, x="42"), capture_output=True, text=True, check=True, timeout=30)
        assert run.stdout == "42\n"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("echo $[ {x} + 1 ]", r"within \$\[...\]"),
        ("echo ${{V:-{x}}}", r"within \$\{...\}"),
        ("cat <<'EOF'\n{x}\nEOF", "in a here-document with quotes around its delimiter: write <<EOF"),
        ("cat <<EOF\n\\{x}\nEOF", "behind a backslash"),
        ("cat <<E{x}\n1\nE1", "in the delimiter of a here-document"),
        ("cat <<EOF 'a\nb' {x}\nEOF", "after a here-document whose first line goes on"),
        ("echo \\{x}", "behind a backslash"),
        ('echo "\\{x}"', "behind a backslash"),
        ("echo $'\\{x}'", "behind a backslash"),
        ("echo '{x}", "closing ' is missing"),
        ("echo $(ls {x}", r"closing \) is missing"),
    ],
)
def test_a_parameter_where_no_value_can_be_put_is_refused_whatever_its_value(command: str, why: str) -> None:
    with pytest.raises(ProjectError, match=why):
        words(command, x="1")
