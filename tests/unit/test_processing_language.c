/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "workers/processing/language.h"

static const struct {
	const char *text, *want;
} CASES[] = {
	{ "We are looking for a baker who will join our team in the early morning.", "en" },
	{ "You will work with the finance team and report to the director.", "en" },
	{ "What you will do: drive the truck, load it and keep the log.", "en" },
	{ "Must be able to lift 50 pounds and stand for long periods of time.", "en" },
	{ "The successful candidate has experience with Python and is based in Berlin.", "en" },
	{ "Requirements: a degree in nursing and two years of experience.", "en" },
	{ "Benefits include health insurance, and we offer training for all staff.", "en" },
	{ "This is a full-time position with a competitive salary.", "en" },
	{ "Wir suchen für unser Team in München eine Bäckerin mit Erfahrung.", "de" },
	{ "Sie bringen eine abgeschlossene Ausbildung und Freude an der Arbeit mit.", "de" },
	{ "Deine Aufgaben: Du betreust unsere Kunden und pflegst die Datenbank.", "de" },
	{ "Das Unternehmen bietet Ihnen einen sicheren Arbeitsplatz und 30 Tage Urlaub.", "de" },
	{ "Als Senior Software Engineer (m/w/d) entwickelst du mit dem Team neue Features.", "de" },
	{ "Für den Standort Hamburg suchen wir ab sofort einen Fahrer.", "de" },
	{ "Was wir bieten: flexible Zeiten und ein Jobticket.", "de" },
	{ "Nous recherchons un boulanger pour notre équipe à Lyon.", "fr" },
	{ "Vous êtes titulaire d'un CAP et vous aimez le travail en équipe.", "fr" },
	{ "Le poste est à pourvoir dès que possible dans une entreprise familiale.", "fr" },
	{ "Au sein de la direction, vous assurez le suivi des dossiers et des clients.", "fr" },
	{ "Missions : accueil des clients, gestion de la caisse et mise en rayon.", "fr" },
	{ "Rejoignez une équipe qui a du goût pour le service.", "fr" },
	{ "Buscamos un panadero para nuestro equipo en Sevilla.", "es" },
	{ "Se requiere experiencia en ventas y disponibilidad para viajar.", "es" },
	{ "La empresa ofrece un contrato indefinido y un salario según convenio.", "es" },
	{ "Funciones: atención al cliente, gestión de pedidos y control del almacén.", "es" },
	{ "Si te gusta el trato con las personas, este es tu trabajo.", "es" },
	{ "Estamos buscando una persona con ganas de aprender y de crecer con nosotros.", "es" },
	{ "Cerchiamo un panettiere per il nostro negozio di Torino.", "it" },
	{ "La risorsa sarà inserita nel reparto e si occuperà della gestione degli ordini.", "it" },
	{ "Si richiede esperienza nella mansione e disponibilità al lavoro su turni.", "it" },
	{ "Offriamo un contratto a tempo indeterminato in una azienda che cresce.", "it" },
	{ "Il candidato ideale ha una laurea e conosce la lingua inglese.", "it" },
	{ "Siamo alla ricerca di un addetto alle vendite per la sede di Milano.", "it" },
	{ "Wij zoeken een bakker voor onze winkel in Utrecht.", "nl" },
	{ "Je hebt ervaring met het werk en je bent niet bang voor een uitdaging.", "nl" },
	{ "Als medewerker ben jij verantwoordelijk voor de planning van het magazijn.", "nl" },
	{ "Wat bieden wij? Een goed salaris en een fijn team om mee te werken.", "nl" },
	{ "Procuramos um padeiro para a nossa equipa em Lisboa.", "pt" },
	{ "Você será responsável pelo atendimento aos clientes e pela gestão do estoque.", "pt" },
	{ "A empresa oferece um salário competitivo e não exige experiência.", "pt" },
	{ "Buscamos pessoas que gostem de trabalhar em equipe com uma boa comunicação.", "pt" },
	{ "Poszukujemy piekarza do pracy w naszej firmie w Krakowie.", "pl" },
	{ "Oferujemy stabilne zatrudnienie oraz szkolenia dla pracowników.", "pl" },
	{ "Twoje zadania to obsługa klientów i przyjmowanie zamówień na miejscu.", "pl" },
	{ "Vi söker en bagare till vårt team i Malmö.", "sv" },
	{ "Du har erfarenhet av arbete på lager och är inte rädd för att ta i.", "sv" },
	{ "Som säljare hos oss kommer du att arbeta med försäljning.", "sv" },
	{ "Vi søger en bager til vores butik i Aarhus, og du får en god løn.", "da" },
	{ "Vi søker en baker til vår butikk i Bergen, og du får god lønn hos oss.", "nb" },
	{ "Etsimme leipuria, joka on valmis työhön myös viikonloppuna ja meillä voit oppia.", "fi" },
	{ "Hledáme pekaře do naší firmy v Brně, nabízíme dobré platové podmínky.", "cs" },
	{ "Ekibimize katılacak bir fırıncı için deneyim ve istek aranan özelliklerdir.", "tr" },
	{ "Căutăm un brutar pentru echipa noastră din Cluj și oferim un salariu bun.", "ro" },
	{ "Pék munkatársat keresünk, és a munka mellett képzést is kínálunk.", "hu" },
	{ "パン職人を募集しています。経験者を歓迎します。", "ja" },
	{ "우리 회사는 제빵사를 모집합니다. 경력자를 우대합니다.", "ko" },
	{ "我们正在招聘一名有经验的面包师傅。", "zh" },
	{ "Мы ищем пекаря с опытом работы в нашу команду.", "ru" },
	{ "Ми шукаємо пекаря, який має досвід і любить свою справу в місті.", "uk" },
	{ "Ζητείται αρτοποιός με εμπειρία για την ομάδα μας.", "el" },
	{ "نبحث عن خباز ذو خبرة للانضمام إلى فريقنا", "ar" },
	{ "אנחנו מחפשים אופה עם ניסיון לצוות שלנו", "he" },
	{ "हमें अपनी टीम के लिए अनुभवी बेकर चाहिए", "hi" },
	{ "เรากำลังมองหาคนทำขนมปังที่มีประสบการณ์", "th" },
	{ "Python, Java, SQL", "" },
	{ "Senior Engineer 4711 Berlin", "" },
	{ "...", "" },
	{ "", "" },
};

static void the_language_of_sentences_is_told(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		const char *got = language_guess(CASES[i].text, strlen(CASES[i].text));

		if (!strcmp(got, CASES[i].want))
			continue;
		wrong++;
		print_error("%s\n  expected \"%s\", got \"%s\"\n", CASES[i].text, CASES[i].want,
			    got);
	}
	assert_int_equal(wrong, 0);
}

static void only_the_beginning_of_a_long_text_counts(void **state)
{
	char *text = mem_alloc(1 << 20);
	size_t n = 0;

	(void)state;
	while (n < LANGUAGE_SAMPLE)
		n += (size_t)snprintf(text + n, 100,
				      "We are looking for a baker who is in our team. ");
	while (n < (1 << 20) - 100)
		n += (size_t)snprintf(text + n, 100, "Wir suchen einen Bäcker für unser Team. ");
	assert_string_equal(language_guess(text, n), "en");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_language_of_sentences_is_told),
		cmocka_unit_test(only_the_beginning_of_a_long_text_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
