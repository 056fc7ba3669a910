"""The page that ours is measured beside: the same jobs out of the same database, in as little as Flask needs.

One view, the same query of the same rows with their listings as objects, a plain template with the same
facts of each job: score, title, company, places, remote, pay, age, reasons, boards. The template is compiled
once and escapes, as Flask's files of templates do, and the database is opened as ours is. No session, no
walls, no counts, no filters, no forms, no drawings: what is missing is what our page is for.
"""

from __future__ import annotations

from flask import Flask, render_template
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from scout import settings as scout_settings
from scout.database import Database
from scout.models import Job, Listing, Source, Status

_PAGE = """<!doctype html><title>Jobs</title>
{% for job in jobs %}<article><p>{{ job.score }}</p><h2><a href="/jobs/{{ job.id }}">{{ job.title }}</a></h2>
<p><strong>{{ job.company }}</strong>{% for place in job.locations %} <span>{{ place }}</span>{% endfor %}
{{ job.remote.value }} {% if job.salary %}{{ job.salary.minimum }} to {{ job.salary.maximum }}
{{ job.salary.currency }}{% endif %} <time>{{ job.posted_at or job.first_seen_at }}</time></p>
<p>{% for reason in job.reasons %}{{ reason.term }} {{ reason.where }} {% endfor %}</p>
<p>{% for listing in job.listings %}{{ listing.source.name }} {% endfor %}</p></article>{% endfor %}"""


def create_app() -> Flask:
    """The application. It opens the database at its first request, in each worker anew."""
    app = Flask(__name__)
    opened: list[Database] = []
    page = app.jinja_env.from_string(_PAGE)  # compiled once, as a file of templates is

    @app.get("/")
    def index() -> str:
        if not opened:
            opened.append(Database.open(scout_settings.load()))
        with opened[0].reading() as session:
            jobs = session.scalars(
                select(Job)
                .where(Job.status == Status.NEW)
                .order_by(Job.score.desc(), Job.id.desc())
                .limit(50)
                .options(
                    selectinload(Job.listings)
                    .joinedload(Listing.source, innerjoin=True)
                    .load_only(Source.slug, Source.name, Source.listed_at)
                )
            ).all()
            return render_template(page, jobs=jobs)

    return app
