"""S-CRED: no default one, nothing kept of them, the same cost for everybody, changes that count at once."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import mlcore_auth_basic
import pytest
from argon2 import PasswordHasher
from auth_basic_town import OPERATOR, PHRASE, Clock, Town, basic, bearer, quick_authority
from mlcore_auth_basic import levels
from mlcore_auth_basic.authority import BasicAuthority
from mlcore_auth_basic.passwords import REMEMBERED_S, Passwords
from mlcore_auth_basic.settings import AuthSettings
from mlcore_auth_basic.throttle import PER_CLIENT, PER_USER, WINDOW_S

from mlcore.entities import Credentials
from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    LimitExceededError,
    SettingsError,
    UnauthenticatedError,
)


class CountingHasher(PasswordHasher):
    """A hasher that notes what it was asked to compare."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.compared: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # the name in argon2
        self.compared.append(hash)
        return bool(super().verify(hash, password))


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def counted(town: Town, hasher: CountingHasher) -> Town:
    authority = BasicAuthority(town.authority.database, AuthSettings(), town.clock, Passwords(town.clock, hasher))
    return Town(authority, town.clock)


def test_the_code_holds_no_default_secret() -> None:
    texts = [path.read_text("utf-8") for path in Path(mlcore_auth_basic.__file__).parent.glob("*.py")]

    assigned = [
        found
        for text in texts
        for found in re.findall(r"(?i)(?:password|secret|token)\w*\s*(?::\s*\w+\s*)?=\s*f?[\"'][^\"'{}]+[\"']", text)
    ]

    assert not [found for found in assigned if "bootstrap-token" not in found]
    assert not re.search(r"(?i)password1234|admin.?admin|changeme", "".join(texts))


def test_a_new_database_knows_nobody(town: Town) -> None:
    for name, word in (("admin", "admin"), ("admin", "password"), ("root", ""), ("", "")):
        with pytest.raises(UnauthenticatedError):
            town.authority.authenticate(basic(name, word))


def test_a_stored_password_is_a_hash_with_salt(town: Town, state_dir: Path) -> None:
    town.authority.administration.add_user(OPERATOR, "ada", PHRASE)
    town.authority.administration.add_user(OPERATOR, "bob", PHRASE)

    with town.authority.database.reading() as connection:
        hashes = [found for (found,) in connection.execute("SELECT password_hash FROM users")]
    files = b"".join(path.read_bytes() for path in state_dir.iterdir())

    assert all(found.startswith("$argon2id$") for found in hashes)
    assert len(set(hashes)) == 2
    assert PHRASE.encode() not in files


def test_new_hashes_cost_what_owasp_asks_for() -> None:
    made = Passwords().hash(PHRASE)

    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$", made)
    assert found is not None
    assert int(found[1]) >= 19456
    assert int(found[2]) >= 2


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "has 5 characters, expected 12 or more"),
        ("x" * 1025, "more than 1024 bytes"),
        ("ada ada ada ada", None),
        ("aaaaaaaaaaaaaa", "fewer than 4 different"),
        ("", "has 0 characters"),
        ("mlc_ and some more", "begins with 'mlc_' as API tokens do"),
    ],
)
def test_weak_passwords_are_refused_and_not_repeated(town: Town, password: str, said: str | None) -> None:
    if said is None:
        password = "Ada Long Name" if password else ""
        said = "is the user's name"

    with pytest.raises(InvalidParameterError, match=said) as refused:
        town.authority.administration.add_user(OPERATOR, "ada long name", password)

    assert not password or password not in str(refused.value)


@pytest.mark.parametrize("name", ["", " ada", "ada ", "a:b", "a\nb", "x" * 129, "__user_1__", "\u202eada"])
def test_names_that_cannot_be_sent_or_could_deceive_are_refused(town: Town, name: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"user name .* cannot be used"):
        town.authority.administration.add_user(OPERATOR, name, PHRASE)


def test_a_name_is_given_once(town: Town) -> None:
    town.authority.administration.add_user(OPERATOR, "zo\u00eb", PHRASE)

    with pytest.raises(AlreadyExistsError, match="exists already"):
        town.authority.administration.add_user(OPERATOR, unicodedata.normalize("NFD", "zo\u00eb"), PHRASE)


def test_differently_composed_characters_are_the_same_password(town: Town) -> None:
    town.authority.administration.add_user(OPERATOR, "zo\u00eb", "caf\u00e9 au lait, s'il vous pla\u00eet")

    shown = basic("zoe\u0308", unicodedata.normalize("NFD", "caf\u00e9 au lait, s'il vous pla\u00eet"))

    assert town.authority.authenticate(shown).name == "zo\u00eb"


def test_credentials_in_latin_1_are_understood(town: Town) -> None:
    import base64

    town.authority.administration.add_user(OPERATOR, "zo\u00eb", "caf\u00e9 au lait, tous les jours")
    raw = base64.b64encode("zo\u00eb:caf\u00e9 au lait, tous les jours".encode("latin-1")).decode()

    assert town.authority.authenticate(Credentials({"authorization": f"basic {raw}"})).name == "zo\u00eb"


def test_an_unknown_user_costs_as_many_comparisons_as_a_known_one(counted: Town, hasher: CountingHasher) -> None:
    counted.user("ada")

    costs = []
    for name in ("ada", "nobody"):
        hasher.compared.clear()
        with pytest.raises(UnauthenticatedError):
            counted.authority.authenticate(basic(name, "wrong, wrong, wrong"))
        costs.append([re.sub(r"\$[^$]+\$[^$]+$", "", str(each)) for each in hasher.compared])

    assert costs[0] == costs[1]
    assert len(costs[0]) == 1


