-- SPDX-License-Identifier: MIT
-- The domain's tables, in public where callers' SQL finds them: what was collected
-- (raw_job_collections), processed (job_processing_log, processed_job_data) and loaded
-- (enhanced_jobs, job_sources, companies), and the salary figures (salary_benchmarks, market_data,
-- confidence_scores, salary_data_cache).
--
-- A table that already exists is adopted: it keeps its rows, gets the columns and constraints it
-- lacks where its rows allow it, and every difference that stays is named: as a NOTICE and in
-- jobfleet.schema_differences. Each table is therefore first made in a scratch schema, then moved
-- (there was none) or compared (jobfleet.adopt_table). Foreign keys and indexes come last.
--
-- Lists are closed by checks, except where callers' own spellings must pass ("Mid", "Bachelor's").

CREATE TABLE jobfleet.schema_differences (
	table_name text NOT NULL,
	difference text NOT NULL,
	found_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (table_name, difference)
);
COMMENT ON TABLE jobfleet.schema_differences IS 'where an adopted table is not as jobfleet would have made it';

CREATE FUNCTION jobfleet.note_difference(tab text, difference text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'public.%: %', tab, difference;
	INSERT INTO jobfleet.schema_differences (table_name, difference)
	VALUES (tab, note_difference.difference) ON CONFLICT DO NOTHING;
END $$;

-- Adds to an adopted table one column it lacks. NOT NULL only if a default fills the rows there are.
CREATE FUNCTION jobfleet.adopt_column(tab text, col text, type text, def text, required boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	filled boolean := def IS NOT NULL;
BEGIN
	IF NOT filled THEN
		EXECUTE format('SELECT NOT EXISTS (SELECT FROM public.%I)', tab) INTO filled;
	END IF;
	EXECUTE format('ALTER TABLE public.%I ADD COLUMN %I %s %s %s', tab, col, type,
		coalesce('DEFAULT ' || def, ''), CASE WHEN required AND filled THEN 'NOT NULL' ELSE '' END);
	PERFORM jobfleet.note_difference(tab, format('column %s was missing and is added%s', col,
		CASE WHEN required AND NOT filled THEN ', null in the rows there are' ELSE '' END));
END $$;

-- Adds to an adopted table one check, key or unique constraint it lacks, if its rows allow it.
CREATE FUNCTION jobfleet.adopt_constraint(tab text, con text, type "char", definition text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I %s%s', tab, con, definition,
		CASE WHEN type IN ('c', 'f') THEN ' NOT VALID' ELSE '' END);
	PERFORM jobfleet.note_difference(tab, format('constraint %s was missing and is added', con));
EXCEPTION WHEN OTHERS THEN
	PERFORM jobfleet.note_difference(tab, format('constraint %s (%s) cannot be added: %s', con,
		definition, SQLERRM));
END $$;

-- Moves scratch table jobfleet_want.<tab> to public, or makes public.<tab> as like it as can be.
CREATE FUNCTION jobfleet.adopt_table(tab text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	want regclass := format('jobfleet_want.%I', tab)::regclass;
	have regclass := to_regclass(format('public.%I', tab));
	c    record;
BEGIN
	IF have IS NULL THEN
		EXECUTE format('ALTER TABLE %s SET SCHEMA public', want);
		RETURN;
	END IF;
	FOR c IN
		SELECT w.attname, format_type(w.atttypid, w.atttypmod) AS type, w.attnotnull, h.attname AS found,
			format_type(h.atttypid, h.atttypmod) AS has_type, h.attnotnull AS has_notnull,
			pg_get_expr(d.adbin, d.adrelid) AS def, w.attgenerated
		FROM pg_attribute w
		LEFT JOIN pg_attribute h ON h.attrelid = have AND h.attname = w.attname AND NOT h.attisdropped
		LEFT JOIN pg_attrdef d ON d.adrelid = w.attrelid AND d.adnum = w.attnum
		WHERE w.attrelid = want AND w.attnum > 0 AND NOT w.attisdropped ORDER BY w.attnum
	LOOP
		IF c.found IS NULL THEN
			PERFORM jobfleet.adopt_column(tab, c.attname, c.type, c.def, c.attnotnull);
		ELSIF c.type <> c.has_type THEN
			PERFORM jobfleet.note_difference(tab, format('column %s is %s, expected %s', c.attname,
				c.has_type, c.type));
		ELSIF c.attnotnull AND NOT c.has_notnull THEN
			PERFORM jobfleet.note_difference(tab, format('column %s allows null, expected not null', c.attname));
		END IF;
	END LOOP;
	FOR c IN
		SELECT w.conname, w.contype, pg_get_constraintdef(w.oid) AS def, pg_get_constraintdef(h.oid) AS has_def
		FROM pg_constraint w LEFT JOIN pg_constraint h ON h.conrelid = have AND h.conname = w.conname
		WHERE w.conrelid = want AND NOT EXISTS (SELECT FROM pg_constraint o
			WHERE o.conrelid = have AND pg_get_constraintdef(o.oid) = pg_get_constraintdef(w.oid))
	LOOP
		IF c.contype = 'p' AND EXISTS (SELECT FROM pg_constraint WHERE conrelid = have AND contype = 'p') THEN
			-- it has another key: ours is made unique beside it, for the tables that point here
			PERFORM jobfleet.adopt_constraint(tab, tab || '_jobfleet_key', 'u',
				replace(c.def, 'PRIMARY KEY', 'UNIQUE'));
		ELSIF c.has_def IS NOT NULL THEN
			PERFORM jobfleet.note_difference(tab, format('constraint %s is %s, expected %s', c.conname,
				c.has_def, c.def));
		ELSE
			PERFORM jobfleet.adopt_constraint(tab, c.conname, c.contype, c.def);
		END IF;
	END LOOP;
	EXECUTE format('DROP TABLE %s', want);
END $$;

-- Adds a foreign key or an index unless an adopted table has one of that name; names what fails.
CREATE FUNCTION jobfleet.adopt_key(tab text, con text, definition text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_constraint
			WHERE conrelid = format('public.%I', tab)::regclass AND conname = con) THEN
		EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I FOREIGN KEY %s', tab, con, definition);
	END IF;
EXCEPTION
WHEN foreign_key_violation THEN
	EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I FOREIGN KEY %s NOT VALID', tab, con, definition);
	PERFORM jobfleet.note_difference(tab, format('foreign key %s holds for new rows only: %s', con, SQLERRM));
WHEN OTHERS THEN
	PERFORM jobfleet.note_difference(tab, format('foreign key %s cannot be added: %s', con, SQLERRM));
END $$;
CREATE FUNCTION jobfleet.adopt_index(tab text, name text, definition text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF to_regclass(format('public.%I', name)) IS NULL THEN
		EXECUTE format('CREATE %s', replace(definition, '@', format('%I ON public.%I', name, tab)));
	END IF;
EXCEPTION
WHEN unique_violation THEN
	PERFORM jobfleet.note_difference(tab, format('rows repeat each other, so index %s cannot be made and '
		'workers cannot write here: remove the repetitions, then run CREATE %s', name,
		replace(definition, '@', format('%I ON public.%I', name, tab))));
WHEN OTHERS THEN
	PERFORM jobfleet.note_difference(tab, format('index %s cannot be made: %s', name, SQLERRM));
END $$;

CREATE FUNCTION jobfleet.touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.updated_at := now();
	RETURN NEW;
END $$;

CREATE SCHEMA jobfleet_want;

-- ---- collection ----

-- Every answer of a provider, kept before anything looks at it. raw_response is the body as jsonb;
-- raw_body its exact bytes (zstd). A body that jsonb refuses has {} there and why in error_info.
CREATE TABLE jobfleet_want.raw_job_collections (
	collection_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	timestamp         timestamptz NOT NULL DEFAULT now(),
	api_provider      varchar(50) NOT NULL,
	query_params      jsonb NOT NULL,
	query_hash        text,
	raw_response      jsonb NOT NULL,
	raw_body          bytea,
	content_type      text,
	http_status       integer CHECK (http_status BETWEEN 100 AND 599),
	metadata          jsonb NOT NULL DEFAULT '{}',
	processing_status varchar(20) NOT NULL DEFAULT 'pending'
		CHECK (processing_status IN ('pending', 'processing', 'completed', 'failed', 'partial')),
	error_info        jsonb,
	run_id            text,
	is_demo           boolean NOT NULL DEFAULT false,
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now()
);

-- ---- processing ----

CREATE TABLE jobfleet_want.job_processing_log (
	processing_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	collection_id  uuid,
	started_at     timestamptz NOT NULL DEFAULT now(),
	completed_at   timestamptz,
	status         varchar(20) NOT NULL DEFAULT 'pending'
		CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'partial')),
	jobs_processed integer NOT NULL DEFAULT 0 CHECK (jobs_processed >= 0),
	jobs_failed    integer NOT NULL DEFAULT 0 CHECK (jobs_failed >= 0),
	jobs_loaded    integer NOT NULL DEFAULT 0 CHECK (jobs_loaded >= 0),
	jobs_merged    integer NOT NULL DEFAULT 0 CHECK (jobs_merged >= 0),
	errors         jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(errors) = 'array'),
	metrics        jsonb NOT NULL DEFAULT '{}',
	loaded_at      timestamptz,
	run_id         text,
	created_at     timestamptz NOT NULL DEFAULT now(),
	updated_at     timestamptz NOT NULL DEFAULT now()
);

-- One posting of a processing run, until it is loaded. duplicate_of: the posting it repeats.
CREATE TABLE jobfleet_want.processed_job_data (
	processing_id  uuid NOT NULL,
	job_index      integer NOT NULL CHECK (job_index >= 0),
	processed_data jsonb NOT NULL,
	duplicate_of   uuid,
	job_id         uuid,
	load_status    varchar(20) NOT NULL DEFAULT 'pending'
		CHECK (load_status IN ('pending', 'loaded', 'duplicate', 'failed', 'skipped')),
	load_error     text,
	created_at     timestamptz NOT NULL DEFAULT now(),
	loaded_at      timestamptz,
	PRIMARY KEY (processing_id, job_index)
);

-- ---- postings ----

CREATE TABLE jobfleet_want.companies (
	id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name         text NOT NULL,
	match_key    text NOT NULL,
	website      text,
	logo_url     text,
	company_type text,
	linkedin_url text,
	naics_code   text,
	naics_name   text,
	is_demo      boolean NOT NULL DEFAULT false,
	metadata     jsonb NOT NULL DEFAULT '{}',
	first_seen   timestamptz NOT NULL DEFAULT now(),
	last_seen    timestamptz NOT NULL DEFAULT now(),
	created_at   timestamptz NOT NULL DEFAULT now(),
	updated_at   timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT companies_key UNIQUE (match_key, is_demo)
);

-- The postings. dedupe_key is one text made of the normalised title, company and place; equal keys
-- are one posting, whose sources stand in job_sources. Demo rows never merge with real ones.
-- Amounts are as offered, in salary_currency per salary_period; salary_annual_* are annualised.
CREATE TABLE jobfleet_want.enhanced_jobs (
	id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	source_collection_id uuid,
	source_processing_id uuid,
	raw_data             jsonb NOT NULL DEFAULT '{}',
	title                text NOT NULL CHECK (title <> ''),
	company              text,
	company_id           uuid,
	location             text,
	city                 text,
	state                text,
	country              text,
	postal_code          text,
	latitude             double precision CHECK (latitude BETWEEN -90 AND 90),
	longitude            double precision CHECK (longitude BETWEEN -180 AND 180),
	remote               text NOT NULL DEFAULT 'unknown'
		CHECK (remote IN ('remote', 'hybrid', 'onsite', 'unknown')),
	employment_types     text[] NOT NULL DEFAULT '{}' CHECK (employment_types <@
		ARRAY['FULLTIME', 'PARTTIME', 'CONTRACTOR', 'INTERN', 'TEMPORARY']),
	seniority            text NOT NULL DEFAULT 'unknown'
		CHECK (seniority IN ('unknown', 'intern', 'entry', 'mid', 'senior', 'staff', 'principal', 'lead',
			'manager', 'director', 'executive')),
	salary_min           numeric(14,2) CHECK (salary_min >= 0),
	salary_max           numeric(14,2),
	salary_currency      varchar(3) CHECK (salary_currency ~ '^[A-Z]{3}$'),
	salary_period        text CHECK (salary_period IN ('HOUR', 'DAY', 'WEEK', 'TWO_WEEKS', 'MONTH', 'YEAR')),
	salary_annual_min    numeric(14,2),
	salary_annual_max    numeric(14,2),
	salary_estimated     boolean NOT NULL DEFAULT false,
	salary_text          text,
	description          text NOT NULL DEFAULT '',
	apply_url            text,
	apply_options        jsonb NOT NULL DEFAULT '[]',
	skills               text[] NOT NULL DEFAULT '{}',
	benefits             text[] NOT NULL DEFAULT '{}',
	experience_months    integer CHECK (experience_months >= 0),
	education            text,
	soc_code             text,
	naics_code           text,
	language             text,
	posted_at            timestamptz,
	posted_exact         boolean NOT NULL DEFAULT false,
	expires_at           timestamptz,
	dedupe_title         text NOT NULL,
	dedupe_company       text NOT NULL DEFAULT '',
	dedupe_location      text NOT NULL DEFAULT '',
	dedupe_key           text NOT NULL,
	apply_key            text,
	api_provider         varchar(50) NOT NULL,
	external_id          text,
	sources              text[] NOT NULL DEFAULT '{}',
	times_seen           integer NOT NULL DEFAULT 1 CHECK (times_seen > 0),
	status               text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'expired', 'withdrawn')),
	quality_score        numeric(3,2) NOT NULL DEFAULT 0.0 CHECK (quality_score BETWEEN 0 AND 1),
	rules_version        integer NOT NULL DEFAULT 1,
	is_demo              boolean NOT NULL DEFAULT false,
	metadata             jsonb NOT NULL DEFAULT '{}',
	first_seen           timestamptz NOT NULL DEFAULT now(),
	last_seen            timestamptz NOT NULL DEFAULT now(),
	created_at           timestamptz NOT NULL DEFAULT now(),
	updated_at           timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT enhanced_jobs_salary_order CHECK (salary_min <= salary_max),
	CONSTRAINT enhanced_jobs_dedupe UNIQUE (dedupe_key, is_demo)
);

