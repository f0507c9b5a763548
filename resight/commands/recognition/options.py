"""Options that several commands on labelled pictures share."""

from pathlib import Path
from typing import Annotated

import typer

ImageSize = Annotated[
    int | None,
    typer.Option(min=32, help="Input size in pixels. Default: the backbone's.", show_default=False),
]
NonCommercial = Annotated[
    bool,
    typer.Option(
        "--accept-non-commercial", help="Allow weights that are not free for commercial use."
    ),
]
SplitColumn = Annotated[
    str | None,
    typer.Option(
        help="Only rows of metadata.csv whose `split` column has this value.", show_default=False
    ),
]
Synthetic = Annotated[
    int, typer.Option("--synthetic", "--drawn", min=0, help="Synthetic animals to add.")
]
MaxFalseKnown = Annotated[
    float,
    typer.Option(
        min=0.0001,
        max=0.9999,
        help="Accepted rate of new animals called known, and of known animals given a wrong name.",
    ),
]
EvidenceCache = Annotated[Path, typer.Option(help="Cache folder for evidence.")]
ServedCalibration = Annotated[
    Path | None, typer.Option(help="Calibration file. Default: as served.", show_default=False)
]
Encoder = Annotated[str, typer.Option(help="Encoder: an ONNX file or a backbone.")]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", help="Write results as JSON to this file.", show_default=False),
]

CACHE = Path("out/cache")
ENCODER = "efficientnet_lite0"
