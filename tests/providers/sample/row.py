# SPDX-License-Identifier: MIT
"""Writes a job as a JSearch row of one of three generations, and says what the row still shows of
it.
"""

from urllib.parse import quote

from sample.dice import Dice, hexdigest
from sample.job import label_of
from sample.place import US_CENTROID

EMPLOYMENT_2025 = {
    "FULLTIME": "Full-time",
    "PARTTIME": "Part-time",
    "CONTRACTOR": "Contractor",
    "INTERN": "Internship",
}
EMPLOYMENT_LOCAL = {
    "de": {"FULLTIME": "Vollzeit", "PARTTIME": "Teilzeit", "CONTRACTOR": "Auftragnehmer"},
    "fr": {"FULLTIME": "À plein temps", "PARTTIME": "À temps partiel", "CONTRACTOR": "Prestataire"},
    "es": {
        "FULLTIME": "Jornada completa",
        "PARTTIME": "Media jornada",
        "CONTRACTOR": "Contratista",
    },
    "it": {"FULLTIME": "A tempo pieno", "PARTTIME": "Part-time", "CONTRACTOR": "Contratto"},
}
VIA = {"en": "via", "de": "über", "fr": "via", "es": "a través de", "it": "tramite"}
JOB_ZONES = {"intern": "3", "entry": "3"}
TRACKING = "utm_campaign=google_jobs_apply&utm_source=google_jobs_apply&utm_medium=organic"
BENEFITS = ("health_insurance", "dental_coverage", "paid_time_off", "retirement_savings")


def tracked(link):
    return link + ("&" if "?" in link else "?") + TRACKING


def joined(words):
    """Full-time, Part-time, and Contractor"""
    if len(words) < 3:
        return " and ".join(words)
    return ", ".join(words[:-1]) + ", and " + words[-1]


def logo(job):
    return (
        f"https://logo.example/{hexdigest('logo', job.company.name)[:20]}.png"
        if job.company.logo
        else None
    )


def site(job):
    return f"https://{job.company.host}" if job.company.site else None


def highlights(dice, job):
    if job.pay_source != "highlights" and dice.chance(0.25):
        return {}
    parts = {
        "Qualifications": job.sections["needs"],
        "Responsibilities": job.sections["tasks"],
        "Benefits": job.sections["offers"],
    }
    if job.pay_source != "highlights" and dice.chance(0.3):
        parts.pop(dice.pick(tuple(parts)))
    return parts


def google_link(job):
    name = quote(job.job_id, safe="")
    where = f"gl={job.country}&hl={job.language}"
    return f"https://www.google.com/search?q=jobs&{where}&udm=8#vhid=vt%3D20/docid%3D{name}"


def coordinates(job):
    if job.place is None:
        return US_CENTROID
    return job.place.latitude, job.place.longitude


def pay_fields(job):
    pay = job.pay if job.pay_source == "fields" else None
    return {
        "job_min_salary": pay and pay.min,
        "job_max_salary": pay and pay.max,
        "job_salary_period": pay and pay.period,
    }


