# SPDX-License-Identifier: MIT
"""Text of postings in five languages. {c} company, {t} title, {p} city, {s} and {u} skills, {y}
years.
"""

INTRO = {
    "en": (
        "{c} builds the tools that keep supply chains, clinics and city networks running, and we are hiring a {t} in {p}.",
        "At {c} we believe that good work needs quiet mornings and clear goals. Our {p} office is looking for a {t}.",
        "Founded by two former field engineers, {c} now serves customers in eleven countries. Join us as {t}.",
        "The {t} will join a small group at {c} that owns its services from the first sketch to the night shift.",
        "{c} is growing its team in {p}. As our next {t} you will shape how we work with {s} and {u}.",
        "Do you like problems that come back with more data each week? {c} needs a {t} who enjoys exactly that.",
        "About us: {c} measures, plans and delivers for public and private customers alike. About you: a {t} at heart.",
        "Position: {t}\nCompany: {c}\nOur client base doubled and so must the team behind {s}.",
        "We are {c}. We ship every day, we write things down, and we are looking for a {t}.",
        "Our {s} platform moves four thousand parcels a minute. {c} wants a {t} to make it five thousand.",
    ),
    "de": (
        "{c} entwickelt Lösungen für Industrie und Handel. Für unseren Standort in {p} suchen wir eine/n {t}.",
        "Wir sind {c}: ein Team, das Verantwortung teilt und Entscheidungen aufschreibt. Werde {t} bei uns in {p}.",
        "Zur Verstärkung unserer Abteilung in {p} sucht {c} zum nächstmöglichen Zeitpunkt eine/n {t}.",
        "Seit über zwanzig Jahren steht {c} für verlässliche Technik. Als {t} arbeitest du mit {s} und {u}.",
    ),
    "fr": (
        "{c} conçoit des outils pour l'industrie et la santé. Nous recherchons un(e) {t} à {p}.",
        "Rejoignez {c}, une équipe à taille humaine, en tant que {t} dans nos bureaux de {p}.",
        "Dans le cadre de sa croissance, {c} recrute un(e) {t} maîtrisant {s}.",
        "Chez {c}, chaque {t} suit ses projets de l'idée à la mise en production.",
    ),
    "es": (
        "En {c} desarrollamos soluciones para la industria. Buscamos {t} para nuestra oficina de {p}.",
        "{c} amplía su equipo en {p} y necesita incorporar {t} con experiencia en {s}.",
        "Somos {c}, una empresa que crece con calma. ¿Quieres ser nuestro próximo {t}?",
    ),
    "it": (
        "{c} progetta soluzioni per l'industria. Per la sede di {p} cerchiamo una figura di {t}.",
        "Per ampliare il team di {p}, {c} ricerca un/una {t} con esperienza in {s}.",
        "Siamo {c}: lavoriamo con {s} e {u} e cerchiamo un/una {t}.",
    ),
}
TASKS = {
    "en": (
        "Design and run services built with {s}",
        "Review the work of colleagues and have yours reviewed",
        "Turn loose requests from customers into plans that can be tested",
        "Keep our {u} setup healthy and documented",
        "Take part in an on-call rota, one week in seven",
        "Measure before and after each change",
        "Explain trade-offs to people who do not share your background",
        "Move old parts to {s} step by step",
        "Write tests that fail for one reason only",
        "Prepare figures for the monthly review",
        "Mentor two newer colleagues",
        "Work with product and design on the next quarter",
        "Reduce the cost of our {u} workloads",
        "Own the interface between {s} and our partners",
        "Answer the hard tickets that first line support cannot close",
        "Automate what is done by hand today",
        "Plan migrations with no downtime",
        "Keep dashboards honest",
        "Document decisions and their reasons",
        "Improve data quality at the source",
        "Profile slow paths and make them fast",
        "Coordinate with suppliers in three time zones",
        "Bring prototypes with {u} to production",
        "Help to hire the next members of the team",
        "Be the go-to person for {s} questions",
    ),
    "de": (
        "Konzeption und Betrieb von Diensten mit {s}",
        "Enge Abstimmung mit Fachbereichen und Kunden",
        "Weiterentwicklung unserer {u}-Umgebung",
        "Durchführung von Reviews und Tests",
        "Dokumentation von Entscheidungen",
        "Analyse und Behebung von Störungen",
        "Einarbeitung neuer Kolleginnen und Kollegen",
        "Automatisierung wiederkehrender Abläufe",
        "Planung von Migrationen ohne Ausfall",
        "Pflege von Kennzahlen",
        "Mitarbeit in einem agilen Team",
        "Ablösung alter Systeme durch {s}",
    ),
    "fr": (
        "Concevoir et exploiter des services avec {s}",
        "Échanger avec les métiers et les clients",
        "Faire évoluer notre environnement {u}",
        "Réaliser des revues et des tests",
        "Documenter les décisions",
        "Analyser et corriger les incidents",
        "Accompagner les nouveaux arrivants",
        "Automatiser les tâches répétitives",
        "Préparer des migrations sans interruption",
        "Suivre les indicateurs de qualité",
    ),
    "es": (
        "Diseñar y mantener servicios con {s}",
        "Colaborar con negocio y clientes",
        "Mejorar nuestro entorno de {u}",
        "Realizar revisiones y pruebas",
        "Documentar las decisiones",
        "Analizar y resolver incidencias",
        "Acompañar a nuevos compañeros",
        "Automatizar tareas repetitivas",
        "Planificar migraciones sin paradas",
    ),
    "it": (
        "Progettare e gestire servizi con {s}",
        "Collaborare con clienti e reparti interni",
        "Migliorare il nostro ambiente {u}",
        "Eseguire revisioni e test",
        "Documentare le decisioni",
        "Analizzare e risolvere i problemi",
        "Affiancare i nuovi colleghi",
        "Automatizzare le attività ripetitive",
    ),
}
NEEDS = {
    "en": (
        "{y}+ years of experience with {s}",
        "Good working knowledge of {u}",
        "Clear written English",
        "Bachelor's degree in a related field or equivalent experience",
        "Patience with other people's code",
        "Experience in a regulated industry is a plus",
        "You have run something in production and were called at night",
        "Comfort with numbers and uncertainty",
        "Able to lift an idea without dropping the details",
        "Master's degree preferred",
        "Eligible to work in the country without sponsorship",
        "Curiosity about how the business earns its money",
        "Hands-on experience with {s} and {u}",
    ),
    "de": (
        "Mindestens {y} Jahre Erfahrung mit {s}",
        "Gute Kenntnisse in {u}",
        "Abgeschlossenes Studium oder Ausbildung",
        "Sehr gute Deutsch- und gute Englischkenntnisse",
        "Selbstständige Arbeitsweise",
        "Freude an sauberer Dokumentation",
    ),
    "fr": (
        "Au moins {y} ans d'expérience avec {s}",
        "Bonne connaissance de {u}",
        "Diplôme Bac+3 à Bac+5",
        "Anglais professionnel",
        "Autonomie et rigueur",
        "Goût du travail en équipe",
    ),
    "es": (
        "Al menos {y} años de experiencia con {s}",
        "Buen conocimiento de {u}",
        "Grado o formación equivalente",
        "Inglés fluido",
        "Autonomía y orden",
        "Ganas de aprender",
    ),
    "it": (
        "Almeno {y} anni di esperienza con {s}",
        "Buona conoscenza di {u}",
        "Laurea o titolo equivalente",
        "Inglese fluente",
        "Autonomia e precisione",
        "Capacità di lavorare in gruppo",
    ),
}
OFFERS = {
    "en": (
        "Medical, dental and vision insurance",
        "25 days of paid time off",
        "A desk with a window, or none if you prefer home",
        "Parental leave for all parents",
        "Commuter card",
        "Conference of your choice each year",
        "Life insurance",
        "Flexible hours around a core of four",
        "Dog friendly office",
        "Bike storage and showers",
        "Equipment that you pick yourself",
        "Stock options after the first year",
        "Quiet floor",
        "Sabbatical after five years",
    ),
    "de": (
        "30 Tage Urlaub",
        "Flexible Arbeitszeiten",
        "Jobticket und Jobrad",
        "Betriebliche Altersvorsorge",
        "Kostenlose Getränke und Obst",
        "Moderne Ausstattung nach Wahl",
    ),
    "fr": (
        "RTT et horaires souples",
        "Mutuelle prise en charge à 80 %",
        "Titres-restaurant",
        "Formation continue",
    ),
    "es": (
        "Horario flexible",
        "Seguro médico",
        "Formación continua",
        "Jornada intensiva en verano",
    ),
    "it": ("Orario flessibile", "Buoni pasto", "Assicurazione sanitaria", "Formazione continua"),
}
CLOSING = {
    "en": (
        "{c} is an equal opportunity employer.",
        "Apply with a short note about something you repaired.",
        "We answer every application within ten days.",
        "No agencies, please.",
        "All qualified applicants will receive consideration.",
        "We look forward to reading from you.",
    ),
    "de": (
        "Wir freuen uns auf deine Bewerbung.",
        "Bitte sende uns deine Unterlagen mit Eintrittstermin.",
    ),
    "fr": (
        "Nous étudions toutes les candidatures.",
        "Envoyez-nous votre CV, nous répondons sous dix jours.",
    ),
    "es": ("Envíanos tu CV y te respondemos en diez días.", "Esperamos tu candidatura."),
    "it": (
        "Inviaci il tuo CV, rispondiamo entro dieci giorni.",
        "La ricerca è rivolta a tutti i generi.",
    ),
}
HEADS = {
    "en": ("What you will do", "What you bring", "What we offer"),
    "de": ("Deine Aufgaben", "Dein Profil", "Wir bieten"),
    "fr": ("Vos missions", "Votre profil", "Nous offrons"),
    "es": ("Funciones", "Requisitos", "Ofrecemos"),
    "it": ("Attività", "Requisiti", "Offriamo"),
}
WORKPLACE = {
    "en": {
        "remote": (
            "This is a fully remote position.",
            "Work from anywhere in the country, 100% remote.",
        ),
        "hybrid": (
            "Hybrid role (3 days onsite in a week).",
            "Hybrid work model: two days at home, three in the office.",
        ),
        "onsite": (
            "This role is 100% on-site.",
            "You will work on-site in our office; remote work is not possible.",
        ),
    },
    "de": {
        "remote": ("Die Stelle ist zu 100 % remote.",),
        "hybrid": ("Hybrides Arbeiten: zwei Tage im Büro.",),
        "onsite": ("Die Arbeit findet vor Ort statt, Homeoffice ist nicht möglich.",),
    },
    "fr": {
        "remote": ("Poste en télétravail complet.",),
        "hybrid": ("Poste hybride : trois jours sur site.",),
        "onsite": ("Poste 100 % sur site.",),
    },
    "es": {
        "remote": ("Puesto 100 % remoto.",),
        "hybrid": ("Modelo híbrido: tres días en oficina.",),
        "onsite": ("Puesto 100 % presencial.",),
    },
    "it": {
        "remote": ("Lavoro completamente da remoto.",),
        "hybrid": ("Modalità ibrida: tre giorni in sede.",),
        "onsite": ("Lavoro in sede, nessuno smart working.",),
    },
}


