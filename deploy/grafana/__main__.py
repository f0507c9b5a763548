"""Write the boards' JSON: `python -m deploy.grafana`."""

from pathlib import Path

from deploy.grafana.boards import BOARDS, as_json

FOLDER = Path(__file__).with_name("dashboards")

if __name__ == "__main__":
    for board in BOARDS:
        FOLDER.joinpath(f"{board.uid}.json").write_text(as_json(board))
