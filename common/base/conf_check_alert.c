/* SPDX-License-Identifier: MIT */
#include "common/base/address.h"
#include "common/base/conf_private.h"
#include "common/base/err.h"
#include "common/base/measure.h"
#include "common/base/near.h"

static void check_list(const struct conf *c, enum conf_kind_id kind, size_t i, const char *key,
		       const char *list, struct conf_faults *faults)
{
	struct err e = { 0 };

	if (address_check(list, &e) < 0)
		conf_fault_at(faults, c, kind, i, key, "%s", e.msg);
	else if (strstr(list, "mailto:") && !*c->fleet.smtp_url)
		conf_fault_at(faults, c, kind, i, key,
			      "mail needs smtp_url in the fleet block, such as "
			      "smtps://jobfleet@mail.example.org:465");
}

/* One of a fixed list; the nearest is named. */
static void check_word(const struct conf *c, size_t i, const struct condition *cond,
		       const char *const *words, struct conf_faults *faults)
{
	const char *kind = measure_subject_word(cond->measure);
	struct near near;

	near_init(&near, cond->subject);
	for (; *words; words++) {
		near_offer(&near, *words);
		if (strcmp(*words, cond->subject) == 0)
			return;
	}
	conf_fault_at(faults, c, CONF_ALERT, i, "condition", "there is no %s \"%s\"%s%s%s", kind,
		      cond->subject, near.word ? "; did you mean \"" : "",
		      near.word ? near.word : "", near.word ? "\"?" : "");
}

/* Tasks need no block, and hosts and programs are not known here. */
static void check_subject(const struct conf *c, size_t i, const struct condition *cond,
			  struct conf_faults *faults)
{
	if (!cond->subject[0])
		return;
	if (cond->measure->of == MEASURE_SOURCE && !conf_source(c, cond->subject))
		conf_fault_unknown(faults, c, CONF_ALERT, i, "condition", cond->subject,
				   CONF_SOURCE);
	else if (cond->measure->of == MEASURE_QUEUE && !conf_queue(c, cond->subject))
		conf_fault_unknown(faults, c, CONF_ALERT, i, "condition", cond->subject,
				   CONF_QUEUE);
	else if (cond->measure->of == MEASURE_SERVICE)
		check_word(c, i, cond, measure_services(), faults);
	else if (cond->measure->of == MEASURE_STAGE)
		check_word(c, i, cond, measure_stages(), faults);
}

static void check_alert(const struct conf *c, size_t i, struct conf_faults *faults)
{
	const struct conf_alert *a = &c->alerts[i];
	const char *escalate_to = *a->escalate_to ? a->escalate_to : c->fleet.alert_escalate_to;
	struct condition cond;
	struct err e = { 0 };

	if (condition_parse(a->condition, &cond, &e) < 0)
		conf_fault_at(faults, c, CONF_ALERT, i, "condition", "%s", e.msg);
	else
		check_subject(c, i, &cond, faults);
	if (*a->to)
		check_list(c, CONF_ALERT, i, "to", a->to, faults);
	if (*a->escalate_to)
		check_list(c, CONF_ALERT, i, "escalate_to", a->escalate_to, faults);
	if (a->escalate_after_ms > 0 && !*escalate_to)
		conf_fault_at(faults, c, CONF_ALERT, i, "escalate_after",
			      "nobody is named: give escalate_to, such as mailto:boss@example.org");
}

static void check_smtp(const struct conf *c, struct conf_faults *faults)
{
	const struct conf_fleet *f = &c->fleet;

	if (*f->smtp_url && (!conf_url_has_scheme(f->smtp_url, "smtp smtps") ||
			     conf_url_has_password(f->smtp_url)))
		conf_fault_at(faults, c, CONF_FLEET, 0, "smtp_url",
			      "is not a URL such as smtps://user@host:465 or smtp://host:587; the "
			      "password belongs in JOBFLEET_SMTP_PASSWORD");
	if (*f->smtp_url && (!strchr(f->smtp_from, '@') || strpbrk(f->smtp_from, " \t\r\n<>,")))
		conf_fault_at(faults, c, CONF_FLEET, 0, "smtp_from",
			      "is not the mailbox that mail comes from, such as jobfleet@example.org");
}

void conf_check_alerts(const struct conf *c, struct conf_faults *faults)
{
	static const char *const KEYS[] = { "alert_info_to", "alert_warning_to", "alert_error_to",
					    "alert_critical_to" };

	for (size_t i = 0; i < c->nalerts; i++)
		check_alert(c, i, faults);
	for (size_t i = 0; i < CONF_ALERT_LEVELS; i++)
		check_list(c, CONF_FLEET, 0, KEYS[i], c->fleet.alert_to[i], faults);
	if (*c->fleet.alert_escalate_to)
		check_list(c, CONF_FLEET, 0, "alert_escalate_to", c->fleet.alert_escalate_to,
			   faults);
	else if (c->fleet.alert_escalate_after_ms > 0)
		conf_fault_at(faults, c, CONF_FLEET, 0, "alert_escalate_after",
			      "nobody is named: give alert_escalate_to");
	check_smtp(c, faults);
}
