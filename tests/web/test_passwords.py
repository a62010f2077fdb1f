import asyncio
import threading

import bcrypt
import pytest

from exporter.web.passwords import MAX_CACHED, MAX_PENDING, BusyError, Passwords

ALICE = bcrypt.hashpw(b"open sesame", bcrypt.gensalt(4))
LONG = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))
USERS = {"alice": ALICE, "long": LONG}


@pytest.fixture
def compared(monkeypatch):
    """Every comparison, as password and hash."""
    done = []
    checkpw = bcrypt.checkpw

    def check(password, hashed):
        done.append((password, hashed))
        return checkpw(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    return done


class HeldComparisons:
    """Comparisons that last until `open` is set; only b"right" is right."""

    def __init__(self, monkeypatch):
        self.begun = threading.Event()
        self.open = threading.Event()
        self.running = 0
        self.most = 0
        self.count = 0
        monkeypatch.setattr(bcrypt, "checkpw", self)

    def __call__(self, password, _):
        self.running += 1
        self.count += 1
        self.most = max(self.most, self.running)
        self.begun.set()
        assert self.open.wait(20)
        self.running -= 1
        return password == b"right"


@pytest.fixture
def comparisons(monkeypatch):
    return HeldComparisons(monkeypatch)


def outcomes(*trials, users=USERS):
    async def ask():
        keeper = Passwords()
        return [await keeper.match(users, user, password) for user, password in trials]

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("user", "password", "outcome"),
    [
        ("alice", b"open sesame", True),
        ("alice", b"open sesame ", False),
        ("alice", b"Open Sesame", False),
        ("alice", b"", False),
        ("alice", b"open\0sesame", False),
        ("alice", b"\xff" * 5_000, False),
        ("Alice", b"open sesame", False),
        ("", b"open sesame", False),
        ("long", b"x" * 72, True),
        ("long", b"x" * 71, False),
    ],
)
def test_a_user_is_known_by_name_and_password(user, password, outcome):
    assert outcomes((user, password)) == [outcome]


def test_bcrypt_looks_at_72_bytes_as_it_does_everywhere():
    assert outcomes(("long", b"x" * 72 + b"y")) == [True]


def test_what_was_compared_once_is_not_compared_again(compared):
    right, wrong = ("alice", b"open sesame"), ("alice", b"guess")
    assert outcomes(right, wrong, right, wrong, right) == [True, False, True, False, True]
    assert len(compared) == 2


def total_cost(compared):
    """What comparisons cost together: a cost is the binary logarithm of bcrypt's rounds."""
    return sum(2 ** int(hashed[4:6]) for _, hashed in compared)


@pytest.mark.parametrize("user", ["cheap", "middling", "dear", "nobody", ""])
def test_a_refusal_is_as_much_work_for_every_name(compared, user):
    costs = {"cheap": 4, "middling": 6, "dear": 7}
    users = {name: bcrypt.hashpw(b"x", bcrypt.gensalt(cost)) for name, cost in costs.items()}
    assert outcomes((user, b"guess"), users=users) == [False]
    assert total_cost(compared) == 2**7


