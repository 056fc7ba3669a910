"""Notes: what the owner writes about a job."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Response
from pydantic import AwareDatetime, Field

from scout import clock, jobs
from scout.models import Note
from scout.tokens import Scope
from webapp.api import answers, shapes
from webapp.api.operation import Resource
from webapp.api.shapes import Given, Id, JobPath, Taken
from webapp.parts import parts

api = Resource("notes", "Notes: what the owner writes about a job.")


class Notes(Given):
    """A job's notes, oldest first."""

    items: list[shapes.Note]


class NewNote(Taken):
    """A note."""

    body: str = Field(min_length=1, max_length=shapes.LONGEST_NOTE, description="What it says.",
                      examples=["They pay for moving."])  # fmt: skip


class ChangedNote(NewNote):
    """A note as it is to be."""

    was: AwareDatetime | None = Field(
        None, description="The `updated_at` that was seen; written anew since, it is not overwritten."
    )


class NotePath(JobPath):
    """A note of a job."""

    note_id: Id = Field(description="The note's number.")


def _told(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "body": note.body,
        "created_at": clock.iso(note.created_at),
        "updated_at": clock.iso(note.updated_at),
    }


@api.operation("GET", "/jobs/<int:job_id>/notes", scope=Scope.JOBS_READ, answer=Notes, refuses=("not-found",))
def list_notes(path: JobPath) -> Response:
    """List a job's notes."""
    with parts().database.reading() as db:
        return answers.say({"items": [_told(note) for note in jobs.get(db, path.job_id).notes]})


@api.operation(
    "POST",
    "/jobs/<int:job_id>/notes",
    scope=Scope.JOBS_WRITE,
    answer=shapes.Note,
    status=201,
    refuses=("not-found",),
    does="Wrote a note",
)
def add_note(path: JobPath, body: NewNote) -> Response:
    """Keep a note."""
    with parts().database.session() as db:
        note = jobs.add_note(db, path.job_id, body.body)
    return answers.created(_told(note), f"/api/v1/jobs/{path.job_id}/notes/{note.id}")


@api.operation(
    "PUT",
    "/jobs/<int:job_id>/notes/<int:note_id>",
    scope=Scope.JOBS_WRITE,
    answer=shapes.Note,
    refuses=("not-found", "changed-meanwhile"),
    does="Changed a note",
)
def edit_note(path: NotePath, body: ChangedNote) -> Response:
    """Write a note anew."""
    was: dt.datetime | None = body.was
    with parts().database.session() as db:
        note = jobs.edit_note(db, path.job_id, path.note_id, body.body, was=was)
    return answers.say(_told(note))


@api.operation(
    "DELETE",
    "/jobs/<int:job_id>/notes/<int:note_id>",
    scope=Scope.JOBS_WRITE,
    answer=None,
    status=204,
    does="Deleted a note",
)
def delete_note(path: NotePath) -> Response:
    """Throw a note away. One that is gone already is no error."""
    with parts().database.session() as db:
        jobs.delete_note(db, path.job_id, path.note_id)
    return answers.nothing()
