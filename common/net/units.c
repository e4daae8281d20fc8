/* SPDX-License-Identifier: MIT */
#include "common/net/units.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

#define TEMPLATE "jobfleet-worker@"
#define SUFFIX ".service"

static const char SERVICE[] = "org.freedesktop.systemd1", PATH[] = "/org/freedesktop/systemd1",
		  MANAGER[] = "org.freedesktop.systemd1.Manager";

struct units {
	sd_bus *bus;
};

bool units_run_us(void)
{
	const char *pid = getenv("SYSTEMD_EXEC_PID");
	int n = 0;

	return pid && scan_int(pid, 1, INT32_MAX, &n, NULL) == 0 && n == getpid();
}

char *unit_instance(const char *program, int number)
{
	return number == 1 ? mem_strdup(program) : mem_printf("%s:%d", program, number);
}

static char *unit_name(const char *program, int number)
{
	char *instance = unit_instance(program, number);
	char *name = mem_printf(TEMPLATE "%s" SUFFIX, instance);

	free(instance);
	return name;
}

/* ---- errors ---- */

static int refused(const char *what, struct err *e)
{
	return err_set(e, ERR_REFUSED,
		       "%s: systemd does not let user id %u do that; root may, and jobfleet where "
		       "polkit and /usr/share/polkit-1/rules.d/jobfleet.rules are there", what,
		       (unsigned)geteuid());
}

