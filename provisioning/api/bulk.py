"""/Bulk (RFC 7644 §3.7): many operations in one request, each a transaction of its own."""

import logging
import time
from typing import Any

from django.db import DatabaseError, InterfaceError
from rest_framework.request import Request
from rest_framework.response import Response

from provisioning.adapters import base_location, etag
from provisioning.api.base import ScimView, matches
from provisioning.api.endpoints import ENDPOINTS, Row
from provisioning.api.errors import scim_form
from provisioning.errors import ProvisioningError
from provisioning.log import capture
from provisioning.log.notes import Notes
from provisioning.scim import bulk
from provisioning.scim.errors import ScimError
from provisioning.scim.patch import Spent

log = logging.getLogger("alta.scim")


class Bulk(ScimView):
    """/Bulk"""

    def post(self, request: Request) -> Response:
        """Carry the operations out in an order that serves their references.

        The answer keeps the order of the request. After `failOnErrors` errors the rest is neither
        carried out nor answered.
        """
        asked = bulk.parse(self.body())
        ids: dict[str, str] = {}
        self.spent = Spent()
        answers: dict[int, dict[str, Any]] = {}
        errors = 0
        for operation in bulk.ordered(asked):
            started_ns, notes = time.perf_counter_ns(), Notes()
            answer = self.carry_out(operation, ids, notes)
            capture.note_operation(
                self.caller,
                notes,
                answer,
                operation.data,
                path=f"{base_location()}{operation.path}",
                part_of=self.notes.id,
                started_ns=started_ns,
            )
            answers[operation.index] = answer
            errors += int(answer["status"]) >= 400
            if asked.fail_on_errors and errors >= asked.fail_on_errors:
                break
        return Response(
            {
                "schemas": [bulk.RESPONSE_URN],
                "Operations": [answers[index] for index in sorted(answers)],
            }
        )

    def carry_out(
        self, operation: bulk.BulkOperation, ids: dict[str, str], notes: Notes
    ) -> dict[str, Any]:
        """Return the answer to one operation; what it makes joins `ids`."""
        answer: dict[str, Any] = {"method": operation.method}
        if operation.bulk_id:
            answer["bulkId"] = operation.bulk_id
        if (resource_id := operation.resource_id) and not operation.needs:
            answer["location"] = f"{base_location()}/{operation.endpoint}/{resource_id}"
        try:
            if operation.error is not None:
                raise operation.error
            resource_id, data = bulk.resolved(operation, ids)
            if resource_id:
                answer["location"] = f"{base_location()}/{operation.endpoint}/{resource_id}"
            row = self._done(operation, resource_id, data, notes)
        except (ScimError, ProvisioningError, DatabaseError, InterfaceError) as error:
            notes.error = error
            refusal = scim_form(error)
            if refusal is None:
                raise
            return answer | {"status": str(refusal.http_status), "response": refusal.to_dict()}
        if row is None:
            return answer | {"status": "204"}
        if operation.bulk_id:
            ids[operation.bulk_id] = str(row.pk)
        answer["location"] = f"{base_location()}/{operation.endpoint}/{row.pk}"
        status = "201" if operation.method == "POST" else "200"
        return answer | {"version": etag(row), "status": status}

    def _done(
        self, operation: bulk.BulkOperation, resource_id: str, data: Any, notes: Notes
    ) -> Row | None:
        """Carry out one operation; return its row, or None for a deletion."""
        endpoint = ENDPOINTS[operation.endpoint](self.caller, notes, self.spent)
        notes.type, notes.resource_id = endpoint.type, resource_id
        version = None
        if (wanted := operation.version) is not None:
            version = lambda number: matches(wanted, f'W/"{number}"')  # noqa: E731
        match operation.method:
            case "POST":
                return endpoint.create(data)
            case "PUT":
                return endpoint.replace(resource_id, data, version)
            case "PATCH":
                return endpoint.modify(resource_id, data, version)
            case _:
                endpoint.delete(resource_id, version)
                return None
