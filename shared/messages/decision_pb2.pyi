import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shared.messages import common_pb2 as _common_pb2
from shared.messages import matches_pb2 as _matches_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_KNOWN: _ClassVar[Outcome]
    OUTCOME_NEW: _ClassVar[Outcome]
    OUTCOME_REVIEW: _ClassVar[Outcome]
    OUTCOME_UNIDENTIFIABLE: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_KNOWN: Outcome
OUTCOME_NEW: Outcome
OUTCOME_REVIEW: Outcome
OUTCOME_UNIDENTIFIABLE: Outcome

class RankedIndividual(_message.Message):
    __slots__ = ("individual", "probability", "best")
    INDIVIDUAL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    individual: str
    probability: float
    best: _matches_pb2.Evidence
    def __init__(self, individual: _Optional[str] = ..., probability: _Optional[float] = ..., best: _Optional[_Union[_matches_pb2.Evidence, _Mapping]] = ...) -> None: ...

class Thresholds(_message.Message):
    __slots__ = ("known", "new")
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    known: float
    new: float
    def __init__(self, known: _Optional[float] = ..., new: _Optional[float] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("gallery", "number", "sighting_id", "capture_id", "deployment", "sequence", "species", "viewpoint", "box", "crop", "captured_at", "published_at", "decided_at", "outcome", "individual", "probability", "ranked", "enrolment_number", "thresholds", "calibration", "models", "passes", "actor", "image_sha256", "incomparable")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SPECIES_FIELD_NUMBER: _ClassVar[int]
    VIEWPOINT_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    CROP_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    INDIVIDUAL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    RANKED_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PASSES_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SHA256_FIELD_NUMBER: _ClassVar[int]
    INCOMPARABLE_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    number: int
    sighting_id: str
    capture_id: str
    deployment: str
    sequence: str
    species: str
    viewpoint: _common_pb2.Viewpoint
    box: _common_pb2.Box
    crop: _common_pb2.BlobReference
    captured_at: _timestamp_pb2.Timestamp
    published_at: _timestamp_pb2.Timestamp
    decided_at: _timestamp_pb2.Timestamp
    outcome: Outcome
    individual: str
    probability: float
    ranked: _containers.RepeatedCompositeFieldContainer[RankedIndividual]
    enrolment_number: int
    thresholds: Thresholds
    calibration: str
    models: _containers.RepeatedCompositeFieldContainer[_common_pb2.ModelReference]
    passes: int
    actor: str
    image_sha256: str
    incomparable: str
    def __init__(self, gallery: _Optional[str] = ..., number: _Optional[int] = ..., sighting_id: _Optional[str] = ..., capture_id: _Optional[str] = ..., deployment: _Optional[str] = ..., sequence: _Optional[str] = ..., species: _Optional[str] = ..., viewpoint: _Optional[_Union[_common_pb2.Viewpoint, str]] = ..., box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., crop: _Optional[_Union[_common_pb2.BlobReference, _Mapping]] = ..., captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., individual: _Optional[str] = ..., probability: _Optional[float] = ..., ranked: _Optional[_Iterable[_Union[RankedIndividual, _Mapping]]] = ..., enrolment_number: _Optional[int] = ..., thresholds: _Optional[_Union[Thresholds, _Mapping]] = ..., calibration: _Optional[str] = ..., models: _Optional[_Iterable[_Union[_common_pb2.ModelReference, _Mapping]]] = ..., passes: _Optional[int] = ..., actor: _Optional[str] = ..., image_sha256: _Optional[str] = ..., incomparable: _Optional[str] = ...) -> None: ...
