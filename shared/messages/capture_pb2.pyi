import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shared.messages import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Capture(_message.Message):
    __slots__ = ("capture_id", "inline", "reference", "species", "population", "deployment", "sequence", "captured_at", "place", "animals", "viewpoint", "published_at", "clock_correction", "question", "identified_by")
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    SPECIES_FIELD_NUMBER: _ClassVar[int]
    POPULATION_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    ANIMALS_FIELD_NUMBER: _ClassVar[int]
    VIEWPOINT_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOCK_CORRECTION_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIED_BY_FIELD_NUMBER: _ClassVar[int]
    capture_id: str
    inline: bytes
    reference: _common_pb2.BlobReference
    species: str
    population: str
    deployment: str
    sequence: str
    captured_at: _timestamp_pb2.Timestamp
    place: _common_pb2.Place
    animals: _containers.RepeatedCompositeFieldContainer[Animal]
    viewpoint: _common_pb2.Viewpoint
    published_at: _timestamp_pb2.Timestamp
    clock_correction: _duration_pb2.Duration
    question: str
    identified_by: str
    def __init__(self, capture_id: _Optional[str] = ..., inline: _Optional[bytes] = ..., reference: _Optional[_Union[_common_pb2.BlobReference, _Mapping]] = ..., species: _Optional[str] = ..., population: _Optional[str] = ..., deployment: _Optional[str] = ..., sequence: _Optional[str] = ..., captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., place: _Optional[_Union[_common_pb2.Place, _Mapping]] = ..., animals: _Optional[_Iterable[_Union[Animal, _Mapping]]] = ..., viewpoint: _Optional[_Union[_common_pb2.Viewpoint, str]] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., clock_correction: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., question: _Optional[str] = ..., identified_by: _Optional[str] = ...) -> None: ...

class Animal(_message.Message):
    __slots__ = ("box", "viewpoint", "species", "identity")
    BOX_FIELD_NUMBER: _ClassVar[int]
    VIEWPOINT_FIELD_NUMBER: _ClassVar[int]
    SPECIES_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    box: _common_pb2.Box
    viewpoint: _common_pb2.Viewpoint
    species: str
    identity: str
    def __init__(self, box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., viewpoint: _Optional[_Union[_common_pb2.Viewpoint, str]] = ..., species: _Optional[str] = ..., identity: _Optional[str] = ...) -> None: ...
