"""The demo's training: what reps may be certified in, which industries ask for it, and who is taught it."""

from typing import Any

from deploy.demo.client import Service

# Code, industry that asks for it, months it is valid, courses with the score that passes them.
_SUBJECTS: tuple[tuple[str, str, int, tuple[tuple[str, str, int], ...]], ...] = (
    (
        "health-privacy",
        "health",
        12,
        (("patient-data", "Handling patient data", 80), ("clinic-buying", "How clinics buy", 0)),
    ),
    ("finance-conduct", "finance", 24, (("fair-advice", "Fair advice", 75),)),
    ("energy-safety", "energy", 12, (("site-safety", "Safety on site", 90),)),
)


def open_school(collab: Service) -> None:
    """Lay down certifications, requirements and programmes, those that are missing."""
    taught = {programme["grants"] for programme in collab.pages("/v1/programmes")}
    for code, industry, months, courses in _SUBJECTS:
        if collab.find(f"/v1/certifications/{code}") is None:
            collab.post("/v1/certifications", _certification(code, industry, months))
        _require(collab, f"/v1/skill-requirements/industries/{industry}", code)
        if code not in taught:
            collab.post("/v1/programmes", _programme(code, industry, courses))


def _require(collab: Service, path: str, code: str) -> None:
    if collab.find(path) is None:
        collab.send("PUT", path, body={"certification_codes": [code]})


def _certification(code: str, industry: str, months: int) -> dict[str, Any]:
    return {
        "certification_code": code,
        "name": code.replace("-", " ").capitalize(),
        "kind": "industry",
        "tag": industry,
        "validity_months": months,
        "renewal_window_days": 60,
        "grace_days": 30,
    }


def _programme(code: str, industry: str, courses: tuple[tuple[str, str, int], ...]) -> dict[str, Any]:
    return {
        "name": f"{code.replace('-', ' ').capitalize()}: the course",
        "grants": code,
        "courses": [
            {"code": course, "title": title, "mastery_score": score} for course, title, score in courses
        ],
        "enrols": {"industries": [industry], "on_expiry": True},
        "due_days": 45,
    }