-- Where a posting was seen: one row for each provider, publisher and its id.
CREATE TABLE jobfleet_want.job_sources (
	id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	job_id        uuid NOT NULL,
	api_provider  varchar(50) NOT NULL,
	publisher     text,
	external_id   text,
	apply_url     text,
	collection_id uuid,
	processing_id uuid,
	job_index     integer,
	posted_at     timestamptz,
	times_seen    integer NOT NULL DEFAULT 1 CHECK (times_seen > 0),
	first_seen    timestamptz NOT NULL DEFAULT now(),
	last_seen     timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT job_sources_once UNIQUE NULLS NOT DISTINCT (job_id, api_provider, publisher, external_id)
);

-- ---- salary ----

CREATE TABLE jobfleet_want.salary_benchmarks (
	id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	location                varchar(255) NOT NULL,
	occupation              varchar(255) NOT NULL,
	industry                varchar(255),
	experience_level        varchar(50),
	education_level         varchar(50),
	median_salary           numeric(12,2) NOT NULL CHECK (median_salary >= 0),
	mean_salary             numeric(12,2),
	percentile_25           numeric(12,2),
	percentile_75           numeric(12,2),
	percentile_90           numeric(12,2),
	sample_size             integer CHECK (sample_size >= 0),
	data_source             varchar(50) NOT NULL,
	source_confidence_score numeric(3,2) DEFAULT 0.0 CHECK (source_confidence_score BETWEEN 0 AND 1),
	data_freshness_days     integer,
	year                    integer NOT NULL CHECK (year BETWEEN 1900 AND 2200),
	quarter                 integer CHECK (quarter BETWEEN 1 AND 4),
	cache_key               varchar(255),
	metadata                jsonb DEFAULT '{}',
	created_at              timestamptz DEFAULT now(),
	updated_at              timestamptz DEFAULT now()
);

