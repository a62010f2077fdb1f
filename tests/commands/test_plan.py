"""What the plan proposes for the configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from exporter.commands.plan import _written
from exporter.config.types import Duration


@given(st.floats(0.01, 1e7))
def test_a_proposed_duration_is_one_that_the_configuration_reads(seconds):
    assert TypeAdapter(Duration).validate_python(_written(seconds)) == pytest.approx(
        seconds, rel=0.006, abs=0.001
    )