static int fault(int r, const sd_bus_error *b, const char *what, struct err *e)
{
	const char *text = b->message ? b->message : strerror(-r);

	if (sd_bus_error_has_name(b, SD_BUS_ERROR_ACCESS_DENIED) ||
	    sd_bus_error_has_name(b, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
		return refused(what, e);
	if (sd_bus_error_has_name(b, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    sd_bus_error_has_name(b, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		return err_set(e, ERR_NOT_FOUND, "%s: there is no systemd on this host", what);
	if (sd_bus_error_has_name(b, "org.freedesktop.systemd1.NoSuchUnit"))
		return err_set(e, ERR_NOT_FOUND, "%s: %s", what, text);
	if (sd_bus_error_has_name(b, "org.freedesktop.systemd1.UnitMasked"))
		return err_set(e, ERR_CONFIG, "%s: %s", what, text);
	return err_set(e, ERR_NET, "%s: systemd: %s", what, text);
}

/* ---- life ---- */

/* The library itself would wait 90 s for a bus that takes connections and says nothing. */
static int wait_ready(sd_bus *bus, int timeout_ms, struct err *e)
{
	int64_t end = clock_mono_ms() + timeout_ms;
	int r;

	while ((r = sd_bus_is_ready(bus)) == 0) {
		int64_t left = end - clock_mono_ms();

		if (left <= 0)
			return err_set(e, ERR_NET, "D-Bus does not answer");
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, (uint64_t)left * 1000);
		if (r < 0)
			break;
	}
	return r < 0 ? err_set(e, ERR_NET, "D-Bus: %s", strerror(-r)) : 0;
}

static int check_template(struct units *u, struct err *e)
{
	sd_bus_error b = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r = sd_bus_call_method(u->bus, SERVICE, PATH, MANAGER, "ListUnitFilesByPatterns", &b,
				   &m, "asas", 0, 1, TEMPLATE SUFFIX);

	if (r < 0)
		r = fault(r, &b, "looking for " TEMPLATE SUFFIX, e);
	else if (sd_bus_message_enter_container(m, 'a', "(ss)") < 0 ||
		 sd_bus_message_at_end(m, 0) != 0)
		r = err_set(e, ERR_NOT_FOUND, "systemd has no unit " TEMPLATE SUFFIX " here");
	sd_bus_message_unref(m);
	sd_bus_error_free(&b);
	return r < 0 ? r : 0;
}

int units_open(struct units **ret, int timeout_ms, struct err *e)
{
	struct units *u = mem_zalloc(sizeof *u);
	int r = sd_bus_open_system(&u->bus);

	if (r == -ENOENT || r == -ECONNREFUSED)
		r = err_set(e, ERR_NOT_FOUND, "there is no D-Bus here, so no systemd to ask");
	else if (r < 0)
		r = err_set(e, ERR_NET, "D-Bus: %s", strerror(-r));
	if (r >= 0)
		r = wait_ready(u->bus, timeout_ms, e);
	if (r >= 0)
		sd_bus_set_method_call_timeout(u->bus, (uint64_t)timeout_ms * 1000);
	if (r >= 0)
		r = check_template(u, e);
	if (r < 0) {
		units_close(u);
		return r;
	}
	*ret = u;
	return 0;
}

void units_close(struct units *u)
{
	if (!u)
		return;
	sd_bus_close_unref(u->bus);
	free(u);
}

/* ---- looking ---- */

/* The number in a unit's name; 0 = it is another program's, or has none of ours. */
static int number_of(const char *name, const char *program)
{
	size_t n = strlen(TEMPLATE), m = strlen(program);
	const char *end = strstr(name, SUFFIX), *at = name + n + m;
	char digits[8] = "";
	int number = 0;

	if (strncmp(name, TEMPLATE, n) != 0 || strncmp(name + n, program, m) != 0 || !end)
		return 0;
	if (at == end)
		return 1;
	if (*at != ':' || (size_t)(end - at - 1) >= sizeof digits)
		return 0;
	memcpy(digits, at + 1, (size_t)(end - at - 1));
	return scan_int(digits, 2, UNITS_MAX, &number, NULL) == 0 ? number : 0;
}

static enum unit_state state_of(const char *active)
{
	if (strcmp(active, "failed") == 0)
		return UNIT_FAILED;
	if (strcmp(active, "deactivating") == 0)
		return UNIT_LEAVING;
	return strcmp(active, "inactive") == 0 ? UNIT_GONE : UNIT_UP;
}

static int read_units(sd_bus_message *m, const char *program, struct units_view *v)
{
	const char *name, *active;
	int r = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");

	while (r >= 0 && (r = sd_bus_message_read(m, "(ssssssouso)", &name, NULL, NULL, &active,
						  NULL, NULL, NULL, NULL, NULL, NULL)) > 0) {
		int number = number_of(name, program);

		v->states[number] = number ? state_of(active) : UNIT_GONE;
		v->up += v->states[number] == UNIT_UP;
	}
	return r;
}

int units_look(struct units *u, const char *program, struct units_view *ret, struct err *e)
{
	char *one = unit_name(program, 1), *more = mem_printf(TEMPLATE "%s:*" SUFFIX, program);
	sd_bus_error b = SD_BUS_ERROR_NULL;
	struct units_view v = { 0 };
	sd_bus_message *m = NULL;
	int r = sd_bus_call_method(u->bus, SERVICE, PATH, MANAGER, "ListUnitsByPatterns", &b, &m,
				   "asas", 0, 2, one, more);

	if (r >= 0)
		r = read_units(m, program, &v);
	if (r < 0)
		r = fault(r, &b, one, e);
	else
		*ret = v;
	sd_bus_message_unref(m);
	sd_bus_error_free(&b);
	free(one);
	free(more);
	return r < 0 ? r : 0;
}

/* ---- acting ---- */

static int order(struct units *u, const char *method, const char *program, int number,
		 struct err *e)
{
	char *unit = unit_name(program, number);
	sd_bus_error b = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(u->bus, SERVICE, PATH, MANAGER, method, &b, NULL, "ss", unit,
				   "replace");

	if (r < 0)
		r = fault(r, &b, unit, e);
	sd_bus_error_free(&b);
	free(unit);
	return r < 0 ? r : 0;
}

/* The next to start or to stop after `number`; 0 = there is none. */
static int next(const struct units_view *v, int number, bool start)
{
	int step = start ? 1 : -1;

	for (number += step; number >= 1 && number <= UNITS_MAX; number += step)
		if (start ? v->states[number] == UNIT_GONE || v->states[number] == UNIT_FAILED :
			    v->states[number] == UNIT_UP)
			return number;
	return 0;
}

int units_scale(struct units *u, const char *program, const struct units_view *seen, int wanted,
		int *ret_missed, struct err *e)
{
	bool start = wanted > seen->up;
	int left = abs(wanted - seen->up), number = start ? 0 : UNITS_MAX + 1, done = 0, r = 0;
	struct err later;

	while (left > 0 && (number = next(seen, number, start)) > 0) {
		int one = order(u, start ? "StartUnit" : "StopUnit", program, number,
				r < 0 ? &later : e);

		left -= one == 0;
		done += one == 0;
		r = r < 0 ? r : one;
		if (one == -ERR_NET || one == -ERR_REFUSED)
			break;		/* it would be so with the others, too */
	}
	*ret_missed = left;
	if (left > 0 && r == 0)
		r = err_set(e, ERR_NOT_FOUND, "%s: an instance has a number up to %d", program,
			    UNITS_MAX);
	return done > 0 ? done : r;
}
