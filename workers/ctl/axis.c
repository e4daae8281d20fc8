/* SPDX-License-Identifier: MIT */
#include "workers/ctl/axis.h"

#include <math.h>

#include "common/base/mem.h"

enum { STEPS_AIM = 5 };

static const double LADDER[] = { 0.0001, 0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 864000 };

/* 1, 2 or 5 times a power of ten: the smallest that is not below v. */
static double round_up(double v)
{
	double power = pow(10, floor(log10(v)));

	for (int i = 0; i < 3; i++) {
		static const double times[] = { 1, 2, 5 };

		if (v <= times[i] * power * (1 + 1e-9))
			return times[i] * power;
	}
	return 10 * power;
}

void axis_init(struct axis *s, double most, bool whole)
{
	double step = round_up((most > 0 ? most : 1) / STEPS_AIM);

	if (whole && step < 1)
		step = 1;
	*s = (struct axis){ .low = 0 };
	do
		s->ticks[s->nticks] = s->nticks * step;
	while (s->ticks[s->nticks++] < most * (1 - 1e-9) || s->nticks < 2);
	s->top = s->ticks[s->nticks - 1];
}

void axis_init_seconds(struct axis *s, double least, double most)
{
	int a = COUNT(LADDER) - 2, b;

	while (a > 0 && LADDER[a] > least)
		a--;
	b = a + 1;
	while (b < (int)COUNT(LADDER) - 1 && LADDER[b] < most)
		b++;
	*s = (struct axis){ .low = LADDER[a], .top = LADDER[b], .log = true };
	for (int i = a; i <= b; i++)
		s->ticks[s->nticks++] = LADDER[i];
}

double axis_place(const struct axis *s, double v)
{
	double place;

	if (s->log)
		place = v <= s->low ? 0 : log(v / s->low) / log(s->top / s->low);
	else
		place = (v - s->low) / (s->top - s->low);
	return fmin(1, fmax(0, place));
}
