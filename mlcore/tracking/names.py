"""Names for runs that got none, and ids."""

from __future__ import annotations

import random
import time
import uuid

# A generator of its own: neither the user's seed nor the user's random stream is touched.
_random = random.SystemRandom()

_ADJECTIVES = (
    "able agile amber ample apt bold brave bright brisk calm candid clear clever crisp daring deft eager early exact fair "
    "fast fine firm fleet fond frank fresh gentle glad golden good grand great handy happy honest humble ideal jolly "
    "keen kind light lively loyal lucid lucky magic mellow merry mild modest neat nimble noble novel open patient plain "
    "polite prime proud quick quiet rapid rare ready regal robust rosy round sage salty sharp shiny silent simple sleek "
    "smart smooth solid spry stable steady stout sunny swift tidy tough true trusty upbeat valiant vivid warm wise witty"
).split()
_NOUNS = (
    "acorn alder ant apple ash aspen badger bat bear beaver bee birch bison bream cedar cherry cloud clover condor "
    "coral crab crane cricket crow cypress deer dolphin dove eagle eel elk elm falcon fern finch firefly fox frog "
    "gannet gecko goose grouse gull hare hawk hazel heron holly ibex ibis iris ivy jackdaw jay juniper kestrel kite koala "
    "lark laurel lemur lily linden lion lotus lynx magpie maple marten mink mole moose moss moth newt oak olive orca "
    "osprey otter owl panda pearl pine plover plum poplar puffin quail rabbit raven reed robin rook rose sage salmon "
    "seal shrew skylark snail sorrel sparrow squid stoat stork swan swift tapir teal tern thrush tiger toad trout tulip "
    "vole walnut whale willow wolf wren yak yew zebra"
).split()


def run_name() -> str:
    """Return a random name such as `calm-otter-271`."""
    return f"{_random.choice(_ADJECTIVES)}-{_random.choice(_NOUNS)}-{_random.randrange(1000)}"


def run_id() -> str:
    """Return a new run id: 32 lower-case hex digits."""
    return uuid.uuid4().hex


def now_ms() -> int:
    """Return the time in ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000