CREATE TABLE jobfleet_want.market_data (
	id                     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	location               varchar(255) NOT NULL,
	occupation             varchar(255),
	industry               varchar(255),
	job_count              integer CHECK (job_count >= 0),
	job_growth_rate        numeric(5,2),
	unemployment_rate      numeric(5,2),
	cost_of_living_index   numeric(8,2),
	demand_score           numeric(3,2) DEFAULT 0.0 CHECK (demand_score >= 0),
	remote_work_percentage numeric(5,2),
	data_source            varchar(50) NOT NULL,
	year                   integer NOT NULL CHECK (year BETWEEN 1900 AND 2200),
	quarter                integer CHECK (quarter BETWEEN 1 AND 4),
	cache_key              varchar(255),
	metadata               jsonb DEFAULT '{}',
	created_at             timestamptz DEFAULT now(),
	updated_at             timestamptz DEFAULT now()
);

CREATE TABLE jobfleet_want.confidence_scores (
	id                       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	data_type                varchar(50) NOT NULL,
	location                 varchar(255) NOT NULL,
	occupation               varchar(255),
	industry                 varchar(255),
	sample_size_score        numeric(3,2) DEFAULT 0.0 CHECK (sample_size_score BETWEEN 0 AND 1),
	data_freshness_score     numeric(3,2) DEFAULT 0.0 CHECK (data_freshness_score BETWEEN 0 AND 1),
	source_reliability_score numeric(3,2) DEFAULT 0.0 CHECK (source_reliability_score BETWEEN 0 AND 1),
	methodology_score        numeric(3,2) DEFAULT 0.0 CHECK (methodology_score BETWEEN 0 AND 1),
	consistency_score        numeric(3,2) DEFAULT 0.0 CHECK (consistency_score BETWEEN 0 AND 1),
	overall_confidence_score numeric(3,2) DEFAULT 0.0 CHECK (overall_confidence_score BETWEEN 0 AND 1),
	year                     integer NOT NULL CHECK (year BETWEEN 1900 AND 2200),
	quarter                  integer CHECK (quarter BETWEEN 1 AND 4),
	cache_key                varchar(255),
	metadata                 jsonb DEFAULT '{}',
	created_at               timestamptz DEFAULT now(),
	updated_at               timestamptz DEFAULT now()
);

