/* SPDX-License-Identifier: MIT */
/* doctor: is everything that a fleet needs there, and as it should be? */
#include "workers/ctl/doctor.h"

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "workers/ctl/args.h"
#include "workers/ctl/checkup.h"
#include "workers/ctl/ctl.h"

void doctor_clock(struct checkup *k, const char *area, int64_t theirs_us, int64_t before_us,
		  int64_t after_us)
{
	int64_t off = (theirs_us - (before_us + after_us) / 2) / 1000;
	int64_t least = (off < 0 ? -off : off) - (after_us - before_us) / 2000;

	checkup_add(k, area, "clock", least > DOCTOR_SKEW_MS ? CHECKUP_WARN : CHECKUP_OK,
		    least > DOCTOR_SKEW_MS ? "Let all hosts follow one clock (chrony,"
					     " systemd-timesyncd): ETAs, leases and limits go"
					     " by it." : NULL,
		    "%+lld ms against this host", (long long)off);
}

int doctor_main(struct ctl *c, int argc, char **argv, struct err *e)
{
	const char *command = NULL;
	bool bad = false, set = false;
	const struct args_option options[] = {
		{ "rabbitmqctl", "COMMAND", "how to ask the broker's node; rabbitmqctl, \"\" = not",
		  &command, NULL },
		{ "set-policy", NULL, "sets the broker's policy of dead letters first", NULL, &set },
		{ "quiet", NULL, "leave out what is ok", NULL, &bad },
		CTL_JSON_OPTION(c), CTL_CONFIG_OPTION(c),
	};
	const struct args args = {
		.usage = "doctor [OPTION...]",
		.about =
			"Looks into RabbitMQ, PostgreSQL, Redis, the fleet's own state and this"
			" host: versions, rights,\n"
			"settings, room, clocks. Each check is ok, warn, fail or not checked,"
			" with what to do. Exit status 1:\n"
			"one failed.",
		.options = options,
		.noptions = COUNT(options),
		.least = 0,
		.most = 0,
	};
	struct checkup *k;
	const struct conf *conf;
	char **operands;
	int r = args_parse(&args, argc, argv, &operands, e);

	if (r != 0)
		return r < 0 ? r : CTL_OK;
	r = ctl_conf(c, &conf, e);
	if (r < 0)
		return r;
	k = checkup_new();
	doctor_broker(k, c);
	doctor_rabbitmqctl(k, c, command, set);
	doctor_postgres(k, c);
	doctor_redis(k, c);
	doctor_fleet(k, c);
	doctor_host(k, c);
	if (c->json)
		checkup_print_json(k, stdout);
	else
		checkup_print(k, bad, stdout);
	r = checkup_count(k, CHECKUP_FAIL) ? CTL_FAILED : CTL_OK;
	checkup_free(k);
	return r;
}
