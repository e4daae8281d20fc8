# SPDX-License-Identifier: MIT
"""What is hired for: title (in other languages where one is usual there), codes, yearly pay in the
US, skills.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    title: str
    soc: str
    onet: str
    pay: int
    weight: float
    skills: tuple
    titles: dict

    def title_in(self, language):
        return self.titles.get(language, self.title)


# title | SOC 2018 | O*NET-SOC 2010, 8 digits | pay | weight | skills | titles elsewhere
ROWS = """
Software Engineer|15-1252|15113200|138000|4|Java,Spring Boot,PostgreSQL,Docker,Git|de:Softwareentwickler;fr:Ingénieur logiciel;es:Ingeniero de software;it:Ingegnere del software
Backend Developer|15-1252|15113200|132000|2|Python,Django,REST APIs,Redis,AWS|de:Backend-Entwickler;fr:Développeur back-end;es:Desarrollador backend;it:Sviluppatore backend
Frontend Developer|15-1254|15113400|121000|2|TypeScript,React,CSS,HTML,Jest|de:Frontend-Entwickler;fr:Développeur front-end;es:Desarrollador frontend;it:Sviluppatore frontend
Full Stack Developer|15-1252|15113200|129000|2|JavaScript,Node.js,React,MongoDB,Docker|de:Full-Stack-Entwickler;fr:Développeur full stack;es:Desarrollador full stack;it:Sviluppatore full stack
Python Developer|15-1252|15113200|126000|2|Python,Flask,SQLAlchemy,Linux,Git|de:Python-Entwickler;fr:Développeur Python;es:Desarrollador Python;it:Sviluppatore Python
Java Developer|15-1252|15113200|125000|1|Java,Hibernate,Maven,Oracle,JUnit|de:Java-Entwickler;fr:Développeur Java;es:Desarrollador Java;it:Sviluppatore Java
C++ Engineer|15-1252|15113300|142000|1|C++,CMake,Linux,gdb,Boost|
Go Engineer|15-1252|15113200|148000|1|Go,gRPC,Kubernetes,PostgreSQL,Prometheus|
Embedded Firmware Engineer|17-2061|17206100|128000|1|C,RTOS,ARM,SPI,Git|de:Embedded-Entwickler
Mobile Engineer, iOS|15-1252|15113200|141000|1|Swift,SwiftUI,Xcode,Core Data|
Android Developer|15-1252|15113200|133000|1|Kotlin,Android SDK,Gradle,Room|
Data Scientist|15-2051|15119900|136000|3|Python,pandas,scikit-learn,SQL,Statistics|fr:Scientifique des données
Data Engineer|15-1243|15119906|134000|3|Spark,Airflow,SQL,Snowflake,Kafka|fr:Ingénieur de données;es:Ingeniero de datos
Data Analyst|15-2051|15119908|88000|2|SQL,Tableau,Excel,R|de:Datenanalyst;fr:Analyste de données;es:Analista de datos;it:Analista dati
Machine Learning Engineer|15-1252|15111100|158000|2|Python,PyTorch,Kubernetes,MLflow|
Research Scientist, Machine Learning|15-1221|15111100|172000|1|PyTorch,C++,CUDA,Statistics|
DevOps Engineer|15-1244|15114200|135000|2|Terraform,AWS,Kubernetes,Ansible,Linux|
Site Reliability Engineer|15-1244|15114200|149000|1|Linux,Prometheus,Go,Kubernetes,Grafana|
Cloud Architect|15-1241|15114300|162000|1|AWS,Azure,Terraform,Networking|
Systems Administrator|15-1244|15114200|92000|1|Linux,Windows Server,Bash,VMware|de:Systemadministrator;fr:Administrateur systèmes;es:Administrador de sistemas;it:Sistemista
Network Engineer|15-1241|15114300|108000|1|Cisco,BGP,Firewalls,Python|de:Netzwerkingenieur;fr:Ingénieur réseau
Database Administrator|15-1242|15114100|104000|1|PostgreSQL,Oracle,SQL,Backup|
Information Security Analyst|15-1212|15112200|118000|1|SIEM,Splunk,Python,NIST|
Penetration Tester|15-1212|15112200|121000|0.5|Burp Suite,Metasploit,Python,OWASP|
QA Engineer|15-1253|15119901|96000|1|Selenium,Pytest,SQL,Jira|es:Ingeniero de calidad
Test Automation Engineer|15-1253|15119901|106000|1|Playwright,TypeScript,Jenkins,SQL|
Product Manager|11-2021|11202100|145000|3|Roadmapping,SQL,Jira,A/B Testing|de:Produktmanager;fr:Chef de produit
Project Manager|13-1082|15119909|104000|1|Scrum,Jira,Budgeting,MS Project|de:Projektleiter;fr:Chef de projet;es:Jefe de proyecto;it:Responsabile di progetto
Scrum Master|13-1082|15119909|112000|0.7|Scrum,Kanban,Jira,Coaching|
Business Analyst|13-1111|13111100|93000|1|SQL,Excel,BPMN,Visio|
Financial Analyst|13-2051|13205100|91000|1|Excel,SQL,Power BI,Modeling|
UX Designer|15-1255|15113400|112000|1|Figma,Prototyping,User Research|
Graphic Designer|27-1024|27102400|64000|0.7|Photoshop,Illustrator,InDesign|fr:Graphiste
Technical Writer|27-3042|27304200|86000|0.7|Markdown,DITA,Git,English|
IT Support Specialist|15-1232|15115100|61000|1|Windows,Active Directory,ServiceNow|
Solutions Architect|15-1211|15112100|158000|1|AWS,Java,Microservices,SQL|
Sales Engineer|41-9031|41903100|124000|0.7|CRM,Python,SQL,Networking|
Engineering Manager|11-3021|11302100|189000|1|People Management,Java,AWS,Hiring|
Statistician|15-2041|15204100|103000|0.5|R,SAS,Statistics,SQL|
Electrical Engineer|17-2071|17207100|108000|0.7|AutoCAD,PLC,MATLAB,Altium|
Mechanical Engineer|17-2141|17214100|98000|0.7|SolidWorks,MATLAB,GD&T,FEA|
Marketing Analyst|13-1161|13116100|78000|0.7|SQL,Google Analytics,Excel,R|
"""


def read():
    roles = []
    for line in ROWS.strip().splitlines():
        title, soc, onet, pay, weight, skills, elsewhere = line.split("|")
        titles = dict(part.split(":", 1) for part in elsewhere.split(";") if part)
        roles.append(
            Role(title, soc, onet, int(pay), float(weight), tuple(skills.split(",")), titles)
        )
    return roles


ROLES = read()

# level | words before the title | words after it | factor on pay | months of experience
LEVELS = (
    ("intern", "", " Intern", 0.45, 0),
    ("junior", "Junior ", "", 0.68, 12),
    ("junior", "Jr. ", "", 0.68, 12),
    ("mid", "", "", 1.0, 36),
    ("senior", "Senior ", "", 1.22, 60),
    ("senior", "Sr. ", "", 1.22, 60),
    ("staff", "Staff ", "", 1.42, 96),
    ("principal", "Principal ", "", 1.55, 120),
    ("lead", "Lead ", "", 1.35, 84),
)
LEVEL_WEIGHTS = (0.4, 0.9, 0.3, 5, 2.4, 0.5, 0.5, 0.4, 0.5)
