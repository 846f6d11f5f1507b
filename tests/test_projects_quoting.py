"""Values keep what they are in every mixture of quotes, substitutions and compound commands that a script can have."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from mlcore.projects.commands import argv
from mlcore.projects.parameters import Argument
from mlcore.projects.spec import EntryPoint

NASTY = "a  'b' \"c\" $(touch canary) `touch canary` \\ ; | & * [x] {y} ${HOME} #"
PLAIN = "PLAIN"


class Scripts:
    """Makes well-formed scripts that write the parameter x in one of its places or many."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def word(self, depth: int) -> str:
        return "".join(self.part(depth) for _ in range(self.random.randint(1, 3)))

    def part(self, depth: int) -> str:
        pick = self.random.choice
        forms = [
            "{x}",
            pick(["ab", "%", "a=b", "-c", "--x", "/"]),
            f"'{pick(['', 'a b', chr(92), '$', '#', ';', '$('])}{pick(['', '{x}', '{x}{x}'])}{pick(['', chr(34), '`'])}'",
            f'"{self.within(depth)}{self.within(depth)}"',
            pick(["\\ ", "\\'", '\\"', "\\\\", "\\;", "\\\n", "\\#"]),
            f"$'{pick([chr(92) + chr(39), '', chr(34)])}{{x}}'",
        ]
        return pick(forms)

    def within(self, depth: int) -> str:
        """Return what stands in double quotes."""
        texts = ["{x}", "a b", "'", "\\\\", '\\"', "\\`", "#", "$((1+2))", "${{HOME:+h}}"]
        nested = f"$({self.script(depth - 1)}\n)" if depth and self.random.random() < 0.4 else "{x}"
        return self.random.choice([*texts, nested, nested])

    def command(self, depth: int) -> str:
        plain = f"printf '<%s>' {self.word(depth)} {self.word(depth)}"
        word = self.word(depth)
        forms = [
            plain,
            f" ( {plain} )",
            f"{{{{ {plain}; }}}}",
            f"if true; then {plain}; fi",
            f"{plain} # it's a \"comment {{x}}\n",
            f"V={word}; printf '[%s]' \"$V\"",
            f"for i in {word}; do printf '%s' \"$i\"; done",
            f"f() {{{{ {plain}; }}}}; f a b",
            f"cat <<< {word}",
            f"cat < <({plain})",
        ]
        return self.random.choice(forms)

    def script(self, depth: int) -> str:
        text = self.command(depth)
        for _ in range(self.random.randint(0, 2)):
            text += "" if text.endswith("\n") else self.random.choice(["; ", " && ", " | cat; ", " || true; ", "\n"])
            text += self.command(depth)
        return text


@pytest.mark.parametrize("seed", range(40))
def test_a_script_writes_a_nasty_value_where_it_writes_a_plain_one(seed: int, tmp_path: Path) -> None:
    entry = EntryPoint("main", f"true; {Scripts(seed).script(2)}")

    def output(value: str) -> str:
        words = argv(entry, [Argument("x", value)])
        return subprocess.run(
            words,
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": "/"},
            capture_output=True,
            timeout=60,
            check=False,
        ).stdout.decode()

    assert output(NASTY) == output(PLAIN).replace(PLAIN, NASTY)
    assert not (tmp_path / "canary").exists()