def row_2023(dice, job):
    dated = dice.chance(0.9)
    latitude, longitude = coordinates(job)
    expires = job.when.seconds + 30 * 86400 if dated and dice.chance(0.6) else None
    pay = pay_fields(job)
    row = {
        "employer_name": job.company.full,
        "employer_logo": logo(job),
        "employer_website": site(job),
        "employer_company_type": dice.pick(
            (None, "Information", "Finance", "Health Care", "Manufacturing")
        ),
        "job_publisher": job.publisher or job.company.name,
        "job_id": job.job_id,
        "job_employment_type": job.types[0],
        "job_title": job.shown_title,
        "job_apply_link": job.link(),
        "job_apply_is_direct": not job.publisher,
        "job_apply_quality_score": round(0.3 + 0.6 * dice.share(), 4),
        "job_description": job.text,
        "job_is_remote": job.flag,
        "job_posted_at_timestamp": job.when.seconds if dated else None,
        "job_posted_at_datetime_utc": job.when.iso() if dated else None,
        "job_city": job.place and job.place.city,
        "job_state": job.place and job.place.region,
        "job_country": job.country.upper(),
        "job_latitude": latitude,
        "job_longitude": longitude,
        "job_benefits": dice.some(BENEFITS, 2) if dice.chance(0.3) else None,
        "job_google_link": google_link(job),
        "job_offer_expiration_datetime_utc": None,
        "job_offer_expiration_timestamp": expires,
        "job_required_experience": {
            "no_experience_required": job.months == 0,
            "required_experience_in_months": job.months or None,
            "experience_mentioned": job.months > 0,
            "experience_preferred": False,
        },
        "job_required_skills": list(job.skills) if dice.chance(0.2) else None,
        "job_required_education": {
            "postgraduate_degree": False,
            "professional_certification": False,
            "high_school": False,
            "associates_degree": False,
            "bachelors_degree": dice.chance(0.5),
            "degree_mentioned": True,
            "degree_preferred": True,
            "professional_certification_mentioned": False,
        },
        "job_experience_in_place_of_education": dice.chance(0.3),
        **pay,
        "job_salary_currency": job.pay.currency if pay["job_min_salary"] is not None else None,
        "job_highlights": highlights(dice, job),
        "job_job_title": None,
        "job_posting_language": job.language,
        "job_onet_soc": job.role.onet,
        "job_onet_job_zone": JOB_ZONES.get(job.level, "4"),
        "job_occupational_categories": None,
        "job_naics_code": job.company.naics if dice.chance(0.3) else None,
        "job_naics_name": None,
    }
    job.types = job.types[:1]
    return (
        row,
        {"day": job.when.moment.date().isoformat()} if dated else None,
        region_of(job, "us", "ca"),
    )


def row_2025(dice, job):
    dated = dice.chance(0.5)
    latitude, longitude = coordinates(job)
    place = job.place
    row = {
        "apply_options": apply_options(dice, job),
        "employer_logo": logo(job),
        "employer_name": job.company.full,
        "employer_website": site(job),
        "job_apply_is_direct": not job.publisher,
        "job_apply_link": tracked(job.link()),
        "job_benefits": dice.some(BENEFITS, 2) if dice.chance(0.3) else None,
        "job_city": place and place.city,
        "job_country": job.country.upper(),
        "job_description": job.text,
        "job_employment_type": joined([EMPLOYMENT_2025[name] for name in job.types]),
        "job_employment_types": list(job.types),
        "job_google_link": google_link(job),
        "job_highlights": highlights(dice, job),
        "job_id": job.job_id,
        "job_is_remote": job.flag,
        "job_latitude": latitude,
        "job_location": f"{place.city}, {place.region}" if place else "Anywhere",
        "job_longitude": longitude,
        **pay_fields(job),
        "job_onet_job_zone": JOB_ZONES.get(job.level, "4"),
        "job_onet_soc": job.role.onet,
        "job_posted_at": None,
        "job_posted_at_datetime_utc": None,
        "job_posted_at_timestamp": None,
        "job_publisher": job.publisher or job.company.name,
        "job_salary": None,
        "job_state": place and place.state,
        "job_title": job.shown_title,
    }
    if dated:
        row["job_posted_at"] = job.when.words(job.language)[0] if job.when.special is None else None
        row["job_posted_at_datetime_utc"] = job.when.moment.strftime("%Y-%m-%dT00:00:00.000Z")
        row["job_posted_at_timestamp"] = job.when.seconds // 86400 * 86400
    return (
        row,
        {"day": job.when.moment.date().isoformat()} if dated else None,
        region_of(job, "us", "ca"),
    )