def test_a_name_that_nobody_has_has_nobodys_password():
    users = {"dear": bcrypt.hashpw(b"x", bcrypt.gensalt(5)), "alice": ALICE}
    assert outcomes(("nobody", b"x"), ("alice", b"x"), ("alice", b"open sesame"), users=users) == [
        False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("user", ["alice", "bob", "nobody"])
def test_after_any_change_of_users_a_refusal_is_work_again_for_every_name(compared, user):
    bob, new = (bcrypt.hashpw(b"x", bcrypt.gensalt(cost)) for cost in (5, 4))

    async def ask():
        keeper = Passwords()
        done = []
        for users in ({"alice": ALICE, "bob": bob}, {"alice": ALICE, "bob": new}, {"bob": new}):
            for _ in range(2):
                assert not await keeper.match(users, user, b"guess")
            done.append(total_cost(compared))
            compared.clear()
        return done

    assert asyncio.run(ask()) == [2**5, 2**4, 2**4]


def test_an_unknown_user_who_is_added_later_is_asked_anew():
    async def ask():
        keeper = Passwords()
        before = await keeper.match({"alice": ALICE}, "bob", b"open sesame")
        return before, await keeper.match({"bob": ALICE}, "bob", b"open sesame")

    assert asyncio.run(ask()) == (False, True)


def test_a_changed_hash_forgets_the_old_password(compared):
    async def ask():
        keeper = Passwords()
        new = bcrypt.hashpw(b"new", bcrypt.gensalt(4))
        before = await keeper.match({"alice": ALICE}, "alice", b"open sesame")
        return before, await keeper.match({"alice": new}, "alice", b"open sesame")

    assert asyncio.run(ask()) == (True, False)
    assert len(compared) == 2


def test_user_and_password_are_not_run_together():
    users = {"a": ALICE, "aopen": ALICE}
    assert outcomes(("a", b"open sesame"), ("aopen", b" sesame"), users=users) == [True, False]


def test_guesses_make_no_one_forgotten_and_no_memory_full(monkeypatch):
    compared = []

    def check(password, _):
        compared.append(password)
        return password == b"right"

    monkeypatch.setattr(bcrypt, "checkpw", check)

    async def ask():
        keeper = Passwords()
        assert await keeper.match(USERS, "alice", b"right")
        for n in range(3 * MAX_CACHED):
            assert not await keeper.match(USERS, "alice", b"%d" % n)
        assert await keeper.match(USERS, "alice", b"right")
        compared_before = len(compared)
        for n in range(2 * MAX_CACHED, 3 * MAX_CACHED):  # the newest ones are cached
            assert not await keeper.match(USERS, "alice", b"%d" % n)
        assert len(compared) == compared_before
        await keeper.match(USERS, "alice", b"%d" % (2 * MAX_CACHED - 1))  # the one before is not
        assert len(compared) == compared_before + 1

    asyncio.run(ask())
    assert compared.count(b"right") == 1


def test_nothing_that_is_kept_tells_a_password():
    async def ask():
        keeper = Passwords()
        await keeper.match(USERS, "alice", b"open sesame")
        return repr(vars(keeper))

    text = asyncio.run(ask())
    assert "sesame" not in text
    assert "alice" not in text
    assert ALICE.decode() not in text


def test_the_same_question_is_answered_for_all_at_once(comparisons):
    async def ask():
        keeper = Passwords()
        asking = [asyncio.create_task(keeper.match(USERS, "alice", b"right")) for _ in range(1000)]
        await asyncio.to_thread(comparisons.begun.wait, 20)
        comparisons.open.set()
        return await asyncio.gather(*asking)

    assert asyncio.run(ask()) == [True] * 1000
    assert comparisons.count == 1


def test_a_flood_is_turned_away_and_those_who_are_known_are_not(comparisons):
    async def ask():
        keeper = Passwords()
        comparisons.open.set()
        assert await keeper.match(USERS, "alice", b"right")
        comparisons.open.clear()
        flood = [asyncio.create_task(keeper.match(USERS, "alice", b"%d" % n)) for n in range(1000)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await keeper.match(USERS, "alice", b"right")
        refused = [each for each in flood if each.done()]
        assert len(refused) == 1000 - MAX_PENDING
        assert {type(each.exception()) for each in refused} == {BusyError}
        comparisons.open.set()
        outcomes = await asyncio.gather(*flood, return_exceptions=True)
        assert outcomes.count(False) == MAX_PENDING
        assert await keeper.match(USERS, "alice", b"later") is False

    asyncio.run(ask())
    assert comparisons.count == 1 + MAX_PENDING + 1
    assert comparisons.most == 1


def test_one_who_leaves_does_not_take_the_answer_from_the_others(comparisons):
    async def ask():
        keeper = Passwords()
        leaving, staying = (
            asyncio.create_task(keeper.match(USERS, "alice", b"right")) for _ in range(2)
        )
        await asyncio.to_thread(comparisons.begun.wait, 20)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        comparisons.open.set()
        return await staying

    assert asyncio.run(ask()) is True
