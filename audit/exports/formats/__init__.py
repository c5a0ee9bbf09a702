"""The formats of an export: a module each, named in one table."""

from audit.exports.formats import cef, csv, jsonl, ocsf
from audit.exports.formats.base import Format

FORMATS: dict[str, type[Format]] = {
    format.key: format for format in (csv.Csv, jsonl.JsonLines, cef.Cef, ocsf.Ocsf)
}
