from shared.messages import common_pb2 as _common_pb2
from shared.messages import matches_pb2 as _matches_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Shown(_message.Message):
    __slots__ = ("crop", "mask")
    CROP_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    crop: _common_pb2.BlobReference
    mask: _common_pb2.Mask
    def __init__(self, crop: _Optional[_Union[_common_pb2.BlobReference, _Mapping]] = ..., mask: _Optional[_Union[_common_pb2.Mask, _Mapping]] = ...) -> None: ...

class PairQuestion(_message.Message):
    __slots__ = ("one", "other")
    ONE_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    one: Shown
    other: Shown
    def __init__(self, one: _Optional[_Union[Shown, _Mapping]] = ..., other: _Optional[_Union[Shown, _Mapping]] = ...) -> None: ...

class PairMatch(_message.Message):
    __slots__ = ("x", "y", "other_x", "other_y", "confidence", "inlier", "counts")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    OTHER_X_FIELD_NUMBER: _ClassVar[int]
    OTHER_Y_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INLIER_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    other_x: float
    other_y: float
    confidence: float
    inlier: bool
    counts: bool
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., other_x: _Optional[float] = ..., other_y: _Optional[float] = ..., confidence: _Optional[float] = ..., inlier: _Optional[bool] = ..., counts: _Optional[bool] = ...) -> None: ...

class PairMatches(_message.Message):
    __slots__ = ("matches", "evidence", "summary")
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedCompositeFieldContainer[PairMatch]
    evidence: _matches_pb2.Evidence
    summary: str
    def __init__(self, matches: _Optional[_Iterable[_Union[PairMatch, _Mapping]]] = ..., evidence: _Optional[_Union[_matches_pb2.Evidence, _Mapping]] = ..., summary: _Optional[str] = ...) -> None: ...
