from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Viewpoint(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIEWPOINT_UNSPECIFIED: _ClassVar[Viewpoint]
    VIEWPOINT_LEFT: _ClassVar[Viewpoint]
    VIEWPOINT_RIGHT: _ClassVar[Viewpoint]
    VIEWPOINT_FRONT: _ClassVar[Viewpoint]
    VIEWPOINT_BACK: _ClassVar[Viewpoint]
    VIEWPOINT_TOP: _ClassVar[Viewpoint]
VIEWPOINT_UNSPECIFIED: Viewpoint
VIEWPOINT_LEFT: Viewpoint
VIEWPOINT_RIGHT: Viewpoint
VIEWPOINT_FRONT: Viewpoint
VIEWPOINT_BACK: Viewpoint
VIEWPOINT_TOP: Viewpoint

class BlobReference(_message.Message):
    __slots__ = ("key", "sha256", "size")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    key: str
    sha256: str
    size: int
    def __init__(self, key: _Optional[str] = ..., sha256: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class Mask(_message.Message):
    __slots__ = ("image", "unused", "finder")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    UNUSED_FIELD_NUMBER: _ClassVar[int]
    FINDER_FIELD_NUMBER: _ClassVar[int]
    image: BlobReference
    unused: str
    finder: str
    def __init__(self, image: _Optional[_Union[BlobReference, _Mapping]] = ..., unused: _Optional[str] = ..., finder: _Optional[str] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("x", "y", "width", "height")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    width: float
    height: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., width: _Optional[float] = ..., height: _Optional[float] = ...) -> None: ...

class Place(_message.Message):
    __slots__ = ("latitude", "longitude")
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    latitude: float
    longitude: float
    def __init__(self, latitude: _Optional[float] = ..., longitude: _Optional[float] = ...) -> None: ...

class ModelReference(_message.Message):
    __slots__ = ("name", "version", "preprocessing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PREPROCESSING_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    preprocessing: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., preprocessing: _Optional[str] = ...) -> None: ...

class Embedding(_message.Message):
    __slots__ = ("model", "values")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    model: ModelReference
    values: bytes
    def __init__(self, model: _Optional[_Union[ModelReference, _Mapping]] = ..., values: _Optional[bytes] = ...) -> None: ...
