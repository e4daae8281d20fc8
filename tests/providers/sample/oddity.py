# SPDX-License-Identifier: MIT
"""Twists single rows the way real ones are twisted, and keeps their labels true."""

from sample.dice import Dice
from sample.pay import SIGNS, grouped
from sample.prose import long_text

NBSP = "\u00a0"


def mojibake(text):
    """UTF-8 that somebody read as Windows-1252."""
    return text.encode("utf-8").decode("cp1252")


def say(posting, *needles, lacks=()):
    """The clean description should hold these and not those."""
    posting.label.setdefault("description_has", []).extend(needles)
    posting.label.setdefault("description_lacks", []).extend(lacks)


def employment_mark(posting, mark):
    kind = posting.row["job_employment_type"]
    if "job_employment_types" in posting.row or "-" not in kind:
        return False
    posting.row["job_employment_type"] = kind.replace("-", mark)
    return True


def employment_nonbreaking(posting, dice):
    return employment_mark(posting, "\u2011")


def employment_replacement(posting, dice):
    return employment_mark(posting, "\ufffd")


def employment_null(posting, dice):
    posting.row["job_employment_type"] = None
    posting.row.pop("job_employment_types", None)
    posting.label["employment_types"] = []
    return True


def html_entities(posting, dice):
    posting.row[
        "job_description"
    ] += (
        "\n\nOur R&amp;D group &mdash; &lt;50 people &mdash; works with Tom&#39;s team &amp; yours."
    )
    say(posting, "R&D group", "Tom's team", lacks=("&amp;", "&#39;", "&mdash;"))
    return True


def html_tags(posting, dice):
    lines = posting.row["job_description"].split("\n\n")
    posting.row["job_description"] = (
        "".join(f"<p>{line}</p>" for line in lines) + "<ul><li>Ownership</li><li>Growth</li></ul>"
    )
    say(posting, "Ownership", lacks=("<p>", "<li>", "</p>"))
    return True


def html_twice(posting, dice):
    posting.row[
        "job_description"
    ] += "\n\n&amp;lt;strong&amp;gt;Research &amp;amp; Development&amp;lt;/strong&amp;gt;"
    say(posting, "Research & Development", lacks=("&amp;", "&lt;"))
    return True


def mojibake_text(posting, dice):
    sentence = "We’re proud of our café – and of Zoë’s team."
    posting.row["job_description"] += "\n\n" + mojibake(sentence)
    say(posting, "café", "Zoë", lacks=("Ã", "â€"))
    return True


def mojibake_title(posting, dice):
    """Only letters whose bytes Windows-1252 has all."""
    title = posting.row["job_title"]
    if title.isascii() or set(title) & set("àÀíÍ"):
        return False
    posting.row["job_title"] = mojibake(title)
    return True


def nbsp(posting, dice):
    posting.row["job_title"] = posting.row["job_title"].replace(" ", NBSP)
    posting.row["employer_name"] = posting.row["employer_name"].replace(" ", NBSP)
    posting.row["job_description"] = posting.row["job_description"].replace(", ", "," + NBSP)
    return True


def title_entity(posting, dice):
    posting.row["job_title"] += " - R&amp;D"
    posting.label["title"] += " - R&D"
    return True


def title_gender(posting, dice):
    mark = {"de": " (m/w/d)", "fr": " H/F", "es": " (H/M)", "it": " (M/F)"}.get(
        posting.job.language
    )
    if not mark:
        return False
    posting.row["job_title"] += mark
    posting.mark("title_noise")
    return True


def title_pipes(posting, dice):
    posting.row[
        "job_title"
    ] = f"| {posting.row['job_title'].upper()} | {dice.whole(10000, 999999)} |"
    posting.mark("title_noise")
    return True


def title_paren(posting, dice):
    posting.row["job_title"] += " ( Corp to Corp"
    posting.mark("title_noise")
    return True


def title_spaces(posting, dice):
    posting.row["job_title"] = "  " + posting.row["job_title"].replace(" ", "  ") + "\t "
    return True


def long_description(posting, dice):
    posting.row["job_description"] += "\n\n" + long_text(dice, posting.job, dice.whole(9000, 13000))
    return True


def empty_description(posting, dice):
    if posting.job.pay_source == "description" or posting.job.mode:
        return False
    posting.row["job_description"] = dice.pick(("", None))
    posting.label["skills"] = []
    return True


def apply_fallback(posting, dice):
    if "apply_options" not in posting.row:
        return False
    posting.row["job_apply_link"] = None
    return True


def apply_missing(posting, dice):
    posting.row["job_apply_link"] = None
    if "apply_options" in posting.row:
        posting.row["apply_options"] = []
    return True


def with_fields(posting):
    return posting.job.pay_source == "fields"


def swapped_pay(posting, dice):
    if not with_fields(posting):
        return False
    row = posting.row
    row["job_min_salary"], row["job_max_salary"] = row["job_max_salary"], row["job_min_salary"]
    return True


def equal_pay(posting, dice):
    if not with_fields(posting):
        return False
    posting.row["job_max_salary"] = posting.row["job_min_salary"]
    posting.label["salary"]["max"] = posting.label["salary"]["min"]
    return True


