from __future__ import annotations

from streamlit_app.people.throttle import Answer, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def tried(throttle: Throttle, name: str, *, is_right: bool) -> Answer:
    return throttle.judge(name, lambda: is_right)


def test_guessing_a_name_gets_slower_and_slower_and_is_forgiven() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    seen = []
    for at, is_right in [
        (0.0, False), (0.4, True), (0.5, False), (1.4, True), (1.5, True), (2.0, False),
        (2.5, True), (3.0, False), (3.5, False), (66.0, False), (66.5, True),
    ]:  # fmt: skip
        clock.now = at
        seen.append(tried(throttle, "lina", is_right=is_right))
    wrong, soon, welcome = Answer.WRONG, Answer.TOO_SOON, Answer.WELCOME
    assert seen == [
        wrong, soon, wrong, soon, welcome, wrong, welcome, wrong, wrong, wrong, welcome,
    ]  # fmt: skip


def test_an_hour_of_guessing_one_name_is_at_most_a_few_hundred_tries() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    tries = 0
    for tick in range(36_000):
        clock.now = tick / 10
        tries += tried(throttle, "lina", is_right=False) is Answer.WRONG
    assert 400 < tries < 460


def test_a_guesser_at_one_name_locks_out_nobody_else() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(10):
        tried(throttle, "lina", is_right=False)
        clock.now += 10
    tried(throttle, "lina", is_right=False)
    assert tried(throttle, "mara", is_right=True) is Answer.TOO_SOON
    clock.now += 0.25
    assert tried(throttle, "lina", is_right=True) is Answer.TOO_SOON
    assert tried(throttle, "mara", is_right=True) is Answer.WELCOME


def test_ever_new_names_are_four_guesses_a_second_and_fill_no_memory() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    tries = 0
    for tick in range(60_000):
        clock.now = tick / 100
        tries += tried(throttle, f"name-{tick}", is_right=False) is Answer.WRONG
    assert tries <= 4 * 600
    assert len(throttle._names) < 300


def test_a_try_that_comes_too_soon_is_not_even_compared() -> None:
    throttle = Throttle(Clock())
    tried(throttle, "lina", is_right=False)

    def compare() -> bool:
        raise AssertionError

    assert throttle.judge("lina", compare) is Answer.TOO_SOON