def test_a_right_password_is_compared_once_in_a_while(counted: Town, hasher: CountingHasher) -> None:
    shown = counted.user("ada")

    for _ in range(5):
        counted.authority.authenticate(shown)
    once = len(hasher.compared)
    counted.clock.now += REMEMBERED_S + 1
    counted.authority.authenticate(shown)

    assert (once, len(hasher.compared)) == (1, 2)


def test_a_wrong_password_is_never_remembered(counted: Town, hasher: CountingHasher) -> None:
    shown = counted.user("ada")
    counted.authority.authenticate(shown)

    for _ in range(3):
        with pytest.raises(UnauthenticatedError):
            counted.authority.authenticate(basic("ada", "wrong, wrong, wrong"))

    assert len(hasher.compared) == 4


CHANGE = """
import sys
from pathlib import Path
from mlcore_auth_basic.cli_context import administration, operator
desk = administration(Path(sys.argv[1]))
getattr(desk, sys.argv[2])(operator(), *sys.argv[3:])
"""


@pytest.mark.parametrize("change", [("change_password", "ada", "another sentence"), ("delete_user", "ada")])
def test_a_change_by_another_process_counts_at_once(town: Town, state_dir: Path, change: tuple[str, ...]) -> None:
    shown = town.user("ada")
    town.authority.authenticate(shown)

    subprocess.run([sys.executable, "-c", CHANGE, str(state_dir), *change], check=True, timeout=60)

    with pytest.raises(UnauthenticatedError):
        town.authority.authenticate(shown)


def test_a_user_of_a_deleted_ones_name_is_somebody_else(town: Town) -> None:
    shown = town.user("ada")
    first = town.authority.authenticate(shown)
    town.token("ada")
    town.authority.administration.delete_user(OPERATOR, "ada")

    town.authority.administration.add_user(OPERATOR, "ada", "another sentence, another person", may_create=False)

    with pytest.raises(UnauthenticatedError):
        town.authority.authenticate(shown)
    assert town.authority.readable(first, levels.EXPERIMENT, ["1"]) == frozenset()


def test_hashes_of_old_costs_are_renewed_when_the_password_is_shown(town: Town, state_dir: Path) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=16, parallelism=2).hash("ada a horse, a battery")
    shown = town.user("ada")
    with town.authority.database.writing() as connection:
        connection.execute("UPDATE users SET password_hash = ?", (old,))

    town.authority.authenticate(shown)

    with town.authority.database.reading() as connection:
        found = connection.execute("SELECT password_hash FROM users").fetchone()[0]
    assert "m=8,t=1,p=1" in found
    assert town.authority.authenticate(shown).name == "ada"


def _fail(authority: BasicAuthority, name: str, client: str) -> type[Exception]:
    with pytest.raises((UnauthenticatedError, LimitExceededError)) as refused:
        authority.authenticate(basic(name, "wrong, wrong, wrong", client))
    return refused.type


def test_ten_wrong_passwords_from_one_address_are_the_last_for_a_minute(town: Town) -> None:
    shown = town.user("ada")

    answers = [_fail(town.authority, "ada", "192.0.2.1") for _ in range(PER_USER + 1)]

    assert answers == [UnauthenticatedError] * PER_USER + [LimitExceededError]
    with pytest.raises(LimitExceededError, match=r"10 wrong tries .* '192.0.2.1': try again in 60 s"):
        town.authority.authenticate(shown)
    town.clock.now += WINDOW_S
    assert town.authority.authenticate(shown).name == "ada"


def test_who_signed_in_before_is_not_held_up_by_somebody_who_guesses(town: Town) -> None:
    shown, token = town.user("ada"), town.token("ada")
    town.authority.authenticate(shown)

    for _ in range(PER_USER + 1):
        _fail(town.authority, "ada", "192.0.2.1")

    assert town.authority.authenticate(shown).name == "ada"
    assert town.authority.authenticate(token).name == "ada"
    assert town.authority.authenticate(basic("ada", f"ada {PHRASE}", "198.51.100.7")).name == "ada"


def test_trying_many_names_or_tokens_from_one_address_is_limited(town: Town) -> None:
    for n in range(PER_CLIENT // 2):
        _fail(town.authority, f"user-{n}", "192.0.2.1")
        with pytest.raises(UnauthenticatedError):
            town.authority.authenticate(bearer(f"mlc_{n}"))

    with pytest.raises(LimitExceededError):
        town.authority.authenticate(bearer("mlc_again"))
    assert _fail(town.authority, "somebody", "192.0.2.1") is LimitExceededError
    assert _fail(town.authority, "somebody", "198.51.100.7") is UnauthenticatedError


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DEFAULT_PERMISSION", "all", "expected one of none, read, edit, manage"),
        ("MAY_CREATE", "perhaps", "expected one of 1, true"),
        ("MIN_PASSWORD_LENGTH", "4", "expected a number from 8 to 128"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"MLCORE_AUTH_{name} has the value '{value}', {said}"):
        AuthSettings.load({f"MLCORE_AUTH_{name}": value})


def test_settings_come_from_the_environment() -> None:
    found = AuthSettings.load({"MLCORE_AUTH_DEFAULT_PERMISSION": "Read", "MLCORE_AUTH_MAY_CREATE": "no"})

    assert found == AuthSettings(default_permission=levels.READ, may_create=False, min_password_length=12)
    assert AuthSettings.load({}).default_permission == levels.NOTHING


def test_a_quick_authority_is_made_for_tests_only(state_dir: Path) -> None:
    assert quick_authority(state_dir, Clock()).passwords.is_outdated(Passwords().hash(PHRASE))
