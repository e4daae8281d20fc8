# SPDX-License-Identifier: MIT
"""Labelled pairs of postings for score_duplicates.py: a posting, and one that is the same job as
another source shows it, or one that is another job however like it looks.

Nothing of workers/ is used: what is a duplicate is decided here, by how the pair is made. Texts are
made from the lists below, or from the real postings of ../shared/samples where that folder is; the
latter keep title and text, and get a company and a place of their own, so that no two pairs meet.
Rows have JSearch's form. The same seed gives the same pairs."""

import html
import json
import os
import random
import re

SYLLABLES = "al bar cor dan el far gil hol in jor kel lum mor nev or pel quin ros sel tam ul ven wol yar zen".split()
CITIES = """Albany,NY Akron,OH Amarillo,TX Boise,ID Boulder,CO Buffalo,NY Cary,NC Chico,CA Columbus,OH
Concord,NH Dallas,TX Dayton,OH Denver,CO Durham,NC Erie,PA Eugene,OR Fargo,ND Flint,MI Fresno,CA
Gary,IN Helena,MT Houston,TX Irvine,CA Jackson,MS Laredo,TX Lincoln,NE Macon,GA Madison,WI Memphis,TN
Mesa,AZ Miami,FL Mobile,AL Naples,FL Newark,NJ Norfolk,VA Oakland,CA Ogden,UT Omaha,NE Orlando,FL
Peoria,IL Plano,TX Provo,UT Raleigh,NC Reno,NV Salem,OR Seattle,WA Tampa,FL Topeka,KS Tucson,AZ
Tulsa,OK Waco,TX Wichita,KS Yuma,AZ""".split()
ROLES = ["Java Developer", "Data Analyst", "Registered Nurse", "Warehouse Associate", "Accountant",
         "Mechanical Engineer", "Sales Representative", "Delivery Driver", "Graphic Designer",
         "Electrician", "Pharmacist", "Paralegal", "Network Administrator", "Chemist", "Bookkeeper",
         "Customer Service Representative", "Welder", "Dental Hygienist", "Civil Engineer", "Chef",
         "Research Scientist", "Payroll Specialist", "Buyer", "Machinist", "Physical Therapist"]
TEAMS = ["Payments", "Search", "Logistics", "Cardiology", "Claims", "Retail", "Growth", "Energy"]
VERBS = """build review maintain plan prepare test inspect improve document repair monitor schedule
coordinate design analyse update organise measure support deliver""".split()
OBJECTS = """reports machines pipelines budgets contracts drawings shipments records samples dashboards
invoices schedules interfaces prescriptions audits fixtures training materials orders quotes surveys
networks menus accounts forecasts""".split()
PARTNERS = """the regional team|outside vendors|our clients|the night shift|senior staff|a small group of
peers|the finance office|local schools|product owners|field crews|two supervisors|the safety board|new
hires|plant managers|the quality lab""".replace("\n", " ").split("|")
REASONS = """so that deadlines hold|before the month closes|when demand rises|to keep costs low|in line
with our standards|without disturbing production|as the season requires|under light supervision|with
care for detail|for each site we serve|while learning our tools|until the handover is complete""".replace(
    "\n", " ").split("|")
HAVES = """a valid licence|two years of practice|good writing|steady hands|basic statistics|a friendly
manner|knowledge of spreadsheets|experience with tickets|comfort on the phone|a clean record|patience with
numbers|some travel each month|the habit of asking questions|training in first aid|an eye for
colour""".replace("\n", " ").split("|")
BOILER = ["We are an equal opportunity employer and welcome applicants of every background.",
          "Reasonable accommodations are available on request during the hiring process.",
          "Benefits include health, dental and vision insurance and paid time off."]
FRAMES = [("This position was shared with us by a partner. See the full text below before you apply.",
           "Apply today through our board and save this search to hear about similar openings first."),
          ("Posted on behalf of the employer. Sign in to see how well you match this opening.",
           "Report this listing if you believe that it is out of date. Browse more openings nearby."),
          ("", "Need help with your resume? Our career advisers answer within one working day."),
          ("Hot job! Be among the first ten applicants for this opening.", "")]
