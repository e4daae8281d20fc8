/* SPDX-License-Identifier: MIT */
#include "workers/ctl/args.h"

#include <getopt.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/near.h"

enum { FIRST = 1000, HELP = FIRST - 1, LABEL_WIDTH = 24 };

static int unknown(const struct args *a, const char *word, struct err *e)
{
	char name[64];
	struct near n;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
	if (strncmp(name, "--", 2) != 0)
		return err_set(e, ERR_USAGE, "no option %s; usage: jobfleet %s", name, a->usage);
	near_init(&n, name + 2);
	near_offer(&n, "help");
	for (size_t i = 0; i < a->noptions; i++)
		near_offer(&n, a->options[i].name);
	if (n.word && strcmp(n.word, name + 2) == 0)
		return err_set(e, ERR_USAGE, "%s takes no value; usage: jobfleet %s", name,
			       a->usage);
	if (n.word)
		return err_set(e, ERR_USAGE, "no option %s; did you mean --%s?", name, n.word);
	return err_set(e, ERR_USAGE, "no option %s; usage: jobfleet %s", name, a->usage);
}

static void print_help(const struct args *a)
{
	char label[64];

	printf("usage: jobfleet %s\n\n%s\n", a->usage, a->about);
	printf("\nOptions:\n");
	for (size_t i = 0; i < a->noptions; i++) {
		const struct args_option *o = &a->options[i];

		snprintf(label, sizeof label, "--%s%s%s", o->name, o->value ? "=" : "",
			 o->value ? o->value : "");
		printf("  %-*s %s\n", LABEL_WIDTH, label, o->help);
	}
	printf("  %-*s %s\n", LABEL_WIDTH, "--help", "show this");
}

static struct option *long_options(const struct args *a)
{
	struct option *o = mem_zalloc((a->noptions + 2) * sizeof *o);

	for (size_t i = 0; i < a->noptions; i++) {
		o[i].name = a->options[i].name;
		o[i].has_arg = a->options[i].value ? required_argument : no_argument;
		o[i].val = FIRST + (int)i;
	}
	o[a->noptions] = (struct option){ "help", no_argument, NULL, HELP };
	return o;
}

static int count_operands(const struct args *a, int n, char **operands, struct err *e)
{
	if (n < a->least)
		return err_set(e, ERR_USAGE, "something is missing; usage: jobfleet %s", a->usage);
	if (a->most >= 0 && n > a->most)
		return err_set(e, ERR_USAGE, "\"%.60s\" is one too many; usage: jobfleet %s",
			       operands[a->most], a->usage);
	return 0;
}

static int collect(const struct args_option *o, struct err *e)
{
	if (o->values->n == ARGS_VALUES_MOST)
		return err_set(e, ERR_USAGE, "--%s is given more than %d times", o->name,
			       ARGS_VALUES_MOST);
	o->values->texts[o->values->n++] = optarg;
	return 0;
}

int args_parse(const struct args *a, int argc, char **argv, char ***ret_operands, struct err *e)
{
	struct option *options = long_options(a);
	int c, r = 0;

	optind = 0;	/* glibc: start anew, whoever parsed before */
	opterr = 0;
	while (r == 0 && (c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		const struct args_option *o = c >= FIRST ? &a->options[c - FIRST] : NULL;

		if (o && o->values)
			r = collect(o, e);
		else if (o && o->value)
			*o->text = optarg;
		else if (o)
			*o->flag = true;
		else if (c == HELP)
			r = 1;
		else if (c == ':')
			r = err_set(e, ERR_USAGE, "%s needs a value", argv[optind - 1]);
		else
			r = unknown(a, argv[optind - 1], e);
	}
	free(options);
	if (r == 1)
		print_help(a);
	if (r == 0)
		r = count_operands(a, argc - optind, argv + optind, e);
	if (r == 0)
		*ret_operands = argv + optind;
	return r;
}
