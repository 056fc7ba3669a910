"""What the index of words holds beside what it ought to, read out of the tables anew."""

from __future__ import annotations

from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from scout.database import Database
from scout.models import Description, Job
from scout.searching import index
from scout.searching.words import folded, words_of

#: A job's id, the field, and where in it a word stands.
Place = tuple[int, str, int, str]


def assert_in_step(database: Database) -> None:
    """Fail where the index holds another word, or at another place, than the jobs do."""
    with Session(database.engine) as session:
        wanted = _wanted(session)
        if database.engine.dialect.name == "sqlite":
            assert _of_sqlite(session) == wanted
        else:
            assert _of_postgres(session) == _vectors(session, wanted)
            assert session.scalar(text("SELECT count(*) FROM stale_words")) == 0


def _wanted(session: Session) -> set[Place]:
    found: set[Place] = set()
    rows = session.execute(
        select(Job.id, Job.title, Job.company, Job.locations, Job.places, Job.department, Description.text)
        .select_from(Job)
        .outerjoin(Description)
    )
    for row in rows:
        fields = {
            "title": row.title,
            "company": row.company,
            "place": index.placed(row.locations, row.places),
            "text": f"{row.department}\n{row.text or ''}",
        }
        for name, said in fields.items():
            found.update((row.id, name, at, word) for at, word in enumerate(words_of(folded(said))))
    return found


def _of_sqlite(session: Session) -> set[Place]:
    session.execute(text("INSERT INTO job_words(job_words) VALUES ('integrity-check')"))
    session.execute(text("CREATE VIRTUAL TABLE temp.said USING fts5vocab(main, job_words, instance)"))
    rows = session.execute(text("SELECT doc, col, offset, term FROM temp.said")).all()
    session.execute(text("DROP TABLE temp.said"))
    return {(row.doc, row.col, row.offset, row.term) for row in rows}


def _vectors(session: Session, wanted: set[Place]) -> dict[int, str]:
    said: dict[int, dict[str, list[str]]] = {job_id: {} for job_id in session.scalars(select(Job.id))}
    for job_id, name, _, word in sorted(wanted, key=lambda each: (each[0], each[1], each[2])):
        said[job_id].setdefault(name, []).append(word)
    vectors = {
        job_id: index.vector(
            *(" ".join(fields.get(name, [])) for name in ("title", "company", "place", "text"))
        )
        for job_id, fields in said.items()
    }
    return {
        job_id: str(session.scalar(text("SELECT CAST(CAST(:words AS tsvector) AS text)"), {"words": vector}))
        for job_id, vector in vectors.items()
    }


def _of_postgres(session: Session) -> dict[int, str]:
    rows = session.execute(text("SELECT job_id, CAST(words AS text) AS said FROM job_words"))
    return {row.job_id: row.said for row in rows}


def is_there(database: Database) -> bool:
    """Whether the database has an index: some tests go back to before it, or take tables away."""
    tables = inspect(database.engine)
    return all(tables.has_table(each) for each in ("jobs", "descriptions", "job_words"))