SPARE = """suitable various important regular careful recent direct useful timely proper simple broad
joint formal prompt""".split()


def company_name(rng):
    return "".join(rng.choice(SYLLABLES) for _ in range(3)).capitalize() + " " + rng.choice(
        ["Foods", "Systems", "Health", "Logistics", "Works", "Labs", "Group", "Energy", "Partners"])


def sentence(rng):
    form = rng.randrange(4)
    if form == 0:
        return "You will %s %s with %s %s." % (rng.choice(VERBS), rng.choice(OBJECTS),
                                               rng.choice(PARTNERS), rng.choice(REASONS))
    if form == 1:
        return "%s and %s %s %s." % (rng.choice(VERBS).capitalize(), rng.choice(VERBS),
                                     rng.choice(OBJECTS), rng.choice(REASONS))
    if form == 2:
        return "You bring %s and %s, and you like to %s %s." % (
            rng.choice(HAVES), rng.choice(HAVES), rng.choice(VERBS), rng.choice(OBJECTS))
    return "Together with %s you %s %s for %s." % (rng.choice(PARTNERS), rng.choice(VERBS),
                                                   rng.choice(OBJECTS), rng.choice(PARTNERS))


def sentences(rng, n):
    return [sentence(rng) for _ in range(n)]


def intro(rng, company):
    return ["%s has served its region since %d." % (company, rng.randrange(1900, 2020))] + \
        ["Our people %s %s %s." % (rng.choice(VERBS), rng.choice(OBJECTS), rng.choice(REASONS))
         for _ in range(3)]


def body(rng, company, n=None):
    return intro(rng, company) + sentences(rng, n or rng.randrange(14, 40)) + BOILER[:rng.randrange(4)]


def plain(text):
    """Markup away, once or twice escaped; only for reading the samples."""
    for _ in range(2):
        text = html.unescape(text)
    text = re.sub(r"(?i)<(br|/p|/li|/div|/h\d)[^>]*>", "\n", text)
    return re.sub(r"[ \t]+", " ", re.sub(r"<[^>]+>", " ", text)).strip()


# ---- what real postings give: title and text ----

def walk(value):
    if isinstance(value, dict):
        yield value
        for v in value.values():
            yield from walk(v)
    elif isinstance(value, list):
        for v in value:
            yield from walk(v)


TITLES = ("job_title", "title", "position", "name", "text", "jobTitle", "PositionTitle")
BODIES = ("job_description", "description", "descriptionPlain", "content", "contents",
          "jobDescription", "JobSummary", "QualificationSummary", "descriptionHtml")


def real_postings(top):
    """(title, text) of every posting under ../shared/samples that has 80 words or more."""
    folder = os.path.join(top, "..", "shared", "samples")
    found = {}
    for base, _, names in sorted(os.walk(folder)):
        if "labelled" in base:
            continue
        for name in sorted(names):
            if not name.endswith(".json"):
                continue
            try:
                with open(os.path.join(base, name), encoding="utf-8") as f:
                    document = json.load(f)
            except ValueError:
                continue
            for item in walk(document):
                title = next((item[k] for k in TITLES if isinstance(item.get(k), str)), "")
                text = next((item[k] for k in BODIES if isinstance(item.get(k), str)), "")
                text = plain(text)
                if len(item) > 4 and 3 < len(title) < 80 and title.count("(") == title.count(")") \
                        and len(text.split()) >= 80:
                    found.setdefault(text[:200], (plain(title), text))
    return list(found.values())


# ---- one posting ----

