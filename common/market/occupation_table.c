/* SPDX-License-Identifier: MIT */
/* Codes and titles: SOC 2018. Aliases: words that job titles use; see occupation.h for the form. */
#include "common/base/mem.h"
#include "common/market/occupation.h"

const struct occupation_row OCCUPATIONS[] = {
	{ "11-1021", "General and Operations Managers",
	  "operations manager|general manager|head of operations|director of operations" },
	{ "11-2021", "Marketing Managers",
	  "marketing manager|product marketing manager|growth manager|head of growth|head of marketing|"
	  "marketing director|product marketing||growth" },
	{ "11-3021", "Computer and Information Systems Managers",
	  "engineering manager|it manager|it director|information technology manager|cto|"
	  "chief technology officer|software engineering manager|development manager|"
	  "director of engineering|vp of engineering|head of engineering|information systems manager|"
	  "technology manager|technical manager|data science manager" },
	{ "11-9041", "Architectural and Engineering Managers",
	  "hardware engineering manager|architectural and engineering manager" },
	{ "13-1082", "Project Management Specialists",
	  "project manager|program manager|scrum master|technical program manager|agile coach|"
	  "project management specialist|project coordinator|delivery manager||project management" },
	{ "13-1111", "Management Analysts",
	  "management analyst|business analyst|management consultant|business consultant|"
	  "strategy consultant||consultant|product manager|product owner" },
	{ "13-1161", "Market Research Analysts and Marketing Specialists",
	  "market research analyst|marketing analyst|marketing specialist|seo specialist|"
	  "seo manager|digital marketer|content marketer||seo" },
	{ "13-2051", "Financial and Investment Analysts",
	  "financial analyst|finance analyst|investment analyst|fp a analyst|"
	  "financial and investment analyst|quantitative analyst||fp a" },
	{ "15-1211", "Computer Systems Analysts",
	  "systems analyst|computer systems analyst|solutions architect|it analyst|"
	  "applications analyst|erp analyst|salesforce administrator" },
	{ "15-1212", "Information Security Analysts",
	  "information security analyst|security analyst|security engineer|cybersecurity analyst|"
	  "cyber security analyst|cybersecurity engineer|cyber security engineer|soc analyst|"
	  "penetration tester|pentester|application security engineer|security consultant|"
	  "security architect||cybersecurity|cyber security|information security|pentest|security" },
	{ "15-1221", "Computer and Information Research Scientists",
	  "research scientist|machine learning researcher|ml researcher|ai researcher|"
	  "computer scientist|research engineer|ai research scientist|"
	  "computer and information research scientist" },
	{ "15-1231", "Computer Network Support Specialists",
	  "network technician|network support specialist|network support engineer|"
	  "computer network support specialist" },
	{ "15-1232", "Computer User Support Specialists",
	  "help desk technician|help desk analyst|help desk|helpdesk|it support|it support specialist|"
	  "desktop support|technical support specialist|technical support engineer|user support specialist|"
	  "computer user support specialist|support engineer|it technician|customer support engineer" },
	{ "15-1241", "Computer Network Architects",
	  "network architect|cloud architect|computer network architect|infrastructure architect|"
	  "network engineer" },
	{ "15-1242", "Database Administrators",
	  "database administrator|dba|database engineer|sql administrator" },
	{ "15-1243", "Database Architects",
	  "database architect|data architect|data engineer|data warehouse engineer|etl developer|"
	  "data warehouse architect|analytics engineer|big data engineer|data platform engineer" },
	{ "15-1244", "Network and Computer Systems Administrators",
	  "systems administrator|sysadmin|sys admin|sre|site reliability engineer|devops engineer|"
	  "devops|platform engineer|infrastructure engineer|linux administrator|network administrator|"
	  "cloud engineer|cloud administrator|network and computer systems administrator|systems engineer" },
	{ "15-1251", "Computer Programmers",
	  "programmer|computer programmer|coder|cobol developer|mainframe developer" },
	{ "15-1252", "Software Developers",
	  "software engineer|software developer|backend engineer|backend developer|back end engineer|"
	  "back end developer|full stack engineer|full stack developer|fullstack engineer|"
	  "fullstack developer|mobile engineer|mobile developer|ios developer|ios engineer|"
	  "android developer|android engineer|machine learning engineer|ml engineer|ai engineer|"
	  "application developer|app developer|java developer|java engineer|python developer|"
	  "python engineer|golang developer|go developer|rust developer|c++ developer|c++ engineer|"
	  "c# developer|dotnet developer|net developer|ruby developer|rails developer|"
	  "php developer|scala developer|kotlin developer|node developer|nodejs developer|"
	  "embedded engineer|embedded software engineer|embedded developer|firmware engineer|"
	  "game developer|game programmer|software architect|software development engineer|sde|swe|"
	  "member of technical staff|software programmer|salesforce developer|computer vision engineer|"
	  "nlp engineer|mlops engineer|software engineering||backend|full stack|developer|"
	  "software development|software" },
	{ "15-1253", "Software Quality Assurance Analysts and Testers",
	  "qa engineer|qa analyst|qa tester|sdet|test engineer|test automation engineer|"
	  "quality assurance engineer|quality assurance analyst|software tester|automation tester|"
	  "software qa engineer|software quality assurance analyst and tester|qa automation engineer||"
	  "qa|test automation|tester|quality assurance" },
	{ "15-1254", "Web Developers",
	  "web developer|web engineer|frontend developer|frontend engineer|front end developer|"
	  "front end engineer|wordpress developer|react developer|angular developer|vue developer|"
	  "javascript developer|javascript engineer|typescript developer|webmaster||front end|frontend|"
	  "web development" },
	{ "15-1255", "Web and Digital Interface Designers",
	  "ux designer|ui designer|ui ux designer|ux ui designer|product designer|web designer|"
	  "interaction designer|user experience designer|ux researcher|interface designer|"
	  "web and digital interface designer||ux|ui" },
	{ "15-1299", "Computer Occupations, All Other",
	  "gis analyst|gis specialist|blockchain developer|blockchain engineer|video game designer|"
	  "game designer|it project manager|prompt engineer|web administrator||gis|blockchain" },
	{ "15-2011", "Actuaries", "actuary|actuarial analyst" },
	{ "15-2021", "Mathematicians", "mathematician" },
	{ "15-2031", "Operations Research Analysts",
	  "operations research analyst|operations research scientist|optimization analyst|"
	  "optimisation analyst||operations research" },
	{ "15-2041", "Statisticians", "statistician|biostatistician" },
	{ "15-2051", "Data Scientists",
	  "data scientist|data analyst|bi analyst|business intelligence analyst|bi developer|"
	  "business intelligence developer|analytics consultant|data science||data analytics|"
	  "business intelligence" },
	{ "17-2011", "Aerospace Engineers", "aerospace engineer|aeronautical engineer||aerospace" },
	{ "17-2061", "Computer Hardware Engineers",
	  "hardware engineer|computer hardware engineer|fpga engineer|asic engineer|"
	  "chip design engineer|verification engineer|vlsi engineer||fpga|asic" },
	{ "17-2071", "Electrical Engineers", "electrical engineer|power engineer" },
	{ "17-2072", "Electronics Engineers, Except Computer", "electronics engineer|rf engineer" },
	{ "17-2112", "Industrial Engineers",
	  "industrial engineer|process engineer|manufacturing engineer|quality engineer" },
	{ "17-2141", "Mechanical Engineers", "mechanical engineer|robotics engineer||robotics" },
	{ "17-2199", "Engineers, All Other", "mechatronics engineer|energy engineer||mechatronics" },
	{ "17-3023", "Electrical and Electronic Engineering Technologists and Technicians",
	  "electronics technician|electrical technician|engineering technician" },
	{ "25-1021", "Computer Science Teachers, Postsecondary",
	  "computer science lecturer|computer science professor|computer science teacher||lecturer" },
	{ "27-1014", "Special Effects Artists and Animators",
	  "animator|special effects artist|3d artist|vfx artist|motion designer" },
	{ "27-1024", "Graphic Designers", "graphic designer|visual designer" },
	{ "27-3042", "Technical Writers", "technical writer|documentation writer|documentation engineer" },
	{ "41-9031", "Sales Engineers",
	  "sales engineer|solutions engineer|presales engineer|pre sales engineer|pre sales consultant" },
	{ "43-9111", "Statistical Assistants", "statistical assistant" },
	{ "49-2011", "Computer, Automated Teller, and Office Machine Repairers",
	  "computer repair technician|computer repairer|field technician|field service technician" },
	{ "15-0000", "Computer and Mathematical Occupations",
	  "computer and mathematical|computer occupation|computer and mathematical occupation||"
	  "it|information technology|technology|tech" },
	{ "00-0000", "All Occupations", "all occupation|any occupation||all|any" },
};

const size_t OCCUPATIONS_COUNT = COUNT(OCCUPATIONS);