def one_bound(posting, dice):
    if not with_fields(posting):
        return False
    posting.row["job_max_salary"] = None
    posting.label["salary"]["max"] = None
    return True


def zero_pay(posting, dice):
    if posting.job.pay_source:
        return False
    posting.row["job_min_salary"] = posting.row["job_max_salary"] = 0
    return True


def no_period(posting, dice):
    """A yearly figure without its period: the amount itself leaves no doubt."""
    if (
        not with_fields(posting)
        or posting.job.pay.period != "YEAR"
        or posting.job.pay.currency == "INR"
    ):
        return False
    posting.row["job_salary_period"] = None
    return True


def pay_in_title(posting, dice):
    if posting.job.language != "en" or posting.job.country != "us" or posting.job.pay_source:
        return False
    low, high = dice.whole(9, 14) * 10000, dice.whole(15, 19) * 10000
    posting.row["job_title"] += f" - ${grouped(low, ',')} to ${grouped(high, ',')} per year"
    posting.label["salary"] = {
        "min": low,
        "max": high,
        "currency": "USD",
        "period": "YEAR",
        "source": "title",
    }
    posting.mark("title_noise")
    return True


def pay_everywhere(posting, dice):
    """The same yearly range in the fields and, by the hour, in the text: the fields come first."""
    pay = posting.job.pay
    if (
        not with_fields(posting)
        or pay.period != "YEAR"
        or posting.job.language != "en"
        or pay.currency == "INR"
    ):
        return False
    sign = SIGNS[pay.currency]
    posting.row[
        "job_description"
    ] += f"\n\nThat is {sign}{pay.min / 2080:.2f} to {sign}{pay.max / 2080:.2f} per hour."
    return True


def soft_types(posting, dice):
    """Wrong types in members that a posting can do without."""
    for name, value in dice.some(
        (
            ("job_is_remote", "yes"),
            ("job_latitude", "n/a"),
            ("job_posted_at_timestamp", "soon"),
            ("apply_options", {"publisher": "x"}),
            ("job_highlights", "none"),
            ("job_benefits", "dental"),
            ("employer_logo", 7),
            ("job_google_link", ["x"]),
        ),
        3,
    ):
        if name in posting.row:
            posting.row[name] = value
    if posting.row.get("job_posted_at_timestamp") == "soon" and not posting.row.get(
        "job_posted_at"
    ):
        posting.label["posted"] = None
    return posting.job.pay_source != "highlights"


def pay_as_text(posting, dice):
    if not with_fields(posting):
        return False
    for name in ("job_min_salary", "job_max_salary"):
        posting.row[name] = str(posting.row[name])
    return True


def company_shouts(posting, dice):
    posting.row["employer_name"] = posting.row["employer_name"].upper()
    posting.label["company_case"] = "any"
    return True


def control_characters(posting, dice):
    posting.row["job_description"] = posting.row["job_description"].replace(
        "\n\n", "\r\n\u2028\u200b\r\n", 3
    )
    say(posting, lacks=("\u200b",))
    return True


def emoji(posting, dice):
    posting.row["job_title"] = "🚀 " + posting.row["job_title"]
    posting.row["job_description"] = "🔥 " + posting.row["job_description"] + " 👩‍💻"
    posting.mark("title_noise")
    return True


# name: (twist, how many); those that few rows can take come first
ODDITIES = {
    "mojibake_title": (mojibake_title, 3),
    "employment_u2011": (employment_nonbreaking, 8),
    "employment_ufffd": (employment_replacement, 6),
    "employment_null": (employment_null, 5),
    "html_entities": (html_entities, 10),
    "html_tags": (html_tags, 6),
    "html_twice": (html_twice, 4),
    "mojibake_text": (mojibake_text, 8),
    "nbsp": (nbsp, 8),
    "title_entity": (title_entity, 4),
    "title_gender": (title_gender, 30),
    "title_pipes": (title_pipes, 5),
    "title_paren": (title_paren, 3),
    "title_spaces": (title_spaces, 4),
    "long_description": (long_description, 10),
    "empty_description": (empty_description, 4),
    "apply_fallback": (apply_fallback, 10),
    "apply_missing": (apply_missing, 3),
    "pay_swapped": (swapped_pay, 5),
    "pay_equal": (equal_pay, 6),
    "pay_one_bound": (one_bound, 4),
    "pay_zero": (zero_pay, 8),
    "pay_no_period": (no_period, 3),
    "pay_in_title": (pay_in_title, 3),
    "pay_everywhere": (pay_everywhere, 4),
    "soft_types": (soft_types, 8),
    "pay_as_text": (pay_as_text, 3),
    "company_shouts": (company_shouts, 5),
    "control_characters": (control_characters, 5),
    "emoji": (emoji, 4),
}


def twist(seed, postings):
    """Applies every oddity to as many rows as it is meant for; a row takes one."""
    free = list(postings)
    for name, (change, count) in ODDITIES.items():
        dice = Dice(seed, "oddity", name)
        for posting in dice.some(free, len(free)):
            if count == 0:
                break
            before = (dict(posting.row), dict(posting.label))
            if change(posting, dice):
                posting.mark(name)
                free.remove(posting)
                count -= 1
            else:
                posting.row, posting.label = before
        if count:
            raise ValueError(f"no rows left for oddity {name}: {count} missing")
    return free
