"""How often a property is tried whose examples are costly."""

from hypothesis import settings

CI = settings.get_profile("repeatable").max_examples


def examples(number):
    """So many examples in CI, and elsewhere what the profile has of its own; but five at least."""
    return settings(max_examples=max(min(5, number), number * settings().max_examples // CI))