CREATE TABLE jobfleet_want.salary_data_cache (
	id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	cache_key    varchar(255) NOT NULL UNIQUE,
	data_type    varchar(50) NOT NULL,
	redis_key    varchar(255) NOT NULL,
	ttl_seconds  integer DEFAULT 86400,
	cache_hits   integer DEFAULT 0,
	cache_misses integer DEFAULT 0,
	hit_rate     numeric(5,2),
	is_active    boolean DEFAULT true,
	expires_at   timestamptz,
	metadata     jsonb DEFAULT '{}',
	created_at   timestamptz DEFAULT now(),
	updated_at   timestamptz DEFAULT now()
);

-- ---- vectors: of 1536 dimensions, as the vector type where the extension can be had ----

DO $$
DECLARE
	type text := 'real[]';
	tab  text;
BEGIN
	IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
		BEGIN
			CREATE EXTENSION IF NOT EXISTS vector;
			type := 'vector(1536)';
		EXCEPTION WHEN insufficient_privilege THEN
			RAISE NOTICE 'extension vector needs a superuser; embeddings are real[] here';
		END;
	END IF;
	FOREACH tab IN ARRAY ARRAY['processed_job_data', 'enhanced_jobs'] LOOP
		EXECUTE format('ALTER TABLE jobfleet_want.%I ADD COLUMN embedding %s', tab, type);
		IF type = 'real[]' THEN
			EXECUTE format('ALTER TABLE jobfleet_want.%I ADD CONSTRAINT %I CHECK (cardinality(embedding) = 1536)',
				tab, tab || '_embedding_length');
		END IF;
	END LOOP;
