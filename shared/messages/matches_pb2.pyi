from shared.messages import common_pb2 as _common_pb2
from shared.messages import sighting_pb2 as _sighting_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Depth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEPTH_UNSPECIFIED: _ClassVar[Depth]
    DEPTH_NONE: _ClassVar[Depth]
    DEPTH_NEIGHBOURS: _ClassVar[Depth]
    DEPTH_LIGHTGLUE: _ClassVar[Depth]
DEPTH_UNSPECIFIED: Depth
DEPTH_NONE: Depth
DEPTH_NEIGHBOURS: Depth
DEPTH_LIGHTGLUE: Depth

class Candidate(_message.Message):
    __slots__ = ("sighting_id", "enrolment_number", "viewpoint", "crop", "cosine", "mask", "votes")
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    VIEWPOINT_FIELD_NUMBER: _ClassVar[int]
    CROP_FIELD_NUMBER: _ClassVar[int]
    COSINE_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    enrolment_number: int
    viewpoint: _common_pb2.Viewpoint
    crop: _common_pb2.BlobReference
    cosine: float
    mask: _common_pb2.Mask
    votes: float
    def __init__(self, sighting_id: _Optional[str] = ..., enrolment_number: _Optional[int] = ..., viewpoint: _Optional[_Union[_common_pb2.Viewpoint, str]] = ..., crop: _Optional[_Union[_common_pb2.BlobReference, _Mapping]] = ..., cosine: _Optional[float] = ..., mask: _Optional[_Union[_common_pb2.Mask, _Mapping]] = ..., votes: _Optional[float] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("candidate", "depth", "neighbours", "neighbour_score", "matches", "confidence", "inliers", "reason", "distinctiveness", "reverse", "reverse_keypoints")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOURS_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOUR_SCORE_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INLIERS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DISTINCTIVENESS_FIELD_NUMBER: _ClassVar[int]
    REVERSE_FIELD_NUMBER: _ClassVar[int]
    REVERSE_KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    candidate: Candidate
    depth: Depth
    neighbours: int
    neighbour_score: float
    matches: int
    confidence: float
    inliers: int
    reason: str
    distinctiveness: float
    reverse: bytes
    reverse_keypoints: int
    def __init__(self, candidate: _Optional[_Union[Candidate, _Mapping]] = ..., depth: _Optional[_Union[Depth, str]] = ..., neighbours: _Optional[int] = ..., neighbour_score: _Optional[float] = ..., matches: _Optional[int] = ..., confidence: _Optional[float] = ..., inliers: _Optional[int] = ..., reason: _Optional[str] = ..., distinctiveness: _Optional[float] = ..., reverse: _Optional[bytes] = ..., reverse_keypoints: _Optional[int] = ...) -> None: ...

class Votes(_message.Message):
    __slots__ = ("keypoints", "places", "numbers", "similarities")
    KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    SIMILARITIES_FIELD_NUMBER: _ClassVar[int]
    keypoints: int
    places: int
    numbers: bytes
    similarities: bytes
    def __init__(self, keypoints: _Optional[int] = ..., places: _Optional[int] = ..., numbers: _Optional[bytes] = ..., similarities: _Optional[bytes] = ...) -> None: ...

class Matches(_message.Message):
    __slots__ = ("query", "watermark", "pass_number", "evidence", "extractor", "matcher", "incomparable", "epoch", "votes")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    PASS_NUMBER_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    EXTRACTOR_FIELD_NUMBER: _ClassVar[int]
    MATCHER_FIELD_NUMBER: _ClassVar[int]
    INCOMPARABLE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    query: _sighting_pb2.Sighting
    watermark: int
    pass_number: int
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    extractor: _common_pb2.ModelReference
    matcher: _common_pb2.ModelReference
    incomparable: str
    epoch: str
    votes: Votes
    def __init__(self, query: _Optional[_Union[_sighting_pb2.Sighting, _Mapping]] = ..., watermark: _Optional[int] = ..., pass_number: _Optional[int] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., extractor: _Optional[_Union[_common_pb2.ModelReference, _Mapping]] = ..., matcher: _Optional[_Union[_common_pb2.ModelReference, _Mapping]] = ..., incomparable: _Optional[str] = ..., epoch: _Optional[str] = ..., votes: _Optional[_Union[Votes, _Mapping]] = ...) -> None: ...
