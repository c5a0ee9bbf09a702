"""The one exception of the SCIM engine, and a constructor for each scimType it uses."""

from django_scim.exceptions import SCIMException  # type: ignore[import-untyped, unused-ignore]

SHOWN_CHARACTERS = 80


class ScimError(SCIMException):  # type: ignore[misc, unused-ignore]
    """An answer of RFC 7644 §3.12: `detail` is a sentence, `status` a JSON string in the body."""

    detail: str
    scim_type: str

    def __init__(self, detail: str, status: int = 400, scim_type: str = "") -> None:
        super().__init__(detail, status=status, scim_type=scim_type)
        self.http_status = status
        self.scim_type = scim_type

    def to_dict(self) -> dict[str, object]:
        """Return the body of the answer, ready for JSON."""
        body: dict[str, object] = super().to_dict()
        return body | {"status": str(self.http_status)}


class UnknownCustomAttribute(ScimError):
    """A custom attribute that the administrator has not defined: its detail says where to do so."""

    def __init__(self, name: str, scim_type: str) -> None:
        super().__init__(
            f"The custom attribute {shown(name)} is not defined. An administrator defines custom "
            "attributes in the portal under «Administración › Identidad › Atributos» "
            "(Administration › Identity › Attributes).",
            scim_type=scim_type,
        )


class TooLong(ScimError):
    """A string past its limit of characters."""

    def __init__(self, name: str, limit: int) -> None:
        super().__init__(
            f"{name} is too long: at most {limit} characters are allowed.",
            scim_type="invalidValue",
        )


def shown(text: str) -> str:
    """Return `text` in quotes for a detail, cut to a length a person reads."""
    cut = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return f"'{cut}'"


def kind(value: object) -> str:
    """Name the JSON type of `value` as a person would: "a number", "null", …"""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"


def invalid_filter(detail: str) -> ScimError:
    return ScimError(detail, scim_type="invalidFilter")


def invalid_path(detail: str) -> ScimError:
    return ScimError(detail, scim_type="invalidPath")


def invalid_value(detail: str) -> ScimError:
    return ScimError(detail, scim_type="invalidValue")


def invalid_syntax(detail: str) -> ScimError:
    return ScimError(detail, scim_type="invalidSyntax")


def no_target(detail: str) -> ScimError:
    return ScimError(detail, scim_type="noTarget")


def mutability(detail: str) -> ScimError:
    return ScimError(detail, scim_type="mutability")


def too_many(detail: str) -> ScimError:
    return ScimError(detail, scim_type="tooMany")


def too_large(detail: str) -> ScimError:
    return ScimError(detail, status=413)
