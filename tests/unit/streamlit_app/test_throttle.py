from __future__ import annotations

from streamlit_app.people.throttle import LoginResult, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def tried(throttle: Throttle, name: str, *, is_right: bool) -> LoginResult:
    return throttle.attempt(name, lambda: is_right)


def test_guessing_a_name_gets_slower_and_resets_after_a_while() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    results = []
    for at, is_right in [
        (0.0, False), (0.4, True), (0.5, False), (1.4, True), (1.5, True), (2.0, False),
        (2.5, True), (3.0, False), (3.5, False), (66.0, False), (66.5, True),
    ]:  # fmt: skip
        clock.now = at
        results.append(tried(throttle, "lina", is_right=is_right))
    wrong, soon, welcome = LoginResult.WRONG, LoginResult.TOO_SOON, LoginResult.ACCEPTED
    assert results == [
        wrong, soon, wrong, soon, welcome, wrong, welcome, wrong, wrong, wrong, welcome,
    ]  # fmt: skip


def test_an_hour_of_guessing_one_name_is_at_most_a_few_hundred_tries() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    tries = 0
    for tick in range(36_000):
        clock.now = tick / 10
        tries += tried(throttle, "lina", is_right=False) is LoginResult.WRONG
    assert 400 < tries < 460


def test_guessing_one_name_does_not_lock_out_others() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(10):
        tried(throttle, "lina", is_right=False)
        clock.now += 10
    tried(throttle, "lina", is_right=False)
    assert tried(throttle, "mara", is_right=True) is LoginResult.TOO_SOON
    clock.now += 0.25
    assert tried(throttle, "lina", is_right=True) is LoginResult.TOO_SOON
    assert tried(throttle, "mara", is_right=True) is LoginResult.ACCEPTED


def test_ever_new_names_are_four_guesses_a_second_and_fill_no_memory() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    tries = 0
    for tick in range(60_000):
        clock.now = tick / 100
        tries += tried(throttle, f"name-{tick}", is_right=False) is LoginResult.WRONG
    assert tries <= 4 * 600
    assert len(throttle._names) < 300


def test_an_attempt_that_comes_too_soon_is_not_compared() -> None:
    throttle = Throttle(Clock())
    tried(throttle, "lina", is_right=False)

    def compare() -> bool:
        raise AssertionError

    assert throttle.attempt("lina", compare) is LoginResult.TOO_SOON
