# SPDX-License-Identifier: MIT
"""When a posting appeared: seconds, ISO text, and the relative words of five languages.

All ages count from NOW, so that the data never changes by itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=timezone.utc)
# language: {unit: (one, many)}; {n} is the number.
WORDS = {
    "en": {
        "hour": ("1 hour ago", "{n} hours ago"),
        "day": ("1 day ago", "{n} days ago"),
        "week": ("1 week ago", "{n} weeks ago"),
        "month": ("1 month ago", "{n} months ago"),
    },
    "de": {
        "hour": ("vor 1 Stunde", "vor {n} Stunden"),
        "day": ("vor 1 Tag", "vor {n} Tagen"),
        "week": ("vor einer Woche", "vor {n} Wochen"),
        "month": ("vor einem Monat", "vor {n} Monaten"),
    },
    "fr": {
        "hour": ("il y a 1 heure", "il y a {n} heures"),
        "day": ("il y a 1 jour", "il y a {n} jours"),
        "week": ("il y a 1 semaine", "il y a {n} semaines"),
        "month": ("il y a 1 mois", "il y a {n} mois"),
    },
    "es": {
        "hour": ("hace 1 hora", "hace {n} horas"),
        "day": ("hace 1 día", "hace {n} días"),
        "week": ("hace 1 semana", "hace {n} semanas"),
        "month": ("hace 1 mes", "hace {n} meses"),
    },
    "it": {
        "hour": ("1 ora fa", "{n} ore fa"),
        "day": ("1 giorno fa", "{n} giorni fa"),
        "week": ("1 settimana fa", "{n} settimane fa"),
        "month": ("1 mese fa", "{n} mesi fa"),
    },
}
SPECIAL = {
    "en": (("yesterday", 1), ("today", 0), ("Just posted", 0), ("30+ days ago", 30)),
    "de": (("gestern", 1), ("heute", 0), ("vor mehr als 30 Tagen", 30)),
    "fr": (("hier", 1), ("aujourd’hui", 0), ("il y a plus de 30 jours", 30)),
    "es": (("ayer", 1), ("hoy", 0), ("hace más de 30 días", 30)),
    "it": (("ieri", 1), ("oggi", 0), ("più di 30 giorni fa", 30)),
}
UNIT_DAYS = {"hour": 0, "day": 1, "week": 7, "month": 30}


@dataclass(frozen=True)
class When:
    unit: str
    count: int
    minute: int
    special: int

    @property
    def days(self):
        return self.count * UNIT_DAYS[self.unit]

    @property
    def moment(self):
        if self.unit == "hour":
            return NOW - timedelta(hours=self.count)
        return NOW.replace(hour=0) - timedelta(days=self.days) + timedelta(minutes=self.minute)

    @property
    def seconds(self):
        return int(self.moment.timestamp())

    def iso(self):
        return self.moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def words(self, language):
        """(relative words, days they mean)"""
        if self.special is not None:
            return SPECIAL[language][self.special % len(SPECIAL[language])]
        one, many = WORDS[language][self.unit]
        return (one if self.count == 1 else many.format(n=self.count)), self.days


def draw_when(dice):
    unit = dice.weighted((("hour", 1.5), ("day", 7), ("week", 1), ("month", 0.5)))
    count = dice.whole(1, {"hour": 11, "day": 29, "week": 4, "month": 2}[unit])
    special = dice.whole(0, 11) if dice.chance(0.1) else None
    return When(unit, count, dice.whole(0, 1439), special)