class Posting:
    def __init__(self, title, company, city, text, link=None):
        self.title, self.company, self.city, self.text, self.link = title, company, city, text, link
        self.remote = False

    def copy(self, **changes):
        other = Posting(self.title, self.company, self.city, self.text, self.link)
        other.__dict__.update(changes)
        return other

    def row(self, number):
        city, state = (self.city.split(",") + [None])[:2] if self.city else (None, None)
        row = {"job_id": "n%d" % number, "job_title": self.title, "employer_name": self.company,
               "job_description": self.text, "job_country": "US", "job_publisher": "Board%d" % (number % 2)}
        if city:
            row["job_city"], row["job_state"] = city, state
        if self.remote:
            row["job_is_remote"] = True
            row["job_location"] = "Remote"
        if self.link:
            row["job_apply_link"] = self.link
        return row


def reworded(rng, text, share):
    words = text.split(" ")
    n = max(1, int(len(words) * share))
    places = rng.sample(range(len(words)), min(n, len(words)))
    for at in places:
        words[at] = rng.choice(SPARE)
    return " ".join(words)


def framed(rng, text):
    head, tail = rng.choice(FRAMES)
    return "\n\n".join(part for part in (head, text, tail) if part)


def cut(text, n=500):
    return text[:n].rstrip() + "…" if len(text) > n else text


def typeset(rng, text):
    text = text.replace("'", "’").replace(" - ", " – ").replace(". ", ".  ")
    return "• " + text.replace("\n", "\n• ") if rng.random() < 0.5 else text.replace("\n", " ")


def team(rng, title):
    return rng.choice([t for t in TEAMS if t not in title])


def variant(rng, p, whole):
    """The same job under another name of title, company or place; whole: the text is not cut."""
    kinds = ["company", "company", "place", "title_place", "title_company"] + ["title_team"] * whole
    kind = rng.choice(kinds)
    if kind == "company":
        return p.copy(company=rng.choice([p.company + " Careers", p.company + " USA", p.company.split()[0],
                                          p.company + " Recruiting"]))
    if kind == "place":
        return p.copy(city="")
    if kind == "title_place":
        return p.copy(title="%s - %s" % (p.title, p.city.split(",")[0]))
    if kind == "title_company":
        return p.copy(title="%s at %s" % (p.title, p.company))
    return p.copy(title="%s, %s Team" % (p.title, team(rng, p.title)))


# ---- pairs that are one job ----

def same_spelling(rng, p):
    return p, p.copy(title=p.title.upper(), company=p.company + rng.choice([", Inc.", " LLC", " Corp."]),
                     text=typeset(rng, p.text))


def same_link(rng, p):
    link = "https://jobs.example.com/view/%d" % rng.randrange(10 ** 6, 10 ** 7)
    return p.copy(link=link), p.copy(link=link + "?utm_source=board", text=cut(p.text, 200),
                                     company=company_name(rng))


def same_text(rng, p):
    return p, variant(rng, p.copy(text=typeset(rng, p.text)), True)


def same_reworded(rng, p):
    return p, variant(rng, p.copy(text=reworded(rng, p.text, rng.uniform(0.005, 0.03))), True)


def same_framed(rng, p):
    return p, variant(rng, p.copy(text=framed(rng, p.text)), True)


def same_framed_twice(rng, p):
    return p.copy(text=framed(rng, p.text)), variant(rng, p.copy(text=framed(rng, p.text)), True)


def same_framed_reworded(rng, p):
    return p, variant(rng, p.copy(text=framed(rng, reworded(rng, p.text, 0.015))), True)


def same_cut(rng, p):
    return p, variant(rng, p.copy(text=cut(p.text)), False)


def same_cut_reworded(rng, p):
    return p, variant(rng, p.copy(text=cut(reworded(rng, p.text, 0.01))), False)


def same_cut_framed(rng, p):
    return p.copy(text=framed(rng, p.text)), variant(rng, p.copy(text=cut(p.text)), False)


def same_agency(rng, p):
    """An agency shows the job under its own name; the text says for whom."""
    p = p.copy(text="%s is hiring. %s" % (p.company, p.text))
    return p, p.copy(company=company_name(rng), text=typeset(rng, p.text))


