/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "workers/processing/embed.h"

static void vector_of(const char *text, float ret[EMBED_DIMENSIONS])
{
	struct embed e;

	embed_init(&e);
	embed_add(&e, text, strlen(text), 1);
	embed_finish(&e, ret);
}

static double cosine(const char *a, const char *b)
{
	float x[EMBED_DIMENSIONS], y[EMBED_DIMENSIONS];
	double sum = 0;

	vector_of(a, x);
	vector_of(b, y);
	for (int i = 0; i < EMBED_DIMENSIONS; i++)
		sum += (double)x[i] * y[i];
	return sum;
}

static void a_vector_is_one_long_and_always_the_same(void **state)
{
	static const char TEXT[] = "Weld the hull, paint the hull, test the hull";

	(void)state;
	assert_true(fabs(cosine(TEXT, TEXT) - 1) < 1e-5);
	assert_true(fabs(cosine(TEXT, "WELD the hull; paint the hull. Test the HULL!") - 1) < 1e-5);
}

static void nearer_texts_have_nearer_vectors(void **state)
{
	static const char TEXT[] =
		"Build data pipelines in Python with Airflow and Spark for analysts";

	(void)state;
	assert_true(
		cosine(TEXT, "Build data pipelines in Python with Airflow and Kafka for analysts") >
		0.6);
	assert_true(cosine(TEXT, "Serve coffee and cakes to guests on weekends") < 0.2);
}

static void an_empty_text_has_no_direction(void **state)
{
	float v[EMBED_DIMENSIONS];

	(void)state;
	vector_of(" ,.- ", v);
	for (int i = 0; i < EMBED_DIMENSIONS; i++)
		assert_true(v[i] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vector_is_one_long_and_always_the_same),
		cmocka_unit_test(nearer_texts_have_nearer_vectors),
		cmocka_unit_test(an_empty_text_has_no_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