END $$;

-- ---- into place ----

DO $$
DECLARE
	tab text;
BEGIN
	FOREACH tab IN ARRAY ARRAY['raw_job_collections', 'job_processing_log', 'companies', 'enhanced_jobs',
		'processed_job_data', 'job_sources', 'salary_benchmarks', 'market_data', 'confidence_scores',
		'salary_data_cache']
	LOOP
		PERFORM jobfleet.adopt_table(tab);
	END LOOP;
	FOREACH tab IN ARRAY ARRAY['raw_job_collections', 'job_processing_log', 'companies', 'enhanced_jobs',
		'salary_benchmarks', 'market_data', 'confidence_scores', 'salary_data_cache']
	LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER jobfleet_touch BEFORE UPDATE ON public.%I FOR EACH ROW '
			'EXECUTE FUNCTION jobfleet.touch_updated_at()', tab);
	END LOOP;
END $$;

DROP SCHEMA jobfleet_want;

DO $$
BEGIN
	PERFORM
		jobfleet.adopt_key('job_processing_log', 'fk_collection', '(collection_id) REFERENCES public.raw_job_collections (collection_id) ON DELETE SET NULL'),
		jobfleet.adopt_key('processed_job_data', 'fk_processing', '(processing_id) REFERENCES public.job_processing_log (processing_id) ON DELETE CASCADE'),
		jobfleet.adopt_key('processed_job_data', 'fk_duplicate_of', '(duplicate_of) REFERENCES public.enhanced_jobs (id) ON DELETE SET NULL'),
		jobfleet.adopt_key('processed_job_data', 'fk_job', '(job_id) REFERENCES public.enhanced_jobs (id) ON DELETE SET NULL'),
		jobfleet.adopt_key('enhanced_jobs', 'fk_source_collection', '(source_collection_id) REFERENCES public.raw_job_collections (collection_id) ON DELETE SET NULL'),
		jobfleet.adopt_key('enhanced_jobs', 'fk_source_processing', '(source_processing_id) REFERENCES public.job_processing_log (processing_id) ON DELETE SET NULL'),
		jobfleet.adopt_key('enhanced_jobs', 'fk_company', '(company_id) REFERENCES public.companies (id) ON DELETE SET NULL'),
		jobfleet.adopt_key('job_sources', 'fk_job', '(job_id) REFERENCES public.enhanced_jobs (id) ON DELETE CASCADE'),
		jobfleet.adopt_key('job_sources', 'fk_collection', '(collection_id) REFERENCES public.raw_job_collections (collection_id) ON DELETE SET NULL'),
		jobfleet.adopt_key('job_sources', 'fk_processing', '(processing_id) REFERENCES public.job_processing_log (processing_id) ON DELETE SET NULL');
	PERFORM
		-- by age: listing, pruning
		jobfleet.adopt_index('raw_job_collections', 'raw_job_collections_timestamp', 'INDEX @ (timestamp)'),
		-- the last answer to the same question
		jobfleet.adopt_index('raw_job_collections', 'raw_job_collections_query', 'INDEX @ (query_hash, timestamp DESC)'),
		-- what waits, oldest first
		jobfleet.adopt_index('raw_job_collections', 'raw_job_collections_status', 'INDEX @ (processing_status, timestamp)'),
		jobfleet.adopt_index('raw_job_collections', 'raw_job_collections_run', 'INDEX @ (run_id) WHERE run_id IS NOT NULL'),
		-- the foreign keys' other side, and all attempts at a collection
		jobfleet.adopt_index('job_processing_log', 'job_processing_log_collection', 'INDEX @ (collection_id)'),
		jobfleet.adopt_index('job_processing_log', 'job_processing_log_status', 'INDEX @ (status, started_at)'),
		jobfleet.adopt_index('job_processing_log', 'job_processing_log_run', 'INDEX @ (run_id) WHERE run_id IS NOT NULL'),
		-- what is still to be loaded
		jobfleet.adopt_index('processed_job_data', 'processed_job_data_waiting', 'INDEX @ (created_at) WHERE load_status = ''pending'''),
		jobfleet.adopt_index('processed_job_data', 'processed_job_data_job', 'INDEX @ (job_id)'),
		jobfleet.adopt_index('processed_job_data', 'processed_job_data_duplicate_of', 'INDEX @ (duplicate_of)'),
		-- duplicates found by their apply link, across titles
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_apply_key', 'INDEX @ (apply_key) WHERE apply_key IS NOT NULL'),
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_collection', 'INDEX @ (source_collection_id)'),
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_processing', 'INDEX @ (source_processing_id)'),
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_company', 'INDEX @ (company_id)'),
		-- search: newest active first, by place, by skill
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_posted', 'INDEX @ (posted_at DESC) WHERE status = ''active'''),
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_place', 'INDEX @ (country, state, city)'),
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_skills', 'INDEX @ USING gin (skills)'),
		-- what a provider's id was loaded as
		jobfleet.adopt_index('job_sources', 'job_sources_external', 'INDEX @ (api_provider, external_id)'),
		jobfleet.adopt_index('job_sources', 'job_sources_collection', 'INDEX @ (collection_id)'),
		jobfleet.adopt_index('job_sources', 'job_sources_processing', 'INDEX @ (processing_id)'),
		-- one figure for each question, source and time: what the salary worker upserts on
		jobfleet.adopt_index('salary_benchmarks', 'salary_benchmarks_once', 'UNIQUE INDEX @ (location, occupation, industry, experience_level, education_level, data_source, year, quarter) NULLS NOT DISTINCT'),
		jobfleet.adopt_index('salary_benchmarks', 'salary_benchmarks_cache_key', 'INDEX @ (cache_key)'),
		jobfleet.adopt_index('market_data', 'market_data_once', 'UNIQUE INDEX @ (location, occupation, industry, data_source, year, quarter) NULLS NOT DISTINCT'),
		jobfleet.adopt_index('market_data', 'market_data_cache_key', 'INDEX @ (cache_key)'),
		jobfleet.adopt_index('confidence_scores', 'confidence_scores_once', 'UNIQUE INDEX @ (data_type, location, occupation, industry, year, quarter) NULLS NOT DISTINCT'),
		jobfleet.adopt_index('confidence_scores', 'confidence_scores_cache_key', 'INDEX @ (cache_key)'),
		-- the hourly clean-up
		jobfleet.adopt_index('salary_data_cache', 'salary_data_cache_expiry', 'INDEX @ (expires_at) WHERE is_active');
END $$;

COMMENT ON TABLE public.raw_job_collections IS 'every answer of a provider, kept before anything looks at it';
COMMENT ON COLUMN public.raw_job_collections.query_hash IS 'sha256, hex, of provider and canonical query_params';
COMMENT ON COLUMN public.raw_job_collections.raw_body IS 'the exact bytes of the body, compressed with zstd';
COMMENT ON COLUMN public.raw_job_collections.error_info IS '{"reason", "detail", …} where the answer could not be used as it is';
COMMENT ON COLUMN public.raw_job_collections.run_id IS 'task id of the run_pipeline or schedule this belongs to';
COMMENT ON TABLE public.job_processing_log IS 'one processing of one collection: counts, errors, metrics';
COMMENT ON COLUMN public.job_processing_log.errors IS '[{"job_index", "error_type", "error_message", "raw_data"}]';
COMMENT ON COLUMN public.job_processing_log.jobs_loaded IS 'new postings; those merged into known ones count in jobs_merged';
COMMENT ON TABLE public.processed_job_data IS 'normalised postings on their way into enhanced_jobs';
COMMENT ON COLUMN public.processed_job_data.duplicate_of IS 'the posting in enhanced_jobs that this one repeats';
COMMENT ON COLUMN public.processed_job_data.job_id IS 'the posting in enhanced_jobs that this one became or went into';
COMMENT ON TABLE public.enhanced_jobs IS 'the postings, one row each however many sources showed it';
COMMENT ON COLUMN public.enhanced_jobs.country IS 'ISO 3166-1 alpha-2, upper case, where it is known';
COMMENT ON COLUMN public.enhanced_jobs.dedupe_key IS 'normalised title, company and place in one; equal means the same posting';
COMMENT ON COLUMN public.enhanced_jobs.apply_key IS 'host and path of the apply link, normalised';
COMMENT ON COLUMN public.enhanced_jobs.is_demo IS 'made from bundled sample data, never from a provider';
COMMENT ON COLUMN public.enhanced_jobs.rules_version IS 'version of the normalisation rules that made the row';
COMMENT ON TABLE public.job_sources IS 'every place where a posting was seen';
COMMENT ON TABLE public.companies IS 'employers, gathered from their postings';
COMMENT ON COLUMN public.companies.match_key IS 'folded name without legal suffixes';
COMMENT ON TABLE public.salary_benchmarks IS 'salary figures a year, by place, occupation and source';
COMMENT ON TABLE public.market_data IS 'labour market figures by place, occupation and source; rates in per cent';
COMMENT ON TABLE public.confidence_scores IS 'how far a figure can be trusted, 0 to 1, by component';
COMMENT ON TABLE public.salary_data_cache IS 'what stands in Redis under salary_data:…, and how well it serves; hit_rate in per cent';