# ---- pairs that are two jobs ----

def other_city(rng, city):
    return rng.choice([c for c in CITIES if c != city])


def other_place(rng, p):
    return p, p.copy(city=other_city(rng, p.city), text=reworded(rng, p.text, 0.01))


def other_place_remote(rng, p):
    text = re.sub("(?i)remote(ly)?|hybrid|work from home", "flexible", p.text)   # as one is not
    return p.copy(text=text), p.copy(city="", remote=True, text=text)


def other_level(rng, p):
    role = rng.choice(ROLES)    # real titles may name a level already
    return p.copy(title=role), p.copy(title=rng.choice(["Senior %s", "Lead %s", "%s Intern",
                                                        "Principal %s"]) % role)


def other_role(rng, p):
    role = rng.choice([r for r in ROLES if not set(r.split()) & set(p.title.split())])
    return p, p.copy(title=role)


def other_role_same_intro(rng, p):
    """The company says the same of itself everywhere; the jobs differ."""
    start = intro(rng, p.company) + sentences(rng, 4)
    role = rng.choice([r for r in ROLES if not set(r.split()) & set(p.title.split())])
    return (p.copy(text=" ".join(start + sentences(rng, 20))),
            p.copy(title=role, text=" ".join(start + sentences(rng, 20))))


def other_team_cut(rng, p):
    """Cut off within what the company says of itself: the text cannot tell the teams apart."""
    start = " ".join(intro(rng, p.company) + sentences(rng, 8))
    q = p.copy(title="%s, %s" % (p.title, team(rng, p.title)), text=cut(start))
    return p.copy(text=start + " " + " ".join(sentences(rng, 24))), q


def other_teams(rng, p):
    one, two = rng.sample(TEAMS, 2)
    return p.copy(title="%s, %s" % (p.title, one)), p.copy(title="%s, %s" % (p.title, two))


def other_template(rng, p):
    """One template, filled anew: a tenth and more of the words differ."""
    return p, p.copy(title="%s, %s" % (p.title, team(rng, p.title)),
                     text=reworded(rng, p.text, rng.uniform(0.1, 0.3)))


def other_company(rng, p):
    name = company_name(rng)
    return p, p.copy(company=name, text=p.text.replace(p.company, name))


def other_board_place(rng, p):
    """The employer's board has the job once for one city and once for all others."""
    link = "https://boards.example.com/%s/jobs/" % p.company.split()[0].lower()
    number = rng.randrange(10 ** 6, 10 ** 7)
    return p.copy(link=link + str(number)), p.copy(link=link + str(number + 1), city="")


def other_number(rng, p):
    return (p.copy(title=p.title + " - Night Shift"), p.copy(title=p.title + " - Day Shift"))


SAME = [same_spelling, same_link, same_text, same_reworded, same_framed, same_framed_twice,
        same_framed_reworded, same_cut, same_cut_reworded, same_cut_framed, same_agency]
OTHER = [other_place, other_place_remote, other_level, other_role, other_role_same_intro,
         other_team_cut, other_teams, other_template, other_company, other_number,
         other_board_place]


def pairs(n, seed, top):
    """[(kind, is one job, origin, row, row)]: half of our own texts, half of real ones."""
    rng = random.Random(seed)
    real = real_postings(top)
    found = []
    for i in range(n):
        is_same, origin = i % 2 == 0, "real" if real and i // 2 % 2 else "own"
        make = (SAME if is_same else OTHER)[i // 4 % len(SAME)]
        company, city = "%s %d" % (company_name(rng), i), rng.choice(CITIES)
        if origin == "real":
            title, text = real[rng.randrange(len(real))]
        else:
            title, text = rng.choice(ROLES), " ".join(body(rng, company))
        one, two = make(rng, Posting(title, company, city, text))
        if rng.random() < 0.5:
            one, two = two, one
        found.append((make.__name__, is_same, origin, one.row(2 * i), two.row(2 * i + 1)))
    return found, len(real)