def describe(dice, job, extra):
    """The description of a job. `extra` are sentences that it must hold: pay, money that is none,
    the workplace.
    """
    language = job.language
    slots = {
        "c": job.company.name,
        "t": job.title,
        "p": job.place.city if job.place else "our region",
        "s": job.skills[0],
        "u": job.skills[1],
        "y": max(1, job.months // 12),
    }

    def lines(pool, low, high):
        return [text.format(**slots) for text in dice.some(pool[language], dice.whole(low, high))]

    tasks, needs = lines(TASKS, 4, 7), lines(NEEDS, 2, 5) + [", ".join(job.skills)]
    offers = lines(OFFERS, 2, 5)
    heads = HEADS[language]
    parts = [*lines(INTRO, 1, 2), section(dice, heads[0], tasks), section(dice, heads[1], needs)]
    parts += [*extra, section(dice, heads[2], offers), *lines(CLOSING, 1, 2)]
    return "\n\n".join(parts), {"tasks": tasks, "needs": needs, "offers": offers}


def section(dice, head, lines):
    bullet = dice.pick(("• ", "- ", "* ", "– "))
    return "\n".join([f"{head}:", *(bullet + line for line in lines)])


def long_text(dice, job, least):
    """Filler of at least that many characters, as some employers tell their whole story."""
    parts, size = [], 0
    while size < least:
        text, _ = describe(dice, job, ())
        parts.append(text)
        size += len(text)
    return "\n\n".join(parts)
