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

class OperationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_KIND_UNSPECIFIED: _ClassVar[OperationKind]
    OPERATION_KIND_SAME: _ClassVar[OperationKind]
    OPERATION_KIND_DIFFERENT: _ClassVar[OperationKind]
    OPERATION_KIND_MOVE: _ClassVar[OperationKind]
    OPERATION_KIND_UNDO: _ClassVar[OperationKind]
    OPERATION_KIND_CONFIRM: _ClassVar[OperationKind]
    OPERATION_KIND_UNIDENTIFIABLE: _ClassVar[OperationKind]
    OPERATION_KIND_MERGE: _ClassVar[OperationKind]
    OPERATION_KIND_TELL_APART: _ClassVar[OperationKind]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_KNOWN: Outcome
OUTCOME_NEW: Outcome
OUTCOME_REVIEW: Outcome
OUTCOME_UNIDENTIFIABLE: Outcome
OPERATION_KIND_UNSPECIFIED: OperationKind
OPERATION_KIND_SAME: OperationKind
OPERATION_KIND_DIFFERENT: OperationKind
OPERATION_KIND_MOVE: OperationKind
OPERATION_KIND_UNDO: OperationKind
OPERATION_KIND_CONFIRM: OperationKind
OPERATION_KIND_UNIDENTIFIABLE: OperationKind
OPERATION_KIND_MERGE: OperationKind
OPERATION_KIND_TELL_APART: OperationKind

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

class Change(_message.Message):
    __slots__ = ("individual", "into", "sightings")
    INDIVIDUAL_FIELD_NUMBER: _ClassVar[int]
    INTO_FIELD_NUMBER: _ClassVar[int]
    SIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    individual: str
    into: str
    sightings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, individual: _Optional[str] = ..., into: _Optional[str] = ..., sightings: _Optional[_Iterable[str]] = ...) -> None: ...

class Constraint(_message.Message):
    __slots__ = ("one", "other", "same", "lifted")
    ONE_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    SAME_FIELD_NUMBER: _ClassVar[int]
    LIFTED_FIELD_NUMBER: _ClassVar[int]
    one: str
    other: str
    same: bool
    lifted: bool
    def __init__(self, one: _Optional[str] = ..., other: _Optional[str] = ..., same: _Optional[bool] = ..., lifted: _Optional[bool] = ...) -> None: ...

class Operation(_message.Message):
    __slots__ = ("id", "kind", "sightings", "constraints", "moved", "undoes", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    UNDOES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: OperationKind
    sightings: _containers.RepeatedScalarFieldContainer[str]
    constraints: _containers.RepeatedCompositeFieldContainer[Constraint]
    moved: _containers.RepeatedCompositeFieldContainer[Change]
    undoes: int
    reason: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[OperationKind, str]] = ..., sightings: _Optional[_Iterable[str]] = ..., constraints: _Optional[_Iterable[_Union[Constraint, _Mapping]]] = ..., moved: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., undoes: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("gallery", "number", "sighting_id", "capture_id", "deployment", "sequence", "species", "viewpoint", "box", "crop", "captured_at", "published_at", "decided_at", "outcome", "individual", "probability", "ranked", "enrolment_number", "thresholds", "calibration", "models", "passes", "actor", "image_sha256", "incomparable", "changes", "known_by", "operation", "identity", "epoch")
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
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    KNOWN_BY_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
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
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    known_by: _containers.RepeatedScalarFieldContainer[str]
    operation: Operation
    identity: str
    epoch: str
    def __init__(self, gallery: _Optional[str] = ..., number: _Optional[int] = ..., sighting_id: _Optional[str] = ..., capture_id: _Optional[str] = ..., deployment: _Optional[str] = ..., sequence: _Optional[str] = ..., species: _Optional[str] = ..., viewpoint: _Optional[_Union[_common_pb2.Viewpoint, str]] = ..., box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., crop: _Optional[_Union[_common_pb2.BlobReference, _Mapping]] = ..., captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., individual: _Optional[str] = ..., probability: _Optional[float] = ..., ranked: _Optional[_Iterable[_Union[RankedIndividual, _Mapping]]] = ..., enrolment_number: _Optional[int] = ..., thresholds: _Optional[_Union[Thresholds, _Mapping]] = ..., calibration: _Optional[str] = ..., models: _Optional[_Iterable[_Union[_common_pb2.ModelReference, _Mapping]]] = ..., passes: _Optional[int] = ..., actor: _Optional[str] = ..., image_sha256: _Optional[str] = ..., incomparable: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., known_by: _Optional[_Iterable[str]] = ..., operation: _Optional[_Union[Operation, _Mapping]] = ..., identity: _Optional[str] = ..., epoch: _Optional[str] = ...) -> None: ...