def row_v5(dice, job):
    words, days = job.when.words(job.language)
    local = EMPLOYMENT_LOCAL.get(job.language) if dice.chance(0.6) else None
    names = [(local or EMPLOYMENT_2025)[name] for name in job.types]
    row = {
        "job_id": job.job_id,
        "job_title": job.shown_title,
        "employer_name": job.company.full,
        "employer_logo": logo(job),
        "job_publisher": job.publisher or job.company.name,
        "job_employment_type": joined(names),
        "job_employment_types": list(job.types),
        "job_apply_link": tracked(job.link()),
        "job_apply_is_direct": not job.publisher,
        "apply_options": apply_options(dice, job),
        "job_description": job.text,
        "job_city": None,
        "job_state": None,
        "job_country": None,
        "job_location": location_v5(job),
        "job_is_remote": job.flag,
        "job_posted_at": words if dice.chance(0.92) else None,
        "job_posted_at_datetime_utc": None,
        "job_posted_at_timestamp": None,
        **pay_fields(job),
        "job_salary_string": job.pay_string,
    }
    if not local and dice.chance(0.5):
        row.pop("job_employment_types")
    if dice.chance(0.3):
        row["job_uid"] = hexdigest("uid", job.job_id)[:24]
    posted = {"words": row["job_posted_at"], "days_ago": days} if row["job_posted_at"] else None
    return row, posted, region_of(job, "us", "ca", "it")


def location_v5(job):
    place = job.place
    if place is None:
        name = "Anywhere"
    elif job.country in ("us", "ca"):
        name = f"{place.city}, {place.region}"
    elif job.country == "it":
        name = f"{place.city} {place.region}"
    elif job.country == "in":
        name = f"{place.city}, {place.state}"
    else:
        name = place.city
    return f"{name}     •  {VIA[job.language]} {job.publisher or job.company.name}"


def region_of(job, *countries):
    return job.place.region if job.place and job.country in countries else None


def apply_options(dice, job):
    first = {
        "apply_link": tracked(job.link()),
        "is_direct": not job.publisher,
        "publisher": job.publisher or job.company.name,
    }
    others = [
        {
            "apply_link": tracked(
                f"https://www.{name.lower()}.example/job/{job.slug}-{name[0].lower()}"
            ),
            "is_direct": False,
            "publisher": name,
        }
        for name in dice.some(("Jobilize", "Lensa", "Talentify"), dice.whole(0, 2))
    ]
    return [first, *others]


WRITERS = {"2023": row_2023, "2025": row_2025, "v5": row_v5}


class Posting:
    """A row, its label and the job behind both."""

    def __init__(self, job, row, label):
        self.job, self.row, self.label = job, row, label

    def mark(self, *oddities):
        self.label["oddities"] += [name for name in oddities if name not in self.label["oddities"]]


def write(seed, job):
    row, posted, region = WRITERS[job.generation](Dice(seed, "row", job.job_id), job)
    posting = Posting(job, row, label_of(job, posted, job.country.upper(), region))
    posting.mark(*natural_oddities(posting))
    return posting


def natural_oddities(posting):
    """What is odd about the row without anybody's doing."""
    job, row = posting.job, posting.row
    if row.get("job_posted_at_timestamp") is None:
        yield "null_timestamp"
    if row.get("job_posted_at"):
        yield f"relative_date_{job.language}"
    if job.mode == "hybrid" and job.flag or job.mode == "remote" and not job.flag:
        yield "remote_flag_lies"
    if job.mode == "hybrid":
        yield "hybrid"
    if job.shown_title != job.title:
        yield "title_noise"
    if job.place is None:
        yield "no_city" if job.generation == "v5" else "us_centroid"
    if job.generation == "v5":
        yield "location_bullet"
    if job.pay_source:
        yield f"salary_in_{job.pay_source}"
        yield f"salary_{job.pay.period.lower()}"
    if "LPA" in (job.pay_string or ""):
        yield "salary_lpa"
    if row.get("employer_logo") is None:
        yield "null_logo"
    if "job_required_skills" in row and row["job_required_skills"] is None:
        yield "null_required_skills"
    if "utm_" in row["job_apply_link"]:
        yield "tracking_parameters"
    if job.pay is None and any(mark in job.text for mark in "$€"):
        yield "money_that_is_no_pay"
